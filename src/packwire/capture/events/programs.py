"""Which program wrote a line, whether its debug lines are on, and which plugin speaks."""

import re
from functools import lru_cache

from packwire.capture.events.address import ADDRESS

#: Home Assistant's page of logs names the logger above what was said, in the language of who looks at it.
_ON_A_PAGE = r"^\W{0,4}\w{4,14} ?: "
#: What prints the state of a computer: who pasted it may have asked at another time than the log is of.
SYSTEM_TOOLS = "system tools"
_OF_TOOLS = (
    rf"^(?:Device|Controller) {ADDRESS} \(|"
    r"^hci\d{1,2}(?: |:\t)|^bluetooth\.service "
    r"|^\d{1,3}: (?:hci\d{1,2}: Bluetooth|(?:v|sl)?can\d{1,2}: <)|^Index list with|^Bus \d{3} Device \d{3}:"
    r"|^Unit bluetooth|^\s{0,4}\d{1,3} bluetooth hci"
)
#: A program by the loggers and components that it writes under; the first that is in a line counts.
_PROGRAMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        (
            "habluetooth",
            _ON_A_PAGE + r"(?:habluetooth|bluetooth_auto_recovery|homeassistant\.components\.bluetooth)"
            r"|\[habluetooth[.\]\w]|[/\\]habluetooth[/\\]",
        ),
        (
            "bleak_retry_connector",
            _ON_A_PAGE
            + r"bleak_retry_connector|\[bleak_retry_connector[.\]\w]|[/\\]bleak_retry_connector[/\\]",
        ),
        ("bleak_esphome", r"\[(?:bleak_esphome|aioesphomeapi|homeassistant\.components\.esphome)[.\]\w]"),
        (
            "aiobmsble",
            _ON_A_PAGE + r"(?:custom_components\.bms_ble|aiobmsble)|\baiobmsble\.(?:bms|basebms)"
            r"|\[(?:custom_components\.)?bms_ble[.:\]\w]|[/\\]aiobmsble[/\\]|custom_components/bms_ble/"
            r"|BMS communication (?:failed|timed)",
        ),
        ("dbus-serialbattery", r"SerialBattery|dbus-serialbattery"),
        (
            "batmon",
            (
                r"(?:INFO|DEBUG|WARNING|ERROR)"
                r" +\[(?:bt|main|sampling|jikong|client|store|scan|__init__)(?:\.py:\d+)?\]|bmslib/"
            ),
        ),
        ("uart_debug", r"\[uart_debug:\d"),
        ("daly2mqtt", r"<(?:UART|DALY-BMS[\w -]{0,12})> "),
        ("esphome", r"\[(?:[EWICDV]|VV)\]\s{0,2}\[[\w.-]+(?::\d{1,5})?\]|ESPHome API"),
        (
            "mpp-solar",
            r"DalySerialIO|mppsolar|mpp-solar|powermon|INFO:device:|Got response: b|jkble(?:delegate|io)",
        ),
        ("bt-sensors", r"\bbt-sensors-plugin-sk\b"),
        ("renogy-bt", r":(?:BaseClient|BLEManager):|renogy_?bt"),
        ("bsc", r"\b(?:BSC_SERIAL|BLE_HANDLER|BSC_\w{2,12}): "),
        ("modbus", r"pymodbus[.\]/]|minimalmodbus|uModBus|mbusd-|\btty: (?:trying|state|response)"),
        (
            "can-inverter",
            (
                r"BmsToInverter|BMS #\d|toinverter|BmsCANProcessor"
                r"|\| (?:DEBUG|INFO|WARN|ERROR) {1,2}\| Thread-\d"
            ),
        ),
        (
            "battery-emulator",
            (
                r"SerialDataLink|Battery-Emulator|on the (?:bus|BUS) to ACK"
                r"|Check (?:CAN wire|hardware or bitrate)"
            ),
        ),
        ("bluez", r"\bbluetoothd\[|\bkernel:|Bluetooth: hci\d"),
        (SYSTEM_TOOLS, _OF_TOOLS),
        ("btmon", r"^[<>@] (?:HCI|ACL|MGMT) |^ {6,}ATT: "),
        ("opendtu", r"\] (?:JK|JBD) BMS: "),
        ("vedirect", r"\b(?:WRN|INF|ERR|DBG)\.VE\."),
        ("vesc", r"Status: (?:No firmware|Connected \()|COMM_GET_VALUES|\bVESC\b|[Vv]esc"),
        ("bluepy", r"\bbluepy[./]|BluetoothBattery:"),
        ("nimble", r"\bNimBLE\w{0,24}: "),
        ("bleak", r"\bbleak[./]"),
    )
)
#: Home Assistant's logs hold what all of its integrations say; these loggers may speak of a battery.
_HEAD_OF_HA = re.compile(r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \([^)]{1,40}\) \[(?P<logger>[\w.:-]{1,100})")
_ABOVE = re.compile(
    _ON_A_PAGE
    + r"(?P<logger>(?:custom_components\.|homeassistant\.|habluetooth|aiobmsble|bleak|bluetooth_)[\w.]*)\W*"
)
_OF_BATTERIES = re.compile(
    r"bms|\bble(?:ak|_|\.|$)|custom_components\.\w*_ble\b|batter|batmon|bluetooth|esphome|config_entries|jk_?bms|jbd|daly|seplos|pace|pylon|victron"
    r"|solar|renogy|modbus|homeassistant\.util\.logging|asyncio|vesc|bluetti|ecoflow|solix|zendure|marstek"
    r"|shunt|inverter|\bbm[267]\b",
    re.IGNORECASE,
)
_DEBUG = re.compile(r"\bDEBUG\b|\[(?:D|V|VV)\]\s{0,2}\[")
#: What ESPHome writes of a connection, it writes at this level.
_VERBOSE = re.compile(r"\[VV?\]\s{0,2}\[")
_PLUGIN = re.compile(
    r"(?:aiobmsble\.bms|bms_ble(?:\.plugins)?)\.(?P<plugin>\w{2,30})_bms\b"
    r"|\] connecting bms (?P<batmon>\w{2,30}?)(?:Bt|BMS)\("
    r"|\]\s{0,2}\[(?P<component>\w{2,30}_(?:bms|balancer)_ble|\w{2,30}_(?:bms|bms_modbus)|\w{2,20}_dl24)\b"
)


#: Programs of other things that write to serial ports and buses as well: printers, Zigbee, GPS, heating.
_OF_OTHER_THINGS = re.compile(
    r"(?i)\b(?:octoprint|klippy|klipper|moonraker|zigbee2mqtt|zwave-js\S{0,4}|gpsd|avrdude|cupsd|ebusd"
    r"|upsd|upsmon|usbhid-ups)(?:\[\d{1,8}\]|\.[\w.]{1,60} - \w{4,8} -|:\w{1,12})?:? "
    r"|\bz(?:2m|h(?::\w{2,20})?): |\bmcu '\w"
)


def of_other_things(line: str) -> bool:
    """Tell whether a program that has nothing to do with batteries begins a line with its name."""
    return _OF_OTHER_THINGS.search(line, 0, _HEAD) is not None


#: Heads of lines whose writer is remembered.
_MAX_HEADS, _HEAD = 4096, 90
_OF_TIMES = "0123456789-:.,+TZ[ "
_NO_DIGITS = str.maketrans("", "", "0123456789")


def of_others(line: str) -> bool | None:
    """Return whether a line of Home Assistant is of something else than batteries; None: it has no logger."""
    found = _HEAD_OF_HA.search(line, 0, 160) if ") [" in line[:140] else None
    if found is None and named_above(line):
        found = _ABOVE.fullmatch(line)
    return None if found is None else _is_foreign(found["logger"])


@lru_cache(1024)
def _is_foreign(logger: str) -> bool:
    return _OF_BATTERIES.search(logger) is None


def named_above(line: str) -> bool:
    """Tell whether a line may only name the logger of those below it."""
    return ": " in line[:20] and len(line) < 120


class Writers:
    """Tells who wrote a line; lines that begin alike were written by the same."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, bool] | None] = {}

    def __call__(self, line: str) -> tuple[str, bool] | None:
        """Return the same as `program_of`."""
        end = line.rfind("]", 0, _HEAD)
        head = line[:end].lstrip(_OF_TIMES) if end > 0 else line[:_HEAD].translate(_NO_DIGITS)
        if head not in self._known:
            if len(self._known) >= _MAX_HEADS:
                self._known.clear()
            self._known[head] = program_of(line)
        return self._known[head]


def program_of(line: str) -> tuple[str, bool] | None:
    """Return which program wrote a line, and whether it is one of its debug lines; None: not told."""
    for name, pattern in _PROGRAMS:
        if pattern.search(line):
            debugged = _VERBOSE if name == "esphome" else _DEBUG
            return name, debugged.search(line[:120]) is not None
    return None


def plugin_of(line: str) -> str:
    """Return the plugin, driver or component that a line is from; '' where it does not say."""
    if (
        "_bms" not in line
        and "connecting bms" not in line
        and "_balancer" not in line
        and "_dl24" not in line
    ):
        return ""
    found = _PLUGIN.search(line)
    if not found:
        return ""
    return (found["plugin"] or found["batmon"] or found["component"]).lower()
