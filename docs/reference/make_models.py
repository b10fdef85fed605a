"""Write SUPPORTED.md and docs/reference/models.md from the models that there are.

.venv/bin/python docs/reference/make_models.py
"""

from collections.abc import Iterator
from pathlib import Path

from packwire.models.load import model
from packwire.models.pages import link_words, proof_words
from packwire.models.protocol import ModelProtocol
from packwire.models.requests import Question
from packwire.models.store import library

ROOT = Path(__file__).resolve().parent.parent.parent
SUPPORTED = ROOT / "SUPPORTED.md"
PAGE = Path(__file__).with_name("models.md")

_SUPPORTED = """# What packwire reads

Packs behind a VESC (VESC Express, VESC BMS, motor controllers), over TCP, a VESC hub or a serial port; and
packs whose protocol is a model, below. Over Bluetooth also all that
[aiobmsble](https://github.com/patman15/aiobmsble) knows, through it. What a model says in detail:
[models](docs/reference/models.md); a new one: [add your BMS](docs/how-to/add-your-bms.md). This page is made
from the models by `docs/reference/make_models.py`.

How each is proved: **captures** are recordings of a vendor's app and a real pack; **aiobmsble's vectors** are
the frames of aiobmsble's tests, read value by value to what aiobmsble reads; **documents** are a maker's own.
None was tried here with the pack in hand.

| model | for | spoken over | proved by |
| --- | --- | --- | --- |
"""

_PAGE = """# Models

What each model sends, and the quantities that it reads. `packwire model show NAME` shows the same for models
of your own. This page is made from the models by `docs/reference/make_models.py`.
"""

_DIFFERENCES = """
## Where a model and aiobmsble differ

For the same bytes both give the same quantities, but for these:

- aiobmsble leaves out cells that read 0 mV; a model says 0 V.
- aiobmsble cuts the design capacity and the charge of all cycles to whole Ah.
- Power, remaining energy, time until empty and `problem` are aiobmsble's own arithmetic where the pack does
  not say them; a model says what the pack says, and packwire adds power and what follows from the cells.
- ANT: aiobmsble computes cycles from the charge of all cycles, and of old boards a missing capacity from the
  charge level; a model says neither. What old boards count in seconds is the time since their start.
- Daly: a MOSFET temperature of 0 or 65535 means that there is no such sensor; aiobmsble turns it into -40 or
  65495 degC where it comes later than in the first reply.
- Models also say alarms by name, wire resistances, limits and others that aiobmsble has no key for.
"""


def supported() -> str:
    """Return the text of SUPPORTED.md."""
    return _SUPPORTED + "".join(_row(model(name)) for name in library())


def _row(protocol: ModelProtocol) -> str:
    about = protocol.content.get("about", "")
    title = f"{protocol.title}: {about}" if about else protocol.title
    return f"| `{protocol.name}` | {title} | {link_words(protocol)} | {proof_words(protocol.content)} |\n"


def page() -> str:
    """Return the page's text."""
    return _PAGE + "".join(_section(model(name)) for name in library()) + _DIFFERENCES


def _section(protocol: ModelProtocol) -> str:
    return "\n".join((f"\n## {protocol.title} (`{protocol.name}`)\n", *_lines(protocol))) + "\n"


def _lines(protocol: ModelProtocol) -> Iterator[str]:
    if protocol.content.get("about"):
        yield f"{protocol.content['about']}.\n"
    yield f"Spoken over {link_words(protocol)}; proved by {proof_words(protocol.content)}.\n"
    for source in protocol.content.get("sources", ()):
        yield f"Source: {source}.\n"
    yield "| asked | answered with | |"
    yield "| --- | --- | --- |"
    for question in protocol.questions:
        yield f"| {question.name} | {', '.join(question.replies) or 'nothing'} | {_how_often(question)} |"
    yield ""
    keys = {
        each.quantity.key: each.quantity.name
        for reply in protocol.replies
        for layout in reply.layouts
        for each in layout.sayings
    } | {each.key: each.key for each in protocol.computed}
    yield f"Reads: {', '.join(f'`{key}`' for key in keys)}.\n"
    if protocol.switches:
        names = ", ".join(f"{each.name} ({', '.join(each.values)})" for each in protocol.switches)
        yield f"Switches, declared and simulated, never sent: {names}."


def _how_often(question: Question) -> str:
    words = []
    if question.template.names:
        words.append("with " + ", ".join(question.template.names))
    if question.once:
        words.append("once")
    if question.every:
        words.append(f"every {question.every:g} s")
    if question.streams:
        words.append("once, then it goes on by itself")
    if question.optional:
        words.append("not by all")
    return ", ".join(words)


if __name__ == "__main__":
    SUPPORTED.write_text(supported(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
