"""The bugs: each is a change of one thing in what a right client does."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.doctor.clients import receiving
from tests.doctor.clients.receiving import Rules

type Checksum = Callable[[bytes, bytes], int]


@dataclass(frozen=True, slots=True)
class Habits:
    """What a client does, whatever its architecture.

    `word` begins its login, `crc` is the checksum that it sends, `stop` its last byte, `excess` what it adds
    to the length. `timeout` is in seconds, None: that of the command line. `via` is the CAN id that it asks
    instead, -1: as it should. `other` is the command that it sends for BMS_GET_VALUES.
    """

    rules: Rules = field(default_factory=Rules)
    word: str = "VESCTOOL"
    newline: bool = True
    logs_in: bool = True
    crc: Checksum = receiving.crc
    excess: int = 0
    timeout: float | None = None
    via: int = -1
    other: int = 0x60


def _reads(**changes: object) -> Habits:
    return Habits(rules=replace(Rules(), **changes))  # type: ignore[arg-type]


BUGS: dict[str, Habits] = {
    "none": Habits(),
    "length-15-bits": _reads(header=receiving.fifteen_bits),
    "length-15-bits-keeps": _reads(header=receiving.fifteen_bits, keeps=True),
    "length-signed": _reads(header=receiving.signed_byte),
    "no-reassembly": _reads(reassembles=False),
    "no-splitting": _reads(splits=False),
    "newline": _reads(ends=b"\n"),
    "start-03-unknown": _reads(header=receiving.only_start_02),
    "crc-with-header": _reads(crc=receiving.crc_with_header),
    "crc-modbus": _reads(crc=receiving.crc_modbus),
    "crc-ffff": _reads(crc=receiving.crc_ffff),
    "crc-little-endian": _reads(crc=receiving.crc_little_endian),
    "crc-ignored": _reads(checked=False),
    "fixed-size": _reads(size=256, keeps=True),
    "deaf": _reads(deaf=True),
    "login-word": Habits(word="VESC"),
    "login-no-newline": Habits(newline=False),
    "no-login": Habits(logs_in=False),
    "impatient": Habits(timeout=0.02),
    "sends-crc-with-header": Habits(crc=receiving.crc_with_header),
    "sends-crc-modbus": Habits(crc=receiving.crc_modbus),
    "sends-crc-little-endian": Habits(crc=receiving.crc_little_endian),
    "sends-length-of-all": Habits(excess=3),
    "can-255": Habits(via=255),
    "can-id-wrong": Habits(via=77),
    "wrong-command": Habits(other=0x61),
}
#: Bugs of a client's receiving that a client which reads single bytes cannot have.
OF_PIECES = frozenset({"no-reassembly", "no-splitting"})
