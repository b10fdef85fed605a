"""batmon-ha."""

from packwire.capture.events.address import ADDRESS
from packwire.capture.events.saying import saying
from packwire.event import EventKind

_SAMPLES = (": BmsSampl(", ": BmsSample(")

SAYINGS = (
    saying("no-devices", EventKind.ADAPTER, "- no devices found -", of_device=False),
    saying(
        "heard",
        EventKind.ADAPTER,
        "INFO [bt] ",
        rf"\[bt\] (?:BT|hci\d{{1,2}}) +(?:Device +\S.{{0,40}}?address=)?(?P<heard>{ADDRESS})",
        of_device=False,
    ),
    saying(
        "heard",
        EventKind.ADAPTER,
        " BT Device ",
        rf"\.py:\d+\] BT Device +.{{0,40}}? address=(?P<heard>{ADDRESS})",
        start=20,
        of_device=False,
    ),
    # Newer ones print how loud each was.
    saying(
        "seen",
        EventKind.SEEN,
        "INFO [bt] ",
        rf"\[bt\] (?:BT|hci\d{{1,2}}) +{ADDRESS} .{{1,60}} (?P<rssi>-\d{{2,3}})$",
    ),
    saying(
        "connecting", EventKind.CONNECTING, "Using adapter ", rf"adapter \S{{1,24}} to connect to {ADDRESS}"
    ),
    saying("connecting", EventKind.CONNECTING, "] connecting ", rf"\({ADDRESS}\) adapter="),
    saying("not-discovered", EventKind.NOT_SEEN, "Can't resolve device name", r"not discovered"),
    saying("batmon-error", EventKind.ERROR, "[sampling.py:", r"\] \S.{0,60} error:"),
    saying(
        "not-discovered",
        EventKind.NOT_SEEN,
        " not discovered",
        r"(?P<wanted>[0-9A-Fa-fxX*:]{17})[^.]{0,40} not discovered",
        start=45,
    ),
    saying("not-discovered", EventKind.NOT_SEEN, "device not found, retry"),
    saying("not-discovered", EventKind.NOT_SEEN, "NOT seen during", r"\((?P<others>\d{1,4}) other"),
    saying(
        "heard-others",
        EventKind.ADAPTER,
        "another application. ({",
        r"\(\{(?P<others>[^})]{17,4000})",
        of_device=False,
    ),
    saying(
        "seen",
        EventKind.SEEN,
        "bt_diagnostics ",
        r"seen rssi=(?P<rssi>-\d{1,3})(?: name=(?P<name>\S{1,40}))?",
    ),
    saying(
        "in-range",
        EventKind.ADAPTER,
        "devices in range)",
        r"\((?P<others>\d{1,4}) devices in range",
        start=12,
        of_device=False,
    ),
    saying(
        "connecting",
        EventKind.CONNECTING,
        "connecting bms ",
        r"connecting bms (?P<plugin>\w{2,30}?)(?:Bt|BMS)?\(",
    ),
    saying("connected", EventKind.CONNECTED, "connected bms ", r"(?<!dis)connected bms ", start=3),
    saying("batmon-error", EventKind.ERROR, "reading BMS: ", r"Error \(num \d", start=40),
    saying("batmon-error", EventKind.ERROR, "ERROR [sampling]", r"error(?: \(#(?P<number>\d{1,6})\))?:"),
    saying(
        "link-lost",
        EventKind.LOST,
        "error",
        r"\[sampling\] .{0,60}error(?: \(#\d{1,6}\))?: Not connected\b",
        start=90,
    ),
    saying("received", EventKind.NOTIFIED, "INFO [sampling] {", r"\] \{\d{1,5}: bytearray\(b['\"][^'\"]"),
    saying("unknown-type", EventKind.INFO, "nknown device type"),
    saying("bad-setting", EventKind.INFO, "unknown bms ", r"bms \S{1,60} in group", of_device=False),
    saying("only-pairs", EventKind.INFO, "Started in pair-only mode", of_device=False),
    saying("pairing-failed", EventKind.PAIRING, "Pairing ", r"Pairing (?:\S{17} )?failed!"),
    saying("cache-stale", EventKind.SERVICES, "discovery returned no services for "),
    saying("not-installed", EventKind.ERROR, " package is not installed", of_device=False),
    saying("no-data-flowing", EventKind.TIMED_OUT, " expired", r"error(?: \(#\d+\))?: sample \S+", start=70),
    saying("disconnected", EventKind.LOST, " disconnected!", r"BMS \w+\(", start=90),
    saying("bad-frame", EventKind.DAMAGED, "discarding invalid JBD response"),
    saying("connected-no-data", EventKind.TIMED_OUT, "connected, but no data"),
    saying("no-data-flowing", EventKind.TIMED_OUT, "no data has been flowing"),
    saying("many-errors", EventKind.ERROR, "disconnecting", r"due to too many errors"),
    saying("no-proxy", EventKind.PROXY, "esphome_proxy: no proxies connected", of_device=False),
    saying(
        "proxy-unreachable", EventKind.PROXY, "esphome_proxy: ", r"start (?:failed|aborted)", of_device=False
    ),
    saying("worked", EventKind.READ, " volt=["),
    # A sample of zeros, beside which the cells have their volts, is read at the wrong places.
    *(saying("zero-sample", EventKind.DAMAGED, sample, r"\(0\.0%,U=0\.0V") for sample in _SAMPLES),
    *(saying("worked", EventKind.READ, sample, r"\((?!0\.0%,U=0\.0V)") for sample in _SAMPLES),
    saying("worked", EventKind.READ, "result@", of_device=False),
    saying("bad-frame", EventKind.DAMAGED, "JBD response "),
    saying("bad-frame", EventKind.DAMAGED, "out-of-order frame"),
    saying("bad-frame", EventKind.DAMAGED, "bad header: "),
    saying("bad-frame", EventKind.DAMAGED, " bad SOF"),
    saying(
        "checksum",
        EventKind.DAMAGED,
        "hecksum mismatch",
        r"got (?P<a>0x[0-9A-Fa-f]{1,8}), want (?P<b>0x[0-9A-Fa-f]{1,8})",
    ),
    saying("crc-error", EventKind.DAMAGED, "crc check failed"),
    saying("crc-error", EventKind.DAMAGED, "wrong checksum"),
    saying(
        "batmon-timeout",
        EventKind.TIMED_OUT,
        "TimeoutError",
        r"error(?: \(#\d{1,6}\))?: (?:<class '|asyncio\.)?(?:asyncio\.)?(?:exceptions\.)?TimeoutError",
        start=60,
    ),
    # A name is that of a reply: the link stood, and it was asked.
    saying(
        "request-timeout",
        EventKind.TIMED_OUT,
        "timeout waiting for ",
        r"(?:TimeoutError|reading BMS|error(?: \(#\d{1,6}\))?): (?:TimeoutError: )?timeout waiting for"
        r" \w{1,30}(?:\s*$| at bmslib)",
        start=45,
    ),
    saying("request-timeout", EventKind.TIMED_OUT, "bmslib/", r"\.py\", line \d{1,5}, in _q\b"),
    saying("request-timeout", EventKind.TIMED_OUT, "timeout awaiting result"),
    saying(
        "connect-traceback",
        EventKind.CONNECTING,
        "client.py",
        r"backends/\w+/client\.py\", line \d+, in connect\b",
        start=60,
    ),
    saying(
        "connect-traceback", EventKind.CONNECTING, "in establish_connection", r"\d, in establish_c", start=6
    ),
    saying(
        "disconnected",
        EventKind.LOST,
        " disconnected after ",
        r"BMS \w+\(.{0,90} after (?P<stood>\d{1,9})\.?\d*s",
        start=-1,
    ),
    saying(
        "junk-bytes", EventKind.DAMAGED, " discarded ", r"discarded \d+ (?:non-protocol notify|junk byte)"
    ),
    saying("bad-frame", EventKind.DAMAGED, "without a JBD header"),
    saying("bad-frame", EventKind.DAMAGED, "paceic ", r"paceic (?:frame|checksum|INFO|LENGTH|header|LENID)"),
    saying("bad-frame", EventKind.DAMAGED, "basen ", r"basen (?:wired )?(?:frame|INFO|length)"),
    saying("cut-short", EventKind.DAMAGED, "frame truncated: have "),
    saying("bad-frame", EventKind.DAMAGED, "msg too short: "),
    saying("bad-frame", EventKind.DAMAGED, "Unexpected size: header says"),
    saying("bad-frame", EventKind.DAMAGED, "JK UART bad frame"),
    saying("impossible-value", EventKind.DAMAGED, " out of range, bin data", r"soc \S{1,12} out", start=20),
    saying(
        "received",
        EventKind.NOTIFIED,
        "bms debug data: ",
        r"data: (?:\{.{0,40}?)?\(?bytearray\(b['\"][^'\"]",
    ),
    saying("bad-frame", EventKind.DAMAGED, "modbus header mismatch"),
    saying("crc-error", EventKind.DAMAGED, "modbus CRC: got "),
    saying("answers-as", EventKind.SERVICES, "response matches ", r"matches '(?P<family>\w{2,20})' protocol"),
    saying(
        "checksum",
        EventKind.DAMAGED,
        "checksum fail, expected ",
        r"fail, (?P<decimal>expected) (?P<a>\d{1,3}), got (?P<b>\d{1,3})\b",
    ),
    saying("crc-error", EventKind.DAMAGED, " crc fail (calc "),
    saying("crc-error", EventKind.DAMAGED, "CRC16 error: "),
    saying("crc-error", EventKind.DAMAGED, "crc mismatch"),
)
