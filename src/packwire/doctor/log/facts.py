"""What a log tells of one device, in groups by subject: filled from events, whoever wrote them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from packwire.att import short_uuid
from packwire.capture.events.told import ONLY_THERE, LoggedDevice, Quote, Told
from packwire.capture.packets import NO_TIME
from packwire.check import Fact
from packwire.doctor.log.sums import ChecksumFacts

#: Sentences that say that something did not work.
FAILURES = frozenset(
    {
        *("connect-timeout", "connect-failed", "no-slot", "open-failed", "status-133", "no-link"),
        *("proxy-link-timeout", "abort-by-local", "not-discovered", "not-found", "timed-out"),
        *("request-timeout", "init-failed", "failed-update", "not-connected", "batmon-error"),
        *("device-missing", "request-error", "no-bms", "abort-by-remote", "gone", "checksum"),
        *("bad-frame", "communication-failed", "gatt-gone", "link-lost", "discovery-failed"),
        *("no-reply", "incorrect-reply", "answer-timeout", "modbus-no-response"),
        *("unknown-silence", "unknown-damage", "unknown-port", "unknown-no-link", "no-bridge"),
        *("bridge-lost", "unknown-not-found", "unknown-no-notify", "cut-short", "att-timeout", "bus-lost"),
    }
)
#: So many s without values, and so many times the usual pause, are no pause.
_LONG_WITHOUT, _TIMES_WITHOUT = 120, 5
_WORKS = ("worked", "frame-read", "found-driver")
#: Sentences of a device that was heard or connected to, and no more.
ONLY_TRIED = ONLY_THERE | {"connecting", "plugin-connecting", "client"}
#: What a terminal or a table puts between words.
_BLANKS = re.compile(r"\s{3,}")
_ADDRESS = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|\b[0-9A-Fa-f]{4}\b")


@dataclass(slots=True)
class SaidFacts(Fact):
    """How often each sentence was said, and where."""

    told: Mapping[str, Told] = field(default_factory=dict)
    end: int = NO_TIME
    """When the log ends (ns)."""
    began: int = NO_TIME
    """When an examination began that is no log (ns): what is told is said by its time, not by a line."""
    others_read: int = 0
    """The last line in which another device was read; 0: none was."""
    perhaps_read: bool = False
    """Whether a device was read that the log only names, and that may be this one."""
    of_nobody: frozenset[str] = frozenset()
    """Sentences that a log of several devices says of none by name: whose they are is open."""
    strange: bool = False
    """Whether it may be of no pack: a page, settings or source code says it, a printer, or a lock."""
    named: frozenset[str] = frozenset()
    """Sentences that it says by name of the only device that it tells of."""

    def count(self, *codes: str) -> int:
        """Return how often any of these was said."""
        return sum(self.told[code].count for code in codes if code in self.told)

    def has(self, *codes: str) -> bool:
        """Return whether any of these was said."""
        return any(code in self.told for code in codes)

    def quotes(self, *codes: str) -> tuple[Quote, ...]:
        """Return the first line of each, in the order of the log."""
        return tuple(sorted({self.told[code].first for code in codes if code in self.told}))

    def all_quotes(self, *codes: str) -> tuple[Quote, ...]:
        """Return the first and the last line of each, in the order of the log."""
        found = (self.told[code] for code in codes if code in self.told)
        return tuple(sorted({quote for told in found for quote in (told.first, told.last)}))

    def values(self, code: str, name: str) -> list[str]:
        """Return one value of a sentence, each time that it was said with it."""
        if code not in self.told:
            return []
        return [values[name] for _, values in self.told[code].values if name in values]

    @property
    def failures(self) -> int:
        """Return how often something did not work."""
        return self.count(*FAILURES)

    @property
    def works(self) -> int:
        """Return how often values were read."""
        return self.count(*_WORKS)

    @property
    def live(self) -> bool:
        """Return whether an examination tells it, and no log."""
        return self.began != NO_TIME

    def shown(self, *codes: str) -> tuple[str, ...]:
        """Return as evidence where each was said first, and with which words."""
        quotes = self.quotes(*codes)
        if not self.live:
            return tuple(f"line {each.line}: {_BLANKS.sub(' ', each.text.strip())}" for each in quotes)
        return tuple(f"at {(each.time - self.began) / 1e9:.1f} s: {each.text.strip()}" for each in quotes)

    def last_line(self, *codes: str) -> int:
        """Return the last line in which any of these was said; 0: none was."""
        return max((self.told[code].last.line for code in codes if code in self.told), default=0)

    def first_line(self, *codes: str) -> int:
        """Return the first line in which any of these was said; 0: none was."""
        return min((self.told[code].first.line for code in codes if code in self.told), default=0)

    @property
    def last_read(self) -> int:
        """Return the last line in which values were read; 0: none."""
        return self.last_line(*_WORKS)

    def silent_for(self, *since: str) -> float:
        """Return for how many s the log goes on behind the last of some sentences; 0: not known."""
        last = [self.told[code].last.time for code in since if code in self.told]
        known = [time for time in last if time != NO_TIME]
        return max(self.end - max(known), 0) / 1e9 if known and self.end != NO_TIME else 0.0

    @property
    def without_values_for(self) -> float:
        """Return for how many s the log goes on without values, where that is far longer than usual; or 0."""
        silent = self.silent_for(*_WORKS)
        pauses = [
            (told.last.time - told.first.time) / 1e9 / max(told.count - 1, 1)
            for code in _WORKS
            if (told := self.told.get(code)) and NO_TIME not in {told.first.time, told.last.time}
        ]
        usual = max(pauses, default=0.0)
        return silent if silent > max(_LONG_WITHOUT, _TIMES_WITHOUT * usual) else 0.0


@dataclass(slots=True)
class RadioFacts(Fact):
    """How it was heard: signal strengths in dBm, ages of its last advertisement in s, who else was heard."""

    rssi: list[int] = field(default_factory=list)
    ages: list[int] = field(default_factory=list)
    others: int = 0
    """Other devices that were heard meanwhile."""
    heard: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()
    connectable: bool | None = None

    @property
    def level(self) -> float | None:
        """Return the median signal strength in dBm."""
        return median(self.rssi) if self.rssi else None

    @property
    def unlisted(self) -> bool:
        """Return whether others were heard when the program looked around, and this one was not."""
        plain = all(_ADDRESS.fullmatch(each) for each in (*self.wanted, *self.heard))
        return plain and bool(self.heard and self.wanted) and not self.wanted & self.heard

    @property
    def heard_at_first(self) -> bool:
        """Return whether it was among those that were heard."""
        return bool(self.wanted & self.heard)

    @property
    def reversed_address(self) -> str:
        """Return the address that was heard whose bytes are those that were looked for backwards."""
        for each in self.wanted:
            backwards = ":".join(reversed(each.split(":")))
            if backwards != each and backwards in self.heard and each not in self.heard:
                return backwards
        return ""


@dataclass(slots=True)
class SlotFacts(Fact):
    """Free connection slots, each time that they were told; `clients` are the numbers of an ESP's own."""

    free: list[int] = field(default_factory=list)
    clients: frozenset[str] = frozenset()
    overlap: bool = False
    """Whether a second client of one ESP began while the first had not ended."""
    kept: bool = False
    """Whether a proxy counts this very pack among those that it is connected to."""


