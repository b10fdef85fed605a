"""A client that comes by no socket, served as one that connects."""

import asyncio
from collections.abc import Callable
from typing import override


class ClientLine(asyncio.Transport):
    """One client, for as long as it is examined: `write` sends to it, `over` is told that it is left."""

    def __init__(
        self, protocol: asyncio.Protocol, write: Callable[[bytes], None], over: Callable[[], None]
    ) -> None:
        super().__init__()
        self.protocol = protocol
        self._write = write
        self._over = over
        self._open = True

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._open:
            self._write(bytes(data))

    @override
    def abort(self) -> None:
        if self._open:
            self._open = False
            self._over()
            self.protocol.connection_lost(None)

    @override
    def close(self) -> None:
        self.abort()
