"""A shared device's connection: opened, watched for silence, and explained when it ends."""

import asyncio
import contextlib

from packwire.errors import GoneError, NoAnswerError, NotAVescError, PackwireError, Reason
from packwire.link.base import Link
from packwire.share.device import STUCK, UNSENT, SharedDevice
from packwire.vesc.replies import FW_VERSION, FwVersion

#: Seconds within which a device has to say who it is, after it took the connection.
FIRST_ANSWER = 4.0
#: A device that answers nothing for so many seconds is asked who it is.
DOUBTFUL = 10.0
#: One that has not answered that either is dialled anew.
SILENT = 20.0
_GLANCE = 1.0


class Upstream:
    """One connection to the device, from dialling to its end. A new connection is a new Upstream."""

    def __init__(self, link: Link, device: SharedDevice) -> None:
        self.link = link
        self._device = device
        self._begun = False
        self._received = 0
        self._heard = asyncio.Event()
        self._closed = asyncio.Event()
        self._error: Exception | None = None
        self._full_since: float | None = None

    async def open(self) -> FwVersion:
        """Connect and hear who the device is.

        Raises UnreachableError, RefusedError, NotAVescError or NoAnswerError; the link is closed then.
        """
        try:
            return await self._begin()
        except BaseException:
            await self.close()
            raise

    async def _begin(self) -> FwVersion:
        await self.link.open(self)
        self._begun = True
        with contextlib.suppress(NotImplementedError):  # not every serial port's transport has limits
            self.link.limit_unsent(UNSENT, self._on_full)
        self._device.device_connected(self.link.write, shared=self.link.shared)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_ANSWER):
                await self._heard.wait()
        if not self._device.fw_version:
            raise await self._explain_no_start()
        return FW_VERSION.decode(self._device.fw_version).reply

    async def until_gone(self) -> PackwireError:
        """Wait until the connection has ended, or end it where the device fell silent; say why."""
        while not self._closed.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GLANCE):
                    await self._closed.wait()
            if not self._closed.is_set() and (trouble := self._trouble()):
                await self.close()
                return GoneError(f"{self.link.name} {trouble}; is it wedged?", reason=Reason.FELL_SILENT)
        await self.close()
        return await self.link.explain_close(answered=True, error=self._error)

    def _trouble(self) -> str:
        """Say what a device does not do that is connected, and doubt one that is silent."""
        if self._full_since is not None:
            stuck = asyncio.get_running_loop().time() - self._full_since
            if stuck > STUCK:
                return f"has taken nothing for {stuck:.0f} s"
        silent = self._device.silent
        if silent > (SILENT if self._device.probed else 2 * SILENT):
            return f"has answered nothing for {silent:.0f} s"
        if silent > DOUBTFUL:
            self._device.probe()
        return ""

    def _on_full(self, full: bool) -> None:
        self._full_since = asyncio.get_running_loop().time() if full else None
        if self._begun:
            self._device.device_full(full)

    async def close(self) -> None:
        """Close it."""
        if self._begun:
            self._begun = False
            self._device.device_gone()
        await self.link.close()

    async def _explain_no_start(self) -> PackwireError:
        if self._received:
            return NotAVescError(
                f"{self.link.name} is no VESC: it sent {self._received} bytes and no answer to FW_VERSION; "
                "check host, port and (serial) baud rate"
            )
        if self._closed.is_set():
            return await self.link.explain_close(answered=False, error=self._error)
        return await self.link.explain_silence() or NoAnswerError(
            f"{self.link.name} took the connection, but nothing comes back within {FIRST_ANSWER:g} s. A VESC "
            "Express serves one client at a time and leaves the next in silence: close VESC Tool and other "
            "clients, and let them connect here. If there are none, it is no VESC's port"
        )

    def data_received(self, data: bytes) -> None:
        """Take bytes from the link."""
        if self._begun:
            self._received += len(data)
            self._device.device_received(data)
            if self._device.fw_version:
                self._heard.set()

    def link_closed(self, error: Exception | None) -> None:
        """Learn from the link that nothing more will come."""
        self._error = error
        self._closed.set()
        self._heard.set()
