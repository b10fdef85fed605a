"""Samples for scripts: JSON objects and CSV rows."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from packwire.cli.terminal import printable
from packwire.device import Device, Node
from packwire.quantity import QUANTITIES, Scalar, Value
from packwire.sample import Sample

CSV_HEADER = ("time", "node", "quantity", "index", "value", "unit", "condition")


def sample_record(sample: Sample) -> dict[str, Any]:
    """Return a sample as a JSON object; `time` is ISO 8601 in UTC, the values are by quantity key."""
    return {
        "time": sample.when.isoformat(),
        "node": sample.node,
        "condition": sample.condition.value,
        **({"reason": sample.reason} if sample.reason else {}),
        "values": {key: _rounded(value) for key, value in sample.values.items()},
    }


def node_record(node: Node) -> dict[str, Any]:
    """Return a node as a JSON object."""
    return {
        "key": node.key,
        "identity": node.identity,
        "kind": node.kind.value,
        "name": node.name,
        "firmware": node.firmware,
        "can_id": node.number,
        "via": node.via,
    }


def device_record(device: Device, samples: tuple[Sample, ...], seconds: float) -> dict[str, Any]:
    """Return a whole reading as a JSON object; `units` says what the values are in."""
    keys = sorted({key for sample in samples for key in sample.values})
    return {
        "device": device.name,
        "firmware": device.firmware,
        "link": device.link,
        "seconds": round(seconds, 3),
        "remarks": list(device.remarks),
        "nodes": [node_record(node) for node in device.nodes],
        "samples": [sample_record(sample) for sample in samples],
        "units": {key: QUANTITIES[key].unit for key in keys if QUANTITIES[key].unit},
    }


def value_rows(sample: Sample) -> Iterator[tuple[Any, ...]]:
    """Yield a row a value, as in CSV_HEADER; elements of arrays are numbered from 1."""
    start = (sample.when.isoformat(), sample.node)
    for key, value in sample.values.items():
        quantity = QUANTITIES[key]
        elements = enumerate(value, 1) if isinstance(value, tuple) else [("", value)]
        for index, element in elements:
            shown = printable(element) if isinstance(element, str) else _rounded(element)
            yield (*start, key, index, shown, quantity.unit, sample.condition.value)
    if not sample.values:
        yield (*start, "", "", "", "", sample.condition.value)


def csv_rows(sample: Sample) -> str:
    """Return a sample as CSV text."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(value_rows(sample))
    return text.getvalue()


def csv_header() -> str:
    """Return the first line of the CSV."""
    return ",".join(CSV_HEADER) + "\n"


def _rounded(value: Value) -> Any:
    """Cut off the digits that only binary fractions put there; never digits that were measured."""
    if isinstance(value, tuple):
        return [_rounded_scalar(element) for element in value]
    return _rounded_scalar(value)


def _rounded_scalar(value: Scalar) -> Scalar:
    return round(value, 6) if isinstance(value, float) else value
