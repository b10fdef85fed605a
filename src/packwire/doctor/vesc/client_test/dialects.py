"""How a VESC's replies are sent: in right frames, in wrong ones, and in the dialects of wrong clients."""

from binascii import crc_hqx
from collections.abc import Callable

from packwire.doctor.client_test.trials import APART, WAYS, Parcel, SentPiece, Trial, TrialKind
from packwire.doctor.vesc.client_test.replies import reply_to
from packwire.doctor.vesc.misreadings import crc_modbus
from packwire.vesc.commands import Command
from packwire.vesc.framing import STOP, TRAILER, encode_frame

PRINT = encode_frame(bytes((Command.PRINT,)) + b"packwire: a line of text, unasked for\0")
#: Behind a frame that is dropped: its stop byte 03 would look like the start byte of a long one.
_NO_START = bytes(4)


def _corrupt(frame: bytes) -> bytes:
    """Turn a bit of the payload, well behind the command, and leave the CRC as it was."""
    place = len(frame) - TRAILER - 1
    return frame[:place] + bytes((frame[place] ^ 0x10,)) + frame[place + 1 :] + _NO_START


def _corrupt_other(frame: bytes) -> bytes:
    """Turn its command into another one's, too: of the same length, so that who counts bytes has enough."""
    at = frame[0]
    return _corrupt(frame[:at] + bytes((Command.PRINT,)) + frame[at + 1 :])


def _with_newline(frame: bytes) -> bytes:
    """Return a frame with no newline in it, and one behind it."""
    payload = frame[frame[0] : -TRAILER].replace(b"\n", b"\x0b")
    while b"\n" in encode_frame(payload):
        payload = payload[:-1]
    return encode_frame(payload) + b"\n"


WAYS_OF_VESC: dict[str, Callable[[Parcel], list[SentPiece]]] = {
    **WAYS,
    "newline": lambda of: [SentPiece(_with_newline(of.whole))],
}


def _framed(header: bytes, payload: bytes, crc: int, *, little: bool = False) -> bytes:
    return header + payload + crc.to_bytes(2, "little" if little else "big") + bytes((STOP,))


def _short(payload: bytes) -> bytes:
    return encode_frame(payload)[: -len(payload) - TRAILER]


def _counts_all(payload: bytes) -> bytes:
    return bytes((2, len(payload) + 5))


#: Frames as a wrong client may expect them, by the key of its rule in `misreadings`. The CRC is right but
#: where it is what is wrong.
DIALECTS: dict[str, Callable[[bytes], bytes]] = {
    "right": encode_frame,
    "crc-with-header": lambda load: _framed(_short(load), load, crc_hqx(_short(load) + load, 0)),
    "crc-ffff": lambda load: _framed(_short(load), load, crc_hqx(load, 0xFFFF)),
    "crc-little-endian": lambda load: _framed(_short(load), load, crc_hqx(load, 0), little=True),
    "crc-modbus": lambda load: _framed(_short(load), load, crc_modbus(load)),
    "length-two-bytes": lambda load: _framed(b"\2" + len(load).to_bytes(2), load, crc_hqx(load, 0)),
    "length-little-endian": lambda load: _framed(
        b"\2" + len(load).to_bytes(2, "little"), load, crc_hqx(load, 0)
    ),
    "length-counts-all": lambda load: _framed(_counts_all(load), load, crc_hqx(load, 0)),
    "length-15-bits": lambda load: _framed(
        bytes((2,)) + (len(load) | 0x8000).to_bytes(2), load, crc_hqx(load, 0)
    ),
}


def _spoilt(frame: bytes) -> bytes:
    """Return a frame of whatever dialect with another checksum."""
    return frame[:-TRAILER] + bytes(byte ^ 0x5A for byte in frame[-TRAILER:-1]) + frame[-1:]


def pieces(trial: Trial, request: bytes) -> tuple[list[SentPiece], int]:
    """Return what to send in answer to a request, and the length of the reply's payload."""
    payload = reply_to(request, trial.size, ends_early=trial.kind is TrialKind.AGE, volts=trial.volts)
    if payload is None:
        return [], 0
    frame = DIALECTS[trial.dialect](payload)
    if not trial.checksum:
        frame = _spoilt(frame)
    sent = WAYS_OF_VESC[trial.sent](Parcel(frame, PRINT, _corrupt(frame), _corrupt_other(frame)))
    if trial.flush:
        sent.insert(0, SentPiece(bytes(trial.flush), APART))
    if trial.behind:
        before = reply_to(request, trial.behind)
        assert before is not None
        sent.insert(0, SentPiece(encode_frame(before) + _NO_START, APART))
    return sent, len(payload)
