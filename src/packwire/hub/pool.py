"""Slow work on passwords in a few threads of low priority: bounded, and in turns by address.

Who waits longest is not first, but who comes from an address that had no turn for longest: however many
logins one address sends, another one's waits for one turn. What nobody waits for any more, for the
connection is gone, is never begun.
"""

import asyncio
import os
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from packwire.hub.counters import less

#: One a core, of low priority: after a restart the passwords of all devices wait for them. Each takes the
#: memory that its hash asks for, usually 16 MiB.
THREADS = max(2, os.cpu_count() or 1)
#: So much work waits at most, of all addresses.
MOST_WAITING = 2048
#: How much less than the event loop the threads that hash may have of a core.
NICENESS = 5
#: What is said where there is no room.
FULL = "too many passwords wait to be checked: dial again"


class BusyError(Exception):
    """There is no room for more work: of this address, or at all."""


class Job[T]:
    """One piece of work, waiting or under way. `done` has its result; it is cancelled where it is dropped."""

    def __init__(self, pool: "Pool", network: str, work: Callable[[], T]) -> None:
        self.network = network
        self.work = work
        self.done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.begun = False
        self._pool = pool
        self._watchers = 0

    async def outcome(self) -> T:
        """Wait for the result. When the last who waits is cancelled, a job that has not begun is dropped.

        Raises BusyError where it was dropped all the same, to make room for another.
        """
        self._watchers += 1
        try:
            await asyncio.wait([self.done])
        finally:
            self._watchers -= 1
            if not self._watchers and not self.begun:
                self._pool.drop(self)
        if self.done.cancelled():
            raise BusyError(FULL)
        return self.done.result()


class Pool:
    """Runs jobs; `begun` counts them. `per_address` bounds what an address has waiting and under way."""

    def __init__(self, per_address: int, threads: int = THREADS, most: int = MOST_WAITING) -> None:
        self.per_address = per_address
        self.begun = 0
        self._threads = threads
        self._most = most
        self._executor = ThreadPoolExecutor(threads, "packwire-hash", initializer=_be_nice)
        self._queues: OrderedDict[str, deque[Job[Any]]] = OrderedDict()
        """What waits by address; the first address has the next turn."""
        self._queued = 0
        self._running = 0
        self._of: Counter[str] = Counter()
        """How many jobs each address has, waiting or under way."""

    @property
    def waiting(self) -> int:
        """Return how many jobs have not ended yet."""
        return self._queued + self._running

    def submit[T](self, network: str, work: Callable[[], T]) -> Job[T]:
        """Begin work for an address, or let it wait for its turn. Raises BusyError."""
        if self._of[network] >= self.per_address:
            raise BusyError("other passwords of this address are being checked: dial again")
        if self._queued >= self._most:
            self._make_room(network)
        job = Job(self, network, work)
        self._of[network] += 1
        self._queues.setdefault(network, deque()).append(job)
        self._queued += 1
        self._begin_next()
        return job

    def drop(self, job: Job[Any]) -> None:
        """Forget a job that has not begun."""
        queue = self._queues.get(job.network)
        if queue is None or job not in queue:
            return
        queue.remove(job)
        if not queue:
            del self._queues[job.network]
        self._queued -= 1
        less(self._of, job.network)
        job.done.cancel()

    def close(self) -> None:
        """Let go of the threads; what has not begun never will."""
        self._threads = 0
        for queue in tuple(self._queues.values()):
            for job in tuple(queue):
                self.drop(job)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _begin_next(self) -> None:
        while self._queues and self._running < self._threads:
            network, queue = next(iter(self._queues.items()))
            job = queue.popleft()
            if queue:
                self._queues.move_to_end(network)
            else:
                del self._queues[network]
            self._queued -= 1
            self._running += 1
            self.begun += 1
            job.begun = True
            ended = asyncio.get_running_loop().run_in_executor(self._executor, job.work)
            ended.add_done_callback(partial(self._ended, job))

    def _ended(self, job: Job[Any], ended: asyncio.Future[Any]) -> None:
        self._running -= 1
        less(self._of, job.network)
        if not job.done.done():
            if ended.cancelled():
                job.done.cancel()
            elif (error := ended.exception()) is not None:
                job.done.set_exception(error)
            else:
                job.done.set_result(ended.result())
        self._begin_next()

    def _make_room(self, network: str) -> None:
        """Drop the last job of the address that has most of them waiting, if it has more than this one."""
        busiest = max(self._queues, key=lambda each: len(self._queues[each]))
        if len(self._queues[busiest]) <= len(self._queues.get(network, ())) + 1:
            raise BusyError(FULL)
        self.drop(self._queues[busiest][-1])


def _be_nice() -> None:
    """Lower this thread's priority, where threads have one of their own (Linux)."""
    if os.name == "posix" and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
