"""Which framing a recording uses: found by trial, the one whose right frames hold most of its bytes.

A frame may be longer than a notification, so it is put together from the values of one channel. What is known
of framings is in `packwire.protocols.families`; capture, insight and the doctor ask for it here.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from packwire.att import long_uuid
from packwire.channel import Channel, Transport
from packwire.protocols import families, families_at, families_unchecked
from packwire.wire.family import Family
from packwire.wire.finding import Found, frames_in
from packwire.wire.framing import Framing, Size

__all__ = [
    "TRIAL", "Found", "Framing", "RequestMeaning", "Written", "answering", "families", "family", "family_of",
    "frames_in", "recognise", "recognise_at", "request_of", "written",
]  # fmt: skip

#: Of a channel's bytes so many are looked at to find out its framing.
TRIAL = 1 << 14

#: A framing that holds so much of a stream is taken without a look at the others.
_NEARLY_ALL = 0.95

#: So many frames without a checksum, and nothing else, are no accident.
_SEVERAL = 3
_NOTIFIES = ("notify", "indicate")


def family(name: str) -> tuple[Framing, ...]:
    """Return the framings that go together under a name; empty where there are none."""
    return next((each.framings for each in families() if each.name == name), ())


@cache
def _families() -> dict[str, str]:
    every = (*families_unchecked(), *families())
    return {framing.name: each.name for each in every for framing in each.framings}


def family_of(framing: Framing) -> str:
    """Return the name under which a framing goes together with others."""
    return framing.name if framing.inferred else _families().get(framing.name, framing.name)


@cache
def answering() -> dict[str, Family]:
    """Return the families of which it is known what answers what, by name."""
    return {each.name: each for each in (*families(), *families_unchecked()) if each.answers}


def recognise(stream: bytes) -> tuple[Framing, ...]:
    """Return the framings in whose frames, with right checksums, most of a stream's bytes lie."""
    stream = stream[:TRIAL]
    best: tuple[int, tuple[Framing, ...]] = (0, ())
    for each in families():
        held = sum(found.size for found in frames_in(stream, each.framings) if found.ok)
        # The last frame may go on behind what was looked at.
        if 2 * held > len(stream) and held > best[0]:
            best = (held, each.framings)
        if held >= _NEARLY_ALL * len(stream) > 0:
            break
    return best[1]


def recognise_at(
    channel: Channel, stream: bytes, written: Callable[[str], Sequence[bytes]]
) -> tuple[tuple[Framing, ...], str]:
    """Return framings without a checksum, where a device notifies on the very characteristic of their model.

    The second is the characteristic by which it is asked; both are empty where it speaks none.

    Nearly all bytes lie in several frames, whose starts, sizes and ends are all right, and most of what was
    written to that device at the model's other characteristic (`written` tells by its UUID) are frames, too.
    """
    if channel.transport is not Transport.ATT or channel.kind not in _NOTIFIES:
        return (), ""
    stream = stream[:TRIAL]
    for each, write in families_at(long_uuid(channel.name)):
        found = [frame for frame in frames_in(stream, each.framings) if frame.ok]
        if len(found) < _SEVERAL:
            continue
        held, end = sum(frame.size for frame in found), found[-1].start + found[-1].size
        # The last frame may go on behind what was looked at.
        longest = max(frame.size for frame in found)
        if held < _NEARLY_ALL * end or len(stream) - end > longest:
            continue
        said = [any(one.form_of(message) for one in each.framings) for message in written(write)]
        if said and 2 * sum(said) > len(said):
            return each.framings, write
    return (), ""


class RequestMeaning(NamedTuple):
    """What a request says (without rubbish), whether its framing is known, whether it only asks.

    `told`: the framing says which requests only ask; without that, `query` is False of all.
    """

    meaning: bytes
    known: bool
    query: bool
    told: bool = False


def request_of(message: bytes) -> RequestMeaning:
    """Read one message of an app as a request of the first framing that it is a whole frame of."""
    found = _form_of(message)
    if found is None:
        return RequestMeaning(message, known=False, query=False)
    framing, _ = found
    count, queries = framing.count, framing.queries
    meaning = message if count is None else message[: count + 1 + message[count]]
    query = queries is not None and queries.fits(message)
    return RequestMeaning(meaning, known=True, query=query, told=queries is not None)


class Written(NamedTuple):
    """What a write is written to lies before `control`, its value from `begin` (0: not known) to `end`."""

    control: int
    begin: int
    end: int


def written(message: bytes) -> Written | None:
    """Return what a write of a known framing writes; None where no framing fits."""
    found = _form_of(message)
    if found is None:
        return None
    framing, form = found
    if framing.count is not None:
        return Written(framing.header, 0, framing.count + 1 + message[framing.count])
    end = len(message) + framing.check.at if framing.check else len(message) - len(framing.end)
    return Written(framing.asks or framing.header, form.value, end)


def _form_of(message: bytes) -> tuple[Framing, Size] | None:
    for each in families():
        for framing in each.framings:
            form = framing.form_of(message)
            if form is not None:
                return framing, form
    return None
