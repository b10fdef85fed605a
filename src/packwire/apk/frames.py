"""What speaks for some bytes being a frame: a known framing, a checksum, a recording that has them."""

from collections import defaultdict
from collections.abc import Mapping

from packwire.apk.found import Pattern
from packwire.insight.checksum_search import find
from packwire.protocols import families

#: Bytes that begin alike are searched for a checksum together: so many lots, of so many.
_LOTS, _LOT = 48, 24
#: Where so many of them occur inside a message, it is no accident.
_INSIDE = 4


def _whole(data: Pattern) -> bytes | None:
    return None if None in data else bytes(each for each in data if each is not None)


def family_name(data: Pattern) -> str:
    """Return the known framing whose whole, right frame some bytes are; empty where there is none."""
    whole = _whole(data)
    if whole is None:
        return ""
    return next(
        (
            each.name
            for each in families()
            if any(framing.start and framing.form_of(whole) is not None for framing in each.framings)
        ),
        "",
    )


def checksums(frames: Mapping[Pattern, object]) -> dict[Pattern, tuple[str, float]]:
    """Return the checksum of each, as those that begin alike have one together."""
    lots: dict[int, list[bytes]] = defaultdict(list)
    for each in frames:
        whole = _whole(each)
        if whole is not None:
            lots[whole[0]].append(whole)
    found: dict[Pattern, tuple[str, float]] = {}
    for lot in sorted(lots.values(), key=len, reverse=True)[:_LOTS]:
        some = sorted(set(lot))[:_LOT]
        findings = find(some)
        if not findings or findings[0].right < len(some):
            continue
        more = len({each.name for each in findings}) - 1
        name = findings[0].name + (f" or {more} other{'s' if more > 1 else ''}" if more else "")
        for whole in some:
            found[tuple(whole)] = name, findings[0].chance
    return found


def occurrences(data: Pattern, messages: Mapping[bytes, int]) -> int:
    """Return how many messages are some bytes, or begin with them, or hold enough of them."""
    whole = _whole(data)
    if whole is None:
        return sum(count for message, count in messages.items() if _fits(data, message))
    inside = len(whole) >= _INSIDE and len(set(whole)) > 2
    return sum(
        count
        for message, count in messages.items()
        if message.startswith(whole) or (inside and whole in message)
    )


def _fits(data: Pattern, message: bytes) -> bool:
    return len(message) >= len(data) and all(
        each is None or each == byte for each, byte in zip(data, message, strict=False)
    )
