"""Running `packwire tap` until it is stopped: where its lines and its recording go, and the account."""

import asyncio
import contextlib
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self, cast

from packwire.capture.recorder import Recorder
from packwire.capture.writers.private import private
from packwire.cli.exit_codes import ExitCode
from packwire.cli.live_output import BackgroundFile, LiveText, lost_record
from packwire.cli.running import run_until_stopped
from packwire.cli.terminal import Writer, make_console, printable
from packwire.cli.views.tap import TapRecords, TapView, lost_lines
from packwire.errors import BadFileError, BadOptionError, GoneError, not_written
from packwire.tap.ends import UpstreamEnd
from packwire.tap.server import Tap
from packwire.tap.watcher import Watcher

#: `--record -`.
STDOUT = "-"
#: So much of a recording waits for a slow disk, or for a program that reads it; then the recording ends.
_RECORD_LIMIT = 64 << 20
_TICK = 0.2
#: Seconds that a slow disk has at the end for what waits.
_LAST_SECONDS = 5.0


def run_tap(
    far: UpstreamEnd,
    listen: tuple[str, int | None],
    record: Path | None,
    *,
    keep_secrets: bool,
    json: bool,
    seconds: float | None,
    note: str = "",
) -> int:
    """Run it; return the exit code. `note` is said at the begin."""
    with ExitStack() as stack:
        aside = json or str(record) == STDOUT
        text = LiveText(sys.stderr if aside else sys.stdout, lost_lines)
        stack.callback(text.close)
        say = Writer(make_console(file=cast("IO[str]", text)))
        outs = [text]
        watcher: Watcher = TapView(say, keep_secrets=keep_secrets)
        if json:
            lines = LiveText(sys.stdout, lost_record)
            stack.callback(lines.close)
            outs.append(lines)
            watcher = TapRecords(lines, keep_secrets=keep_secrets)
        recording = None
        if record is not None:
            recording = stack.enter_context(Recording(record, far.name, keep_secrets=keep_secrets))
        if note:
            say.line(note)
        code = run_until_stopped(_run(far, watcher, listen, recording, say, outs, seconds))
        if recording is not None:
            recording.account(say)
        for out in outs:
            out.close()
            if out.failed and not isinstance(out.failed, BrokenPipeError):
                raise _unwritten(out.failed)
        return code


def _unwritten(error: OSError) -> BadFileError:
    return BadFileError(f"the output cannot be written: {error.strerror or error}")


async def _run(
    far: UpstreamEnd,
    watcher: Watcher,
    listen: tuple[str, int | None],
    recording: "Recording | None",
    say: Writer,
    outs: list[LiveText],
    seconds: float | None,
) -> int:
    recorder = recording.recorder if recording else None
    async with Tap(far, watcher, host=listen[0], port=listen[1], recorder=recorder) as running:
        say.line(
            ("Connect to ", "bold"), (running.where, "bold"), f" instead: all passes to {far.name} unchanged."
        )
        if recorder is not None:
            what = (
                "everything, PASSWORDS AND KEYS TOO: do not share the file"
                if recorder.keep_secrets
                else "without passwords and keys (--keep-secrets records them)"
            )
            say.line(f"Recording {what}.", " Ctrl-C ends it.")
        minding = asyncio.ensure_future(_mind(recording, say, outs))
        try:
            async with asyncio.timeout(seconds):
                done, _ = await asyncio.wait({running.over, minding}, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                await each
            raise GoneError(f"{far.name} has gone: is it still plugged in?")
        except TimeoutError:
            return ExitCode.OK
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _unwritten(error) from error
        finally:
            minding.cancel()


async def _mind(recording: "Recording | None", say: Writer, outs: list[LiveText]) -> None:
    """Say at once that a recording has ended; raise the error of an output that nobody takes any more."""
    told = False
    while True:
        for out in outs:
            if out.failed:
                raise out.failed
        if recording and not told and (recording.failed or recording.moved):
            told = True
            say.line((f"{recording.trouble}; all still passes", "bold red"))
        await asyncio.sleep(_TICK)


class Recording:
    """The file of a recording; one that holds nothing is removed again, for it would only be in the way."""

    def __init__(self, path: Path, upstream: str, *, keep_secrets: bool) -> None:
        self._path = path
        self._to_stdout = str(path) == STDOUT
        self.name = "standard output" if self._to_stdout else printable(str(path))
        self._descriptor = os.dup(sys.stdout.fileno()) if self._to_stdout else _new(path)
        self._file = BackgroundFile(self._descriptor, _RECORD_LIMIT)
        self._status = os.fstat(self._descriptor)
        self._complete = False
        self.recorder = Recorder(self, name=f"packwire tap to {upstream}", keep_secrets=keep_secrets)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._end() and self.recorder.packets == 0 and not self._to_stdout and not self.moved:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def write(self, data: memoryview) -> int:
        """Take bytes for the file; raise OSError where it cannot be written, or not fast enough."""
        if self._file.failed:
            raise self._file.failed
        if not self._file.put(bytes(data)):
            raise OSError(f"it took none of {_RECORD_LIMIT >> 20} MiB, which is as much as is kept for it")
        return len(data)

    def flush(self) -> None:
        """Do nothing: what is written is on its way."""

    @property
    def moved(self) -> str:
        """Say what became of the file where its name does not lead to it any more, or nothing."""
        if self._to_stdout:
            return ""
        if self._descriptor >= 0:
            self._status = os.fstat(self._descriptor)
        try:
            if os.path.samestat(self._path.stat(), self._status):
                return ""
        except OSError:
            pass  # there is nothing
        if self._status.st_nlink == 0:
            return "it was removed while it was written"
        return "it is not there any more: it was moved, or another was put in its place"

    @property
    def failed(self) -> OSError | None:
        """Return the error that ended it."""
        return self.recorder.failed or self._file.failed

    @property
    def trouble(self) -> str:
        """Say why the recording ended."""
        error = self.failed
        if error is None and self.moved:
            return f"{self.name}: {self.moved}"
        why = "nothing takes the rest" if error is None else error.strerror or str(error)
        return f"{self.name}: the recording ends early ({why})"

    def account(self, say: Writer) -> None:
        """Say what was recorded and what was masked; raise BadFileError where it is not complete."""
        whole = self._end()
        recorder = self.recorder
        if self.failed is not None or not whole:
            raise BadFileError(f"{self.trouble}; what passed later was not recorded")
        if self.moved:
            raise BadFileError(self.trouble)
        if recorder.packets == 0 and not self._to_stdout:
            say.line(f"Nothing passed: there is no {self.name}")
            return
        counts = f"{recorder.packets} packets of {recorder.connections} connection"
        say.line((self.name, "bold"), f": pcapng, {counts}{'' if recorder.connections == 1 else 's'}")
        masked = ", ".join(f"{what} ({count})" for what, count in recorder.counts.items() if count)
        if masked:
            say.line(f"  masked: {masked}")

    def _end(self) -> bool:
        """Write what waits and close; tell whether all was written."""
        if self._descriptor >= 0 and (self._file.close(most=_LAST_SECONDS) or self._file.failed):
            self._status = os.fstat(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
            self._complete = self._file.failed is None
        return self._complete


def _new(path: Path) -> int:
    """Create a file that is not there yet."""
    try:
        return private(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0))
    except FileExistsError:
        raise BadOptionError(f"{path} exists already: give another name, or remove it first") from None
    except OSError as error:
        raise not_written(path, error) from error
