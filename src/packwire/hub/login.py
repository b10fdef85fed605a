"""A connection's first line: bounded in size and time, read, and judged; then a relay takes over.

Bytes that follow the line at once are not lost, as they are at the known hub.
"""

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any, Protocol, cast, override

from packwire.address import place
from packwire.hub.authentication import Refusal
from packwire.hub.back_off import network_of
from packwire.hub.openings import why_no_login, why_no_tls
from packwire.vesc.hublogin import MAX_LINE, Login, parse_login

#: What may come behind a login before it is judged; then nothing more is read until it is.
MOST_EARLY = 8 * 1024
#: What somebody may go on to say after it was refused, before it is cut off.
MOST_IGNORED = 64 * 1024


class Reception(Protocol):
    """What a login needs of the hub."""

    def admit(self, connection: "LoginProtocol") -> bool:
        """Let a new connection in, or say why not (in the log) and refuse it."""

    def begin(self, connection: "LoginProtocol", login: Login) -> Coroutine[Any, Any, None]:
        """Judge the login; end it with `take_over` or `refuse`."""

    def login_refused(self, connection: "LoginProtocol", login: Login | None, refusal: Refusal) -> None:
        """Say why (in the log)."""

    def login_ended(self, connection: "LoginProtocol") -> None:
        """Count that it has logged in, or left without."""

    def left(self, network: str) -> None:
        """Count that the connection has ended."""


class LoginProtocol(asyncio.Protocol):
    """One connection until it has logged in, or was refused."""

    transport: asyncio.Transport

    def __init__(self, hub: Reception, login_seconds: float, refusal_seconds: float) -> None:
        self.name = "somebody"
        self.network = "somewhere"
        self.admitted = False
        self._hub = hub
        self._login_seconds = login_seconds
        self._refusal_seconds = refusal_seconds
        self._line = bytearray()
        self.ended = False
        """Whether the log has said why it ends."""
        self._ignored: int | None = None
        """Bytes that came after the refusal; None before one."""
        self._rest = bytearray()
        """What followed the line."""
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's own is not derived from it
        self.transport = transport
        self.name, self.network = peer_of(transport)
        self.admitted = self._hub.admit(self)
        if self.admitted:
            self.begin_login()

    def begin_login(self) -> None:
        """Wait for the line, not for ever."""
        self._timer = asyncio.get_running_loop().call_later(self._login_seconds, self._too_late)

    @override
    def data_received(self, data: bytes) -> None:
        if self._ignored is not None:
            self._ignored += len(data)
            if self._ignored > MOST_IGNORED:
                self.transport.abort()
            return
        if self._task is not None:
            self._wait_with(data)
            return
        line, newline, rest = data.partition(b"\n")
        if len(self._line) + len(line) > MAX_LINE:
            self.refuse(None, Refusal("no-login", f"a first line of more than {MAX_LINE} bytes"))
            return
        self._line += line
        if not newline:
            return
        login = parse_login(bytes(self._line))
        if login is None:
            self.refuse(None, Refusal("no-login", why_no_login(bytes(self._line))))
            return
        self._line.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._wait_with(rest)
        self._task = asyncio.ensure_future(self._hub.begin(self, login))
        self._task.add_done_callback(self._judged)

    def _wait_with(self, data: bytes) -> None:
        """Keep what came too early. Reading goes on, for only who reads learns that the other end is gone."""
        self._rest += data
        if len(self._rest) > MOST_EARLY:
            self.transport.pause_reading()

    @override
    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.admitted and not self.ended:
            self._hub.login_refused(self, None, Refusal("left", self._why_lost(error)))
        if self._task is not None:
            self._task.cancel()
        self._gone()

    def take_over(self, relay: asyncio.BaseProtocol) -> bytes:
        """Hand the transport to a relay, which counts the connection's end from now on.

        Returns what the other end sent behind its login.
        """
        self._task = None
        self.admitted = False
        self._hub.login_ended(self)
        self.transport.pause_reading()  # the relay says when to go on
        self.transport.set_protocol(relay)
        return bytes(self._rest)

    def refuse(self, login: Login | None, refusal: Refusal) -> None:
        """Say why in the log, and close a moment later."""
        self.ended = True
        self._hub.login_refused(self, login, refusal)
        self.close_later()

    def close_later(self) -> None:
        """Close after the time that slows down what dials again at once; ignore what still comes."""
        self._ignored = 0
        self._line.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self.transport.is_closing():
            return
        self.transport.resume_reading()
        self._timer = asyncio.get_running_loop().call_later(self._refusal_seconds, self.transport.close)

    def _gone(self) -> None:
        if self.admitted:
            self.admitted = False
            self._hub.login_ended(self)
            self._hub.left(self.network)

    def _judged(self, task: asyncio.Task[None]) -> None:
        """Leave nobody hanging where the judging itself failed."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.transport.abort()
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a login failed", "exception": error}
            )

    def _too_late(self) -> None:
        self.ended = True
        problem = f"no login within {self._login_seconds:g} s ({self._came})"
        self._hub.login_refused(self, None, Refusal("no-login", problem))
        self.transport.close()

    @property
    def _came(self) -> str:
        return f"after {len(self._line)} bytes" if self._line else "not a byte came"

    def _why_lost(self, error: Exception | None) -> str:
        if isinstance(error, ssl.SSLError):
            return f"it broke TLS off: {why_no_tls(error)}"
        if self._task is not None:
            return "it closed while its password was checked"
        return f"it closed before any login ({self._came})"


def peer_of(transport: asyncio.BaseTransport) -> tuple[str, str]:
    """Return the other end's `address:port`, and what counts as one address (see `network_of`)."""
    peer = transport.get_extra_info("peername")
    if not peer:
        return "somebody", "somewhere"
    host, port = peer[0], peer[1]
    return place(host, port), network_of(host)
