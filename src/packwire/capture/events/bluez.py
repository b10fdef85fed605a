"""BlueZ, D-Bus, the kernel, bleak: the host's own Bluetooth, as programs and the system's log tell of it."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

#: A refusal of D-Bus may be of any service of the system.
_OF_BLUEZ = r"(?i)bluez|bluetooth|bleak|hci\d|bluetoothd|EXTERNAL|ObjectManager"

SAYINGS = (
    # D-Bus
    saying("dbus-missing", EventKind.ADAPTER, "DBus service not found", of_device=False),
    saying("dbus-missing", EventKind.ADAPTER, "'/run/dbus/system_bus_socket'", of_device=False),
    saying("dbus-missing", EventKind.ADAPTER, "'/var/run/dbus/system_bus_socket'", of_device=False),
    saying("dbus-missing", EventKind.ADAPTER, "/dbus/system_bus_socket: No such file", of_device=False),
    saying("bus-not-reached", EventKind.ADAPTER, "message_bus.py", r"\d, in _setup_socket", of_device=False),
    saying("dbus-rejected", EventKind.ADAPTER, "REJECTED: ['EXTERNAL']", of_device=False),
    saying(
        "dbus-rejected", EventKind.ADAPTER, "DBus.Error.AccessDenied", _OF_BLUEZ, start=-1, of_device=False
    ),
    saying(
        "dbus-rejected", EventKind.ADAPTER, "AppArmor policy prevents", _OF_BLUEZ, start=-1, of_device=False
    ),
    saying("dbus-rejected", EventKind.ADAPTER, "authentication failed: REJECTED", of_device=False),
    saying(
        "dbus-rejected",
        EventKind.ADAPTER,
        "open connection to system bus",
        r"bus: .{0,40}(?:AppArmor|denied|refused)",
        of_device=False,
    ),
    saying("mgmt-permission", EventKind.ADAPTER, "Unable to open mgmt_socket", of_device=False),
    saying("mgmt-permission", EventKind.ADAPTER, "Unable to open PF_BLUETOOTH socket", of_device=False),
    saying("mgmt-permission", EventKind.ADAPTER, "cannot create a bluetooth socket", of_device=False),
    saying("mgmt-permission", EventKind.ADAPTER, "rfkill: Permission denied", of_device=False),
    saying(
        "mgmt-permission",
        EventKind.ADAPTER,
        "ermission denied: '",
        r".{1,200}/bluepy-helper'",
        of_device=False,
    ),
    saying("bluez-missing", EventKind.ADAPTER, "The name org.bluez was not provided", of_device=False),
    saying("bluez-missing", EventKind.ADAPTER, "GetManagedObjects on org.bluez: ", of_device=False),
    saying(
        "bluez-missing", EventKind.ADAPTER, "DBus.Error.ServiceUnknown", _OF_BLUEZ, start=-1, of_device=False
    ),
    saying(
        "bluez-missing",
        EventKind.ADAPTER,
        "DBus.Error.UnknownObject",
        rf"^(?!.*org\.bluez\.(?:Adapter|Device|Gatt)).*(?:{_OF_BLUEZ[4:]})",
        start=-1,
        of_device=False,
    ),
    # An adapter that was there, and whose object went meanwhile; and that of a pack's characteristic.
    saying("adapter-gone", EventKind.ADAPTER, '"org.bluez.Adapter1" doesn\'t exist', of_device=False),
    saying("gatt-gone", EventKind.LOST, '"org.bluez.GattCharacteristic1" doesn\'t exist'),
    saying("gatt-gone", EventKind.LOST, '"org.bluez.Device1" doesn\'t exist'),
    # Adapters
    saying("no-adapter", EventKind.ADAPTER, "No Bluetooth adapters found", of_device=False),
    saying("no-adapter", EventKind.ADAPTER, "no Bluetooth adapters", of_device=False),
    saying("no-adapter", EventKind.ADAPTER, "No Bluetooth adapters with BLE", of_device=False),
    saying("no-adapter", EventKind.ADAPTER, "No powered Bluetooth adapters", of_device=False),
    saying("no-adapter", EventKind.ADAPTER, "No default controller available", of_device=False),
    saying("no-adapter", EventKind.ADAPTER, "adapter 'hci", r"adapter 'hci\d+' not found", of_device=False),
    # A serial port or an address in place of an adapter's name.
    saying(
        "config-issue",
        EventKind.ADAPTER,
        "' not found",
        r"adapter '(?!hci\d)\S{1,40}' not found",
        start=50,
        of_device=False,
    ),
    saying("not-ready", EventKind.ADAPTER, "org.bluez.Error.NotReady", of_device=False),
    saying("blocked", EventKind.ADAPTER, "rfkill", r"(?:[Bb]locked|RF-kill)", start=60, of_device=False),
    saying("in-progress", EventKind.ADAPTER, "org.bluez.Error.InProgress", of_device=False),
    saying("in-progress", EventKind.ADAPTER, "DBusError: Operation already in progress", of_device=False),
    saying("in-progress", EventKind.ADAPTER, "BleakScanner is already scanning on this", of_device=False),
    saying(
        "opcode-failed",
        EventKind.ADAPTER,
        "pcode 0x",
        r"pcode 0x ?(?P<opcode>[0-9a-f]{1,4}) failed: (?P<error>-\d{1,3})",
        of_device=False,
    ),
    saying(
        "opcode-failed",
        EventKind.ADAPTER,
        " tx timeout",
        r"(?:command|link) (?:0x[0-9a-f]{4} )?tx timeout",
        start=30,
        of_device=False,
    ),
    saying(
        "opcode-failed",
        EventKind.ADAPTER,
        "hardware error 0x",
        r"hci\d.{0,40}hardware error",
        start=50,
        of_device=False,
    ),
    saying("opcode-failed", EventKind.ADAPTER, "Frame reassembly failed", of_device=False),
    saying("opcode-failed", EventKind.ADAPTER, "initial HCI reset failed", of_device=False),
    saying("adapter-confused", EventKind.ADAPTER, "ACL packet for unknown connection", of_device=False),
    saying("no-matching-connection", EventKind.ADAPTER, "No matching connection for device", of_device=False),
    # The daemon itself went away
    *(
        saying("bluetoothd-ended", EventKind.ADAPTER, words, pattern, start=-1, of_device=False)
        for words, pattern in (
            ("recipient disconnected from message bus", "NoReply"),
            ("Disconnected from D-Bus. Exiting", r"bluetoothd\["),
            ("bluetooth.service: ", r"Main process exited|Failed with result|killed"),
            ("segfault at ", r"bluetoothd\["),
        )
    ),
    saying("bus-lost", EventKind.ADAPTER, "disconnect failed! (EOFError)", of_device=False),
    saying("bus-lost", EventKind.ADAPTER, "Failed to cancel connection", r"Errno|EOF", of_device=False),
    saying(
        "bus-lost",
        EventKind.ADAPTER,
        "message_bus.py",
        r"EOFError|Bad file descr|Broken pipe",
        of_device=False,
    ),
    # Connections
    saying("abort-by-local", EventKind.FAILED, "le-connection-abort-by-local"),
    saying("abort-by-local", EventKind.FAILED, "org.bluez.Error.Failed: Input/output error"),
    saying("abort-by-remote", EventKind.LOST, "le-connection-abort-by-remote"),
    saying("connect-failed", EventKind.FAILED, "br-connection-"),
    saying(
        "not-found",
        EventKind.NOT_SEEN,
        "was not found",
        r"(?:[Dd]evice|address)[^.]{0,80}was not found\b",
        start=100,
    ),
    saying("not-found", EventKind.NOT_SEEN, "not found. Is it powered on and in range?"),
    saying("not-found", EventKind.NOT_SEEN, "not found (adapter="),
    saying("not-found", EventKind.NOT_SEEN, "dev_", r"dev_[0-9A-F_]{17}' not found"),
    saying("removed-from-bus", EventKind.NOT_SEEN, "Device was removed from bus"),
    saying("removed-from-bus", EventKind.NOT_SEEN, "may have been removed from BlueZ"),
    saying("not-connected", EventKind.LOST, "Error.Failed] Not connected"),
    saying("discovery-failed", EventKind.SERVICES, "failed to discover services"),
    saying("discovery-failed", EventKind.SERVICES, "ervices discovery error"),
    saying("link-lost", EventKind.LOST, " not found, device may be disconnected"),
    saying("link-lost", EventKind.LOST, "AcquireNotify: Read error on fd"),
    saying("discovery-failed", EventKind.SERVICES, "Service Discovery has not been performed"),
    # Pairing
    saying("pairing-failed", EventKind.PAIRING, "org.bluez.Error.AuthenticationFailed"),
    saying("pairing-failed", EventKind.PAIRING, "org.bluez.Error.AuthenticationRejected"),
    saying("pairing-failed", EventKind.PAIRING, "org.bluez.Error.AuthenticationCanceled"),
    saying("pairing-failed", EventKind.PAIRING, "Pairing failed"),
    saying("pairing-failed", EventKind.PAIRING, "SMP: Pairing Failed"),
    saying("pairing-failed", EventKind.PAIRING, "Failed to pair: org.bluez.Error", r"Error\.Authentication"),
    saying("pairing-failed", EventKind.PAIRING, "failed to pair with "),
    saying("link-ended", EventKind.LOST, " disconnected with reason ", r"reason (?P<reason>\d{1,3})"),
    saying("security", EventKind.PAIRING, "Connection Rejected Due To Security"),
    saying(
        "security",
        EventKind.PAIRING,
        "nsufficient ",
        # Behind a lost link stands its reason, in the words for an ATT error of the same number.
        r"nsufficient (?:[Aa]uthentication|[Ee]ncryption|[Aa]uthorization)(?! \(\d)",
    ),
    saying("security", EventKind.PAIRING, "ATT error: 0x", r"ATT error: 0x0?(?:5|8|c|f)\b"),
    saying("unlikely", EventKind.PAIRING, "ATT error: 0x0e"),
    saying("unlikely", EventKind.PAIRING, "Unlikely Error"),
    saying("wrong-handle", EventKind.REFUSED, "ATT error: 0x01"),
    saying("wrong-handle", EventKind.REFUSED, "Invalid Handle"),
    saying("not-permitted", EventKind.REFUSED, "ATT error: 0x03"),
    saying("not-permitted", EventKind.REFUSED, "Write Not Permitted"),
    saying("not-permitted", EventKind.REFUSED, "Write not permitted"),
    saying("not-permitted", EventKind.REFUSED, "org.bluez.Error.NotSupported"),
    saying("notify-failed", EventKind.REFUSED, "Failed to register notify session"),
    saying("notify-failed", EventKind.REFUSED, "Failed to subscribe"),
    saying("notify-acquired", EventKind.REFUSED, "Notify acquired"),
    saying("notify-acquired", EventKind.REFUSED, "Write acquired"),
    # Who is refused for another client is told so; the others have no right to do what they ask for.
    saying(
        "not-permitted",
        EventKind.REFUSED,
        "org.bluez.Error.NotPermitted",
        r"^(?!.*(?:acquired|Not paired))",
        start=-1,
    ),
    saying("security", EventKind.PAIRING, "org.bluez.Error.NotPermitted", r"NotPermitted\W{1,3}Not paired"),
    saying("security", EventKind.PAIRING, "org.bluez.Error.NotAuthorized"),
    # Characteristics
    saying("duplicate-uuid", EventKind.SERVICES, "Multiple Characteristics with this UUID"),
    saying("duplicate-uuid", EventKind.SERVICES, "Multiple Services with this UUID"),
    saying(
        "characteristic-missing",
        EventKind.SERVICES,
        "haracteristic ",
        r"haracteristic (?:with UUID"
        r" )?(?P<wanted>None|[0-9A-Fa-f]{4}(?:[0-9A-Fa-f]{4}-[0-9A-Fa-f-]{27})?|\d{1,4})"
        r" (?:was not found|could not be found|not found|is not available)",
    ),
    saying("characteristic-missing", EventKind.SERVICES, "haracteristic (rx) not found"),
    saying("service-missing", EventKind.SERVICES, " not found (have "),
    saying("service-missing", EventKind.SERVICES, "No control service found"),
    saying("service-missing", EventKind.SERVICES, "No known BLE UUIDs found"),
    saying("service-missing", EventKind.SERVICES, "Could not detect BLE UUIDs"),
    saying("service-missing", EventKind.SERVICES, "No notification service found"),
    saying("service-missing", EventKind.SERVICES, "not an JK BMS..?"),
    saying(
        "has-service",
        EventKind.SERVICES,
        "ervice",
        r"(?:^|[\]\s])(?<!at )(?:\[?[Ss]ervice\]?|SVC)(?: UUID)?:? (?:0x)?(?P<service>[0-9A-Fa-f]{4}"
        r"(?:[0-9A-Fa-f]{4}-[0-9A-Fa-f-]{27})?)(?![0-9A-Za-z-])",
        start=3,
    ),
    saying("has-service", EventKind.SERVICES, "SVC ", r"SVC (?P<service>[0-9a-f]{8}-[0-9a-f-]{27})"),
    saying(
        "has-characteristic",
        EventKind.SERVICES,
        "- ",
        r"- (?P<uuid>[0-9A-Fa-f]{4}(?:[0-9A-Fa-f]{4}-[0-9A-Fa-f-]{27})?): (?P<properties>[A-Z][\w"
        r" ,-]{3,80})$",
    ),
    saying(
        "has-characteristic",
        EventKind.SERVICES,
        "(Handle: ",
        r"(?P<uuid>[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}) \(Handle: \d{1,5}\): (?P<text>[\w ]{1,40}):?"
        r" ?\(?(?P<properties>[a-z][a-z,-]{3,80})",
        start=60,
    ),
    saying(
        "has-characteristic",
        EventKind.SERVICES,
        "discovered ",
        r"discovered (?P<uuid>[0-9a-fA-F]{4}(?:[0-9A-Fa-f]{4}-[0-9A-Fa-f-]{27})?) \(#\d{1,5}\):"
        r" \[(?P<properties>[a-z', -]{3,90})\]",
    ),
    saying(
        "has-characteristic",
        EventKind.SERVICES,
        "haracteristic 0x",
        r"haracteristic 0x(?P<uuid>[0-9A-Fa-f]{4}), handle 0x[0-9a-fA-F]{1,4}, properties"
        r" 0x(?P<bits>[0-9a-fA-F]{1,2})",
    ),
    # The services that BlueZ kept of an earlier firmware, beside those that it finds now
    saying("services-changed", EventKind.SERVICES, " is already present in this BleakGATTServ"),
    saying("services-removed", EventKind.SERVICES, "[DEL] ", r"(?:Characteristic|Service|Descriptor) \("),
    # btmon
    saying("att-error", EventKind.REFUSED, "ATT: Error Response"),
    saying(
        "hci-disconnect",
        EventKind.LOST,
        "Reason: ",
        r"Reason: (?P<reason>[\w /()-]{4,60}) \(0x(?P<code>[0-9a-f]{2})\)",
    ),
    saying("hci-connected", EventKind.CONNECTED, "LE Enhanced Connection Complete"),
    saying("hci-connected", EventKind.CONNECTED, "LE Connection Complete"),
    saying("received", EventKind.NOTIFIED, "ATT: Handle Value Notification"),
    saying("sent", EventKind.WRITTEN, "ATT: Write "),
)