@dataclass(slots=True)
class GattFacts(Fact):
    """Services and characteristics: `wanted` and not found, `listed` with their properties."""

    wanted: frozenset[str] = frozenset()
    listed: dict[str, str] = field(default_factory=dict)
    services: frozenset[str] = frozenset()
    advertised: frozenset[str] = frozenset()
    modes: tuple[str, ...] = ()
    """The write modes that were tried, in order, each once."""

    @property
    def other_layout(self) -> tuple[str, str] | None:
        """Return the UUIDs of a pair to notify and to write in a list without what was wanted."""
        if not self.wanted or self.wanted & self.listed.keys():
            return None
        own = {uuid: text for uuid, text in self.listed.items() if not uuid.startswith("2a")}
        notify = next((uuid for uuid, text in own.items() if "notify" in text or "indicate" in text), "")
        write = next((uuid for uuid, text in own.items() if "write" in text), "")
        return (notify, write) if notify and write else None


@dataclass(slots=True)
class IdentityFacts(Fact):
    """What the pack calls itself, and as what it is read."""

    names: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()  # that were tried one after the other


@dataclass(slots=True)
class WriterFacts(Fact):
    """Which programs wrote the log, and of which the debug lines are in it."""

    programs: frozenset[str] = frozenset()
    debugged: frozenset[str] = frozenset()


@dataclass(slots=True)
class WireFacts(Fact):
    """The bytes that the log shows, looked at with the framings that are known."""

    sent: int = 0
    received: int = 0
    right: int = 0
    wrong: int = 0
    asked_in: Counter[str] = field(default_factory=Counter)
    answered_in: Counter[str] = field(default_factory=Counter)
    echoes: int = 0
    only_back: bool = False  # each answer in ASCII hex is its own question
    enveloped: int = 0  # whole messages of Modbus TCP among what was received
    high: int = 0  # bytes of ones beside right frames, as of a line that nobody drives
    only_idle: bool = False  # nothing comes but bytes of ones or zeros
    foreign: int = 0
    """Requests among what was received that nobody here sent."""
    first_of_20: int = 0
    """Frames whose first piece has exactly 20 bytes, followed by one that begins with no header."""
    restarts: int = 0
    """Pieces that go on with a frame and begin as a frame does."""
    doubled: int = 0
    """Pieces that came twice, one directly behind the other."""
    irregular: bool = False  # replies come at a steady pace with gaps of several times that
    other_address: str = ""
    """Two requests of which one was answered: what differs, in words."""
    only_address: bool = False
    """Whether nothing but the address differs in them."""
    own_sums: frozenset[int] = frozenset()
    """The checksums of two bytes and more in frames that are right."""
    own_bytes: frozenset[int] = frozenset()
    """Those of one byte."""
    text_frames: int = 0
    """Frames of ASCII hex that begin with ~ among what was received."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Return codes of such frames by which a pack refuses what it was asked."""
    joined: int = 0  # messages in which several such frames stand, one behind the other
    other_version: str = ""
    """Where such an answer is in another version than its question: which, in words."""


