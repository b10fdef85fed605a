"""Requests that a client sends as frames with one fault: what may be shown of bytes that are in no frame.

A device says nothing about a wrong checksum or a wrong length, so a recording is where it has to be seen.
Shown are requests that read and whose arguments are numbers, at their exact size: no secret fits into one.
"""

import re
from collections.abc import Iterator, Mapping

from packwire.vesc.commands import Command
from packwire.vesc.framing import STOP
from packwire.vesc.traits import traits
from packwire.wire.checksum import crc16_xmodem

#: How many bytes of arguments these requests have.
_ARGUMENTS: Mapping[int, int] = {
    Command.FW_VERSION: 0,
    Command.GET_VALUES: 0,
    Command.GET_MCCONF: 0,
    Command.GET_APPCONF: 0,
    Command.GET_VALUES_SETUP: 0,
    Command.GET_VALUES_SELECTIVE: 4,
    Command.GET_VALUES_SETUP_SELECTIVE: 4,
    Command.PING_CAN: 0,
    Command.GET_IMU_DATA: 2,
    Command.GET_CUSTOM_CONFIG_XML: 9,
    Command.GET_CUSTOM_CONFIG: 1,
    Command.BMS_GET_VALUES: 0,
    Command.GET_QML_UI_HW: 8,
    Command.GET_QML_UI_APP: 8,
    Command.GET_STATS: 2,
    Command.FW_INFO: 0,
}
_HEADER = re.compile(rb"[\x02-\x04]")
#: A request is forwarded at most so often.
_MAX_ROUTE = 2
_CRC = 2


def damaged_requests(data: bytes | bytearray, until: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the reading requests that begin before `until` and are frames with one fault."""
    covered = 0
    for found in _HEADER.finditer(data, 0, until):
        at = found.start()
        if at >= covered and (end := _end(data, at)):
            yield at, end
            covered = end


def _end(data: bytes | bytearray, at: int) -> int:
    """Return where a request ends whose header is at `at`; 0 where there is none."""
    for begin in {at + data[at], at + 2}:
        size = _payload_size(data, begin)
        end = begin + size + _CRC
        if not size or end > len(data):
            continue
        length_right = int.from_bytes(data[at + 1 : begin]) == size
        checksum_right = int.from_bytes(data[end - _CRC : end]) == crc16_xmodem(
            bytes(data[begin : end - _CRC])
        )
        stopped = end < len(data) and data[end] == STOP
        if length_right + checksum_right + stopped >= 2:
            return end + stopped
    return 0


def _payload_size(data: bytes | bytearray, begin: int) -> int:
    """Return how many bytes the reading request that begins here has; 0 where it is none."""
    at = begin
    while at < len(data) and data[at] == Command.FORWARD_CAN and at < begin + 2 * _MAX_ROUTE:
        at += 2
    arguments = _ARGUMENTS.get(data[at]) if at < len(data) else None
    if arguments is None or not traits(data[at]).arguments.fit(bytes(data[at + 1 : at + 1 + arguments])):
        return 0
    return at + 1 + arguments - begin
