"""The framings of a drafted model: start, size, checksum and end of frames, as far as they were found."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from packwire.insight.frame_form import FrameForm
from packwire.wire.checksum import CHECKSUMS
from packwire.wire.framing import FrameCheck

if TYPE_CHECKING:
    from packwire.wire.fields import ByteOrder

#: A model's checksum begins among so many first bytes.
_LATEST = 64


def framings(forms: Sequence[FrameForm], header: int, requests: Sequence[bytes]) -> Iterator[str]:
    """Yield the lines of all framings; `header` bytes tell kinds apart, `requests` are sent."""
    alike: dict[tuple[bytes, str, bytes], list[FrameForm]] = {}
    for form in forms:
        alike.setdefault((form.start, _checksum(form), form.end), []).append(form)
    yield "framings:"
    for same in alike.values():
        yield from _framing(same, header, requests)


def _framing(forms: Sequence[FrameForm], header: int, requests: Sequence[bytes]) -> Iterator[str]:
    """Yield a framing of forms that differ in their sizes alone: those of replies and of requests."""
    first = forms[0]
    right, total = (sum(count) for count in zip(*((form.right, form.total) for form in forms), strict=True))
    yield f'  - start: "{first.start.hex(" ")}"  # {right} of {total} different messages'
    # Where frames say how long they are, those of one size (requests) do so too, unless they say otherwise.
    told = [form for form in forms if form.length is not None and form.length.sure]
    own = told if told and all(_agrees(form, told[0]) for form in forms) else forms
    sizes = dict.fromkeys(size for form in own for size in _sizes(form))
    begun = (each for each in requests if each and each.startswith(first.start))
    odd = {len(each) for each in begun if not any(_has_size(form, each) for form in own)}
    sizes |= dict.fromkeys(f"{{add: {size}}}" for size in sorted(odd))
    yield f"    size: [{', '.join(list(sizes)[:16])}]"
    if checksum := _checksum(first):
        ties = len(first.checksums) - 1
        others = f"; {ties} more fit as well" if ties else ""
        yield f"    checksum: {{{checksum}}}  # by chance: {first.checksums[0].chance:.0e}{others}"
    if first.end:
        yield f'    end: "{first.end.hex(" ")}"'
    if first.digits:
        yield "    text: hex"
    header = len(first.start) + 2 * (header - len(first.start)) if first.digits else header
    yield f"    kind: {min(max(header, 1), 32)}"


def _has_size(form: FrameForm, frame: bytes) -> bool:
    """Say whether a frame is as long as a form says."""
    length = form.length
    if length is None or not length.sure:
        return len(frame) in form.sizes
    return length.said_by(frame) == len(frame)


def _agrees(form: FrameForm, told: FrameForm) -> bool:
    """Say whether a form's frames may be as long as another's length says."""
    one, other = form.length, told.length
    return one is not None and other is not None and (one.sure or one == replace(other, sure=False))


def _sizes(form: FrameForm) -> Iterator[str]:
    length = form.length
    if length is None or not length.sure:
        yield from (f"{{add: {size}}}" for size in form.sizes)
        return
    order = ", order: little" if length.little and length.width > 1 else ""
    wide = f", width: {length.width}" if length.width > 1 else ""
    written = ", digits: true" if length.digits else ""
    checked = f", mask: {16 ** (length.width - 1) - 1:#x}, check_digit: true" if length.check_digit else ""
    yield f"{{at: {length.at}, add: {length.add}{wide}{order}{written}{checked}}}"


def _check(form: FrameForm) -> FrameCheck | None:
    """Return the simplest checksum that a model can say; None where there is none."""
    for each in form.checksums:
        place = each.place
        said = place.begin <= _LATEST and place.at < 0 and place.end is not None and place.end < 0
        if each.name in CHECKSUMS and said and place.end is not None:
            order: ByteOrder = "little" if place.little else "big"
            return FrameCheck(each.name, place.begin, place.end, place.at, order, digits=form.digits)
    return None


def _checksum(form: FrameForm) -> str:
    """Return its checksum as a model says it; empty where there is none."""
    check = _check(form)
    if check is None:
        return ""
    order = ", order: little" if check.order == "little" and check.size > 1 + check.digits else ""
    digits = ", digits: true" if check.digits else ""
    return f"name: {check.checksum}, from: {check.begin}, to: {check.end}, at: {check.at}{order}{digits}"


def makes(form: FrameForm, frame: bytes) -> bool:
    """Say whether a model with this form may send a frame."""
    check = _check(form)
    begun = frame.startswith(form.start) and frame.endswith(form.end) and _has_size(form, frame)
    return begun and (check is None or (len(frame) > check.size and check.holds(frame)))
