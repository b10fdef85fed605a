"""Programs on serial lines: dbus-serialbattery, mpp-solar, python-pylontech, pyserial."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

#: A serial port, or what opens one, anywhere in a line.
_PORT = (
    r"/dev/(?:tty|serial|hidraw|rfcomm|cu\.)\S|\btty(?:USB|ACM|AMA|SC|S|O|THS|mxc)\d|'/dev/'"
    r"|\b[Ss]erial ?[Pp]ort|SerialException|serialposix|mbpoll: "
)
#: What the system says of a port that cannot be used.
_OF_PORTS = {
    "port-permission": (
        "ermission denied",
        "is not accessible",
        "is not readable/writable",
        "EACCES",
        *("' is denied", "peration not permitted"),
    ),
    "port-missing": (
        *(
            "o such file or directory",
            "does not exist",
            "aiting for device",
            "evice not found",
            "FileNotFound",
            "ENOENT",
        ),
        *("Is a directory", "nvalid serial port", "cannot find the file", "port not found"),
    ),
    "port-busy": ("esource busy", "in use", "annot lock port", "EBUSY", "is busy", "already open"),
    "port-gone": (
        "now disconnected from",
        "Input/output error",
        "urb stopped",
        "EIO",
        "set request 0x",
        "nexpectedly disconnected",
    ),
}

SAYINGS = (
    # dbus-serialbattery
    saying(
        "testing",
        EventKind.INFO,
        "Testing ",
        r"SerialBattery:[- ]{0,4}Testing (?P<driver>[A-Z]\w{1,30})(?: at address"
        r" \"?(?P<address>[^\s\"]{1,12}))?",
        start=20,
        of_device=False,
    ),
    # It says so, too, of an answer that is too short, or that is not taken.
    saying(
        "incorrect-reply", EventKind.DAMAGED, "No reply - return", r"\[len:[1-9]\d{0,5}/", of_device=False
    ),
    saying(
        "no-reply", EventKind.TIMED_OUT, "No reply - return", r"return(?!.{0,8}\[len:[1-9])", of_device=False
    ),
    saying(
        "checksum",
        EventKind.DAMAGED,
        "CRC checksum mismatch: ",
        r"Expected (?P<a>0x[0-9a-f]{1,8}), Got (?P<b>0x[0-9a-f]{1,8})",
        of_device=False,
    ),
    saying("no-reply", EventKind.TIMED_OUT, "|- No battery recognized", of_device=False),
    saying("program-receives", EventKind.NOTIFIED, "SerialBattery:Hardware Version:", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "ERROR: Incorrect Reply", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "ERROR: Incorrect Data", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "Incorrect message checksum", of_device=False),
    saying(
        "incorrect-reply", EventKind.DAMAGED, "hecksum error", r"hecksum error(?! in rtu)", of_device=False
    ),
    saying("incorrect-reply", EventKind.DAMAGED, "ERROR: CRC incorrect", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "CRC mismatch for battery", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "no 0x55AA in ", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "bad frame marker: ", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "wrong frame type: 0x", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "checksum fail: computed=", of_device=False),
    saying(
        "no-reply",
        EventKind.TIMED_OUT,
        "] no response",
        r"0x[0-9A-Fa-f]{1,2}\] no response",
        start=8,
        of_device=False,
    ),
    # Readers of Daly over a UART
    saying(
        "no-reply",
        EventKind.TIMED_OUT,
        " failed after ",
        r"\b[0-9a-f]{2} failed after \d{1,3} tries",
        start=4,
        of_device=False,
    ),
    saying("no-reply", EventKind.TIMED_OUT, " empty response for command ", of_device=False),
    saying("crc-error", EventKind.DAMAGED, "response crc mismatch: ", of_device=False),
    saying(
        "frame-read",
        EventKind.READ,
        "Calculated checksum: ",
        r"checksum: (?P<sum>\d{1,3}), Received: (?P=sum)\b",
        of_device=False,
    ),
    saying(
        "checksum",
        EventKind.DAMAGED,
        "Calculated checksum: ",
        r"(?P<decimal>checksum): (?P<a>\d{1,3}), Received: (?!(?P=a)\b)(?P<b>\d{1,3})",
        of_device=False,
    ),
    saying("no-reply", EventKind.TIMED_OUT, "<UART> NO DATA", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "<UART> CRC FAIL", of_device=False),
    saying("multiple-access", EventKind.PORT, "interfering with serial communication", of_device=False),
    saying("duplicate-id", EventKind.INFO, "DRIVER STOPPED! Another battery with the same", of_device=False),
    saying("bad-setting", EventKind.INFO, ">>> No port specified", of_device=False),
    saying("bad-setting", EventKind.INFO, ">>> Bluetooth address is missing", of_device=False),
    saying("bad-setting", EventKind.INFO, ">>> Unknown Bluetooth BMS type", of_device=False),
    saying("multiple-access", EventKind.PORT, "multiple access on port", of_device=False),
    saying(
        "no-battery",
        EventKind.TIMED_OUT,
        "No battery connection at ",
        r"at (?P<port>/\S{3,40})",
        of_device=False,
    ),
    saying(
        "found-driver",
        EventKind.READ,
        "Connection established to ",
        r"established to (?P<driver>\w{2,30})",
        of_device=False,
    ),
    # Daly2MQTT's page of values
    saying("no-reply", EventKind.TIMED_OUT, '"Status":"Offline"', of_device=False),
    saying(
        "worked",
        EventKind.READ,
        '"Status":"',
        r"\"Status\":\"(?:Charge|Discharge|Stationary)\"",
        of_device=False,
    ),
    # What the zeros of a Daly read as
    saying(
        "impossible-value",
        EventKind.DAMAGED,
        "-3000.0",
        r"-3000\.0{1,3} ?[AI]\b|[Cc]urrent\W{1,4}-3000\.0",
        start=12,
        of_device=False,
    ),
    saying("zero-value", EventKind.INFO, 'oltage": 0.0', of_device=False),
    saying("frame-read", EventKind.READ, "successfully sent and received", of_device=False),
    saying(
        "frame-read",
        EventKind.READ,
        "CRCs match",
        r"check_response_valid.{0,20}CRCs match",
        start=40,
        of_device=False,
    ),
    # jbdtool's table
    saying(
        "worked", EventKind.READ, "PercentCapacity ", r"^PercentCapacity\s{2,40}\d", start=-1, of_device=False
    ),
    saying("worked", EventKind.READ, "Cells:[1]", r"Cells:\[1\]\d", of_device=False),
    saying("impossible-value", EventKind.DAMAGED, "Data validation failed: ", of_device=False),
    saying("lost-battery", EventKind.LOST, "battery OFFLINE", of_device=False),
    saying("lost-battery", EventKind.LOST, "Battery does not respond, init", of_device=False),
    # dbus-serialbattery over Bluetooth
    saying("connecting", EventKind.CONNECTING, "Init of ", r"Init of \w{2,24}_[Bb]le at "),
    saying("connecting", EventKind.CONNECTING, "nit of ", r"[Ii]nit of [a-z]{2,12}ble\b", start=1),
    saying("connecting", EventKind.CONNECTING, "- Try to connect to "),
    saying("no-bms", EventKind.FAILED, "No BMS found at ", r"at [0-9A-Fa-f]{2}:"),
    saying("timed-out", EventKind.TIMED_OUT, "aiobmsble coroutine ", r"coroutine (?:outer time|timed )out"),
    saying("connect-failed", EventKind.FAILED, "XDZN_BLE: connect failed"),
    saying("bad-frame", EventKind.DAMAGED, "could not detect frame head"),
    saying("cut-short", EventKind.DAMAGED, "insufficient data. Received ", of_device=False),
    saying("cut-short", EventKind.DAMAGED, "Incomplete buffer length", of_device=False),
    saying("bad-frame", EventKind.DAMAGED, "Invalid response packet. Expected", of_device=False),
    saying("bad-frame", EventKind.DAMAGED, "longer than max frame length"),
    saying("bad-frame", EventKind.DAMAGED, "Ignoring invalid buffer"),
    saying("crc-error", EventKind.DAMAGED, "ERROR: Invalid checksum.", of_device=False),
    saying("crc-error", EventKind.DAMAGED, "Felicity Incorrect Checksum", of_device=False),
    saying("pack-refuses", EventKind.REFUSED, "BMS rejected request. Status", of_device=False),
    saying("no-reply", EventKind.TIMED_OUT, "ERROR: BLE response timeout"),
    saying("no-reply", EventKind.TIMED_OUT, "No reply - canceled"),
    saying("service-missing", EventKind.SERVICES, "ERROR: Failed to detect UUIDs"),
    saying("no-data-flowing", EventKind.TIMED_OUT, "Jkbms_Ble: Bluetooth died"),
    saying("request-timeout", EventKind.TIMED_OUT, "XDZN_BLE: timeout reading"),
    saying("connected", EventKind.CONNECTED, "- Device connected, check if"),
    saying("connect-failed", EventKind.FAILED, "Unable to connect with BLE device"),
    saying("connect-timeout", EventKind.FAILED, "BleakClient(): ", r"TimeoutError"),
    saying("disconnected", EventKind.LOST, "BLE client disconnected"),
    saying("received", EventKind.NOTIFIED, " info received", r"- (?:Device|Cell) info received", start=12),
    saying(
        "part-missing",
        EventKind.DAMAGED,
        " MISSING",
        r"- (?:Device info|Cell info|Settings) MISSING",
        start=20,
    ),
    saying("config-issue", EventKind.INFO, "**CONFIG ISSUE**", of_device=False),
    saying("polling-slow", EventKind.PORT, "Polling took too long", of_device=False),
    # The system, and what programs pass on of it, in any wording
    saying("port-missing", EventKind.PORT, "port device not found", of_device=False),
    *(
        saying(code, EventKind.PORT, anchor, _PORT, start=-1, of_device=False)
        for code, anchors in _OF_PORTS.items()
        for anchor in anchors
    ),
    saying("port-permission", EventKind.PORT, "read failed: permission denied", of_device=False),
    saying("port-permission", EventKind.PORT, "Serial port is not writable", of_device=False),
    saying("port-gone", EventKind.PORT, "OSError: [Errno 19] No such device", of_device=False),
    saying("port-gone", EventKind.PORT, "[Errno 6] No such device or address", of_device=False),
    saying("port-gone", EventKind.PORT, "Errno 5] Input/output error", of_device=False),
    saying("port-gone", EventKind.PORT, "(5): Input/output error", of_device=False),
    saying("port-gone", EventKind.PORT, "(5, 'Input/output error')", of_device=False),
    saying("port-gone", EventKind.PORT, "(71, 'Protocol error')", of_device=False),
    saying("port-gone", EventKind.PORT, "[Errno 71] Protocol error", of_device=False),
    saying("port-permission", EventKind.PORT, "(insufficient permissions)", of_device=False),
    saying("no-port", EventKind.PORT, "nappropriate ioctl for device", of_device=False),
    saying("port-opened", EventKind.PORT, "serialposix.py", of_device=False),
    # Windows says of a port that another program has open, in any language, that access is denied.
    saying(
        "port-busy",
        EventKind.PORT,
        "could not open port",
        r"COM\d{1,3}'?: PermissionError\(13",
        of_device=False,
    ),
    saying("port-busy", EventKind.PORT, "Access to the port 'COM", r"denied", of_device=False),
    saying("port-busy", EventKind.PORT, "Could not exclusively lock port", of_device=False),
    saying("connection-reset", EventKind.PROXY, "[Errno 104] Connection reset", of_device=False),
    # mpp-solar, powermon
    saying(
        "program-sends",
        EventKind.WRITTEN,
        "sending command",
        r"command:? (?P<request>b(?:'[^']{1,200}'|\"[^\"]{1,200}\"))",
        of_device=False,
    ),
    saying("empty-response", EventKind.TIMED_OUT, "Got response: b''", of_device=False),
    saying("empty-response", EventKind.TIMED_OUT, "response passed to decode: b''", of_device=False),
    saying("empty-response", EventKind.TIMED_OUT, "Error: Response was empty", of_device=False),
    saying("crc-error", EventKind.DAMAGED, "Error: Invalid response CRC", of_device=False),
    saying("pack-refuses", EventKind.REFUSED, "Error: NAK", of_device=False),
    saying("pack-refuses", EventKind.REFUSED, "with base 10: 'NAK'", of_device=False),
    # mpp-solar's tables
    saying(
        "worked",
        EventKind.READ,
        "_voltage",
        r"^\s*(?:battery_bank|battery|pack|total)_voltage\s+[1-9][\d.]{0,8}\s+V\s*$",
        start=-1,
        of_device=False,
    ),
    saying(
        "impossible-value",
        EventKind.DAMAGED,
        "_capacity",
        r"^\s*\w{0,24}_capacity\s+(?:[5-9]\d{3}|\d{5,})[\d.]{0,8}\s+Ah\s*$",
        start=-1,
        of_device=False,
    ),
    saying(
        "impossible-value",
        EventKind.DAMAGED,
        "capacity_",
        r"^\s*\w{0,24}capacity_\w{1,12}\s+(?:[5-9]\d{3}|\d{5,})[\d.]{0,8}\s+Ah\s*$",
        start=-1,
        of_device=False,
    ),
    saying(
        "impossible-value",
        EventKind.DAMAGED,
        "cycle",
        r"^\s*(?:cycle_count|cycles)\s+(?:[2-9]\d{4}|\d{6,})\s*$",
        start=-1,
        of_device=False,
    ),
    saying(
        "program-receives", EventKind.NOTIFIED, "Got response: b", r"response: b['\"][^'\"]", of_device=False
    ),
    saying("junk-bytes", EventKind.DAMAGED, "bytearray(b'AT\\r\\n')"),
    saying("command-failed", EventKind.ERROR, "ommand execution failed", of_device=False),
    saying(
        "serial-read-error",
        EventKind.ERROR,
        "Serial read error: ",
        r"error: (?P<error>.{3,120})",
        of_device=False,
    ),
    saying("no-response", EventKind.TIMED_OUT, "No response to ", of_device=False),
    saying("no-response", EventKind.TIMED_OUT, "Read operation timed out: ", of_device=False),
    # OpenDTU-OnBattery's readers of JK and JBD
    saying("frame-read", EventKind.READ, "a whole frame was received", of_device=False),
    saying("program-sends", EventKind.WRITTEN, "request for data sent", of_device=False),
    saying("no-reply", EventKind.TIMED_OUT, "timeout wating for response from BMS", of_device=False),
    # batmon on a serial port
    saying("over-wire", EventKind.PORT, "bmslib/wired", of_device=False),
    saying(
        "over-wire",
        EventKind.PORT,
        "_uart",
        r"\b(?:daly|jk|jbd|ant|pace|basen|seplos)\w{0,8}_uart\b",
        start=16,
        of_device=False,
    ),
    # bms-to-inverter
    saying("no-reply", EventKind.TIMED_OUT, "No bytes received: ", of_device=False),
    # VE.Direct, as Venus OS reads it
    saying("crc-error", EventKind.DAMAGED, "VE.Frame: Invalid checksum", of_device=False),
    saying("crc-error", EventKind.DAMAGED, "checksum 0x", r"0x\w\w != 0x00, invalid frame", of_device=False),
    saying("bad-frame", EventKind.DAMAGED, "VE.Text: Tag not found", of_device=False),
    # Readers of Pylontech and the like
    saying("answer-timeout", EventKind.TIMED_OUT, "Timeout waiting for an answer", of_device=False),
    saying("answer-timeout", EventKind.TIMED_OUT, "Timeout: RecvBytes=0", of_device=False),
    saying("pylon-answer", EventKind.NOTIFIED, "b'20", r"b'20[0-9A-Fa-fx]{8,}'", of_device=False),
    saying("pylon-answer", EventKind.NOTIFIED, "b'~20", r"^\W*b'~20[0-9A-F]{14,}", start=-1, of_device=False),
    saying(
        "empty-response",
        EventKind.TIMED_OUT,
        "b''",
        r"(?i)(?:repl(?:y|ies)|respon[sc]e|answer|recv|received|raw_\w{1,10}|frame|read|rx)\W{0,8}"
        r"(?:was |is )?b(?:ytearray\(b)?''(?!')|^\W*b''\W*$",
        start=-1,
        of_device=False,
    ),
    # The console of a Pylontech: the rows of `pwr`
    saying(
        "frame-read",
        EventKind.READ,
        "Normal",
        r"(?:^|[\"\s])\d{1,2}\s+[2-6]\d{4}\s+-?\d{1,6}\s+\d{4,5}\s.{0,60}(?:Charge|Dischg|Idle|Balance)\s+Normal",
        start=-1,
        of_device=False,
    ),
)
