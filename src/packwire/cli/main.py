"""The `packwire` command: its commands, and how their errors reach the user."""

import os
import sys

from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.errors import PackwireError

try:
    from cyclopts import App, Parameter
except ImportError:
    sys.exit("packwire: the command line needs an extra: install packwire[cli]")


def _version() -> str:
    from importlib import metadata  # noqa: PLC0415 - a fortieth of a second that only --version should pay

    return metadata.version("packwire")


def _wrong_use(error: Exception) -> object:
    """Return what is shown of a command line that is wrong, which may hold anything."""
    from cyclopts import CycloptsPanel  # noqa: PLC0415 - only where there is an error to show

    from packwire.visible import printable  # noqa: PLC0415

    return CycloptsPanel(printable(str(error), keep="\n"))


app = App(
    name="packwire",
    help="Read any battery pack; find out why one gives no data; understand an unknown one.",
    version=_version,
    default_parameter=Parameter(negative=()),
    error_formatter=_wrong_use,
    result_action="return_int_as_exit_code_else_zero",
    help_epilogue="Exit codes: 0 all well, 2 wrong use, 3 not reachable, 4 not a VESC, 5 refused by the hub, "
    "6 displaced by another client, 7 no answer, 8 gone while in use, 9 damaged file, 10 extra missing, "
    "11 the doctor found something, 12 two sessions differ, 130 interrupted.",
)
#: The commands: where each is in `packwire.cli.commands`, and its line in the list. Imported when called.
COMMANDS = {
    "read": ("read:read", "Read a pack once and show it."),
    "watch": ("watch:watch", "Watch a pack live."),
    "doctor": ("doctor:doctor", "Find out why a pack gives no data."),
    "scan": ("scan:scan", "List the VESCs on the network and the serial ports."),
    "decode": ("decode:decode", "Show the conversation in a capture of VESC traffic."),
    "tap": ("tap:tap", "Record what a client and its VESC say, as a wire in between."),
    "share": ("share:share", "Share one VESC: many clients at once, reading only."),
    "info": ("info:info", "Show what recordings hold, and why one has no data."),
    "messages": ("messages:messages", "Show the messages in recordings."),
    "groups": ("groups:groups", "Show which kinds of messages are in a recording."),
    "pairs": ("pairs:pairs", "Show requests with their replies."),
    "diff": ("diff:diff", "Find the bits that tell states apart, such as a switch."),
    "convert": (
        "convert:convert",
        "Write a recording in another format, fit to be shared.",
    ),
    "capture": ("capture:capture", "Record, step by step; find the bit of a switch."),
    "hub": ("hub:app", "Run a VESC hub of one's own; several clients a device."),
    "compare": (
        "compare:compare",
        "Find where one's own session differs from one that works.",
    ),
    "sim": ("sim:app", "Simulate a VESC, or the hub that it dials."),
    "demo": ("demo:demo", "Watch a simulated pack behind a simulated hub."),
}

for _name, (_where, _summary) in COMMANDS.items():
    # The list needs a line for each without importing it; a command's own help is its docstring.
    if _name in sys.argv[1:2]:
        app.command(f"packwire.cli.commands.{_where}", name=_name)
    else:
        app.command(f"packwire.cli.commands.{_where}", name=_name, help=_summary)
if "".join(sys.argv[1:2]) not in COMMANDS:
    # A sixtieth of a second that a command should not pay.
    app.register_install_completion_command(add_to_startup=False)


def main() -> None:
    """Run the command line; end the process with an exit code of `packwire.cli.exit_codes.ExitCode`."""
    try:
        code = app()
        sys.stdout.flush()
    except PackwireError as error:
        _tell(str(error))
        code = exit_code_of(error.reason)
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

    from packwire.visible import printable  # noqa: PLC0415

    # A file's name may hold anything.
    Console(stderr=True, soft_wrap=True).print(Text.assemble(("packwire: ", "bold red"), printable(message)))
