"""How differences between states look: as text and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from packwire.cli.terminal import printable
from packwire.direction import DIRECTION_NAMES
from packwire.insight.differences import MAX_CHANCE, Bit, Differences, FrameDifferences, Tier
from packwire.insight.groups import Lane, header_text
from packwire.insight.numbers import Number, NumberField
from packwire.insight.segments import Cut
from packwire.phrases import counted

#: So many changes of a bit are shown with their packets.
_SHOWN_CHANGES = 4
#: So many fields of a frame, and kinds of other writes, are shown without --all.
_SHOWN_FIELDS, _SHOWN_WRITES = 12, 12


def show(
    console: Console, tried: Sequence[Differences], families: Mapping[Lane, str], *, everything: bool
) -> None:
    """Print the findings of all cuts, best first; `families` names the framing of each direction and channel.

    Of a cut without findings only the line that says so is printed, but for the first.
    """
    for place, found in enumerate(tried):
        if place == 0 or found.found or everything:
            _show_one(console, found, families, everything=everything)
            if len(tried) == 1 or everything or not found.found:
                _show_other_writes(console, found, everything=everything)
        else:
            console.print(Text(f"nothing follows the {found.cut.marks} writes of  {found.cut.pattern}"))


def _show_one(
    console: Console, found: Differences, families: Mapping[Lane, str], *, everything: bool
) -> None:
    console.print(Text(summary(found.cut, found.before_first)))
    limit = MAX_CHANCE if found.cut.marks else 1.0
    doubtful = 0
    for frame in found.frames:
        likely = [field for field in frame.fields if everything or field.chance <= limit]
        doubtful += sum(len(field.bits) for field in frame.fields) - sum(len(field.bits) for field in likely)
        fields = likely if everything else likely[:_SHOWN_FIELDS]
        rest = frame.aside if everything else ()
        if fields or rest or (everything and frame.numbers):
            _show_frame(console, found.cut, frame, families, fields, rest)
            for number in frame.numbers if everything else ():
                console.print(_number(found.cut, number))
            if len(fields) < len(likely):
                console.print(f"  and {len(likely) - len(fields)} more; --all shows them")
    _show_aside(console, found, everything=everything)
    if doubtful and not everything:
        console.print(f"{_bits(doubtful)} as chance would make them; --all shows them")
    moving = sum(len(frame.moving) for frame in found.frames)
    if moving and not everything:
        console.print(f"{_bits(moving)} with numbers that move anyway; --all shows them")
    if not found.found:
        console.print(_no_switch(found))
    if not found.cut.marks and not found.is_sure:
        once = any(count < 2 for count in _segments_by_state(found.cut).values())
        console.print(
            f"record each state more {'than once' if once else 'often'} (on, off, on, off, ...) to tell a "
            "switch from other changes"
        )


def _show_other_writes(console: Console, found: Differences, *, everything: bool) -> None:
    if everything or not found.found:
        _advise_writes(console, found.cut, everything=everything)
    elif found.cut.other_writes:
        console.print(f"cut at none of {len(found.cut.other_writes)} other kinds of writes; --all lists them")


def _bits(count: int) -> str:
    return f"{count} more bit{'s differ' if count > 1 else ' differs'}"


def _no_switch(found: Differences) -> str:
    if any(frame.echoes for frame in found.frames):
        return "nothing found: what answers the writes repeats them, the rest differs no more than by chance"
    return "nothing found: no bit tells the states apart better than chance would"


def show_plain(
    console: Console, cut: Cut, groups: Sequence[tuple[Lane, int, bytes, tuple[tuple[int, int], ...]]]
) -> None:
    """Print what the plain method gives, in the order of bytes and bits."""
    console.print(Text(summary(cut, None)))
    for (_, channel), size, header, places in groups:
        console.print(
            Text(f"frame {header.hex(' ')} ({size} bytes, {printable(str(channel))})", style="bold")
        )
        for byte, bit in places:
            console.print(f"  byte {byte} bit {bit}")
    if not groups:
        console.print("nothing found: every bit changes inside a segment or never")


def summary(cut: Cut, before_first: str | None) -> str:
    """Say in a line how the recordings were cut and what the states are."""
    counts = _segments_by_state(cut)
    if before_first is not None:
        counts[before_first] += 1
    states = ", ".join(f"{printable(state)} ({count})" for state, count in counts.items())
    if cut.by_writes:
        channel = " ".join(channel_names(cut).split(" ")[:2])
        line = (
            f"{len(cut.segments)} segments cut at {cut.marks} writes of  {cut.pattern}  to {channel}; "
            f"{len(cut.states)} states: XX = {states}"
        )
        if cut.place is not None:
            line += f"; the writes differ in byte {cut.place[0]} bit {cut.place[1]} alone"
        if cut.doubt:
            line += f"; {cut.doubt}"
        first = f"like {before_first}" if before_first is not None else "not counted to any state"
        return f"{line}; before the first write: {first}"
    how = f"cut at {counted(cut.marks, 'mark')}" if cut.marks else "one a recording"
    return f"{len(cut.segments)} segments, {how}; {len(cut.states)} states: {states}"


def _segments_by_state(cut: Cut) -> dict[str, int]:
    return {state: sum(segment.state == state for segment in cut.segments) for state in cut.states}


def record(tried: Sequence[Differences], families: Mapping[Lane, str]) -> dict[str, Any]:
    """Return the findings of the best cut as a JSON object, those of others as `others`; see `show`."""
    return {
        "kind": "differences",
        **_record(tried[0], families),
        "others": [_record(found, families) for found in tried[1:]],
    }


def _record(found: Differences, families: Mapping[Lane, str]) -> dict[str, Any]:
    return {
        "found": found.found,
        "chance": found.chance,
        "pattern": found.cut.pattern,
        "channel": channel_names(found.cut),
        "states": list(found.cut.states),
        "differ_in": found.cut.place,
        "doubt": found.cut.doubt,
        "before_first": found.before_first,
        "segments": [
            {
                "recording": one.recording,
                "state": one.state,
                "packet": one.packet,
                "messages": one.end - one.begin,
            }
            for one in found.cut.segments
        ],
        "other_writes": [
            {
                "channel": str(one.channel),
                "payload": header_text(one.payload, one.skipped, ""),
                "count": one.count,
            }
            for one in found.cut.other_writes
        ],
        "bits_tried": found.looked_at,
        "frames": [
            {"framing": families.get((frame.direction, frame.channel)), **_frame_record(frame)}
            for frame in found.frames
        ],
    }


def _frame_record(frame: FrameDifferences) -> dict[str, Any]:
    return {
        "direction": DIRECTION_NAMES[frame.direction],
        "channel": str(frame.channel),
        "size": frame.size,
        "header": header_text(frame.header, frame.skipped, ""),
        "asked": frame.asked.hex(),
        "count": frame.count,
        "checksum": str(frame.checksum) if frame.checksum else None,
        "counters": [{"type": one.kind.value, "bytes": list(one.at)} for one in frame.counters],
        "echoes": list(frame.echoes),
        "fields": [asdict(field) for field in frame.fields],
        "bits": [_bit_record(bit) for bit in frame.bits],
        "numbers": [asdict(number) for number in frame.numbers],
        "moving": [_bit_record(bit) for bit in frame.moving],
        "set_aside": [_bit_record(bit) for bit in frame.aside],
    }


def _bit_record(bit: Bit) -> dict[str, Any]:
    record = asdict(bit)
    record["evidence"] = record.pop("tier").name.lower()
    record["late"] = record.pop("lag")
    record["bits_moving"] = record.pop("crowd")
    return record


def _show_frame(
    console: Console,
    cut: Cut,
    frame: FrameDifferences,
    families: Mapping[Lane, str],
    fields: Sequence[NumberField],
    rest: Sequence[Bit],
) -> None:
    family = families.get((frame.direction, frame.channel), "")
    checksum = f"checksum ok ({frame.checksum.name})" if frame.checksum else ""
    channel = " ".join(reversed(str(frame.channel).split(" ")[2:])) or str(frame.channel)
    about = [family, checksum, f"{frame.count} frames", f"{frame.size} bytes", printable(channel)]
    if frame.asked:
        start, count = frame.asked[:2].hex(), int.from_bytes(frame.asked[2:])
        about.append(f"register {start}" if count == 1 else f"{count} registers from {start}")
    head = header_text(frame.header, frame.skipped) or "(any)"
    console.print(Text(f"frame {head} ({', '.join(part for part in about if part)})", style="bold"))
    by_place = {(bit.byte, bit.bit): bit for bit in frame.bits}
    for field in fields:
        console.print(_line(cut, field, [by_place[place] for place in field.bits]))
    for bit in rest:
        alone = NumberField(bit.byte, 1, ((bit.byte, bit.bit),), bit.values, bit.chance)
        console.print(Text.assemble(_line(cut, alone, [bit]), "   set aside"))


def _line(cut: Cut, field: NumberField, bits: Sequence[Bit]) -> Text:
    best = min(bits, key=lambda bit: bit.chance)
    values = "  ".join(
        f"{printable(state)}:{_value(field, value)}"
        for state, value in zip(
            cut.states, field.values if len(bits) > 1 or field.read_back else best.values, strict=True
        )
    )
    if best.tier is Tier.REACTS:
        agreement = best.why
    elif field.read_back is not None:
        last = field.byte + field.size - 1
        where = f" in bytes {field.byte} to {last}" if len(field.bits) == 1 and field.size > 1 else ""
        agreement = "reads back what was written{}, {} of {} segments".format(where, *field.read_back)
    else:
        late = f", up to {best.lag} messages late" if best.lag else ""
        said = (
            f"every segment agrees{late}",
            _reason(cut, best),
            _follows(cut, best) if len(bits) == 1 else "",
        )
        agreement = "   ".join(filter(None, said))
    changes = ", ".join(f"{one.before}>{one.after}" for one in best.changes[:_SHOWN_CHANGES])
    more = f" and {len(best.changes) - _SHOWN_CHANGES} more" if len(best.changes) > _SHOWN_CHANGES else ""
    return Text.assemble(
        (f"  {_place(field)}", "bold green"),
        f"   {values}   {agreement}   {_chance(cut, field.chance)}",
        f"   {best.messages} messages",
        (f"   changes at packets {changes}{more}" if cut.marks and changes else "", "dim"),
    )


def _number(cut: Cut, number: Number) -> Text:
    last = number.byte + number.size - 1
    where = (
        f"bytes {number.byte} to {last} ({number.order}-endian)" if number.size > 1 else f"byte {number.byte}"
    )
    values = "  ".join(
        f"{printable(state)}:{'-' if span is None else f'{span[0]}..{span[1]}'}"
        for state, span in zip(cut.states, number.ranges, strict=True)
    )
    return Text(f"  {where}   {values}   a number that moves anyway")


def _place(field: NumberField) -> str:
    """Name the bits of a field; whole bytes where it is read back or several bytes have them."""
    if len(field.bits) == 1:
        byte, bit = field.bits[0]
        return f"byte {byte} bit {bit}"
    if field.size > 1:
        return f"bytes {field.byte} to {field.byte + field.size - 1} ({field.order}-endian)"
    if field.read_back is not None:
        return f"byte {field.byte}"
    bits = [bit for _, bit in field.bits]
    if bits == list(range(bits[0], bits[-1] + 1)):
        return f"byte {field.byte} bits {bits[0]} to {bits[-1]}"
    return f"byte {field.byte} bits {', '.join(map(str, bits))}"


def _value(field: NumberField, value: int | None) -> str:
    if value is None:
        return "-"
    return f"{value:0{2 * field.size}x}" if field.size > 1 or len(field.bits) > 1 else f"{value}"


def _reason(cut: Cut, bit: Bit) -> str:
    if bit.tied_to is not None and cut.by_writes and len(cut.states) > 2:
        return f"tied to write {bit.tied_to}"
    return bit.why


def _follows(cut: Cut, bit: Bit) -> str:
    """Say which bit of the value written a bit equals or inverts, where there is just one."""
    if len({len(value) for value in cut.written}) != 1 or None in bit.values or bit.chance > MAX_CHANCE:
        return ""
    size = len(cut.written[0])
    found = []
    for place in range(8 * size):
        said = [int.from_bytes(value) >> place & 1 for value in cut.written]
        if len(set(said)) > 1 and len({a == b for a, b in zip(said, bit.values, strict=True)}) == 1:
            found.append(f"{'is' if said[0] == bit.values[0] else 'inverts'} bit {place} of what was written")
    return found[0] if len(found) == 1 else ""


def _chance(cut: Cut, chance: float) -> str:
    """Say a chance in words, with one or two digits that mean something."""
    if not cut.marks and chance > MAX_CHANCE:
        return "no proof: any bit that rests may differ so"
    if chance > 0.5:
        return "likely by chance"
    times = 1 / max(chance, 1e-12)
    if times < 10:
        return f"1 in {round(times)} by chance"
    if times >= 1e9:
        return "less than 1 in 1 000 000 000 by chance"
    digits = len(str(int(times))) - 1
    rounded = int(times / 10**digits) * 10**digits if digits > 1 else int(times)
    return f"1 in {rounded:,} by chance".replace(",", " ")


def _plural(name: str) -> str:
    return "echoes of writes" if name.startswith("echo") else f"{name}s"


def _show_aside(console: Console, found: Differences, *, everything: bool) -> None:
    frames = [frame for frame in found.frames if frame.bits or frame.aside]
    counts = [
        (sum(frame.checksum.size for frame in frames if frame.checksum), "checksum byte"),
        (sum(one.kind == "counter" for frame in frames for one in frame.counters), "counter"),
        (sum(one.kind == "clock" for frame in frames for one in frame.counters), "clock"),
        (sum(len(frame.echoes) for frame in frames), "echo of a write"),
    ]
    parts = [f"{count} {name if count == 1 else _plural(name)}" for count, name in counts if count]
    if parts:
        hint = "" if everything else "; --all shows them"
        console.print(f"set aside: {', '.join(parts)}{hint}")


def _advise_writes(console: Console, cut: Cut, *, everything: bool) -> None:
    shown = cut.other_writes if everything else cut.other_writes[:_SHOWN_WRITES]
    for write in shown:
        times = f"{write.count} times" if write.count > 1 else "once"
        console.print(
            Text(
                f"  also written {times} to {printable(str(write.channel))}: "
                f"{header_text(write.payload, write.skipped)}"
            )
        )
    if len(shown) < len(cut.other_writes):
        console.print(f"  and {len(cut.other_writes) - len(shown)} more kinds; --all lists them")
    if cut.by_writes and cut.other_writes:
        console.print("  cut at one of these with --split-at-writes and its first bytes")


def channel_names(cut: Cut) -> str:
    """Return the channels that the writes of a cut went to."""
    return ", ".join(map(str, cut.channels))
