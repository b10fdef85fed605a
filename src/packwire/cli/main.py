"""The `packwire` command: its commands, and how their errors reach the user."""

import signal
import sys
from typing import TYPE_CHECKING, NamedTuple, Never

from packwire.cli import streams
from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.cli.help_text import HelpText
from packwire.errors import PackwireError

if TYPE_CHECKING:
    from packwire.cli.records.words import Error as ErrorRecord

try:
    from cyclopts import App, Group, Parameter
except ImportError:
    sys.exit("packwire: the command line needs the extra `cli`: in packwire's folder, pip install '.[cli]'")


#: Seconds in which Python has left what throws an object away.
_SOON = 0.01


class CommandRow(NamedTuple):
    """A command: where it is in `packwire.cli.commands`, its line in the list, and examples of its use."""

    where: str
    summary: str
    examples: tuple[str, ...]


def _version() -> str:
    from importlib import metadata  # noqa: PLC0415 - a fortieth of a second that only --version should pay

    return metadata.version("packwire")


def _wrong_use(error: Exception) -> object:
    """Return what is shown of a command line that is wrong, which may hold anything."""
    from cyclopts import CycloptsPanel  # noqa: PLC0415 - only where there is an error to show

    from packwire.cli.near_misses import no_address  # noqa: PLC0415
    from packwire.visible import printable  # noqa: PLC0415

    return CycloptsPanel(printable(no_address(str(error)) or str(error), keep="\n"))


