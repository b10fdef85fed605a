"""What others put around each line of a log: containers, the journal, grep, tables and lists, HTML.

What stands before every line is no part of the log: it is taken off, so that each line begins as the program
that wrote it began it. A time that the wrapper has is kept where the line has none of its own.
"""

import html
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from packwire.capture.text.clock import STAMP

#: So many lines are looked at for what all of them begin with, and so large a part of them must begin so.
_LOOKED_AT, _PART = 200, 0.8
#: A wrapper may be in another.
_DEPTH = 3

_WRAPPERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\s{0,8}\|\s(?P<rest>.*\S|)\s*\|\s*",  # a cell of a table
        r"\s{0,64}[\w./-]{1,64}\s*\| ?(?P<rest>.*)",  # docker compose: name  | line
        # grep in several files, with the lines' numbers or without
        r"[\w./~-]{1,120}\.(?:log|txt)(?:\.\d{1,3})?(?::\d{1,8}(?=:(?:\d\d:\d\d:|\d{4}-|\D)))?:(?P<rest>.*)",
        # grep -n; not the hours of a time, nor the year of a date
        r"\d{1,8}(?::(?=\d\d:\d\d:\d\d[ .,\t\]])|[:-](?!\d\d[:-]))(?P<rest>\S.*| {2,}\S.*|)",
        r"\s{0,8}[*\u2022+-] (?P<rest>.*)",  # a list
        # docker logs -t
        r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.,]\d{1,9}(?:Z|[+-]\d\d:?\d\d))(?: (?P<rest>.*)|)",
        r"(?P<every>)(?: {4}|\t)(?P<rest>.*)",  # a block of code
        r"(?P<rest>.*?)(?:\\|<br ?/?>)",  # a mail or a page that breaks lines by itself
    )
)
#: What runs containers and services, as the journal names it: what stands behind it was said by another.
_JOURNAL = re.compile(
    rf"(?:[A-Z][a-z]{{2}} [ \d]\d )?(?P<time>{STAMP}) [\w.-]{{1,64}} "
    r"(?:docker(?:d|-compose)?|containerd?|podman|conmon|hassio\w*|addon_\w+|homeassistant|hass|start_?[\w-]*"
    r"|python[\d.]*|node|batmon[\w-]*|esphome|screen|bash|sh|env|run|svlogd|s6[\w-]*|[0-9a-f]{12})"
    r"(?:\[\d{1,8}\])?: ?(?P<rest>.*)"
)
_HAS_TIME = re.compile(rf"[\[(\s]{{0,2}}(?:{STAMP}|\d{{4}}-\d\d-\d\d)")
_ENTITY = re.compile(r"&(?:gt|lt|amp|quot|apos|nbsp|#39|#x27|#34|#62|#60);")


def unwrapped(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a log as the program wrote them; each stays one line."""
    rest = iter(lines)
    first = list(islice(rest, _LOOKED_AT))
    journal = [found["rest"] for line in first if (found := _of_journal(line)) is not None]
    timed = any(_HAS_TIME.match(each) for each in journal)
    looked_at = [_plain(line, timed=timed) for line in first]
    taken: list[re.Pattern[str]] = []
    while len(taken) < _DEPTH and (wrapper := _wrapper(looked_at)) is not None:
        taken.append(wrapper)
        looked_at = [_without(line, wrapper) for line in looked_at]
    for line in chain(first, rest):
        text = _plain(line, timed=timed)
        for each in taken:
            text = _plain(_without(text, each), timed=timed)
        yield text


def _wrapper(lines: list[str]) -> re.Pattern[str] | None:
    filled = [line for line in lines if line.strip()]
    for each in _WRAPPERS:
        found = [match for line in filled if (match := each.fullmatch(line)) is not None]
        part = 1.0 if "every" in each.groupindex else _PART
        if not found or len(found) < part * len(filled):
            continue
        if "time" in each.groupindex and not any(_HAS_TIME.match(match["rest"] or "") for match in found):
            continue  # the only time that there is
        return each
    return None


def _without(line: str, wrapper: re.Pattern[str]) -> str:
    found = wrapper.fullmatch(line)
    return (found["rest"] or "") if found else line


def _plain(line: str, *, timed: bool) -> str:
    """Return a line without what the journal puts before it and without HTML's entities.

    `timed` is whether the lines behind the journal's have times of their own.
    """
    if "&" in line and _ENTITY.search(line):
        line = html.unescape(line)
    found = _of_journal(line)
    if found is None:
        return line
    return found["rest"] if timed else f"{found['time']} {found['rest']}"


def _of_journal(line: str) -> re.Match[str] | None:
    return _JOURNAL.fullmatch(line) if "]:" in line[:160] else None
