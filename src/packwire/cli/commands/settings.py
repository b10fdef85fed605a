"""`packwire settings` and `packwire events`: what packs are set to, what they counted; only read."""

import asyncio
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from packwire.cli.devices import DeviceOptions, target
from packwire.cli.exit_codes import ExitCode
from packwire.cli.options import OutOption
from packwire.cli.output import open_output, require_free
from packwire.cli.terminal import make_console, printable
from packwire.device.settings import ToldValue, Topic, differences, shown, told_by
from packwire.errors import BadFileError, BadOptionError

_NO_OPTIONS = DeviceOptions()
_VERSION = 1
#: A file of settings is a page or two.
_MOST_BYTES = 1 << 20

_Force = Annotated[bool, Parameter(negative=())]
_Allow = Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=False)]


def settings(
    first: str,
    second: str | None = None,
    /,
    *,
    out: OutOption = None,
    force: _Force = False,
    allow: _Allow = (),
    options: DeviceOptions = _NO_OPTIONS,
) -> int:
    """Show what a pack is set to (limits, delays, balancing), or what differs between two files of it.

    Nothing is changed. Some packs tell their settings only in a mode that must be entered, which is a write:
    then the frames are named, and it is entered only with --allow.

    Parameters
    ----------
    first
        A pack, as for packwire read; or, with a second one, a file that -o wrote.
    second
        The file to compare the first one with.
    out
        A file for the settings, as JSON.
    force
        Write over a file that is there already.
    allow
        Enter this mode of the pack, such as factory-mode.
    """
    if second is not None:
        return _compare(Path(first), Path(second))
    return asyncio.run(_show(first, "settings", options, allow, out, force=force))


def events(
    address: str, /, *, out: OutOption = None, force: _Force = False, options: DeviceOptions = _NO_OPTIONS
) -> int:
    """Show what a pack counted or noted: how often each protection acted.

    Parameters
    ----------
    address
        Any that packwire read takes.
    out
        A file for it, as JSON.
    force
        Write over a file that is there already.
    """
    return asyncio.run(_show(address, "events", options, (), out, force=force))


async def _show(
    text: str, topic: Topic, options: DeviceOptions, allow: tuple[str, ...], out: Path | None, *, force: bool
) -> int:
    require_free(out, force=force)
    async with target(text, options) as wanted, wanted.device(tries=3) as device:
        told = await told_by(device, topic, allow)
        name = device.name
    if out is not None:
        content = {"version": _VERSION, "device": name, topic: [_record(each) for each in told]}
        with ExitStack() as stack:
            text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            open_output(out, stack).write(text.encode())
        return ExitCode.OK
    console = make_console()
    width = max(len(each.name) for each in told)
    for each in told:
        console.print(printable(f"{each.name:<{width}}  {shown(each)}"), markup=False, highlight=False)
    return ExitCode.OK


def _record(told: ToldValue) -> dict[str, Any]:
    return {"name": told.name, "value": told.value, "unit": told.unit}


def _compare(first: Path, second: Path) -> int:
    lines = differences(_read(first), _read(second))
    console = make_console()
    for line in lines or ["both are set alike"]:
        console.print(printable(line), markup=False, highlight=False)
    return ExitCode.OK


def _read(path: Path) -> dict[str, ToldValue]:
    """Read a file of settings. Raises BadFileError."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MOST_BYTES))
        if content["version"] != _VERSION:
            raise BadFileError(f"{path}: it is of a newer packwire")
        return {
            str(each["name"]): ToldValue(str(each["name"]), _value(each["value"]), str(each["unit"]))
            for each in content["settings"]
        }
    except OSError as error:
        raise BadOptionError(
            f"{path}: {error.strerror or error}; two files that -o wrote are compared"
        ) from None
    except (ValueError, LookupError, TypeError, RecursionError):
        raise BadFileError(f"{path}: this is no file that packwire settings -o wrote") from None


def _value(value: object) -> float | str | bool | None:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError
