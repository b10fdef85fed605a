"""What can be measured: one entry a quantity, with its unit, its kind and how many decimals mean something.

Everything that shows or publishes a value (the terminal, MQTT, Home Assistant, a database) derives what it
needs from here, so that a new quantity appears everywhere without code of its own.

Units: V, A, W, Ah, Wh, degC, %, Ohm, rpm, m, km/h, Pa, s, dBm. A battery's current and power are positive
while charging. A controller's input current and power are quantities of their own, positive while it draws.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The nature of a value: decides device class, plot and aggregation downstream."""

    VOLTAGE = "voltage"
    CURRENT = "current"
    POWER = "power"
    CHARGE = "charge"
    ENERGY = "energy"
    TEMPERATURE = "temperature"
    PERCENT = "percent"
    CHARGE_LEVEL = "charge level"
    """How full a battery is, in %."""
    HUMIDITY = "humidity"
    PRESSURE = "pressure"
    ROTATION = "rotation"
    SPEED = "speed"
    DISTANCE = "distance"
    DURATION = "duration"
    RESISTANCE = "resistance"
    SIGNAL = "signal strength"
    """Of a radio, in dBm."""
    COUNT = "count"
    FLAG = "flag"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measurable thing.

    `counter` means that the value only grows (until it is reset); `array` that the value is a tuple;
    `diagnostic` that it tells about the device rather than about the battery or the motor. `element` is the
    name of one value of an array, with its number (from 1), and `per_cell` means that each is of one cell.
    `on_card` means that a card for people names it, behind what has a place of its own there.
    """

    key: str
    name: str
    unit: str
    kind: Kind
    precision: int = 0
    counter: bool = False
    array: bool = False
    diagnostic: bool = False
    element: str = ""
    per_cell: bool = False
    on_card: bool = False

    def format(self, value: "Scalar") -> str:
        """Return `value` as `83.92 V`; a duration as `2 h 5 min`, a flag as `yes`."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if not isinstance(value, int | float):
            return str(value)
        if self.kind is Kind.DURATION:
            return _duration(value)
        return f"{value:z.{self.precision}f} {self.unit}".rstrip()


def _duration(seconds: float) -> str:
    """Return a duration by its largest units: `14 d 3 h`."""
    left = round(abs(seconds))
    counts: list[tuple[int, str]] = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or counts:
            counts.append((count, unit))
    words = [f"{count} {unit}" for count, unit in counts[:2] if count]
    return ("-" if seconds < 0 else "") + (" ".join(words) or "0 s")


type Scalar = float | int | bool | str
type Value = Scalar | tuple[Scalar, ...]


def _table(*rows: Quantity) -> dict[str, Quantity]:
    return {row.key: row for row in rows}


