"""What to ask the owner for: for each kind of cause what settles it, for each program what to switch on."""

from packwire.check import Facts, PossibleCause
from packwire.doctor.log.facts import SaidFacts, WriterFacts
from packwire.doctor.log.heard import HeardFacts

#: What tells whether it is this cause: an experiment, a question, a line.
SETTLES: dict[str, str] = {
    "ble.no-free-slot": "habluetooth's line `Found n connection path(s) .. (slots=a/b free)` or `BLE"
    " connection"
    " limits: used= free= limit=` of the same minute: 0 free decides it; a free slot and an old last"
    " advertisement rule it out",
    "ble.proxy-network": "the proxy's own log of the same minutes: its Wi-Fi signal, its uptime, whether"
    " it lost"
    " its network or restarted",
    "ble.weak-signal": "the signal strength (rssi) over some minutes (one value is a hint and no proof),"
    " and one"
    " try with the proxy or adapter beside the pack and the phone's Bluetooth off",
    "ble.phantom-connection": "whether the pack's LED says connected, and `bluetoothctl info ADDRESS`"
    " (Connected:"
    " yes?) meanwhile; whether disconnecting there or replugging the adapter cures it",
    "ble.pack-stuck": "the same try with another adapter, proxy or a phone, and whether restarting the"
    " pack alone"
    " cures it",
    "ble.interference": "the same try with the adapter on an extension cable, away from USB 3 and the Wi-Fi"
    " antenna, with no hotspot on the same chip, or with another adapter",
    "proxy.passive": "the proxy's configuration: `bluetooth_proxy: active: true`? (a Shelly can only listen);"
    " the line `Connecting scanner feature_flags=.. connectable=`",
    "proxy-too-old": "the ESPHome version of the proxy",
    "gatt.stale-cache": "whether it is gone after the cache was removed (`bluetoothctl remove ADDRESS`, then"
    " restart), and a fresh list of services and characteristics",
    "gatt.duplicate-uuid": "the list of services and characteristics with handles and properties",
    "write-mode": "the properties of the characteristic that is written (write, write-without-response),"
    " and a log"
    " in which both ways of writing are tried",
    "wrong-type-matched": "the maker's name and model, what the pack advertises (name, services, manufacturer"
    " data), and what it sent (a verbose log)",
    "wrong-type-configured": "the maker's name and model, and the list of services (a GATT dump, such as nRF"
    " Connect shows)",
    "cut-frames": "the raw notifications with times (VERY_VERBOSE) and the MTU line (`cfg_mtu status 0,"
    " mtu N`)",
    "pairing-needed": "whether the app or the system asks for a PIN when it connects, and the pairing"
    " line (`auth"
    " success .. mode = 9` is Just Works, 13 a passkey; `bluetoothctl info`: Paired, Bonded)",
    "password-needed": "whether notifications arrive at all (raise the log level), whether a password"
    " was ever"
    " set, and a capture of the vendor's app",
    "protocol-variant": "the first piece of a frame, from the beginning of a connection on, with the"
    " model and the"
    " firmware version",
    "protocol-changed-by-update": "the firmware version (and the one before), and the list of services and"
    " characteristics (a GATT dump)",
    "polling-too-fast": "the requests with their times and the pieces of the answers as they came, not"
    " joined;"
    " whether it is gone with a longer update interval",
    "two-clients.ble": "the script or the configuration: every client, component and program that uses this"
    " address, and whether each disconnects (as many equal lines as there are packs are a hint)",
    "two-clients.bus": "a recording with the other master (the inverter) connected: requests that one did not"
    " send, or garbled frames; and one with it unplugged",
    "reader-bug.framing": "the requests of the same seconds with the raw answers (a verbose log), and"
    " the version"
    " of the program",
    "reader-bug.checksum": "one whole frame in hex that was refused, with the complaint, and the version"
    " of the"
    " program",
    "reader-bug.other": "the whole traceback, and whether the newest version does it too",
    "serial.wiring": "which pins are used (GPIO1 and GPIO3 are UART0, which the USB converter shares),"
    " whether the"
    " LEDs of the converter blink for both directions, whether the grounds are joined; volts at RX while"
    " nothing"
    " is sent (some 3.3 V); another cable",
    "serial.noise": "whole frames with their checksums, refused ones beside good ones; the length of the"
    " cable,"
    " the ground, a try with a short one",
    "serial.protocol-setting": "which protocol the BMS is set to on this port (app, display or switches), and"
    " which of its ports is used",
    "serial.wrong-baud": "the baud rate on both sides, and the raw bytes at the usual ones",
    "serial.echo": "whether the converter sends back what it sends: a recording with the pack unplugged",
    "wrong-address": "the address of the pack (switches, master or slave), and the same request to"
    " others (Daly:"
    " from 40 and from 80)",
    "pack-asleep": "when the last good reading was, whether current flowed since, and whether a charger,"
    " a load or"
    " its button wakes it; its sleep time",
    "port-taken": "what else opens the port: `lsof /dev/ttyUSB0`, the other services that scan ports",
    "modbus-exception": "the exception's number, and the registers that the model has",
    "can.nobody-acknowledges": "the error counters (`ip -details -statistics link show can0`), the bit"
    " rate of both"
    " ends, the resistance between CAN-H and CAN-L without power (60 ohm), and whether anything is"
    " received at"
    " all",
    "can.no-answer": "`ip -details -statistics link show can0`, and `candump can0` for ten seconds with"
    " the app"
    " shut; whether CAN is enabled in the BMS, and its number",
    "can.wrong-bitrate": "the bit rate of both ends, and `candump -e can0` for ten seconds",
    "host.dbus-missing": "how the container is started: is /run/dbus mounted",
    "host.adapter-hung": "the kernel's log of the same minutes (`dmesg | grep -i bluetooth`), and whether"
    " replugging the adapter or a cold start cures it",
    "host.permission": "the user that the program runs as, and how the container is started (rootless,"
    " AppArmor,"
    " NET_ADMIN)",
    "configuration": "the configuration, without its passwords",
    "vesc.wrong-firmware": "the board, and which build of which firmware is on it",
    "vesc.uart-not-served": "whether VESC Tool over USB shows UART among the apps to use, with 115200 baud",
    "phone-app-holds-it": "the same try with the Bluetooth of all phones off and every other program"
    " that reads"
    " the pack stopped",
}

