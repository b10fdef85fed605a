"""Modbus by its libraries and gateways (pymodbus, mbusd, mbmd), and readers of serial BMS beside."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

SAYINGS = (
    # pymodbus and programs that use it
    saying("modbus-no-response", EventKind.TIMED_OUT, "No response received", of_device=False),
    saying("modbus-no-response", EventKind.TIMED_OUT, "No Response received", of_device=False),
    saying("modbus-no-response", EventKind.TIMED_OUT, "no data received from slave", of_device=False),
    saying("modbus-no-response", EventKind.TIMED_OUT, "ommunication with the instrument (no answer)"),
    saying("modbus-no-response", EventKind.TIMED_OUT, "tty: response timeout", of_device=False),
    saying("modbus-no-response", EventKind.TIMED_OUT, " did not respond (", r"respond \(\d", of_device=False),
    saying("crc-error", EventKind.DAMAGED, "CRC invalid, discarding", of_device=False),
    saying("crc-error", EventKind.DAMAGED, "hecksum error in rtu mode", of_device=False),
    saying("modbus-exception", EventKind.REFUSED, "Exception Response(", of_device=False),
    saying("modbus-exception", EventKind.REFUSED, "xception response Exception(", of_device=False),
    saying("modbus-exception", EventKind.REFUSED, "ExceptionResponse(", of_device=False),
    saying("modbus-exception", EventKind.REFUSED, "Illegal data address", of_device=False),
    # Readers of serial BMS on an ESP32: no byte came, or bytes of another pack or protocol.
    saying(
        "no-reply",
        EventKind.TIMED_OUT,
        "Timeout: Serial=",
        r"(?:dataLen|BytesCnt)=0\b",
        of_device=False,
    ),
    saying("no-reply", EventKind.TIMED_OUT, " NO RESPONSE [", r"\[0x", of_device=False),
    saying("no-reply", EventKind.TIMED_OUT, "no valid data received", r"timeout", start=90, of_device=False),
    saying("incomplete", EventKind.DAMAGED, ", partial frame: ", of_device=False),
    saying(
        "answer-timeout",
        EventKind.TIMED_OUT,
        "imeout waiting for ",
        r"for (?:a |an )?(?:response|reply|answer)\b(?! for)",
        of_device=False,
    ),
    saying(
        "unknown-address",
        EventKind.DAMAGED,
        "esponse from wrong ",
        r"wrong [Bb]us [Ii]d(?: in header, expected (?P<wanted>\w{1,4}) but got (?P<address>\w{1,4}))?",
        of_device=False,
    ),
    saying("unknown-address", EventKind.DAMAGED, "Address mismatch in battery", of_device=False),
    saying(
        "unknown-version",
        EventKind.DAMAGED,
        "wrong protocol version number",
        r"number(?:, expected (?P<awaited>\w{1,4}) but got (?P<got>\w{1,4}))?",
        of_device=False,
    ),
    saying("unknown-version", EventKind.DAMAGED, "wrong CID1", of_device=False),
    saying("bad-frame", EventKind.DAMAGED, "Response incomplete for battery", of_device=False),
    saying("bad-frame", EventKind.DAMAGED, "Function code mismatch", of_device=False),
    saying("bad-frame", EventKind.DAMAGED, "Frame is not val", of_device=False),
    saying("bad-frame", EventKind.DAMAGED, "for int() with base 16: b", r"16: b['\"][^'\"]", of_device=False),
    saying("empty-response", EventKind.TIMED_OUT, "for int() with base 16: b''", of_device=False),
    saying("crc-error", EventKind.DAMAGED, "incorrect frame checksum", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "nvalid data from BMS", of_device=False),
    saying("empty-response", EventKind.TIMED_OUT, "response=b''", of_device=False),
    saying("empty-response", EventKind.TIMED_OUT, "reply= b''", of_device=False),
)
