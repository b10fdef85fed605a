"""A model with hostile words in every field, exported to all targets: the words stay words, and nothing runs."""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import cycle
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.export.targets import Wish, export
from packwire.models.protocol import ModelProtocol
from packwire.models.schema import ModelFile
from packwire.models.text import read_hex
from tests.export.captured import captured, tshark
from tests.export.esphome_stub import source
from tests.shared_data import needs_compiler, needs_luac, needs_tshark

#: What ends strings, comments and lines somewhere, or is replaced there, followed by what would then run.
NASTY = [
    'a" .. os.execute("touch PWNED") .. "',
    "]] os.execute('touch PWNED') --[[",
    "]==] os.execute('touch PWNED')",
    "--[[ x",
    "line\nos.execute('touch PWNED')\n--",
    "x\r\nBO_ 1 PWNED: 8 X\r\n",
    '"; CM_ BO_ 1 "',
    '*/ system("touch PWNED"); /*',
    '"; system("touch PWNED"); //\\',
    "??/\n system",
    "backslash at the end \\",
    "\\\"; system('x')",
    '""" + __import__("os").system("touch PWNED") + """',
    "''' + exec('x') + '''",
    "{__import__('os')}",
    "%s %n %x {0} {{ 7*7 }}",
    "${PWNED} $PWNED ${7*7} <% PWNED %> <# x #>",
    "!lambda return 1; # &anchor *alias",
    "!secret wifi_password: [1, {a: b}]",
    "- a: b\n  c: |\n    d",
    "id(pack_soc) id(x).publish_state(1)",
    "</script><script>PWNED</script><img src=x onerror=PWNED>",
    "</style><!-- --> <![CDATA[ ]]> &lt;script&gt; {% raw %}",
    "javascript:PWNED'\"><svg onload=PWNED>",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.\N{POP DIRECTIONAL FORMATTING}\N{ZERO WIDTH SPACE}",
    "\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\N{NEXT LINE}",
    "\x00\x1b]0;PWNED\x07\x7f",
    "\N{GREEK SMALL LETTER OMEGA}\N{HEBREW LETTER ALEF}\N{SNOWMAN}\N{PILE OF POO}",
    "__pragma: no cover__",
]
type Words = Callable[[int], str]


def content(word: Words, *, can: bool = False) -> dict[str, Any]:
    """Return the values of a model; `word` gives its words, of so many characters at most."""
    reply: dict[str, Any] = {
        "fields": [
            {"name": "end", "at": 4 * (not can), "type": "u8", "names": {0: word(60), 1: word(60)}, "quantity": "bms_status"},
            {"name": "voltage", "type": "u16", "scale": 0.01, "quantity": "voltage", "unit": word(16)},
            {"name": "if", "type": "u8", "flags": {0: word(60), 1: word(60), 5: word(60)}, "quantity": "alarms"},
            {"name": "class", "type": "u8", "unit": word(16)},
            {"name": "int", "type": "u8", "bits": [0, 1], "quantity": "charge_enabled"},
        ]
    }  # fmt: skip
    framings: list[dict[str, Any]] = [{"form": "can", "name": word(80)}]
    links: dict[str, Any] = {"can": {"bit_rate": 500_000}}
    replies: dict[str, Any] = {"end": {"id": 0x123, **reply}}
    requests: dict[str, Any] = {}
    if not can:
        framings = [
            {
                "name": word(80),
                "start": "aa 55",
                "size": [{"at": 2, "add": 5}],
                "checksum": {"name": "CRC-16/MODBUS", "to": -2, "at": -2},
                "kind": 4,
            }
        ]
        links = {"ble": [{"service": "ff00", "notify": "ff01", "write": "ff02"}], "serial": {"baud": 9600}}
        replies = {
            "end": {"begins": "aa 55 ?? 90", **reply},
            "refused": {"begins": "aa 55 ?? 80", "refuses": word(100)},
            "name": {
                "begins": "aa 55 ?? 91",
                "fields": [{"name": "name", "at": 4, "type": "text", "quantity": "model"}],
            },
        }
        requests = {
            "end": {"send": "aa 55 .. 10 .. ..", "reply": "end"},
            "login": {"send": "aa 55 .. 11 {pin} .. ..", "reply": "refused"},
        }
    said = {
        "packwire": 1,
        "name": "acme",
        "title": word(80) or "x",
        "family": word(80),
        "about": word(300),
        "sources": [word(200), word(200)],
        "proof": [],
        "links": links,
        "recognise": {"advertisements": [{"name": word(60) or "x"}]},
        "framings": framings,
        "parameters": {"pin": {"type": "text", "width": 6, "default": word(6), "about": word(200)}},
        "requests": requests,
        "replies": replies,
    }
    if can:
        return {
            key: value for key, value in said.items() if key not in {"parameters", "requests", "recognise"}
        }
    said["examples"] = [
        {"about": word(100), "frames": ["aa 55 07 90 01 05 34 21 07 01 .. .."], "values": {"voltage": 13.32}}
    ]
    return said


