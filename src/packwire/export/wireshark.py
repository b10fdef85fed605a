"""A model as a post-dissector of Wireshark, in Lua: it finds the frames in what any link carries."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Final, override

from packwire.export.decoding import ReplyField, ReplyWriter
from packwire.export.exported import Exported, heading
from packwire.export.framing import write_framings
from packwire.export.language import ProgramLanguage, has_decimals
from packwire.export.text import identifier, lua_string, plain
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import Reply
from packwire.quantity import Kind
from packwire.wire.columned import ColumnCodec
from packwire.wire.fields import Field, Order, Type

#: Bytes of a number that Lua keeps exactly.
_EXACT: Final = 6
_OPERATORS: Final = {Type.INT: "signed", Type.SIGN_MAGNITUDE: "magnitude"}


class Lua(ProgramLanguage):
    """Lua as Wireshark has it, 5.2 and later: bytes lie in a string."""

    comment = "--"
    and_, or_, differs = " and ", " or ", "~="
    closing, scope = "end", "do"
    _indent = 2

    when = "if {} then".format
    each = "for {} = 0, {} - 1 do".format
    let = "local {} = {}".format
    number = "local {} = {}".format
    set = "{} = {}".format
    give = "do return {} end".format
    byte = "byte(data, {})".format
    bit = "floor({} / 2 ^ {}) % 2".format
    xor = "xor({}, {})".format
    common = "common({}, {})".format
    function = "local function {}(data, size, at)".format
    # What frames cost that turn out to be none is limited.
    checks = "local function {}(data, begin, behind)\n  work = work + behind - begin".format
    least = "math.min({}, {})".format
    negated = "not ({})".format
    whole = "math.max(0, floor({}))".format
    divided = "floor({} / {})".format
    digits = "digits(data, {}, {})".format
    no_number = "{} == nil".format

    @override
    def take(self, field: Field, value: str) -> str:
        return f"local raw = {value}"

    @override
    def same(self, at: str, data: bytes) -> str:
        begin, end = f"{at} + 1", f"{at} + {len(data)}"
        if at.isdecimal():
            begin, end = str(int(at) + 1), str(int(at) + len(data))
        return f"data:sub({begin}, {end}) == {lua_string(data)}"

    @override
    def unsigned(self, at: str, width: int, order: Order) -> str:
        return f"unsigned(data, {at}, {width}, {lua_string(order)})"

    @override
    def find(self, at: str, data: bytes) -> str:
        return f"find(data, {at}, {lua_string(data)})"

    @override
    def raw(self, field: Field, order: Order, at: str) -> str:
        width, order = field.width or 0, field.order or order
        where = f"data, {at}, {width}, {lua_string(order)}"
        match field.type:
            case Type.FLOAT:
                return f"float({where})"
            case Type.BCD:
                return f"bcd({where})"
            case Type.DECIMAL:
                return f"decimal(data, {at}, {width})"
        low, many = field.bits or (0, 8 * width)
        number = f"bits({where}, {low}, {many})" if field.bits or width > _EXACT else f"unsigned({where})"
        if field.type in _OPERATORS:
            number = f"{_OPERATORS[field.type]}({number}, {many})"
        return f"ones({number})" if field.ones else number


class _Dissector(ReplyWriter):
    """Writes what shows the values of a reply in Wireshark's tree."""

    @override
    def reads(self, reading: ReplyField) -> bool:
        return not reading.field.secret

    @override
    def is_known(self, known: str) -> str:
        return f"known.{known} ~= nil"

    @override
    def number_of(self, known: str) -> str:
        return f"(known.{known} or 0)"

    @override
    def remember(self, known: str, raw: str) -> str:
        return f"known.{known} = {raw}"

    @override
    def one(self, reading: ReplyField, raw: str, at: str, index: str = "") -> None:
        to, field = self.to, reading.field
        where = f"{reading.number}, {at}, {field.width}"
        behind = f", {index} + 1" if index else ""
        if field.each_bit is not None:
            many = field.each_bit
            wanted = many if isinstance(many, int) else self.raw_of(many)
            to.put(f"show({where}, each_bit({raw}, {wanted}){behind})")
            return
        if field.flags:
            to.put(f"show({where}, flags(flags_of[{reading.number}], {raw}){behind})")
            return
        value = to.scaled(field, raw)
        if field.names:
            value = f"named(names_of[{reading.number}], {raw}, {value})"
        if field.negative:
            held = self.held(field.negative)
            value = f"negative({held}, {value})"
        to.put(f"show({where}, {value}{behind})")

    @override
    def text(self, reading: ReplyField, at: str, behind: str) -> None:
        kind = lua_string(reading.field.type.name.lower())
        self.to.put(f"show({reading.number}, {at}, {behind} - {at}, text(data, {at}, {behind}, {kind}))")

    @override
    def keyed(self, reading: ReplyField) -> None:
        with self.to.scoped():
            self._keyed(reading)

    def _keyed(self, reading: ReplyField) -> None:
        to, field = self.to, reading.field
        to.put(f"local at, behind = keyed(data, {lua_string(field.key or '')})")
        with to.block(to.when("at")):
            if not field.type.numeric:
                to.put(f"show({reading.number}, at, behind - at, data:sub(at + 1, behind))")
                return
            to.put("local raw = written_number(data:sub(at + 1, behind))")
            known = [f"raw {to.differs} {number}" for number in field.unknown]
            with to.block(to.when(to.all(["raw", *known]))):
                self.one(reading, "raw", "at")


