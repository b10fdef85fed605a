"""The bytes on a wire so far, looked at with all framings that are known: whose they are, and what is left."""

from collections import Counter
from dataclasses import dataclass, field

from packwire.capture.framings import families, frames_in
from packwire.direction import Direction
from packwire.doctor.examination import Examination
from packwire.doctor.line import Probe
from packwire.doctor.log.facts import WireFacts
from packwire.doctor.log.wire import WireMessage, look_at_rows, names
from packwire.doctor.transcript import TranscriptSegment

_SECOND = 1_000_000_000


@dataclass(slots=True)
class WireBytes:
    """What came: bytes in all, and outside of right frames; frames of the protocol that is spoken.

    `wrong` are those of them with a wrong checksum, `others` right frames of other families, `requests`
    those that another master sent.
    """

    size: int = 0
    outside: int = 0
    own: int = 0
    wrong: int = 0
    requests: int = 0
    others: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        said = [f"{self.own} frames of this protocol"] * bool(self.own)
        said += [f"{self.wrong} with a wrong checksum"] * bool(self.wrong)
        said += [f"{self.requests} requests that nobody here sent"] * bool(self.requests)
        said += [f"{sum(self.others.values())} frames of {names(self.others)}"] * bool(self.others)
        return ", ".join(said) or f"{self.size} bytes, and no frame that is known among them"


def without_echoes(probe: Probe) -> bytes:
    """Return the first of what came back to a question, without the question itself."""
    return probe.head[len(probe.sent) :] if probe.echoed else probe.head


def look_at_wire(exam: Examination) -> WireBytes:
    """Look at all that passed so far; the facts on bytes that rules read are filled with it."""
    rows = _rows(exam.transcript.segments)
    came = b"".join(row.payload for row in rows if not row.sent)
    found, facts = WireBytes(size=len(came)), look_at_rows(rows)
    spoken = exam.protocol.family
    held = 0
    if spoken is not None:
        frames = [each for each in frames_in(came, spoken.framings)]
        right = [each for each in frames if each.ok]
        held = sum(each.size for each in right)
        found.requests = sum(
            each.framing.queries is not None
            and each.framing.queries.fits(came[each.start : each.start + each.size])
            and _is_request(exam, came[each.start : each.start + each.size])
            for each in right
        )
        found.own, found.wrong = len(right), len(frames) - len(right)
        facts.asked_in = Counter({spoken.name: facts.sent})
        if found.own:
            facts.answered_in, facts.foreign = Counter({spoken.name: found.own}), found.requests
            facts.right, facts.wrong = found.own, found.wrong
    if not found.own and (other := facts.answered_in):
        found.others = Counter(other)
        framings = next(each.framings for each in families() if each.name in other)
        held = sum(each.size for each in frames_in(came, framings) if each.ok)
    found.outside = len(came) - held
    exam.facts.put(facts)
    return found


def _is_request(exam: Examination, frame: bytes) -> bool:
    """Tell whether a frame is a request, and no reply: of Modbus both may have the same form."""
    return exam.protocol.kind(frame) is not None and not exam.protocol.streams(frame)


def _rows(segments: list[TranscriptSegment]) -> list[WireMessage]:
    """Return what passed without the echoes of what was sent, in whatever pieces they came."""
    rows: list[WireMessage] = []
    echo = b""
    for each in segments:
        data, sent = each.data, each.direction is Direction.TO_DEVICE
        if sent:
            echo = data
        elif echo:
            same = min(len(echo), len(data))
            if data[:same] == echo[:same]:
                data, echo = data[same:], echo[same:]
            else:
                echo = b""
        if data:
            rows.append(WireMessage(int(each.time * _SECOND), sent, data))
    return rows


def fill_wire_facts(exam: Examination) -> WireFacts:
    """Return the facts on all bytes that passed."""
    look_at_wire(exam)
    return exam.facts[WireFacts]
