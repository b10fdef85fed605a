"""A model as a page to read: how frames look, what is asked, what each byte of a reply means."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from packwire.errors import missing_extra
from packwire.export.exported import Exported
from packwire.models.heard import Heard
from packwire.models.pages import link_words, proof_words
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import Reply, ReplyLayout, Saying
from packwire.models.requests import Question, template_of
from packwire.models.text import Made, Named
from packwire.protocol.base import Gatt
from packwire.quantity import QUANTITIES, Kind, Value
from packwire.visible import printable
from packwire.wire.fields import TO_THE_END, Field, FieldCondition, Operator
from packwire.wire.framing import Framing, Size

#: Colours that fields take in turn.
_COLOURS: Final = 8
#: Bytes of an example that are shown.
_MOST_BYTES: Final = 512


def sheet(model: ModelProtocol) -> Exported:
    """Return a page of HTML that needs no other file. Raises MissingExtraError without jinja2."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - an extra
    except ImportError:
        raise missing_extra("cli", "a protocol sheet") from None
    environment = Environment(
        loader=PackageLoader("packwire.export", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["seen"] = lambda text: printable(str(text))
    return Exported(environment.get_template("sheet.html.j2").render(_content(model)))


def _content(model: ModelProtocol) -> dict[str, Any]:
    content = model.content
    return {
        "model": model,
        "about": content.get("about", ""),
        "sources": content.get("sources", ()),
        "proof": proof_words(content),
        "links": link_words(model),
        "carried": list(_carried(model)),
        "framings": [_framing(each) for each in model.framings],
        "requests": [_request(each) for each in model.questions],
        "parameters": list(_parameters(model)),
        "replies": [_reply(model, each) for each in model.replies],
        "computed": [
            (QUANTITIES[each.key].name, _computed(each.sum_of, each.product_of)) for each in model.computed
        ],
        "switches": [(each.name, ", ".join(each.values), each.template.text) for each in model.switches],
        "examples": [_example(model, each) for each in content.get("examples", ())],
    }


def _computed(sum_of: str, product_of: tuple[str, ...]) -> str:
    if sum_of:
        return f"the sum of {QUANTITIES[sum_of].name.lower()}"
    return " times ".join(QUANTITIES[each].name.lower() for each in product_of)


def _carried(model: ModelProtocol) -> Iterator[str]:
    for each in model.gatt:
        yield f"Bluetooth: service {_uuid(each.service)}, notifies on {_uuid(each.notify)}{_written(each)}"
    if model.serial:
        others = f" (some {', '.join(map(str, model.other_bauds))})" if model.other_bauds else ""
        yield f"serial: {model.baud} baud{others}"
    if model.can:
        yield f"CAN: {model.baud // 1000} kbit/s"
    if model.tcp:
        yield "TCP: the same bytes, by a bridge"


def _written(gatt: Gatt) -> str:
    of = f" of service {_uuid(gatt.write_service)}" if gatt.write_service else ""
    return f", is written to on {_uuid(gatt.write)}{of}" if gatt.write else ""


def _uuid(text: str) -> str:
    return text[4:8] if text.endswith("-0000-1000-8000-00805f9b34fb") else text


def _framing(framing: Framing) -> dict[str, Any]:
    lines = []
    if framing.start:
        lines.append(f"begins with {framing.start.hex(' ')}")
    if framing.skips:
        lines.append(f"begins with {framing.skips} byte of any value")
    if framing.unit:
        lines.append("each frame of the bus is a message")
    lines += list(dict.fromkeys(_size(each) for each in framing.sizes))
    if framing.until:
        lines.append(f"goes on until {framing.until.hex(' ')}")
    check = framing.check
    if check:
        end = "to itself" if check.end == check.at else f"to {_from_end(check.end)}"
        order = ", low byte first" if check.order == "little" and check.size > 1 else ""
        over = f"of all from {check.begin} up {end}"
        lines.append(f"checksum {check.checksum} at {_from_end(check.at)}, {over}{order}")
    if framing.end:
        lines.append(f"ends with {framing.end.hex(' ')}")
    if framing.hexadecimal:
        lines.append("between start and end each byte is written as two hexadecimal digits")
    return {"name": framing.name, "lines": lines}


def _from_end(place: int) -> str:
    return str(place) if place >= 0 else f"{-place} before the end"


def _size(rule: Size) -> str:
    if rule.at is None:
        return f"{rule.add} bytes long"
    times = f" times {rule.times}" if rule.times > 1 else ""
    wide = f"the {rule.width} bytes at {rule.at}" if rule.width > 1 else f"byte {rule.at}"
    return f"as long as {wide} says{times}, plus {rule.add}"


def _request(question: Question) -> dict[str, Any]:
    often = "once" if question.once else f"every {question.every:g} s" if question.every else ""
    return {
        "name": question.name,
        "frame": [_part(part) for part in question.template.parts],
        "whole": question.payload.hex(" ") if ".." in question.template.text else "",
        "replies": ", ".join(question.replies),
        "kind": str(question.kind),
        "notes": ", ".join(filter(None, (question.topic * (question.topic != "values"), often))),
    }


def _part(part: object) -> tuple[str, str]:
    """Return how a part of a frame is shown, and of which class it is."""
    match part:
        case Made(size):
            return " ".join([".."] * size), "made"
        case Named(name):
            return f"{{{name}}}", "named"
        case bytes():
            return part.hex(" "), ""
    return "", ""


def _parameters(model: ModelProtocol) -> Iterator[tuple[str, str]]:
    for name, each in model.parameters.items():
        yield name, each.about or ("secret" if each.secret else f"a {each.field.type}")


def _reply(model: ModelProtocol, reply: Reply) -> dict[str, Any]:
    written = model.content["replies"][reply.name]
    rows = [row for part in (written, *written.get("layouts", ())) for row in part.get("fields", ())]
    units = {row["name"]: row.get("unit", "") for row in rows}
    begins = reply.begins_text
    if model.can and None not in reply.begins[:4]:
        number = int.from_bytes(bytes(byte or 0 for byte in reply.begins[:4])) & 0x1FFF_FFFF
        begins = f"identifier {number:#x} {begins[12:]}".strip()  # behind its four bytes
    return {
        "name": reply.name,
        "begins": begins,
        "size": reply.size,
        "refuses": reply.refuses,
        "topic": reply.topic,
        "layouts": [
            {
                "when": _layout_words(each),
                "model": each.model,
                "fields": [_field(each, one, units.get(one.name, "")) for one in each.codec.fields],
            }
            for each in reply.layouts
        ],
    }


def _layout_words(layout: ReplyLayout) -> str:
    words = [_condition(each) for each in layout.when]
    words += [f"byte {each.at} is {' or '.join(map(str, sorted(each.values)))}" for each in layout.marks]
    return " and ".join(words)


def _field(layout: ReplyLayout, said: Field, unit: str) -> dict[str, Any]:
    saying: Saying | None = next((each for each in layout.sayings if each.name == said.name), None)
    quantity = saying.quantity if saying else None
    scale = "" if said.scale == 1 else f" \N{MULTIPLICATION SIGN} {said.scale:g}"
    addend = "" if not said.addend else f" {'+' if said.addend > 0 else '−'} {abs(said.addend):g}"  # noqa: RUF001 - a minus
    return {
        "name": said.name.replace("_", " "),
        "place": _place(said),
        "kind": _kind(said, layout),
        "means": f"raw{scale}{addend}" if scale or addend else "",
        "quantity": quantity.name if quantity else "",
        "unit": _seen_unit(quantity.unit if quantity else unit),
        "names": [(number, name) for number, name in said.names],
        "flags": list(said.flags),
        "notes": list(_notes(said)),
    }


def _place(said: Field) -> str:
    if said.key is not None:
        return f"key {said.key}"
    if said.column is not None:
        return f"column {said.column}"
    if said.at is not None:
        return str(said.at) if said.at >= 0 else f"{-said.at} before the end"
    return f"behind {said.after.replace('_', ' ')}" if said.after else "next"


def _kind(said: Field, layout: ReplyLayout) -> str:
    width = "" if said.width is None else f", {said.width} byte{'s' * (said.width > 1)}"
    order = said.order or layout.codec.order
    ordered = {"big": "", "little": ", low byte first", "low word first": ", low word first"}[order]
    return f"{said.type}{width}{ordered if said.type.numeric and (said.width or 0) > 1 else ''}"


def _notes(said: Field) -> Iterator[str]:
    if said.bits:
        low, many = said.bits
        yield f"bit {low}" if many == 1 else f"bits {low} to {low + many - 1}"
    yield from _how_many(said)
    if said.ones:
        yield "how many bits are set"
    if said.unknown:
        yield f"no value: {', '.join(map(str, said.unknown))}"
    if said.when:
        yield f"where {' and '.join(map(_condition, said.when))}"
    if said.negative:
        yield f"negative where {' and '.join(map(_condition, said.negative))}"
    if said.secret:
        yield "secret, never shown"


def _how_many(said: Field) -> Iterator[str]:
    if said.count == TO_THE_END:
        yield "as many as there is room for"
    elif isinstance(said.count, str):
        yield f"as many as {_name(said.count)} says"
    elif said.count is not None:
        yield f"{said.count} of them"
    if said.most is not None:
        yield f"{said.most} at most"
    if said.stride is not None:
        yield f"one each {said.stride} bytes"
    if said.each_bit is not None:
        yield f"a bit each, as many as {_name(said.each_bit)}"


_OPERATORS: Final = {
    Operator.EQUAL: "is",
    Operator.NOT_EQUAL: "is not",
    Operator.LESS: "is less than",
    Operator.AT_MOST: "is at most",
    Operator.MORE: "is more than",
    Operator.AT_LEAST: "is at least",
    Operator.BIT: "has bit",
    Operator.NO_BIT: "lacks bit",
}


def _name(field: object) -> str:
    return str(field).replace("_", " ")


def _condition(said: FieldCondition) -> str:
    return f"{said.field.replace('_', ' ')} {_OPERATORS[said.comparison]} {said.number}"


def _example(model: ModelProtocol, example: Mapping[str, Any]) -> dict[str, Any]:
    heard = Heard(model)
    frames = []
    for text in example["frames"]:
        frame = template_of(text, model.framings, {}).frame({})
        frames.append({"name": model.describe(frame), "parts": list(_coloured(model, frame, heard.known))})
        heard.take(frame)
    values = [(QUANTITIES[key].name, _shown(key, value)) for key, value in heard.values().items()]
    return {"about": example.get("about", ""), "frames": frames, "says": values}


def _shown(key: str, value: Value) -> str:
    quantity = QUANTITIES[key]
    if not isinstance(value, tuple):
        return _seen_unit(quantity.format(value))
    if quantity.kind is Kind.FLAG:
        return ", ".join(str(number) for number, each in enumerate(value, 1) if each) or "none"
    words = [quantity.format(each).removesuffix(f" {quantity.unit}") for each in value]
    return f"{', '.join(words)} {_seen_unit(quantity.unit)}".rstrip()


def _seen_unit(text: str) -> str:
    return text.replace("degC", "\N{DEGREE SIGN}C").replace("Ohm", "\N{GREEK CAPITAL LETTER OMEGA}")


def _coloured(
    model: ModelProtocol, frame: bytes, known: Mapping[str, float]
) -> Iterator[tuple[str, str, str]]:
    """Yield the bytes of a frame in pieces: the text, the colour, what they are."""
    moved = 4 if model.can else 0
    names = [""] * len(frame)
    secret = model.mask(frame)
    if not any(each.hexadecimal for each in model.framings):
        for span in model.spans(frame, known):
            for at in range(span.offset + moved, min(span.offset + moved + span.width, len(frame))):
                names[at] = names[at] or span.name
    order = list(dict.fromkeys(filter(None, names)))
    begin = 0
    for at in range(1, len(frame) + 1):
        if at == len(frame) or names[at] != names[begin]:
            name = names[begin]
            colour = f"c{order.index(name) % _COLOURS}" if name else ""
            yield secret[begin:at].hex(" "), colour, name.replace("_", " ")
            begin = at
        if at >= _MOST_BYTES:
            yield "…", "", ""
            return
