"""Bluetooth elsewhere than in BlueZ's own words: bluepy, gatt, macOS, Windows, NimBLE, Node.js."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

SAYINGS = (
    # bluepy: the codes of its errors are those of ATT and of BlueZ's management interface.
    saying("not-permitted", EventKind.REFUSED, "error: Attribute can't be", r"can't be (?:written|read)"),
    saying("security", EventKind.PAIRING, "Attribute requires authentication"),
    saying("wrong-handle", EventKind.REFUSED, "error: Invalid handle"),
    saying("service-missing", EventKind.SERVICES, "BTLEGattError: Service ", r"Service .{1,60} not found"),
    saying(
        "characteristic-missing",
        EventKind.SERVICES,
        "BTLEGattError: Characteristic ",
        r"Characteristic (?P<wanted>[0-9A-Fa-f]{4}|[0-9A-Fa-f-]{36}) not found",
    ),
    saying(
        "no-adapter",
        EventKind.ADAPTER,
        "management command",
        r"command .{1,60}Invalid Index",
        of_device=False,
    ),
    saying(
        "mgmt-permission",
        EventKind.ADAPTER,
        "management command",
        r"command .{1,60}Permission Denied",
        of_device=False,
    ),
    saying("link-lost", EventKind.LOST, "BTLEDisconnectError: Device disconnected"),
    # bleak in its older forms, and on macOS and Windows
    saying("connect-failed", EventKind.FAILED, "Connection was not successful!"),
    # The system says the same of any socket.
    saying(
        "abort-by-local",
        EventKind.FAILED,
        "Software caused connection abort",
        r"(?i)^(?!.*(?:\bsocket|wifi|ssh|http|mqtt|\btcp)).*Software",
        start=-1,
    ),
    saying("not-permitted", EventKind.REFUSED, "Writing is not permitted"),
    saying("not-permitted", EventKind.REFUSED, "Reading is not permitted"),
    saying("security", EventKind.PAIRING, "Authentication is insufficient"),
    saying("security", EventKind.PAIRING, "Encryption is insufficient"),
    saying("pairing-failed", EventKind.PAIRING, "Peer removed pairing information"),
    saying("connect-failed", EventKind.FAILED, "services: Unreachable"),
    saying("connect-failed", EventKind.FAILED, "Failed to connect: Unreachable"),
    saying("access-denied", EventKind.ADAPTER, "Bluetooth access is denied by the user", of_device=False),
    saying("access-denied", EventKind.ADAPTER, "Bluetooth access is restricted for", of_device=False),
    saying("blocked", EventKind.ADAPTER, "Bluetooth device is turned off", of_device=False),
    saying("blocked", EventKind.ADAPTER, "Bluetooth is not turned on", of_device=False),
    saying("service-missing", EventKind.SERVICES, " not found, available services"),
    saying("service-missing", EventKind.SERVICES, "Required service ", r"service [0-9a-fA-F-]{4,36} not on"),
    saying("not-found", EventKind.NOT_SEEN, "BleakDeviceNotFoundError"),
    saying("characteristic-unnamed", EventKind.SERVICES, "(BleakCharacteristicNotFoundError)"),
    # Programs that use them
    saying("connect-failed", EventKind.FAILED, "Error connecting to device"),
    saying("connect-failed", EventKind.FAILED, "Error while connecting to BLE client"),
    saying("connect-failed", EventKind.FAILED, "Bluetooth stack failed"),
    saying("connect-failed", EventKind.FAILED, "Connection failure occurred"),
    saying("connect-timeout", EventKind.FAILED, "bluetooh LE connection to address", r"took to long"),
    saying("not-found", EventKind.NOT_SEEN, "BLE client not found: "),
    saying("not-connected", EventKind.FAILED, "No BLE client connection - returning"),
    saying("link-lost", EventKind.LOST, "bluetooh device with address", r"address: \S{17} disconnected"),
    saying("link-lost", EventKind.LOST, "Bluetooth connection interrupted. Got no"),
    saying("timed-out", EventKind.TIMED_OUT, "aiobmsble coroutine timed out"),
    saying("no-bms", EventKind.FAILED, "No battery connection at ", r"at (?:aiobmsble_|\w{2,20}_[Bb]le)"),
    saying("unknown-type", EventKind.INFO, "is not supported. Supported BMS types", r"type \S", start=60),
    saying("connect-failed", EventKind.FAILED, "ailed connecting", r"ailed connecting(?: to|:)"),
    saying("connect-timeout", EventKind.FAILED, "Connection failed: (", r"TimeoutError"),
    saying("link-lost", EventKind.LOST, "Connection failed: Disconnected"),
    saying("not-found", EventKind.NOT_SEEN, "Device not found: "),
    saying("frame-read", EventKind.READ, "on_data_received: response for read operation"),
    # bt-sensors-plugin-sk of Signal K; node-ble's time-out is that of a device that is not heard.
    saying(
        "not-discovered",
        EventKind.NOT_SEEN,
        "Unable to communicate with device ",
        r"Reason: (?:Error: )?operation timed out",
    ),
    saying("no-devices", EventKind.ADAPTER, "No contact with any sensors for ", of_device=False),
    saying(
        "adapter-off", EventKind.ADAPTER, "Bluetooth Adapter ", r"Adapter \S+ not powered", of_device=False
    ),
    saying("connect-failed", EventKind.FAILED, "Error connecting to device. Retrying"),
    saying("request-timeout", EventKind.TIMED_OUT, "Response timed out", r"bt-sensors-.*Response", start=-1),
    saying("request-timeout", EventKind.TIMED_OUT, "Error encountered calling getBuffer"),
    saying("request-timeout", EventKind.TIMED_OUT, " did not respond: ", r"Frame head 0x\S+ did", start=16),
    saying("bad-frame", EventKind.DAMAGED, "malformed packet received"),
    saying("bad-frame", EventKind.DAMAGED, "Received invalid ", r"invalid (?:decrypted )?buffer "),
    # Arduino's example of a client, of which most sketches are made
    saying("connecting", EventKind.CONNECTING, "Forming a connection to "),
    saying("connected", EventKind.CONNECTED, " - Connected to server"),
    saying("connect-failed", EventKind.FAILED, "have failed to connect to the server"),
    saying("service-missing", EventKind.SERVICES, "Failed to find our service UUID"),
    saying("characteristic-unnamed", EventKind.SERVICES, "Failed to find our characteristic UUID"),
    # renogy-bt
    saying("request-timeout", EventKind.TIMED_OUT, "on_read_timeout => Timed out"),
    saying("link-lost", EventKind.LOST, "Unexpected disconnect from device"),
    # Home Assistant's own tracker
    saying("connect-timeout", EventKind.FAILED, "Timeout when trying to get battery status"),
    # bleak's examples, which many scripts were made of
    saying("connected", EventKind.CONNECTED, "Connected: True", r"^\W*Connected: True\W*$", start=-1),
    saying("received", EventKind.NOTIFIED, "Notification from ", r"from [0-9a-f]{8}-[0-9a-f-]{27} \(Handle"),
    # NimBLE adds 0x200 to what the controller says.
    saying("no-link", EventKind.FAILED, "Connection failed; status=574"),
    saying(
        "no-link", EventKind.FAILED, "isconnected", r"isconnected\W.{0,12}reason ?[=:]? ?(?:0[xX]3[eE]|574)\b"
    ),
    saying(
        "client-lost",
        EventKind.LOST,
        "isconnected",
        r"isconnected\W.{0,12}reason ?[=:]? ?(?P<reason>5(?!74)[1-7]\d)\b",
    ),
    saying("open-failed", EventKind.FAILED, "connect device failed, status", r"status (?P<status>\d{1,4})"),
    saying("open-failed", EventKind.FAILED, "Connection failed; status=", r"status=(?P<status>\d{1,4})"),
    saying("discovery-failed", EventKind.SERVICES, "could not retrieve services"),
    # `bluetoothctl info`, as programs write it into their logs: the computer itself holds the pack.
    saying(
        "host-connected", EventKind.CONNECTED, "Connected: yes", r"^[\d\s:.@a-f-]*Connected: yes", start=-1
    ),
    saying("pairing-failed", EventKind.PAIRING, "(Authentication Failed)"),
    # btmon: why a link ended, in its own words.
    saying("no-link", EventKind.FAILED, "Established (0x3e)"),
    saying("link-lost", EventKind.LOST, "Connection Timeout (0x08)", r"\(0x(?P<reason>08)\)"),
    saying("pairing-failed", EventKind.PAIRING, "Authentication Failure (0x05)"),
    saying("pairing-failed", EventKind.PAIRING, "PIN or Key Missing (0x06)"),
    saying("pairing-failed", EventKind.PAIRING, "MIC Failure (0x3d)"),
)
