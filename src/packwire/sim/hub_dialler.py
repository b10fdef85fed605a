"""The simulated device's connection to a TCP hub: dials, logs in, and dials again after every close.

A device redials 10 ms after a close, without any back-off [vesc_express main/comm_wifi.c].
"""

import asyncio
import logging
from typing import override

from packwire.errors import BadOptionError
from packwire.sim.local_port import MAX_UNREAD
from packwire.sim.port import Port
from packwire.vesc.hublogin import Login, Role, id_problem, password_problem

log = logging.getLogger("packwire.sim")

REDIAL = 0.01
SAY_AGAIN = 10.0
"""Seconds until the log repeats the same line."""


def device_login(device_id: str, password: str) -> Login:
    """Return a device's login; raise BadOptionError where it could never work."""
    problem = id_problem(device_id) or password_problem(password)
    if problem:
        raise BadOptionError(problem)
    return Login(Role.DEVICE, device_id, password)


class HubDialler:
    """Keeps the device logged in at a hub. `connected` is set while it is."""

    def __init__(self, device_port: Port, host: str, port: int, login: Login) -> None:
        self.connected = asyncio.Event()
        self._device_port = device_port
        self._host = host
        self._port = port
        self._login = login
        self._said: dict[str, float] = {}

    async def run(self) -> None:
        """Dial for ever; cancel it to stop."""
        while True:
            await self._serve_once()
            await asyncio.sleep(REDIAL)

    async def _serve_once(self) -> None:
        loop = asyncio.get_running_loop()
        place = f"hub {self._host}:{self._port}"
        try:
            transport, connection = await loop.create_connection(
                lambda: _HubConnection(self._device_port), self._host, self._port
            )
        except OSError as error:
            self._say_once(f"{place} cannot be reached ({error.strerror or error}); dialling again")
            return
        try:
            transport.write(self._login.line())
            self.connected.set()
            self._say_once(f"{place}: logged in")
            await connection.gone.wait()
            self._say_once(f"{place} closed the connection; dialling again")
        finally:
            self.connected.clear()
            transport.abort()
            await connection.gone.wait()

    def _say_once(self, text: str) -> None:
        """Log what was not logged just now: a hub that closes at once is dialled a hundred times a second."""
        now = asyncio.get_running_loop().time()
        if now - self._said.get(text, -SAY_AGAIN) >= SAY_AGAIN:
            log.info("%s", text)
            self._said[text] = now


class _HubConnection(asyncio.Protocol):
    """The bytes of one connection to the hub: the clients' requests, without a word on who sent them."""

    def __init__(self, port: Port) -> None:
        self.gone = asyncio.Event()
        self._port = port
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port.attach(self._write, transport.close)

    @override
    def data_received(self, data: bytes) -> None:
        self._port.received(data)

    @override
    def connection_lost(self, error: Exception | None) -> None:
        self._port.detach()
        self.gone.set()

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if not transport.is_closing() and transport.get_write_buffer_size() < MAX_UNREAD:
            transport.write(data)
