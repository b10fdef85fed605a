"""Output that never holds up who writes it: a thread writes, from a bounded queue.

A terminal stopped with Ctrl-S, a full pipe or a slow disk then costs lines, which are counted, and not the
time of the event loop. Bytes go to the file descriptor itself: a thread that is stuck holds no lock that
anybody else wants, so that the process can end all the same.
"""

import contextlib
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

from packwire.visible import record_text

#: So many bytes of text wait for a terminal or a pipe, some ten thousand lines; then lines are left out.
TEXT_LIMIT = 1 << 20
#: Seconds without any progress; then the end is not held up any longer.
PATIENCE = 2.0
_PIECE = 1 << 16


def lost_record(count: int) -> str:
    """Return the record that stands in place of others."""
    return record_text({"kind": "lost", "records": count}) + "\n"


class BackgroundFile:
    """Writes to a file descriptor from a thread of its own. `failed` is the error that ended it."""

    def __init__(self, descriptor: int, limit: int) -> None:
        self.failed: OSError | None = None
        self._descriptor = descriptor
        self._limit = limit
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._closing = False
        self._over = False
        self._written = 0
        self._changed = threading.Condition()
        # A daemon: who is stuck in a write must not keep the process.
        threading.Thread(target=self._write_all, name="output", daemon=True).start()

    @property
    def waiting(self) -> int:
        """Return how many bytes are not written yet."""
        return self._size

    def put(self, data: bytes, *, beyond: bool = False) -> bool:
        """Take bytes to write, also beyond the limit; False: too many wait, or writing has failed."""
        with self._changed:
            if self.failed or (self._size + len(data) > self._limit and not beyond):
                return False
            self._waiting.append(data)
            self._size += len(data)
            self._changed.notify_all()
        return True

    def close(self, patience: float = PATIENCE, most: float = PATIENCE) -> bool:
        """Wait until all is written, `most` s as long as there is progress; tell whether it was."""
        end = time.monotonic() + most
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            while not self._over:
                before = self._written
                left = end - time.monotonic()
                if left <= 0 or (not self._changed.wait(min(patience, left)) and self._written == before):
                    return False
        return self.failed is None

    def _write_all(self) -> None:
        while (piece := self._next()) is not None:
            try:
                self._write(piece)
            except OSError as error:
                with self._changed:
                    self.failed = error
                    self._waiting.clear()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _next(self) -> bytes | None:
        with self._changed:
            while not self._waiting and not self._closing and not self.failed:
                self._changed.wait()
            if not self._waiting:
                return None
            piece = bytearray(self._waiting.popleft())
            while self._waiting and len(piece) < _PIECE:
                piece += self._waiting.popleft()
            return bytes(piece)

    def _write(self, piece: bytes) -> None:
        view = memoryview(piece)
        while view:
            try:
                count = os.write(self._descriptor, view)
            except BlockingIOError:  # somebody else has made it so, who shares it
                select.select((), (self._descriptor,), ())
                continue
            view = view[count:]
            with self._changed:
                self._size -= count
                self._written += count
                self._changed.notify_all()


class LiveText:
    """A text file for a console, or for lines, over standard output or error; written from a thread.

    Where the reader does not keep up, whole lines are left out, from there on until half of what waits is
    written; then `notice` of their number says so. With a write that fails, the next one raises its error.
    """

    def __init__(self, stream: TextIO, notice: Callable[[int], str], limit: int = TEXT_LIMIT) -> None:
        stream.flush()
        self.encoding = stream.encoding
        self.lost = 0
        """Lines left out since the last notice."""
        self._stream = stream
        self._notice = notice
        self._limit = limit
        self._file = BackgroundFile(stream.fileno(), limit)

    @property
    def failed(self) -> OSError | None:
        """Return the error that ended it."""
        return self._file.failed

    def write(self, text: str) -> int:
        """Take whole lines; raise OSError where an earlier one could not be written."""
        if self._file.failed:
            raise self._file.failed
        if self.lost and self._file.waiting <= self._limit // 2:
            self._confess()
        if self.lost or not self._put(text):
            self.lost += text.count("\n")
        return len(text)

    def flush(self) -> None:
        """Do nothing: what is written is on its way."""

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._stream.fileno()

    def close(self) -> None:
        """Write what waits; where the reader takes no more, say on standard error that some is left."""
        if self.lost:
            self._confess()
        if self._file.close() or self._file.failed:
            return
        text = f"packwire: {self._file.waiting} bytes of output were not shown: nothing takes them\n"
        with contextlib.suppress(OSError, ValueError):  # Windows selects sockets only
            if select.select((), (sys.stderr,), (), 0)[1]:
                sys.stderr.write(text)

    def _put(self, text: str, *, beyond: bool = False) -> bool:
        return self._file.put(text.encode(self.encoding, "replace"), beyond=beyond)

    def _confess(self) -> None:
        self._put(self._notice(self.lost), beyond=True)
        self.lost = 0
