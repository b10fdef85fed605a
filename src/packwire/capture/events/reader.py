"""Reading a log into events: each line is looked at once, for the sentences of all programs.

However long the log is, what is kept of it is bounded: of each sentence how often it was said of whom, a few
lines and values of it; of the time line the beginning and the end; of lines with bytes as many as are worth
decoding.
"""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from packwire.capture.events.blocks import LONGEST_HEAD, Blocks
from packwire.capture.events.clocks import Clocks, has_time
from packwire.capture.events.configured import Settings, may_set
from packwire.capture.events.documents import Documents
from packwire.capture.events.index import finder, said_of
from packwire.capture.events.programs import (
    SYSTEM_TOOLS,
    Writers,
    named_above,
    of_other_things,
    of_others,
    plugin_of,
)
from packwire.capture.events.saying import Sentence
from packwire.capture.events.shown_bytes import shows_bytes
from packwire.capture.events.subject import subject_of
from packwire.capture.events.told import ONLY_THERE, LoggedDevice, Quote
from packwire.capture.events.unknown import BLUETOOTH, COMMON, WIRE, says
from packwire.capture.packets import NO_TIME
from packwire.event import Event, EventKind

#: Devices that are told apart, and entries of the time line and lines with bytes that are kept, at each end.
MAX_SUBJECTS, MAX_EVENTS, MAX_BYTES_LINES = 64, 4000, 5000
#: So many lines are looked at for who wrote the log; behind them those that say something.
_FIRST_LINES = 2000
#: Among so many lines at its end the last time is looked for.
_LAST_LINES = 50
#: So much of a line is looked at: no sentence is longer.
_MAX_LINE = 4096
_SHOWN = 400

#: ESPHome's page shows what is said on the line below who says it.
_HEAD_ALONE = re.compile(
    r"[`\s]*\[?\d\d:\d\d:\d\d(?:\.\d{3})?\]?\s*\[(?:[EWICDV]|VV)\]\s*\[[\w.-]+:\d{1,5}\]:?\s*"
)
#: A line of its own, as Python's logging writes it without being told how.
_HEAD_OF_PYTHON = re.compile(r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.]{1,40}:")
#: A client of an ESP by its number, with the address that it holds, or without.
_CLIENT = re.compile(
    r"(?:(?P<esp>\S{1,60}): ?)?\[(?:[EWICDV]|VV)\]\[[\w.:-]{3,60}\](?:\[\w{1,20}\])?: ?\[(?P<number>\d)\]"
    r"(?: ?\[(?P<address>[0-9A-Fa-fxX*:]{17})\])?"
)

#: What is said of a pack, and not of the computer: in the log of one program, of its pack.
_OF_A_PACK = frozenset(
    {
        EventKind.READ,
        EventKind.TIMED_OUT,
        EventKind.DAMAGED,
        EventKind.FAILED,
        EventKind.LOST,
        EventKind.REFUSED,
    }
)
#: What may be of a battery, or of one over Bluetooth, whoever writes it.
_OF_BATTERIES = re.compile(
    r"bms|batter(?:y|ie)|bluetooth|\bble\b|_ble\b|bleak|gatt|(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE
)
#: What `tail` puts before the lines of each of several files: each is the log of a program of its own.
_FILE = re.compile(r"==> (?P<file>\S.{0,200}) <==\s*")

#: How mail and forums mark what somebody else wrote, and a patch what it adds; btmon begins what a controller
#: sends with the same sign as mail.
_QUOTED = re.compile(r"(?:\s*(?:>\s*)+(?!HCI|ACL|SCO|ISO)|\+)[\w\[(\"'-]")


