"""ATT, the attribute protocol [Bluetooth Core Specification, Vol 3, Part F]: PDUs as columns.

The side with the attributes is the server: it answers requests and sends notifications. A battery is a
server, whichever machine recorded. Phones have a small server too; its PDUs are told apart by who is asked
most.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from packwire.att import Opcode
from packwire.capture.layers.l2cap import Pdus
from packwire.columns import Growing, gather
from packwire.messages import Bytes, Int8s, Int32s, Int64s

#: PDUs with an attribute handle at byte 1 -> where the value begins; the error names the handle at byte 2.
VALUE_BEHIND_HANDLE = {
    Opcode.READ_REQ: 3,
    Opcode.READ_BLOB_REQ: 5,
    Opcode.WRITE_REQ: 3,
    Opcode.PREPARE_WRITE_REQ: 5,
    Opcode.PREPARE_WRITE_RSP: 5,
    Opcode.NOTIFICATION: 3,
    Opcode.INDICATION: 3,
    Opcode.WRITE_CMD: 3,
    Opcode.SIGNED_WRITE_CMD: 3,
}
#: Behind the value of a signed write [3.4.5.4].
_SIGNATURE = 12

#: What a server sends; all other opcodes are a client's.
_OF_SERVER = (
    0x01, 0x03, 0x05, 0x07, 0x09, 0x0B, 0x0D, 0x0F, 0x11, 0x13, 0x17, 0x19, 0x1B, 0x1D, 0x21, 0x23,
)  # fmt: skip

#: Opcodes whose value an application sent, and what the channel is called after.
VALUES = {
    Opcode.WRITE_REQ: "write",
    Opcode.WRITE_CMD: "write",
    Opcode.SIGNED_WRITE_CMD: "write",
    Opcode.NOTIFICATION: "notify",
    Opcode.INDICATION: "indicate",
    Opcode.READ_RSP: "read",
    Opcode.READ_BLOB_RSP: "read",
}

_VALUE_AT = np.ones(256, dtype=np.int64)
_HANDLE_AT = np.zeros(256, dtype=np.int64)
for _opcode, _at in VALUE_BEHIND_HANDLE.items():
    _VALUE_AT[_opcode], _HANDLE_AT[_opcode] = _at, 1
_VALUE_AT[Opcode.ERROR_RSP], _HANDLE_AT[Opcode.ERROR_RSP] = 4, 2
FROM_CLIENT = np.ones(256, dtype=np.int8)
FROM_CLIENT[list(_OF_SERVER)] = -1
_TELLING = np.zeros(256, dtype=np.bool_)
_TELLING[[0x12, 0x52, 0xD2, 0x1B, 0x1D, 0x23]] = True
_DISCOVERY = np.zeros(256, dtype=np.bool_)
_DISCOVERY[[0x04, 0x05, 0x08, 0x09, 0x10, 0x11]] = True

NO_HANDLE = -1

#: So many PDUs at a time: their columns fit into the processor's cache.
_BLOCK = 1 << 15


@dataclass(frozen=True, slots=True)
class AttTable:
    """ATT PDUs in the order of the file: columns of equal length.

    row         int64, row in the table of packets (of the last one, where it was put together)
    opcode      uint8, see `Opcode`
    handle      int32, of the attribute, or NO_HANDLE; a read response has that of its request
    connection  int32, index into the recording's links
    direction   int8, +1 towards the battery, -1 from it
    start       int64, where the value (what follows opcode and handle) lies: in the file, or, at
                `len(data)` and more, in `joined`
    size        int64, how many bytes the value has
    of_app      bool, whether the attribute is one of the app's side, not the battery's
    """

    row: Int64s
    opcode: NDArray[np.uint8]
    handle: Int32s
    connection: Int32s
    direction: Int8s
    start: Int64s
    size: Int64s
    of_app: NDArray[np.bool_]
    time: Int64s

    def __len__(self) -> int:
        return len(self.row)


@dataclass(slots=True)
class _Discovery:
    """What one side's server was found to have: handle -> UUID."""

    names: dict[int, str] = field(default_factory=dict)
    asked: str = ""


