"""From what aiobmsble says of a pack to quantities; its keys and units are those of its `BMSSample`."""

from collections.abc import Mapping
from typing import Any

from packwire.models.aiobmsble_keys import PHASES, SAME, TEMPERATURES
from packwire.quantity import Value
from packwire.sample import derived


def values_of(sample: Mapping[str, Any]) -> tuple[dict[str, Value], str]:
    """Return the values of a pack by quantity, and a remark where some are left out.

    aiobmsble leaves out cells that read 0 mV, and does not say which: numbers of cells, and what is lowest,
    would then be wrong, so that no cell is told at all.
    """
    values: dict[str, Value] = {ours: sample[key] for key, ours in SAME.items() if key in sample}
    cells = tuple(sample.get("cell_voltages", ()))
    remark = ""
    count = sample.get("cell_count", len(cells))
    if cells and isinstance(count, int) and count > len(cells):
        said = " ".join(f"{volts:.3f}" for volts in cells[:32])
        remark = (
            f"{count - len(cells)} of {count} cells read 0 mV or are not there, and aiobmsble does not say "
            f"which; the others: {said} V"
        )
    elif cells:
        values["cell_voltages"] = cells
    values |= _temperatures(sample)
    if "balancer" in sample:
        values["balancing"] = bool(sample["balancer"])
    if (phase := PHASES.get(sample.get("battery_mode", -1))) is not None:
        values["charge_phase"] = phase
    return derived(values), remark


def _temperatures(sample: Mapping[str, Any]) -> dict[str, Value]:
    """Return temperatures by their kind; one that is told alone is the pack's."""
    result: dict[str, Value] = {}
    cells: list[float] = []
    for sensor in sample.get("temp_values", ()):
        key = TEMPERATURES.get(sensor.type.name)
        if key is None or key in result:
            cells.append(sensor.value)
        else:
            result[key] = sensor.value
    if not sample.get("temp_values") and "temperature" in sample:
        cells.append(sample["temperature"])
    return result | ({"temperatures": tuple(cells)} if cells else {})
