"""Finding many byte strings in many bytes: what was masked in its own place may stand in others too.

An automaton of all of them [Aho and Corasick, 1975] takes each byte once, whatever they have in common; a
table of their first two bytes tells where it need not look.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from packwire.messages import Bytes

_CHUNK = 4 << 20
_ROOT = 0


@dataclass(slots=True)
class Automaton:
    """Finds needles; `steps` counts the transitions that were looked up."""

    steps: int = 0
    _next: dict[int, int] = field(default_factory=dict)
    """State and byte -> state."""
    _fall: list[int] = field(default_factory=lambda: [_ROOT])
    """State -> that of its longest end that is a beginning too."""
    _longest: list[int] = field(default_factory=lambda: [0])
    """State -> the length of the longest needle that ends here."""

    def add(self, needle: bytes) -> None:
        """Take in a needle; call `link` after the last one."""
        state = _ROOT
        for byte in needle:
            following = self._next.get(state << 8 | byte)
            if following is None:
                following = self._next[state << 8 | byte] = len(self._fall)
                self._fall.append(_ROOT)
                self._longest.append(0)
            state = following
        self._longest[state] = len(needle)

    def link(self) -> None:
        """Work out where to go on when a byte does not fit, level by level."""
        children: dict[int, list[tuple[int, int]]] = {}
        for key, state in self._next.items():
            children.setdefault(key >> 8, []).append((key & 0xFF, state))
        level = [_ROOT]
        while level:
            following = []
            for parent in level:
                for byte, state in children.get(parent, ()):
                    following.append(state)
                    if parent != _ROOT:
                        self._fall[state] = self._step(self._fall[parent], byte)
                    self._longest[state] = max(self._longest[state], self._longest[self._fall[state]])
            level = following

    def _step(self, state: int, byte: int) -> int:
        while True:
            self.steps += 1
            following = self._next.get(state << 8 | byte)
            if following is not None:
                return following
            if state == _ROOT:
                return _ROOT
            state = self._fall[state]

    def find(self, data: Bytes, starts: Iterator[int]) -> Iterator[tuple[int, int]]:
        """Yield begin and end of the longest needle at each place where one ends, in that order.

        `starts` are the places, in order, where one may begin.
        """
        done = 0
        for start in starts:
            if start < done:
                continue
            state, at = _ROOT, start
            for at, byte in _bytes_from(data, start):
                state = self._step(state, byte)
                if state == _ROOT:
                    break
                if self._longest[state]:
                    yield at + 1 - self._longest[state], at + 1
            done = at


def _bytes_from(data: Bytes, start: int) -> Iterator[tuple[int, int]]:
    size = 64
    while start < len(data):
        yield from enumerate(data[start : start + size].tolist(), start)
        start, size = start + size, min(2 * size, _CHUNK)


def replace_all(
    data: Bytes, needles: dict[bytes, bytes], automaton: Automaton | None = None
) -> NDArray[np.int64]:
    """Overwrite each needle (2 bytes or longer) by its replacement of equal length; return where.

    Where they overlap, what is left of the later one is overwritten too.
    """
    automaton = Automaton() if automaton is None else automaton
    begins = np.zeros(1 << 16, dtype=np.bool_)
    for needle in needles:
        automaton.add(needle)
        begins[needle[0] << 8 | needle[1]] = True
    automaton.link()
    places = sorted(automaton.find(data, _starts(data, begins)), key=lambda place: (place[0], -place[1]))
    covered, written = 0, []
    for begin, end in places:
        if end > covered:
            left = end - max(begin, covered)
            written.append((end - left, needles[data[begin:end].tobytes()][-left:]))
            covered = end
    for at, content in written:
        data[at : at + len(content)] = np.frombuffer(content, dtype=np.uint8)
    return np.array([at for at, _ in written], dtype=np.int64)


def _starts(data: Bytes, begins: NDArray[np.bool_]) -> Iterator[int]:
    """Yield where the first two bytes of a needle stand."""
    for chunk in range(0, max(len(data) - 1, 0), _CHUNK):
        piece = data[chunk : chunk + _CHUNK + 1]
        pairs = piece[:-1].astype(np.uint16) << np.uint16(8) | piece[1:]
        yield from (np.flatnonzero(begins[pairs]) + chunk).tolist()
