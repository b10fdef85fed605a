"""Which models a recording's frames are like, and what differs: the same family with another start, say.

A model's frames are looked for with its start in place of theirs, the fields at their places or some bytes
further on. What counts is what chance does not give: a checksum that is right, cells that add up to the
pack's voltage, a charge that is the part of the capacity which the state of charge says. Numbers that merely
could be something, as most can, count little; numbers that no pack has count against.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from packwire.insight.frame_form import FrameForm
from packwire.models.heard import Heard
from packwire.models.protocol import ModelProtocol
from packwire.quantity import Value
from packwire.wire.framing import Framing

type Values = Mapping[str, Value]

#: So many moments of a recording are read, and so many messages are looked at for the form of frames.
_MOMENTS, _LOOKED_AT = 8, 200
#: So many models are named.
_TOLD = 3
#: So many frames may make up a reply that is numbered.
_PARTS = 24
#: What holds in so many of them holds.
_MOST = 0.8
#: Starts may be so much longer or shorter, and fields lie so many bytes further on or back.
_LONGER, _MOVED = 2, 4
#: V: what cells have, and how far apart they are.
_CELL, _APART = (1.5, 4.6), 1.0
_FEW_CELLS, _MANY_CELLS = 3, 8
#: The parts by which cells and pack, and power and V x A, may differ.
_VOLTS, _WATTS = 0.015, 0.05
_WHOLE = 100
#: Percent, and V.
_CHARGE, _ROW = 3.0, 0.003
_WARM = (-30.0, 95.0)
_LEAST_CURRENT, _MOST_CURRENT, _MOST_VOLTAGE = 0.5, 2000.0, 1500.0
#: Points: a claim needs so many of what is read, and of the form of frames.
_SURE, _SURE_FORM, _LIKELY, _LIKELY_FORM, _FORM_ALONE = 6, 3, 5, 2, 6
#: So many different messages make a checksum no accident.
_FEW = 3
_LONG_START = 2


class Certainty(StrEnum):
    """How sure it is that a recording is of a model's family."""

    SURE = "sure"
    LIKELY = "likely"
    FORM = "form only"
    """The frames are made alike; what is in them does not read."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a recording is like a model.

    same, differs  what of the form of frames is as the model says, and what is not, in words
    values         what the model reads there at one moment, by quantity
    agrees         what of that agrees with each other, in words
    points         how much speaks for it
    """

    model: str
    title: str
    certainty: Certainty
    same: tuple[str, ...]
    differs: tuple[str, ...]
    values: Values
    agrees: tuple[str, ...]
    points: float


@dataclass(frozen=True, slots=True)
class _Change:
    """How frames differ from a model's: the start is longer by `longer`, fields are moved by `moved`."""

    longer: int = 0
    moved: int = 0


_CHANGES = (
    _Change(),
    *(_Change(longer=sign * by) for by in range(1, _LONGER + 1) for sign in (1, -1)),
    *(_Change(moved=sign * by) for by in range(1, _MOVED + 1) for sign in (1, -1)),
)


