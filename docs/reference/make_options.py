"""Write options.md: every option of the command line, from the commands themselves."""

from collections import defaultdict
from pathlib import Path

from cyclopts import App

from packwire.cli.main import COMMANDS, app
from packwire.models.store import library

HEAD = (
    "# Options\n\n"
    "One word has one meaning in all commands, and one meaning has one word; a letter stands for one option. "
    "This page is made by `docs/reference/make_options.py` from the commands; a test holds it against them."
    "\n\n| option | letter | takes | what it is for | commands |\n| --- | --- | --- | --- | --- |\n"
)
#: All models are simulated by one command.
_LIKE_JBD = set(library()) - {"jbd"}
#: What is the same in every command.
_EVERYWHERE = {"--help", "--version"}


def leaves(name: str, command: App) -> list[tuple[str, App]]:
    """Return a command, and those below it, that can be called, with their names."""
    below = [each for each in command if not each.startswith("-") and each not in _LIKE_JBD]
    name = name.replace("sim jbd", "sim MODEL")
    found = [(name, command)] if command.default_command is not None else []
    return found + [leaf for each in below for leaf in leaves(f"{name} {each}", command[each])]


def options() -> dict[str, tuple[set[str], set[str], list[str], list[str]]]:
    """Return each option with its letters, what it takes, the commands that have it, and their words."""
    found: dict[str, tuple[set[str], set[str], list[str], list[str]]] = defaultdict(
        lambda: (set(), set(), [], [])
    )
    for top in COMMANDS:
        for name, command in leaves(top, app[top]):
            for argument in command.assemble_argument_collection(
                default_parameter=app.default_parameter, parse_docstring=True
            ):
                words = [each for each in argument.names if each.startswith("--")]
                letters = {each for each in argument.names if len(each) == 2 and each != "--"}
                for word in words:
                    if word not in _EVERYWHERE:
                        found[word][0].update(letters)
                        found[word][1].add(_takes(argument.hint))
                        found[word][2].append(name)
                        found[word][3].append(_first_sentence(argument.parameter.help or ""))
    return dict(sorted(found.items()))


def _takes(hint: object) -> str:
    text = str(hint)
    if "Path" in text:
        return "a file"
    if "float" in text or "int" in text:
        return "a number"
    return "" if "bool" in text else "text"


def _first_sentence(text: str) -> str:
    words = " ".join(text.split())
    return words.partition(". ")[0].rstrip(".").replace("|", "\\|")


def page() -> str:
    """Return the page."""
    rows = []
    for word, (letters, takes, names, said) in options().items():
        letter = ", ".join(f"`{each}`" for each in sorted(letters))
        commands = ", ".join(sorted(set(names)))
        rows.append(f"| `{word}` | {letter} | {', '.join(sorted(takes))} | {said[0]} | {commands} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    Path(__file__).with_name("options.md").write_text(page(), encoding="utf-8")
