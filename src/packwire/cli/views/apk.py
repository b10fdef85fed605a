"""How what an app's package says looks: as text and as JSON."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from packwire.apk.found import AppFindings, FoundCall, FoundCrc, FoundFrame, FoundUuid
from packwire.cli.kinds import chance_text
from packwire.cli.records.understanding import AppCall, AppChecksum, AppFrame, AppRecord, AppUuid
from packwire.phrases import few, times
from packwire.visible import printable

#: So many of each are listed unless all are asked for.
_LISTED = 12
_WIDTH = 80


def show(console: Console, file: str, found: AppFindings, *, everything: bool) -> None:
    """Print what was found, the likeliest first."""
    _line(console, f"{file}: {found.app.package or 'no name'} {found.app.version}".rstrip(), "bold")
    _line(console, f"{found.classes} classes of the app itself looked through")
    if found.libraries:
        names = ", ".join(found.libraries[:6]) + (" and others" if len(found.libraries) > 6 else "")
        _line(console, f"native libraries of which the texts were looked through: {names}")
    for each in found.frameworks:
        _line(console, f"{each.name}: {each.advice}")
    for what, count in sorted(found.left_out.items()):
        _line(console, f"left out: {count} {what}")
    sections = (
        ("UUIDs", [_of_uuid(each) for each in found.uuids]),
        ("Bytes that look like frames", [_of_frame(each) for each in found.frames]),
        ("Code that speaks over Bluetooth", [_of_call(each) for each in found.calls]),
        ("Checksums in the code", [_of_crc(each) for each in found.checksums]),
    )
    for title, blocks in sections:
        if blocks:
            _section(console, title, blocks, len(blocks) if everything else _LISTED)
    console.print()
    if found.other_bytes:
        _line(
            console, f"{found.other_bytes} other arrays or texts of bytes: nothing speaks for frames in them"
        )
    if not any(blocks for _, blocks in sections):
        _line(console, "Nothing was found that tells of a protocol.")


def _line(console: Console, text: str, style: str = "", indent: int = 0) -> None:
    room = min(console.width, _WIDTH) - indent - 4
    for number, part in enumerate(wrap(printable(text), max(room, 20))):
        console.print(Text(" " * (indent + 2 * bool(number)) + part, style=style), soft_wrap=True)


def _section(console: Console, title: str, blocks: Sequence[tuple[str, ...]], listed: int) -> None:
    console.print()
    _line(console, title, "bold")
    for block in blocks[:listed]:
        for number, text in enumerate(block):
            _line(console, text, indent=4 if number else 2)
    if len(blocks) > listed:
        _line(console, f"{len(blocks) - listed} more; --all lists them", indent=2)


def _of_uuid(each: FoundUuid) -> tuple[str, ...]:
    said = [
        *(["in the recording"] if each.captured else []),
        *([each.standard] if each.standard else []),
        *([f"used by the models {', '.join(each.protocols)}"] if len(each.protocols) > 1 else []),
        *([f"used by the model {each.protocols[0]}"] if len(each.protocols) == 1 else []),
    ]
    return (f"{each.uuid}  {'; '.join(said)}".rstrip(), *each.places[:2])


def bytes_text(frame: FoundFrame) -> str:
    """Return the bytes of a frame in hexadecimal, `??` where one is not known."""
    return " ".join("??" if byte is None else f"{byte:02x}" for byte in frame.data)


def _of_frame(each: FoundFrame) -> tuple[str, ...]:
    said = [
        *([f"{times(each.captured)} in the recording"] if each.captured else []),
        *([f"a whole frame of {each.family}"] if each.family else []),
        *([f"{each.checksum} fits ({chance_text(each.chance)})"] if each.checksum else []),
        *(["leads to a write"] if each.sent else []),
    ]
    return (bytes_text(each), "; ".join(said), *each.places[:2])


def _of_call(each: FoundCall) -> tuple[str, ...]:
    callers = f"called by {', '.join(each.callers[:4])}" if each.callers else "no caller was found"
    return (f"{each.method} {each.does}: {each.api}", callers)


def _of_crc(each: FoundCrc) -> tuple[str, ...]:
    what = "table" if each.polynomial is None else f"polynomial 0x{each.polynomial:x}"
    return (f"{what} of {few(each.names, 3)}", each.place)


def records(found: AppFindings) -> Iterator[AppRecord | AppUuid | AppFrame | AppCall | AppChecksum]:
    """Yield what was found as JSON objects."""
    yield {
        "kind": "app",
        "package": found.app.package,
        "app_version": found.app.version,
        "frameworks": {each.name: each.advice for each in found.frameworks},
        "classes": found.classes,
        "libraries": list(found.libraries),
        "other_bytes": found.other_bytes,
        "left_out": dict(found.left_out),
    }
    for uuid in found.uuids:
        yield {
            "kind": "app-uuid",
            "uuid": uuid.uuid,
            "standard": uuid.standard,
            "protocols": list(uuid.protocols),
            "captured": uuid.captured,
            "places": list(uuid.places),
        }
    for frame in found.frames:
        yield {
            "kind": "app-frame",
            "hex": bytes_text(frame),
            "family": frame.family,
            "checksum": frame.checksum,
            "chance": frame.chance,
            "sent": frame.sent,
            "captured": frame.captured,
            "places": list(frame.places),
        }
    for call in found.calls:
        yield {
            "kind": "app-call",
            "method": call.method,
            "does": call.does,
            "calls": call.api,
            "callers": list(call.callers),
        }
    for each in found.checksums:
        yield {
            "kind": "app-checksum",
            "polynomial": each.polynomial,
            "names": list(each.names),
            "place": each.place,
        }
