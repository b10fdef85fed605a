"""The protocol sheet: a page that needs nothing else, and says what the model says."""

from html.parser import HTMLParser

import pytest

from packwire.export.sheet import sheet
from packwire.models.load import model, parse
from packwire.models.store import library

pytest.importorskip("jinja2", reason="jinja2 (extra cli) is not installed")


class Page(HTMLParser):
    """What of a page would be fetched, run or shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        self.fetched += [
            value for name, value in attrs if name in {"src", "href", "srcset"} and not value.startswith("#")
        ]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("name", library())
def test_a_page_needs_nothing_else(name):
    made = sheet(model(name))
    page = Page(made.text)
    assert (page.open, page.fetched, made.left_out) == ([], [], ())
    assert "script" not in page.tags
    assert "default-src 'none'" in made.text
    assert "prefers-color-scheme: dark" in made.text
    assert 'name="viewport"' in made.text
    for reply in model(name).replies:
        for layout in reply.layouts:
            for field in layout.codec.fields:
                assert field.name.replace("_", " ") in page.text


def test_what_a_reader_looks_for_is_there():
    text = Page(sheet(model("jbd")).text).text
    for words in (
        "Bluetooth: service ff00, notifies on ff01, is written to on ff02",
        "begins with dd",
        "as long as byte 3 says, plus 7",
        "checksum sum16 negated at 3 before the end, of all from 2 up to itself",
        "dd a5 03 00 ff fd 77",
        "Voltage in V",
        "where units lacks bit 7",
        "refused: it does not know this request, or wants its PIN first",
        "58.88 V",
    ):
        assert words in text


def test_what_is_secret_is_stars():
    page = sheet(
        parse(
            """
packwire: 1
name: acme
title: Acme
framings: [{start: aa, size: [{at: 1, add: 0}]}]
replies:
  it: {begins: aa, fields: [{name: pin, at: 2, type: text, width: 4, secret: true}, {name: soc, quantity: soc}]}
examples:
  - {frames: [aa 08 31 32 33 34 55 00], values: {soc: 85}}
""",
            "acme.yaml",
        )
    ).text
    assert "31 32 33 34" not in page
    assert "2a 2a 2a 2a" in page
    assert "secret, never shown" in page
