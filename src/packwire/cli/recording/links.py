"""A live connection on its way into a file: btsnoop for Bluetooth, pcapng for streams; without secrets."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from io import FileIO
from pathlib import Path
from typing import override

from packwire.address import VESC, Address, LinkKind
from packwire.capture.can_recorder import CanRecorder
from packwire.capture.gatt_recorder import GattRecorder
from packwire.capture.open import open_capture
from packwire.capture.recorder import Endpoint, RecordedConnection, Recorder
from packwire.capture.redact import without_secrets
from packwire.capture.sink import SinkRecorder
from packwire.capture.writers import PACKET_FORMATS
from packwire.capture.writers.private import private
from packwire.cli.output import require_free
from packwire.device.open import Observers
from packwire.errors import BadFileError, BadOptionError, not_written

#: Seconds; what is held to be masked is written at least so often.
_TICK = 0.3
#: Of documentation [RFC 5737]: a stream is recorded, not who dialled whom.
_HERE, _THERE = Endpoint("192.0.2.1", 50_000), Endpoint("192.0.2.2", 65_102)


class LinkRecording(ABC):
    """A file that is being made.

    Where secrets are known only when all is there, what comes is kept in a part beside the file, readable by
    its owner alone, and written without them at the end.
    """

    def __init__(self, out: Path, kind: str, *, in_part: bool) -> None:
        self._out = out
        self._kind = kind
        self._part = out.with_name(f".{out.name}.part") if in_part else out
        self._file = _opened(self._part)
        self._finished = False

    unit = "packets"
    _recorder: SinkRecorder

    @property
    @abstractmethod
    def values(self) -> int:
        """Return how much was written, in its unit."""

    @property
    def amount(self) -> str:
        """Return how much was written: `29 packets`."""
        return f"{self.values} {self.unit}" if self.values else "nothing passed, and no file is kept"

    @property
    def failed(self) -> OSError | None:
        """Return what ended it too early (a full disk)."""
        return self._recorder.failed

    @abstractmethod
    def observers(self) -> Observers:
        """Return who watches the next connection."""

    def tick(self) -> None:  # noqa: B027 - not all hold something
        """Write what was held for long."""

    def end(self) -> None:  # noqa: B027 - not all hold something
        """Write the rest of what is held."""

    def finish(self) -> None:
        """Write the whole file, none where nothing passed; may be called again. Raises BadFileError."""
        if self._finished:
            return
        self._finished = True
        self.end()
        self._file.close()
        if not self.values and self.failed is None:
            self._part.unlink(missing_ok=True)
            return
        try:
            if self._part != self._out:
                self._write_masked()
        except OSError as error:
            raise BadFileError(
                f"{self._out}: cannot be written ({error.strerror or error}); the recording, with its "
                f"secrets, is {self._part}"
            ) from error
        if self.failed is not None:
            why = self.failed.strerror or self.failed
            raise BadFileError(f"{self._out}: cannot be written to its end ({why})") from self.failed

    def _write_masked(self) -> None:
        capture = without_secrets(open_capture(self._part))
        with open(self._out, "wb", opener=private) as file:
            PACKET_FORMATS[self._kind](capture.packets, file)
        self._part.unlink()


class _OfBluetooth(LinkRecording):
    unit = "values"
    _recorder: GattRecorder

    def __init__(self, address: Address, out: Path, *, keep_secrets: bool) -> None:
        super().__init__(out, "btsnoop", in_part=not keep_secrets)
        pin = "" if keep_secrets else address.pin or ""
        self._recorder = GattRecorder(self._file, secret=pin)

    @property
    @override
    def values(self) -> int:
        return self._recorder.values

    @override
    def observers(self) -> Observers:
        return Observers(gatt=(self._recorder,))


class _OfStream(LinkRecording):
    """What is a secret in VESC's protocol is known, and masked, as it passes."""

    _recorder: Recorder

    def __init__(self, address: Address, out: Path, *, keep_secrets: bool) -> None:
        of_vesc = address.model == VESC
        super().__init__(out, "pcapng", in_part=not (keep_secrets or of_vesc))
        self._recorder = Recorder(
            self._file,
            name=f"packwire record model={address.model}",
            keep_secrets=keep_secrets or not of_vesc,
        )
        self._connection: RecordedConnection | None = None

    @property
    @override
    def values(self) -> int:
        return self._recorder.packets

    @override
    def observers(self) -> Observers:
        self._hang_up()
        self._connection = self._recorder.connection(_HERE, _THERE)
        return Observers(stream=(self._connection.observe,))

    @override
    def tick(self) -> None:
        self._recorder.tick()

    @override
    def end(self) -> None:
        self._hang_up()
        self._recorder.close()

    def _hang_up(self) -> None:
        """End the connection; a link that was never opened, or on which nothing passed, is none."""
        if self._connection is not None and self._connection.begun:
            self._connection.end(0)
            self._connection.end(1)


class _OfCan(LinkRecording):
    """Frames of a CAN bus, as Linux records them; nothing in them is a secret that anybody knows of."""

    unit = "frames"
    _recorder: CanRecorder

    def __init__(self, address: Address, out: Path, *, keep_secrets: bool) -> None:  # noqa: ARG002
        super().__init__(out, "pcapng", in_part=False)
        self._recorder = CanRecorder(self._file, f"packwire record model={address.model}")

    @property
    @override
    def values(self) -> int:
        return self._recorder.frames

    @override
    def observers(self) -> Observers:
        return Observers(stream=(self._recorder.observe,))


@contextlib.asynccontextmanager
async def recording(made: LinkRecording) -> AsyncIterator[LinkRecording]:
    """Write what is held in time, and the whole file at the end."""
    ticking = asyncio.create_task(_tick(made))
    try:
        yield made
    finally:
        ticking.cancel()
        made.finish()


def begin(address: Address, out: Path, *, keep_secrets: bool, force: bool) -> LinkRecording:
    """Begin a file for what passes on an address. Raises BadOptionError, BadFileError."""
    of_bluetooth = address.link is LinkKind.BLE
    suffix = ".btsnoop" if of_bluetooth else ".pcapng"
    if out.suffix.lower() != suffix:
        kind = "Bluetooth" if of_bluetooth else "such a connection"
        raise BadOptionError(f"--out {out}: a recording of {kind} is named with {suffix} at its end")
    require_free(out, force=force)
    if address.link is LinkKind.CAN:
        return _OfCan(address, out, keep_secrets=keep_secrets)
    return (_OfBluetooth if of_bluetooth else _OfStream)(address, out, keep_secrets=keep_secrets)


async def _tick(made: LinkRecording) -> None:
    while True:
        await asyncio.sleep(_TICK)
        made.tick()


def _opened(path: Path) -> FileIO:
    try:
        return open(path, "wb", buffering=0, opener=private)
    except OSError as error:
        raise not_written(path, error) from error
