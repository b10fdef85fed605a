"""Every error that a user can meet: one clear line with what to do next, and the reason as a value.

Code decides by `reason` (or by the class), never by the words: those hold names and texts of other people.
The command line makes an exit code of the reason (`packwire.cli.exit_codes`).
"""

import errno
from enum import StrEnum


class Reason(StrEnum):
    """Why something cannot be done. The values are stable."""

    UNEXPECTED = "unexpected"

    BAD_ADDRESS = "bad-address"
    BAD_OPTION = "bad-option"
    NO_PASSWORD = "no-password"  # noqa: S105 - no password, indeed
    MISSING_EXTRA = "missing-extra"
    NOT_TRUSTED = "not-trusted"
    """A model that is not packwire's own would talk to a device."""

    UNKNOWN_NAME = "unknown-name"
    PORT_REFUSED = "port-refused"
    """Somebody is there, and nothing listens on that port."""
    TIMED_OUT = "timed-out"
    """Nobody took the connection in time."""
    NO_ROUTE = "no-route"
    NOT_THERE = "not-there"
    """No such serial port, phone, network interface or program."""
    NOT_ALLOWED = "not-allowed"
    """This user may not."""
    BUSY = "busy"
    """Somebody else has it: a port that is taken, a serial port in use."""

    NO_BLUETOOTH = "no-bluetooth"
    """No adapter, or no system service that drives one."""
    POWERED_OFF = "powered-off"
    """The Bluetooth adapter is off, or blocked."""
    OUT_OF_RANGE = "out-of-range"
    """The device was heard, and no connection came about."""
    NOT_PAIRED = "not-paired"
    """The device wants to be paired first."""

    FOREIGN = "foreign"
    """What answers is no VESC, or nobody here knows what it speaks."""
    ECHO = "echo"

    UNKNOWN_ID = "unknown-id"
    """A hub has no device of this id."""
    WRONG_PASSWORD = "wrong-password"  # noqa: S105
    DISPLACED = "displaced"

    SILENT = "silent"
    """Asked, and not answered."""
    NO_NODE = "no-node"
    HUB_PORT = "hub-port"
    """A hub's port where a device was looked for."""
    NO_DATA = "no-data"
    """Answered or read, and there is nothing in it."""

    CLOSED = "closed"
    """The other end closed the connection, or it broke."""
    CLOSED_HERE = "closed-here"
    FELL_SILENT = "fell-silent"
    """It answered before, and does not any more, though the connection is open."""
    LEFT = "left"
    """The device has left the hub."""

    ENDED = "ended"
    """A recording was played to its end."""

    NO_FILE = "no-file"
    BAD_FILE = "bad-file"
    """What is in the file cannot be used, or not to its end."""
    NOT_WRITTEN = "not-written"

    DISTURBED = "disturbed"
    """It works, and not as it should."""
    DIFFERENT = "different"


class PackwireError(Exception):
    """Something a user can act on. `str()` is one line: what, where, what to do next."""

    reason = Reason.UNEXPECTED
    """Of the class, where none was given."""

    def __init__(self, words: str = "", *, reason: Reason | None = None) -> None:
        super().__init__(words)
        if reason is not None:
            self.reason = reason


class BadAddressError(PackwireError):
    """The text is no address of a device."""

    reason = Reason.BAD_ADDRESS


class BadOptionError(PackwireError):
    """An option's value cannot be used."""

    reason = Reason.BAD_OPTION


class UnreachableError(PackwireError):
    """No connection: unknown name, refused port, silent host, or no such serial port."""

    reason = Reason.NO_ROUTE


class NotAVescError(PackwireError):
    """Something is there and connected, but what it says (or does not say) is not the VESC protocol."""

    reason = Reason.FOREIGN


class RefusedError(PackwireError):
    """A hub closed the connection at login: it does not know the id, or the password is wrong."""

    reason = Reason.WRONG_PASSWORD


class WrongPinError(RefusedError):
    """A pack itself says that its PIN is wrong: it will say so again, or lock whoever tries on."""


class DisplacedError(PackwireError):
    """Another client logged in at the hub with the same id; the newest wins, the older is closed."""

    reason = Reason.DISPLACED


class NoAnswerError(PackwireError):
    """A request was sent and its reply did not come."""

    reason = Reason.SILENT


class GoneError(PackwireError):
    """The device closed the connection, or its link broke, while in use."""

    reason = Reason.CLOSED


class BadFileError(PackwireError):
    """A file cannot be read, or not to its end."""

    reason = Reason.BAD_FILE


class MissingExtraError(PackwireError):
    """A feature needs a package that is not installed."""

    reason = Reason.MISSING_EXTRA


def missing_extra(extra: str, feature: str) -> MissingExtraError:
    """Say which extra brings the package that `feature` needs."""
    return MissingExtraError(
        f"{feature} needs the extra `{extra}`: in packwire's folder, pip install '.[{extra}]'"
    )


def not_written(path: object, error: OSError) -> BadFileError:
    """Say why a file cannot be written."""
    return BadFileError(f"{path}: cannot be written ({error.strerror or error})")


_BY_NUMBER = {
    errno.ECONNREFUSED: Reason.PORT_REFUSED,
    errno.ETIMEDOUT: Reason.TIMED_OUT,
    errno.EACCES: Reason.NOT_ALLOWED,
    errno.EPERM: Reason.NOT_ALLOWED,
    errno.EBUSY: Reason.BUSY,
    errno.EADDRINUSE: Reason.BUSY,
    errno.ENOENT: Reason.NOT_THERE,
    errno.ENODEV: Reason.NOT_THERE,
    errno.ENXIO: Reason.NOT_THERE,
    errno.ENOTTY: Reason.NOT_THERE,
}


def system_reason(error: BaseException, otherwise: Reason) -> Reason:
    """Return what an error of the system means, by its number."""
    number = error.errno if isinstance(error, OSError) else None
    if number is None and isinstance(error, TimeoutError):
        return Reason.TIMED_OUT
    return _BY_NUMBER.get(number or 0, otherwise)
