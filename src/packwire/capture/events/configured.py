"""The names that a program's settings give to addresses: batmon-ha's options, pasted beside its log."""

import re
from collections.abc import Iterator

from packwire.capture.events.address import plain_address

_TOKEN = re.compile(
    r"(?P<begins>[{}]|^\s{0,12}- )|(?<![\w-])[\"']?(?P<key>address|alias)[\"']?\s{0,3}[:=]\s{0,3}"
    r"(?:\"(?P<double>[^\"\n]{1,48})\"|'(?P<single>[^'\n]{1,48})'|(?P<plain>[^\s\"',{}\[\]#][^\s\"',{}\[\]]{0,47}))"
)
_ADDRESS = re.compile(r"(?:[0-9A-Fa-f]{2}[:_-]){5}[0-9A-Fa-f]{2}")


def may_set(line: str) -> bool:
    """Tell whether a line may be one of settings that name addresses; of a log, few are."""
    return line[0] in " -{}" or "alias" in line or "address" in line


class Settings:
    """Takes the lines of settings, and tells each name with its address."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def names(self, line: str) -> Iterator[tuple[str, str]]:
        """Yield the names, each with its address, that a line completes."""
        if "alias" not in line and "address" not in line:
            if line[0] in " -{}" and line.lstrip()[:2] in {"- ", "{", "}", "},"}:
                self._found = {}
            return
        for each in _TOKEN.finditer(line):
            if each["begins"]:
                self._found = {}
                continue
            value = each["double"] or each["single"] or each["plain"]
            if each["key"] == "alias" or _ADDRESS.fullmatch(value):
                self._found[each["key"]] = value
            if len(self._found) == 2:
                yield self._found["alias"], plain_address(self._found["address"])
                self._found = {}
