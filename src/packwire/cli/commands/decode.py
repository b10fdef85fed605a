"""`packwire decode`: the conversation with a VESC or a BMS in a capture."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.capture import Capture, open_capture
from packwire.cli.exit_codes import ExitCode
from packwire.cli.options import BytesOption, JsonOption
from packwire.cli.output import write_lines
from packwire.cli.terminal import Writer, make_console
from packwire.cli.views.decode_records import csv_lines, json_lines
from packwire.cli.views.decode_shown import Shown
from packwire.cli.views.decode_text import show
from packwire.errors import BadOptionError


def decode(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    brief: Annotated[bool, Parameter(alias="-b", negative=())] = False,
    fields: Annotated[bool, Parameter(negative=())] = False,
    hex: Annotated[bool, Parameter(alias="-x", negative=())] = False,  # noqa: A002 - it is the option's name
    json: JsonOption = False,
    csv: Annotated[bool, Parameter(negative=())] = False,
    keep_secrets: Annotated[bool, Parameter(negative=())] = False,
    bytes_: BytesOption = "hex",
) -> int:
    """Show the conversation with a VESC or a BMS in a capture: every request, its reply, how long it took.

    VESC traffic is found on any TCP port by its content; where there is none, that of a BMS that packwire
    has a model of, such as one behind a serial bridge. Bluetooth, serial lines, UDP and logs are read alike;
    of CAN see `packwire messages --decode`. Packets are numbered as in Wireshark, times are seconds since
    the first packet. Files may be of any format that `packwire info` reads.

    With --csv there is one row a message.

    Parameters
    ----------
    file
        The capture; `-` is standard input.
    brief
        Fold what repeats itself: one round of a steady polling is shown, and how many followed.
    fields
        Every field of each reply with its offset, width, raw and true value.
    hex
        The bytes of each payload.
    csv
        One row a message instead of text.
    keep_secrets
        Show in clear: the hub's password, configurations with their Wi-Fi keys, texts and programs, serial
        numbers and positions.
    """
    if json and csv:
        raise BadOptionError("--json and --csv exclude each other")
    if brief and (json or csv):
        raise BadOptionError("--brief is for text: --json and --csv always give every message")
    capture = open_capture(file, decimal=bytes_ == "decimal")
    if not keep_secrets and not capture.has_packets_of_ip:
        # What no model knows may be secret, and lie in several messages: masked as in a file that is shared.
        from packwire.capture.redact import redacted  # noqa: PLC0415 - of TCP, VESC's own words mask

        capture = Capture(capture.name, redacted(capture.packets).packets)
    shown = Shown(brief=brief, fields=fields, hex=hex, keep_secrets=keep_secrets)
    if json:
        write_lines(json_lines(capture, shown))
    elif csv:
        write_lines(csv_lines(capture, shown))
    else:
        show(capture, shown, Writer(make_console()))
    return _exit_code(capture)


def _exit_code(capture: Capture) -> int:
    if capture.damage:
        return ExitCode.BAD_FILE
    return ExitCode.OK if capture.spoken else ExitCode.NOT_A_VESC
