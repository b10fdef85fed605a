"""C++ as it stands in a lambda of ESPHome."""

from contextlib import AbstractContextManager
from typing import override

from packwire.export.language import ProgramLanguage
from packwire.export.text import c_string
from packwire.wire.fields import Field, Order, Type

#: What reads bytes, as lambdas inside the lambda. `order`: 0 big, 1 little, 2 the low word first.
HELPERS = """\
auto place_of = [](int at, int width, int order, int above) -> int {
  if (order == 1) return at + above;
  if (order == 0) return at + width - 1 - above;
  return at + above + 1 - 2 * (above % 2);
};
auto number_at = [&](const uint8_t *data, int at, int width, int order) -> int64_t {
  uint64_t number = 0;
  for (int above = width - 1; above >= 0; above--)
    number = number << 8 | data[place_of(at, width, order, above)];
  return (int64_t) number;
};
auto to_signed = [](int64_t number, int many) -> int64_t {
  return many < 64 && (number >> (many - 1) & 1) ? number - ((int64_t) 1 << many) : number;
};
auto to_magnitude = [](int64_t number, int many) -> int64_t {
  int64_t rest = number & (int64_t) ((1ull << (many - 1)) - 1);
  return number >> (many - 1) & 1 ? -rest : rest;
};
auto digits_at = [](const uint8_t *data, int at, int width) -> int64_t {
  int64_t number = 0;
  for (int index = at; index < at + width; index++) {
    uint8_t one = data[index] | 32;
    bool decimal = data[index] >= '0' && data[index] <= '9';
    if (!decimal && !(one >= 'a' && one <= 'f')) return -1;
    number = number << 4 | (decimal ? one - '0' : one - 'a' + 10);
  }
  return number;
};
auto bcd_at = [&](const uint8_t *data, int at, int width, int order) -> int64_t {
  int64_t number = 0;
  for (int above = width - 1; above >= 0; above--) {
    uint8_t one = data[place_of(at, width, order, above)];
    if (one >> 4 > 9 || (one & 15) > 9) return -1;
    number = number * 100 + (one >> 4) * 10 + (one & 15);
  }
  return number;
};
auto decimal_at = [](const uint8_t *data, int at, int width) -> int64_t {
  int64_t number = -1;
  for (int index = at; index < at + width && data[index] >= '0' && data[index] <= '9'; index++)
    number = (number < 0 ? 0 : number * 10) + data[index] - '0';
  return number;
};
auto float_at = [&](const uint8_t *data, int at, int width, int order) -> double {
  uint64_t bits = (uint64_t) number_at(data, at, width, order);
  uint32_t few = (uint32_t) bits;
  float single;
  double twice;
  std::memcpy(&single, &few, 4);
  std::memcpy(&twice, &bits, 8);
  return width == 4 ? single : twice;
};
auto find_in = [](const uint8_t *data, int size, int at, const char *wanted, int many) -> int {
  for (int place = at; place + many <= size; place++)
    if (std::memcmp(data + place, wanted, many) == 0) return place;
  return -1;
};
auto text_of = [](const uint8_t *data, int at, int behind, bool ends) -> std::string {
  while (!ends && behind > at && data[behind - 1] == 0) behind--;
  for (int index = at; ends && index < behind; index++)
    if (data[index] == 0) behind = index;
  while (at < behind && std::isspace(data[at])) at++;
  while (behind > at && std::isspace(data[behind - 1])) behind--;
  return std::string(data + at, data + behind);
};
auto value_of = [&](const uint8_t *data, int size, const char *key, int many, int *behind) -> int {
  int at = 0;
  for (int line = 0; line < 256; line++) {
    at = find_in(data, size, at, "\\r\\n", 2);
    if (at < 0) break;
    at += 2;
    int end = find_in(data, size, at, "\\r\\n", 2);
    if (end < 0) end = size;
    int tab = find_in(data, end, at, "\\t", 1);
    if (tab - at != many || std::memcmp(data + at, key, many) != 0) continue;
    *behind = end;
    return tab + 1;
  }
  return -1;
};
auto is_written = [](const uint8_t *data, int at, int behind, int64_t *number) -> bool {
  bool hexadecimal = behind - at > 2 && data[at] == '0' && data[at + 1] == 'x';
  bool negative = at < behind && data[at] == '-';
  if (hexadecimal) at += 2;
  else if (negative || (at < behind && data[at] == '+')) at++;
  if (at >= behind || behind - at > (hexadecimal ? 15 : 18)) return false;
  for (*number = 0; at < behind; at++) {
    uint8_t one = std::tolower(data[at]);
    bool decimal = one >= '0' && one <= '9';
    if (!decimal && !(hexadecimal && one >= 'a' && one <= 'f')) return false;
    *number = *number * (hexadecimal ? 16 : 10) + (decimal ? one - '0' : one - 'a' + 10);
  }
  if (negative) *number = -*number;
  return true;
};
auto hex_of = [](const uint8_t *data, int at, int behind) -> std::string {
  std::string said;
  for (int index = at; index < behind; index++) {
    said += "0123456789abcdef"[data[index] >> 4];
    said += "0123456789abcdef"[data[index] & 15];
  }
  return said;
};
auto words_of = [](double number, bool decimals) -> std::string {
  char said[40];
  std::snprintf(said, sizeof(said), decimals && number == std::floor(number) ? "%.1f" : "%.10g", number);
  return said;
};
auto add_word = [](std::string &words, const std::string &word) {
  if (!word.empty()) words += (words.empty() ? "" : ", ") + word;
};
(void) to_signed, (void) to_magnitude, (void) digits_at, (void) bcd_at, (void) decimal_at, (void) float_at;
(void) find_in, (void) text_of, (void) hex_of, (void) words_of, (void) add_word;
(void) value_of, (void) is_written;
"""
_ORDERS = {"big": 0, "little": 1, "low word first": 2}


