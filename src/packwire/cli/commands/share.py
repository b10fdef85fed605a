"""`packwire share`: one VESC for many clients at once."""

import asyncio
import contextlib
import ipaddress
import socket
from pathlib import Path

from packwire.address import of_a_vesc, parse_address
from packwire.cli.devices import DeviceOptions, target
from packwire.cli.exit_codes import ExitCode
from packwire.cli.limits import positive_or_none
from packwire.cli.options import (
    AllowOption,
    ForOption,
    JsonOption,
    ListenOption,
    VescAddressArgument,
    listen_place,
    words,
)
from packwire.cli.running import run_until_stopped
from packwire.cli.views.share import SUMMARY_INTERVAL, ShareView, make_view
from packwire.device import open_link
from packwire.errors import BadAddressError, BadFileError, BadOptionError
from packwire.share.permissions import Policy, parse_policy
from packwire.share.server import Share

LOOPBACK = "127.0.0.1"
#: Seconds within which an output that nobody takes any more ends the command.
TICK = 0.2
LONGEST_AGE = 10.0


def share(
    address: VescAddressArgument,
    /,
    *,
    listen: ListenOption = f"{LOOPBACK}:65102",
    allow: AllowOption = (),
    announce: bool = False,
    max_age: float = 0.1,
    json: JsonOption = False,
    for_: ForOption = None,
    password_file: Path | None = None,
) -> int:
    """Share one VESC: many clients use it at once, through one connection.

    VESC Tool, Home Assistant and packwire connect to the --listen port as to the VESC itself. Requests of
    the same content are answered together, each client gets its own replies, and when the VESC goes the
    clients stay connected until it is back. Only reading commands pass, and MOTOR_ESTOP; what else a client
    sends is refused and told, here and in the client's terminal, with the --allow word that would let it
    pass. Requests that could harm a device never pass: arguments that are not their command's, or another
    frame within a request. Ctrl-C ends it.

    A reading is given to several clients for --max-age seconds: readings that are averages since they were
    last read would else be spoilt by each further client. A client that sends `packwire` to the VESC's
    terminal (in VESC Tool: VESC Terminal) is told how old the readings are and who else is here.

    With --json there is a record `status` each second; `untold` says how many came, left or were refused
    beyond 10 a second, and `lost` how many records were left out, because nobody took them in time: nothing
    holds up the sharing.

    Parameters
    ----------
    listen
        Where clients connect: PORT (this computer alone; 0 takes any free one), or HOST:PORT; 0.0.0.0:65102
        lets other computers in, without any password.
    announce
        Broadcast once a second that there is a VESC here, so that VESC Tool and packwire scan find it.
    max_age
        Seconds for which a reading is given to whoever asks the same; 0 asks the VESC each time.
    password_file
        A file whose first line is the hub password (else PACKWIRE_PASSWORD, the keyring, or a prompt).
    """
    policy = _policy(words(allow))
    host, port = listen_place(listen or "")
    if not 0 <= max_age <= LONGEST_AGE:
        raise BadOptionError(f"--max-age {max_age:g}: give 0 to {LONGEST_AGE:g} seconds")
    positive_or_none("--for", for_)
    if announce:
        _check_announced(host)
    options = DeviceOptions(password_file=password_file)
    return run_until_stopped(
        _share(address, options, (host, port), policy, max_age, announce=announce, json=json, seconds=for_)
    )


def _policy(words: tuple[str, ...]) -> Policy:
    try:
        return parse_policy(words)
    except ValueError as error:
        raise BadOptionError(f"--allow: {error}") from None


def _check_announced(host: str) -> None:
    try:
        known = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
    except (OSError, UnicodeError):
        raise BadOptionError(
            f"--announce is a broadcast of IPv4, and {host} is no address of it: add --listen 0.0.0.0:65102"
        ) from None
    if ipaddress.ip_address(known).is_loopback:
        raise BadOptionError(
            f"--announce is for other computers, and {host} for this one: add --listen 0.0.0.0:65102"
        )


async def _share(
    text: str,
    options: DeviceOptions,
    listen: tuple[str, int],
    policy: Policy,
    max_age: float,
    *,
    announce: bool,
    json: bool,
    seconds: float | None,
) -> int:
    async with contextlib.AsyncExitStack() as stack:
        of_a_vesc(parse_address(text), "share")
        wanted = await stack.enter_async_context(target(text, options))
        if wanted.wanted is not None:
            raise BadAddressError(f"{text} names one node, but all of a VESC is shared: leave out /can/")
        view = stack.enter_context(contextlib.closing(make_view(json=json)))
        sharing = Share(
            lambda: open_link(wanted.address),
            host=listen[0],
            port=listen[1],
            policy=policy,
            max_age=max_age,
            watch=view.show,
        )
        await stack.enter_async_context(sharing)
        view.listening(sharing, str(wanted.address), policy)
        tasks = [asyncio.create_task(sharing.run())]
        if announce:
            tasks.append(asyncio.create_task(sharing.announce()))
        try:
            with view, contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await _show(view, sharing, tasks)
        finally:
            for task in tasks:
                task.cancel()
            view.account(sharing.stats())
    return ExitCode.OK


async def _show(view: ShareView, sharing: Share, tasks: list[asyncio.Task[None]]) -> None:
    """Show the account each second, for ever; raise where the output cannot be written any more."""
    shown = 0.0
    while True:
        done, _ = await asyncio.wait(tasks, timeout=TICK, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        try:
            view.check()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise BadFileError(f"the output cannot be written: {error.strerror or error}") from error
        shown += TICK
        if shown >= SUMMARY_INTERVAL:
            shown = 0.0
            view.summary(sharing.stats())