_HOME_ASSISTANT = (
    "in Home Assistant's configuration.yaml: logger: logs: {aiobmsble: debug, custom_components.bms_ble:"
    " debug,"
    " bleak_retry_connector: debug, habluetooth.wrappers: debug, bleak_esphome: debug}; then restart and"
    " wait for"
    " one failure"
)
_ESPHOME = (
    "in the ESP's YAML: logger: level: VERY_VERBOSE, with logs: {esp32_ble_client: VERY_VERBOSE,"
    " esp32_ble_tracker:"
    " DEBUG, sensor: INFO}; then two minutes from its start on"
)
_UART = "in the ESP's YAML under uart: debug: direction: BOTH (and no `dummy_receiver`); then two"
" minutes of the log"
#: What a program writes only when it is told to, and how; by the program that wrote the log.
_LEVELS = {
    "aiobmsble": _HOME_ASSISTANT,
    "bleak_retry_connector": _HOME_ASSISTANT,
    "bleak_esphome": _HOME_ASSISTANT,
    "habluetooth": _HOME_ASSISTANT,
    "esphome": _ESPHOME,
    "uart_debug": _UART,
    "batmon": "in batmon's options: verbose_log: true; then restart it and wait for one failure",
    "dbus-serialbattery": "in dbus-serialbattery's config.ini: LOGGING = DEBUG; then restart it",
    "mpp-solar": "the same command with -D (debug)",
    "bt-sensors": "in Signal K under Server, Server Log: debug key bt-sensors-plugin-sk; then one failure",
    "modbus": "the same try with the library's own log (pymodbus: pymodbus_apply_logging_config('DEBUG')),"
    " which"
    " shows the bytes",
    "bsc": "its log with the bytes of the serial line",
    "battery-emulator": "the log of the web page with CAN logging on",
    "can-inverter": "its log with level DEBUG",
    "opendtu": "its console with `verbose logging` of the battery switched on",
}
#: Sentences of packs on a wire.
_BY_WIRE = ("names-wire", "port-opened", "testing", "wire-sent", "no-reply", "vesc-no-data")
#: Programs that belong together: what one is told, the others need not be.
_TOGETHER = ("aiobmsble", "bleak_retry_connector", "habluetooth", "bleak_esphome")