#: The commands in their groups. Each is imported when it is called.
GROUPS: dict[str, dict[str, CommandRow]] = {
    "Read": {
        "read": CommandRow(
            "read:read", "Read a pack once and show it.", ("read vesc://192.168.1.20", "read van --json")
        ),
        "watch": CommandRow(
            "watch:watch", "Watch a pack live.", ("watch vesc://192.168.1.20", "watch van --json")
        ),
        "log": CommandRow(
            "log:log",
            "Write a pack's values to a file, as long as you like.",
            ("log van -o van.csv", "log van -o van.sqlite --every 10"),
        ),
        "settings": CommandRow(
            "settings:settings",
            "Show what a pack is set to, or how two differ.",
            ("settings serial:/dev/ttyUSB0?model=daly-a5", "settings a.json b.json"),
        ),
        "events": CommandRow(
            "settings:events", "Show what a pack counted: how often it protected itself.", ("events van",)
        ),
        "scan": CommandRow(
            "scan:scan",
            "List packs with Bluetooth, VESCs on the network, serial ports.",
            ("scan", "scan --for 10"),
        ),
        "name": CommandRow(
            "name:name", "Give an address a name of your own.", ("name van vesc://192.168.1.20", "name")
        ),
    },
    "Why no data": {
        "doctor": CommandRow(
            "doctor:doctor",
            "Find out why a pack gives no data.",
            ("doctor vesc://192.168.1.20", "doctor --log home-assistant.log", "doctor --my-client 65101"),
        ),
        "compare": CommandRow(
            "compare:compare",
            "Find where one's own session differs from one that works.",
            ("compare vesc-tool.pcap mine.pcap",),
        ),
        "tap": CommandRow(
            "tap:tap",
            "Record what a client and its VESC say, as a wire in between.",
            ("tap --listen 65101 --upstream hub.example:65101 --record session.pcapng",),
        ),
        "decode": CommandRow(
            "decode:decode",
            "Show the conversation with a VESC or a BMS in a recording.",
            ("decode session.pcap --brief", "decode session.pcap --json"),
        ),
    },
    "Understand": {
        "capture": CommandRow(
            "capture:capture",
            "Record, step by step; find the bit of a switch.",
            ("capture android", "capture --states on,off"),
        ),
        "explore": CommandRow(
            "explore:explore",
            "Show what a Bluetooth device of unknown kind has and says.",
            ("explore ble://55:44:33:00:00:03", "explore ble://xBMS-77 --probe -o mybms.yaml"),
        ),
        "record": CommandRow(
            "record:record",
            "Record what passes between this program and a pack.",
            ("record ble://A4:C1:38:00:00:01 -o pack.btsnoop", "record van -o van.pcapng --for 60"),
        ),
        "info": CommandRow(
            "info:info", "Show what recordings hold, and why one has no data.", ("info session.btsnoop",)
        ),
        "messages": CommandRow(
            "messages:messages",
            "Show the messages in recordings.",
            ("messages session.btsnoop", "messages session.btsnoop --prefix 'dd 03' --count 10"),
        ),
        "groups": CommandRow(
            "groups:groups", "Show which kinds of messages are in a recording.", ("groups session.btsnoop",)
        ),
        "pairs": CommandRow("pairs:pairs", "Show requests with their replies.", ("pairs session.btsnoop",)),
        "diff": CommandRow(
            "diff:diff",
            "Find the bits that tell states apart, such as a switch.",
            ("diff on.btsnoop off.btsnoop", "diff --at 12.4,30.1 both.btsnoop"),
        ),
        "model": CommandRow(
            "model:app",
            "List, check, test, begin and export models of BMSs.",
            ("model list", "model check acme.yaml", "model export jbd --format wireshark -o jbd.lua"),
        ),
        "fields": CommandRow(
            "fields:fields", "Find the fields of unknown messages.", ("fields session.btsnoop",)
        ),
        "checksum": CommandRow(
            "checksum:checksum",
            "Find the checksum of unknown messages.",
            ("checksum session.btsnoop", "checksum 'dd a5 03 00 ff fd 77' 'dd a5 04 00 ff fc 77'"),
        ),
        "find": CommandRow(
            "find:find",
            "Find where a value lies that an app shows.",
            (
                "find session.btsnoop 83.92V 20cells soc=87% --at 14:03:20",
                "find a.btsnoop --notes notes.yaml",
            ),
        ),
        "draft": CommandRow(
            "draft:draft",
            "Draft a model of an unknown protocol.",
            ("draft session.btsnoop --notes notes.yaml -o mybms.yaml",),
        ),
        "plot": CommandRow(
            "plot:plot",
            "Draw a field of messages over time.",
            ("plot session.btsnoop 'dd 03' 4-5:u16 --scale 0.01",),
        ),
        "apk": CommandRow(
            "apk:apk",
            "Show what an app's package says of its protocol.",
            ("apk bms.apk", "apk bms.xapk --capture session.btsnoop"),
        ),
        "convert": CommandRow(
            "convert:convert",
            "Write a recording in another format, fit to be shared.",
            ("convert session.btsnoop session.pcapng",),
        ),
    },
    "Share": {
        "share": CommandRow(
            "share:share",
            "Share one VESC: many clients at once, reading only.",
            ("share vesc://192.168.1.20 --listen 65102",),
        ),
        "hub": CommandRow(
            "hub:app",
            "Run a VESC hub of one's own; several clients a device.",
            ("hub --listen 65101 --credentials hub.credentials",),
        ),
    },
    "Simulate": {
        "sim": CommandRow(
            "sim:app",
            "Simulate a VESC, a hub, or any pack that has a model.",
            ("sim vesc --scenario ride", "sim jbd --bluetooth", "sim faults"),
        ),
        "demo": CommandRow("demo:demo", "Watch two simulated packs.", ("demo",)),
    },
}
#: A flat view of the same.
COMMANDS = {name: row for rows in GROUPS.values() for name, row in rows.items()}
_MORE = "docs/reference/commands.md says more: the options that all share, exit codes, what scripts get."


def _epilogue(examples: tuple[str, ...]) -> str:
    lines = "\n".join(f"  packwire {each}" for each in examples)
    return f"{'Examples' if len(examples) > 1 else 'Example'}:\n{lines}\n\n{_MORE}"


def _shown_default(value: object) -> object:
    """Return a default that is worth a word: a flag that is not given, or an empty list, is none."""
    return None if value is False or value in ((), [], "", None) else value


