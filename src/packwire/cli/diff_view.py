"""How differences between states look: as text and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from packwire.cli.terminal import printable
from packwire.insight.differences import NO_FINDING, Bit, Differences, FrameDifferences, Tier
from packwire.insight.groups import Lane
from packwire.insight.segments import Cut

#: So many changes of a bit are shown with their packets.
_SHOWN_CHANGES = 4
#: So many bits of a frame, and kinds of other writes, are shown without --all.
_SHOWN_BITS, _SHOWN_WRITES = 16, 12


def show(console: Console, found: Differences, families: Mapping[Lane, str], *, everything: bool) -> None:
    """Print the findings, best first; `families` names the framing of each direction and channel."""
    console.print(Text(summary(found.cut, found.before_first)))
    hidden = 0
    for frame in found.frames:
        likely = [bit for bit in frame.bits if everything or bit.chance <= NO_FINDING]
        hidden += len(frame.bits) - len(likely)
        bits = likely if everything else likely[:_SHOWN_BITS]
        aside = frame.aside if everything else ()
        if bits or aside:
            _show_frame(console, found.cut, frame, families, bits, aside)
            if len(bits) < len(likely):
                console.print(f"  and {len(likely) - len(bits)} more bits; --all shows them")
    _show_aside(console, found, everything=everything)
    if hidden:
        console.print(f"{hidden} more bits differ, as noise would make them; --all shows them")
    if not found.found:
        console.print("nothing found: no bit tells the states apart better than noise would")
        _advise_writes(console, found.cut, everything=everything)
    elif found.cut.other_writes:
        if everything:
            _advise_writes(console, found.cut, everything=True)
        else:
            kinds = len(found.cut.other_writes)
            console.print(f"cut at none of {kinds} other kinds of writes; --all lists them")
    once = any(count < 2 for count in _segments_by_state(found.cut).values())
    if not found.cut.marks and not found.is_sure and once:
        console.print(
            "record each state more than once (on, off, on, off, ...) to tell a switch from other changes"
        )


def show_plain(
    console: Console, cut: Cut, groups: Sequence[tuple[Lane, int, bytes, tuple[tuple[int, int], ...]]]
) -> None:
    """Print what the plain method gives, in the order of bytes and bits."""
    console.print(Text(summary(cut, None)))
    for (_, channel), size, header, places in groups:
        console.print(Text(f"frame {header.hex(' ')} ({size} bytes, {printable(channel)})", style="bold"))
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
        channel = " ".join(cut.channel.split(" ")[:2])
        line = (
            f"{len(cut.segments)} segments cut at {cut.marks} writes of  {cut.pattern}  to {channel}; "
            f"{len(cut.states)} states: XX = {states}"
        )
        first = f"like {before_first}" if before_first is not None else "not counted to any state"
        return f"{line}; before the first write: {first}"
    how = f"cut at {cut.marks} mark{'s' if cut.marks > 1 else ''}" if cut.marks else "one a recording"
    return f"{len(cut.segments)} segments, {how}; {len(cut.states)} states: {states}"


def _segments_by_state(cut: Cut) -> dict[str, int]:
    return {state: sum(segment.state == state for segment in cut.segments) for state in cut.states}


def record(found: Differences, families: Mapping[Lane, str]) -> dict[str, Any]:
    """Return all findings as a JSON object; `families`: see `show`."""
    return {
        "type": "differences",
        "found": found.found,
        "pattern": found.cut.pattern,
        "channel": found.cut.channel,
        "states": list(found.cut.states),
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
            {"channel": one.channel, "payload": one.payload.hex(), "count": one.count}
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
        "direction": frame.direction.name.lower(),
        "channel": frame.channel,
        "size": frame.size,
        "header": frame.header.hex(),
        "count": frame.count,
        "checksum": str(frame.checksum) if frame.checksum else None,
        "counters": [{"kind": one.kind.value, "bytes": list(one.at)} for one in frame.counters],
        "bits": [_bit_record(bit) for bit in frame.bits],
        "set_aside": [_bit_record(bit) for bit in frame.aside],
    }


def _bit_record(bit: Bit) -> dict[str, Any]:
    return {**asdict(bit), "tier": bit.tier.name.lower()}


def _show_frame(
    console: Console,
    cut: Cut,
    frame: FrameDifferences,
    families: Mapping[Lane, str],
    bits: Sequence[Bit],
    aside: Sequence[Bit],
) -> None:
    family = families.get((frame.direction, frame.channel), "")
    checksum = f"checksum ok ({frame.checksum.name})" if frame.checksum else ""
    channel = " ".join(reversed(frame.channel.split(" ")[2:])) or frame.channel
    about = [family, checksum, f"{frame.count} frames", f"{frame.size} bytes", printable(channel)]
    head = frame.header.hex(" ") or "(any)"
    console.print(Text(f"frame {head} ({', '.join(part for part in about if part)})", style="bold"))
    for bit in bits:
        console.print(_line(cut, bit))
    for bit in aside:
        console.print(Text.assemble(_line(cut, bit), "   set aside"))


def _line(cut: Cut, bit: Bit) -> Text:
    values = "  ".join(
        f"{printable(state)}:{'-' if value is None else value}"
        for state, value in zip(cut.states, bit.values, strict=True)
    )
    if bit.tier is Tier.REACTS:
        agreement = bit.why
    else:
        late = f", up to {bit.lag} messages late" if bit.lag else ""
        agreement = "   ".join(filter(None, (f"every segment agrees{late}", _reason(cut, bit))))
    changes = ", ".join(f"{one.before}>{one.after}" for one in bit.changes[:_SHOWN_CHANGES])
    more = f" and {len(bit.changes) - _SHOWN_CHANGES} more" if len(bit.changes) > _SHOWN_CHANGES else ""
    return Text.assemble(
        (f"  byte {bit.byte} bit {bit.bit}", "bold green"),
        f"   {values}   {agreement}   noise: {_chance(bit.chance)}",
        f"   {bit.messages} messages",
        (f"   changes at packets {changes}{more}" if cut.marks and changes else "", "dim"),
    )


def _reason(cut: Cut, bit: Bit) -> str:
    if bit.tied_to is not None and cut.by_writes and len(cut.states) > 2:
        return f"tied to write {bit.tied_to}"
    return bit.why


def _chance(chance: float) -> str:
    return f"{chance:.0e}" if chance < 0.001 else f"{chance:.2g}"


def _show_aside(console: Console, found: Differences, *, everything: bool) -> None:
    frames = [frame for frame in found.frames if frame.bits or frame.aside]
    counts = [
        (sum(frame.checksum.size for frame in frames if frame.checksum), "checksum byte"),
        (sum(one.kind == "counter" for frame in frames for one in frame.counters), "counter"),
        (sum(one.kind == "clock" for frame in frames for one in frame.counters), "clock"),
    ]
    parts = [f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count]
    if parts:
        hint = "" if everything else "; --all shows them"
        console.print(f"set aside: {', '.join(parts)}{hint}")


def _advise_writes(console: Console, cut: Cut, *, everything: bool) -> None:
    shown = cut.other_writes if everything else cut.other_writes[:_SHOWN_WRITES]
    for write in shown:
        times = f"{write.count} times" if write.count > 1 else "once"
        console.print(Text(f"  also written {times} to {printable(write.channel)}: {write.payload.hex(' ')}"))
    if len(shown) < len(cut.other_writes):
        console.print(f"  and {len(cut.other_writes) - len(shown)} more kinds; --all lists them")
    if cut.by_writes and cut.other_writes:
        console.print("  cut at one of these with --split-at-writes and its first bytes")
