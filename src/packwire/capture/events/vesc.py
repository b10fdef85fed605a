"""Programs that read a VESC: VESC Tool, pyvesc, VescUart, and what is built on them."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

SAYINGS = (
    saying("vesc-no-firmware", EventKind.TIMED_OUT, "No firmware read response", of_device=False),
    saying(
        "vesc-no-firmware",
        EventKind.TIMED_OUT,
        "read firmware version",
        r"(?:ould not|an ?not|an't) read firmware",
        start=10,
        of_device=False,
    ),
    saying(
        "vesc-other-firmware",
        EventKind.REFUSED,
        "firmware",
        r"too old firmware|firmware on the connected [\w-]{3,24} is too old|(?:device|VESC[\w-]*|bus\)) has"
        r" (?:newer|old|test) firmware",
        start=60,
        of_device=False,
    ),
    saying("vesc-other-firmware", EventKind.REFUSED, "larger than 256 bytes", of_device=False),
    saying("vesc-other-firmware", EventKind.REFUSED, "Could not deserialize ", r"config", of_device=False),
    saying("vesc-no-data", EventKind.TIMED_OUT, "Failed to get data!", of_device=False),
    saying("vesc-no-data", EventKind.TIMED_OUT, "VESC Communication timeout", of_device=False),
    saying(
        "vesc-no-data",
        EventKind.TIMED_OUT,
        "'NoneType' object has no attribute '",
        r"attribute '(?:rpm|v_in|avg_motor_current|avg_input_current|duty_cycle_now|temp_fet|tachometer)",
        of_device=False,
    ),
    saying("vesc-out-of-sync", EventKind.DAMAGED, "ut-of-sync with VESC", of_device=False),
    saying("vesc-out-of-sync", EventKind.DAMAGED, "Unvalid start bit", of_device=False),
    saying("vesc-out-of-sync", EventKind.DAMAGED, "CorruptPacket: ", of_device=False),
    saying("vesc-out-of-sync", EventKind.DAMAGED, "Buffer must begin with start-of-frame", of_device=False),
    saying("vesc-command", EventKind.WRITTEN, "Command: COMM_", of_device=False),
    saying("vesc-command", EventKind.WRITTEN, "COMM_GET_VALUES", of_device=False),
    *(
        saying(
            "vesc-command", EventKind.WRITTEN, anchor, r"send: (?P<sent>\d[\d ]{8,200}\d)?", of_device=False
        )
        for anchor in ("ackage to send: ", "UART package send: ")
    ),
    saying(
        "vesc-answer",
        EventKind.NOTIFIED,
        "Received: ",
        r"^\W{0,3}Received: (?P<came>2(?: \d{1,3}){5,80})",
        start=-1,
        of_device=False,
    ),
    saying(
        "vesc-sum", EventKind.NOTIFIED, "SRC received: ", r"SRC received: (?P<a>\d{1,5})", of_device=False
    ),
    saying("vesc-sum", EventKind.NOTIFIED, "SRC calc: ", r"SRC calc: (?P<b>\d{1,5})", of_device=False),
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
