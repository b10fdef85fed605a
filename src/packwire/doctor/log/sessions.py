"""What the sessions in a recording tell: what was answered, and what kept a client from its data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from packwire.capture.open import Capture
from packwire.channel import Transport
from packwire.check import Confidence, Fact, Verdict
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.choose import sessions_of
from packwire.doctor.compare.session import ClientSession
from packwire.doctor.compare.verdict import BY_CHANCE, Alone, alone, evidence_lines
from packwire.doctor.log.facts import WireFacts
from packwire.doctor.verdicts import reason_of

#: So many sessions of a recording are judged, those with the most requests.
_MOST_SESSIONS = 50
#: What befalls one of many connections without anything being wrong: a reply is lost, a program ends.
_MAY_BE_CHANCE = frozenset({Cause.NOTHING_SENT, *BY_CHANCE})
#: Between the verdicts of logs that are certain, and those that are not: a conversation that is whole in the
#: file tells more than a hint in it. What is only possible comes behind what logs call likely.
_RANK = {Confidence.CERTAIN: 40, Confidence.LIKELY: 40, Confidence.POSSIBLE: 140}

#: What settles that a recording leaves open.
_ASK = ("the client's own log of those minutes (packwire compare --log takes it), or how it reads a reply",)


@dataclass(slots=True)
class SessionFacts(Fact):
    """The sessions of a recording, each judged by itself; `damaged` says that the file is."""

    judged: tuple[Alone, ...] = ()
    damaged: bool = False

    @property
    def sessions(self) -> list[ClientSession]:
        """Return the sessions in which something is answered."""
        return [each.session for each in self.judged if each.session.answered]

    @property
    def answered(self) -> int:
        """Return how many requests have their reply, and none that refuses what was asked."""
        return sum(each.answered - len(each.refused) for each in self.sessions)

    @property
    def only_refused(self) -> bool:
        """Return whether something is answered, and all that is asked is refused."""
        return bool(self.sessions) and not self.answered

    @property
    def asked(self) -> int:
        """Return how many requests a reply can be expected to."""
        return sum(each.asked for each in self.sessions)


def judge_sessions(capture: Capture) -> SessionFacts:
    """Judge each session of a recording."""
    found = sorted(sessions_of(capture), key=lambda each: -len(each.queries))
    judged = [alone(each) for each in found[:_MOST_SESSIONS]]
    asked = sum(each.asked for each in found)
    heard = [each.begin for each in found if each.answered or each.ending.heard]
    told = (_among_others(_resumed(each, max(heard, default=0)), asked) for each in judged)
    return SessionFacts(tuple(told), bool(capture.damage))


def _resumed(found: Alone, heard: int) -> Alone:
    """Return a session without its end as the main finding where the device was heard in a later one."""
    main = found.main
    if main is None or main.cause is not Cause.CLOSED or heard <= found.session.begin:
        return found
    return replace(found, main=None, also=(main, *found.also))


def _among_others(found: Alone, asked: int) -> Alone:
    """Return a session without a main finding where that is few requests of all, and may be chance."""
    main = found.main
    if main is None or main.cause not in _MAY_BE_CHANCE or 2 * found.session.asked >= asked > 0:
        return found
    return replace(found, main=None, also=(main, *found.also))


def verdicts_of(facts: SessionFacts) -> Iterator[Verdict]:
    """Yield what keeps a client from its data, one verdict for each cause."""
    seen: set[str] = set()
    for each in facts.judged:
        if each.main is not None and each.main.key not in seen:
            seen.add(each.main.key)
            yield _verdict(each, several=len(facts.judged) > 1, damaged=facts.damaged)


def _verdict(found: Alone, *, several: bool, damaged: bool) -> Verdict:
    main, session = found.main, found.session
    assert main is not None
    who = f"client [{session.number}]" if several else "the client"
    words = main.words_about(who)
    # What is damaged in the file may have been right on the wire.
    doubt = damaged and main.confidence is Confidence.CERTAIN
    verdict = Verdict(
        main.key,
        Confidence.LIKELY if doubt else main.confidence,
        f"{words[:1].upper()}{words[1:]}",
        main.what_to_do(who),
        main.reason,
        evidence=(*evidence_lines(main, who), *main.why, *main.open, *also_odd(found, who)),
        open=_ASK if main.open else (),
        rank=_RANK[main.confidence] + main.rank,
        excludes=main.excludes,
    )
    return replace(verdict, reason=reason_of(verdict))


def also_odd(found: Alone, who: str = "the client") -> Iterator[str]:
    """Yield what else is odd in a session; what is only possible is not told of what works."""
    for each in found.also:
        if each.confidence is not Confidence.POSSIBLE:
            yield from evidence_lines(each, who)


def without_a_bus(wire: WireFacts, sessions: Sequence[ClientSession]) -> WireFacts:
    """Return what bytes say beside sessions: these tell what is answered; over Bluetooth nobody else asks."""
    if not sessions:
        return wire
    shared = any(
        channel.transport not in {Transport.ATT, Transport.RFCOMM}
        for each in sessions
        for channel in each.messages.channels
    )
    return replace(
        wire,
        irregular=False,
        first_of_20=0,
        other_address=wire.other_address if shared else "",
        foreign=wire.foreign if shared else 0,
    )