class Cpp(ProgramLanguage):
    """C++17: bytes lie at a pointer."""

    _indent = 2

    when = "if ({}) {{".format
    each = "for (int {0} = 0; {0} < {1}; {0}++) {{".format
    let = "int64_t {} = {};".format
    number = "double {} = {};".format
    set = "{} = {};".format
    give = "return {};".format
    byte = "data[{}]".format
    bit = "((int64_t) ({}) >> {} & 1)".format
    xor = "(({}) ^ ({}))".format
    common = "(({}) & {})".format
    function = "auto {} = [&](const uint8_t *data, int64_t size, int64_t at) -> int64_t {{".format
    checks = "auto {} = [](const uint8_t *data, int64_t begin, int64_t behind) -> int64_t {{".format
    least = "std::min<int64_t>({}, {})".format
    negated = "!({})".format
    whole = "std::max<int64_t>(0, (int64_t) ({}))".format
    divided = "({}) / {}".format
    digits = "digits_at(data, {}, {})".format
    no_number = "{} < 0".format

    @override
    def take(self, field: Field, value: str) -> str:
        return f"{'double' if field.type is Type.FLOAT else 'int64_t'} raw = {value};"

    @override
    def same(self, at: str, data: bytes) -> str:
        if len(data) == 1:
            return f"data[{at}] == {data[0]}"
        return f"std::memcmp(data + {at}, {c_string(data)}, {len(data)}) == 0"

    @override
    def unsigned(self, at: str, width: int, order: Order) -> str:
        return f"number_at(data, {at}, {width}, {_ORDERS[order]})"

    @override
    def find(self, at: str, data: bytes) -> str:
        return f"find_in(data, size, {at}, {c_string(data)}, {len(data)})"

    @override
    def raw(self, field: Field, order: Order, at: str) -> str:
        width = field.width or 0
        where = f"data, {at}, {width}, {_ORDERS[field.order or order]}"
        match field.type:
            case Type.FLOAT:
                return f"float_at({where})"
            case Type.BCD:
                return f"bcd_at({where})"
            case Type.DECIMAL:
                return f"decimal_at(data, {at}, {width})"
        number, many = f"number_at({where})", 8 * width
        if field.bits:
            low, many = field.bits
            number = f"({number} >> {low} & {(1 << many) - 1}{'ull' * (many > 62)})"
        if field.type is Type.INT:
            number = f"to_signed({number}, {many})"
        if field.type is Type.SIGN_MAGNITUDE:
            number = f"to_magnitude({number}, {many})"
        return f"(int64_t) __builtin_popcountll({number})" if field.ones else number

    @override
    def scaled(self, field: Field, raw: str) -> str:
        wide = field.type is Type.UINT and field.width == 8 and not field.bits and not field.ones
        return super().scaled(field, f"(double) (uint64_t) {raw}" if wide else f"(double) {raw}")

    @override
    def block(self, head: str, end: str | None = None) -> AbstractContextManager[None]:
        return super().block(head, end or ("};" if head.startswith("auto ") else None))
