"""The `packwire` command: its commands, and how their errors reach the user."""

import os
import sys
from importlib import metadata

from packwire.errors import ExitCode, PackwireError

try:
    from cyclopts import App, Parameter
except ImportError:
    sys.exit("packwire: the command line needs an extra: install packwire[cli]")


def _version() -> str:
    return metadata.version("packwire")


app = App(
    name="packwire",
    help="Read any battery pack; find out why one gives no data; understand an unknown one.",
    version=_version,
    default_parameter=Parameter(negative=()),
    result_action="return_int_as_exit_code_else_zero",
    help_epilogue="Exit codes: 0 all well, 2 wrong use, 3 not reachable, 4 not a VESC, 5 refused by the hub, "
    "6 displaced by another client, 7 no answer, 8 gone while in use, 9 damaged file, 10 extra missing.",
)
app.command("packwire.cli.read:read", help="Read a pack once and show it.")
app.command("packwire.cli.watch:watch", help="Watch a pack live.")
app.command("packwire.cli.scan:scan", help="List the VESCs on the network and the serial ports.")
app.command("packwire.cli.decode:decode", help="Show the conversation in a capture of VESC traffic.")
app.command("packwire.cli.sim:app", name="sim", help="Simulate a VESC, or the hub that it dials.")
app.command("packwire.cli.demo:demo", help="Watch a simulated pack behind a simulated hub.")
app.register_install_completion_command(add_to_startup=False)


def main() -> None:
    """Run the command line; end the process with an exit code of `packwire.errors.ExitCode`."""
    try:
        code = app()
        sys.stdout.flush()
    except PackwireError as error:
        _tell(str(error))
        code = error.exit_code
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.OK
    sys.exit(code)


def _tell(message: str) -> None:
    from rich.console import Console  # noqa: PLC0415 - only where there is an error to show
    from rich.text import Text  # noqa: PLC0415

    Console(stderr=True, soft_wrap=True).print(Text.assemble(("packwire: ", "bold red"), message))
