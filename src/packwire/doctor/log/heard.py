"""Packs that send on a CAN bus by themselves: what a recording or a log has of their frames, and says."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from packwire.capture.links import Layer, numbers
from packwire.capture.open import Capture
from packwire.capture.packets import NO_TIME
from packwire.capture.readings import Readings, TableReadings, all_models, identifier_of
from packwire.check import Fact
from packwire.doctor.pack_facts import ValuesFacts, in_words
from packwire.models.heard import Heard
from packwire.phrases import counted, few
from packwire.quantity import Value
from packwire.sample import derived

#: So many frames are read, at each end of a recording.
_MOST = 20_000
#: s: inverters stop where a pack is silent for so long [Victron, Pylontech: some seconds to a minute].
_LONG = 5.0
#: So many identifiers are told.
_TOLD = 8
#: A pack that sends by itself says several things; so many messages are no accident.
_LEAST_HEARD = 3


@dataclass(slots=True)
class HeardFacts(Fact):
    """What was heard on a CAN bus: frames, whose they are, what they say.

    `frames` are those that were looked at, `read` those of them that `title` (a model; '' where none fits)
    knows, `names` its messages with how often each came, `pause` the longest silence between two of them
    (s). `values` is what was said last, by quantity.
    """

    frames: int = 0
    identifiers: tuple[str, ...] = ()
    title: str = ""
    read: int = 0
    names: Counter[str] = field(default_factory=Counter)
    pause: float = 0.0
    values: Mapping[str, Value] = field(default_factory=dict)
    alike: tuple[str, ...] = ()
    """The models that know some of the frames, where they are too few for any."""
    whole: bool = True
    """Whether all frames were looked at."""

    @property
    def sends(self) -> bool:
        """Return whether a pack is heard."""
        return self.read >= _LEAST_HEARD

    @property
    def impossible(self) -> tuple[str, ...]:
        """Return in words what in the values is no measurement of a battery."""
        if not self.values:
            return ()
        # A bridge that hears nothing of its pack goes on sending zeros.
        measured = [self.values[each] for each in ("voltage", "current", "soc") if each in self.values]
        nothing = ("everything is zero",) if "voltage" in self.values and not any(measured) else ()
        return (*nothing, *ValuesFacts([self.values]).impossible)

    @property
    def pauses(self) -> bool:
        """Return whether it was silent for longer than an inverter waits."""
        return self.pause > _LONG

    @property
    def said(self) -> str:
        """Return the values in words; empty where there are none that are told so."""
        return in_words(self.values)

    @property
    def words(self) -> str:
        """Return what was heard, in one line."""
        if not self.title:
            shown = few(self.identifiers, _TOLD)
            known = f"too few to tell whose: frames as of {few(self.alike, 3)}" if self.alike else ""
            known = known or "which no model of packwire knows"
            return f"{counted(self.frames, 'CAN frame')} came ({shown}), {known}"
        looked = "" if self.whole else " that were looked at"
        return f"{self.read} of {self.frames} CAN frames{looked} are those of {self.title}"


def listen_to(capture: Capture, *, whole: bool = True) -> HeardFacts:
    """Return what a recording has of packs that send on a CAN bus by themselves.

    `whole` is False where the middle of a log is left out of it.
    """
    if numbers(Layer.CAN).isdisjoint(capture.packets.link_types):
        return HeardFacts()
    messages = capture.can.raw
    identifiers = [identifier_of(each) for each in messages.channels]
    count = len(messages)
    whole = whole and count <= 2 * _MOST
    rows = range(count) if count <= 2 * _MOST else [*range(_MOST), *range(count - _MOST, count)]
    rows = [row for row in rows if identifiers[int(messages.channel[row])]]
    ids = Counter(identifiers[int(messages.channel[row])] for row in rows)
    facts = HeardFacts(
        len(rows), tuple(f"{int.from_bytes(each) & 0x1FFF_FFFF:#x}" for each, _ in ids.most_common())
    )
    readings = Readings(all_models())
    table = TableReadings(readings, messages)
    for row in rows:
        table.read(row, messages.payload(row))
    model = next((each for each in readings.models if each.can and not each.asks), None)
    if model is None:
        first = [identifiers[int(messages.channel[row])] + messages.payload(row) for row in rows[:_TOLD]]
        facts.alike = tuple(
            each.title
            for each in all_models()
            if each.can and not each.asks and any(Heard(each).take(frame).reply for frame in first)
        )
        return facts
    heard, times = Heard(model), []
    for row in rows:
        taken = heard.take(identifiers[int(messages.channel[row])] + messages.payload(row))
        if taken.reply is not None and not taken.missing:
            facts.names[taken.reply.name] += 1
            times.append(int(messages.time[row]))
    facts.title, facts.read = model.title, facts.names.total()
    facts.values = derived(heard.values())
    facts.pause = _longest(times) if whole else 0.0
    facts.whole = whole
    return facts


def _longest(times: list[int]) -> float:
    """Return the longest pause in s; what goes back is another recording."""
    known = [time for time in times if time != NO_TIME]
    return max((two - one for one, two in pairwise(known)), default=0) / 1e9