def likenesses(
    models: Iterable[ModelProtocol],
    kinds: Sequence[Sequence[bytes]],
    asked: Sequence[bytes],
    forms: Sequence[FrameForm] = (),
) -> tuple[Likeness, ...]:
    """Return the models that a recording is like, the most alike first.

    `kinds` are a device's messages by kind, `asked` what was said to it, `forms` those found of frames.
    """
    kinds = [[each for each in kind if len(each) > _FEW] for kind in kinds]
    held: Counter[int] = Counter()
    for frame in (frame for kind in kinds for frame in kind):
        held[frame[0]] += len(frame)
    if not held:
        return ()
    first, most = held.most_common(1)[0]
    # What begins otherwise, such as a login, is framed otherwise; but it may be a number that is first.
    alike = 2 * most > held.total()
    said = list(dict.fromkeys(each for kind in kinds for each in kind if each[0] == first or not alike))
    said = said[:: max(len(said) // _LOOKED_AT, 1)]
    found = [
        each
        for model in models
        if not model.can
        and (
            each := _best(_compared(model, framing, kinds, said, asked, forms) for framing in model.framings)
        )
    ]
    found.sort(key=lambda each: -each.points)
    # Frames are made alike in many families; that says nothing beside one that reads.
    reads = [each for each in found if each.certainty is not Certainty.FORM]
    return tuple((reads or found)[:_TOLD])


def _best(found: Iterable[Likeness | None]) -> Likeness | None:
    return max((each for each in found if each), key=lambda each: each.points, default=None)


def _compared(
    model: ModelProtocol,
    framing: Framing,
    kinds: Sequence[Sequence[bytes]],
    said: Sequence[bytes],
    asked: Sequence[bytes],
    forms: Sequence[FrameForm],
) -> Likeness | None:
    same, differs, form = _form(model, framing, said, asked, forms)
    tail = _tail(framing, said, forms)
    best: tuple[float, _Change, Values, tuple[str, ...]] = (0.0, _Change(), {}, ())
    for change in _CHANGES:
        points, values, agrees = _read(model, framing, kinds, change, tail)
        if points > best[0]:
            best = points, change, values, agrees
        if points >= _SURE and change == _Change():
            break
    points, change, values, agrees = best
    if change.longer:
        differs = (
            *differs,
            f"starts are {abs(change.longer)} bytes {'longer' if change.longer > 0 else 'shorter'}",
        )
    if change.moved:
        way = "further on" if change.moved > 0 else "further forward"
        differs = (*differs, f"fields lie {abs(change.moved)} bytes {way}")
        points -= 1
    if points >= _SURE and form >= _SURE_FORM and agrees:
        certainty = Certainty.SURE
    elif points >= _LIKELY and form >= _LIKELY_FORM and agrees:
        certainty = Certainty.LIKELY
    elif form >= _FORM_ALONE:
        certainty, values, agrees = Certainty.FORM, {}, ()
    else:
        return None
    total = form if certainty is Certainty.FORM else points + form
    return Likeness(model.name, model.title, certainty, same, differs, values, agrees, total)


def _form(
    model: ModelProtocol,
    framing: Framing,
    said: Sequence[bytes],
    asked: Sequence[bytes],
    forms: Sequence[FrameForm],
) -> tuple[tuple[str, ...], tuple[str, ...], float]:
    """Return what of frames is as a model says, what is not, and points for the first."""
    same: list[str] = []
    differs: list[str] = []
    points = 0.0
    count = len(framing.start)
    own = next((each for each in forms if any(one.startswith(each.start) for one in said)), None)

    def tell(what: str, other: str, given: float, *, holds: bool) -> None:
        nonlocal points
        points += given if holds else 0
        (same if holds else differs).append(what if holds or not other else f"{what}, here {other}")

    if count:
        begun = _mostly(each.startswith(framing.start) for each in said)
        heads = {each[:count] for each in said}
        there = next(iter(heads)).hex(" ") if len(heads) == 1 else "others"
        tell(f"start {framing.start.hex(' ')}", there, 2 if count >= _LONG_START else 1, holds=begun)
    told = any(rule.at is not None for rule in framing.sizes)
    if framing.sizes:
        long = _mostly(
            len(each) in set(framing.sizes_of((framing.start + each[count:])[: framing.needs]))
            for each in said
        )
        tell("length" if told else "size", "", 2 if told else 1, holds=long)
    if framing.check is not None:
        right = len(said) >= _FEW and _mostly(
            framing.check.holds(each) for each in said if len(each) > framing.least
        )
        found = own.checksums[0].name if own and own.checksums else "another or none"
        again = found == framing.check.checksum
        tell(framing.check.checksum, "over other bytes, or elsewhere" if again else found, 2, holds=right)
    if framing.end:
        tell(f"end {framing.end.hex(' ')}", "", 1, holds=_mostly(each.endswith(framing.end) for each in said))
    if _asks_alike(model, framing, asked):
        points += 2
        same.append("requests")
    return tuple(same), tuple(differs), points


def _asks_alike(model: ModelProtocol, framing: Framing, asked: Sequence[bytes]) -> bool:
    """Say whether a request of a model was said, whatever its start and its checksum are."""
    count, tail = len(framing.start), framing.tail
    middles = {(len(each), each[count : len(each) - tail]) for each in asked}
    return any(
        question.payload.startswith(framing.start)
        and len(middle := question.payload[count : len(question.payload) - tail]) >= _LONG_START
        and any(middle)
        and (len(question.payload), middle) in middles
        for question in model.questions
        if question.payload
    )


def _mostly(held: Iterable[bool]) -> bool:
    every = list(held)
    return bool(every) and sum(every) >= _MOST * len(every)


def _tail(framing: Framing, said: Sequence[bytes], forms: Sequence[FrameForm]) -> int:
    """Return how many bytes at the end of the messages are none of their fields."""
    form = next((each for each in forms if each.start and said[0].startswith(each.start)), None)
    if form is None or not form.checksums or form.checksums[0].place.at >= 0:
        return framing.tail
    return -form.checksums[0].place.at


def _read(
    model: ModelProtocol, framing: Framing, kinds: Sequence[Sequence[bytes]], change: _Change, tail: int
) -> tuple[float, Values, tuple[str, ...]]:
    """Return points for what a model reads in the messages, the values of one moment, and what agrees."""
    heard = Heard(model)
    moments: list[dict[str, Value]] = []
    for moment in range(_MOMENTS):
        taken = False
        for kind in kinds:
            at = moment * len(kind) // _MOMENTS if len(kind) >= _MOMENTS else moment
            more = True
            for frame in kind[at : at + _PARTS]:
                mapped = _mapped(model, framing, frame, change, tail) if more else None
                if mapped is None:
                    break
                reply = heard.take(mapped).reply
                taken |= reply is not None
                more = reply is not None and reply.part is not None
        if taken:
            moments.append(heard.values())
    if not moments:
        return 0.0, {}, ()
    reckoned = {each.key for each in model.computed}
    # What was said in the beginning may be of a reply that has not come yet.
    judged = [dict(_judged(each, reckoned)) for each in moments[-max(len(moments) // 2, 1) :]]
    points, agrees = 0.0, []
    for word in dict.fromkeys(word for each in judged for word in each):
        held = [each[word] for each in judged if word in each]
        if min(held) < 0 or len(held) >= _MOST * len(judged):
            points += median(held)
            if median(held) >= _LONG_START:
                agrees.append(word)
    return points, moments[-1], tuple(agrees)


def _mapped(model: ModelProtocol, framing: Framing, frame: bytes, change: _Change, tail: int) -> bytes | None:
    """Return a frame as the model would have it: with its start, its fields at their places, and its end."""
    begin = len(framing.start) + change.longer
    if begin < 0 or len(frame) <= begin + tail:
        return None
    body = framing.start + frame[begin : len(frame) - tail]
    ends = bytes(framing.tail - len(framing.end)) + framing.end
    if framing.hexadecimal:
        return None if change.moved else body + ends
    reply = next((each for each in model.replies if not each.refuses and _begins(each.begins, body)), None)
    if reply is None:
        return None
    at, moved = len(reply.begins), change.moved
    body = body[:at] + (body[at + moved :] if moved >= 0 else bytes(-moved) + body[at:])
    if reply.size is not None:
        room = reply.size - len(ends)
        body = body[:room].ljust(room, b"\0")
    return body + ends


def _begins(begins: Sequence[int | None], body: bytes) -> bool:
    return (
        bool(begins)
        and len(body) > len(begins)
        and all(wanted in {None, byte} for wanted, byte in zip(begins, body, strict=False))
    )


def _judged(values: Mapping[str, Value], reckoned: set[str]) -> Iterator[tuple[str, float]]:
    """Yield what speaks for values being read at their places, in words and points; below zero: against."""
    own = {key: value for key, value in values.items() if key not in reckoned}
    yield from _cells_judged(own)
    voltage, current = _number(own.get("voltage")), _number(own.get("current"))
    soc, power = _number(own.get("soc")), _number(own.get("power"))
    if voltage is not None and not 0 <= voltage <= _MOST_VOLTAGE:
        yield "a voltage that no pack has", -2
    if current is not None and abs(current) > _MOST_CURRENT:
        yield "a current that no pack has", -2
    if soc is not None and not 0 <= soc <= _WHOLE:
        yield "a state of charge that is none", -2
    elif soc:
        yield "a state of charge", 1
    charge = _number(own.get("charge_remaining"))
    whole = _number(own.get("capacity") or own.get("capacity_design"))
    if soc and charge and whole and abs(_WHOLE * charge / whole - soc) <= _CHARGE:
        yield "the charge is what the state of charge says", 3
    watts = abs(voltage * current) if voltage and current and abs(current) >= _LEAST_CURRENT else 0.0
    if watts and power and abs(abs(power) - watts) <= _WATTS * watts:
        yield "the power is volts times amperes", 3
    warm = [each for each in _numbers(own.get("temperatures")) if each]
    if warm and all(_WARM[0] <= each <= _WARM[1] for each in warm):
        yield "temperatures", 1
    elif warm:
        yield "temperatures that no pack has", -1


def _cells_judged(own: Mapping[str, Value]) -> Iterator[tuple[str, float]]:
    """Yield what speaks for cells being read at their places: they lie close, and add up to the pack."""
    cells, voltage = _numbers(own.get("cell_voltages")), _number(own.get("voltage"))
    if any(each > 2 * _CELL[1] for each in cells):
        yield "cells that no pack has", -3
    close = len(cells) >= _FEW_CELLS and max(cells) - min(cells) <= _APART
    if not close or not all(_CELL[0] <= each <= _CELL[1] for each in cells):
        return
    yield f"{len(cells)} cells in a row", 3 if len(cells) >= _MANY_CELLS else 2
    if voltage and abs(sum(cells) - voltage) <= _VOLTS * voltage:
        yield "the cells add up to the voltage", 3
    elif voltage is not None:
        yield "the cells do not add up to the voltage", -2
    for key, cell, words in (
        ("cell_voltage_max", max(cells), "the highest cell is what is said"),
        ("cell_voltage_min", min(cells), "the lowest cell is what is said"),
    ):
        said = _number(own.get(key))
        if said and abs(said - cell) <= _ROW:
            yield words, 2


def _number(value: Value | None) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _numbers(value: Value | None) -> list[float]:
    return (
        [float(each) for each in value if isinstance(each, (int, float))] if isinstance(value, tuple) else []
    )
