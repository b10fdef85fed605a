"""Fields at places that are known beforehand, read by one function that is made for them.

A loop over fields costs several times as much as one call of struct and one expression
(`benchmarks/decoding.py`). The text of a function is made of nothing but numbers and names made here.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from packwire.wire.fields import Field, FieldCondition, Operator, Order, Type, words_of

_UNSIGNED = {1: "B", 2: "H", 4: "I", 8: "Q"}
_OPERATORS = {
    Operator.EQUAL: "{raw} == {number}",
    Operator.NOT_EQUAL: "{raw} != {number}",
    Operator.LESS: "{raw} < {number}",
    Operator.AT_MOST: "{raw} <= {number}",
    Operator.MORE: "{raw} > {number}",
    Operator.AT_LEAST: "{raw} >= {number}",
    Operator.BIT: "({raw} >> {number} & 1) == 1",
    Operator.NO_BIT: "({raw} >> {number} & 1) == 0",
}


def fits(field: Field, order: Order) -> bool:
    """Tell whether a field can be in a block: one number that struct can read."""
    if field.count is not None or not field.type.numeric or "low word first" in {field.order, order}:
        return False
    return _code(field) is not None


def _code(field: Field) -> str | None:
    if field.type is Type.BCD:
        return _UNSIGNED.get(field.width or 0)
    if field.bits or field.ones:
        return _UNSIGNED.get(field.width or 0) if field.type is Type.UINT else None
    return field.code


class FieldBlock:
    """Fields one behind the other, or at places of their own.

    `absolute`: places count from where the message begins; else from behind the field before. `needs` is how
    many bytes from there on are read, `end` where the last field ends.
    """

    __slots__ = ("absolute", "end", "needs", "places", "read")

    def __init__(
        self, fields: list[Field], order: Order, raws: frozenset[str], anchors: frozenset[Any]
    ) -> None:
        self.absolute = fields[0].at is not None
        offsets = list(_offsets(fields))
        ends = [offset + (field.width or 0) for offset, field in zip(offsets, fields, strict=True)]
        self.needs, self.end = max(ends), ends[-1]
        self.places = [
            (field.name, offset, end)
            for field, offset, end in zip(fields, offsets, ends, strict=True)
            if field.name in anchors
        ]
        self.read = _function(fields, offsets, order, raws)
        """Add the values of a message whose bytes are there, and the raw numbers that others ask for."""


def _offsets(fields: list[Field]) -> Iterator[int]:
    end = 0
    for field in fields:
        at = end if field.at is None else field.at
        yield at
        end = at + (field.width or 0)


type _Read = Callable[[bytes, int, dict[str, Any], dict[str, Any]], None]


def _function(fields: list[Field], offsets: list[int], order: Order, asked: frozenset[str]) -> _Read:
    """Make the function that reads them."""
    scope: dict[str, Any] = {"single_bits": single_bits, "words": words_of, "bcd": _bcd}
    lines = ["def read(data, at, values, raws):"]
    for number, (form, variables) in enumerate(_structs(fields, offsets, order)):
        scope[f"unpack{number}"] = form.unpack_from
        lines.append(f"    {''.join(f'{name}, ' for name in variables)} = unpack{number}(data, at)")
    seen: dict[str, str] = {}
    """What others see of a field: 0 where it is not there, or is no number."""
    for index, field in enumerate(fields):
        scope[f"name{index}"] = field.name
        raw, text = f"v{index}", _raw_text(f"v{index}", field)
        if text != raw:
            raw = f"r{index}"
            lines.append(f"    {raw} = {text}")
        there = [_condition(each, seen) for each in field.when]
        there += [f"{raw} is not None"] if field.type is Type.BCD else []
        seen_of_it = f"({raw} if {' and '.join(there)} else 0)" if there else raw
        if field.unknown:
            scope[f"unknown{index}"] = frozenset(field.unknown)
            there.append(f"{raw} not in unknown{index}")
        only = f"if {' and '.join(there)}: " if there else ""
        lines.append(f"    {only}values[name{index}] = {_value_text(index, raw, field, seen, scope)}")
        seen[field.name] = raw
        if field.name in asked:
            lines.append(f"    s{index} = raws[name{index}] = {seen_of_it}")
            seen[field.name] = f"s{index}"
    exec("\n".join(lines), scope)  # noqa: S102 - see above
    read: _Read = scope["read"]
    return read


def _structs(
    fields: list[Field], offsets: list[int], order: Order
) -> Iterator[tuple[struct.Struct, list[str]]]:
    """Yield as few structs as read all fields, each with the variables that it fills."""
    left = sorted(range(len(fields)), key=lambda index: offsets[index])
    while left:
        mark = fields[left[0]].order or order
        end, text, variables, later = 0, ">" if mark == "big" else "<", [], []
        for index in left:
            field, offset = fields[index], offsets[index]
            if offset < end or (field.order or order) != mark:
                later.append(index)
                continue
            text += "x" * (offset - end) + (_code(field) or "")
            end = offset + (field.width or 0)
            variables.append(f"v{index}")
        yield struct.Struct(text), variables
        left = later


def _raw_text(variable: str, field: Field) -> str:
    if field.type is Type.BCD:
        return f"bcd({variable}, {2 * (field.width or 0)})"
    if field.bits:
        lowest, many = field.bits
        variable = f"({variable} >> {lowest} & {(1 << many) - 1})"
    return f"{variable}.bit_count()" if field.ones else variable


def _value_text(index: int, number: str, field: Field, seen: Mapping[str, str], scope: dict[str, Any]) -> str:
    text = scaled_text(number, field)
    if field.names:
        scope[f"names{index}"] = dict(field.names)
        text = f"names{index}.get(int({number}), {text})"
    elif field.flags:
        scope[f"flags{index}"] = field.flags
        text = f"words(flags{index}, {number})"
    elif field.each_bit is not None:
        text = f"single_bits({number}, {_other(field.each_bit, seen)})"
    if field.negative:
        held = " and ".join(_condition(each, seen) for each in field.negative)
        text = f"(-({text}) if {held} else {text})"
    return text


def _other(name: int | str, seen: Mapping[str, str]) -> str:
    return str(name) if isinstance(name, int) else seen.get(name, f"raws.get({name!r}, 0)")


def _condition(condition: FieldCondition, seen: Mapping[str, str]) -> str:
    number = _other(condition.field, seen)
    return _OPERATORS[condition.comparison].format(raw=number, number=condition.number)


def single_bits(raw: float, many: float) -> tuple[bool, ...]:
    """Return so many bits as truth values, the lowest first."""
    return tuple([bool(int(raw) >> bit & 1) for bit in range(max(0, min(int(many), 64)))])


def _bcd(raw: int, digits: int) -> int | None:
    """Return a binary-coded decimal number; None where digits are none."""
    text = f"{raw:0{digits}x}"
    return int(text) if text.isdecimal() else None


def scaled_text(name: str, field: Field) -> str:
    """Return the text of a raw number's value."""
    before, factor, divisor, behind = field.steps()
    text = f"({name} + {before!r})" if before else name
    if divisor:
        text = f"{text} / {divisor!r}"
    elif factor != 1:
        text = f"{text} * {float(factor)!r}"
    return f"{text} + {behind!r}" if behind else text
