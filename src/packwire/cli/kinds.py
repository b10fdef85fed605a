"""The kinds of messages of recordings as `insight` takes them, and how they are named on the command line."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from packwire.capture import Capture
from packwire.cli.headers import known_headers, unframed
from packwire.direction import Direction
from packwire.insight.digits import Digits, find_digits
from packwire.insight.fields import Frames
from packwire.insight.frame_form import FrameForm, checked_alike, find_forms
from packwire.insight.grouped import MessageKind, tables
from packwire.insight.groups import header_text, lane_rows
from packwire.insight.segments import by_recording
from packwire.insight.texts import TextKind, find_texts
from packwire.phrases import counted

#: So many bytes of a message that is written as digits are none: its marks.
_MARKS = 4


@dataclass(frozen=True, slots=True)
class NamedFrames:
    """The messages of one kind over all recordings."""

    kind: MessageKind
    frames: Frames
    digits: int | None = None
    """Where the digits begin of which the frames hold what they say; None: the frames are as they were."""
    text: TextKind | None = None
    """The decimal text that it is; then there are no bytes."""

    @property
    def name(self) -> str:
        """Return what tells it apart: its first bytes, and the registers that were asked for."""
        if self.text is not None:
            begins = self.text.begins.decode("ascii", "replace")
            return f"text of keys from {begins}" if self.text.keyed else f"text line {begins or '(any)'}"
        asked = f", asked {self.kind.asked.hex(' ')}" if self.kind.asked else ""
        return f"{header_text(self.kind.header, self.kind.skipped) or '(any)'}{asked}"

    @property
    def title(self) -> str:
        """Return its name with the channel and its length."""
        if self.text is not None:
            return f"{self.name}  {self.kind.lane[1]}"
        width = self.frames.matrix.shape[1]
        return f"{self.name}  {self.kind.lane[1]}, {counted(width, 'byte')}"


def kinds_of(captures: Sequence[Capture]) -> list[NamedFrames]:
    """Return the kinds of messages that a device sends more than once, those with most messages first.

    Pieces of broken frames are left out. A channel of decimal text has the kinds of its lines.
    """
    texts = [text for capture in captures for text in find_texts(capture.messages)]
    written = {text.lane for text in texts}
    messages = [capture.messages.select(~unframed(capture)) for capture in captures]
    headers = [
        each[~unframed(capture)] for each, capture in zip(known_headers(captures), captures, strict=True)
    ]
    cut = by_recording(messages, [str(number) for number in range(len(messages))])
    found = [
        NamedFrames(table.kind, Frames(table.matrix, len(table.kind.header), table.time))
        for table in tables(messages, cut, headers)
        if table.kind.lane[0] is not Direction.TO_DEVICE and table.kind.lane not in written
    ]
    found += [_of_text(text) for text in texts]
    return sorted(found, key=lambda each: -len(each.frames.matrix))


def _of_text(text: TextKind) -> NamedFrames:
    nothing = np.zeros((len(text.numbers), 0), dtype=np.uint8)
    frames = Frames(nothing, 0, text.time, text.numbers)
    return NamedFrames(MessageKind(text.lane, 0, text.begins), frames, text=text)


def of_one_channel(kinds: Sequence[NamedFrames]) -> list[NamedFrames]:
    """Return the kinds of the channel on which a device says most."""
    if not kinds:
        return []
    held: Counter[object] = Counter()
    for each in kinds:
        numbers = each.frames.numbers
        held[each.kind.lane] += each.frames.matrix.size if numbers is None else numbers.size
    lane = held.most_common(1)[0][0]
    return [each for each in kinds if each.kind.lane == lane][:64]


def forms_of(captures: Sequence[Capture], kinds: Sequence[NamedFrames]) -> list[FrameForm]:
    """Return the forms of frames: of what a device says on the channels of some kinds, and of requests."""
    messages: list[bytes] = []
    asked: list[bytes] = []
    lanes = {each.kind.lane for each in kinds}
    for capture in captures:
        table, broken = capture.messages, unframed(capture)
        for lane, rows in lane_rows(table).items():
            whole = [table.payload(row) for row in rows[~broken[rows]].tolist()]
            if (lane[0], lane[1].lasting) in lanes:
                messages += whole
            elif (
                lane[0] is Direction.TO_DEVICE
                and not lane[1].subscribes
                and any(lane[1].transport is other[1].transport for other in lanes)
            ):
                asked += whole
    forms = find_forms(messages)
    return [*forms, *(checked_alike(each, forms, asked) for each in find_forms(asked))]


def undigited(kinds: Sequence[NamedFrames], forms: Sequence[FrameForm] = ()) -> list[NamedFrames]:
    """Return kinds of which those that are written as hexadecimal digits have what these say in their place.

    Their checksums and ends are left out, as far as the form of their frames is known.
    """
    return [_undigited(each, forms) for each in kinds]


def _undigited(each: NamedFrames, forms: Sequence[FrameForm]) -> NamedFrames:
    matrix = each.frames.matrix
    width = matrix.shape[1]
    found = find_digits(matrix)
    if found is None or found.end - found.begin < width - _MARKS:
        return each
    begin = found.begin
    form = next((one for one in forms if one.digits and each.kind.header.startswith(one.start)), None)
    tail = width - found.end
    if form is not None and form.checksums:
        tail = -form.checksums[0].place.at
    whole = np.concatenate((matrix[:, :begin], Digits.read(matrix[:, begin : width - tail])), axis=1)
    header = begin + max(each.frames.header - begin, 0) // 2
    return replace(each, frames=Frames(whole, min(header, whole.shape[1]), each.frames.time), digits=begin)


def chance_text(chance: float) -> str:
    """Return a chance in words: `chance 1 in 40 000`."""
    if chance >= 0.5:
        return "chance explains it"
    number = 1 / max(chance, 1e-12)
    if number >= 1e9:
        return "chance below 1 in 10^9"
    digits = 10 ** max(len(str(int(number))) - 2, 0)
    return f"chance 1 in {int(number / digits) * digits:,}".replace(",", " ")
