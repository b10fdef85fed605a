"""What tools print of a computer's Bluetooth, ports and CAN: the outputs that owners paste beside a log.

bluetoothctl, hciconfig, btmgmt, rfkill, systemctl, the kernel's log, lsusb, `ls -l /dev/serial/by-id`, and
`ip -details link`; see `blocks` for lines that belong to a head above them.
"""

from packwire.capture.events.address import ADDRESS
from packwire.capture.events.saying import saying
from packwire.event import EventKind

_DEVICE = rf"^Device {ADDRESS}(?: \(\w{{1,12}}\))? "
_CONTROLLER = rf"^Controller {ADDRESS}(?: \(\w{{1,12}}\))? "
#: USB converters and Bluetooth adapters that are met at packs, by vendor and product.
_CONVERTERS = r"(?:1a86:(?:7523|5523|55d[2-5])|0403:60(?:01|10|11|14|15)|10c4:ea(?:60|70)|067b:23[0-9a-f]{2})"
_BLUETOOTH = r"(?:0a12:0001|0bda:(?:8771|a728|c123|b00[0-9a-f])|33fa:0010|2357:0604|0a5c:21e8)"

SAYINGS = (
    # bluetoothctl info
    saying("host-connected", EventKind.CONNECTED, "Connected: yes", rf"{_DEVICE}Connected", start=-1),
    saying("host-paired", EventKind.PAIRING, "Paired: yes", rf"{_DEVICE}Paired", start=-1),
    saying("host-not-paired", EventKind.PAIRING, "Paired: no", rf"{_DEVICE}Paired", start=-1),
    saying("host-refuses", EventKind.REFUSED, "Blocked: yes", rf"{_DEVICE}Blocked", start=-1),
    saying("advertised-name", EventKind.SEEN, "Name: ", rf"{_DEVICE}Name: (?P<name>\S.{{0,47}})", start=-1),
    saying(
        "advertised-services",
        EventKind.SEEN,
        "UUID: ",
        rf"{_DEVICE}UUID: .{{1,60}}\((?P<services>[0-9a-f]{{8}}-[0-9a-f-]{{27}})\)",
        start=-1,
    ),
    # bluetoothctl devices: no name is made of the address itself
    saying(
        "advertised-name",
        EventKind.SEEN,
        "Device ",
        rf"^(?:\[(?:NEW|CHG)\] )?Device {ADDRESS} (?![0-9A-F]{{2}}-|{ADDRESS}|\()"
        r"(?P<name>[^:]{1,40})$",
        start=-1,
    ),
    # The computer's own adapters: bluetoothctl show, hciconfig -a, btmgmt info, rfkill
    saying("adapter-off", EventKind.ADAPTER, "Powered: no", _CONTROLLER, start=-1, of_device=False),
    saying("adapter-on", EventKind.ADAPTER, "Powered: yes", _CONTROLLER, start=-1, of_device=False),
    saying("blocked", EventKind.ADAPTER, "PowerState: off-blocked", of_device=False),
    saying("scans", EventKind.ADAPTER, "Discovering: yes", _CONTROLLER, start=-1, of_device=False),
    saying("adapter-off", EventKind.ADAPTER, "DOWN", r"^hci\d{1,2} DOWN\b", start=-1, of_device=False),
    saying("adapter-on", EventKind.ADAPTER, "UP RUNNING", r"^hci\d{1,2} UP", start=-1, of_device=False),
    saying(
        "adapter-off",
        EventKind.ADAPTER,
        "current settings: ",
        r"^hci\d{1,2} current settings: (?!.{0,300}\bpowered\b)",
        start=-1,
        of_device=False,
    ),
    saying(
        "adapter-on",
        EventKind.ADAPTER,
        "current settings: ",
        r"^hci\d{1,2} current settings: .{0,300}\bpowered\b",
        start=-1,
        of_device=False,
    ),
    saying(
        "adapter-without-le",
        EventKind.ADAPTER,
        "supported settings: ",
        r"^hci\d{1,2} supported settings: (?!.{0,300}\ble\b)",
        start=-1,
        of_device=False,
    ),
    saying("no-adapter", EventKind.ADAPTER, "Index list with 0 items", of_device=False),
    saying(
        "blocked",
        EventKind.ADAPTER,
        " blocked: yes",
        r"^\d{1,3}: \S{1,24}: Bluetooth (?:Soft|Hard) blocked: yes",
        start=-1,
        of_device=False,
    ),
    saying(
        "blocked",
        EventKind.ADAPTER,
        " bluetooth ",
        r"^\s{0,4}\d{1,3} bluetooth \S{1,24}\s+(?:blocked\s+(?:un)?blocked|unblocked\s+blocked)\s*$",
        start=-1,
        of_device=False,
    ),
    # systemctl status bluetooth
    saying(
        "bluez-missing",
        EventKind.ADAPTER,
        "bluetooth.service Active: ",
        r"Active: (?:inactive|failed|deactivating)\b",
        of_device=False,
    ),
    saying("bluez-runs", EventKind.ADAPTER, "bluetooth.service Active: active (running)", of_device=False),
    saying("bluez-missing", EventKind.ADAPTER, "Unit bluetooth.service could not be found", of_device=False),
    saying("bluez-missing", EventKind.ADAPTER, "Unit bluetooth.service is masked", of_device=False),
    # The kernel's log
    saying(
        "adapter-firmware",
        EventKind.ADAPTER,
        "irect firmware load for ",
        r"bluetooth.{0,80}failed with error -(?P<error>\d{1,3})",
        start=80,
        of_device=False,
    ),
    saying(
        "usb-errors",
        EventKind.PORT,
        "device descriptor read/",
        r"error -(?P<error>32|62|71|110)\b",
        of_device=False,
    ),
    saying("usb-errors", EventKind.PORT, "unable to enumerate USB device", of_device=False),
    saying("usb-errors", EventKind.PORT, "device not accepting address", of_device=False),
    saying(
        "usb-errors", EventKind.PORT, "over-current ", r"over-current (?:change|condition)", of_device=False
    ),
    saying("usb-gone", EventKind.PORT, "USB disconnect, device number", of_device=False),
    saying(
        "port-appeared",
        EventKind.PORT,
        "now attached to tty",
        r"attached to (?P<port>ttyUSB\d{1,2}|ttyACM\d{1,2})",
        of_device=False,
    ),
    # lsusb, ls -l /dev/serial/by-id
    saying("usb-serial", EventKind.PORT, ": ID ", rf"ID (?P<id>{_CONVERTERS})\b", of_device=False),
    saying("usb-bluetooth", EventKind.ADAPTER, ": ID ", rf"ID (?P<id>{_BLUETOOTH})\b", of_device=False),
    saying(
        "port-appeared",
        EventKind.PORT,
        " -> ../../ttyUSB",
        r"/(?P<port>ttyUSB\d{1,2})",
        of_device=False,
    ),
    saying("port-appeared", EventKind.PORT, " -> ../../ttyACM", r"/(?P<port>ttyACM\d{1,2})", of_device=False),
    saying(
        "no-usb-serial",
        EventKind.PORT,
        "cannot access '/dev/serial",
        r"serial(?:/by-\w{2,4})?/?': No such file",
        of_device=False,
    ),
    # ip -details link show: an interface that is not up, and what its counters say
    saying(
        "can-down",
        EventKind.BUS,
        ": <",
        r"^\d{1,3}: (?:v|sl)?can\d{1,2}: <(?![^>]{0,80}\bUP\b)",
        start=-1,
        of_device=False,
    ),
    saying(
        "can-bus-off",
        EventKind.BUS,
        "error-pass bus-off ",
        r"bus-off (?:\d{1,9} ){5}[1-9]",
        of_device=False,
    ),
    saying(
        "can-passive",
        EventKind.BUS,
        "error-pass bus-off ",
        r"bus-off (?:\d{1,9} ){4}[1-9]",
        of_device=False,
    ),
)