class AttReader:
    """Reads the PDUs of all ATT channels, block after block."""

    def __init__(self, data: Bytes, expected: int = 0) -> None:
        self.data = data
        self._columns = Growing(
            (np.int64, np.uint8, np.int32, np.int32, np.int8, np.int64, np.int64, np.int8), expected
        )
        self._votes: dict[int, int] = {}
        self._found: dict[tuple[int, int], _Discovery] = {}
        self._last_request: dict[tuple[int, int], tuple[int, int]] = {}

    def add(self, pdus: Pdus, joined: bytearray) -> None:
        """Take PDUs; `joined` holds those that were put together."""
        pdus = pdus.where(pdus.size > 0)
        if not len(pdus):
            return
        head = self._heads(pdus, joined)
        opcode = head["opcode"]
        at = _HANDLE_AT[opcode]
        handle = np.where(at == 1, head["first"], head["second"]).astype(np.int32)
        handle[(at == 0) | (pdus.size < at + 2)] = NO_HANDLE
        skip = np.minimum(_VALUE_AT[opcode], pdus.size)
        size = pdus.size - skip
        signed = opcode == Opcode.SIGNED_WRITE_CMD
        size[signed] = np.maximum(size[signed] - _SIGNATURE, 0)
        role = FROM_CLIENT[opcode]
        server = role * pdus.direction
        self._vote(pdus, opcode, server)
        self._pair_reads(pdus, opcode, handle, server)
        for index in np.flatnonzero(_DISCOVERY[opcode]).tolist():
            key = (int(pdus.link[index]), int(server[index]))
            self._discover(key, content_at(self.data, joined, int(pdus.start[index]), int(pdus.size[index])))
        self._columns.add(pdus.row, opcode, handle, pdus.link, role, pdus.start + skip, size, server)

    def _heads(self, pdus: Pdus, joined: bytearray) -> NDArray[np.void]:
        """Read the first 4 bytes of each PDU; what lies behind a short one is not looked at."""
        kind = np.dtype(
            {"names": ["opcode", "first", "second"], "formats": ["u1", "<u2", "<u2"], "offsets": [0, 1, 2],
             "itemsize": 4}
        )  # fmt: skip
        in_file = pdus.start <= len(self.data) - kind.itemsize
        if in_file.all():
            heads: NDArray[np.void] = gather(self.data, pdus.start, kind)
            return heads
        result = np.zeros(len(pdus), dtype=kind)
        result[in_file] = gather(self.data, pdus.start[in_file], kind)
        for index in np.flatnonzero(~in_file).tolist():
            begin = content_at(self.data, joined, int(pdus.start[index]), min(int(pdus.size[index]), 4))
            result[index] = np.frombuffer(begin.ljust(4, b"\0"), dtype=kind)[0]
        return result

    def _vote(self, pdus: Pdus, opcode: NDArray[np.uint8], server: Int8s) -> None:
        """Count who is written to and who notifies: that one is the battery."""
        telling = _TELLING[opcode]
        link = pdus.link[telling]
        if not len(link):
            return
        votes = np.bincount(link, weights=server[telling])
        for number in np.flatnonzero(votes).tolist():
            self._votes[number] = self._votes.get(number, 0) + int(votes[number])

    def _pair_reads(self, pdus: Pdus, opcode: NDArray[np.uint8], handle: Int32s, server: Int8s) -> None:
        """Give each read response the handle of its request: one at a time is under way [3.3.2]."""
        asks = (opcode == Opcode.READ_REQ) | (opcode == Opcode.READ_BLOB_REQ)
        answers = (opcode == Opcode.READ_RSP) | (opcode == Opcode.READ_BLOB_RSP)
        rows = np.flatnonzero(asks | answers)
        for index, link, side, is_request, code, of in zip(
            rows.tolist(), pdus.link[rows].tolist(), server[rows].tolist(), asks[rows].tolist(),
            opcode[rows].tolist(), handle[rows].tolist(), strict=True,
        ):  # fmt: skip
            if is_request:
                self._last_request[link, side] = (code, of)
                continue
            request, asked = self._last_request.pop((link, side), (0, NO_HANDLE))
            if request == code - 1:
                handle[index] = asked

    def _discover(self, key: tuple[int, int], pdu: bytes) -> None:
        """Learn UUIDs from the client's own discovery [Vol 3, Part G, 4.4 to 4.7]."""
        found = self._found.setdefault(key, _Discovery())
        code = pdu[0]
        if code in (Opcode.READ_BY_TYPE_REQ, Opcode.READ_BY_GROUP_TYPE_REQ):
            found.asked = uuid_text(pdu[5:])
        elif code == Opcode.READ_BY_TYPE_RSP and len(pdu) > 1 and found.asked in ("2803", ""):
            for entry in _entries(pdu, pdu[1]):
                if len(entry) in (7, 21):
                    found.names[int.from_bytes(entry[3:5], "little")] = uuid_text(entry[5:])
        elif code == Opcode.READ_BY_GROUP_TYPE_RSP and len(pdu) > 1:
            for entry in _entries(pdu, pdu[1]):
                if len(entry) in (6, 20):
                    found.names.setdefault(int.from_bytes(entry[:2], "little"), "2800")
        elif code == Opcode.FIND_INFORMATION_RSP and len(pdu) > 1:
            for entry in _entries(pdu, 4 if pdu[1] == 1 else 18):
                found.names.setdefault(int.from_bytes(entry[:2], "little"), uuid_text(entry[2:]))

    def finish(self, time: Int64s) -> AttTable:
        """Return all PDUs; `time` is the packets' column."""
        row, opcode, handle, link, direction, start, size, server = self._columns.columns()
        battery = np.zeros(int(link.max()) + 1 if len(link) else 0, dtype=np.int8)
        for number, votes in self._votes.items():
            battery[number] = 1 if votes > 0 else -1
        of_app = np.empty(len(row), dtype=np.bool_)
        for begin in range(0, len(row), _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            of_app[rows] = (server[rows] * battery[link[rows]]) < 0
            direction[rows][of_app[rows]] *= -1
        times = time if len(row) == len(time) else time[row]
        return AttTable(row, opcode, handle, link, direction, start, size, of_app, times)

    def names(self, link: int, of_app: bool) -> dict[int, str]:
        """Return the UUIDs by handle that one side of a link was found to have."""
        battery = 1 if self._votes.get(link, 0) >= 0 else -1
        for side in ((-battery if of_app else battery), 0):
            found = self._found.get((link, side))
            if found and found.names:
                return found.names
        return {}


def _entries(pdu: bytes, size: int) -> list[bytes]:
    """Cut a list of equally long entries behind a PDU's first 2 bytes."""
    if size < 2:
        return []
    return [pdu[at : at + size] for at in range(2, len(pdu) - size + 1, size)]


def content_at(data: Bytes, joined: bytearray, start: int, size: int) -> bytes:
    """Return bytes that lie in the file or, behind its end, in what was put together."""
    if start < len(data):
        return data[start : start + size].tobytes()
    return bytes(joined[start - len(data) : start - len(data) + size])


#: UUIDs of 16 and 32 bits stand for this one with their number in front [Vol 3, Part B, 2.5.1].
_BASE = "-0000-1000-8000-00805f9b34fb"


def uuid_text(little: bytes) -> str:
    """Return a UUID as text: `ff01` where it is of 16 bits, else all of it."""
    if len(little) != 16:
        return little[::-1].hex()
    text = little[::-1].hex()
    text = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return text[4:8] if text.startswith("0000") and text.endswith(_BASE) else text