#: Every standard quantity by key. Batteries first, then motor controllers, then what tells about the device.
QUANTITIES = _table(
    Quantity("voltage", "Voltage", "V", Kind.VOLTAGE, 2),
    Quantity("current", "Current", "A", Kind.CURRENT, 2),
    Quantity("power", "Power", "W", Kind.POWER, 0),
    Quantity("soc", "State of charge", "%", Kind.CHARGE_LEVEL, 1),
    Quantity("soh", "State of health", "%", Kind.PERCENT, 1),
    Quantity("cell_count", "Cells", "", Kind.COUNT),
    Quantity(
        "cell_voltages",
        "Cell voltages",
        "V",
        Kind.VOLTAGE,
        3,
        array=True,
        element="Cell {number} voltage",
        per_cell=True,
    ),
    Quantity(
        "cell_balancing",
        "Cells balancing",
        "",
        Kind.FLAG,
        array=True,
        element="Cell {number} balancing",
        per_cell=True,
    ),
    Quantity(
        "cell_resistances",
        "Cell wire resistances",
        "Ohm",
        Kind.RESISTANCE,
        4,
        array=True,
        element="Cell {number} wire resistance",
        per_cell=True,
    ),
    Quantity("cell_voltage_min", "Lowest cell voltage", "V", Kind.VOLTAGE, 3),
    Quantity("cell_voltage_max", "Highest cell voltage", "V", Kind.VOLTAGE, 3),
    Quantity("cell_voltage_spread", "Cell voltage spread", "V", Kind.VOLTAGE, 3),
    Quantity("cell_min_number", "Number of the lowest cell", "", Kind.COUNT),
    Quantity("cell_max_number", "Number of the highest cell", "", Kind.COUNT),
    Quantity("charge_voltage", "Charge input voltage", "V", Kind.VOLTAGE, 2),
    Quantity(
        "temperatures",
        "Temperatures",
        "degC",
        Kind.TEMPERATURE,
        1,
        array=True,
        element="Temperature {number}",
    ),
    Quantity("temperature_cell_max", "Highest cell temperature", "degC", Kind.TEMPERATURE, 1),
    Quantity("temperature_cell_min", "Lowest cell temperature", "degC", Kind.TEMPERATURE, 1),
    Quantity("temperature_ambient", "Ambient temperature", "degC", Kind.TEMPERATURE, 1),
    Quantity("temperature_board", "Temperature of the BMS board", "degC", Kind.TEMPERATURE, 1),
    Quantity("temperature_balancer", "Balancer temperature", "degC", Kind.TEMPERATURE, 1),
    Quantity("temperature_heater", "Heater temperature", "degC", Kind.TEMPERATURE, 1),
    Quantity("temperature_ic", "Temperature of the BMS chip", "degC", Kind.TEMPERATURE, 1),
    Quantity(
        "temperature_humidity_sensor", "Temperature of the humidity sensor", "degC", Kind.TEMPERATURE, 1
    ),
    Quantity("humidity", "Humidity", "%", Kind.HUMIDITY, 1),
    Quantity("pressure", "Pressure", "Pa", Kind.PRESSURE, 0),
    Quantity("charge_remaining", "Remaining charge", "Ah", Kind.CHARGE, 2, on_card=True),
    Quantity("capacity", "Capacity when full", "Ah", Kind.CHARGE, 2, on_card=True),
    Quantity("capacity_design", "Design capacity", "Ah", Kind.CHARGE, 2, on_card=True),
    Quantity("energy_remaining", "Remaining energy", "Wh", Kind.ENERGY, 1, on_card=True),
    Quantity("runtime", "Time until empty", "s", Kind.DURATION, on_card=True),
    Quantity("time_to_full", "Time until full", "s", Kind.DURATION, on_card=True),
    Quantity("cycles", "Charge cycles", "", Kind.COUNT, on_card=True),
    Quantity("charge_enabled", "Charging allowed", "", Kind.FLAG, on_card=True),
    Quantity("discharge_enabled", "Discharging allowed", "", Kind.FLAG, on_card=True),
    Quantity("charge_phase", "Charge phase", "", Kind.TEXT, on_card=True),
    Quantity("balancing", "Balancing", "", Kind.FLAG, on_card=True),
    Quantity("balance_current", "Balance current", "A", Kind.CURRENT, 3, on_card=True),
    Quantity("heater_on", "Heater on", "", Kind.FLAG, on_card=True),
    Quantity("heater_current", "Heater current", "A", Kind.CURRENT, 2, on_card=True),
    Quantity("charge_voltage_limit", "Highest charge voltage", "V", Kind.VOLTAGE, 2, on_card=True),
    Quantity("charge_current_limit", "Highest charge current", "A", Kind.CURRENT, 1, on_card=True),
    Quantity("discharge_voltage_limit", "Lowest discharge voltage", "V", Kind.VOLTAGE, 2, on_card=True),
    Quantity("discharge_current_limit", "Highest discharge current", "A", Kind.CURRENT, 1, on_card=True),
    Quantity("pack_count", "Packs", "", Kind.COUNT, on_card=True),
    Quantity("alarms", "Alarms", "", Kind.TEXT, on_card=True),
    Quantity("warnings", "Warnings", "", Kind.TEXT, on_card=True),
    Quantity("problem", "Problem", "", Kind.FLAG),
    Quantity("problem_code", "Problem code", "", Kind.COUNT),
    Quantity("charge_count", "Charge count", "Ah", Kind.CHARGE, 3),
    Quantity("energy_count", "Energy count", "Wh", Kind.ENERGY, 2),
    Quantity("charge_charged_total", "Charge charged, total", "Ah", Kind.CHARGE, 2, counter=True),
    Quantity("energy_charged_total", "Energy charged, total", "Wh", Kind.ENERGY, 1, counter=True),
    Quantity("charge_discharged_total", "Charge discharged, total", "Ah", Kind.CHARGE, 2, counter=True),
    Quantity("energy_discharged_total", "Energy discharged, total", "Wh", Kind.ENERGY, 1, counter=True),
    Quantity("input_voltage", "Input voltage", "V", Kind.VOLTAGE, 1),
    Quantity("input_current", "Input current", "A", Kind.CURRENT, 2),
    Quantity("input_power", "Input power", "W", Kind.POWER, 0),
    Quantity("motor_current", "Motor current", "A", Kind.CURRENT, 2),
    Quantity("duty_cycle", "Duty cycle", "%", Kind.PERCENT, 1),
    Quantity("electrical_rpm", "Electrical speed", "rpm", Kind.ROTATION, 0),
    Quantity("temperature_mosfet", "MOSFET temperature", "degC", Kind.TEMPERATURE, 1),
    Quantity("temperature_motor", "Motor temperature", "degC", Kind.TEMPERATURE, 1),
    Quantity("charge_drawn", "Charge drawn", "Ah", Kind.CHARGE, 4, counter=True),
    Quantity("charge_regenerated", "Charge regenerated", "Ah", Kind.CHARGE, 4, counter=True),
    Quantity("energy_drawn", "Energy drawn", "Wh", Kind.ENERGY, 2, counter=True),
    Quantity("energy_regenerated", "Energy regenerated", "Wh", Kind.ENERGY, 2, counter=True),
    Quantity("speed", "Speed", "km/h", Kind.SPEED, 1),
    Quantity("odometer", "Odometer", "m", Kind.DISTANCE, 0, counter=True),
    Quantity("fault", "Fault", "", Kind.TEXT),
    Quantity("firmware", "Firmware", "", Kind.TEXT, diagnostic=True),
    Quantity("hardware", "Hardware", "", Kind.TEXT, diagnostic=True),
    Quantity("model", "Model", "", Kind.TEXT, diagnostic=True),
    Quantity("device_name", "Name of the device", "", Kind.TEXT, diagnostic=True),
    Quantity("serial_number", "Serial number", "", Kind.TEXT, diagnostic=True),
    Quantity("production_date", "Date of production", "", Kind.TEXT, diagnostic=True),
    Quantity("uptime", "Time since its start", "s", Kind.DURATION, diagnostic=True),
    Quantity("rssi", "Signal strength", "dBm", Kind.SIGNAL, diagnostic=True),
    Quantity("bms_present", "BMS present", "", Kind.FLAG, diagnostic=True),
    Quantity("bms_status", "BMS status", "", Kind.TEXT, diagnostic=True),
    Quantity(
        "reported_current_in", "Current as the BMS reports it (i_in)", "A", Kind.CURRENT, 4, diagnostic=True
    ),
    Quantity(
        "reported_current_ic", "Current of the BMS chip (i_in_ic)", "A", Kind.CURRENT, 4, diagnostic=True
    ),
)
