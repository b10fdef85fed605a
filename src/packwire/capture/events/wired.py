"""Programs on serial lines: dbus-serialbattery, mpp-solar, python-pylontech, pyserial, readers of VESC."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

SAYINGS = (
    # dbus-serialbattery
    saying(
        "testing",
        EventKind.INFO,
        "Testing ",
        r"SerialBattery:(?:-- )?Testing (?P<driver>[A-Z]\w{1,30})(?: at address"
        r" \"?(?P<address>[^\s\"]{1,12}))?",
        start=20,
        of_device=False,
    ),
    saying("no-reply", EventKind.TIMED_OUT, "No reply - returning", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "ERROR: Incorrect Reply", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "ERROR: Incorrect Data", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "Incorrect message checksum", of_device=False),
    saying("incorrect-reply", EventKind.DAMAGED, "Checksum error", of_device=False),
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
    saying("lost-battery", EventKind.LOST, "battery OFFLINE", of_device=False),
    saying("config-issue", EventKind.INFO, "**CONFIG ISSUE**", of_device=False),
    saying("polling-slow", EventKind.PORT, "Polling took too long", of_device=False),
    # pyserial and the system
    saying(
        "port-missing",
        EventKind.PORT,
        "could not open port",
        r"(?:No such file|FileNotFound|Is a directory)",
        of_device=False,
    ),
    saying("port-missing", EventKind.PORT, "port device not found", of_device=False),
    saying(
        "port-permission",
        EventKind.PORT,
        "ermission denied: '/dev/",
        r"'/dev/(?:tty|serial|hidraw|rfcomm|cu\.)",
        of_device=False,
    ),
    saying(
        "port-permission",
        EventKind.PORT,
        "ccess is denied",
        r"(?:COM\d|PermissionError)",
        start=80,
        of_device=False,
    ),
    saying(
        "port-busy",
        EventKind.PORT,
        "Device or resource busy: '/dev/",
        r"'/dev/(?:tty|serial|hidraw|rfcomm|cu\.)",
        of_device=False,
    ),
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
    saying(
        "program-receives", EventKind.NOTIFIED, "Got response: b", r"response: b['\"][^'\"]", of_device=False
    ),
    saying("command-failed", EventKind.ERROR, "ommand execution failed", of_device=False),
    saying(
        "serial-read-error",
        EventKind.ERROR,
        "Serial read error: ",
        r"error: (?P<error>.{3,120})",
        of_device=False,
    ),
    saying("no-response", EventKind.TIMED_OUT, "No response to ", of_device=False),
    # Readers of Pylontech and the like
    saying("answer-timeout", EventKind.TIMED_OUT, "Timeout waiting for an answer", of_device=False),
    saying("answer-timeout", EventKind.TIMED_OUT, "Timeout: RecvBytes=0", of_device=False),
    saying("pylon-answer", EventKind.NOTIFIED, "b'20", r"b'20[0-9A-Fa-fx]{8,}'", of_device=False),
    # Readers of VESC
    saying("vesc-no-firmware", EventKind.TIMED_OUT, "No firmware read response", of_device=False),
    saying("vesc-no-data", EventKind.TIMED_OUT, "Failed to get data", of_device=False),
    saying("vesc-no-data", EventKind.TIMED_OUT, "VESC Communication timeout", of_device=False),
    saying("vesc-command", EventKind.WRITTEN, "COMM_GET_VALUES", of_device=False),
    saying(
        "vesc-timeout",
        EventKind.TIMED_OUT,
        "Timeout",
        r"^[\s*`]*(?:(?:[A-Z][a-z]{2} )?[\d:.TZ+ -]{0,36}(?:-> ?)?)?Timeout\s*$",
        start=-1,
        of_device=False,
    ),
    saying(
        "vesc-open",
        EventKind.CONNECTED,
        "Status: Connected (",
        r"Connected \((?P<way>\w{2,12})\)(?: to (?P<port>\S{2,40}))?",
        of_device=False,
    ),
)
