"""`packwire draft`: a model file from recordings and what an app showed."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.capture import Capture
from packwire.capture.content import look
from packwire.capture.framings import request_of
from packwire.capture.packets import NO_TIME
from packwire.channel import Transport
from packwire.cli.alike import alike
from packwire.cli.exit_codes import ExitCode
from packwire.cli.headers import known_headers, row_families
from packwire.cli.kinds import NamedFrames, forms_of, kinds_of, of_one_channel, undigited
from packwire.cli.masked import open_masked
from packwire.cli.notes import read_notes
from packwire.cli.notes_options import NotesOptions
from packwire.cli.options import BytesOption, JsonOption, OutOption
from packwire.cli.terminal import make_console
from packwire.cli.views.alike import sentence
from packwire.cli.views.draft import record
from packwire.direction import Direction
from packwire.errors import BadFileError, BadOptionError
from packwire.insight.draft import DraftKind, DraftLinks, is_placed
from packwire.insight.draft import draft as draft_model
from packwire.insight.draft_text import draft_text
from packwire.insight.fields import FieldRole, FoundField, find_fields
from packwire.insight.groups import lane_rows, lasting
from packwire.insight.pairs import find_pairs
from packwire.insight.starting import sent_before
from packwire.insight.texts import TextKind
from packwire.insight.values import find_values
from packwire.models.load import parse
from packwire.visible import record_text

#: A request that was sent so often, always alike, may be a poll; others may set something, and are left out.
#: It is also not much rarer than what is sent most.
_POLL, _POLL_SHARE = 3, 0.1
#: Where requests that begin alike are not all alike, one is a poll that is nearly all of many.
_OFTEN, _NEARLY_ALL = 10, 0.9


_NO_NOTES = NotesOptions()


def draft(
    *files_and_values: Annotated[str, Parameter(allow_leading_hyphen=True)],
    name: str = "",
    out: OutOption = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    json: JsonOption = False,
    bytes_: BytesOption = "hex",
    options: NotesOptions = _NO_NOTES,
) -> int:
    """Draft a model file from recordings and what an app showed at some times.

    Framing, checksum, requests that are polled and fields go into it, each guess with how sure it is. Only
    requests that the app sent several times alike are taken, and what it sent before a device that is not
    polled said anything: what sets something is not asked again.

    Parameters
    ----------
    files_and_values
        One recording or several, and values as for `packwire find`.
    name
        The model's name; left out: that of the file to write.
    out
        The file to write; left out: standard output.
    force
        Write over a file that exists.
    """
    paths = [each for each in files_and_values if Path(each).exists()]
    values = [each for each in files_and_values if each not in paths]
    if not paths:
        raise BadOptionError("give a recording that exists")
    if out is not None and out.exists() and not force:
        raise BadOptionError(f"{out} exists: --force writes over it")
    captures = [open_masked(path, bytes_) for path in paths]
    said = read_notes(values, options, captures)
    kinds = of_one_channel(kinds_of(captures))
    texts = [each.text for each in kinds if each.text is not None]
    forms = [] if texts else forms_of(captures, kinds)
    like = () if texts else alike(captures, kinds, forms)
    kinds = undigited(kinds, forms)
    frames = [each.frames for each in kinds]
    fields = find_fields(frames)
    found = find_values(frames, fields, said.observations, seconds=options.within)
    title = name or (out.stem if out is not None else "draft")
    read = zip(kinds, fields, strict=True)
    own = [_kind(each, its, captures) for each, its in read if each.text is None]
    remarks = [*_remarks(captures), *map(sentence, like), *([said.remark] if said.remark else [])]
    links = _links(captures, kinds)
    try:
        if texts:
            text = draft_text(_name(title), texts, found, _stream(captures, texts[0]), links, remarks)
        else:
            text = draft_model(_name(title), own, found, forms, links, remarks)
    except ValueError as error:
        raise BadFileError(f"{', '.join(paths)}: {error}") from None
    parse(text, str(out or "the draft"))
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if json:
        print(record_text(record(_name(title), out, text, own, found, remarks, like)))
        return ExitCode.OK
    if out is None:
        print(text, end="")
        return ExitCode.OK
    placed = sum(is_placed(each) for each in found)
    make_console(stderr=True).print(
        f"{out}: {len(kinds)} kinds of replies, {placed} of {len(found)} noted values"
    )
    return ExitCode.OK


def _kind(each: NamedFrames, fields: tuple[FoundField, ...], captures: Sequence[Capture]) -> DraftKind:
    begins = tuple(None if at in each.kind.skipped else byte for at, byte in enumerate(each.kind.header))
    if each.digits is not None:
        head = each.frames.matrix[:, : each.frames.header]
        begins = tuple(int(column[0]) if (column == column[0]).all() else None for column in head.T)
    first = each.frames.matrix[:, 0]
    begins = begins or tuple(first[:1].tolist() if (first == first[0]).all() else ())
    request = _request(each, fields, captures)
    came = NO_TIME if each.frames.time is None or request else int(each.frames.time[0])
    before = [sent_before(capture.messages, each.kind.lane[1], came) for capture in captures]
    return DraftKind(begins, each.frames, fields, request, each.kind.size, next(filter(None, before), ()))


def _request(each: NamedFrames, fields: Sequence[FoundField], captures: Sequence[Capture]) -> bytes:
    """Return the frame that asks for a kind of reply; empty where none surely only asks.

    A request that only asks is always the same, and what answers it says something that changes. A switch is
    written in several ways, and is answered by an acknowledgement that is always the same.
    """
    if not any(field.moves and field.role is not FieldRole.CHECKSUM for field in fields):
        return b""
    for capture in captures:
        pairs = find_pairs(capture.messages, known_headers([capture])[0], row_families(capture)).pairs
        most = max((len(pair.request) for pair in pairs), default=0)
        for pair in pairs:
            if not any(
                reply.group.header == each.kind.header and reply.group.size == each.kind.size
                for reply in pair.replies
            ):
                continue
            asked = Counter(capture.messages.payload(row) for row in pair.request.rows.tolist())
            payload, count = asked.most_common(1)[0]
            known = request_of(payload)
            alone = len(asked) == 1 or (count >= _OFTEN and count >= _NEARLY_ALL * asked.total())
            polled = alone and count >= max(_POLL, _POLL_SHARE * most)
            fits = not each.kind.asked or payload[2:6] == each.kind.asked
            if polled and fits and (known.query or not known.told):
                return payload
    return b""


def _links(captures: Sequence[Capture], kinds: Sequence[NamedFrames]) -> DraftLinks:
    channel = kinds[0].kind.lane[1] if kinds else None
    if channel is None or channel.transport is not Transport.ATT:
        return DraftLinks()
    if not channel.name:
        return DraftLinks(unnamed=True)
    writes: Counter[str] = Counter()
    for capture in captures:
        for lane, rows in lane_rows(capture.messages).items():
            if lane[0] is Direction.TO_DEVICE and not lane[1].subscribes and lane[1].name:
                writes[lane[1].name] += len(rows)
    return DraftLinks(channel.name, writes.most_common(1)[0][0] if writes else "")


def _stream(captures: Sequence[Capture], text: TextKind) -> bytes:
    """Return what was said on the channel of a text."""
    said = [
        capture.messages.payload(row)
        for capture in captures
        for lane, rows in lane_rows(capture.messages).items()
        if lasting(lane) == text.lane
        for row in rows.tolist()
    ]
    return b"".join(said)


def _remarks(captures: Sequence[Capture]) -> list[str]:
    known = sorted({each.name for capture in captures for each in look(capture).spoken if each.sure})
    return [f"These are frames of {name}, which packwire knows: see `packwire info`." for name in known]


def _name(title: str) -> str:
    plain = "".join(each if each.isascii() and each.isalnum() else "-" for each in title.lower()).strip("-")
    return (plain or "draft")[:32].rstrip("-")
