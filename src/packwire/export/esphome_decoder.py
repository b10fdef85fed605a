"""The lambda of an ESPHome configuration: it puts frames together, decodes them and tells the sensors."""

from typing import Final, override

from packwire.export.cpp import HELPERS, Cpp
from packwire.export.decoding import ReplyField, ReplyWriter
from packwire.export.framing import write_framings
from packwire.export.language import has_decimals
from packwire.export.said import PARTS, SaidQuantity, ValueReplies
from packwire.export.text import c_string, plain
from packwire.models.computed import Computed
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import NOTHING, Reply
from packwire.quantity import Kind
from packwire.wire.fields import Type
from packwire.wire.keyed import KeyedCodec

#: How the names of sensors in the configuration begin.
PREFIX: Final = "pack_"


class _Publisher(ReplyWriter):
    """Writes what gives the values of a reply to the sensors."""

    part = "part"

    def __init__(self, to: Cpp, values: ValueReplies) -> None:
        super().__init__(to, values.model)
        self.values = values

    def _said(self, reading: ReplyField) -> SaidQuantity | None:
        return self.values.said.get(reading.saying.quantity.key) if reading.saying else None

    @override
    def reads(self, reading: ReplyField) -> bool:
        said = self._said(reading)
        return said is not None and not odd(reading) and not reading.field.secret

    @override
    def is_known(self, known: str) -> str:
        return f"!std::isnan({known})"

    @override
    def number_of(self, known: str) -> str:
        return f"(std::isnan({known}) ? 0 : {known})"

    @override
    def remember(self, known: str, raw: str) -> str:
        return f"{known} = {raw};"

    @override
    def one(self, reading: ReplyField, raw: str, at: str, index: str = "") -> None:
        said, to, field = self._said(reading), self.to, reading.field
        if said is None:
            return
        if field.each_bit is not None or field.flags:
            to.put("std::string words;")
            for bit, word in field.flags:
                to.put(f"if ({raw} >> {bit} & 1) add_word(words, {c_string(word)});")
            known = sum(1 << bit for bit, _ in field.flags)
            many = field.each_bit if isinstance(field.each_bit, str) else str(field.each_bit or 64)
            many = many if many.isdecimal() else self.raw_of(many)
            with to.block(to.each("bit", f"std::min<int64_t>(64, {many})")):
                word = '"bit " + std::to_string(bit)' if field.flags else "std::to_string(bit + 1)"
                to.put(f"if ({raw} & ~{known}ull & 1ull << bit) add_word(words, {word});")
            self._give(said, "words")
        else:
            self._give(said, self._value(reading, said, raw))

    @override
    def text(self, reading: ReplyField, at: str, behind: str) -> None:
        said = self._said(reading)
        if said is not None and reading.field.type in {Type.HEX, Type.BYTES}:
            self._give(said, f"hex_of(data, {at}, {behind})")
        elif said is not None:
            ends = "true" if reading.field.type is Type.CSTRING else "false"
            self._give(said, f"text_of(data, {at}, {behind}, {ends})")

    @override
    def keyed(self, reading: ReplyField) -> None:
        said, to, field = self._said(reading), self.to, reading.field
        if said is None or not self.reads(reading):
            return
        key = (field.key or "").encode()
        with to.scoped():
            to.put("int behind = 0;")
            to.put(f"int at = value_of(data, size, {c_string(key)}, {len(key)}, &behind);")
            if not field.type.numeric:
                with to.block(to.when("at >= 0 && behind > at")):
                    self._is_there(said)
                    self._give(said, "std::string(data + at, data + behind)")
                return
            to.put("int64_t raw = 0;")
            known = [f"raw {to.differs} {number}" for number in field.unknown]
            with to.block(to.when(to.all(["at >= 0", "is_written(data, at, behind, &raw)", *known]))):
                self._is_there(said)
                self.one(reading, "raw", "at")

    def _is_there(self, said: SaidQuantity) -> None:
        if not said.alone:
            self.to.put(f"is_there_{said.quantity.key} = true;")

    def _value(self, reading: ReplyField, said: SaidQuantity, raw: str) -> str:
        to, field = self.to, reading.field
        value = to.scaled(field, raw)
        if field.negative:
            held = self.held(field.negative)
            value = f"({held} ? -1 : 1) * ({value})"
        if said.quantity.kind is Kind.FLAG and field.names:
            return (
                " || ".join(
                    f"{raw} == {number}" for number, name in field.names if isinstance(name, bool) and name
                )
                or "false"
            )
        if said.quantity.kind is Kind.FLAG:
            return f"({value}) != 0"
        if said.quantity.kind is Kind.TEXT:
            value = f"words_of({value}, {'true' if has_decimals(field) else 'false'})"
        for number, name in reversed(field.names):
            word = (
                f"std::string({c_string(str(name))})"
                if said.quantity.kind is Kind.TEXT
                else repr(float(name))
            )
            value = f"{raw} == {number} ? {word} : {value}"
        return value

    def _give(self, said: SaidQuantity, value: str) -> None:
        key = said.quantity.key
        if said.alone:
            self.to.put(f"id({PREFIX}{key}).publish_state({value});")
            if key == "cell_count":
                self.to.put(f"cells = {value};")
        elif kind_of(said) != "text_sensor":
            self.to.put(f"now_{key}.push_back({value});")
        elif said.words:
            self.to.put(f"add_word(now_{key}, {value});")
        else:
            self.to.put(f"if (now_{key}.empty()) now_{key} = {value};")

    def whole_reply(self, reply: Reply) -> None:
        """Write what a reply is decoded with, and what is put together from several afterwards."""
        to, number = self.to, self.values.number(reply)
        keyed = isinstance(reply.codec, KeyedCodec)
        shared = [
            each
            for each in self.values.said.values()
            if not each.alone and any(one.reply.name == reply.name for one in each.readings)
        ]
        with to.block(to.when(self.begins(reply))):
            to.say(plain(reply.name))
            if self.model.can:
                to.put("data += 4; size -= 4;")
            if reply.part:
                to.put("int64_t part = 0;")
            for each in shared:
                to.put(f"{_cpp_type(each)} now_{each.quantity.key};")
                if keyed:
                    to.put(f"bool is_there_{each.quantity.key} = false;")
            self.reply(reply)
            for each in shared:
                key = each.quantity.key
                place = f"{number * PARTS} + part" if reply.part else str(number * PARTS)
                to.put(f"said_{key}[{place}] = now_{key};")
                if keyed:
                    to.put(f"if (!is_there_{key}) said_{key}.erase({place});")
                to.put(f"publish_{key}();")
            to.put("return;")


