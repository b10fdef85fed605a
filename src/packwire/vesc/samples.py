"""From VESC replies to quantities: signs, units and what is left out because it is not known.

Pure functions. A BMS reports its current positive while discharging; a battery's `current` here is positive
while charging, and the reported values stay available under their own keys.
"""

import math
from collections.abc import Mapping

from packwire.quantity import Value
from packwire.vesc.hardware import fault_name
from packwire.vesc.replies import BmsValues, FwVersion, SetupValues, Values

type Amounts = dict[str, Value | None]


def known(amounts: Mapping[str, Value | None]) -> dict[str, Value]:
    """Leave out what is not known: None, and numbers that are none (NaN, infinity)."""
    return {key: value for key, value in amounts.items() if value is not None and _is_number(value)}


def _is_number(value: Value) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def charging_current(reply: BmsValues) -> float | None:
    """Return the battery current in A, positive while charging.

    VESC Tool and the BMS's own counters use `i_in_ic` [bms_if.c]; `i_in` stands in where that is 0.
    """
    current = reply.i_in_ic or reply.i_in
    if current is None:
        return None
    return 0.0 - current


def battery_values(reply: BmsValues) -> dict[str, Value]:
    """Return what a BMS reply says, by quantity key."""
    current = charging_current(reply)
    power = current * reply.v_tot if current is not None and reply.v_tot is not None else None
    amounts: Amounts = {
        "voltage": reply.v_tot,
        "current": current,
        "power": power,
        "soc": _percent(reply.soc),
        "soh": _percent(reply.soh),
        "charge_voltage": reply.v_charge,
        "temperatures": reply.temp_adc or None,
        "temperature_cell_max": reply.temp_max_cell,
        "temperature_ic": reply.temp_ic,
        "temperature_humidity_sensor": reply.temp_hum,
        "humidity": reply.hum,
        "pressure": reply.pressure or None,  # not carried over CAN: 0 there, and nowhere on earth
        "charge_count": reply.ah_cnt,
        "energy_count": reply.wh_cnt,
        "charge_charged_total": reply.ah_chg_total,
        "energy_charged_total": reply.wh_chg_total,
        "charge_discharged_total": reply.ah_dis_total,
        "energy_discharged_total": reply.wh_dis_total,
        "bms_status": reply.status or None,
        "reported_current_in": reply.i_in,
        "reported_current_ic": reply.i_in_ic,
    }
    return known(amounts | _cell_amounts(reply))


def _cell_amounts(reply: BmsValues) -> Amounts:
    cells = reply.v_cell
    if not cells or len(cells) != reply.cell_num:
        return {}  # of a reply that was cut short: the lowest of some cells is not the lowest
    balancing = reply.bal or ()
    lowest, highest = min(cells), max(cells)
    return {
        "cell_count": len(cells),
        "cell_voltages": cells,
        "cell_balancing": tuple(state != 0 for state in balancing) if len(balancing) == len(cells) else None,
        "cell_voltage_min": lowest,
        "cell_voltage_max": highest,
        "cell_voltage_spread": round(highest - lowest, 6),
        "cell_min_number": cells.index(lowest) + 1,
        "cell_max_number": cells.index(highest) + 1,
    }


def controller_values(reply: Values, setup: SetupValues | None = None) -> dict[str, Value]:
    """Return what a controller's replies say, by quantity key; currents positive while it draws."""
    power = None
    if reply.current_in is not None and reply.v_in is not None:
        power = reply.current_in * reply.v_in
    amounts: Amounts = {
        "input_voltage": reply.v_in,
        "input_current": reply.current_in,
        "input_power": power,
        "motor_current": reply.current_motor,
        "duty_cycle": _percent(reply.duty),
        "electrical_rpm": reply.rpm,
        "temperature_mosfet": reply.temp_fet,
        "temperature_motor": reply.temp_motor,
        "charge_drawn": reply.ah,
        "charge_regenerated": reply.ah_charged,
        "energy_drawn": reply.wh,
        "energy_regenerated": reply.wh_charged,
        "fault": fault_name(reply.fault) if reply.fault is not None else None,
        "speed": setup.speed * 3.6 if setup and setup.speed is not None else None,
        "odometer": setup.odometer if setup else None,
    }
    return known(amounts)


def firmware_values(version: FwVersion) -> dict[str, Value]:
    """Return who a device says it is, by quantity key."""
    return known({"firmware": version.version, "hardware": version.hw_name or None})


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 6)
