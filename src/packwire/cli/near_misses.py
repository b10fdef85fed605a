"""A command that does not exist: what its user meant."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from packwire.errors import PackwireError

#: What others call it.
_WORDS: Final = {
    "scan": "discover find list search devices ports",
    "read": "show get status cells",
    "watch": "monitor live follow top",
    "log": "logger store",
    "name": "alias names",
    "doctor": "diagnose check why test debug",
    "tap": "sniff proxy",
    "share": "relay serve",
    "hub": "server",
    "decode": "parse dissect",
    "convert": "redact anonymize export",
    "info": "analyze inspect",
    "explore": "gatt services",
    "messages": "dump",
    "sim": "simulate simulator",
}
_COMMAND_OF: Final = {word: command for command, said in _WORDS.items() for word in said.split()}


def meant(words: Sequence[str], commands: Sequence[str]) -> list[str]:
    """Return the command line that is meant where there is no doubt: `help read`, `READ`."""
    first, rest = words[0].lower(), list(words[1:])
    if first == "help":
        return [*rest, "--help"] if rest and rest[0] in commands else ["--help"]
    if first == "version" and not rest:
        return ["--version"]
    return [first, *rest] if first in commands else list(words)


def no_address(error: str) -> str:
    """Say what to type where an error is that no address was given; empty for others."""
    from packwire.cli.names import load_names  # noqa: PLC0415 - for this error alone

    if "parameter ADDRESS requires" not in error:
        return ""
    try:
        names = ", ".join(load_names())
    except PackwireError:
        names = ""
    known = f" (you named {names})" if names else ""
    return (
        f"Which one? Give an address, such as vesc://192.168.1.20, or a name{known}. "
        "packwire scan lists what is here; sim:vesc is a simulated one."
    )


def advice(words: Sequence[str], commands: Sequence[str]) -> str:
    """Say in a line what to type instead of a command that does not exist; empty for an option."""
    word = words[0]
    if word.startswith("-"):
        return ""
    if ":" in word or "@" in word:
        return f"{word} is an address: packwire read {word} shows it once, packwire watch {word} live"
    if Path(word).is_file():
        return f"{word} is a file: packwire info {word} says what is in it"
    from difflib import get_close_matches  # noqa: PLC0415 - for an error

    other = _COMMAND_OF.get(word.lower()) or next(iter(get_close_matches(word.lower(), commands, 1)), "")
    said = f"there is no command {word}"
    return f"{said}; did you mean packwire {other}?" if other else f"{said}; packwire --help lists all"
