"""What is not seen is never shown raw: not in text, not in JSON."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.visible import json_text, printable

HARMFUL = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2066",
    *"\u2067\u2068\u2069\ufeff\ufff9\U000e0001\U000e0041\u3164\udcff\ud800",
]


@pytest.mark.parametrize("character", HARMFUL, ids=lambda each: f"{ord(each):04x}")
def test_what_is_not_seen_is_not_shown(character):
    assert printable(f"a{character}b") == "a\ufffdb"
    text = json_text({f"k{character}": [f"a{character}b"]})
    assert character not in text
    assert json.loads(text) == {f"k{character}": [f"a{character}b"]}


@given(st.text(st.characters()))
def test_json_says_the_same_and_holds_nothing_that_is_not_seen(text):
    written = json_text({"text": text})
    assert json.loads(written) == {"text": text}
    assert all(unicodedata.category(each)[0] not in "CZ" or each == " " for each in written)


@given(st.text(st.characters()))
def test_text_keeps_its_length_and_what_is_seen(text):
    shown = printable(text)
    assert len(shown) == len(text)
    assert shown.isprintable()
    assert (
        printable("Größe 5 µΩ €, 漢字 \N{SMILING FACE WITH OPEN MOUTH}")
        == "Größe 5 µΩ €, 漢字 \N{SMILING FACE WITH OPEN MOUTH}"
    )


def test_what_json_has_no_number_for_is_null():
    assert json_text({"a": [float("nan"), float("inf"), 1.5], "b": (float("-inf"),)}) == (
        '{"a": [null, null, 1.5], "b": [null]}'
    )
