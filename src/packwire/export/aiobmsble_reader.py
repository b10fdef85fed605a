"""What a reply says, as pairs of a quantity and a value: the part of a plugin of aiobmsble that decodes."""

from typing import Final, override

from packwire.export.decoding import ReplyField, ReplyWriter
from packwire.export.python import Python
from packwire.export.said import ValueReplies
from packwire.models.aiobmsble_keys import SAME, TEMPERATURES
from packwire.quantity import Kind
from packwire.wire.fields import Type

#: Our quantity -> aiobmsble's key.
KEYS: Final = {ours: theirs for theirs, ours in SAME.items()}
SENSORS: Final = {ours: theirs for theirs, ours in TEMPERATURES.items()} | {"temperatures": "GENERIC"}
#: What the device says of itself -> the key of aiobmsble's `BMSInfo`.
INFO: Final = {
    "firmware": "sw_version",
    "hardware": "hw_version",
    "serial_number": "serial_number",
    "model": "model",
    "device_name": "name",
}


#: What aiobmsble computes itself.
ITS_OWN: Final = frozenset({"voltage", "power", "energy_remaining", "runtime", "problem"})


def key_of(quantity: str) -> str:
    """Return aiobmsble's key for a quantity; empty where it has none."""
    if quantity in SENSORS:
        return "temp_values"
    others = {"cell_voltages": "cell_voltages", "balancing": "balancer", "charge_phase": "battery_mode"}
    return KEYS.get(quantity) or others.get(quantity) or ""


class PlainReader(ReplyWriter):
    """Writes what a reply says: pairs of a quantity and a value."""

    part = "part"

    def __init__(self, to: Python, values: ValueReplies) -> None:
        super().__init__(to, values.model)
        self.values = values

    @override
    def reads(self, reading: ReplyField) -> bool:
        said = reading.saying
        if said is None or reading.field.secret or said.quantity.key not in self.values.said:
            return False
        return not odd(reading) and bool(key_of(said.quantity.key) or said.quantity.key in INFO)

    @override
    def is_known(self, known: str) -> str:
        return f'"{known}" in known'

    @override
    def number_of(self, known: str) -> str:
        return f'known.get("{known}", 0)'

    @override
    def remember(self, known: str, raw: str) -> str:
        return f'known["{known}"] = {raw}'

    @override
    def one(self, reading: ReplyField, raw: str, at: str, index: str = "") -> None:
        if reading.saying is None:
            return
        to, field, quantity = self.to, reading.field, reading.saying.quantity
        value = to.scaled(field, raw)
        if field.negative:
            held = self.held(field.negative)
            value = f"-({value}) if {held} else {value}"
        if field.names:
            rows = ", ".join(f"{number}: {name!a}" for number, name in field.names)
            value = f"{{{rows}}}.get(int({raw}), {value})"
        if quantity.kind is Kind.FLAG:
            value = f"({value}) is True" if field.names else f"bool({value})"
        if quantity.kind is Kind.TEXT:
            value = f"str({value}).strip()"
        self.to.put(f'said.append(("{quantity.key}", {value}))')

    @override
    def text(self, reading: ReplyField, at: str, behind: str) -> None:
        if reading.saying is None:
            return
        item = f"data[{at}:{behind}]"
        match reading.field.type:
            case Type.HEX:
                value = f"{item}.hex()"
            case Type.CSTRING:
                value = f'{item}.split(b"\\0")[0].decode("utf-8", "backslashreplace").strip()'
            case _:
                value = f'{item}.rstrip(b"\\0").decode("utf-8", "backslashreplace").strip()'
        self.to.put(f'said.append(("{reading.saying.quantity.key}", {value}))')


def odd(reading: ReplyField) -> str:
    """Say why a field that has a key is not told; empty where it is."""
    field, saying = reading.field, reading.saying
    if saying is None:
        return ""
    if saying.quantity.kind is Kind.TEXT:
        return "flags and lists of words" if field.flags or field.each_bit is not None else ""
    if not field.type.numeric:
        return "a text where a number is expected"
    if field.each_bit is not None:
        return "a list of truth values"
    words = any(isinstance(name, str) for _, name in field.names)
    return "words where a number is expected" if words else ""
