"""A model file from what was found in recordings: what is sure, what is a guess, and what is unknown.

Everything that is a guess says in a comment how sure it is. Bytes that nobody knows stay unknown: those that
change are numbers without a meaning, those that never change are left as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from packwire.insight.draft_framing import framings, makes
from packwire.insight.fields import FieldRole, FoundField, Frames
from packwire.insight.frame_form import FrameForm
from packwire.insight.matches import MOST_CHANCE, Match, Noted
from packwire.insight.observations import Measured, Observation
from packwire.insight.starting import SentBefore, StartedStream, start_lines
from packwire.wire.fields import Type

#: Of a value that may be in more places than this none is named.
_MOST_GUESSES = 3
#: What comes so often without being asked for comes by itself.
_STREAM = 5
#: A stream that was silent for so many seconds has stopped, unless it is slower.
_SILENCE = 5
#: How a model writes types of numbers, before how many bits they have.
LETTERS = {Type.UINT: "u", Type.INT: "i", Type.FLOAT: "f", Type.BCD: "bcd"}


@dataclass(frozen=True, slots=True, eq=False)
class DraftKind:
    """A kind of reply: its first bytes (None: any), messages, fields, and the frame that asks for it."""

    begins: tuple[int | None, ...]
    frames: Frames
    fields: tuple[FoundField, ...]
    request: bytes = b""
    size: int = 0
    """How long the whole frame is, as it is sent; 0: as the messages here are."""
    before: tuple[SentBefore, ...] = ()
    """Of a kind that comes by itself: what was sent before it first came, and may have started it."""


@dataclass(frozen=True, slots=True)
class DraftLinks:
    """Where it is spoken: the characteristics, or a serial line and TCP where there are none.

    `unnamed`: it is Bluetooth, but the recording does not say which characteristics they are.
    """

    notify: str = ""
    write: str = ""
    unnamed: bool = False


def draft(
    name: str,
    kinds: Sequence[DraftKind],
    found: Sequence[Noted],
    forms: Sequence[FrameForm],
    links: DraftLinks,
    remarks: Sequence[str] = (),
) -> str:
    """Return a model file as text; raises ValueError where nothing can be said of the frames."""
    forms = [each for each in forms if each.start]
    outside = [each for each in kinds if not any(_begins_with(each, form.start) for form in forms)]
    numbers = {id(each): number for number, each in enumerate(kinds)}
    kinds = [each for each in kinds if each not in outside]
    if not forms or not kinds:
        raise ValueError(
            "no framing was found for any kind of message: a model needs bytes that begin all frames"
        )
    lines = [
        f"# {each}"
        for each in ("A draft: read it, mend it, then `packwire read ADDRESS?model=FILE`.", *remarks)
    ]
    lines += [f"# Left out, no framing found: {begins_text(each)}" for each in outside]
    lines += ["packwire: 1", f"name: {name}", f"title: {name}", f"order: {_order(kinds)}"]
    lines += list(link_lines(links))
    lines += [f"# {each}" for each in _in_the_start(kinds, numbers, found, forms)]
    header = max(len(each.begins) for each in kinds)
    lines += framings(forms, header, [each.request for each in kinds])
    asked = [each for each in kinds if each.request]
    names = _names(kinds)
    if asked:
        lines.append("requests:")
        lines += [
            f"  ask {names[id(each)]}: {{send: {each.request.hex(' ')}, reply: {names[id(each)]}}}"
            for each in asked
        ]
    lines += start_lines(_streams(kinds, names), lambda frame: any(makes(form, frame) for form in forms))
    lines.append("replies:")
    for each in kinds:
        lines += list(_reply(numbers[id(each)], each, names[id(each)], found, _order(kinds)))
    return "\n".join(lines) + "\n"


def _streams(kinds: Sequence[DraftKind], names: dict[int, str]) -> list[StartedStream]:
    """Return what comes by itself, of a pack that is asked nothing again and again, the first first.

    Of one that is asked, what is sent once may be a switch. What is always the same tells nobody anything.
    """
    if any(each.request for each in kinds):
        return []
    found = []
    for each in kinds:
        time = each.frames.time
        telling = any(field.moves and field.role is not FieldRole.CHECKSUM for field in each.fields)
        if time is not None and telling and len(each.frames.matrix) >= _STREAM and each.before:
            usual = float(np.median(np.diff(time))) / 1e9
            found.append(
                (int(time[0]), StartedStream(names[id(each)], each.before, max(_SILENCE, round(3 * usual))))
            )
    return [stream for _, stream in sorted(found, key=lambda each: each[0])]


def _in_the_start(
    kinds: Sequence[DraftKind], numbers: dict[int, int], found: Sequence[Noted], forms: Sequence[FrameForm]
) -> Iterator[str]:
    """Yield which noted values lie in the bytes by which frames are told: they were always the same here."""
    for each in found:
        for kind in kinds if is_placed(each) else ():
            at, first = each.matches[0].field.at or 0, each.matches[0]
            if first.kind == numbers[id(kind)] and any(
                at < len(form.start) and _begins_with(kind, form.start) for form in forms
            ):
                yield f"frames are told by their first bytes, and {each.name} lies there: with another value"
                yield "nothing is read. A recording in which it changes shows more."


def begins_text(kind: DraftKind) -> str:
    """Return the first bytes of a kind of reply as a model writes them."""
    return " ".join("??" if byte is None else f"{byte:02x}" for byte in kind.begins)


def is_placed(noted: Noted) -> bool:
    """Say whether chance does not explain where a value was found, so that a draft has it."""
    return bool(noted.matches) and noted.matches[0].chance <= MOST_CHANCE


def _begins_with(kind: DraftKind, start: bytes) -> bool:
    return all(byte in {None, begun} for byte, begun in zip(kind.begins, start, strict=False))


def _order(kinds: Sequence[DraftKind]) -> str:
    orders = [field.order for kind in kinds for field in kind.fields if field.wide and field.of is None]
    return "little" if orders.count("little") > len(orders) / 2 else "big"


def link_lines(links: DraftLinks) -> Iterator[str]:
    """Yield the lines that say where it is spoken."""
    yield "links:"
    if links.unnamed:
        yield "  # The recording does not name the characteristics: a phone that knows a device does not ask"
        yield "  # again. Record once more with one that has forgotten it, or `packwire explore` the device."
        yield "  # ble:"
        yield "  #   - {service: ????, notify: ????, write: ????}"
        yield "  tcp: true"
        return
    if not links.notify:
        yield "  serial: {baud: 9600}  # the baud rate is a guess"
        yield "  tcp: true"
        return
    write = f", write: {_uuid(links.write)}" if links.write else ""
    service = f"{links.notify[:3]}0" if len(links.notify) == 4 else links.notify
    if links.notify.startswith("6e40000"):  # the Nordic UART service, which many take
        service = f"6e400001{links.notify[8:]}"
    yield "  ble:"
    place = f"service: {_uuid(service)}, notify: {_uuid(links.notify)}{write}"
    yield f"    - {{{place}}}  # the service is a guess"
    yield "  tcp: true"


def _uuid(text: str) -> str:
    return f'"{text}"'


def _names(kinds: Sequence[DraftKind]) -> dict[int, str]:
    """Return a name for each reply: its first bytes, with a number where several begin alike."""
    result: dict[int, str] = {}
    used: set[str] = set()
    for each in kinds:
        plain = "".join("xx" if byte is None else f"{byte:02x}" for byte in each.begins) or "any"
        name, number = f"kind {plain}", 2
        while name in used:
            name, number = f"kind {plain} {number}", number + 1
        used.add(name)
        result[id(each)] = name
    return result


def _reply(number: int, kind: DraftKind, name: str, found: Sequence[Noted], order: str) -> Iterator[str]:
    width = kind.frames.matrix.shape[1]
    yield f"  {name}:  # {len(kind.frames.matrix)} messages"
    yield f'    begins: "{begins_text(kind)}"'
    yield f"    size: {kind.size or width}"
    if not kind.request and len(kind.frames.matrix) >= _STREAM:
        yield "    unasked: true  # nothing asks for it again and again"
    yield "    fields:"
    quantities: set[str] = set()
    lines = _fields(number, kind, found, order, quantities)
    for at in sorted(lines):
        yield f"      - {lines[at]}"
    for each in found:
        for match in _guesses(each):
            if match.kind == number:
                yield f"      # perhaps: {_noted(each, match, order, set(quantities))}"


def _fields(
    number: int, kind: DraftKind, found: Sequence[Noted], order: str, quantities: set[str]
) -> dict[int, str]:
    """Return the lines of the fields of a reply by where they are: noted ones, moving ones, the rest."""
    lines: dict[int, str] = {}
    taken: set[int] = set()
    for each in found:
        match = next((one for one in each.matches if one.kind == number), None)
        if match is None or match is not each.matches[0] or match.chance > MOST_CHANCE:
            continue
        at, size = match.field.at or 0, (match.field.width or 1) * match.count
        if taken & set(range(at, at + size)):
            continue
        taken |= set(range(at, at + size))
        lines[at] = _noted(each, _signed(each, match, kind), order, quantities)
    for field in kind.fields:
        covers = set(range(field.at, field.end))
        if (
            covers & taken
            or not field.moves
            or field.role in {FieldRole.KIND, FieldRole.CHECKSUM}
            or field.digits
        ):
            continue
        lines[field.at] = _unnamed(field, order)
    # Fields reach up to the checksum: what lies behind it is the end of a frame.
    width = kind.frames.matrix.shape[1]
    checks = [field.at for field in kind.fields if field.role is FieldRole.CHECKSUM and 2 * field.at > width]
    stop = min(checks, default=width)
    constants = [
        field
        for field in kind.fields
        if not field.moves and field.role is not FieldRole.KIND and field.end <= stop
    ]
    for at, size in _stretches(constants, taken):
        lines.setdefault(at, f"{{name: unknown_{at}, at: {at}, type: bytes, width: {size}}}  # never changed")
    return lines


def _guesses(noted: Noted) -> tuple[Match, ...]:
    """Return the likeliest places of a value that chance explains as well, where they are few."""
    if is_placed(noted) or not noted.matches or noted.ties > _MOST_GUESSES:
        return ()
    return noted.matches[: noted.ties]


def _signed(noted: Noted, match: Match, kind: DraftKind) -> Match:
    """Return a current as a number with a sign, where none that was seen says that it has none.

    A current flows both ways, and what was noted may show one of them alone. Where it is counted from an
    addend it needs no sign.
    """
    field = match.field
    width = field.width or 1
    fits = noted.observations[0].subject is Measured.CURRENT and field.type is Type.UINT and 1 < width <= 4
    if not fits or field.addend:
        return match
    at = field.at or 0
    columns = kind.frames.matrix[:, at : at + width].astype(np.int64)
    if match.little:
        columns = columns[:, ::-1]
    seen = columns @ (256 ** np.arange(width - 1, -1, -1, dtype=np.int64))
    span = 256**width
    # What was seen on both sides of zero is near it as a number with a sign, and at both ends of all without.
    crossed = np.where(seen >= span // 2, seen - span, seen)
    if (seen >= span // 2).any() and np.ptp(crossed) >= np.ptp(seen):
        return match
    return replace(match, field=replace(field, type=Type.INT))


def _noted(noted: Noted, match: Match, order: str, quantities: set[str]) -> str:
    field = match.field
    parts = [
        f"name: {field_name(noted.name)}",
        f"at: {field.at}",
        f"type: {_type(field.type, field.width or 1)}",
    ]
    if match.count > 1:
        parts.append(f"count: {match.count}")
    if (field.width or 1) > 1 and ("little" if match.little else "big") != order:
        parts.append(f"order: {'little' if match.little else 'big'}")
    if field.scale != 1:
        parts.append(f"scale: {field.scale:g}")
    if field.addend:
        parts.append(f"addend: {field.addend:g}")
    quantity = quantity_of(noted.observations[0])
    if quantity and (quantity not in quantities or quantity == "temperatures"):
        quantities.add(quantity)
        parts += [f"quantity: {quantity}"] + (["count: 1"] if quantity == "temperatures" else [])
    shown = ", ".join(dict.fromkeys(each.text.rpartition("=")[2] for each in noted.observations))
    ties = f"; {noted.ties} places fit alike" if noted.ties > 1 else ""
    chance = f"by chance: {match.chance:.0e}" if match.chance < 1 else "chance explains it"
    return f"{{{', '.join(parts)}}}  # noted {shown[:60]}; {chance}{ties}"


def field_name(text: str) -> str:
    """Return what a draft calls the field of a noted value."""
    plain = "".join(each if each.isalnum() and each.isascii() else "_" for each in text.lower()).strip("_")
    return (plain if plain[:1].isalpha() else f"value_{plain}")[:40].rstrip("_") or "value"


def quantity_of(noted: Observation) -> str:
    """Return the key of the quantity that a noted value is, as its unit and its name say; empty: none."""
    subject, name = noted.subject, noted.name.lower()
    match subject:
        case Measured.VOLTAGE:
            return "" if "cell" in name or "min" in name or "max" in name else "voltage"
        case Measured.CURRENT:
            return "current"
        case Measured.POWER:
            return "power"
        case Measured.PERCENT:
            return "soh" if "soh" in name or "health" in name else "soc"
        case Measured.TEMPERATURE:
            return "temperatures"
        case Measured.CHARGE:
            return (
                "capacity"
                if "cap" in name or "full" in name
                else "charge_remaining"
                if "remain" in name or name == "charge"
                else ""
            )
        case Measured.CELLS:
            return "cell_voltages"
        case _:
            return ""


def _unnamed(field: FoundField, order: str) -> str:
    own = f", order: {field.order}" if field.wide and field.order != order else ""
    sure = "" if field.confidence is None else f", {round(100 * field.confidence)} % sure of its place"
    kind = _type(field.type, field.width)
    role = field.role.value
    if field.role is FieldRole.NOISE:
        kind, own, sure = f"bytes, width: {field.width}", "", ": moves as chance does"
    return f"{{name: {role}_{field.at}, at: {field.at}, type: {kind}{own}}}  # {role}{sure}"


def _type(kind: Type, width: int) -> str:
    return f"{LETTERS[kind]}{8 * width}"


def _stretches(constants: Sequence[FoundField], taken: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the runs of bytes that never change and that nothing else takes: where, and how many."""
    places = sorted({at for each in constants for at in range(each.at, each.end)} - taken)
    begin = last = None
    for at in places:
        if begin is None or last is None or at != last + 1:
            if begin is not None and last is not None:
                yield begin, last - begin + 1
            begin = at
        last = at
    if begin is not None and last is not None:
        yield begin, last - begin + 1