def protocol(word: Words, *, can: bool = False) -> ModelProtocol:
    checked = ModelFile.model_validate(content(word, can=can))
    return ModelProtocol(checked.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def harmless(most: int) -> str:
    return "word"[:most]


def given_in_turn(texts: list[str]) -> Words:
    turn: Iterator[str] = cycle(texts)

    def word(most: int) -> str:
        text = next(turn)
        text = text.encode()[:most].decode("utf-8", "ignore") if most < 10 else text[:most]
        return text if text.strip() else "x"

    return word


NASTY_WORDS = given_in_turn(NASTY)
words = st.lists(
    st.one_of(
        st.sampled_from(NASTY),
        st.text(max_size=40),
        st.text("\"'\\\n\r$`{}[]<>*/#!&%-;:?\u202e", max_size=30),
    ),
    min_size=1,
    max_size=40,
).map(given_in_turn)
#: A Lua or C++ string; comments are what is behind their mark.
_STRING = r'"(?:\\.|[^"\\\n])*"'
_LUA = re.compile(rf"{_STRING}|--[^\n]*")
_CPP = re.compile(rf"{_STRING}|//[^\n]*|'(?:\\.|[^'\\\n])'")


def bare(text: str, strings: re.Pattern[str]) -> list[str]:
    """Return the lines of a program without its strings and comments."""
    return [line.strip() for line in strings.sub("_", text).splitlines() if line.strip() not in {"", "_"}]


def lambda_of(text: str):
    return next(each["lambda"] for each in yaml.safe_load(text)["sensor"] if "lambda" in each)


def shape(value: Any) -> Any:
    """Return a value with all its texts alike."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items() if key != "lambda"}
    if isinstance(value, list) and all(isinstance(each, int) for each in value):
        return "bytes"  # a PIN that a request has by default is in its frame
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "text" if isinstance(value, str) else value


def tree(text: str) -> str:
    """Return what Python sees in a module, with all texts alike."""
    parsed = ast.parse(text)
    for node in ast.walk(parsed):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            node.value = "text"
    return ast.dump(parsed)


class _Tags(HTMLParser):
    """The tags of a page with their attributes' names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[Any] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, [name for name, _ in attrs]))

    def handle_endtag(self, tag):
        self.found.append(tag)

    def handle_comment(self, data):
        self.found.append("a comment")


def text_of(made: ModelProtocol, target: Any) -> str:
    return export(made, target, Wish()).text


@settings(max_examples=30)
@given(words)
def test_lua(word):
    hostile = text_of(protocol(word), "wireshark")
    assert bare(hostile, _LUA) == bare(text_of(protocol(harmless), "wireshark"), _LUA)


@settings(max_examples=30)
@given(words)
def test_esphome(word):
    hostile, usual = text_of(protocol(word), "esphome"), text_of(protocol(harmless), "esphome")
    assert "$" not in hostile
    assert "<%" not in hostile
    assert shape(yaml.safe_load(hostile)) == shape(yaml.safe_load(usual))
    assert bare(lambda_of(hostile), _CPP) == bare(lambda_of(usual), _CPP)
    assert not re.search(r'"[^"\n]*\bid\s*\(', lambda_of(hostile)), "ESPHome replaces these in strings too"


@settings(max_examples=30)
@given(words)
def test_aiobmsble(word):
    hostile, usual = protocol(word), protocol(harmless)
    for text in ("text", "test"):
        made = getattr(export(hostile, "aiobmsble", Wish()), text)
        assert tree(made) == tree(getattr(export(usual, "aiobmsble", Wish()), text))
        compile(made, "exported", "exec")


@settings(max_examples=30)
@given(words)
def test_html(word):
    hostile = _Tags(text_of(protocol(word), "html")).found
    assert hostile == _Tags(text_of(protocol(harmless), "html")).found
    assert "script" not in {tag[0] for tag in hostile}


@settings(max_examples=30)
@given(words)
def test_dbc(word):
    cantools = pytest.importorskip("cantools", reason="cantools is not installed")
    made = cantools.database.load_string(text_of(protocol(word, can=True), "dbc"), "dbc", strict=True)
    (message,) = made.messages
    assert (message.frame_id, len(message.signals)) == (0x123, 7)


def nothing_ran(folder) -> bool:
    return not any("PWNED" in path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("at", range(0, len(NASTY), 7))
@needs_luac
def test_luac_takes_it(at, tmp_path):
    path = tmp_path / "hostile.lua"
    path.write_text(text_of(protocol(given_in_turn(NASTY[at:] + NASTY[:at])), "wireshark"), encoding="utf-8")
    subprocess.run(["luac5.2", "-p", path], check=True)


@needs_tshark
def test_tshark_shows_the_values_all_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = protocol(given_in_turn(NASTY))
    script, capture = tmp_path / "hostile.lua", tmp_path / "capture.btsnoop"
    script.write_text(text_of(made, "wireshark"), encoding="utf-8")
    frame = made.framings[0].seal(read_hex("aa 55 07 90 01 05 34 01 07 01 00 00"))
    capture.write_bytes(captured(made, [frame]))
    (shown,) = tshark(capture, script, "packwire_acme")
    assert (shown["voltage"], shown["charge_enabled"]) == (["13.32"], ["1"])
    assert nothing_ran(tmp_path)


@needs_compiler
def test_a_compiler_takes_it(tmp_path):
    path = tmp_path / "hostile.cpp"
    path.write_text(source(text_of(protocol(given_in_turn(NASTY)), "esphome")), encoding="utf-8")
    run = subprocess.run(
        ["g++", "-std=gnu++17", "-trigraphs", "-fsyntax-only", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_a_plugin_is_loaded_and_nothing_runs(tmp_path, monkeypatch):
    pytest.importorskip("aiobmsble", reason="aiobmsble (extra ble) is not installed")
    monkeypatch.chdir(tmp_path)
    made: dict[str, Any] = {"__name__": "acme_bms"}
    exec(text_of(protocol(given_in_turn(NASTY)), "aiobmsble"), made)
    assert made["BMS"].matcher_dict_list()
    assert nothing_ran(tmp_path)


def test_what_turns_text_around_is_seen_nowhere():
    """Marks of direction and control characters are in no export, as themselves."""
    for target in ("wireshark", "esphome", "aiobmsble", "html"):
        text = text_of(protocol(given_in_turn(NASTY)), target)
        assert [each for each in text if not each.isprintable() and each != "\n"] == []
    text = text_of(protocol(given_in_turn(NASTY), can=True), "dbc")
    assert [each for each in text if not each.isprintable() and each != "\n"] == []