@dataclass(slots=True)
class EventLog:
    """What a log tells.

    `subjects` are the devices, by address, port or name; '' is what no line says of whom. `programs` wrote
    it, with how many lines each; `debugged` are those whose debug lines are in it. `timeline` are the events
    in order, `left_out` how many of its middle were not kept. `bytes_lines` are the lines that show bytes.
    """

    lines: int = 0
    read: int = 0
    subjects: dict[str, LoggedDevice] = field(default_factory=dict)
    programs: Counter[str] = field(default_factory=Counter)
    debugged: set[str] = field(default_factory=set)
    timeline: list[Event] = field(default_factory=list)
    left_out: int = 0
    notes: tuple[str, ...] = ()
    bytes_lines: list[str] = field(default_factory=list)
    common: LoggedDevice = field(default_factory=lambda: LoggedDevice(""))
    """What lines say that no known program wrote, in words that many use; kept apart."""
    strange: LoggedDevice = field(default_factory=lambda: LoggedDevice(""))
    """What lines say that are of something else, where the log holds no others."""
    begin: int = NO_TIME
    end: int = NO_TIME
    of_other_things: bool = False
    """Whether programs that have nothing to do with batteries speak of failures in it."""
    is_document: bool = False
    """Whether it is the text of a page, of settings or of a program, and nothing that a program wrote."""

    @property
    def devices(self) -> list[LoggedDevice]:
        """Return the devices that the log tells of, those of which most is said first."""
        found = [each for key, each in self.subjects.items() if key]
        return sorted(found, key=lambda each: -each.count)


def read_events(lines: Iterable[str], progress: Callable[[int], None] | None = None) -> EventLog:
    """Read the lines of a log; `progress` is told now and then how many characters were read."""
    reader = _Reader()
    for line in lines:
        reader.take(line)
        if progress is not None and reader.log.lines % 20_000 == 0:
            progress(reader.log.read)
    return reader.finish()


@dataclass(slots=True)
class _Entry:
    """One entry of the time line; its event is made where it is kept to the end."""

    row: Sentence
    quote: Quote
    subject: str
    values: dict[str, str]
    order: int

    @property
    def event(self) -> Event:
        """Return the event."""
        row, quote = self.row, self.quote
        return Event(row.kind, quote.time, self.subject, None, quote.text, row.code, quote.line, self.values)


