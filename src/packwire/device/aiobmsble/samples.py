"""From what aiobmsble says of a pack to quantities; its keys and units are those of its `BMSSample`."""

from collections.abc import Mapping
from typing import Any, Final

from packwire.quantity import Value
from packwire.sample import derived

#: aiobmsble's key -> ours, where value and unit are the same.
_SAME: Final = {
    "voltage": "voltage",
    "current": "current",
    "battery_level": "soc",
    "battery_health": "soh",
    "cell_count": "cell_count",
    "cycle_charge": "charge_remaining",
    "cycle_capacity": "energy_remaining",
    "design_capacity": "capacity_design",
    "total_charge": "charge_discharged_total",
    "cycles": "cycles",
    "runtime": "runtime",
    "problem": "problem",
    "problem_code": "problem_code",
    "balance_current": "balance_current",
    "heater": "heater_on",
    "heater_current": "heater_current",
    "chrg_mosfet": "charge_enabled",
    "dischrg_mosfet": "discharge_enabled",
    "pack_count": "pack_count",
}
#: The kind of a temperature sensor, as aiobmsble names it -> a quantity of its own; all others are of cells.
_TEMPERATURES: Final = {
    "CELL_MAX": "temperature_cell_max",
    "CELL_MIN": "temperature_cell_min",
    "MOSFET": "temperature_mosfet",
    "PCB": "temperature_board",
    "HEATER": "temperature_heater",
    "BALANCER": "temperature_balancer",
    "AMBIENT": "temperature_ambient",
}
_PHASES: Final = {0: "bulk", 1: "absorption", 2: "float"}


def values_of(sample: Mapping[str, Any]) -> tuple[dict[str, Value], str]:
    """Return the values of a pack by quantity, and a remark where some are left out.

    aiobmsble leaves out cells that read 0 mV, and does not say which: numbers of cells, and what is lowest,
    would then be wrong, so that no cell is told at all.
    """
    values: dict[str, Value] = {ours: sample[key] for key, ours in _SAME.items() if key in sample}
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
    if (phase := _PHASES.get(sample.get("battery_mode", -1))) is not None:
        values["charge_phase"] = phase
    return derived(values), remark


def _temperatures(sample: Mapping[str, Any]) -> dict[str, Value]:
    """Return temperatures by their kind; one that is told alone is the pack's."""
    result: dict[str, Value] = {}
    cells: list[float] = []
    for sensor in sample.get("temp_values", ()):
        key = _TEMPERATURES.get(sensor.type.name)
        if key is None or key in result:
            cells.append(sensor.value)
        else:
            result[key] = sensor.value
    if not sample.get("temp_values") and "temperature" in sample:
        cells.append(sample["temperature"])
    return result | ({"temperatures": tuple(cells)} if cells else {})
