"""The comparison of two sessions: all that was found, the first divergence, and one verdict."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

from packwire.capture.packets import NO_TIME
from packwire.check import Confidence
from packwire.doctor.compare.align import Alignment, align
from packwire.doctor.compare.cannot_tell import cannot_tell
from packwire.doctor.compare.causes import Cause, SessionVerdict
from packwire.doctor.compare.differences import ComparedRow, rows
from packwire.doctor.compare.findings import findings
from packwire.doctor.compare.log_file import ClientLog
from packwire.doctor.compare.patience import ClientPatience, patience_of
from packwire.doctor.compare.session import ClientSession, QueryKind
from packwire.doctor.verdicts import decide

#: The verdict's key where nothing that matters is different.
NO_DIFFERENCE = "no-difference"
#: Of these a few happen on every link: less than this share of the requests is told, but is no verdict.
BY_CHANCE = frozenset(
    {
        Cause.SILENT_DEVICE,
        Cause.DAMAGED_REPLIES,
        Cause.IMPATIENT,
        Cause.TOO_FAST,
        Cause.SWALLOWED,
        Cause.NOT_RECORDED,
    }
)
_RARE = 0.1
#: Faults that keep a client from its data. Of the reference nothing else is a verdict: that it asks what
#: nobody answers, or more than mine does, does mine no harm.
_FAULTS = frozenset(
    {
        Cause.NOTHING_SENT,
        Cause.BAD_LOGIN,
        Cause.REFUSED,
        Cause.NEVER_LOGS_IN,
        Cause.WRONG_CHECKSUM,
        Cause.WRONG_LENGTH,
        Cause.WRONG_FRAME,
        Cause.NEVER_SUBSCRIBES,
        Cause.RECEIVE_PATH,
        Cause.DISPLACED,
        Cause.WEDGED,
        Cause.NO_BMS,
    }
)
_BAD_FRAMES = frozenset({Cause.WRONG_CHECKSUM, Cause.WRONG_LENGTH, Cause.WRONG_FRAME})
#: Such a part of what a client sends are requests, be they wrong ones.
_NEARLY_ALL = 0.9
#: What both sessions have is no difference, unless one has it more than so many times as often.
_AS_OFTEN = 0.5
#: Where a pack answers more than this share, what it leaves unanswered may be what it does not know.
_ANSWERS = 0.5
#: So many requests without a reply, of kinds that were answered, over so many ns at the end of a session.
_FELL_SILENT, _SILENT_FOR = 3, 2_000_000_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sessions side by side.

    `main` is the finding that the verdict is about, None where no difference matters; `swapped` says that it
    is one of the reference. `also` are the other findings of both, with whose they are. `missing` are the
    kinds that the reference asks and mine does not, `extra` the other way round.
    """

    reference: ClientSession
    mine: ClientSession
    patience: tuple[ClientPatience, ClientPatience]
    alignment: Alignment
    rows: tuple[ComparedRow, ...]
    main: SessionVerdict | None
    swapped: bool
    also: tuple[tuple[str, SessionVerdict], ...]
    missing: tuple[QueryKind, ...]
    extra: tuple[QueryKind, ...]

    @property
    def key(self) -> str:
        """Return the verdict's stable key."""
        return NO_DIFFERENCE if self.main is None else self.main.cause.value

    @property
    def confidence(self) -> Confidence:
        """Return how sure the verdict is."""
        return Confidence.LIKELY if self.main is None else self.main.confidence

    @property
    def undecided(self) -> tuple[str, ...]:
        """Return what the files alone could not decide."""
        return () if self.main is None else self.main.open

    @property
    def who(self) -> str:
        """Return whose fault the verdict is about."""
        return "the reference" if self.swapped else "mine"

    @property
    def words(self) -> str:
        """Return the verdict in words."""
        if self.main is None:
            if any(who == "both" and each.cause in _FAULTS for who, each in self.also):
                return (
                    "no difference: both have the same trouble, see below; compare with a client that works."
                )
            if any(who != "the reference" for who, _ in self.also):
                return "no difference that matters: what goes wrong does so in both, or now and then."
            if not self.mine.answered:
                return "no difference, but nothing is answered in mine: compare with a client that works."
            if _same(self.reference, self.mine):
                return "no difference that matters: both are the same session."
            return "no difference that matters: mine asks rightly, is answered, and takes the replies."
        return self.main.words_about(self.who)

    @property
    def first(self) -> ComparedRow | None:
        """Return the first row in which the sessions differ at all."""
        return next((row for row in self.rows if row.marks), None)

    @property
    def divergence(self) -> ComparedRow | None:
        """Return the first row that the verdict is about; None where it is about the connection itself."""
        if self.main is None:
            return None
        sides = ((row, row.reference if self.swapped else row.mine) for row in self.rows)
        about = [row for row, side in sides if side and row.matters and row.kind in self.main.kinds]
        return next((row for row in about if row.marks), about[0] if about else None)


