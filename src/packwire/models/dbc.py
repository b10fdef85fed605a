"""DBC files as models: what Vector's form says of CAN frames, as far as reading them takes.

Messages, signals, multiplexers and value tables are read; what else is there is passed over. A signal whose
name is that of a quantity (`soc`, `Cell_Voltage_Min`) says that quantity.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from packwire.errors import BadFileError, Reason
from packwire.models.protocol import ModelProtocol
from packwire.models.store import MAX_BYTES
from packwire.quantity import QUANTITIES, Kind
from packwire.wire.fields import FieldError

_MESSAGE: Final = re.compile(r"BO_ (\d{1,10}) (\w{1,128}) ?: ?(\d{1,4}) ")
_SIGNAL: Final = re.compile(
    r"\s+SG_ (\w{1,128}) ?(M|m\d{1,5})? ?: ?(\d{1,3})\|(\d{1,3})@([01])([+-]) ?"
    r"\(([^,()]{1,40}),([^,()]{1,40})\) ?\[[^\]]{0,80}\] ?\"([^\"]{0,40})\""
)
_VALUES: Final = re.compile(r"VAL_ (\d{1,10}) (\w{1,128}) (.{0,8000});")
_VALUE: Final = re.compile(r"(-?\d{1,19}) \"([^\"]{0,120})\"")
_FLOATS: Final = re.compile(r"SIG_VALTYPE_ (\d{1,10}) (\w{1,128}) ?:? ?([12]);")
#: DBC files mark identifiers of 29 bits so.
_EXTENDED: Final = 1 << 31
_MOST_SIGNALS: Final = 4096
#: Names of signals that stand for quantities without being their keys.
_ALIASES: Final = {
    "pack_voltage": "voltage",
    "battery_voltage": "voltage",
    "pack_current": "current",
    "battery_current": "current",
    "state_of_charge": "soc",
    "state_of_health": "soh",
}


def dbc_model(path: Path) -> ModelProtocol:
    """Return the protocol that a DBC file describes: packs that only send. Raises BadFileError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BadFileError(f"{path}: there is no such file", reason=Reason.NO_FILE) from None
    except OSError as error:
        raise BadFileError(f"{path}: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise BadFileError(f"{path}: a DBC file has at most {MAX_BYTES} bytes here")
    replies = dict(_replies(data.decode("cp1252", "replace"), str(path)))
    if not replies:
        raise BadFileError(f"{path}: there is no message with a signal in it; is it a DBC file?")
    content = {
        "packwire": 1,
        "name": "dbc",
        "title": path.stem[:80] or "DBC",
        "order": "little",
        "links": {"can": {"bit_rate": 500_000}},
        "framings": [{"form": "can"}],
        "replies": replies,
    }
    try:
        return ModelProtocol(content)
    except (FieldError, ValueError) as error:
        raise BadFileError(f"{path}: {error}") from None


def _replies(text: str, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    tables = {
        (int(found[1]), found[2]): {int(number): words for number, words in _VALUE.findall(found[3])}
        for found in _VALUES.finditer(text)
    }
    floats = {(int(found[1]), found[2]): int(found[3]) for found in _FLOATS.finditer(text)}
    message: tuple[int, str] | None = None
    fields: list[dict[str, Any]] = []
    signals = 0
    for number, line in enumerate(text.splitlines(), 1):
        if begun := _MESSAGE.match(line):
            if message and fields:
                yield _reply(*message, fields)
            message, fields = (int(begun[1]), begun[2]), []
        elif message and line.lstrip().startswith("SG_ "):
            found = _SIGNAL.match(line)
            signals += 1
            if found is None or signals > _MOST_SIGNALS:
                raise BadFileError(f"{where}, line {number}: this signal is not understood")
            key = message[0], found[1]
            try:
                fields.append(_field(found, tables.get(key, {}), floats.get(key, 0)))
            except ValueError as error:
                raise BadFileError(f"{where}, line {number}: {error}") from None
    if message and fields:
        yield _reply(*message, fields)


def _reply(number: int, name: str, fields: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    mux = next((each["name"] for each in fields if each.pop("mux", False)), None)
    for each in fields:
        branch = each.pop("branch", None)
        if branch is not None and mux is not None:
            each["when"] = [{"field": mux, "is": branch}]
    fields.sort(key=lambda each: each["name"] != mux)
    said = {
        "id": number & 0x1FFF_FFFF,
        "extended": bool(number & _EXTENDED),
        "fields": fields,
        "optional": True,
    }
    return name, said


def _field(found: re.Match[str], table: dict[int, str], width_of_float: int) -> dict[str, Any]:
    name, mux, start, size, little, sign = (
        found[1],
        found[2],
        int(found[3]),
        int(found[4]),
        found[5],
        found[6],
    )
    first, at, lowest, width = _place(start, size, little=little == "1")
    field: dict[str, Any] = {"name": name.lower(), "at": at, "order": first, "scale": float(found[7]) or 1.0}
    field["addend"] = float(found[8])
    if width_of_float:
        field["type"] = f"f{32 * width_of_float}"
        if lowest or size != 32 * width_of_float:
            raise ValueError(f"{name}: a float begins and ends with a byte")
    else:
        field["type"] = f"{'i' if sign == '-' else 'u'}{8 * width}"
        if lowest or size != 8 * width:
            field["bits"] = [lowest, size]
    if mux == "M":
        field["mux"] = True
    elif mux:
        field["branch"] = int(mux[1:])
    quantity = QUANTITIES.get(_ALIASES.get(name.lower(), name.lower()))
    if table and (quantity is None or quantity.kind is Kind.TEXT):
        field["names"] = table
    if quantity is not None:
        field["quantity"] = quantity.key
    return field


def _place(start: int, size: int, *, little: bool) -> tuple[str, int, int, int]:
    """Return byte order, first byte, lowest bit in them, and how many bytes a signal lies in.

    Raises ValueError.
    """
    if not 1 <= size <= 64:
        raise ValueError(f"a signal has 1 to 64 bits, not {size}")
    if little:
        at, lowest = divmod(start, 8)
        width = (lowest + size + 7) // 8
    else:
        at, highest = divmod(start, 8)
        width = (7 - highest + size + 7) // 8
        lowest = 8 * width - (7 - highest) - size
    if width > 8:
        raise ValueError("a signal that lies in nine bytes is not read here")
    return ("little" if little else "big"), at, lowest, width