def log_lines(writer: WriterFacts) -> tuple[str, ...]:
    """Return what to switch on so that the log says more; nothing that is on already."""
    said: dict[str, None] = {}
    ours = [name for name in _TOGETHER if name in writer.programs]
    if ours:
        missing = [
            name
            for name in ("aiobmsble", "bleak_retry_connector", "habluetooth")
            if name not in writer.debugged
        ]
        if missing:
            names = ", ".join(
                f"{'habluetooth.wrappers' if name == 'habluetooth' else name}: debug" for name in missing
            )
            said[
                f"in Home Assistant's configuration.yaml: logger: logs: {{{names}}}; restart, wait for one"
                f" failure"
            ] = None
    for name in sorted(writer.programs - set(_TOGETHER)):
        if name == "esphome" and "uart_debug" in writer.programs:
            continue
        if name in _LEVELS and name not in writer.debugged:
            said[_LEVELS[name]] = None
    return tuple(said)


#: What is set on both sides of a line is asked for at once.
_SETTINGS = {
    "wrong-address": "address",
    "serial.protocol-setting": "protocol",
    "serial.wrong-baud": "baud rate",
}


def settles(causes: tuple[PossibleCause, ...]) -> tuple[str, ...]:
    """Return what tells each of some causes from the others, the likeliest first."""
    both_sides = sum(each.share for each in causes if each.kind in _SETTINGS)
    share = {each.kind: both_sides if each.kind in _SETTINGS else each.share for each in causes}
    kinds = [each.kind for each in causes if each.kind in SETTLES]
    kinds[1:] = sorted(kinds[1:], key=lambda kind: -share[kind])
    settings = [words for kind, words in _SETTINGS.items() if kind in kinds]
    listed = f"{', '.join(settings[:-1])} and {settings[-1]}" if len(settings) > 1 else ""
    both = (
        f"the {listed} that the BMS has on this port (app, display, switches; which of its ports), and those"
        " that the program is set to"
        + ("; the same request to other addresses (Daly: from 40 and from 80)" * ("wrong-address" in kinds))
    )
    return tuple(dict.fromkeys(both if listed and kind in _SETTINGS else SETTLES[kind] for kind in kinds))


def asked_of_silence(facts: Facts) -> tuple[str, ...]:
    """Return what to ask for where a log tells nothing of a cause; what to switch on comes besides."""
    if facts[SaidFacts].live:
        return ()
    if facts[HeardFacts].frames:
        return (
            (
                "which pack it is (maker, model, firmware), which protocol it is set to send, and who else is"
                " on the bus"
            ),
            "a longer recording (candump -L can0 for a minute), from before the pack is switched on",
        )
    pack = (
        "what the owner sees, which pack it is (maker, model, firmware), and which program reads it, with"
        " its version"
    )
    if facts[WriterFacts].debugged:
        longer = "the same log over a longer time, with one failure in it"
    elif log_lines(facts[WriterFacts]):
        return pack, _around(facts)
    else:
        longer = (
            "the log of the program that reads the pack, from its start to one failure, at the level debug"
        )
    return pack, longer, _around(facts)


def _around(facts: Facts) -> str:
    """Return what to ask for of the way to a pack of which the log tells nothing."""
    said = facts[SaidFacts]
    if said.has(*_BY_WIRE) and not said.has("names-bluetooth"):
        return (
            "how it is wired (port, pins, LEDs of the converter), the baud rate, protocol and address on both"
            " sides, and the raw bytes of both directions"
        )
    return (
        "whether the vendor's app reads it in the same minute, with a PIN, pairing or password; the signal"
        " (rssi), and every phone, adapter and program that may hold it"
    )
