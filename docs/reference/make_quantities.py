"""Write docs/reference/quantities.md from the registry of quantities.

.venv/bin/python docs/reference/make_quantities.py
"""

from pathlib import Path

from packwire.quantity import QUANTITIES, Quantity

PAGE = Path(__file__).with_name("quantities.md")

INTRODUCTION = """# Quantities

The keys of a sample's values, in JSON, CSV and Python. Unknown is absent, never 0. A battery's current and
power are positive while charging; a controller's input current and power are positive while it draws. This
page is made from the registry (`src/packwire/quantity.py`) by `docs/reference/make_quantities.py`.

| key | name | unit | kind | decimals | |
| --- | --- | --- | --- | --- | --- |
"""


def page() -> str:
    """Return the page's text."""
    return INTRODUCTION + "".join(_row(quantity) for quantity in QUANTITIES.values())


def _row(quantity: Quantity) -> str:
    marks = ", ".join(mark for mark in ("counter", "array", "diagnostic") if getattr(quantity, mark))
    cells = (f"`{quantity.key}`", quantity.name, quantity.unit, quantity.kind, str(quantity.precision), marks)
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
