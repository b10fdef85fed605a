"""The device behind a link and a protocol: connected, its nodes found, read node by node."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import override

from packwire.device.base import Device, Statistics
from packwire.device.client import Client
from packwire.device.node_memory import NodeMemory, SessionMemory
from packwire.errors import GoneError, PackwireError, Reason
from packwire.protocol.base import Node, Options, Session
from packwire.protocol.no_reply import NoReplyError
from packwire.sample import Condition, Sample

#: After so many rounds without one answer the connection counts as dead, though nobody closed it.
_SILENT_ROUNDS = 3
_SILENT_TIMES = 2
#: Seconds for which a node behind the device that did not answer twice in a row is not asked again.
SILENT_PAUSE = 5.0
#: Seconds after which what keeps a device awake is sent again, where it was not answered.
_AGAIN = 1.0


class Reader(Device):
    """A device that is asked in a protocol; see `packwire.device.open_device` for the options."""

    def __init__(self, client: Client, options: Options, memory: NodeMemory | None = None) -> None:
        self.client = client
        self.session: Session = client.protocol.session(client, options)
        self._options = options
        self._memory = memory or SessionMemory()
        self._silences: dict[str, _Silence] = {}
        self._silent_rounds = 0
        self._asked: set[str] = set()
        self._recalled = False
        self._awake: asyncio.Task[None] | None = None

    @property
    @override
    def where(self) -> str:
        return self.client.link.where(self.client.protocol.title)

    @property
    @override
    def link(self) -> str:
        return self.client.link.name

    @property
    @override
    def name(self) -> str:
        return self.client.link.device_name or self.session.name

    @property
    @override
    def firmware(self) -> str:
        return self.session.firmware

    @property
    @override
    def identity(self) -> str:
        return self.session.identity

    @property
    @override
    def nodes(self) -> tuple[Node, ...]:
        return self.session.nodes

    @property
    @override
    def remarks(self) -> tuple[str, ...]:
        recalled = ("nodes as known from last time; a rescan asks the bus again",) if self._recalled else ()
        return (*recalled, *self.session.remarks, *self.client.oddities())

    @property
    @override
    def search(self) -> str:
        return self.session.search

    @property
    @override
    def asked(self) -> frozenset[str]:
        return frozenset(self._asked)

    @property
    @override
    def statistics(self) -> Statistics:
        stats = self.client.stats
        return Statistics(
            requests=stats.requests,
            replies=stats.replies,
            timeouts=stats.timeouts,
            late=stats.late,
            unasked=stats.unasked,
            unsolicited=stats.unsolicited,
            bytes_received=self.client.frame_stats.received,
            frames=self.client.frame_stats.frames,
            latencies=tuple(self.client.latencies),
            oddities=tuple(self.client.oddities()),
        )

    @override
    async def open(self) -> None:
        await self.client.connect(self.session)
        self._awake = asyncio.create_task(self._keep_awake())
        await self.session.find_local()
        if self._options.only is not None:
            return
        if self._options.nodes is None:
            await self.find_nodes()
        else:
            for number in self._options.nodes:
                await self.session.add(number)

    @override
    async def close(self) -> None:
        if self._awake is not None:
            self._awake.cancel()
        await self.client.close()

    async def _keep_awake(self) -> None:
        """Keep the device awake until the connection ends, which readings tell."""
        with contextlib.suppress(PackwireError):
            due = await self._kept_awake()
            while due is not None:
                await asyncio.sleep(due)
                due = await self._kept_awake()

    async def _kept_awake(self) -> float | None:
        try:
            return await self.session.keep_awake()
        except NoReplyError:  # the next reading says so, where it lasts
            return _AGAIN

    @override
    async def find_nodes(self, *, quick: bool = False) -> None:
        recalled = self._memory.recall(self.identity)
        if recalled and await self._add_all(recalled) and quick:
            self._recalled = True
            return
        there = await self.session.find_nodes()
        self._memory.remember(self.identity, list(there))

    async def _add_all(self, numbers: Sequence[int]) -> bool:
        return all([await self.session.add(number) for number in numbers])

    @override
    async def read(self) -> tuple[Sample, ...]:
        self._asked.clear()
        samples = tuple([await self.read_node(node) for node in self.nodes])
        asked = [sample.condition is Condition.SILENT for sample in samples if sample.node in self._asked]
        if asked:
            self._silent_rounds = self._silent_rounds + 1 if all(asked) else 0
        if self._silent_rounds >= _SILENT_ROUNDS:
            raise await self._explain_silence()
        return samples

    async def _explain_silence(self) -> PackwireError:
        return await self.client.link.explain_silence() or GoneError(
            f"{self.where}: the connection is open, but nothing answered {self._silent_rounds} rounds "
            "of questions; is the device still on?",
            reason=Reason.FELL_SILENT,
        )

    @override
    async def read_node(self, node: Node) -> Sample:
        """Take one sample of one node; without values where it does not answer.

        A node behind the device that did not answer twice is left alone for a while: waiting for it at every
        reading would slow down all others.
        """
        silence = self._silences.setdefault(node.key, _Silence())
        if silence.last and self.session.behind(node) and time.monotonic() < silence.pause_ends:
            return silence.last
        if self.session.asks(node):
            self._asked.add(node.key)
        try:
            reading = await self.session.read(node)
        except NoReplyError as error:
            silence.last = Sample(node.key, time.time_ns(), {}, Condition.SILENT, str(error))
            silence.times += 1
            if silence.times >= _SILENT_TIMES:
                silence.pause_ends = time.monotonic() + SILENT_PAUSE
            return silence.last
        del self._silences[node.key]
        self.session.notice(node.key, reading.values)
        return Sample(node.key, time.time_ns(), reading.values, reading.condition, reading.reason)


@dataclass(slots=True)
class _Silence:
    """How often in a row a node did not answer, and until when it is left alone."""

    times: int = 0
    pause_ends: float = 0.0
    last: Sample | None = None
