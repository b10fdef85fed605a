"""What the operating system is asked for: lost peers found out, and enough open files for all connections."""

import contextlib
import socket
import sys

#: Probes that may stay unanswered before the peer is taken for gone.
PROBES = 3
#: Files that are open besides the connections.
OTHER_FILES = 64


def watch_for_loss(connection: socket.socket, seconds: float) -> None:
    """Let the kernel end a connection whose peer went without a word, `seconds` after its last sign.

    A quiet peer is probed (keep-alive); one that does not acknowledge what was sent is given up as soon
    (TCP_USER_TIMEOUT, Linux). Nothing is sent to the device itself.
    """
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    idle = max(1, round(seconds / 2))
    interval = max(1, round(seconds / 2 / PROBES))
    for name, value in (
        ("TCP_KEEPIDLE", idle),
        ("TCP_KEEPINTVL", interval),
        ("TCP_KEEPCNT", PROBES),
        ("TCP_USER_TIMEOUT", round(seconds * 1000)),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            options.append((socket.IPPROTO_TCP, option, value))
    for level, option, value in options:
        with contextlib.suppress(OSError):  # the peer may be gone already
            connection.setsockopt(level, option, value)


def allow_many_files() -> int | None:
    """Raise the limit of open files as far as it goes; return how many connections that allows.

    None: there is no such limit here.
    """
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # macOS has another, lower limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return None if soft == resource.RLIM_INFINITY else max(1, soft - OTHER_FILES)
