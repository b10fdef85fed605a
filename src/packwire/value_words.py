"""Values of quantities in words, for a line of text: `13.32 V`, `SoC 76 %`, `8 cells 3.300 .. 3.307 V`."""

from collections.abc import Mapping
from functools import lru_cache

from packwire.quantity import QUANTITIES, Kind, Quantity, Scalar, Value


def value_words(values: Mapping[str, Value]) -> list[str]:
    """Return values by quantity key in words, in the registry's order, without what others say already."""
    words: list[str] = []
    for key, quantity, begin, number in _in_order(tuple(values)):
        value = values[key]
        if isinstance(value, float) or (type(value) is int and quantity.kind is not Kind.DURATION):
            words.append(number % value)
        elif isinstance(value, tuple):
            words += _list_words(quantity, value)
        else:
            words.append(begin + quantity.format(value))
    return words


def _beginning(quantity: Quantity) -> str:
    """Return what stands before a value: nothing where its unit says enough."""
    if quantity.key in {"voltage", "current", "power"}:
        return ""
    return "SoC " if quantity.key == "soc" else f"{quantity.name.lower()} "


def _number(quantity: Quantity) -> str:
    """Return the format of a number."""
    end = f" {quantity.unit}".rstrip().replace("%", "%%")
    return f"{_beginning(quantity)}%.{quantity.precision}f{end}"


_NUMBERS = (int, float)
#: Others say it.
_LEFT_OUT = frozenset({"cell_count", "cell_voltage_spread"})
_PLACES = {key: place for place, key in enumerate(QUANTITIES)}


@lru_cache(maxsize=256)
def _in_order(keys: tuple[str, ...]) -> tuple[tuple[str, Quantity, str, str], ...]:
    """Return which are shown, and how."""
    shown = sorted((key for key in keys if key not in _LEFT_OUT), key=_PLACES.__getitem__)
    return tuple(
        (key, QUANTITIES[key], _beginning(QUANTITIES[key]), _number(QUANTITIES[key])) for key in shown
    )


def _list_words(quantity: Quantity, items: tuple[Scalar, ...]) -> list[str]:
    if not items or quantity.kind is Kind.FLAG:
        on = [str(number) for number, item in enumerate(items, 1) if item]
        return [f"{quantity.name.lower()} {', '.join(on)}"] if on else []
    figure = f"%.{quantity.precision}f"
    if quantity.per_cell and len(items) > 1:
        numbers = sorted([item for item in items if isinstance(item, _NUMBERS)])
        what = "cells" if quantity.kind is Kind.VOLTAGE else quantity.name.lower()
        return [f"{len(items)} {what} {figure % numbers[0]} .. {figure % numbers[-1]} {quantity.unit}"]
    texts = [
        figure % item if isinstance(item, float) else quantity.format(item).removesuffix(f" {quantity.unit}")
        for item in items
    ]
    return [f"{' '.join(texts)} {quantity.unit}"]
