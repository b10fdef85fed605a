"""`packwire hub`: a VESC hub of one's own; `packwire hub password`: who may log in there."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, override

from cyclopts import App, Parameter

from packwire.cli import streams
from packwire.cli.commands.hub_password import password
from packwire.cli.exit_codes import ExitCode
from packwire.cli.limits import positive_or_none
from packwire.cli.options import AllowOption, ForOption, ListenOption, words
from packwire.errors import BadOptionError, PackwireError, missing_extra

if TYPE_CHECKING:
    from packwire.hub.server import Hub
    from packwire.hub.settings import HubSettings

app = App(name="hub", help="Run a VESC hub: devices and VESC Tool connect to it as to the public one.")
app.command(password)

_Flag = Parameter(negative=())


@app.default
def hub(
    *,
    listen: ListenOption = None,
    tls_port: int | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    credentials: Path | None = None,
    open_: Annotated[bool, Parameter(name="--open", negative=())] = False,
    allow: AllowOption = (),
    max_age: float | None = None,
    http_port: int | None = None,
    config: Path | None = None,
    log_json: Annotated[bool, _Flag] = False,
    for_: ForOption = None,
) -> int:
    """Run a VESC hub: devices and VESC Tool connect to it as to the public one. Ctrl-C ends it.

    Several clients may use a device at once. They may read; anything else needs --allow. SIGHUP reads the
    configuration and the credentials again.

    Parameters
    ----------
    listen
        PORT, HOST or HOST:PORT to listen on; 0.0.0.0:65101 by itself.
    tls_port
        Listen with TLS too, on this port.
    certificate
        The TLS certificate with its chain, PEM.
    key
        The TLS certificate's private key, PEM, where it is in a file of its own.
    credentials
        Who may log in: ids with hashed passwords; `packwire hub password ID` writes it.
    open_
        Let whoever comes first with an id set its password (kept in the credentials file, if there is one).
    max_age
        Give a reading that is so many seconds old at most to whoever asks the same.
    http_port
        Serve /metrics and /healthz on this port of 127.0.0.1.
    config
        A TOML file with these and more settings; what is said here counts more.
    log_json
        Log one JSON object a line.
    """
    seconds = positive_or_none("--for", for_)
    said = {
        **_place(listen),
        "credentials": credentials,
        "allow": ",".join(words(allow)) or None,
        "max_age": max_age,
        "http_port": http_port,
        "open": open_ or None,
    }
    if tls_port is not None or certificate is not None or key is not None:
        if tls_port is None or certificate is None:
            raise BadOptionError("TLS needs both --tls-port and --certificate (and --key)")
        said["tls"] = {"port": tls_port, "certificate": certificate, "key": key}
    options = {name: value for name, value in said.items() if value is not None}

    def read() -> "HubSettings":
        from packwire.hub.settings import read_settings  # noqa: PLC0415 - pydantic

        return read_settings(config, options)

    settings = read()
    with _logging(as_json=log_json) as failed:
        code = _run_on_the_fastest_loop(lambda: _serve(settings, read, seconds))
    return ExitCode.BAD_FILE if failed else code


def _place(listen: str | None) -> dict[str, Any]:
    """Read PORT, HOST or HOST:PORT."""
    if listen is None:
        return {}
    if listen.isascii() and listen.isdecimal():
        return {"port": int(listen)}
    from packwire.address import LinkKind, parse_address  # noqa: PLC0415

    if listen.endswith(":0"):  # any free port, which is no address to connect to
        return _place(listen[:-2]) | {"port": 0}
    address = parse_address(f"veschub://ANYBODY@{listen}")
    assert address.link is LinkKind.HUB
    return {"host": address.host, "port": address.port}


@contextlib.contextmanager
def _logging(*, as_json: bool) -> Iterator[list[OSError]]:
    """Log to standard output; where that is full or closed, say so once and go on: yields that error."""
    from packwire.hub.events import JsonFormat, LogHandler, TextFormatter, log  # noqa: PLC0415

    failed: list[OSError] = []

    class Handler(LogHandler):
        @override
        def handleError(self, record: logging.LogRecord) -> None:
            error = sys.exception()
            if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
                failed.append(error)
                streams.drop_output()
                streams.tell(f"the output cannot be written: {error.strerror}")
            else:
                super().handleError(record)

    handler = Handler(sys.stdout)
    handler.setFormatter(JsonFormat() if as_json else TextFormatter())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield failed
    finally:
        log.removeHandler(handler)


def _run_on_the_fastest_loop(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    try:
        import uvloop  # noqa: PLC0415 - an extra
    except ImportError:
        return asyncio.run(work())
    return uvloop.run(work())


async def _serve(settings: "HubSettings", read: Callable[[], "HubSettings"], seconds: float | None) -> int:
    from packwire.hub.server import Hub  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(Hub(settings))
        if settings.http_port is not None:
            port = await stack.enter_async_context(_http_server(hub, settings.http_port))
            hub.events.say("metrics and health", url=f"http://127.0.0.1:{port}/metrics")
        loop.set_exception_handler(lambda _, context: hub.events.internal_error(context))
        wanted = asyncio.Event()
        reloading = asyncio.ensure_future(_keep_reloading(hub, read, wanted))
        stack.callback(reloading.cancel)
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            loop.add_signal_handler(signal.SIGINT, stopped.set)
            loop.add_signal_handler(signal.SIGTERM, stopped.set)
            loop.add_signal_handler(signal.SIGHUP, wanted.set)
        # Whoever waits for this line may send a signal at once.
        hub.events.say("ready", loop=type(loop).__module__)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stopped.wait()
    return ExitCode.OK


async def _keep_reloading(hub: "Hub", read: Callable[[], "HubSettings"], wanted: asyncio.Event) -> None:
    """Reload when it is wanted, one at a time; however often it is wanted meanwhile, once more will do."""
    while True:
        await wanted.wait()
        wanted.clear()
        await _reload(hub, read)


async def _reload(hub: "Hub", read: Callable[[], "HubSettings"]) -> None:
    """Take new settings; whatever is wrong with them leaves all as it was, and is said."""
    try:
        await hub.reload(read())
    except Exception as error:  # noqa: BLE001 - else no later signal would be heard, and no password revoked
        hub.counters.failed_reloads += 1
        # The text of an error that is not ours might repeat a secret of the file.
        reason = str(error) if isinstance(error, PackwireError) else f"a mistake here: {type(error).__name__}"
        hub.events.say("not reloaded", level=logging.ERROR, reason=reason)


def _http_server(hub: "Hub", port: int) -> Any:
    try:
        from packwire.hub.http import http_server  # noqa: PLC0415
    except ImportError:
        raise missing_extra("hub", "--http-port") from None
    return http_server(hub, port)
