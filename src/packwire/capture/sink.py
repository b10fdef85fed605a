"""Where a recording is written while it is made."""

from typing import Protocol


class Sink(Protocol):
    """Where a recording goes: an unbuffered file, or something else that takes bytes."""

    def write(self, data: memoryview, /) -> int:
        """Take bytes, or a part of them; return how many. Raises OSError."""

    def flush(self) -> object:
        """Write what is held."""


class SinkRecorder:
    """Writes one file. `failed` is the error that ended it (a full disk): nothing is written after it."""

    def __init__(self, file: Sink) -> None:
        self.failed: OSError | None = None
        self._file = file

    def _write(self, data: bytes) -> None:
        if self.failed is not None:
            return
        view = memoryview(data)
        try:
            while view:  # an unbuffered file may take a part
                view = view[self._file.write(view) :]
            self._file.flush()
        except OSError as error:
            self.failed = error
