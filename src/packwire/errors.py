"""Every error that a user can meet: one clear line, what to do next, and an exit code that means something.

The exit codes are part of the command line's interface and are listed in docs/reference/exit-codes.md.
"""

from enum import IntEnum


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


class PackwireError(Exception):
    """Something a user can act on. `str()` is one line: what, where, what to do next."""

    exit_code = ExitCode.UNEXPECTED


class BadAddressError(PackwireError):
    """The text is no address of a device."""

    exit_code = ExitCode.USAGE


class BadOptionError(PackwireError):
    """An option's value cannot be used."""

    exit_code = ExitCode.USAGE


class UnreachableError(PackwireError):
    """No connection: unknown name, refused port, silent host, or no such serial port."""

    exit_code = ExitCode.UNREACHABLE


class NotAVescError(PackwireError):
    """Something is there and connected, but what it says (or does not say) is not the VESC protocol."""

    exit_code = ExitCode.NOT_A_VESC


class RefusedError(PackwireError):
    """A hub closed the connection at login: it does not know the id, or the password is wrong."""

    exit_code = ExitCode.REFUSED


class DisplacedError(PackwireError):
    """Another client logged in at the hub with the same id; the newest wins, the older is closed."""

    exit_code = ExitCode.DISPLACED


class NoAnswerError(PackwireError):
    """A request was sent and its reply did not come."""

    exit_code = ExitCode.NO_ANSWER


class GoneError(PackwireError):
    """The device closed the connection, or its link broke, while in use."""

    exit_code = ExitCode.GONE


class BadFileError(PackwireError):
    """A file cannot be read, or not to its end."""

    exit_code = ExitCode.BAD_FILE


class MissingExtraError(PackwireError):
    """A feature needs a package that is not installed."""

    exit_code = ExitCode.MISSING_EXTRA


def missing_extra(extra: str, feature: str) -> MissingExtraError:
    """Say which extra brings the package that `feature` needs."""
    return MissingExtraError(f"{feature} needs an extra: install packwire[{extra}]")
