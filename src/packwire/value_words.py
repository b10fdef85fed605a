"""Values of quantities in words, for a line of text: `13.32 V`, `SoC 76 %`, `8 cells 3.300 .. 3.307 V`."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from packwire.quantity import QUANTITIES, Kind, Quantity, Scalar, Value


def value_words(values: Mapping[str, Value]) -> Iterator[str]:
    """Yield values by quantity key in words, in the registry's order, without what others say already."""
    for key in _in_order(tuple(values)):
        value = values[key]
        quantity, begin, number = _HOW[key]
        if isinstance(value, float) or (type(value) is int and quantity.kind is not Kind.DURATION):
            yield number % value
        elif isinstance(value, tuple):
            yield from _list_words(quantity, value)
        else:
            yield f"{begin}{quantity.format(value)}"


def _beginning(quantity: Quantity) -> str:
    """Return what stands before a value: nothing where its unit says enough."""
    if quantity.key in {"voltage", "current", "power"}:
        return ""
    return "SoC " if quantity.key == "soc" else f"{quantity.name.lower()} "


def _number(quantity: Quantity) -> str:
    """Return the format of a number."""
    end = f" {quantity.unit}".rstrip().replace("%", "%%")
    return f"{_beginning(quantity)}%.{quantity.precision}f{end}"


#: How each quantity is shown; these are left out, because others say it.
_HOW = {each.key: (each, _beginning(each), _number(each)) for each in QUANTITIES.values()}
_NUMBERS = (int, float)
_LEFT_OUT = frozenset({"cell_count", "cell_voltage_spread"})
_PLACES = {key: place for place, key in enumerate(QUANTITIES)}


@lru_cache(maxsize=256)
def _in_order(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted((key for key in keys if key not in _LEFT_OUT), key=_PLACES.__getitem__))


def _list_words(quantity: Quantity, items: tuple[Scalar, ...]) -> list[str]:
    if not items or quantity.kind is Kind.FLAG:
        on = [str(number) for number, item in enumerate(items, 1) if item]
        return [f"{quantity.name.lower()} {', '.join(on)}"] if on else []
    figure = f"%.{quantity.precision}f"
    if quantity.per_cell and len(items) > 1:
        numbers = [item for item in items if isinstance(item, _NUMBERS)]
        low, high = figure % min(numbers), quantity.format(max(numbers))
        what = "cells" if quantity.kind is Kind.VOLTAGE else quantity.name.lower()
        return [f"{len(items)} {what} {low} .. {high}"]
    texts = [
        figure % item if isinstance(item, float) else quantity.format(item).removesuffix(f" {quantity.unit}")
        for item in items
    ]
    return [f"{' '.join(texts)} {quantity.unit}"]
