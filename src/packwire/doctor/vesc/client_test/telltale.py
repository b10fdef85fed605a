"""Asking the user: each kind of reply carries a voltage of its own, and which one the client shows tells.

For a client that asks by the clock, which does the same whether it took a reply or not.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Protocol

from packwire.doctor.client_test.findings import ClientFindings, length
from packwire.doctor.client_test.played import Ask
from packwire.doctor.client_test.reactions import TrialResult
from packwire.doctor.client_test.trials import CONTROL_SIZES, FLUSH, Trial, TrialKind
from packwire.doctor.vesc.client_test.replies import CELLS, VOLTS, cells_of
from packwire.vesc.commands import Command

#: The voltage of a cell, of the first one and from one to the next; no two packs come near each other.
_FIRST, _CHECK = 3.05, 0.11
#: The same for the ways, which are of a pack of 6 cells.
_FIRST_WAY, _CHECK_WAY = 3.30, 0.25
_LENGTHS = (80, 127, 128, 166, 255, 256, 511)
_WAYS = (
    ("bytes", TrialKind.DELIVERY, "a reply byte by byte"),
    ("print-first", TrialKind.COMPANY, "a PRINT packet, then a reply"),
    ("corrupt", TrialKind.BAD, "a reply whose CRC is wrong"),
)
_QUESTION = (
    "Which battery voltage does your client show now, of the pack or of a cell? (a number; Enter: none, or "
    "still an old one; q: end) "
)
#: So many replies of a kind are given before the user is asked.
REPLIES = 4


class ShownValues(Enum):
    """What the user's answer says."""

    THIS = "the value of this reply"
    OTHER = "the value of another reply, or none"
    ODD = "a value that no reply held"
    UNREADABLE = "no number"


class Player(Protocol):
    """Answers the client."""

    findings: ClientFindings | None

    async def stand(self, trial: Trial, count: int) -> bool:
        """Answer all requests in one way; come back after so many replies. False: it asks no more."""


def telltales() -> list[Trial]:
    """Return the trials, each with its own voltage; the later ones are of the first length."""
    lengths = [length(size) for size in _LENGTHS]
    ways = [Trial(key, kind, words, _LENGTHS[0], sent=key) for key, kind, words in _WAYS]
    return [
        replace(trial, volts=round(first + step * index, 3))
        for trials, first, step in ((lengths, _FIRST, _CHECK), (ways, _FIRST_WAY, _CHECK_WAY))
        for index, trial in enumerate(trials)
    ]


def read_answer(answer: str, volts: float, cells: int, others: list[tuple[float, int]]) -> ShownValues:
    """Compare a number with a reply's pack and cell voltage, and with those of the other replies."""
    text = answer.strip().lower().removesuffix("v").removesuffix("m").strip().replace(",", ".")
    if not text:
        return ShownValues.OTHER
    try:
        number = float(text)
    except ValueError:
        return ShownValues.UNREADABLE
    decimals = len(text.partition(".")[2])

    def is_of(volts: float, cells: int) -> bool:
        pack = volts * cells
        cell = min((number, number / 1000), key=lambda each: abs(each - volts))
        near_pack = abs(number - pack) <= 0.6 / 10 ** min(decimals, 1)
        return near_pack or (decimals != 1 and abs(cell - volts) <= 0.006)

    if is_of(volts, cells):
        return ShownValues.THIS
    return ShownValues.OTHER if any(is_of(*each) for each in others) else ShownValues.ODD


def can_ask(found: ClientFindings) -> bool:
    """Tell whether nothing else tells, and a voltage would."""
    return (
        found.done
        and found.command == Command.BMS_GET_VALUES
        and not (found.tells or found.others.tell or found.dialect)
    )


async def ask_user(player: Player, ask: Ask, tell: Callable[[str], None]) -> None:
    """Try each reply until the user has seen what the client shows of it; fill in the findings.

    Does nothing where something else tells.
    """
    found = player.findings
    if found is None or not can_ask(found):
        return
    trials = telltales()
    known = [(trial.volts or VOLTS, cells_of(trial.size or 0)) for trial in trials]
    usual = [(VOLTS, CELLS), *((VOLTS, cells_of(size)) for size in CONTROL_SIZES)]
    tell("it goes by the clock, so you are asked what it shows: each reply has a voltage of its own")
    flush = True  # wrong frames came last
    for trial, pack in zip(trials, known, strict=True):
        if trial.kind is not TrialKind.LENGTH and not found.shown:
            return  # nothing whole was taken, there is nothing to compare with
        tell(trial.words)
        # What a client waits for behind a reply that it misread must not spoil the next one.
        if flush and not await player.stand(replace(trial, flush=FLUSH), 1):
            return
        if not await player.stand(trial, REPLIES):
            tell("it asks no more")
            return
        others = [each for each in [*known, *usual] if each != pack]
        shown = await _answer(ask, tell, pack, others)
        if shown is None:
            return
        taken = None if shown is ShownValues.ODD else shown is ShownValues.THIS
        found.results.append(TrialResult(trial, trial.size or 0, taken))
        if taken and found.reference is None:
            found.reference = trial.size
        found.shown = found.shown or taken is True
        flush = not taken
    found.asked_all = True


async def _answer(
    ask: Ask, tell: Callable[[str], None], pack: tuple[float, int], others: list[tuple[float, int]]
) -> ShownValues | None:
    while (answer := await ask(_QUESTION)) is not None and answer.strip().lower() != "q":
        shown = read_answer(answer, *pack, others)
        if shown is not ShownValues.UNREADABLE:
            tell(f"  {shown.value}")
            return shown
        tell("  a number, please, such as 61.0")
    return None
