"""`packwire explore`: what a Bluetooth device of unknown kind has and says, and who could speak with it."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.address import Address, LinkKind, parse_address
from packwire.cli.adapters import adapter_of, bluetooth_adapter
from packwire.cli.exit_codes import ExitCode
from packwire.cli.limits import positive
from packwire.cli.names import address_of
from packwire.cli.options import JsonOption, OutOption
from packwire.cli.output import open_output, require_free
from packwire.cli.passwords import with_password
from packwire.cli.terminal import Writer, make_console, printable
from packwire.errors import BadOptionError
from packwire.visible import record_text


def explore(
    address: str,
    /,
    *,
    for_: Annotated[float, Parameter(name="--for")] = 10.0,
    probe: Annotated[bool, Parameter(negative=())] = False,
    out: OutOption = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    json: JsonOption = False,
) -> int:
    """Show the services, characteristics and values of a Bluetooth device, and listen to all it notifies.

    Nothing is written to it but the subscriptions. The pair of characteristics by which it is likely spoken
    with is named, with what speaks for it.

    Parameters
    ----------
    address
        ble://A4:C1:38:00:00:01, or ble:// and its name.
    for_
        Seconds to listen to its notifications.
    probe
        Put the harmless questions of packwire's models to it (they only ask), and say who answers.
    out
        Write the beginning of a model file (.yaml) for it: where it is spoken, how it is recognised.
    force
        Write over a file that is there already.
    """
    positive("--for", for_)
    wanted = with_password(parse_address(address_of(address)))
    if wanted.link is not LinkKind.BLE:
        raise BadOptionError(f"explore is for Bluetooth: ble://ADDRESS, not {wanted}")
    require_free(out, force=force)
    return asyncio.run(_explore(wanted, for_, probe=probe, out=out, json=json))


async def _explore(address: Address, seconds: float, *, probe: bool, out: Path | None, json: bool) -> int:
    from packwire.cli.exploration import explored  # noqa: PLC0415 - an extra, and all models
    from packwire.cli.views.explore import lines, record  # noqa: PLC0415
    from packwire.cli.views.model_draft import draft  # noqa: PLC0415

    status = make_console(stderr=True).status(f"looking for {printable(address.target)}")
    with status:
        async with bluetooth_adapter(adapter_of(address)):
            found = await explored(address, seconds, probe=probe, tell=status.update)
    if json:
        print(record_text(record(found)))
    else:
        writer = Writer(make_console())
        for line in lines(found):
            writer.line(*line)
    if out is not None:
        with ExitStack() as stack:
            open_output(out, stack).write(draft(found, out.stem).encode())
        make_console(stderr=True).print(
            f"{printable(str(out))}: the beginning of a model; what is to be filled in is said there",
            soft_wrap=True,
        )
    return ExitCode.OK
