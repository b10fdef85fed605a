"""A model of how a VESC's firmware finds frames: after what is none it looks again one byte further.

It is laxer than the firmware, for there are older ones: a length form may be longer than needed.
"""

from binascii import crc_hqx

MAX_PAYLOAD = 512


class Receiver:
    """Takes bytes; `ran` lists the payloads that the device acts on."""

    def __init__(self) -> None:
        self.ran: list[bytes] = []
        self._buffer = bytearray()

    def take(self, data: bytes) -> None:
        self._buffer += data
        at = 0
        while at < len(self._buffer):
            size = self._decode(at)
            if size is None:
                break
            at += size
        del self._buffer[:at]

    def _decode(self, at: int) -> int | None:
        """Return how many bytes are done with; None where more have to come."""
        buffer = self._buffer
        header = buffer[at]
        if header not in {2, 3, 4}:
            return 1
        if len(buffer) < at + header:
            return None
        length = int.from_bytes(buffer[at + 1 : at + header])
        if not 1 <= length <= MAX_PAYLOAD:
            return 1
        end = at + header + length
        if len(buffer) < end + 3:
            return None
        payload = bytes(buffer[at + header : end])
        if buffer[end + 2] != 3 or crc_hqx(payload, 0) != int.from_bytes(buffer[end : end + 2]):
            return 1
        self.ran.append(payload)
        return header + length + 3
