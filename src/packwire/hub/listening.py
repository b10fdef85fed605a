"""The hub's ports: plain TCP, and TLS."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable

from packwire.errors import BadFileError, BadOptionError
from packwire.hub.credentials import check_file
from packwire.hub.settings import TlsSettings

BACKLOG = 1024
#: asyncio accepts so many connections at a time before it shows one. They are open files already, beyond the
#: limit that the hub keeps: with as many as wait in the backlog there would be none left.
ACCEPTED_AT_ONCE = 8


async def listen(
    factory: Callable[[], asyncio.BaseProtocol], host: str, port: int, option: str
) -> asyncio.Server:
    """Listen on a TCP port. Raises BadOptionError that names the option to change."""
    try:
        server = await asyncio.get_running_loop().create_server(factory, host, port, backlog=ACCEPTED_AT_ONCE)
    except OSError as error:
        raise cannot_listen(host, port, option, error) from None
    for listening in server.sockets:
        with socket.socket(fileno=os.dup(listening.fileno())) as same:
            same.listen(BACKLOG)
    return server


def cannot_listen(host: str, port: int, option: str, error: OSError) -> BadOptionError:
    """Say why a port cannot be listened on, and which option to change."""
    known = error.errno is not None and error.errno > 0
    # asyncio's own words are long; a name that is not known has no number of the system.
    reason = os.strerror(error.errno or 0).lower() if known else error.strerror or str(error)
    return BadOptionError(
        f"cannot listen on {host} port {port}: {reason}; name another with {option} (0: any free one)"
    )


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """Return a server's TLS settings with certificate and key. Raises BadFileError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        for path in (settings.certificate, settings.key):
            if path is not None:
                check_file(path)  # a pipe would hold up the whole hub
        context.load_cert_chain(settings.certificate, settings.key, password=_no_passphrase)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; a path with a NUL is no value
        named = settings.certificate if settings.key is None else f"{settings.certificate} and {settings.key}"
        reason = (
            "it is no PEM certificate with its key"
            if isinstance(error, ssl.SSLError)
            else (isinstance(error, OSError) and error.strerror) or str(error)
        )
        raise BadFileError(f"the TLS certificate {named} cannot be used: {reason}") from None
    return context


def _no_passphrase() -> str:
    """Stand in for OpenSSL's question on the terminal: a key with a passphrase is refused."""
    return ""