app = App(
    name="packwire",
    help="Read the batteries that people own; find out why one gives no data; understand an unknown one.\n\n"
    "It reads packs with Bluetooth (JBD, JK, Daly, ANT and some fifty families); packs on a serial line, a "
    "CAN bus or a bridge from either to the network (`packwire model list` names them); and packs behind a "
    "VESC, over TCP, a VESC hub, a serial port or Bluetooth.",
    version=_version,
    version_flags=["--version", "-V"],
    default_parameter=Parameter(negative=(), show_default=_shown_default),
    error_formatter=_wrong_use,
    result_action="return_int_as_exit_code_else_zero",
    help_format="plaintext",
    help_formatter=HelpText(),
    help_epilogue=_epilogue(("demo", "scan", "COMMAND --help")),
)
_HELP = Group("Help", sort_key=len(GROUPS))
for _flag in ("--help", "--version"):
    app[_flag].group = _HELP


def _register() -> None:
    called = "".join(sys.argv[1:2])
    for number, (title, rows) in enumerate(GROUPS.items()):
        group = Group(title, sort_key=number)
        for name, row in rows.items():
            # The list needs a line for each without importing it; a command's own help is its docstring.
            own = {} if name == called else {"help": row.summary}
            has_commands = row.where.endswith(":app")
            if not has_commands:
                own["help_epilogue"] = _epilogue(row.examples)
            app.command(f"packwire.cli.commands.{row.where}", name=name, group=group, **own)
            if has_commands and name == called:  # its commands show the same examples
                app[name].help_epilogue = _epilogue(row.examples)
    if called not in COMMANDS:
        # A sixtieth of a second that a command should not pay.
        app.register_install_completion_command(add_to_startup=False, group=_HELP)


_register()


def main() -> Never:
    """Run the command line; end the process with an exit code of `packwire.cli.exit_codes.ExitCode`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.unraisablehook = _unraisable
    streams.prepare()
    try:
        code = _run()
    except KeyboardInterrupt:
        code = int(ExitCode.INTERRUPTED)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python ends, nobody would take a KeyboardInterrupt
    sys.exit(code)


def _unraisable(ignored: "sys.UnraisableHookArgs") -> None:
    """Let a Ctrl-C come once more that came where an object was thrown away: Python shows it, and goes on."""
    if not issubclass(ignored.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(ignored)
        return
    from _thread import interrupt_main  # noqa: PLC0415 - hardly ever needed
    from threading import Timer  # noqa: PLC0415

    Timer(_SOON, interrupt_main).start()


def _run() -> int:
    try:
        code = _called(sys.argv[1:])
        sys.stdout.flush()
    except PackwireError as error:
        code = _told(error)
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain once more when it flushes at exit.
        streams.drop_output()
        code = ExitCode.OK
    except OSError as error:
        why = error.strerror or str(error)
        if streams.of_output(error):
            streams.tell(f"the output cannot be written: {why}")
        else:
            streams.tell(f"{error.filename or 'a file'}: {why}")
        streams.drop_output()
        code = ExitCode.BAD_FILE
    return code


def _told(error: PackwireError) -> int:
    """Tell an error to people, and where they asked for JSON to programs."""
    code = exit_code_of(error.reason)
    if "--json" in sys.argv:
        from packwire.visible import record_text  # noqa: PLC0415

        record: ErrorRecord = {
            "kind": "error",
            "reason": error.reason.value,
            "error": str(error),
            "exit_code": int(code),
        }
        try:
            print(record_text(record), flush=True)
        except OSError:
            streams.drop_output()
    streams.tell(str(error))
    return code


def _called(words: list[str]) -> int:
    from packwire.cli.near_misses import advice, meant  # noqa: PLC0415
    from packwire.cli.old_spellings import renewed  # noqa: PLC0415

    if words and words[0] not in {*COMMANDS, "__complete"} and not words[0].startswith("-"):
        words = meant(words, tuple(COMMANDS))
        if words[0] not in COMMANDS and (said := advice(words, tuple(COMMANDS))):
            streams.tell(said)
            return ExitCode.USAGE
    try:
        code = app(renewed(words))
    except SystemExit as end:  # cyclopts has told what is wrong
        code = end.code if isinstance(end.code, int) else ExitCode.USAGE
    return int(code)
