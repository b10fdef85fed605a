"""Home Assistant: bleak_retry_connector, habluetooth, bleak_esphome, aiobmsble, BMS_BLE-HA."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

_MAC = r"[0-9A-Fa-fxX*]{2}(?:[:_-][0-9A-Fa-fxX*]{2}){5}"

SAYINGS = (
    # Advertisements, as the integration's log and its diagnostics show them.
    saying("seen", EventKind.SEEN, "rssi", r"""rssi['"]?\s?[:=]\s?(?P<rssi>-\d{1,3})\b"""),
    saying("advertised-name", EventKind.SEEN, "name", r"""name['"]:\s?['"](?P<name>[^'"]{1,48})['"]"""),
    saying(
        "advertised-services",
        EventKind.SEEN,
        "service_uuids",
        r"""service_uuids['"]:\s?\[(?P<services>[^\]]{0,400})\]""",
    ),
    saying("not-connectable", EventKind.SEEN, "connectable", r"""connectable['"]:\s?(?:false|False)"""),
    saying("connectable", EventKind.SEEN, "connectable", r"""connectable['"]:\s?(?:true|True)"""),
    # bleak_retry_connector
    saying("connecting", EventKind.CONNECTING, "Connection attempt: ", r"attempt: (?P<attempt>\d{1,4})"),
    saying(
        "connected",
        EventKind.CONNECTED,
        "Connected after ",
        r"after (?P<attempts>\d{1,4}) attempt",
    ),
    saying("connect-timeout", EventKind.FAILED, "Timed out trying to connect"),
    saying(
        "connect-failed", EventKind.FAILED, "Failed to connect", r"connect(?:: | after \d| due to services)"
    ),
    saying("no-slot", EventKind.FAILED, "No backend with an available connection slot"),
    saying("no-slot-or-gone", EventKind.FAILED, "out of connection slots or the device is no longer"),
    saying(
        "last-heard",
        EventKind.NOT_SEEN,
        "last advertisement ",
        r"advertisement (?P<age>\d{1,7})(?:\.\d+)?s ago via (?P<via>[^\s,;]{1,60})",
    ),
    saying("never-heard", EventKind.NOT_SEEN, "never seen by any scanner"),
    saying("no-longer-heard", EventKind.NOT_SEEN, "no scanner currently has it cached"),
    saying("device-missing", EventKind.NOT_SEEN, "device_missing: True"),
    saying("gone", EventKind.NOT_SEEN, "Device has disappeared"),
    saying("gone", EventKind.NOT_SEEN, "device disappeared; Try restarting the scanner"),
    saying("slots-full", EventKind.SLOTS, "slot allocations are all full"),
    saying("slots-full", EventKind.SLOTS, "Out of connection slots, waiting"),
    saying("slots-full", EventKind.SLOTS, "No free BLE connection"),
    saying("scanners-paused", EventKind.SLOTS, "paused while connecting"),
    saying("scanners-paused", EventKind.SLOTS, "all are paused retrying connections"),
    saying("interference", EventKind.FAILED, "Interference/range"),
    saying("cache-used", EventKind.SERVICES, "cached services are valid and present"),
    saying("cache-used", EventKind.SERVICES, "Cached services hit"),
    saying("cache-used", EventKind.SERVICES, "Using cached services"),
    saying("cache-used", EventKind.SERVICES, "Connecting v3 with cache"),
    saying("cache-stale", EventKind.SERVICES, "not found in properties, cache invalid"),
    saying("services-changed", EventKind.SERVICES, "due to services changes"),
    # habluetooth
    saying(
        "way",
        EventKind.SLOTS,
        "connection path(s)",
        r"Found (?P<paths>\d{1,3}) connection path",
        start=12,
    ),
    saying(
        "way-slots",
        EventKind.SLOTS,
        "(slots=",
        r"\(RSSI=(?P<rssi>-?\d{1,4})\) \(failures=(?P<failures>\d{1,6})\)"
        r"(?: \(in_progress=\d{1,4}\))? \(slots=(?P<free>\d{1,3})/(?P<limit>\d{1,3}) free\)",
        start=60,
    ),
    saying("way-rssi", EventKind.SEEN, "(RSSI=", r"\(RSSI=(?P<rssi>-\d{1,3})\)"),
    saying("way-slots", EventKind.SLOTS, ", slots=", r"slots=(?P<free>\d{1,3})/(?P<limit>\d{1,3})\b"),
    saying("last-rssi", EventKind.SEEN, "last rssi: -", r"rssi: (?P<rssi>-\d{1,3})"),
    saying("no-connectable-scanner", EventKind.PROXY, "No connectable Bluetooth adapters"),
    saying("no-connectable-scanner", EventKind.PROXY, "Shelly devices are passive-only"),
    saying("not-connectable-path", EventKind.PROXY, "none with a connectable path"),
    saying("not-connectable-path", EventKind.PROXY, "only in non-connectable history"),
    saying("no-scanner", EventKind.ADAPTER, "no scanner is currently scanning", of_device=False),
    saying(
        "scanner-count",
        EventKind.ADAPTER,
        "scanner(s) registered",
        r"(?P<total>\d{1,3}) scanner\(s\) registered, (?P<scanning>\d{1,3}) scanning,"
        r" (?P<connectable>\d{1,3}) connectable",
        start=5,
    ),
    saying("adapter-hung", EventKind.ADAPTER, "adapter stopped responding", of_device=False),
    saying(
        "adapter-reset",
        EventKind.ADAPTER,
        "adapter reset result: ",
        r"result: (?P<result>\w+)",
        of_device=False,
    ),
    saying(
        "adapter-reset", EventKind.ADAPTER, "Attempting to power cycle bluetooth adapter", of_device=False
    ),
    saying("scanner-quiet", EventKind.ADAPTER, "Bluetooth scanner has gone quiet", of_device=False),
    saying("scanner-stuck", EventKind.ADAPTER, "Error stopping scanner", of_device=False),
    saying("scanner-start-failed", EventKind.ADAPTER, "while starting bluetooth;", of_device=False),
    saying("mgmt-permission", EventKind.ADAPTER, "MGMT capability check failed", of_device=False),
    saying(
        "mgmt-permission",
        EventKind.ADAPTER,
        "Missing required permissions for Bluetooth management",
        of_device=False,
    ),
    # bleak_esphome and ESPHome's integration
    saying(
        "slots",
        EventKind.SLOTS,
        "BLE connection limits:",
        r"used=(?P<used>\d{1,3}),? free=(?P<free>\d{1,3}),? limit=(?P<limit>\d{1,3})",
        of_device=False,
    ),
    saying("slots", EventKind.SLOTS, "ble_connections_free=", r"free=(?P<free>\d{1,3})", of_device=False),
    saying(
        "scanner-flags",
        EventKind.PROXY,
        "Connecting scanner feature_flags=",
        r"connectable=(?P<connectable>True|False)",
        of_device=False,
    ),
    saying("proxy-link-timeout", EventKind.FAILED, "Timeout waiting for BluetoothDeviceConnectionResponse"),
    saying(
        "proxy-request-timeout",
        EventKind.PROXY,
        "Timeout waiting for ",
        r"Timeout waiting for (?:response for )?(?P<what>(?!BluetoothDeviceConnectionResponse)[<\w"
        r" .']{0,24}[A-Z]\w{3,60}(?:Request|Response))",
    ),
    saying("proxy-too-old", EventKind.PROXY, "Upgrade the ESPHome version", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "ESP device disconnected"),
    saying("proxy-lost", EventKind.PROXY, "API connection gone"),
    saying("proxy-unreachable", EventKind.PROXY, "connect to ESPHome API for ", of_device=False),
    saying("proxy-unreachable", EventKind.PROXY, ", 6053)", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Ping response not received", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Ping Failed", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Connection error occurred: ", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Disconnected from ESPHome API", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Disconnected from API", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Network down; disconnect", of_device=False),
    saying(
        "gatt-error",
        EventKind.REFUSED,
        "Bluetooth GATT Error",
        r"error=(?P<error>-?\d{1,4})(?: description=(?P<description>[\w ()]{1,60}))?",
    ),
    # aiobmsble and BMS_BLE-HA
    saying("update", EventKind.INFO, "BMS data update"),
    saying(
        "connecting", EventKind.CONNECTING, "onnecting BMS", r"(?<![a-z])[Cc]onnecting BMS(?! \()", start=1
    ),
    saying("plugin-connecting", EventKind.CONNECTING, "Connecting BMS (", r"BMS \((?P<name>[^)]{1,48})\)"),
    saying("already-connected", EventKind.CONNECTED, "already connected", r"BMS", start=-1),
    saying(
        "subscribed",
        EventKind.SUBSCRIBED,
        "start notify on RX characteristic",
        r"characteristic (?P<uuid>[0-9a-fA-F-]{4,36})",
    ),
    saying("subscribed", EventKind.SUBSCRIBED, "using characteristics handle"),
    saying(
        "restart",
        EventKind.NOTIFIED,
        "(cnt.)",
        r"\(cnt\.\):? (?:bytearray\(b['\"])?(?:55 ?aa ?eb ?90|U\\xaa\\xeb\\x90|dd ?0[345]"
        r" ?00|\\xdd\\x0[345]\\x00|7e ?a1)",
    ),
    saying("received", EventKind.NOTIFIED, "X BLE data", r"[Rr][Xx] BLE data", start=1),
    saying("received", EventKind.NOTIFIED, "x BLE data", r"Rx BLE data", start=1),
    saying(
        "sent",
        EventKind.WRITTEN,
        "TX BLE req #",
        r"req #(?P<number>\d{1,4}) \((?P<mode>!?(?:WNR|W)\.?)\)",
    ),
    saying("sent", EventKind.WRITTEN, "TX BLE data"),
    saying("request-timeout", EventKind.TIMED_OUT, "TX BLE request timed out"),
    saying(
        "request-error", EventKind.REFUSED, "TX BLE request error", r"error[^(]{0,40}\((?P<error>\w{1,40})\)"
    ),
    saying("init-failed", EventKind.TIMED_OUT, "failed to initialize BMS connection"),
    saying("timed-out", EventKind.TIMED_OUT, "communication timed out"),
    saying("timed-out", EventKind.TIMED_OUT, "communication timeout"),
    saying("no-name", EventKind.INFO, "failed to detect characteristics"),
    saying("disconnected", EventKind.LOST, "disconnected from BMS"),
    saying("disconnected", EventKind.LOST, "BLE device disconnected"),
    saying(
        "checksum",
        EventKind.DAMAGED,
        "nvalid checksum",
        r"nvalid checksum,? ?(?P<a>(?:0x)?[0-9A-Fa-f]{1,8}) ?!= ?(?P<b>(?:0x)?[0-9A-Fa-f]{1,8})",
    ),
    saying(
        "checksum",
        EventKind.DAMAGED,
        "CRC is invalid",
        r"invalid: (?P<a>(?:0x)?[0-9A-Fa-f]{1,8}) != (?P<b>(?:0x)?[0-9A-Fa-f]{1,8})(?P<or> or wrong"
        r" message)?",
    ),
    saying("bad-frame", EventKind.DAMAGED, "ncorrect ", r"ncorrect (?:SOF|EOF|frame|length|response)"),
    saying(
        "bad-frame",
        EventKind.DAMAGED,
        "invalid ",
        r"invalid (?:SOF|EOF|frame|packet header|length|page length)",
    ),
    saying(
        "bad-frame",
        EventKind.DAMAGED,
        "unexpected ",
        r"unexpected (?:SOF|response|message type|command|function code|reply|data, ign)",
    ),
    saying("bad-frame", EventKind.DAMAGED, "wrong data length"),
    saying("bad-frame", EventKind.DAMAGED, "response data is invalid"),
    saying(
        "unknown-version",
        EventKind.DAMAGED,
        "unknown ",
        r"unknown (?:frame version|protocol version|response frame version|message: )",
    ),
    saying("incomplete", EventKind.DAMAGED, "incomplete data set"),
    saying("incomplete", EventKind.DAMAGED, "BMS data incomplete"),
    saying("wrong-secret", EventKind.PAIRING, "incorrect secret"),
    saying("wrong-secret", EventKind.PAIRING, "Incorrect secret"),
    saying("wrong-secret", EventKind.PAIRING, "unable to unlock BMS"),
    saying("wrong-secret", EventKind.PAIRING, "Failed to initialize connection with secret"),
    saying("worked", EventKind.READ, "(success: True)"),
    saying("failed-update", EventKind.TIMED_OUT, "(success: False)"),
    saying("worked", EventKind.READ, "data recovered"),
    saying("worked", EventKind.READ, "BMS data sample"),
)