def wireshark(model: ModelProtocol) -> Exported:
    """Return a post-dissector in Lua that shows what a model says of each frame."""
    left_out = tuple(_left_out(model))
    to = Lua()
    for line in heading(model, "a post-dissector for Wireshark and tshark", left_out):
        to.say(line)
    name = f"packwire_{identifier(model.name)}"
    to.say(f"Use: tshark -X lua_script:FILE -r capture.pcapng -Y {name}, or put it into Wireshark's plugins.")
    to.lines.append(_part("begin"))
    to.put(f"local TITLE = {lua_string(plain(model.title))}")
    to.put(f"local IS_CAN = {'true' if model.can else 'false'}")
    to.put(f"local protocol = Proto({lua_string(name)}, {lua_string(f'{plain(model.title)} ({name})')})")
    if not model.can:
        write_framings(to, model.framings)
    _write_framings_table(to, model)
    writer = _Dissector(to, model)
    _write_fields(to, writer, name)
    _write_requests(to, writer)
    with to.block("local REPLIES = {", "}"):
        for reply in model.replies:
            _write_reply(to, writer, reply)
    to.lines.append(_part("end"))
    return Exported("\n".join(to.lines), left_out)


def _part(which: str) -> str:
    return (files("packwire.export") / f"wireshark_{which}.lua").read_text(encoding="utf-8")


def _is_wide(field: Field) -> bool:
    """Tell whether a number may have more bits than Lua keeps."""
    bits = field.bits[1] if field.bits else 8 * (field.width or 0)
    return field.type in {Type.UINT, *_OPERATORS} and bits > 53


def _left_out(model: ModelProtocol) -> Iterator[str]:
    for reply in model.replies:
        if isinstance(reply.codec, ColumnCodec):
            yield f"{reply.name}: a text of columns"
            continue
        for layout in reply.layouts:
            if layout.model:
                yield f"{reply.name}: some devices are read with model {layout.model}"
            for field in layout.codec.fields:
                if field.secret:
                    yield f"{reply.name}, {field.name}: it is secret"
                elif _is_wide(field):
                    yield f"{reply.name}, {field.name}: numbers above 2 to the 53rd are not exact in Lua"
    for each in model.computed:
        yield f"{each.key}: it follows from others, and frames do not say it"
    if model.packs:
        yield "packs: values are shown frame by frame, and not put together by pack"


def _write_framings_table(to: Lua, model: ModelProtocol) -> None:
    with to.block("local FRAMINGS = {", "}"):
        for number, framing in enumerate(() if model.can else model.framings, 1):
            digits = "true" if framing.hexadecimal else "false"
            said = f"tail = {framing.tail}, digits = {digits}, lead = {framing.lead}"
            to.put(f"{{ frame = frame_{number}, {said} }},")


