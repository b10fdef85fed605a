"""aiobmsble's keys beside ours: what its `BMSSample` and our quantities call the same thing."""

from typing import Final

#: aiobmsble's key -> ours, where value and unit are the same.
SAME: Final = {
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
TEMPERATURES: Final = {
    "CELL_MAX": "temperature_cell_max",
    "CELL_MIN": "temperature_cell_min",
    "MOSFET": "temperature_mosfet",
    "PCB": "temperature_board",
    "HEATER": "temperature_heater",
    "BALANCER": "temperature_balancer",
    "AMBIENT": "temperature_ambient",
}
#: aiobmsble's number of a charge phase -> our word for it.
PHASES: Final = {0: "bulk", 1: "absorption", 2: "float"}
#: Keys of aiobmsble that are whole numbers, whatever the device says.
WHOLE: Final = frozenset(
    {"cell_count", "cycles", "design_capacity", "pack_count", "problem_code", "runtime", "total_charge"}
)
