"""VESC conversations for tests: payloads, and sessions that carry them."""

from itertools import pairwise
from typing import Any, Self

from packwire.vesc.framing import encode_frame
from packwire.vesc.replies import BMS_GET_VALUES, FW_VERSION, GET_VALUES, BmsValues, FwVersion, Values
from tests.capture.builder import Session

ASK_BMS = b"\x60"
ASK_VERSION = b"\x00"
ASK_VALUES = b"\x04"
PING = b"\x3e"


def via(can_id: int, request: bytes) -> bytes:
    return bytes((34, can_id)) + request


def bms(volts: float = 83.92, cells: int = 20) -> bytes:
    values = BmsValues(
        v_tot=volts, v_charge=0.0, i_in=0.0, i_in_ic=-3.06, ah_cnt=0.0, wh_cnt=0.0, cell_num=cells,
        v_cell=(4.19,) * cells, bal=(0,) * cells, temp_adc_num=1, temp_adc=(25.0,), temp_ic=25.0, temp_hum=25.0,
        hum=40.0, temp_max_cell=25.0, soc=0.866, soh=1.0, can_id=10,
    )  # fmt: skip
    return b"\x60" + BMS_GET_VALUES.encode(values)


def version(hardware: int = 2, name: str = "VESC Express T") -> bytes:
    reply = FwVersion(7, 0, name, "00" * 12, 0, 0, hardware, 1)
    return b"\x00" + FW_VERSION.encode(reply)


def controller(can_id: int) -> bytes:
    numbers: dict[str, Any] = dict.fromkeys(GET_VALUES.codec.names, 0)
    return b"\x04" + GET_VALUES.encode(Values(**numbers | {"controller_id": can_id, "v_in": 83.9}))


class VescSession(Session):
    """A TCP connection on which side 0 is the client and side 1 the device."""

    def ask(self, payload: bytes, *, recorded: bool = True) -> Self:
        self.send(0, encode_frame(payload), recorded=recorded)
        return self

    def answer(self, payload: bytes, *, recorded: bool = True, pieces: tuple[int, ...] = ()) -> Self:
        frame = encode_frame(payload)
        for begin, end in pairwise([0, *pieces, len(frame)]):
            self.send(1, frame[begin:end], recorded=recorded)
        return self
