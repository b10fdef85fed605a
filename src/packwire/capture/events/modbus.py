"""Modbus by its libraries and gateways (pymodbus, mbusd, mbmd), and readers of serial BMS beside."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

#: What libraries say of a request, whichever program passes it on: pymodbus, libmodbus (mbpoll, QModMaster),
#: modpoll, jsmodbus (ioBroker), modbus-serial (Node-RED), umodbus (Solarman), minimalmodbus, mbusd.
_OF_REQUESTS = {
    "modbus-no-response": (
        *(
            "No response received",
            "No Response received",
            "no data received from slave",
            "tty: response timeout",
        ),
        *("ncomplete message received", "Request cancelled outside pymodbus", "Connection timed out: select"),
        *("Reply time-out!", "TransactionTimedOutError"),
        # A gateway answers, and the device behind it does not.
        *(
            "arget device failed to respond",
            "Target Device Failed",
            "TargetDeviceFailed",
            "GatewayNoResponse",
        ),
        "exception_code=11)",
    ),
    "modbus-exception": (
        *("Illegal data address", "IllegalFunctionError", "IllegalDataAddressError", "IllegalDataValueError"),
        *("Slave device or server", "ServerDeviceFailureError", "SlaveReportedException"),
    ),
    "crc-error": ("CRC invalid, discarding", "hecksum error in rtu mode", "Frame check failed"),
    "unknown-address": (
        "Response not from requested",
        "isn't the requested slave",
        "Unexpected data error, expected add",
    ),
    "bad-frame": ("Unable to decode frame",),
    "incomplete": ("Data length error, expected ", "frame out of order, expected "),
    # An answer comes, and it is that of an earlier request.
    "late-answer": ("request ask for transaction_id=", "contains invalid sequence number"),
}
_KINDS = {
    "modbus-no-response": EventKind.TIMED_OUT,
    "modbus-exception": EventKind.REFUSED,
}
#: What they say of a bridge or a gateway that is not reached, or that ends the connection.
_OF_BRIDGES = (
    *("Modbus Error: [Connection]", "Cancel send, because not connected", "Connection broken error"),
    *(
        "onnection unexpectedly closed",
        "Port or socket open error",
        "PortNotOpenError",
        "NoSocketAvailableError",
    ),
)
_OF_MBPOLL = r"(?:register|coil\)|input) failed: "

SAYINGS = (
    *(
        saying(code, _KINDS.get(code, EventKind.DAMAGED), anchor, of_device=False)
        for code, anchors in _OF_REQUESTS.items()
        for anchor in anchors
    ),
    # mbpoll and ioBroker, in words that others use too
    *(
        saying(code, kind, anchor, words, start=start, of_device=False)
        for code, kind, anchor, words, start in (
            ("modbus-no-response", EventKind.TIMED_OUT, " failed: ", rf"{_OF_MBPOLL}Connection timed", 12),
            (
                "bridge-lost",
                EventKind.FAILED,
                " failed: ",
                r"(?:mbpoll: |input\) |register )\w* ?failed: Conn\w+ re",
                30,
            ),
            ("crc-error", EventKind.DAMAGED, " failed: ", rf"{_OF_MBPOLL}Invalid CRC", 12),
            ("bad-frame", EventKind.DAMAGED, " failed: ", rf"{_OF_MBPOLL}(?:Invalid data|Too many data)", 12),
            ("modbus-no-response", EventKind.TIMED_OUT, "Poll error count: ", r"\"err\":\"timeout", 0),
            ("modbus-exception", EventKind.REFUSED, "Poll error count: ", r"\"errorCode\":\d", 0),
        )
    ),
    *(saying("bridge-lost", EventKind.FAILED, anchor, of_device=False) for anchor in _OF_BRIDGES),
    saying(
        "bridge-lost", EventKind.FAILED, "Connection to (", r"\(\S{3,80}, \d{1,5}\) failed", of_device=False
    ),
    saying(
        "unknown-address",
        EventKind.DAMAGED,
        "request ask for id=",
        r"id=(?P<wanted>\d{1,3}) but got id=(?P<address>\d{1,3})",
        of_device=False,
    ),
    saying("modbus-no-response", EventKind.TIMED_OUT, "ommunication with the instrument (no answer)"),
    saying(
        "program-sends", EventKind.WRITTEN, " to instrument (", r"rit(?:ing|e) to", start=12, of_device=False
    ),
    saying("modbus-no-response", EventKind.TIMED_OUT, "from instrument: '' ()", of_device=False),
    saying("program-receives", EventKind.NOTIFIED, "from instrument: '", r"ment: '[^']", of_device=False),
    saying("modbus-no-response", EventKind.TIMED_OUT, " did not respond (", r"respond \(\d", of_device=False),
    *(
        saying(
            "modbus-exception",
            EventKind.REFUSED,
            anchor,
            r"\((?!.{0,60}(?:NoResponse|code=11\)))",
            of_device=False,
        )
        for anchor in ("Exception Response(", "xception response Exception(", "ExceptionResponse(")
    ),
    # Readers of serial BMS on an ESP32: no byte came, or bytes of another pack or protocol.
    saying(
        "no-reply",
        EventKind.TIMED_OUT,
        "Timeout: Serial=",
        r"(?:dataLen|BytesCnt)=0\b",
        of_device=False,
    ),
    saying(
        "incomplete",
        EventKind.DAMAGED,
        "Timeout: ",
        r"(?:dataLen|[Bb]ytesCnt|RecvBytes)=[1-9]",
        of_device=False,
    ),
    saying("no-reply", EventKind.TIMED_OUT, "Keine Daten", r"Daten(?:! Lese Byte|: SER)", of_device=False),
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
    # bms-to-inverter
    saying("port-missing", EventKind.PORT, "from the invalid port descriptor", of_device=False),
    saying("port-gone", EventKind.PORT, "port appears to have been shutdown", of_device=False),
    saying(
        "config-issue",
        EventKind.PORT,
        "Could not open ",
        r"open (?:modbus \w{5,6} )?port \S{1,60}!",
        of_device=False,
    ),
    saying("empty-response", EventKind.TIMED_OUT, "IOException: No bytes available", of_device=False),
    saying("incomplete", EventKind.DAMAGED, "IOException: Not enough bytes available", of_device=False),
    saying("bad-header", EventKind.DAMAGED, "got wrong start flag", of_device=False),
    saying("bad-frame", EventKind.DAMAGED, "Message could not be interpreted", of_device=False),
    saying("unknown-address", EventKind.DAMAGED, "invalid battery identifier", of_device=False),
    saying("bad-frame", EventKind.DAMAGED, "got wrong command id", of_device=False),
    saying("modbus-no-response", EventKind.TIMED_OUT, "Error reading from modbus device", of_device=False),
    saying("config-issue", EventKind.PORT, "Opening port ", r"port \S{1,60} FAILED", of_device=False),
    saying("no-port", EventKind.PORT, "No port available on this machine", of_device=False),
    # Gobel's add-on; a command stands where the answer's return code is awaited
    saying(
        "no-reply", EventKind.TIMED_OUT, "Failed to get ", r"data of pack: \d{1,2} after", of_device=False
    ),
    saying("bad-frame", EventKind.DAMAGED, "Not a valid 55AA frame", r"len=[1-9]", of_device=False),
    saying(
        "request-came",
        EventKind.DAMAGED,
        "Invalid command or response code",
        r"code: 46 (?:4[247F]|51|92)\b",
        of_device=False,
    ),
)