class _Reader:
    def __init__(self) -> None:
        self.log = EventLog()
        self._find = finder()
        self._clocks = Clocks()
        self._aliases: dict[str, str] = {}
        self._tails: dict[str, str] = {}
        self._first: list[_Entry] = []
        self._last: deque[_Entry] = deque(maxlen=MAX_EVENTS)
        self._first_bytes: list[str] = []
        self._last_bytes: deque[str] = deque(maxlen=MAX_BYTES_LINES)
        self._run: tuple[str, str] = ("", "")
        self._documents = Documents()
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._foreign = False
        self._writer = ""
        self._writers = Writers()
        self._head = ""
        self._blocks = Blocks()
        self._settings = Settings()
        self._clients: dict[tuple[str, str], str] = {}
        self._file = ""
        self._of_files: dict[str, str] = {}
        """The device that each of several files in one spoke of last."""

    def take(self, line: str) -> None:
        """Take in one line."""
        log = self.log
        log.lines += 1
        if not line:
            self._writer = ""  # nobody's traceback goes on behind
            return
        log.read += len(line) + 1
        line = line[:_MAX_LINE]
        if self._head:
            line, self._head = f"{self._head} {line.lstrip()}", ""
        elif self._is_head(line):
            return
        self._documents.take(line)
        line = self._in_context(line)
        self._last_lines.append(line)
        if shows_bytes(line):
            (self._first_bytes if len(self._first_bytes) < MAX_BYTES_LINES else self._last_bytes).append(line)
        found = self._find(line)
        above = named_above(line)
        told = self._told_of_others(line) if found else of_others(line)
        if (told is not None or self._foreign) and self._is_of_others(line, told):
            self._note_strange(line, found)
            found = [row for row in found if row.kind is EventKind.ADAPTER]
        said = said_of(found, line) if found else []
        if said:
            self._take_in(line, said, told)
            return
        if log.lines <= _FIRST_LINES and not self._foreign:
            self._note_common(line, self.log.common)
        if above and (who := self._who(line)):
            self._writer = who
        elif log.lines <= _FIRST_LINES:
            self._who(line)

    def _is_head(self, line: str) -> bool:
        """Tell whether a line says no more than who says the next one, or the next ones."""
        if line[-1] in "]\t :" and _HEAD_ALONE.fullmatch(line):
            self._head = line.rstrip()
        elif line.startswith("==> ") and (file := _FILE.fullmatch(line)):
            self._file = file["file"]
        else:
            return False
        return True

    def _in_context(self, line: str) -> str:
        """Return a line with the head of its block; take in the names that settings give."""
        if may_set(line):
            for name, address in self._settings.names(line):
                self._alias(name, address)
        return self._blocks.whole(line) if len(line) < LONGEST_HEAD or self._blocks.head else line

    def _note_common(self, line: str, kept: LoggedDevice) -> None:
        """Keep what a program says that may not be known, for a log that tells nothing else."""
        for each in (*COMMON, BLUETOOTH, WIRE):
            if says(line, each):
                quote = Quote(self.log.lines, line[:_SHOWN], NO_TIME, own=False)
                kept.add(each.code, each.kind, quote, {})

    def _note_strange(self, line: str, found: list[Sentence]) -> None:
        """Keep what is said of something else: an integration that is not known may read a battery."""
        known = self.log.lines > _FIRST_LINES or self.log.programs
        if known or not (self.log.of_other_things or _OF_BATTERIES.search(line)):
            return
        quote = Quote(self.log.lines, line[:_SHOWN], NO_TIME, own=False)
        said = said_of(found, line)
        for row, values in said:
            if row.kind is not EventKind.READ:  # whether those are values of a pack, only it knows
                self.log.strange.add(row.code, row.kind, quote, values)
        if not said and "[custom_components." in line:
            self._note_common(line, self.log.strange)

    def _told_of_others(self, line: str) -> bool | None:
        """Return whether a line is told to be of something else; None: that is not told."""
        told = of_others(line)
        other = told is None and of_other_things(line)
        self.log.of_other_things |= other
        return other or told

    def _is_of_others(self, line: str, told: bool | None) -> bool:
        """Tell whether a line of Home Assistant, or a traceback behind one, is of something else."""
        if told is None and self._foreign and (has_time(line) or self._writers(line)):
            told = False  # a line of its own, of another program
        self._foreign = self._foreign if told is None else told
        return self._foreign

    def _take_in(self, line: str, said: list[tuple[Sentence, dict[str, str]]], told: bool | None) -> None:
        log, who = self.log, self._who(line)
        address, name, tail = subject_of(line)
        if tail and len(self._tails) < MAX_SUBJECTS:
            self._tails[name] = tail
        if "]: [" in line:
            address = self._of_client(line, address)
        if self._file and not name:
            address = self._of_file(address)
        time = self._clocks.time(line, log.lines, who)
        if who or time != NO_TIME or _HEAD_OF_PYTHON.match(line):
            self._writer = who  # a traceback behind it is its own
        quote = Quote(log.lines, line[:_SHOWN], time, self._is_own(line, told))
        for row, values in said:
            if row.kind is EventKind.ERROR:
                values["writer"] = self._writer
            if row.of_device:
                self._add(row, quote, values, address, name)
            else:
                whose = self._of_files.get(self._file, "") if self._file and row.kind in _OF_A_PACK else ""
                self._add(row, quote, values, whose, "")
        if plugin := plugin_of(line):
            subject = self._subject(address, name)
            subject.plugins[plugin] += 1
        if address and name:
            self._alias(name, address)

    def _of_client(self, line: str, address: str) -> str:
        """Return the address of a line, as an ESP's client has it where the line names only its number."""
        found = _CLIENT.search(line)
        if found is None:
            return address
        client = (found["esp"] or "", found["number"])
        if found["address"] and (client in self._clients or len(self._clients) < MAX_SUBJECTS):
            self._clients[client] = address
        elif not address:
            address = self._clients.get(client, "")
        return address

    def _of_file(self, address: str) -> str:
        """Return the address of a line, as its file has it where the line names none."""
        if address and (self._file in self._of_files or len(self._of_files) < MAX_SUBJECTS):
            self._of_files[self._file] = address
        return address or self._of_files.get(self._file, "")

    def _is_own(self, line: str, told: bool | None) -> bool:
        """Tell whether a line, or what a traceback stands behind, is of a program that is known."""
        if _QUOTED.match(line):
            return False
        return self._writer not in {"", SYSTEM_TOOLS} if told is None else not told

    def _who(self, line: str) -> str:
        found = self._writers(line)
        if found:
            name, debugged = found
            self.log.programs[name] += 1
            if debugged:
                self.log.debugged.add(name)
            return name
        return ""

    def _alias(self, name: str, address: str) -> None:
        if len(self._aliases) < 4 * MAX_SUBJECTS:
            self._aliases.setdefault(name, address)

    def _subject(self, address: str, name: str, *, only_there: bool = False) -> LoggedDevice:
        key = address or self._aliases.get(name, name)
        subjects = self.log.subjects
        found = subjects.get(key)
        if found is None:
            if len(subjects) >= MAX_SUBJECTS and (only_there or not self._make_room()):
                key = ""
            found = subjects.setdefault(key, LoggedDevice(key))
        if name and key:
            found.names[name] += 1
        return found

    def _make_room(self) -> bool:
        """Forget a device of which no more is told than that it is there."""
        found = next((key for key, each in self.log.subjects.items() if key and each.is_only_there), "")
        if found:
            del self.log.subjects[found]
        return bool(found)

    def _add(self, row: Sentence, quote: Quote, values: dict[str, str], address: str, name: str) -> None:
        only_there = row.code in ONLY_THERE
        subject = self._subject(address, name, only_there=only_there)
        if only_there and not subject.key and (address or name):
            return  # a neighbour: there are too many to tell them apart
        subject.add(row.code, row.kind, quote, values)
        if row.code == "advertised-name" and address:
            self._alias(values["name"].strip(), address)
            subject.names[values["name"].strip()] += 1
        run = (row.code, subject.key)
        if run == self._run:
            return
        self._run = run
        entry = _Entry(row, quote, subject.key, values, self._clocks.order(quote.time))
        if len(self._first) < MAX_EVENTS:
            self._first.append(entry)
            return
        if len(self._last) == MAX_EVENTS:
            self.log.left_out += 1
        self._last.append(entry)

    def finish(self) -> EventLog:
        """Return the whole: devices that turned out to be one are put together."""
        log = self.log
        last = next((line for line in reversed(self._last_lines) if has_time(line)), "")
        self._clocks.time(last, log.lines, "")  # a log may go on in silence
        for name, tail in self._tails.items():  # the end of the address stands behind the name
            ends = [
                key for key in log.subjects if key.count(":") == 5 and key.replace(":", "").endswith(tail)
            ]
            if len(ends) == 1:
                self._alias(name, ends[0])
        for name, address in self._aliases.items():
            if name != address and name in log.subjects and address in log.subjects:
                log.subjects[address].absorb(log.subjects.pop(name))
        log.timeline = [
            each.event for each in sorted([*self._first, *self._last], key=lambda entry: entry.order)
        ]
        log.bytes_lines = [*self._first_bytes, *self._last_bytes]
        if log.programs:
            log.strange = LoggedDevice("")
        log.notes = self._clocks.notes()
        log.begin, log.end = self._clocks.first, self._clocks.last
        log.is_document = log.end == NO_TIME and self._documents.found
        return log
