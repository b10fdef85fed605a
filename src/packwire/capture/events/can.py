"""CAN: SocketCAN's errors, candump's error frames, `ip -details`, Battery-Emulator, bms-to-inverter."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

#: A line of CAN, where its words alone may be of any network.
_OF_CAN = r"(?i)\b(?:v?can\d?|canbus|socketcan|can\.\w+|CanError|CanOperationError)\b|CanError"

SAYINGS = (
    saying("nobody-acks", EventKind.BUS, "no one on the bus to ACK", of_device=False),
    saying("nobody-acks", EventKind.BUS, "no-acknowledgement-on-tx", of_device=False),
    saying("nobody-acks", EventKind.BUS, "no ACK received", of_device=False),
    saying("send-buffer-full", EventKind.BUS, "[Errno 105]", _OF_CAN, start=-1, of_device=False),
    saying("send-buffer-full", EventKind.BUS, "No buffer space", _OF_CAN, start=-1, of_device=False),
    saying("send-buffer-full", EventKind.BUS, "write: No buffer space available", of_device=False),
    saying("send-buffer-full", EventKind.BUS, "Fail to queue CANBUS message", of_device=False),
    saying("can-error", EventKind.BUS, "CAN Bus error experienced", of_device=False),
    saying("can-error", EventKind.BUS, "Multiple CAN TX/RX errors", of_device=False),
    saying("can-frame-bad", EventKind.BUS, "corrupted CAN messages detected", of_device=False),
    saying(
        "can-setup-failed",
        EventKind.BUS,
        "CAN",
        r"\bCAN[\w -]{0,14}init(?:ialization)? failed",
        of_device=False,
    ),
    saying("can-setup-failed", EventKind.BUS, "CanInitializationError: ", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "not sending messages via CAN", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "errorNumber=11", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "Unable to read from the socket", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "No CAN Message received", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "no CAN message", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "Found no devices on can bus", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "Timeout while accessing CAN interface", of_device=False),
    saying("unknown-address", EventKind.DAMAGED, "wrong address and command id", of_device=False),
    # Error frames as candump -L writes them: what happened is in the identifier [linux/can/error.h].
    saying(
        "nobody-acks", EventKind.BUS, "#", r"\b2000[0-9A-F]{2}[2367ABEF][0-9A-F]#", start=-1, of_device=False
    ),
    saying(
        "can-bus-off", EventKind.BUS, "#", r"\b2000[0-9A-F]{2}[4-7C-F][0-9A-F]#", start=-1, of_device=False
    ),
    saying("can-frame-bad", EventKind.BUS, "#", r"\b2000[0-9A-F]{3}[89A-F]#", start=-1, of_device=False),
    saying(
        "can-passive",
        EventKind.BUS,
        "#",
        r"\b2000[0-9A-F]{3}[4-7C-F]#..[13][0-9A-F]",
        start=-1,
        of_device=False,
    ),
    saying("can-open", EventKind.CONNECTED, "Opening port can", of_device=False),
    saying("can-frame-bad", EventKind.BUS, "protocol-violation", of_device=False),
    saying("can-frame-bad", EventKind.BUS, "bit-stuffing-error", of_device=False),
    saying("can-frame-bad", EventKind.BUS, "frame-format-error", of_device=False),
    saying(
        "can-state",
        EventKind.BUS,
        "state ",
        r"\bstate (?P<state>ERROR-PASSIVE|BUS-OFF|ERROR-WARNING|ERROR-ACTIVE|STOPPED)",
        of_device=False,
    ),
    saying("can-down", EventKind.BUS, "can state STOPPED", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "No CAN communication", of_device=False),
    # Not the head of a column of counters.
    saying("can-bus-off", EventKind.BUS, "bus-off", r"bus-off(?! {0,12}\d| {0,12}$)", of_device=False),
    saying("can-bus-off", EventKind.BUS, "BUS-OFF", of_device=False),
    saying("can-bus-off", EventKind.BUS, "Bus off", of_device=False),
    saying("can-bus-off", EventKind.BUS, "Bus Off", r"CAN|\bcan\d", start=-1, of_device=False),
    saying("can-passive", EventKind.BUS, "x Passive", r"\b[TR]x Passive\b", start=1, of_device=False),
    # An ESP32's controller: who sends and is heard by nobody, stops to count at 128.
    saying("can-passive", EventKind.BUS, "tx-err:", r"tx-err: ?(?:12[89]|1[3-9]\d|2\d\d)\b", of_device=False),
    saying("send-buffer-full", EventKind.BUS, "Failed to queue CANBUS message", of_device=False),
    saying("can-passive", EventKind.BUS, "rror passive state", of_device=False),
    saying("can-passive", EventKind.BUS, "error-passive", of_device=False),
    saying(
        "can-counters",
        EventKind.BUS,
        "berr-counter",
        r"tx (?P<tx>\d{1,3}) rx (?P<rx>\d{1,3})",
        of_device=False,
    ),
    saying(
        "can-counters",
        EventKind.BUS,
        "error-counter-tx-rx",
        r"\{\{(?P<tx>\d{1,3})\}\{(?P<rx>\d{1,3})\}\}",
        of_device=False,
    ),
    saying("can-bitrate", EventKind.BUS, "bitrate ", r"\bbitrate (?P<bitrate>\d{4,7})\b", of_device=False),
    saying("can-down", EventKind.BUS, "[Errno 100]", _OF_CAN, start=-1, of_device=False),
    saying("can-down", EventKind.BUS, "Network is down", _OF_CAN, start=-1, of_device=False),
    saying("can-missing", EventKind.BUS, "[Errno 19] No such device", _OF_CAN, start=-1, of_device=False),
)
