"""The procedure for a switch: sessions recorded in each state, checked to repeat themselves, compared."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from packwire.capture import Capture
from packwire.errors import BadOptionError
from packwire.messages import Direction, Messages

#: A page that was visited three times leaves every poll at least as often.
LEAST_VISITS = 3
#: Sessions of one procedure share at least this part of what recurs in them.
LEAST_SHARED = 0.5
#: A group of messages begins with as many equal bytes.
_HEADER = 2


@dataclass(frozen=True, slots=True)
class StateSession:
    """One recording in one state; `groups` counts recurring kinds of messages by direction and header."""

    state: str
    name: str
    groups: dict[tuple[int, bytes], int]


def session(state: str, capture: Capture) -> StateSession:
    """Look at one recording. Raises BadOptionError where it does not repeat itself."""
    groups = {key: count for key, count in _groups(capture.messages).items() if count >= LEAST_VISITS}
    if not any(direction != Direction.TO_DEVICE for direction, _ in groups):
        raise BadOptionError(
            f"{capture.name}: nothing from the device recurs {LEAST_VISITS} times or more in it, so what"
            " differs may be chance: record again and open the page three times or more, without touching it"
        )
    return StateSession(state, capture.name, groups)


def _groups(messages: Messages) -> Counter[tuple[int, bytes]]:
    counts: Counter[tuple[int, bytes]] = Counter()
    rows = np.flatnonzero(messages.size >= _HEADER).tolist()
    for row in rows:
        counts[int(messages.direction[row]), messages.payload(row)[:_HEADER]] += 1
    return counts


def check_alike(sessions: Sequence[StateSession]) -> None:
    """Refuse sessions that do not show the same polls: other pages were open, and everything would differ."""
    first = sessions[0]
    for other in sessions[1:]:
        both, any_of = first.groups.keys() & other.groups.keys(), first.groups.keys() | other.groups.keys()
        if len(both) < LEAST_SHARED * len(any_of):
            missing = ", ".join(
                header.hex(" ") for _, header in sorted(first.groups.keys() - other.groups.keys())[:4]
            )
            named = f" (not in it: {missing})" if missing else ""
            raise BadOptionError(
                f"{other.name} does not repeat {first.name}: only {len(both)} of {len(any_of)} kinds of"
                f" messages recur in both{named}: record it again with the same pages of the app"
            )


def assign(states: Sequence[str], files: Sequence[str]) -> dict[str, list[str]]:
    """Give files to states in turn (on, off, on, off); raise BadOptionError where the numbers do not fit."""
    if not files or len(files) % len(states):
        raise BadOptionError(
            f"{len(files)} recordings for {len(states)} states: give one or more of each, in the order"
            f" {', '.join(states)}, {states[0]}, ..."
        )
    return {state: list(files[index :: len(states)]) for index, state in enumerate(states)}


def parse_states(text: str) -> tuple[str, ...]:
    """Read `on,off`; raise BadOptionError where that is no list of different names."""
    states = tuple(part.strip() for part in text.split(","))
    if (
        len(states) < 2
        or len(set(states)) < len(states)
        or not all(states)
        or any("=" in each for each in states)
    ):
        raise BadOptionError(f"{text!r}: give two or more different states, such as --states on,off")
    return states


def diff_arguments(files: dict[str, list[str]]) -> list[str]:
    """Return the command that compares the states."""
    arguments = ["diff"]
    for state, names in files.items():
        arguments += ["--state", f"{state}={','.join(names)}"]
    return arguments
