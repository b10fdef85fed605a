"""A connection on the TLS port: counted from its first moment, its handshake bounded in time, then a login.

A port that listens with TLS by itself shows a connection only when its handshake has ended, and says nothing
of those that failed. So TLS is put on a connection that was let in already; not by `loop.start_tls`, which
with uvloop misses what the other end sends before it gets round to reading.
"""

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from typing import cast, override

from packwire.hub.authentication import Refusal
from packwire.hub.login import LoginProtocol, Reception
from packwire.hub.openings import why_no_tls

#: How long a TLS connection may take to say goodbye.
SHUTDOWN_SECONDS = 1.0
#: Handshakes under way at most, of all addresses; then the oldest makes room. Each takes 60 KiB.
MOST_HANDSHAKES = 500


class _Tls(SSLProtocol):
    #: Bytes read at once, for which each connection holds a buffer all its life: asyncio's own is 256 KiB.
    max_size = 8 * 1024


class TlsLoginProtocol(LoginProtocol):
    """One connection on the TLS port until it has logged in, or was refused."""

    def __init__(
        self,
        hub: Reception,
        login_seconds: float,
        refusal_seconds: float,
        context: ssl.SSLContext,
        handshakes: "dict[TlsLoginProtocol, None]",
    ) -> None:
        super().__init__(hub, login_seconds, refusal_seconds)
        self._handshakes = handshakes
        """Those under way at the hub, the oldest first."""
        self._context = context
        self._tls: SSLProtocol | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._tls is None:
            super().connection_made(transport)
        else:  # the handshake has ended well
            self.transport = cast("asyncio.Transport", transport)
            super().begin_login()

    @override
    def begin_login(self) -> None:
        if len(self._handshakes) >= MOST_HANDSHAKES:
            next(iter(self._handshakes)).make_room()
        self._handshakes[self] = None
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        ended.add_done_callback(self._shook_hands)
        self._tls = _Tls(
            loop,
            self,
            self._context,
            ended,
            server_side=True,
            ssl_handshake_timeout=self._login_seconds,  # type: ignore[arg-type] # typeshed: int; any number will do
            ssl_shutdown_timeout=SHUTDOWN_SECONDS,
        )
        plain = self.transport
        plain.set_protocol(self._tls)
        self._tls.connection_made(plain)

    def make_room(self) -> None:
        """End a handshake that is under way, for others come."""
        self._handshakes.pop(self, None)
        self.ended = True
        reason = f"made room for another: {MOST_HANDSHAKES} TLS handshakes are under way"
        self._hub.login_refused(self, None, Refusal("tls", reason))
        self.transport.abort()
        self._gone()

    def _shook_hands(self, ended: asyncio.Future[None]) -> None:
        """Say why a handshake failed; one that was cut off by the hub has no error."""
        self._handshakes.pop(self, None)
        error = None if ended.cancelled() else ended.exception()
        if error is not None and not self.ended:
            self.ended = True
            self._hub.login_refused(self, None, Refusal("tls", f"no TLS handshake: {why_no_tls(error)}"))
        if error is not None or self.transport.is_closing():
            self.transport.abort()
            self._gone()
