"""Home Assistant: bleak_retry_connector, habluetooth, bleak_esphome, aiobmsble, BMS_BLE-HA."""

import re

from packwire.capture.events.saying import saying
from packwire.event import EventKind

#: How lines begin of integrations that are not known to read a pack, or whose coordinator counts no answer as
#: a success; and those of a round in which nothing was asked.
_MAY_BE_EMPTY = (
    r"[^[]{0,80}\[(?!\w{0,40}(?:_components\.)?\w{0,40}(?:bms|batter|jbd|jk_|jikong|daly|seplos|pylon|pace))"
    r"(?=[\w.]+\])"
    r"|.{0,300}data in 0\.000 seconds"
)

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
    saying("not-connectable", EventKind.SEEN, "connectable'", r"connectable':\s?False"),
    saying("not-connectable", EventKind.SEEN, 'connectable"', r'connectable":\s?(?:false|False)'),
    saying("connectable", EventKind.SEEN, "connectable'", r"connectable':\s?True"),
    saying("connectable", EventKind.SEEN, 'connectable"', r'connectable":\s?(?:true|True)'),
    # bleak_retry_connector
    saying("connecting", EventKind.CONNECTING, "Connection attempt: ", r"attempt: (?P<attempt>\d{1,4})"),
    saying("connecting", EventKind.CONNECTING, "Connecting (attempt: "),
    saying("connected", EventKind.CONNECTED, "Connected (attempt: "),
    saying(
        "connected",
        EventKind.CONNECTED,
        "Connected after ",
        r"after (?P<attempts>\d{1,4}) attempt",
    ),
    saying("connect-timeout", EventKind.FAILED, "Timed out trying to connect"),
    saying(
        "connect-failed",
        EventKind.FAILED,
        "Failed to connect",
        r"connect(?:: | after \d| due to services| to peripheral)",
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
    saying("gone", EventKind.NOT_SEEN, " has disappeared", r"Device (?:\S{17} )?has", start=26),
    saying("gone", EventKind.NOT_SEEN, "device disappeared; Try restarting the scanner"),
    saying("slots-full", EventKind.SLOTS, "slot allocations are all full"),
    saying("slots-full", EventKind.SLOTS, "Out of connection slots, waiting"),
    saying("slots-full", EventKind.SLOTS, "No free BLE connection"),
    saying("slots-full", EventKind.SLOTS, "No slots available for ", r"for .{1,60}\(used by"),
    saying("scanners-paused", EventKind.SLOTS, "paused while connecting"),
    saying("scanners-paused", EventKind.SLOTS, "all are paused retrying connections"),
    saying("interference", EventKind.FAILED, "Interference/range"),
    saying("cache-used", EventKind.SERVICES, "cached services are valid and present"),
    saying("cache-used", EventKind.SERVICES, "Cached services hit"),
    saying("cache-used", EventKind.SERVICES, "Using cached services"),
    saying("cache-used", EventKind.SERVICES, "Connecting v3 with cache"),
    saying("cache-stale", EventKind.SERVICES, "not found in properties, cache invalid"),
    saying("cache-stale", EventKind.SERVICES, "cached services since they have vanished"),
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
    saying(
        "last-rssi",
        EventKind.SEEN,
        "check signal strength",
        r"strength \((?P<rssi>-\d{1,3}) dBm\)",
    ),
    saying("way-rssi", EventKind.SEEN, "(RSSI=", r"\(RSSI=(?P<rssi>-\d{1,3})\)"),
    saying("way-slots", EventKind.SLOTS, ", slots=", r"slots=(?P<free>\d{1,3})/(?P<limit>\d{1,3})\b"),
    saying("last-rssi", EventKind.SEEN, "last rssi: -", r"rssi: (?P<rssi>-\d{1,3})"),
    saying("no-connectable-scanner", EventKind.PROXY, "No connectable Bluetooth adapters"),
    saying("no-connectable-scanner", EventKind.PROXY, "Shelly devices are passive-only"),
    saying("not-connectable-path", EventKind.PROXY, "none with a connectable path"),
    saying("not-connectable-path", EventKind.PROXY, "only in non-connectable history"),
    # The scanners that hear it now are listed behind: here is none.
    saying(
        "no-longer-heard",
        EventKind.NOT_SEEN,
        "in connectable history; ",
        r"history; \d{1,3} scanner\(s\) registered, (?!0)\d{1,3} scanning, \d{1,3} connectable\W*$",
        start=-1,
    ),
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
    saying("adapter-reset", EventKind.ADAPTER, "successfully turned back ON", of_device=False),
    saying("scanner-stuck", EventKind.ADAPTER, "Error stopping scanner", of_device=False),
    saying("scanner-stuck", EventKind.ADAPTER, "Failed to force stop scanner", of_device=False),
    saying("scanner-start-failed", EventKind.ADAPTER, "Error starting scanner", of_device=False),
    saying("scanner-start-failed", EventKind.ADAPTER, "Failed to restart Bluetooth scanner", of_device=False),
    # bluetooth_auto_recovery
    saying(
        "adapter-not-reset",
        EventKind.ADAPTER,
        "Bluetooth adapter",
        r"adapter .{0,60}could not be reset|failed due to timeout",
        of_device=False,
    ),
    saying(
        "adapter-not-reset",
        EventKind.ADAPTER,
        "Could not ",
        r"Could not (?:(?:reset|determine) the power state of|cycle|power cycle|bring up|re-enable power)"
        r".{0,24} the Bluetooth adapter",
        of_device=False,
    ),
    saying("adapter-not-reset", EventKind.ADAPTER, " is OFF after power cycle", of_device=False),
    saying("adapter-not-reset", EventKind.ADAPTER, "Reset of hci", r"hci\d{1,2} timed out", of_device=False),
    saying("adapter-gone", EventKind.ADAPTER, "no BT controllers present", of_device=False),
    saying("adapter-gone", EventKind.ADAPTER, "seems not to exist (anymore)", of_device=False),
    saying("adapter-gone", EventKind.ADAPTER, "Could not find adapter with mac address", of_device=False),
    saying(
        "adapter-gone",
        EventKind.ADAPTER,
        "Bluetooth adapter ",
        r"adapter \S{1,16} with address \S{1,24} not found",
        of_device=False,
    ),
    saying("adapter-gone", EventKind.ADAPTER, " has moved to hci", r"mac address", start=50, of_device=False),
    saying("scanner-start-failed", EventKind.ADAPTER, "while starting bluetooth;", of_device=False),
    saying("scanner-start-failed", EventKind.ADAPTER, ": Failed to start Bluetooth: ", of_device=False),
    saying("scanner-start-failed", EventKind.ADAPTER, ": Timed out starting Bluetooth", of_device=False),
    saying("scanner-start-failed", EventKind.ADAPTER, ": DBus connection broken: ", of_device=False),
    saying("scanner-start-failed", EventKind.ADAPTER, ": Invalid DBus message received", of_device=False),
    saying("scanner-stuck", EventKind.ADAPTER, "passive scanning mode after active", of_device=False),
    saying("scanner-stuck", EventKind.ADAPTER, "Timeout force stopping scanner", of_device=False),
    saying("mgmt-permission", EventKind.ADAPTER, "MGMT capability check failed", of_device=False),
    saying("mgmt-permission", EventKind.ADAPTER, "rfkill at /dev/rfkill is not perm", of_device=False),
    saying(
        "mgmt-permission",
        EventKind.ADAPTER,
        "permission denied to ",
        r"to /dev/bus/usb.{0,20} while attempting USB",
        of_device=False,
    ),
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
        r"used=(?P<used>\d{1,3}),? free=(?P<free>\d{1,3}),? limit=(?P<limit>\d{1,3})"
        r"(?: allocated=\[(?P<held>[\d, ]{1,200})\])?",
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
    saying("proxy-link-timeout", EventKind.FAILED, "in bluetooth_device_connect"),
    saying(
        "open-failed",
        EventKind.FAILED,
        "state changed to connected=False",
        r"error=(?P<status>[1-9]\d{0,3})\b",
    ),
    saying(
        "open-failed",
        EventKind.FAILED,
        " while connecting: ",
        r"BleakError: .{0,80}Error (?P<status>\w{1,40}) while",
        start=140,
    ),
    saying("discovery-failed", EventKind.SERVICES, "Failed to get services from remote esp"),
    saying("discovery-failed", EventKind.SERVICES, "bluetooth_gatt_get_services", r"\d, in bl", start=6),
    saying("characteristic-unnamed", EventKind.SERVICES, "have a characteristic client config"),
    saying("characteristic-unnamed", EventKind.SERVICES, "does not have notify or indicate prop"),
    saying("link-lost", EventKind.LOST, "Disconnected during connect setup"),
    saying("gatt-timeout", EventKind.TIMED_OUT, "Timeout waiting for BluetoothGATT"),
    saying(
        "proxy-request-timeout",
        EventKind.PROXY,
        "Timeout waiting for ",
        r"Timeout waiting for (?:response for )?(?P<what>(?!BluetoothDeviceConnectionResponse)[<\w"
        r" .']{0,24}[A-Z]\w{3,60}(?:Request|Response))",
    ),
    saying(
        "link-lost",
        EventKind.LOST,
        "changed connection status while waiting",
        r"waiting.{0,300}?\((?P<reason>\d{1,3})\)",
    ),
    saying("link-lost", EventKind.LOST, "in _raise_for_ble_connection_change"),
    saying("proxy-too-old", EventKind.PROXY, "Upgrade the ESPHome version", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "ESP device disconnected"),
    saying("proxy-lost", EventKind.PROXY, "API connection gone"),
    saying("proxy-unreachable", EventKind.PROXY, "connect to ESPHome API for ", of_device=False),
    saying("proxy-unreachable", EventKind.PROXY, ", 6053)", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Ping response not received", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Ping Failed", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Ping timed out", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Connection error occurred: ", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Disconnected from ESPHome API", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Disconnected from API", of_device=False),
    saying("proxy-lost", EventKind.PROXY, "Network down; disconnect", of_device=False),
    saying("slot-kept", EventKind.SLOTS, "the proxy slot may stay allocated"),
    saying("slot-kept", EventKind.SLOTS, "Reconciling stale connection"),
    saying("slot-kept", EventKind.SLOTS, "Releasing orphaned ESP-side connection"),
    saying("slot-kept", EventKind.SLOTS, "unexpectedly connected, "),
    saying("slot-kept", EventKind.SLOTS, ": Failed waiting for disconnect"),
    saying("slot-kept", EventKind.SLOTS, "Proxy slot accounting is inconsistent", of_device=False),
    saying(
        "gatt-error",
        EventKind.REFUSED,
        "Bluetooth GATT Error",
        r"error=(?P<error>-?\d{1,4})(?: description=(?P<description>[\w ()]{1,60}))?",
    ),
    # The errors of ATT by their numbers [Core, Vol 3, Part F, 3.4.1.1].
    saying("wrong-handle", EventKind.REFUSED, "Bluetooth GATT Error", r" error=(?:1|10)\b"),
    saying("not-permitted", EventKind.REFUSED, "Bluetooth GATT Error", r" error=[23]\b"),
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
        # The beginnings of frames of JK, JBD, ANT, Daly and TDT
        r"\(cnt\.\):? (?:bytearray\(b['\"])?(?:55 ?aa ?eb ?90|U\\xaa\\xeb\\x90|dd ?0[345] ?[08]0"
        r"|\\xdd\\x0[345]\\x[08]0|7e ?a1|~\\xa1|d2 ?03|\\xd2\\x03|7e ?00 ?01 ?03|~\\x00\\x01\\x03)",
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
        "request-timeout", EventKind.TIMED_OUT, " timed out", r"_bms\].{0,40}eading .{1,30} timed", start=-1
    ),
    saying(
        "request-timeout",
        EventKind.TIMED_OUT,
        "basebms.py",
        r"basebms\.py\", line \d{1,5}, in (?:_await_\w{2,20}|_wait_\w{2,20})",
    ),
    saying(
        "request-error", EventKind.REFUSED, "TX BLE request error", r"error[^(]{0,40}\((?P<error>\w{1,40})\)"
    ),
    saying("init-failed", EventKind.TIMED_OUT, "failed to initialize BMS connection"),
    saying("init-failed", EventKind.TIMED_OUT, "Failed to initialise BMS"),
    saying("init-failed", EventKind.TIMED_OUT, "Failed to initialize BMS", r"BMS(?!!)"),  # bms-to-inverter's
    saying("timed-out", EventKind.TIMED_OUT, "communication timed out"),
    saying("timed-out", EventKind.TIMED_OUT, "communication timeout"),
    saying("timed-out", EventKind.TIMED_OUT, "Timeout fetching "),  # Home Assistant's own words for it
    saying("timed-out", EventKind.TIMED_OUT, "BMS is stale, triggering reconnect"),
    saying("communication-failed", EventKind.FAILED, "communication failed"),
    saying("communication-failed", EventKind.FAILED, "communicating failed"),
    saying("communication-failed", EventKind.FAILED, "Device communicating error"),
    saying("not-found", EventKind.NOT_SEEN, "Could not find battery with address"),
    saying("no-name", EventKind.INFO, "ailed to detect characteristics"),
    saying("not-found", EventKind.NOT_SEEN, "Failed to discover device"),
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
    saying(
        "bad-frame", EventKind.DAMAGED, "ncorrect ", r"ncorrect (?:SOF|SOI|EOF|EOI|frame|length|response)"
    ),
    saying(
        "bad-frame",
        EventKind.DAMAGED,
        "nvalid ",
        r"(?:invalid|_bms.*Invalid)"
        r" (?:SOF|EOF|start of|frame|packet header|length|page length|response received)",
        start=-1,
    ),
    saying(
        "bad-frame",
        EventKind.DAMAGED,
        "unexpected ",
        r"unexpected (?:SOF|response|message type|command|function code|reply(?! from D)|data, ign)",
    ),
    saying("bad-frame", EventKind.DAMAGED, "rong data length"),
    saying("bad-frame", EventKind.DAMAGED, "wrong register response"),
    saying("bad-frame", EventKind.DAMAGED, "frame end incorrect"),
    saying("bad-frame", EventKind.DAMAGED, "JSON decode error"),
    saying("bad-frame", EventKind.DAMAGED, "received message type 0x", r"0x[0-9A-Fa-f]+, expected"),
    saying("modbus-exception", EventKind.REFUSED, "Modbus error response: 0x"),
    saying("junk-bytes", EventKind.DAMAGED, "ing AT cmd"),
    saying("bad-frame", EventKind.DAMAGED, "response data is invalid"),
    saying(
        "unknown-version",
        EventKind.DAMAGED,
        "nknown ",
        r"nknown (?:frame version|protocol version|response frame version|message: )",
    ),
    saying("incomplete", EventKind.DAMAGED, "ncomplete ", r"ncomplete (?:data|response) (?:set|rec)"),
    saying("incomplete", EventKind.DAMAGED, "BMS data incomplete"),
    saying("wrong-secret", EventKind.PAIRING, "incorrect secret"),
    saying("wrong-secret", EventKind.PAIRING, "Incorrect secret"),
    saying("wrong-secret", EventKind.PAIRING, "unable to unlock BMS"),
    saying("wrong-secret", EventKind.PAIRING, "Failed to initialize connection with secret"),
    # Not of an integration that may take no answer for a success, nor where nothing was asked
    *(
        saying(
            "worked", EventKind.READ, words, rf"^(?!{_MAY_BE_EMPTY}).{{0,400}}{re.escape(words)}", start=-1
        )
        for words in ("(success: True)", "data recovered")
    ),
    saying("worked", EventKind.READ, "BMS data sample"),
)
