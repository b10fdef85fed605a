"""`packwire plot`: a field of messages over time."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.cli.exit_codes import ExitCode
from packwire.cli.kinds import NamedFrames, kinds_of
from packwire.cli.masked import open_masked
from packwire.cli.notes import read_notes
from packwire.cli.notes_options import NotesFile
from packwire.cli.options import BytesOption, JsonOption, KeepSecretsOption, OutOption
from packwire.cli.terminal import make_console
from packwire.cli.views.field_plot import show, write
from packwire.errors import BadOptionError
from packwire.insight.fields import find_fields
from packwire.insight.series import read_place, series
from packwire.visible import record_text


def plot(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    kind: str,
    bytes: str,  # noqa: A002 - it is the argument's name
    /,
    *,
    scale: float = 1.0,
    addend: float = 0.0,
    notes: Path | None = None,
    zone: str | None = None,
    out: OutOption = None,
    json: JsonOption = False,
    keep_secrets: KeepSecretsOption = False,
    bytes_: BytesOption = "hex",
) -> int:
    """Draw a field of messages over time: on the terminal, or to a file that ends in .svg or .png.

    Parameters
    ----------
    file
        The capture; `-` is standard input.
    kind
        The first bytes of the messages, such as 'dd 03'; of several kinds the one with most messages.
    bytes
        Which bytes, and as what: 4-5:u16, 8-11:i32le, 24, 6-9:f32. Without le or be, the byte order that
        `packwire fields` finds.
    scale
        What a raw number is multiplied with.
    addend
        What is then added.
    notes
        A YAML file of notes as for `packwire find`: lines at their times, in a file.
    zone
        The time zone of the notes, such as +01:00.
    out
        The file to write.
    """
    if out is not None and out.suffix.lower() not in {".svg", ".png"}:
        raise BadOptionError(f"--out {out}: the file must end in .svg or .png")
    capture = open_masked(file, bytes_, keep_secrets=keep_secrets)
    chosen = _kind([each for each in kinds_of([capture]) if each.text is None], kind)
    (fields,) = find_fields([chosen.frames])
    orders = [each.order for each in fields if each.wide]
    try:
        field = read_place(bytes, max(orders, key=orders.count) if orders else "big")
    except ValueError as error:
        raise BadOptionError(str(error)) from None
    if field.end > chosen.frames.matrix.shape[1]:
        raise BadOptionError(f"{bytes}: these messages have {chosen.frames.matrix.shape[1]} bytes")
    drawn = series(chosen.frames, field, scale, addend)
    title = f"{chosen.name}, {bytes}"
    if json:
        print(
            record_text(
                {
                    "kind": "series",
                    "header": chosen.kind.header.hex(),
                    "channel": str(chosen.kind.lane[1]),
                    "at": field.at,
                    "width": field.width,
                    "seconds": [round(float(each), 6) for each in drawn.seconds],
                    "values": [float(each) for each in drawn.values],
                }
            )
        )
    elif out is not None:
        marks = []
        if notes is not None:
            begun = int(chosen.frames.time[0]) if chosen.frames.time is not None else 0
            said = read_notes((), NotesFile(notes=notes, zone=zone), [capture])
            marks = [
                ((each.time - begun) / 1e9, each.text) for each in said.observations if each.time is not None
            ]
        write(out, title, drawn, marks)
    else:
        console = make_console()
        show(console, title, drawn, console.width if console.is_terminal else 80)
    return ExitCode.OK


def _kind(kinds: list[NamedFrames], header: str) -> NamedFrames:
    """Return the kind whose messages begin so; of several the one with most messages."""
    try:
        begins = bytes.fromhex(header)
    except ValueError:
        raise BadOptionError(
            f"{header[:40]!r}: write the first bytes in hexadecimal, such as 'dd 03'"
        ) from None
    for each in kinds:
        if each.frames.matrix[0].tobytes().startswith(begins):
            return each
    names = ", ".join(dict.fromkeys(each.name for each in kinds[:8]))
    raise BadOptionError(
        f"no kind of message begins with {header}: there is {names or 'none that comes twice'}"
    )
