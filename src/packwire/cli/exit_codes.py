"""The exit codes, and which reason ends with which: part of the command line's interface."""

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from packwire.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packwire.capture import Capture


class ExitCode(IntEnum):
    """What the command line's exit status says; see docs/reference/exit-codes.md."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_A_VESC = 4
    REFUSED = 5
    DISPLACED = 6
    NO_ANSWER = 7
    NO_DATA = 7  # a recording without application data
    GONE = 8
    BAD_FILE = 9
    MISSING_EXTRA = 10
    DISTURBED = 11  # the doctor found something wrong though values come, or a fault in a user's client
    DIFFERENT = 12  # two sessions differ in what matters
    INTERRUPTED = 130


def exit_code_for(captures: "Iterable[Capture]", *, found: object) -> ExitCode:
    """Return the exit code of a look at recordings: whether one is damaged, whether anything was found."""
    if any(capture.damage for capture in captures):
        return ExitCode.BAD_FILE
    return ExitCode.OK if found else ExitCode.NO_ANSWER


_REASONS: Final[dict[ExitCode, tuple[Reason, ...]]] = {
    ExitCode.OK: (Reason.ENDED,),
    ExitCode.UNEXPECTED: (Reason.UNEXPECTED,),
    ExitCode.USAGE: (Reason.BAD_ADDRESS, Reason.BAD_OPTION, Reason.NO_PASSWORD, Reason.NOT_TRUSTED),
    ExitCode.UNREACHABLE: (
        Reason.UNKNOWN_NAME,
        Reason.PORT_REFUSED,
        Reason.TIMED_OUT,
        Reason.NO_ROUTE,
        Reason.NOT_THERE,
        Reason.NOT_ALLOWED,
        Reason.BUSY,
        Reason.NO_BLUETOOTH,
        Reason.POWERED_OFF,
        Reason.OUT_OF_RANGE,
        Reason.NOT_PAIRED,
    ),
    ExitCode.NOT_A_VESC: (Reason.FOREIGN, Reason.ECHO),
    ExitCode.REFUSED: (Reason.UNKNOWN_ID, Reason.WRONG_PASSWORD),
    ExitCode.DISPLACED: (Reason.DISPLACED,),
    ExitCode.NO_ANSWER: (Reason.SILENT, Reason.NO_NODE, Reason.HUB_PORT, Reason.NO_DATA),
    ExitCode.GONE: (Reason.CLOSED, Reason.CLOSED_HERE, Reason.FELL_SILENT, Reason.LEFT),
    ExitCode.BAD_FILE: (Reason.NO_FILE, Reason.BAD_FILE, Reason.NOT_WRITTEN),
    ExitCode.MISSING_EXTRA: (Reason.MISSING_EXTRA,),
    ExitCode.DISTURBED: (Reason.DISTURBED,),
    ExitCode.DIFFERENT: (Reason.DIFFERENT,),
}
_CODES: Final = {reason: code for code, reasons in _REASONS.items() for reason in reasons}


def exit_code_of(reason: Reason | None) -> ExitCode:
    """Return the exit code that goes with a reason; None: all is well."""
    return ExitCode.OK if reason is None else _CODES[reason]