def compare(reference: ClientSession, mine: ClientSession, log: ClientLog | None = None) -> Comparison:
    """Compare two sessions; `log` is that of mine."""
    patience = (patience_of(reference), patience_of(mine, log))
    there = findings(reference, mine, patience[0])
    here = findings(mine, reference, patience[1])
    if not _same(reference, mine):
        here += cannot_tell(mine, reference, patience[1])
    here = decide(here)
    ours, theirs = (_Judged(mine, here), _Judged(reference, there))
    main, swapped = _main(ours, theirs)
    also = [("both" if ours.shared(each, theirs) else "mine", each) for each in here if each is not main]
    also += [("the reference", each) for each in there if each is not main and not theirs.shared(each, ours)]
    alignment = align(reference, mine)
    faults = [
        frozenset(number for each in own.found if not own.shared(each, other) for number in each.numbers)
        for own, other in ((theirs, ours), (ours, theirs))
    ]
    shown = tuple(
        rows(alignment.steps, (reference, patience[0]), (mine, patience[1]), (faults[0], faults[1]))
    )
    kinds = [{each.kind: None for each in session.queries} for session in (reference, mine)]
    return Comparison(
        reference,
        mine,
        patience,
        alignment,
        shown,
        main,
        swapped,
        tuple(also),
        tuple(kind for kind in kinds[0] if kind not in kinds[1]),
        tuple(kind for kind in kinds[1] if kind not in kinds[0]),
    )


@dataclass(frozen=True, slots=True)
class Alone:
    """One session by itself: `main` is what keeps the client from its data; `also` is what else is odd."""

    session: ClientSession
    main: SessionVerdict | None
    also: tuple[SessionVerdict, ...]


def alone(session: ClientSession) -> Alone:
    """Judge one session by itself."""
    nobody = replace(
        session,
        queries=(),
        bad=(),
        starts=(),
        login=None,
        hub=False,
        nodes={},
        bus=None,
        refused=frozenset(),
        foreign={},
        writes={},
    )
    found = [
        told
        for each in findings(session, nobody, patience_of(session))
        if (told := _if_it_is_one(session, each)) is not None
    ]
    judged = _Judged(session, found)
    main = next((each for each in found if judged.keeps_from_data(each)), None)
    return Alone(session, main, tuple(each for each in found if each is not main))


