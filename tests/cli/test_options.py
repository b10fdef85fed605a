"""One word a meaning, one letter an option, help that fits, over all commands."""

import runpy
from collections import defaultdict
from pathlib import Path

import pytest

from packwire.cli.main import COMMANDS
from packwire.cli.near_misses import advice, meant
from packwire.cli.old_spellings import renewed
from tests.cli.every_command import commands
from tests.cli.running import packwire

_MAKER = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "reference" / "make_options.py"))
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "options.md"
NAMES = [name for name, _ in commands()]
#: Two words for one thing: only the first is used.
ONE_WORD = [
    {"--for", "--limit", "--seconds", "--duration"},
    {"--listen", "--host", "--port", "--bind"},
    {"--announce", "--broadcast"},
    {"--report", "--html"},
    {"--keep-secrets", "--no-redact"},
    {"--format", "--to-format"},
]


def test_the_page_of_options_is_current():
    assert PAGE.read_text(encoding="utf-8") == _MAKER["page"](), "run docs/reference/make_options.py"


def test_a_letter_stands_for_one_option():
    of_letter = defaultdict(set)
    for word, (letters, *_) in _MAKER["options"]().items():
        for letter in letters:
            of_letter[letter].add(word)
    assert {letter: words for letter, words in of_letter.items() if len(words) > 1} == {}


def test_an_option_takes_the_same_in_all_commands():
    several = {word: takes for word, (_, takes, *_) in _MAKER["options"]().items() if len(takes) > 1}
    assert several == {}


@pytest.mark.parametrize("words", ONE_WORD, ids=lambda words: " ".join(sorted(words)))
def test_one_meaning_has_one_word(words):
    assert len(words & _MAKER["options"]().keys()) == 1


@pytest.mark.parametrize("columns", [60, 80, 120])
async def test_help_fits_the_terminal(columns):
    result = await packwire("--help", COLUMNS=str(columns))
    assert max(map(len, result.out.splitlines())) <= columns
    for group in ("Read", "Why no data", "Understand", "Share", "Simulate"):
        assert f"─ {group} ─" in result.out


@pytest.mark.parametrize("name", NAMES)
async def test_a_page_of_help_has_an_example_and_no_exit_codes(name):
    result = await packwire(*name.split(), "--help", COLUMNS="80")
    assert max(map(len, result.out.splitlines())) <= 80
    assert "[default: ()]" not in result.out
    assert "[default: False]" not in result.out
    before, more, _ = result.out.partition("docs/reference/commands.md")
    assert more, "there is no link to the docs"
    assert "xit code" not in before
    assert "Example" in before


@pytest.mark.parametrize(
    ("line", "then"),
    [
        ("READ sim:vesc", "read sim:vesc"),
        ("help read", "read --help"),
        ("help", "--help"),
        ("version", "--version"),
    ],
)
def test_what_is_meant_without_doubt(line, then):
    assert meant(line.split(), tuple(COMMANDS)) == then.split()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("discover", "packwire scan"),
        ("reed", "packwire read"),
        ("vesc://192.168.1.20", "packwire read vesc://192.168.1.20"),
        ("AA:BB:CC:DD:EE:FF", "is an address"),
        ("xyzzy", "packwire --help"),
    ],
)
def test_near_misses_are_answered(word, said):
    assert said in advice([word], tuple(COMMANDS))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("doctor a --limit 5 --listen=2", "doctor a --for 5 --listen-for=2"),
        ("share a --host 0.0.0.0 --listen 7", "share a --listen 0.0.0.0:7"),
        ("sim vesc --port 0", "sim vesc --listen 0"),
        ("sim hub --host ::1", "sim hub --listen [::1]:65101"),
        ("convert a b --no-redact", "convert a b --keep-secrets"),
        ("read a", "read a"),
    ],
)
def test_old_spellings_are_understood(old, new):
    assert renewed(old.split()) == new.split()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sim vesc --soc 500", "0 to 100 percent"),
        ("watch sim:vesc --count -5", "1 or more"),
        ("read", "Which one?"),
        ("watch", "packwire scan"),
        ("read sim:vesc --json --csv", "exclude each other"),
        ("read AA:BB:CC:DD:EE:FF", "Bluetooth"),
        ("read /dev/ttyACM0", "serial:/dev/ttyACM0"),
        ("read van", "packwire name van"),
        ("share sim:vesc --listen 99999", "0 to 65535"),
        ("log sim:vesc -o values.txt", ".csv"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_one_line(line, said, tmp_path):
    result = await packwire(*line.split(), XDG_CONFIG_HOME=str(tmp_path))
    assert result.code == 2
    assert said in " ".join(result.err.replace("│", " ").split())
