"""Replies to what a client asks, of any length that a device could give.

A reply gets longer by more cells, a longer name or status text, or by bytes at its end, as newer firmware
appends fields; shorter by fewer cells or by an early end, as in older firmware.
"""

from collections.abc import Callable
from typing import Any

from packwire.vesc.commands import Command
from packwire.vesc.replies import (
    BMS_GET_VALUES,
    FW_VERSION,
    GET_STATS,
    GET_VALUES,
    GET_VALUES_SELECTIVE,
    GET_VALUES_SETUP,
    GET_VALUES_SETUP_SELECTIVE,
    BmsValues,
    FwVersion,
    SetupValues,
    Stats,
    Values,
)
from packwire.vesc.requests import unwrap
from packwire.wire.layout import Layout

#: Cells of a usual pack; its reply has 130 bytes with eight more of temperatures, as recorded ones have.
CELLS = 20
MAX_CELLS = 32
#: With 2 to 4 cells, their number would look like a start byte to who looks for one in a damaged frame.
LEAST_CELLS = 5
_TEMPERATURES = 5
_CAN_IDS = bytes((10, 84))
#: Of a cell of a usual reply.
VOLTS = 4.195


def command_of(request: bytes) -> int:
    """Return the command that a request is about: of a forwarded one the inner one."""
    return unwrap(request).command


def reply_to(
    request: bytes, size: int | None = None, *, ends_early: bool = False, volts: float | None = None
) -> bytes | None:
    """Return a reply to a request, of `size` bytes where that is given; None: nobody answers this.

    `ends_early`: a shorter one is the usual one cut off, as older firmware's is. `volts`: of each cell.
    """
    asked = unwrap(request).request
    make = _MAKERS.get(command_of(request))
    if make is None:
        return None
    if volts is not None and size is not None and asked[0] == Command.BMS_GET_VALUES:
        return _bms_sized(size, volts)
    reply = make(asked, None if ends_early else size)
    if size is None or len(reply) == size:
        return reply
    return reply[:size] + bytes(max(size - len(reply), 0))


def answerable(request: bytes) -> bool:
    """Tell whether there is a reply to a request here."""
    return command_of(request) in _MAKERS


def cells_of(size: int) -> int:
    """Return how many cells a battery's reply of `size` bytes has."""
    least = len(_bms_values(LEAST_CELLS, 1))
    return min(max((size - least) // 3 + LEAST_CELLS, LEAST_CELLS), MAX_CELLS)


def _bms(_: bytes, size: int | None) -> bytes:
    return _bms_values(CELLS, _TEMPERATURES) if size is None else _bms_sized(size, VOLTS)


def _bms_sized(size: int, volts: float) -> bytes:
    """Return a pack's values; as many cells as fit into `size`, the rest is status text."""
    cells = cells_of(size)
    shortest = _bms_values(cells, 1)
    return _bms_values(cells, 1, status="-" * max(size - len(shortest), 0), volts=volts)


def _bms_values(cells: int, temperatures: int, status: str = "", volts: float = VOLTS) -> bytes:
    values = BmsValues(
        v_tot=volts * cells, v_charge=0.0, i_in=0.0, i_in_ic=-3.06, ah_cnt=1.5, wh_cnt=120.0,
        cell_num=cells, v_cell=(volts,) * cells, bal=(0,) * cells,
        temp_adc_num=temperatures, temp_adc=(25.0,) * temperatures,
        temp_ic=25.0, temp_hum=25.0, hum=40.0, temp_max_cell=25.0, soc=0.45, soh=0.5, can_id=10,
        ah_chg_total=12.5, wh_chg_total=1000.0, ah_dis_total=12.0, wh_dis_total=950.0,
        pressure=101_320.0, data_version=1, status=status,
    )  # fmt: skip
    return bytes((Command.BMS_GET_VALUES,)) + BMS_GET_VALUES.encode(values)


def _version(_: bytes, size: int | None) -> bytes:
    def of(name: str) -> bytes:
        version = FwVersion(6, 5, name, "00" * 12, 0, 0, 2, 0, 0, 0, 0, 0, "", 0)
        return bytes((Command.FW_VERSION,)) + FW_VERSION.encode(version)

    name = "packwire"
    return of(name if size is None else name + "-" * max(size - len(of(name)), 0))


def _values(asked: bytes, _: int | None) -> bytes:
    return asked[:1] + GET_VALUES.encode(Values(**_KNOWN))


def _setup(asked: bytes, _: int | None) -> bytes:
    return asked[:1] + GET_VALUES_SETUP.encode(SetupValues(**_KNOWN_SETUP))


def _selective(layout: Layout[Any], known: dict[str, Any]) -> Callable[[bytes, int | None], bytes]:
    def make(asked: bytes, _: int | None) -> bytes:
        return asked[:1] + layout.encode(layout.kind(mask=int.from_bytes(asked[1:5]), **known))

    return make


def _stats(asked: bytes, _: int | None) -> bytes:
    values: dict[str, Any] = dict.fromkeys(Stats._fields, 0) | {"mask": int.from_bytes(asked[1:3])}
    return asked[:1] + GET_STATS.encode(Stats(**values))


_STILL: dict[str, Any] = {"v_in": 50.0, "temp_fet": 25.0, "controller_id": 84}
#: A controller that stands still.
_KNOWN: dict[str, Any] = dict.fromkeys(Values._fields, 0) | _STILL
_KNOWN_SETUP: dict[str, Any] = dict.fromkeys(SetupValues._fields, 0) | _STILL | {"battery_level": 0.866}

_MAKERS: dict[int, Callable[[bytes, int | None], bytes]] = {
    Command.BMS_GET_VALUES: _bms,
    Command.FW_VERSION: _version,
    Command.GET_VALUES: _values,
    Command.GET_VALUES_SETUP: _setup,
    Command.GET_VALUES_SELECTIVE: _selective(GET_VALUES_SELECTIVE, _KNOWN),
    Command.GET_VALUES_SETUP_SELECTIVE: _selective(GET_VALUES_SETUP_SELECTIVE, _KNOWN_SETUP),
    Command.GET_STATS: _stats,
    Command.PING_CAN: lambda asked, _: asked[:1] + _CAN_IDS,
}
