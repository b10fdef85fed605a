"""Why nothing could be read of a text: how it begins, what was looked for, which form is nearest."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import islice

from packwire.capture.packets import Packets
from packwire.capture.secret_words import without_secrets
from packwire.capture.text.grammar import TextFormat
from packwire.capture.text.lines import lines
from packwire.capture.text.read import read_text
from packwire.messages import Bytes

_SHOWN_LINES, _SHOWN = 3, 70
_COMPARED_LINES, _COMPARED, _MOST_READ = 12, 160, 1 << 16
_LETTERS, _DIGITS = re.compile("[A-Za-z]+"), re.compile("[0-9]+")


def refusal(data: Bytes, formats: Sequence[TextFormat], decimal: TextFormat, found: Packets) -> str:
    """Return one line for the user."""
    begin = data[:_MOST_READ]
    shown = list(islice((line for line in lines(begin) if line.strip()), _COMPARED_LINES))
    first = " / ".join(
        f'"{line[:_SHOWN]}{" ..." if len(line) > _SHOWN else ""}"'
        for line in map(without_secrets, shown[:_SHOWN_LINES])
    )
    parts = [
        "not a capture, but text with no bytes that could be read",
        f"it begins {first}" if first else "it holds nothing but blanks",
        f"looked for lines of {len(formats)} forms",
    ]
    parts += islice((note for note in (*found.damage, *found.notes) if "without bytes" not in note), 2)
    advice = next((_advice(each) for each in formats if found.format == each.NAME), "")
    if near := _nearest(shown, formats):
        example = near[1].splitlines()[-1].strip()[:_COMPARED]
        parts.append(f"the nearest is that of {near[0].NAME}, such as `{example}`")
        advice = advice or _advice(near[0])
    if len(read_text(begin, [decimal])):
        advice = "if the numbers in its lines are bytes, such as 221 for dd, give --bytes decimal"
    parts.append(advice or "save the recording as pcap or pcapng, or write lines of one of these forms")
    return "; ".join(parts)


def _advice(wanted: TextFormat) -> str:
    """Return what to do where a text of this format shows no bytes; not every format has that."""
    return getattr(wanted, "ADVICE", "")


def _nearest(shown: list[str], formats: Sequence[TextFormat]) -> tuple[TextFormat, str] | None:
    """Return the format, and its example, whose lines look most like these."""
    best = 0.0
    found: tuple[TextFormat, str] | None = None
    for each in formats:
        for example in each.EXAMPLES:
            matcher = SequenceMatcher(None, b=_form(example.splitlines()[-1]), autojunk=False)
            for line in shown:
                matcher.set_seq1(_form(line))
                if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best:
                    alike = matcher.ratio()
                    if alike > best:
                        best, found = alike, (each, example)
    return found


def _form(line: str) -> str:
    """Return a line with runs of letters and digits made alike."""
    return _DIGITS.sub("0", _LETTERS.sub("a", line[:_COMPARED]))