def _cpp_type(said: SaidQuantity) -> str:
    return "std::string" if kind_of(said) == "text_sensor" else "std::vector<double>"


def kind_of(said: SaidQuantity) -> str:
    """Return which kind of sensor shows a quantity."""
    if said.quantity.kind is Kind.TEXT or (said.quantity.kind is Kind.FLAG and said.quantity.array):
        return "text_sensor"
    return "binary_sensor" if said.quantity.kind is Kind.FLAG else "sensor"


def odd(reading: ReplyField) -> str:
    """Say why a field is not shown; empty where it is."""
    field, saying = reading.field, reading.saying
    if field.key is not None and field.when:
        return "whether it counts stands behind another key"
    if saying is None or saying.quantity.kind in {Kind.TEXT, Kind.FLAG}:
        return ""
    if not field.type.numeric:
        return "a text where a number is expected"
    if any(isinstance(name, str) for _, name in field.names):
        return "words where a number is expected"
    return ""


def _write_publish(to: Cpp, said: SaidQuantity, computed: Computed | None) -> None:
    key, kind = said.quantity.key, kind_of(said)
    to.put(f"static std::map<int64_t, {_cpp_type(said)}> said_{key};")
    with to.block(f"auto publish_{key} = [&]() {{", "};"):
        to.put(f"{_cpp_type(said)} all;")
        if kind == "text_sensor":
            joined = "add_word(all, each.second);" if said.words else "if (all.empty()) all = each.second;"
            to.put(f"for (auto &each : said_{key}) {joined}")
            otherwise = c_string(NOTHING if said.words or said.quantity.array else "")
            to.put(f"if (all.empty() && !said_{key}.empty()) all = {otherwise};")
            to.put(f"id({PREFIX}{key}).publish_state(all);")
            return
        to.put(
            f"for (auto &each : said_{key}) all.insert(all.end(), each.second.begin(), each.second.end());"
        )
        if not said.quantity.array:
            if kind == "sensor":
                to.put("static bool had = false;")
                to.put(f"if (all.empty() && had) id({PREFIX}{key}).publish_state(NAN);")
                to.put("had = !all.empty();")
            to.put("if (all.empty()) return;")
            if said.adds:
                to.put("for (size_t index = 1; index < all.size(); index++) all[0] += all[index];")
            if key == "cell_count":
                to.put("cells = all[0];")
            to.put(f"id({PREFIX}{key}).publish_state(all[0]);")
            return
        if said.unused is not None:
            to.put(f"while (all.size() > 1 && all.back() == {float(said.unused)!r}) all.pop_back();")
        if said.quantity.per_cell:
            to.put("if (cells > 0 && (int64_t) all.size() > cells) all.resize(cells);")
        to.put("static size_t had = 0;")
        for number in range(said.most):
            sensor = f"id({PREFIX}{key}_{number + 1})"
            value = f"all.size() > {number} ? all[{number}] : NAN"
            to.put(f"if (std::max(all.size(), had) > {number}) {sensor}.publish_state({value});")
        to.put("had = all.size();")
        if computed is not None:
            to.put("double sum = 0;")
            to.put("for (double value : all) sum += value;")
            scaled = f"sum * {float(computed.scale)!r}"
            to.put(f"if (!all.empty()) id({PREFIX}{computed.key}).publish_state({scaled});")


