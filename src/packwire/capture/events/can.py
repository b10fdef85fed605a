"""CAN: SocketCAN's errors, candump's error frames, `ip -details`, Battery-Emulator, bms-to-inverter."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

#: A line of CAN, where its words alone may be of any network.
_OF_CAN = (
    r"(?i)\b(?:[vsp]?l?can\d?|canbus|can-?fd\d?|can bus|(?:socket|java|p)can\w*|can\.\w+|cansend|candump"
    r"|mcp25\w+)\b|CanError|CanOperationError"
)
#: Error frames, as candump and python-can write them: what begins them, and the last digits that say what.
_ERROR_FRAMES = (
    ("2000", r"\b2000[0-9A-F]DIGITS(?:#|\s{1,3}\[\d\]\s)"),
    ("ID: ", r"\bID: {1,5}0{0,5}DIGITS {1,4}[SX] (?:[RT]x)? {0,3}E\b"),
)
#: What systems and libraries say of an interface, whichever program passes it on.
_OF_INTERFACES = {
    "send-buffer-full": (
        *("[Errno 105]", "errorNumber=105", "No buffer space", "Error Code 105", "ransmit buffer full"),
        *("transmit buffer in", "end timed out", "while sending data"),
    ),
    "can-down": ("[Errno 100]", "errorNumber=100", "Error Code 100", "etwork is down", "interface is down"),
    "can-missing": (
        *(
            "[Errno 19] No such device",
            "errorNumber=19",
            "Error Code 19",
            "No such device",
            "annot find device",
        ),
        *("does not exist", "not baked into the software"),
    ),
    "can-setup-failed": (
        *("nit failed", "nitialization failed", "init error", "Configuration error 0x", "Probe failed, err="),
        *(
            "enter in conf mode",
            "ailed to detect MCP25",
            "has not been initialized",
            "CRC read error at address",
        ),
    ),
    "can-bus-off": ("us-off", "us off", "BUS-OFF", "BUS_OFF"),
    "can-passive": ("'passive' limit", "rror passive", "rror-passive"),
    "can-empty": (
        *("not sending message", "not sending heartbeat", "missing on CAN", "communication detected"),
        *("o messages received", "o frames received", "nable to receive"),
    ),
}

SAYINGS = (
    *(
        saying(
            code,
            EventKind.TIMED_OUT if code == "can-empty" else EventKind.BUS,
            anchor,
            _OF_CAN,
            start=-1,
            of_device=False,
        )
        for code, anchors in _OF_INTERFACES.items()
        for anchor in anchors
    ),
    saying("nobody-acks", EventKind.BUS, "to ACK the message", of_device=False),
    # Not the head of a column of counters.
    saying("can-bus-off", EventKind.BUS, "bus-off", r"bus-off(?! {0,12}\d| {0,12}$)", of_device=False),
    saying("can-bus-off", EventKind.BUS, "state BUS-OFF", of_device=False),
    saying("can-passive", EventKind.BUS, "-error-passive", of_device=False),
    saying(
        "can-down",
        EventKind.BUS,
        ": Network is down",
        r"\b(?:write|bind|read|send|sendto): Net",
        start=8,
        of_device=False,
    ),
    saying("can-missing", EventKind.BUS, "SIOCGIFINDEX: No such device", of_device=False),
    saying("can-missing", EventKind.BUS, "if_nametoindex: No such device", of_device=False),
    saying("can-missing", EventKind.BUS, "CAN interface ", r"interface \S{1,20} not found", of_device=False),
    saying(
        "can-setup-failed", EventKind.BUS, " CAN driver", r"(?:install|start) CAN", start=8, of_device=False
    ),
    saying("can-empty", EventKind.TIMED_OUT, "No CAN data for ", of_device=False),
    # `ip link set can0 ..`, as iproute2 tells that it failed
    saying("net-permission", EventKind.BUS, "RTNETLINK answers: Operation not permitted", of_device=False),
    saying(
        "can-setup-failed",
        EventKind.BUS,
        "RTNETLINK answers: ",
        r"answers: (?:Invalid argument|Device or resource busy|Operation not supported|Connection timed out)",
        of_device=False,
    ),
    # ESPHome's canbus
    saying("can-setup-failed", EventKind.BUS, "setup error!", r"\[canbus", start=24, of_device=False),
    saying(
        "can-setup-failed",
        EventKind.BUS,
        "Failed to set mode",
        r"\[(?:mcp2515|canbus)",
        start=24,
        of_device=False,
    ),
    saying(
        "send-buffer-full",
        EventKind.BUS,
        " failed with error ",
        r"\[canbus.{0,80}send",
        start=-1,
        of_device=False,
    ),
    saying("nobody-acks", EventKind.BUS, "no-acknowledgement-on-tx", of_device=False),
    saying("nobody-acks", EventKind.BUS, "no ACK received", of_device=False),
    saying("send-buffer-full", EventKind.BUS, "write: No buffer space available", of_device=False),
    saying("send-buffer-full", EventKind.BUS, "Fail to queue CANBUS message", of_device=False),
    saying("can-error", EventKind.BUS, "CAN Bus error experienced", of_device=False),
    saying("can-error", EventKind.BUS, "Multiple CAN TX/RX errors", of_device=False),
    saying("can-frame-bad", EventKind.BUS, "corrupted CAN messages detected", of_device=False),
    saying("can-setup-failed", EventKind.BUS, "CanInitializationError: ", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "errorNumber=11", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "Unable to read from the socket", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "No CAN Message received", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "no CAN message", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "Found no devices on can bus", of_device=False),
    saying("can-empty", EventKind.TIMED_OUT, "Timeout while accessing CAN interface", of_device=False),
    saying("unknown-address", EventKind.DAMAGED, "wrong address and command id", of_device=False),
    # Error frames as candump writes them: what happened is in the identifier [linux/can/error.h].
    saying("can-error", EventKind.BUS, "ERRORFRAME", of_device=False),
    *(saying("can-error", EventKind.BUS, each, of_device=False) for each in ("CANBus error", "CAN error")),
    *(
        saying(
            code,
            EventKind.BUS,
            anchor,
            form.replace("DIGITS", digits),
            start=-1,
            of_device=False,
        )
        for anchor, form in _ERROR_FRAMES
        for code, digits in (
            ("nobody-acks", "[0-9A-F][2367ABEF][0-9A-F]"),
            ("can-bus-off", "[0-9A-F][4-7C-F][0-9A-F]"),
            ("can-frame-bad", "[0-9A-F]{2}[89A-F]"),
        )
    ),
    saying(
        "can-passive",
        EventKind.BUS,
        "2000",
        r"\b2000[0-9A-F]{3}[4-7C-F](?:#|\s{1,3}\[\d\]\s{1,3})[0-9A-F]{2} ?[13][0-9A-F]",
        start=-1,
        of_device=False,
    ),
    saying("can-counted", EventKind.INFO, "RX:", r"RX:\s{1,4}bytes\s{1,4}packets", of_device=False),
    # ifconfig
    saying(
        "can-none",
        EventKind.BUS,
        "RX packets",
        r"^\w*can\d.{0,200}?RX packets:? ?0\b",
        start=-1,
        of_device=False,
    ),
    saying(
        "can-error",
        EventKind.BUS,
        "TX errors",
        r"^\w*can\d.{0,200}?TX errors:? ?[1-9]",
        start=-1,
        of_device=False,
    ),
    saying(
        "can-error",
        EventKind.BUS,
        "TX packets",
        r"^\w*can\d.{0,200}?TX packets:\d+ errors:[1-9]",
        start=-1,
        of_device=False,
    ),
    saying("can-library", EventKind.INFO, "interfaces/socketcan", of_device=False),
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
    saying("can-passive", EventKind.BUS, "x Passive", r"\b[TR]x Passive\b", start=1, of_device=False),
    # An ESP32's controller: who sends and is heard by nobody, stops to count at 128.
    saying("can-passive", EventKind.BUS, "tx-err:", r"tx-err: ?(?:12[89]|1[3-9]\d|2\d\d)\b", of_device=False),
    saying("send-buffer-full", EventKind.BUS, "Failed to queue CANBUS message", of_device=False),
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
)