def fill(
    subject: LoggedDevice,
    end: int,
    others_read: int = 0,
    perhaps_read: bool = False,
    *,
    began: int = NO_TIME,
    of_nobody: frozenset[str] = frozenset(),
) -> Iterable[Fact]:
    """Yield the facts of one device; all but the first two are those of SaidFacts."""
    said = SaidFacts(subject.told, end, began, others_read, perhaps_read, of_nobody)
    yield said
    yield _radio(said, subject.key)
    yield _slots(said, subject.key)
    yield _gatt(said)
    yield IdentityFacts(
        tuple(subject.names),
        tuple(subject.plugins),
        tuple(dict.fromkeys(said.values("testing", "driver"))),
    )
    yield _checksums(said)


def _radio(said: SaidFacts, key: str) -> RadioFacts:
    codes = ("seen", "way-slots", "way-rssi", "last-rssi")
    rssi = [int(value) for code in codes for value in said.values(code, "rssi") if -120 < int(value) < 0]
    ages = [int(value) for value in said.values("last-heard", "age")]
    heard = frozenset(value.upper() for value in said.values("heard", "heard"))
    listed = [value.count(":") // 5 for value in said.values("heard-others", "others")]
    counted = [int(value) for code in ("in-range", "not-discovered") for value in said.values(code, "others")]
    wanted = frozenset(value.upper() for value in said.values("not-discovered", "wanted"))
    wanted |= {key} if ":" in key else set()
    others = max([*listed, *counted, len(heard - wanted), 0])
    connectable = True if said.has("connectable") else False if said.has("not-connectable") else None
    return RadioFacts(rssi, ages, others, heard, wanted, connectable)


def _slots(said: SaidFacts, key: str) -> SlotFacts:
    free = [int(value) for code in ("way-slots", "slots") for value in said.values(code, "free")]
    steps = sorted(
        (line, code, values.get("slot", ""))
        for code in ("client", "client-connected", "client-lost", "client-left", "open-failed")
        if code in said.told
        for line, values in [*said.told[code].values, (said.told[code].last.line, {})]
    )
    clients: set[str] = set()
    active: set[str] = set()
    overlap = False
    for _, code, slot in steps:
        if code in {"client", "client-connected"} and slot:
            overlap |= bool(active - {slot})
            active.add(slot)
            clients.add(slot)
        elif code in {"client-lost", "client-left", "open-failed"}:
            active.clear()
    number = str(int(key.replace(":", ""), 16)) if _ADDRESS.fullmatch(key) else ""  # as the proxy tells it
    kept = any(number in held.split(", ") for held in said.values("slots", "held"))
    return SlotFacts(free, frozenset(clients), overlap, kept)


def _gatt(said: SaidFacts) -> GattFacts:
    listed = {}
    if "has-characteristic" in said.told:
        for _, values in said.told["has-characteristic"].values:
            properties = values.get("properties", "").lower().replace(" ", "-")
            bits = int(values.get("bits", "0"), 16)
            properties += " write" * bool(bits & 0x0C) + " notify" * bool(bits & 0x30)
            listed[short_uuid(values["uuid"])] = properties
    wanted = frozenset(short_uuid(value) for value in said.values("characteristic-missing", "wanted"))
    told = " ".join(said.values("advertised-services", "services"))
    advertised = frozenset(short_uuid(each) for each in _UUID.findall(told))
    services = frozenset(short_uuid(each) for each in said.values("has-service", "service"))
    modes = tuple(dict.fromkeys(value.rstrip(".") for value in said.values("sent", "mode")))
    return GattFacts(wanted, listed, services, advertised, modes)


def _checksums(said: SaidFacts) -> ChecksumFacts:
    if "checksum" not in said.told:
        sums = zip(said.values("vesc-sum", "a"), said.values("vesc-sum", "b"), strict=False)
        return ChecksumFacts([(int(one), int(two)) for one, two in sums if one != two])
    pairs = []
    lines = []
    for line, values in said.told["checksum"].values:
        five_digits = values["a"].isdigit() and values["b"].isdigit() and len(values["a"]) == 5
        base = 10 if five_digits or "decimal" in values else 16
        pairs.append((int(values["a"], base), int(values["b"], base)))
        lines.append(line)
    steps = sum(two - one <= 1 for one, two in pairwise(lines))
    return ChecksumFacts(pairs, burst=steps * 2 > len(lines) > 2)
