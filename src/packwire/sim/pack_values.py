"""What a simulated pack says of itself, by quantity."""

from collections.abc import Mapping
from typing import Any

from packwire.sim.pack import BALANCE_CURRENT, STEP
from packwire.sim.vehicle import Vehicle

CYCLES = 117
HARDWARE = "SIMULATED"
FIRMWARE = 2.1
SERIAL = "SIM00001"
LOWEST, HIGHEST = 3.0, 4.2
"""V of a cell, between which it asks to be kept."""
PROBES = 4
"""Temperature sensors on cells."""


def pack_values(vehicle: Vehicle) -> dict[str, Any]:
    """Return what a pack could say of itself now, by quantity key; currents positive while charging."""
    pack = vehicle.pack
    cells = pack.cell_voltages
    lowest, highest = min(cells), max(cells)
    temperatures = pack.temperatures[:PROBES]
    charge, current = pack.soc * pack.capacity, -pack.measured_current
    return {
        "voltage": pack.measured_voltage,
        "current": current,
        "power": pack.measured_voltage * current,
        "soc": round(100 * pack.soc),
        "soh": round(100 * pack.health),
        "cell_count": len(cells),
        "cell_voltages": cells,
        "cell_voltage_min": lowest,
        "cell_voltage_max": highest,
        "cell_voltage_spread": highest - lowest,
        "cell_voltage_average": sum(cells) / len(cells),
        "cell_min_number": cells.index(lowest) + 1,
        "cell_max_number": cells.index(highest) + 1,
        "cell_balancing": tuple(pack.balancing),
        "cell_resistances": tuple(0.001 + 0.0001 * (cell % 4) for cell in range(len(cells))),
        "balancing": any(pack.balancing),
        "balance_current": BALANCE_CURRENT if any(pack.balancing) else 0.0,
        "temperatures": temperatures,
        "temperature_cell_min": min(temperatures),
        "temperature_cell_max": max(temperatures),
        "temperature_ambient": pack.board_temperature,
        "temperature_board": pack.board_temperature,
        "temperature_mosfet": pack.chip_temperature,
        "temperature_ic": pack.chip_temperature,
        "temperature_balancer": pack.chip_temperature,
        "temperature_heater": pack.board_temperature,
        "charge_remaining": charge,
        "capacity": pack.capacity,
        "capacity_design": round(pack.capacity / pack.health),
        "energy_remaining": charge * pack.measured_voltage,
        "runtime": round(3600 * charge / -current) if current < -0.05 else 0,
        "cycles": CYCLES,
        "charge_enabled": True,
        "discharge_enabled": True,
        "heater_on": False,
        "heater_current": 0.0,
        "charge_voltage_limit": HIGHEST * len(cells),
        "discharge_voltage_limit": LOWEST * len(cells),
        "charge_current_limit": pack.capacity / 2,
        "discharge_current_limit": pack.capacity,
        "pack_count": 1,
        "alarms": (),
        "warnings": (),
        "problem": False,
        "problem_code": 0,
        "uptime": round(vehicle.pack.steps * STEP),
        "hardware": HARDWARE,
        "model": HARDWARE,
        "firmware": FIRMWARE,
        "serial_number": SERIAL,
    }


#: What the packs of a device share out among them.
_SHARED = ("current", "power", "charge_remaining", "capacity", "capacity_design", "energy_remaining")


def values_within(values: Mapping[str, Any], number: int, packs: int) -> dict[str, Any]:
    """Return what one of the packs in parallel says, of all that they say together.

    Each has the same cells, in another order, so that packs are told apart and their voltage is one.
    """
    cells = values["cell_voltages"]
    turned = number % len(cells)
    within = {key: values[key] / packs for key in _SHARED}
    within["cell_voltages"] = (*cells[turned:], *cells[:turned])
    return {**values, **within, "serial_number": f"SIM{number:05d}"}
