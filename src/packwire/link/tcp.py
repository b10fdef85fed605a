"""TCP: a VESC Express's own port, and the ground that the hub link stands on."""

import asyncio
import errno
import socket
from typing import override

from packwire.address import HUB_PORT
from packwire.errors import NoAnswerError, PackwireError, UnreachableError
from packwire.link.base import StreamLink

CONNECT_TIMEOUT = 5.0


class TcpLink(StreamLink):
    """A plain TCP connection."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self.host = host
        self.port = port
        self.name = place(host, port)

    @override
    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await loop.create_connection(lambda: self, self.host, self.port)
        except (OSError, UnicodeError) as error:  # TimeoutError and socket.gaierror among them
            raise unreachable(self.host, self.port, error) from error
        if self._transport:
            keep_alive(self._transport)

    @override
    async def explain_close(self, *, answered: bool, error: Exception | None) -> PackwireError:
        if self.port == HUB_PORT and not answered:
            return NoAnswerError(f"{self.name} closed the connection. {self._hub_hint()}")
        return await super().explain_close(answered=answered, error=error)

    @override
    async def explain_silence(self) -> PackwireError | None:
        if self.port != HUB_PORT:
            return None
        return NoAnswerError(f"{self.name} took the connection, but nothing comes back. {self._hub_hint()}")

    def _hub_hint(self) -> str:
        return f"That port is a hub's: a device behind it is read with veschub://ID@{self.host}"


def place(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def unreachable(host: str, port: int, error: OSError | UnicodeError) -> UnreachableError:
    """Say in one line why a connection failed and what to look at."""
    where = place(host, port)
    if isinstance(error, socket.gaierror | UnicodeError):
        return UnreachableError(f"the name {host} is not known here; check its spelling, or use the address")
    if isinstance(error, TimeoutError):
        return UnreachableError(
            f"{where} did not take the connection within {CONNECT_TIMEOUT:g} s; "
            "is the device on, and in this network?"
        )
    refused = isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error)
    if refused and error.errno in {None, errno.ECONNREFUSED}:
        return UnreachableError(
            f"{where} refused the connection: something is there, but nothing listens on that port; a VESC "
            "Express listens on 65102 when TCP is enabled in its configuration, a hub on 65101"
        )
    return UnreachableError(f"{where} cannot be reached: {error.strerror or error}")


def not_listening(host: str, port: int, error: OSError) -> UnreachableError:
    """Say in one line why nobody can be listened to there."""
    return UnreachableError(
        f"{place(host, port)} cannot be listened on: {error.strerror or error}; "
        "does something else listen there already?"
    )


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Let the kernel notice a peer that vanished without closing; does nothing where there is no socket."""
    raw = transport.get_extra_info("socket")
    if raw is None:
        return
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
