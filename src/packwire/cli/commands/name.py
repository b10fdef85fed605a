"""`packwire name`: names of one's own for addresses."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from packwire.address import FORMS, listed, parse_address
from packwire.cli.completion import addresses
from packwire.cli.exit_codes import ExitCode
from packwire.cli.names import check_name, load_names, names_file, save_names
from packwire.cli.terminal import make_console, printable
from packwire.errors import BadOptionError

if TYPE_CHECKING:
    from cyclopts.completion import CompletionContext


def _named(_: "CompletionContext") -> dict[str, str]:
    return load_names()


def name(
    name: Annotated[str | None, Parameter(completer=_named)] = None,
    address: Annotated[
        str | None, Parameter(help=f"What it stands for: {listed(FORMS)}.", completer=addresses)
    ] = None,
    /,
    *,
    remove: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Give an address a name of your own, to be used wherever an address is: packwire read van.

    Without anything: list the names. They are kept in your configuration folder, never with a password.

    Parameters
    ----------
    name
        The name: letters, digits, - and _.
    remove
        Forget the name.
    """
    names = load_names()
    if name is None:
        return _list(names)
    check_name(name)
    if remove:
        if address is not None or name not in names:
            raise BadOptionError(
                f"there is no name {name}" if address is None else "--remove takes a name alone"
            )
        del names[name]
        save_names(names)
        return ExitCode.OK
    if address is None:
        if name not in names:
            raise BadOptionError(
                f"there is no name {name}; give it with its address: packwire name {name} vesc://HOST"
            )
        print(printable(names[name]))
        return ExitCode.OK
    parsed = parse_address(address)
    if getattr(parsed, "password", None) is not None:
        raise BadOptionError(
            "a name is kept without a password: leave it out, and set PACKWIRE_PASSWORD when you read"
        )
    save_names(names | {name: str(parsed)})
    make_console().print(f"{name} is {printable(str(parsed))}: packwire read {name}")
    return ExitCode.OK


def _list(names: dict[str, str]) -> int:
    console = make_console()
    if not names:
        console.print("no names yet; packwire name van vesc://192.168.1.20 gives one")
    width = max(map(len, names), default=0)
    for name, address in sorted(names.items()):
        console.print(f"{name:<{width}}  {printable(address)}")
    if names and console.is_terminal:
        console.print(f"kept in {names_file()}")
    return ExitCode.OK
