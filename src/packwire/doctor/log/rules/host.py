"""The computer that reads: its D-Bus, its adapter, its rights, and the program itself."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.log.facts import RadioFacts, SaidFacts, WriterFacts
from packwire.doctor.log.heard import HeardFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, rule, when

#: Programs that read batteries: a fault in one of them is the reader's.
_READERS = frozenset({"aiobmsble", "batmon", "dbus-serialbattery", "mpp-solar", "can-inverter"})
#: Sentences of packs that are heard and reached over proxies, for which the host's own Bluetooth matters not.
_BY_PROXIES = ("seen", "way", "way-slots", "slots", "last-heard", "scanner-flags", "proxy-link-timeout")
#: Sentences that only a host whose Bluetooth works can have.
RADIO_WORKS = ("connected", "client-connected", "received", "worked", "subscribed")
#: Sentences of packs on a wire, and of ports that are open: Bluetooth or another port matters not to them.
_BY_WIRE = ("port-opened", "testing", "wire-sent", "no-reply")


def _dbus(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    if not said.has("dbus-missing"):
        refused = said.has("dbus-rejected", "access-denied")
        return when(said.has("bus-not-reached") and not refused and not said.has(*RADIO_WORKS), LIKELY)
    if said.has(*RADIO_WORKS):
        return POSSIBLE
    other_way = said.has(*_BY_PROXIES, *_BY_WIRE) or "bleak_esphome" in facts[WriterFacts].programs
    return LIKELY if other_way else CERTAIN


def _permission(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    if said.has("net-permission") and not said.has("worked", "can-empty", "nobody-acks"):
        return when(not facts[HeardFacts].sends, LIKELY)
    if said.has("dbus-rejected", "port-permission", "access-denied"):
        return LIKELY if said.has(*RADIO_WORKS, *_BY_PROXIES, *_BY_WIRE) else CERTAIN
    # What a program says of a socket that it can do without, before it goes on to hear packs.
    if said.has(*RADIO_WORKS, *_BY_PROXIES, "heard") or not said.has("mgmt-permission"):
        return None
    return LIKELY if said.has("adapter-not-reset") else POSSIBLE


def _hung(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    if not said.has("adapter-hung", "opcode-failed"):
        stuck = said.has("scanner-stuck", "scanner-start-failed", "adapter-confused")
        # Who has no right to reset it tells nothing of the adapter.
        lost = (said.has("adapter-not-reset") and not said.has("mgmt-permission")) or (
            said.has("adapter-gone") and (stuck or said.has("scanner-quiet"))
        )
        if lost and not said.has("worked"):
            return LIKELY
        return when(
            (stuck and said.has("scanner-quiet", "not-ready", "adapter-reset")) or said.has("adapter-gone"),
            LIKELY,
        ) or when(stuck and not said.has("in-progress", *RADIO_WORKS), POSSIBLE)
    told = [said.told[code].last.line for code in ("adapter-hung", "opcode-failed") if code in said.told]
    later = [said.told[code].last.line for code in ("received", "worked") if code in said.told]
    if later and max(later) > max(told):
        return POSSIBLE  # it came back: something else is the matter now
    # The kernel tells of commands that failed, and of a link that stalled, where an adapter works as well.
    sure = said.has("adapter-hung") and "True" not in said.values("adapter-reset", "result")
    # Of several adapters, the pack may be heard through another one.
    return CERTAIN if sure and not said.has("way", "way-slots", "slots") else LIKELY


def _no_adapter(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    off = said.has("adapter-off", "adapter-without-le") and not said.has("adapter-on", *_BY_PROXIES)
    return when(
        (off or said.has("no-adapter", "bluez-missing", "not-ready", "blocked"))
        and not said.has(*RADIO_WORKS)
        and _hung(facts) is None,
        LIKELY,
    )


def _hears_nothing(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    return when(said.has("no-devices", "no-scanner") and not facts[RadioFacts].others, POSSIBLE)


def _in_progress(facts: Facts, *, scanner: bool = False) -> Confidence | None:
    """Take an operation that BlueZ refuses as another is under way; `scanner`: none but its own scan is."""
    said = facts[SaidFacts]
    refused = said.has("in-progress") and not said.has("adapter-hung", "opcode-failed")
    return when(refused and said.has("scanner-start-failed") == scanner, POSSIBLE)


def _fault(facts: Facts) -> Confidence | None:
    """Take a fault in a program for the cause where nothing failed before it."""
    said = facts[SaidFacts]
    if said.has("not-installed") and not said.works:
        return LIKELY  # a part that its owner may have asked for
    if not said.has("program-fault") or said.has("vesc-no-data"):
        return when(
            said.has("short-data")
            and not said.has("no-reply", "incorrect-reply", "checksum", "empty-response", "sum-asserted"),
            POSSIBLE,
        )
    if said.has("port-gone"):
        return POSSIBLE  # it stumbles over the port that is not there any more
    line = said.told["program-fault"].first.line
    before = (
        *("no-reply", "incorrect-reply", "checksum", "timed-out", "connect-failed", "request-timeout"),
        *("multiple-access", "port-gone", "port-missing", "port-busy", "port-permission"),
    )
    earlier = any(code in said.told and said.told[code].first.line < line for code in before)
    if not _READERS & set(said.values("program-fault", "writer")):
        return when(not earlier and not said.works, POSSIBLE)  # anybody's
    # A module that is missing was not installed, or is named by a wrong setting.
    missing = all(
        "ImportError" in each.text or "No module" in each.text for each in said.quotes("program-fault")
    )
    return LIKELY if earlier or said.works or missing else CERTAIN


def _holder(facts: Facts) -> str:
    """Return which program has the port, where the system told."""
    return next((each for each in facts[SaidFacts].values("port-busy", "holder") if each), "")


def _containers(facts: Facts) -> str:
    if facts[SaidFacts].has("port-permission"):
        return (
            "Give the program's user the right to the port: the group dialout (or uucp), or the"
            " container the device."
        )
    if facts[SaidFacts].has("net-permission"):
        return "Set the interface up as root (sudo ip link set ..), or give the program CAP_NET_ADMIN."
    if facts[SaidFacts].has("access-denied"):
        return "Allow it in the system's settings (macOS: Privacy & Security, Bluetooth)."
    return (
        "Start the container as root (rootless Docker and Podman cannot pass the system's D-Bus), without"
        " an AppArmor"
        " profile that blocks D-Bus, with NET_ADMIN and NET_RAW."
    )


RULES: tuple[Rule, ...] = (
    rule(
        "host.dbus-missing",
        _dbus,
        lambda facts: (
            "packwire does not reach the system's D-Bus, so there is no Bluetooth here."
            if facts[SaidFacts].live
            else "The program does not reach the system's D-Bus, so it has no Bluetooth at all."
        ),
        lambda facts: (
            "Start it: sudo systemctl start dbus bluetooth; in a container, mount it: -v"
            " /run/dbus:/run/dbus:ro. An ESPHome proxy does without: add ?proxy=HOST."
            if facts[SaidFacts].live
            else "Mount it into the container: -v /run/dbus:/run/dbus:ro; where no local Bluetooth is wanted"
            " (proxies do it), nothing is wrong."
        ),
        shown=("dbus-missing", "bus-not-reached"),
        rank=Rank.WAY,
    ),
    rule(
        "host.permission",
        _permission,
        lambda facts: (
            "This user may not open the serial port."
            if facts[SaidFacts].has("port-permission")
            else "This user may not set up the CAN interface."
            if facts[SaidFacts].has("net-permission")
            else "The system does not let this program use Bluetooth."
            if facts[SaidFacts].has("access-denied")
            else "The system's D-Bus refuses the program: its user has no right to Bluetooth."
        ),
        _containers,
        shown=("dbus-rejected", "port-permission", "net-permission", "access-denied", "mgmt-permission"),
        rank=Rank.WAY,
    ),
    rule(
        "host.adapter-hung",
        _hung,
        lambda facts: (
            "The Bluetooth adapter of this computer was there and is gone: unplugged, not passed through any"
            " more, or it fell off its bus; no pack can be reached through it."
            if facts[SaidFacts].has("adapter-gone")
            and not facts[SaidFacts].has("adapter-hung", "opcode-failed")
            else "The Bluetooth adapter of this computer does not respond any more; no pack can be reached"
            " through it."
        ),
        "Replug it, or switch the whole machine off and on (a reset by software seldom helps an on-board"
        " chip); if it comes again: a USB adapter on an extension cable, or a proxy.",
        shown=(
            *("adapter-hung", "opcode-failed", "adapter-not-reset", "adapter-gone"),
            *("scanner-stuck", "scanner-quiet", "adapter-reset", "adapter-confused"),
        ),
        causes={"host.adapter-hung": 1.0},
        ask=("why it hangs: the kernel's log (`dmesg | grep -i bluetooth`)",),
        rank=Rank.WAY,
        excludes=("ble.interference", "two-clients.ble"),
    ),
    rule(
        "host.adapter-hung",
        lambda facts: when(
            facts[SaidFacts].last_line("bluetoothd-ended", "bus-lost") > facts[SaidFacts].last_read, POSSIBLE
        ),
        "bluetoothd, or the way to it (D-Bus), went away while the program used it: it crashed, was"
        " restarted, or a program left so many connections open that the bus took no more.",
        "Restart Bluetooth, then the program; where it comes again, update BlueZ and the program.",
        shown=("bluetoothd-ended", "bus-lost"),
        causes={"host.adapter-hung": 0.5, "reader-bug.other": 0.3, "host.dbus-missing": 0.2},
        ask=("the system's log of the same minutes: `journalctl -u bluetooth -u dbus` and `dmesg`",),
        rank=Rank.WAY,
    ),
    rule(
        "configuration",
        _no_adapter,
        "The program finds no usable Bluetooth adapter.",
        "Give the machine (a virtual one: pass it through) an adapter, switch it on (rfkill, bluetoothctl"
        " power on), start bluetoothd, or use a program that reads through ESPHome proxies.",
        shown=(
            *("no-adapter", "bluez-missing", "not-ready", "blocked"),
            *("adapter-off", "adapter-without-le", "adapter-firmware"),
        ),
        causes={
            "configuration": 0.5,
            "host.adapter-hung": 0.2,
            "host.permission": 0.15,
            "host.dbus-missing": 0.15,
        },
        ask=(
            "the output of `bluetoothctl list` and `rfkill list` on that machine, and whether it is virtual",
        ),
        rank=Rank.WAY,
    ),
    rule(
        "configuration",
        # Another adapter or a proxy may read it all the same, or it is let in again by now.
        lambda facts: when(facts[SaidFacts].has("host-refuses") and not facts[SaidFacts].works, LIKELY),
        "This computer's Bluetooth is told to refuse the pack (Blocked: yes): no program here gets to it.",
        "Let it in again: `bluetoothctl unblock ADDRESS`, then start the program anew.",
        shown=("host-refuses",),
        rank=Rank.WAY,
    ),
    rule(
        "host.adapter-hung",
        _hears_nothing,
        lambda facts: (
            f"{'packwire' if facts[SaidFacts].live else 'The program'} hears no Bluetooth device at all, not"
            " only not the pack."
        ),
        "See whether another program on the same adapter hears anything, then restart Bluetooth.",
        shown=("no-devices", "no-scanner", "scanner-count"),
        causes={
            "host.adapter-hung": 0.35,
            "two-clients.ble": 0.3,
            "configuration": 0.2,
            "host.permission": 0.15,
        },
        ask=(
            (
                "what `bluetoothctl scan le` shows on that machine in the same minute, with the program"
                " stopped; which other programs use the adapter (Home Assistant's Bluetooth?)"
            ),
        ),
    ),
    rule(
        "host.adapter-hung",
        lambda facts: _in_progress(facts, scanner=True),
        "The scanner does not start, as BlueZ says that one is under way: one that never ended (the adapter"
        " or bluetoothd hangs), or another program's.",
        "Restart bluetoothd, or replug the adapter; let one program alone scan on it; a newer kernel.",
        shown=("scanner-start-failed", "in-progress", "scanner-stuck"),
        causes={"host.adapter-hung": 0.5, "two-clients.ble": 0.35, "configuration": 0.15},
        ask=("what the kernel says (`dmesg | grep -i bluetooth`), and which programs scan on this adapter",),
        rank=Rank.VALUES,
    ),
    rule(
        "two-clients.ble",
        _in_progress,
        "BlueZ is busy with another operation: a scan and a connection at once, of two programs or of one,"
        " or an"
        " adapter that hangs.",
        "Let one program alone use the adapter; restart Bluetooth.",
        shown=("in-progress", "scanner-stuck"),
        causes={"two-clients.ble": 0.45, "host.adapter-hung": 0.35, "configuration": 0.2},
        ask=(
            (
                "whether `adapter stopped responding` (habluetooth.scanner) or `Opcode 0x.. failed` (dmesg)"
                " stands near:"
                " then it hangs; which programs scan on this adapter"
            ),
        ),
        rank=Rank.VALUES,
    ),
    rule(
        "reader-bug.other",
        _fault,
        "The program that reads fails by itself: this exception is a fault in it, whatever the pack says.",
        "Use its newest version; if it is still there, report it with the whole traceback.",
        shown=("serial-read-error", "program-fault", "not-installed", "short-data"),
        # Bytes that a program stumbles over may be those of a bad line.
        causes=lambda facts: (
            {"reader-bug.other": 0.6, "serial.noise": 0.25, "serial.wrong-baud": 0.15}
            if facts[SaidFacts].has("short-data")
            and not facts[SaidFacts].has("program-fault", "names-bluetooth", *_BY_PROXIES, *RADIO_WORKS)
            else {"reader-bug.other": 1.0}
        ),
        rank=Rank.FLOW,
    ),
    rule(
        "port-taken",
        # A program that opens its port twice is told the same.
        lambda facts: when(facts[SaidFacts].has("port-busy"), CERTAIN if _holder(facts) else LIKELY),
        lambda facts: f"{_holder(facts) or 'Another program'} has the serial port open.",
        lambda facts: (
            f"Stop it{'' if _holder(facts) else ': `lsof` names it'}; on Venus OS exclude the port from"
            " serial-starter."
        ),
        shown=("port-busy",),
        rank=Rank.WAY,
    ),
)
