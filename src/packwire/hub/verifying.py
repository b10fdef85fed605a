"""Slow password checks in a few threads of low priority, and a memory of what they found.

An event loop never hashes. A login that was checked is remembered as an HMAC with a key that is made anew in
every process: a device that comes back costs microseconds, and so does one that repeats the same wrong
password for ever. The HMAC covers the stored hash, so that a changed password forgets by itself.
"""

import asyncio
import hmac
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from packwire.hub.credentials import PasswordHash

#: One a core, of low priority: after a restart the passwords of all devices wait for them.
THREADS = max(2, os.cpu_count() or 1)
#: So many wrong logins are remembered; the oldest are forgotten first.
WRONG_REMEMBERED = 10_000
#: How much less than the event loop the threads that hash may have of a core.
NICENESS = 5


class Verifier:
    """Checks and makes hashes; `waiting` is how many are under way or queued."""

    def __init__(self, threads: int = THREADS) -> None:
        self.hashes = 0
        self._key = secrets.token_bytes(32)
        self._right: dict[str, bytes] = {}
        self._wrong: OrderedDict[bytes, None] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Future[bool]] = {}
        self._pool = ThreadPoolExecutor(threads, "packwire-hash", initializer=_be_nice)
        self._making = 0

    @property
    def waiting(self) -> int:
        """Return how many checks and new hashes have not ended yet."""
        return len(self._under_way) + self._making

    def remembered(self, device_id: str, stored: PasswordHash, password: str) -> bool | None:
        """Tell what the last check of this very login found; None where there was none."""
        digest = self._digest(device_id, stored, password)
        right = self._right.get(device_id)
        if right is not None and hmac.compare_digest(right, digest):
            return True
        if digest in self._wrong:
            self._wrong.move_to_end(digest)
            return False
        return None

    def is_under_way(self, device_id: str, stored: PasswordHash, password: str) -> bool:
        """Tell whether this very login is being checked at this moment."""
        return self._digest(device_id, stored, password) in self._under_way

    async def check(self, device_id: str, stored: PasswordHash, password: str) -> bool:
        """Hash and compare in a thread; the same login, asked again meanwhile, shares that work."""
        digest = self._digest(device_id, stored, password)
        under_way = self._under_way.get(digest)
        if under_way is None:
            under_way = asyncio.ensure_future(self._run(lambda: stored.check(password)))
            self._under_way[digest] = under_way
            under_way.add_done_callback(lambda done: self._remember(device_id, digest, done))
        return await asyncio.shield(under_way)

    async def make(self, password: str) -> PasswordHash:
        """Hash a new password in a thread."""
        self._making += 1
        try:
            return await self._run(lambda: PasswordHash.of(password))
        finally:
            self._making -= 1

    def trust(self, device_id: str, stored: PasswordHash, password: str) -> None:
        """Remember a login whose hash was made from it just now."""
        self._right[device_id] = self._digest(device_id, stored, password)

    def forget(self, device_id: str) -> None:
        """Forget the right login of an id that is no more."""
        self._right.pop(device_id, None)

    def close(self) -> None:
        """Let go of the threads; checks that have not begun never will."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run[T](self, work: Callable[[], T]) -> T:
        self.hashes += 1
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _remember(self, device_id: str, digest: bytes, done: asyncio.Future[bool]) -> None:
        del self._under_way[digest]
        if done.cancelled() or done.exception() is not None:
            return
        if done.result():
            self._right[device_id] = digest
        else:
            self._wrong[digest] = None
            if len(self._wrong) > WRONG_REMEMBERED:
                self._wrong.popitem(last=False)

    def _digest(self, device_id: str, stored: PasswordHash, password: str) -> bytes:
        said = f"{device_id}\0{stored.text}\0{password}".encode(errors="surrogateescape")
        return hmac.digest(self._key, said, "sha256")


def _be_nice() -> None:
    """Lower this thread's priority, where threads have one of their own (Linux)."""
    if os.name == "posix" and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
