"""The bytes on a wire so far, looked at with all framings that are known: whose frames they are."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from packwire.capture.framings import Found, families, frames_in
from packwire.direction import Direction
from packwire.doctor.examination import Examination
from packwire.doctor.line import Probe
from packwire.doctor.log.wire import WireMessage, look_at_rows, names
from packwire.doctor.transcript import TranscriptSegment
from packwire.event import EventKind
from packwire.models.protocol import ModelProtocol
from packwire.protocol.base import Protocol
from packwire.wire.framing import FrameCheck, Framing

_SECOND = 1_000_000_000
#: Frames whose checksums are compared.
_MOST_SUMS = 50
#: A reply's head of so many bytes is no accident.
_TELLING = 3
#: Bytes that are looked at, of the first and of the last: a line may send without end.
_FIRST_BYTES, _LAST_BYTES = 4096, 8192


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
    sums: tuple[tuple[int, int], ...] = ()
    """Of frames with a wrong checksum: the one that stands in it, and the right one."""

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
    rows = _bounded(_rows(exam.transcript.segments))
    came = b"".join(row.payload for row in rows if not row.sent)
    found, facts = WireBytes(size=len(came)), look_at_rows(rows)
    spoken = exam.protocol.family
    held = 0
    if spoken is not None:
        frames = _frames(came, exam.protocol)
        right = [each for each in frames if each.ok]
        held = sum(each.size for each in right)
        frames_of_own = [came[each.start : each.start + each.size] for each in right]
        asked = sum(_is_request(exam, each) for each in frames_of_own)
        found.requests = max(asked, facts.foreign)
        found.own = len(right) - found.requests
        found.wrong = len(frames) - len(right)
        facts.asked_in = Counter({spoken.name: facts.sent})
        facts.right, facts.wrong = found.own, found.wrong
        found.sums = tuple(wrong_sums(came, exam.protocol))
        if exam.address.listens:
            found.own, found.requests = len(right), 0  # that another master asks is as it should be
        facts.foreign = found.requests
        if right:
            facts.answered_in = Counter({spoken.name: len(right)})
    if not held and (other := facts.answered_in):
        found.others = Counter(other)
        framings = next(each.framings for each in families() if each.name in other)
        held = sum(each.size for each in frames_in(came, framings) if each.ok)
    found.outside = len(came) - held
    exam.facts.put(facts)
    return found


def _frames(stream: bytes, spoken: Protocol) -> list[Found]:
    """Return the frames of a protocol, right and wrong ones."""
    framings = spoken.family.framings if spoken.family is not None else ()
    return list(frames_in(stream, framings)) or _by_heads(stream, spoken) or _by_size(stream, framings)


def _by_heads(stream: bytes, spoken: Protocol) -> list[Found]:
    """Return the frames that begin as a model's replies do.

    Where a framing's start is one byte, which stands in any bytes, nothing else tells a frame whose checksum
    is wrong.
    """
    found: list[Found] = []
    if not isinstance(spoken, ModelProtocol):
        return found
    heads = {each.head for each in spoken.replies if len(each.head) >= _TELLING}
    for head in heads:
        framing = next((each for each in spoken.framings if head.startswith(each.start)), None)
        at = stream.find(head) if framing and framing.check else -1
        while framing and at >= 0 and len(found) < _MOST_SUMS:
            size = next(framing.sizes_of(stream[at : at + framing.needs]), 0)
            frame = stream[at : at + size]
            if size == len(frame) > 0 and not any(frame.find(each, 1) > 0 for each in heads):  # none was cut
                found.append(Found(at, size, framing, framing.checks(frame)))
            at = stream.find(head, at + 1)
    return found


def _by_size(stream: bytes, framings: tuple[Framing, ...]) -> list[Found]:
    """Return the one frame that is all that came: as long as its header says, be it without a start."""
    fits = (each for each in framings if each.check and len(stream) in each.sizes_of(stream[: each.needs]))
    return [Found(0, len(stream), each, each.checks(stream)) for each in fits if stream][:1]


def wrong_sums(stream: bytes, spoken: Protocol) -> Iterator[tuple[int, int]]:
    """Yield the wrong checksums of a protocol's frames, and what they ought to be."""
    for each in [each for each in _frames(stream, spoken) if not each.ok][:_MOST_SUMS]:
        check, frame = each.framing.check, stream[each.start : each.start + each.size]
        if check is not None:
            yield _number(check, check.stored(frame)), _number(check, check.right(frame))


def tell_sums(exam: Examination, sums: Iterable[tuple[int, int]]) -> None:
    """Tell the journal of wrong checksums."""
    for stored, right in sums:
        words = f"a checksum of {stored:04x}, where {right:04x} is right"
        exam.journal.tell(EventKind.DAMAGED, "checksum", words, a=f"{stored:04x}", b=f"{right:04x}")


def _number(check: FrameCheck, stored: bytes) -> int:
    try:
        return int(stored, 16) if check.digits else int.from_bytes(stored, check.order)
    except ValueError:
        return 0


def _is_request(exam: Examination, frame: bytes) -> bool:
    """Tell whether a frame is a request of the model that is spoken."""
    spoken = exam.protocol
    return isinstance(spoken, ModelProtocol) and spoken.question_of(frame) is not None


def _bounded(rows: list[WireMessage]) -> list[WireMessage]:
    """Return the first and the last of what passed."""
    first: list[WireMessage] = []
    last: list[WireMessage] = []
    size = 0
    while len(first) < len(rows) and size < _FIRST_BYTES:
        first.append(rows[len(first)])
        size += len(first[-1].payload)
    size = 0
    while len(first) + len(last) < len(rows) and size < _LAST_BYTES:
        last.append(rows[-1 - len(last)])
        size += len(last[-1].payload)
    return [*first, *reversed(last)]


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
