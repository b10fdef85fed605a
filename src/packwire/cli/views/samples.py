"""Samples for scripts: JSON objects and CSV rows."""

import csv
import io
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from packwire.cli.terminal import printable
from packwire.clock import iso_time
from packwire.device import Device, Node
from packwire.quantity import QUANTITIES, Scalar, Value
from packwire.sample import Sample

if TYPE_CHECKING:
    from packwire.cli.records.live import Node as NodeRecord
    from packwire.cli.records.live import Reading as ReadingRecord
    from packwire.cli.records.live import Sample as SampleRecord

CSV_HEADER = ("time", "node", "quantity", "index", "value", "unit", "condition")


def sample_record(sample: Sample, identity: str) -> "SampleRecord":
    """Return a sample as a JSON object; `identity` is that of its node."""
    record: SampleRecord = {
        "kind": "sample",
        "time": iso_time(sample.time),
        "node": sample.node,
        "identity": identity,
        "condition": sample.condition.value,
        "values": {key: rounded(value) for key, value in sample.values.items()},
    }
    if sample.reason:
        record["reason"] = sample.reason
    return record


def node_record(node: Node) -> "NodeRecord":
    """Return a node as a JSON object."""
    return {
        "kind": "node",
        "key": node.key,
        "identity": node.identity,
        "role": node.kind.value,
        "name": node.name,
        "firmware": node.firmware,
        "can_id": node.number,
        "via": node.via,
    }


def units(keys: Iterable[str]) -> dict[str, str]:
    """Return the units of these quantities, those that have one."""
    return {key: QUANTITIES[key].unit for key in sorted(keys) if QUANTITIES[key].unit}


def device_record(device: Device, samples: tuple[Sample, ...], seconds: float) -> "ReadingRecord":
    """Return a whole reading as a JSON object; `units` says what the values are in."""
    identities = {node.key: node.identity for node in device.nodes}
    return {
        "kind": "reading",
        "time": iso_time(time.time_ns()),
        "device": device.name,
        "firmware": device.firmware,
        "identity": device.identity,
        "link": device.link,
        "seconds": round(seconds, 3),
        "remarks": list(device.remarks),
        "nodes": [node_record(node) for node in device.nodes],
        "samples": [sample_record(sample, identities.get(sample.node, "")) for sample in samples],
        "units": units({key for sample in samples for key in sample.values}),
    }


def value_rows(sample: Sample) -> Iterator[tuple[Any, ...]]:
    """Yield a row a value, as in CSV_HEADER; elements of arrays are numbered from 1."""
    start = (sample.when.isoformat(), sample.node)
    for key, value in sample.values.items():
        quantity = QUANTITIES[key]
        elements = enumerate(value, 1) if isinstance(value, tuple) else [("", value)]
        for index, element in elements:
            shown = printable(element) if isinstance(element, str) else rounded(element)
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


def rounded(value: Value) -> Any:
    """Cut off the digits that only binary fractions put there; never digits that were measured."""
    if isinstance(value, tuple):
        return [_rounded_scalar(element) for element in value]
    return _rounded_scalar(value)


def _rounded_scalar(value: Scalar) -> Scalar:
    return round(value, 6) if isinstance(value, float) else value