def _if_it_is_one(session: ClientSession, finding: SessionVerdict) -> SessionVerdict | None:
    """Return what a finding about bad frames is worth where nothing else says what right ones are.

    Where no right frame shows that VESC is spoken at all: whatever else passes over TCP is no VESC frame
    either, and others put a length behind a 02, too. And where a device answers, its checksum is another one.
    """
    if session.protocol != "VESC":
        other_sum = finding.cause is Cause.WRONG_CHECKSUM and session.unasked >= len(session.bad)
        return None if other_sum else finding
    said = len(session.messages) or session.login is not None or session.hub
    if said or finding.cause not in _BAD_FRAMES:
        return finding
    asking = sum(each.size for each in session.bad if each.command >= 0)
    if asking < _NEARLY_ALL * session.sent or session.arrived.junk:
        return None
    return replace(finding, confidence=Confidence.LIKELY)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A session with what was found about it."""

    session: ClientSession
    found: list[SessionVerdict]

    def share(self, finding: SessionVerdict) -> float:
        """Return how many of the requests of its kinds a finding is about, 0 to 1 (1: it is about none)."""
        kinds = set(finding.kinds)
        asked = sum(1 for each in self.session.queries if each.kind in kinds)
        return len(finding.numbers) / asked if finding.numbers and asked else 1.0

    def rare(self, finding: SessionVerdict) -> bool:
        """Tell whether a finding is about few requests only, of its kinds or of all."""
        few = 0 < len(finding.numbers) < _RARE * self.session.asked
        return few or self.share(finding) < _RARE

    def keeps_from_data(self, finding: SessionVerdict) -> bool:
        """Tell whether a client gets no data, or no more, because of a finding."""
        if finding.cause in _FAULTS:
            return True
        if finding.cause is Cause.DAMAGED_REPLIES:
            return not self.rare(finding)
        if finding.cause in BY_CHANCE:
            most = len(finding.numbers) > _ANSWERS * self.session.asked
            return most or self._at_the_end(finding) or self._without_values(finding)
        return not self.session.answered

    def _at_the_end(self, finding: SessionVerdict) -> bool:
        """Tell whether the session ends with requests that got no reply, and had one before."""
        queries = self.session.queries
        answered = {each.kind for each in queries if each.answered}
        asked = self.session.numbers(lambda each: each.kind in answered)
        last = list(takewhile(lambda number: not queries[number].answered, reversed(asked)))
        first = queries[last[-1]].time if last else NO_TIME
        lasted = first != NO_TIME and self.session.end - first >= _SILENT_FOR
        return lasted and len(set(last) & set(finding.numbers)) >= _FELL_SILENT

    def _without_values(self, finding: SessionVerdict) -> bool:
        """Tell whether the pack's values were asked for several times, and never came, whatever else did."""
        if finding.cause is not Cause.SILENT_DEVICE:
            return False
        asked = sum(map(self.session.asks_for_values, finding.numbers))
        return asked >= _FELL_SILENT and not any(
            each.answered and self.session.asks_for_values(number)
            for number, each in enumerate(self.session.queries)
        )

    def shared(self, finding: SessionVerdict, other: "_Judged") -> bool:
        """Tell whether the other session has the same, about as often: then it is no difference."""
        kinds = set(finding.kinds)
        return any(
            each.cause is finding.cause
            and (not kinds or kinds <= set(each.kinds))
            and other.share(each) >= _AS_OFTEN * self.share(finding)
            for each in other.found
        )


def _main(ours: _Judged, theirs: _Judged) -> tuple[SessionVerdict | None, bool]:
    """Choose what the verdict is about: what mine has and the reference has not, else the other way round.

    What cannot be told of mine is the verdict where nothing else is: the reference shows nothing about mine.
    """
    untold: SessionVerdict | None = None
    for each in ours.found:
        chance = each.cause in BY_CHANCE and ours.rare(each)
        if each.cause is Cause.CANNOT_TELL:
            untold = untold or each
        elif not chance and not ours.shared(each, theirs):
            return each, False
    for each in theirs.found:
        if each.cause in _FAULTS and not theirs.shared(each, ours):
            return each, True
    return untold, False


def _same(one: ClientSession, other: ClientSession) -> bool:
    """Tell whether both are one session: then nothing can be different."""

    def timeline(session: ClientSession) -> list[tuple[QueryKind, int, int, int]]:
        return [
            (each.kind, each.time - session.begin, each.next_time - each.time, each.reply_time - each.time)
            for each in session.queries
        ]

    return timeline(one) == timeline(other)


def evidence_lines(finding: SessionVerdict, who: str) -> Iterator[str]:
    """Yield the finding's sentences about `mine` or `the reference`."""
    for line in finding.evidence:
        text = line.replace("{who}", who)
        yield text[:1].upper() + text[1:]