def decoder(model: ModelProtocol, values: ValueReplies) -> list[str]:
    """Return the lines of C++ that take the bytes `x` (on CAN with `can_id`) and publish what they say."""
    to = Cpp()
    to.lines += HELPERS.splitlines()
    writer = _Publisher(to, values)
    to.put("static int64_t cells = 0;")
    to.put("(void) cells;")
    for name in writer.known.values():
        to.put(f"static double {name} = NAN;")
        to.put(f"(void) {name};")
    for said in values.said.values():
        if not said.alone:
            _write_publish(to, said, values.sums.get(said.quantity.key))
    if not model.can:
        write_framings(to, model.framings)
    with to.block("auto take = [&](const uint8_t *data, int64_t size, int64_t whole) {", "};"):
        to.put("(void) whole;")
        for reply in values.replies:
            writer.whole_reply(reply)
    if model.can:
        to.put("uint32_t number = can_id | (extended ? 1u << 31 : 0);")
        to.put("std::vector<uint8_t> frame;")
        to.put("for (int bit = 24; bit >= 0; bit -= 8) frame.push_back(number >> bit & 255);")
        to.put("frame.insert(frame.end(), x.begin(), x.end());")
        to.put("take(frame.data(), frame.size(), frame.size());")
        return to.lines
    _write_stream(to, model)
    return to.lines


def _write_stream(to: Cpp, model: ModelProtocol) -> None:
    to.put("static std::vector<uint8_t> stream;")
    to.put("static uint32_t heard = 0;")
    to.say("The rest of a frame comes at once, or no more.")
    to.put("if (millis() - heard > 1000) stream.clear();")
    to.put("heard = millis();")
    to.put("stream.insert(stream.end(), x.begin(), x.end());")
    to.put("int64_t at = 0, size = stream.size();")
    with to.block("while (at < size) {"):
        to.put("const uint8_t *data = stream.data();")
        to.put("int64_t length = 0, waits = 0;")
        for number, framing in enumerate(model.framings, 1):
            with to.block("if (length <= 0) {"):
                to.put(f"length = frame_{number}(data, size, at);")
                to.put("waits |= length < 0;")
                with to.block("if (length > 0) {"):
                    if framing.hexadecimal:
                        begin = framing.lead
                        to.put(f"std::vector<uint8_t> bytes(data + at, data + at + {begin});")
                        to.put(f"int64_t last = at + length - {framing.tail};")
                        with to.block(f"for (int64_t place = at + {begin}; place + 1 < last; place += 2) {{"):
                            to.put("int64_t byte = digits_at(data, place, 2);")
                            to.put("if (byte < 0) break;")
                            to.put("bytes.push_back(byte);")
                        to.put("take(bytes.data(), bytes.size(), length);")
                    else:
                        to.put(f"take(data + at, length - {framing.tail}, length);")
        to.put("if (length <= 0 && waits) break;")
        to.put("at += length > 0 ? length : 1;")
    to.put("stream.erase(stream.begin(), stream.begin() + at);")
