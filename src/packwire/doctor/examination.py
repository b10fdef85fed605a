"""What the doctor works with: the address and its connections, and the facts that the checks gather."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packwire.address import Address, LinkKind
from packwire.check import Check, Depth, Facts, Verdict
from packwire.device.node_memory import NodeMemory
from packwire.device.open import open_link
from packwire.doctor.facts import (
    ConnectionFacts,
    Contact,
    ContactFacts,
    HubFacts,
    Latency,
    ProbeFacts,
    StreamFacts,
    TargetFacts,
    ms,
)
from packwire.doctor.line import Line, Probe
from packwire.doctor.registry import checks_for, of_a_vesc_on_a_stream, rules_for
from packwire.doctor.transcript import Transcript
from packwire.doctor.verdicts import judge, judge_surest_first
from packwire.errors import PackwireError, Reason, UnreachableError
from packwire.event import EventKind
from packwire.link.hub import Presence, ping_hub
from packwire.protocol.base import Protocol, Request
from packwire.protocols import protocol

if TYPE_CHECKING:
    from packwire.doctor.journal import Journal

#: A device that closes every connection at once is not dialled for ever.
MAX_CONNECTIONS = 12
#: Seconds between two connections: a VESC Express notices a moment later that its client has gone.
REDIAL = 0.05
#: No patience is longer (s), but where a single reply takes longer: then this many times that.
LONGEST, LONGEST_SHARE = 3.0, 1.6
#: Half of the replies take so long (s): what is not needed for a verdict is left out, else it takes minutes.
SLOW, VERY_SLOW = 0.4, 0.9
#: Of the first patience, what is waited at least where a verdict hangs on it, and where silence is expected.
LEAST_SHARE, BRIEF_SHARE = 0.5, 0.2
#: So many requests in a row without one byte, and it is time to see whether the device is still there.
SILENT_TAIL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationOptions:
    """How to examine.

    `patience` is how long the first reply is waited for (s), later ones are waited for in proportion to what
    was seen. `listen` is how long to listen before anything is sent, and `poll` how long the battery is asked
    at 10 Hz. `direct` is the device's own address, to compare with the way through a hub. `expected` are CAN
    ids that should answer, `memory` knows those that did the last time. `restart` lets the owner switch the
    device off and on, and tells whether that was done.
    """

    depth: Depth = Depth.USUAL
    patience: float = 1.5
    listen: float | None = None
    poll: float = 3.0
    direct: Address | None = None
    expected: frozenset[int] | None = None
    memory: NodeMemory | None = None
    restart: Callable[[], Awaitable[bool]] | None = None


class NoConnectionError(Exception):
    """There is no connection any more and none can be made; the examination ends here."""


@dataclass(slots=True)
class Examination:
    """One device under examination. `facts` grow from check to check.

    `spoken` is what the device speaks, None until that was found out; `open` holds what is to be closed at
    the end. Of any pack but a VESC on a stream, `journal` is what it lived through, and `greeting` the
    question that its checks asked first.
    """

    address: Address
    options: ExaminationOptions = field(default_factory=ExaminationOptions)
    facts: Facts = field(init=False)
    transcript: Transcript = field(default_factory=Transcript)
    current: Line | None = None
    spoken: Protocol | None = field(init=False)
    greeting: bytes = b""
    open: AsyncExitStack = field(default_factory=AsyncExitStack)
    _journal: "Journal | None" = None
    _numbers: int = 0
    _lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.facts = Facts(TargetFacts(self.address, self.options.expected))
        self.spoken = protocol(self.address.model) if self.address.model else None

    @property
    def protocol(self) -> Protocol:
        """Return what the device speaks, where it is known."""
        assert self.spoken is not None
        return self.spoken

    @property
    def journal(self) -> "Journal":
        """Return what was lived through so far, in the words of logs."""
        if self._journal is None:
            from packwire.doctor.journal import Journal  # noqa: PLC0415 - numpy, which no VESC needs

            self._journal = Journal(self.address.target, self.elapsed())
        return self._journal

    @property
    def target(self) -> TargetFacts:
        """Return what is examined."""
        return self.facts[TargetFacts]

    @property
    def checks(self) -> tuple[Check["Examination"], ...]:
        """Return what its link and its protocol bring, in order."""
        return checks_for(self.address, self.spoken)

    @property
    def hello(self) -> bytes:
        """Return a request that every such device answers."""
        own = self.protocol.hello
        return self.greeting or (own.payload if own is not None else b"")

    def judge(self) -> tuple[Verdict, tuple[Verdict, ...]]:
        """Return the verdict on the facts, and what else was found."""
        rules = rules_for(self.address, self.spoken)
        if of_a_vesc_on_a_stream(self.address):
            verdict, *remarks = judge(rules, self.facts)
        else:
            self.facts.put(*self.journal.facts())
            verdict, *remarks = judge_surest_first(rules, self.facts)
            first = {each.key: each for each in reversed(remarks) if each.key != verdict.key}
            remarks = [each for each in remarks if first.get(each.key) is each]
        return verdict, tuple(remarks)

    async def dial(self, address: Address | None = None) -> Line:
        """Open one more connection, to this device or another address of it. Raises UnreachableError."""
        if self._numbers >= MAX_CONNECTIONS:
            raise NoConnectionError(f"{self._numbers} connections were enough")
        if self._numbers and address is None and not self.target.is_serial:
            await asyncio.sleep(REDIAL)
        self._numbers += 1
        link = open_link(address or self.target.base, bare=True)
        line = Line(link, self._numbers, self.transcript, self.protocol)
        self._lines.append(line)
        try:
            await line.open()
        except UnreachableError as error:
            if (
                self.facts[ConnectionFacts].made
                and error.reason is Reason.NOT_THERE
                and self.target.is_serial
            ):
                self.journal.tell(EventKind.PORT, "port-gone", str(error))
            raise
        self.facts[ConnectionFacts].made += 1
        if self.facts[ContactFacts].contact is Contact.AFTER_FILLER:
            line.send_filler()
        return line

    async def line(self) -> Line:
        """Return the open connection; make a new one where the last was closed.

        Raises NoConnectionError where that cannot be.
        """
        if self.current is not None and not self.current.closed:
            return self.current
        if self.current is not None:
            await self._ask_who_left()
        self.note_disconnect()
        try:
            self.current = await self.dial()
        except PackwireError as error:
            self.facts[ConnectionFacts].lost_by = str(error)
            raise NoConnectionError(str(error)) from error
        return self.current

    async def _ask_who_left(self) -> None:
        """After a hub's close: does it still know the device? NULL says that the device went, not we."""
        address, line = self.address, self.current
        if address.link is LinkKind.HUB and line is not None and line.disconnect is not None:
            presence = Presence.NO_WORD
            with contextlib.suppress(PackwireError):
                presence = await ping_hub(address.host, address.port, address.user)
            known = {Presence.THERE: True, Presence.NOT_THERE: False}
            self.facts[HubFacts].present_after_close.append(known.get(presence))

    async def fresh_line(self) -> Line:
        """Close what is open and return a new connection. Raises NoConnectionError."""
        await self.hang_up()
        return await self.line()

    async def hang_up(self) -> None:
        """Close the connection from this side."""
        self.note_disconnect()
        if self.current is not None:
            await self.current.close()
            self.facts[StreamFacts].add_line(
                self.current.stats, self.current.unsolicited, self.current.surplus
            )
            self.current = None

    async def leave(self) -> None:
        """Close every connection that is open still."""
        await self.hang_up()
        for line in self._lines:
            await line.close()
        await self.open.aclose()

    def note_disconnect(self) -> None:
        """Keep how the other end closed the connection, where it did."""
        line = self.current
        if line is not None and line.disconnect is not None:
            self.facts[ConnectionFacts].disconnects.append(line.disconnect)
            self.facts[StreamFacts].add_line(line.stats, line.unsolicited, line.surplus)
            self.current = None

    async def ask(
        self,
        payload: bytes | Request,
        can_id: int | None = None,
        *,
        tries: int = 2,
        patience: float | None = None,
    ) -> Probe:
        """Ask, again where nothing came or the connection was closed; return the last exchange.

        Raises NoConnectionError.
        """
        for attempt in range(1, tries + 1):
            line = await self.line()
            probe = await line.ask(payload, can_id, patience or self.patience(can_id))
            self.facts[ProbeFacts].note(probe)
            if probe.reply is not None or attempt == tries:
                break
        return probe

    def patience(self, can_id: int | None = None) -> float:
        """Return how long to wait for a reply (s): several times what the slowest took so far."""
        slowest = self._slowest(can_id)
        if slowest is None:
            return self.options.patience
        # A busy computer, or one hiccup of a radio, is no lost reply.
        longest = max(LONGEST, LONGEST_SHARE * slowest)
        return min(max(4 * slowest + 0.2, LEAST_SHARE * self.options.patience), longest)

    def _slowest(self, can_id: int | None) -> float | None:
        """Return the longest that a reply took on this way (s); the way over CAN leads through the device."""
        sent = self.facts[ProbeFacts]
        local = sent.slowest(over_can=False)
        far = sent.slowest(over_can=True) if can_id is not None else None
        if far is None and can_id is not None and local is not None and local < self.options.patience / 4:
            return None  # so quick a device says nothing about its bus
        return max(local or 0.0, far or 0.0) or None

    def hurry(self, over: float = SLOW) -> str:
        """Return why an experiment that no verdict needs is left out: each reply takes its time; or ''."""
        ways = (Latency.of(self.facts[ProbeFacts].latencies(over_can=over_can)) for over_can in (False, True))
        takes = max((latency.median for latency in ways if latency is not None), default=0.0)
        if takes < over or self.options.depth is Depth.THOROUGH:
            return ""
        return f"each reply takes {ms(takes)} (--thorough asks this too)"

    async def settle(self) -> None:
        """Wait until what was asked and not answered is over.

        A hub or `packwire share` that takes requests in turn waits a while for the reply to one that a device
        never answers, and holds the next one back so long: that says nothing about the device.
        """
        line = await self.line()
        there = (each.can_id for each in self.facts[ProbeFacts].probes if each.can_id and each.reply)
        for route in (None, next(there, None)):
            await line.ask(self.hello, route, LONGEST)

    async def check_alive(self) -> bool:
        """See whether the device answers anything still; if not, whether a new connection mends it."""
        connection = self.facts[ConnectionFacts]
        again = await self.ask(self.hello, tries=1)
        if again.reply is not None or again.closed or again.received:
            return True
        connection.fell_silent_after = (await self.line()).stats.frames
        await self.fresh_line()
        anew = await self.ask(self.hello, tries=1)
        connection.answers_anew = anew.reply is not None
        return False

    @property
    def seems_silent(self) -> bool:
        """Whether the last requests brought not one byte."""
        tail = self.facts[ProbeFacts].probes[-SILENT_TAIL:]
        return len(tail) == SILENT_TAIL and not any(each.received or each.closed for each in tail)

    def brief_patience(self, can_id: int | None = None) -> float:
        """Return how long to wait where silence is expected, or no verdict hangs on it (s)."""
        slowest = self._slowest(can_id)
        if slowest is None:
            return self.patience(can_id)
        brief = max(3 * slowest + 0.05, BRIEF_SHARE * self.options.patience)
        return min(brief, max(self.options.patience, LONGEST_SHARE * slowest))

    def elapsed(self) -> float:
        """Return the seconds since the doctor began."""
        return time.monotonic() - self.transcript.started