def _write_fields(to: Lua, writer: _Dissector, name: str) -> None:
    """Write what Wireshark knows of each field: its filter, its type, its words."""
    to.put(f'local message_field = ProtoField.string({lua_string(f"{name}.message")}, "Message")')
    to.put("local made = { message_field }")
    with to.block("local function shown(make, filter, name, each, unit, of)", "end"):
        to.put("local field = make(filter, name)")
        to.put("made[#made + 1] = field")
        to.put("return { field = field, name = name, each = each, unit = unit, of = of }")
    to.put("local function as_number(value) return tonumber(value) end")
    to.put(
        'local function as_truth(value) return value == true or (type(value) == "number" and value ~= 0) end'
    )
    to.put("local function as_named_truth(value) return value == true end")
    to.put('local function as_words(value) return tostring(value):match("^%s*(.-)%s*$") end')
    with to.block("local function as_decimals(value)"):
        with to.block('if type(value) == "number" and value == floor(value) then'):
            to.put('return string.format("%.1f", value)')
        to.put("return as_words(value)")
    to.put("local SHOWN, names_of, flags_of = {}, {}, {}")
    for reading in writer.readings.values():
        if writer.reads(reading):
            _write_field(to, reading, name)
    to.put("protocol.fields = made")


def _write_field(to: Lua, reading: ReplyField, name: str) -> None:
    field, saying = reading.field, reading.saying
    quantity = saying.quantity if saying else None
    make, of = "double", "as_number"
    words = [each for _, each in field.names if isinstance(each, str | bool)]
    if quantity is not None and quantity.kind is Kind.FLAG and field.each_bit is None:
        make, of = "bool", "as_named_truth" if field.names else "as_truth"
    elif not field.type.numeric or field.flags or field.each_bit is not None or words:
        make, of = "string", "as_words"
    elif quantity is not None and quantity.kind is Kind.TEXT:
        make, of = "string", "as_decimals" if has_decimals(field) else "as_words"
    key = quantity.key if quantity else f"{identifier(reading.reply.name)}.{identifier(field.name)}"
    title = quantity.name if quantity else plain(field.name).replace("_", " ")
    each = (quantity.element if quantity else "").replace("{number}", "#") or f"{title} #"
    each = each if field.count is not None else ""
    unit = f" {quantity.unit}" if quantity and quantity.unit else ""
    said = ", ".join(lua_string(part) for part in (f"{name}.{key}", title, each, unit))
    to.put(f"SHOWN[{reading.number}] = shown(ProtoField.{make}, {said}, {of})")
    if field.names:
        rows = ", ".join(f"[{number}] = {_lua_value(value)}" for number, value in field.names)
        to.put(f"names_of[{reading.number}] = {{ {rows} }}")
    if field.flags:
        rows = ", ".join(f"[{bit}] = {lua_string(word)}" for bit, word in field.flags)
        to.put(f"flags_of[{reading.number}] = {{ {rows} }}")


def _lua_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return lua_string(value) if isinstance(value, str) else repr(value)


def _write_requests(to: Lua, writer: _Dissector) -> None:
    sent = [(f"{each.name} (request)", each.template) for each in writer.model.questions]
    sent += [(f"{each.name} (is set)", each.template) for each in writer.model.switches]
    with to.block("local REQUESTS = {", "}"):
        for words, template in sent:
            with to.block("{", "},"):
                to.put(f"name = {lua_string(plain(words))},")
                to.put(f"is = function(data, size) return {writer.sent(template)} end,")


def _write_reply(to: Lua, writer: _Dissector, reply: Reply) -> None:
    words = f"{reply.name}: {reply.refuses}" if reply.refuses else reply.name
    with to.block("{", "},"):
        to.put(f"name = {lua_string(plain(words))},")
        to.put(f"begins = function(data, size, whole) return {writer.begins(reply)} end,")
        with to.block("decode = function(data, size, known, show)", "end,"):
            writer.reply(reply)
