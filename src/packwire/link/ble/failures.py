"""Why Bluetooth does not work, in one line: from bleak's errors to ours, decided by types and codes.

D-Bus names are those of BlueZ [its doc/org.bluez.*.rst] and of the D-Bus specification.
"""

from pathlib import Path
from typing import Final

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bleak_retry_connector import BleakNotFoundError, BleakOutOfConnectionSlotsError

from packwire.advertisement import is_weak
from packwire.errors import GoneError, PackwireError, Reason, UnreachableError
from packwire.visible import printable

_SHOWN = 160

#: Everything that bleak, D-Bus and the waits around them may raise.
FAILURES: Final = (BleakError, OSError, EOFError, TimeoutError, KeyError, AttributeError, AssertionError)

_NOT_PAIRED = (
    "wants to be paired first: do that in the system's Bluetooth settings (Linux: bluetoothctl pair "
    "ADDRESS), and try again"
)
#: BlueZ says `Notify acquired` or `Write acquired` where another program here holds the characteristic;
#: other refusals (`Write not permitted`) have an error of the same name.
_ACQUIRED: Final = " acquired"
#: D-Bus error -> what it means.
_DBUS: Final[dict[str, tuple[Reason, str]]] = {
    "org.freedesktop.DBus.Error.ServiceUnknown": (
        Reason.NO_BLUETOOTH,
        "the Bluetooth service (bluetoothd of BlueZ) does not run: systemctl start bluetooth",
    ),
    "org.freedesktop.DBus.Error.NameHasNoOwner": (
        Reason.NO_BLUETOOTH,
        "the Bluetooth service (bluetoothd of BlueZ) has ended: systemctl start bluetooth",
    ),
    "org.freedesktop.DBus.Error.NoReply": (
        Reason.TIMED_OUT,
        "the Bluetooth service (bluetoothd of BlueZ) does not answer: systemctl restart bluetooth",
    ),
    "org.freedesktop.DBus.Error.AccessDenied": (
        Reason.NOT_ALLOWED,
        "this user may not use Bluetooth: add them to the group bluetooth, and log in again",
    ),
    "org.bluez.Error.InProgress": (
        Reason.BUSY,
        "another program is just connecting or scanning on this adapter; try again, or close it",
    ),
    "org.bluez.Error.NotReady": (Reason.POWERED_OFF, "the Bluetooth adapter is off, or just restarts"),
    "org.bluez.Error.NotAuthorized": (Reason.NOT_PAIRED, _NOT_PAIRED),
    "org.bluez.Error.AuthenticationFailed": (Reason.NOT_PAIRED, "refused to be paired: is its PIN right?"),
    "org.bluez.Error.AuthenticationRejected": (Reason.NOT_PAIRED, "refused to be paired: is its PIN right?"),
    "org.bluez.Error.NotConnected": (Reason.CLOSED, "the connection broke off"),
    "org.freedesktop.DBus.Error.UnknownObject": (
        Reason.CLOSED,
        "it went out of reach, or the Bluetooth adapter was restarted",
    ),
}
#: D-Bus error -> what logs call it: the codes of `packwire.capture.events`.
_CODES: Final[dict[str, str]] = {
    "org.freedesktop.DBus.Error.ServiceUnknown": "bluez-missing",
    "org.freedesktop.DBus.Error.NameHasNoOwner": "bluez-missing",
    "org.freedesktop.DBus.Error.NoReply": "bluez-hung",
    "org.freedesktop.DBus.Error.AccessDenied": "dbus-rejected",
    "org.bluez.Error.InProgress": "in-progress",
    "org.bluez.Error.NotReady": "not-ready",
    "org.bluez.Error.NotPermitted": "not-permitted",
    "org.bluez.Error.NotAuthorized": "security",
    "org.bluez.Error.NotSupported": "not-permitted",
    "org.bluez.Error.AuthenticationFailed": "pairing-failed",
    "org.bluez.Error.AuthenticationRejected": "pairing-failed",
    "org.bluez.Error.AuthenticationCanceled": "pairing-failed",
    "org.freedesktop.DBus.Error.UnknownObject": "removed-from-bus",
}
#: What BlueZ says in a general error, for the few sentences that tell something.
_SAID: Final = (
    (_ACQUIRED, "notify-acquired"),
    ("le-connection-abort-by-local", "abort-by-local"),
    ("le-connection-abort-by-remote", "abort-by-remote"),
    ("br-connection-", "connect-failed"),
    ("Not connected", "not-connected"),
    ("failed to discover services", "discovery-failed"),
)
#: What bleak-esphome says, for the sentences that tell something.
_SAID_BY_PROXY: Final = (
    ("No free BLE connection slot", "no-slot"),
    ("Timeout waiting for connect response", "proxy-link-timeout"),
    ("Error ESP_GATT_ERROR while connecting", "status-133"),
    ("Error ESP_GATT_CONN_FAIL_ESTABLISH while connecting", "no-link"),
    ("Error ESP_GATT_CONN_CONN_CANCEL while connecting", "no-link"),
)
_ABSENT: Final = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: "no-adapter",
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: "no-adapter",
    BleakBluetoothNotAvailableReason.POWERED_OFF: "not-ready",
}
_UNAVAILABLE: Final = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: (
        Reason.NO_BLUETOOTH,
        "there is no Bluetooth adapter: plug one in (in a container or virtual machine, pass it through)",
    ),
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: (
        Reason.NO_BLUETOOTH,
        "the Bluetooth adapter cannot do Low Energy: take another one",
    ),
    BleakBluetoothNotAvailableReason.POWERED_OFF: (Reason.POWERED_OFF, ""),  # see `_power`
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: (
        Reason.NOT_ALLOWED,
        "Bluetooth was not allowed to this program: allow it in the system's privacy settings",
    ),
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: (
        Reason.NOT_ALLOWED,
        "the system does not let this user use Bluetooth (its D-Bus refuses)",
    ),
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: (
        Reason.NOT_ALLOWED,
        "Bluetooth is not allowed to this program: look into the system's privacy settings",
    ),
}
_PAIRING_NEEDED: Final = frozenset(
    {
        BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION,
        BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHORIZATION,
        BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION,
        BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION_KEY_SIZE,
    }
)
RFKILL = Path("/sys/class/rfkill")


def no_scan(error: BaseException, adapter: str = "") -> PackwireError:
    """Say why nothing can be listened for."""
    reason, words = _meaning(error)
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        reason, words = Reason.NO_BLUETOOTH, "the system's D-Bus, by which it is used, does not run"
    elif isinstance(error, PermissionError):
        reason, words = Reason.NOT_ALLOWED, "this user may not use the system's D-Bus"
    elif adapter and type(error) is BleakError and "not found" in str(error):
        reason, words = Reason.NO_BLUETOOTH, f"there is no adapter {adapter}; bluetoothctl list shows them"
    if reason is Reason.NO_BLUETOOTH:
        return UnreachableError(f"no Bluetooth here: {words}", reason=reason)
    return UnreachableError(f"Bluetooth cannot be used: {words}", reason=reason)


def unusable(adapter: str, *, off: bool = False, classic: bool = False) -> PackwireError:
    """Say why no adapter can be used, where the system tells of them."""
    if off:
        return UnreachableError(
            f"the Bluetooth adapter {adapter} cannot be used: {_power()}", reason=Reason.POWERED_OFF
        )
    reason = (
        BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE
        if classic
        else BleakBluetoothNotAvailableReason.NO_BLUETOOTH
    )
    words = _UNAVAILABLE[reason][1]
    if adapter and not classic:
        words = f"there is no adapter {adapter}; bluetoothctl list shows them"
    return UnreachableError(f"no Bluetooth here: {words}", reason=Reason.NO_BLUETOOTH)


def is_blocked() -> bool:
    """Tell whether a switch of this computer blocks Bluetooth (rfkill)."""
    return "block" in _power()


def no_connection(error: BaseException, who: str, rssi: int | None, seconds: float) -> PackwireError:
    """Say why a device that was seen is not connected to."""
    cause = _root(error)
    if isinstance(cause, BleakBluetoothNotAvailableError) or _is_of_system(cause):
        return no_scan(cause)
    if isinstance(error, BleakOutOfConnectionSlotsError):
        return UnreachableError(
            f"{who}: the adapter (or proxy) holds as many connections as it can; close another one",
            reason=Reason.BUSY,
        )
    strength = "" if rssi is None else f" at {rssi} dBm"
    near = "go nearer: the signal is weak" if is_weak(rssi) else "go nearer"
    if isinstance(cause, TimeoutError) or isinstance(error, BleakNotFoundError | BleakDeviceNotFoundError):
        return UnreachableError(
            f"{who} was seen{strength}, but no connection came about within {seconds:.0f} s; {near}, and end "
            "its connection to an app, for most packs take one at a time",
            reason=Reason.OUT_OF_RANGE,
        )
    reason, words = _meaning(cause)
    if reason in {Reason.CLOSED, Reason.UNEXPECTED}:
        return UnreachableError(
            f"{who} was seen{strength}, and the connection failed ({words}); {near}, or try again",
            reason=Reason.OUT_OF_RANGE,
        )
    return UnreachableError(f"{who}: {words}", reason=reason)


def broken(error: BaseException, who: str) -> PackwireError:
    """Say why a connection that was there can no longer be used."""
    cause = _root(error)
    if isinstance(cause, BleakBluetoothNotAvailableError):
        return no_scan(cause)
    reason, words = _meaning(cause)
    if isinstance(cause, TimeoutError):
        return GoneError(f"{who} no longer takes what is sent to it", reason=Reason.FELL_SILENT)
    if reason is Reason.NOT_PAIRED:
        return UnreachableError(f"{who} {words}", reason=reason)
    return GoneError(f"{who}: {words}", reason=Reason.CLOSED if reason is Reason.UNEXPECTED else reason)


def code_of(error: BaseException, otherwise: str) -> tuple[str, dict[str, str]]:
    """Return what an error is called where logs tell of it, with its numbers; `otherwise` where by no name.

    A refusal by the device (ATT) is a `gatt-error` with its code.
    """
    cause = _root(error)
    if isinstance(error, BleakOutOfConnectionSlotsError):
        return "no-slot", {}
    if isinstance(cause, BleakBluetoothNotAvailableError):
        return _ABSENT.get(cause.reason, "dbus-rejected"), {}
    if isinstance(cause, BleakGATTProtocolError):
        code = int(cause.code)
        named = {1: "wrong-handle", 3: "not-permitted", 14: "unlikely"}.get(code, "gatt-error")
        return named, {"error": str(code), "description": cause.code.name.lower().replace("_", " ")}
    if isinstance(cause, BleakDBusError):
        for words, code_of_words in _SAID:
            if words in str(cause):
                return code_of_words, {}
        return _CODES.get(cause.dbus_error, otherwise), {}
    if type(cause) in {BleakError, TimeoutError}:
        return next((code for words, code in _SAID_BY_PROXY if words in str(cause)), otherwise), {}
    if isinstance(cause, FileNotFoundError | ConnectionRefusedError):
        return "dbus-missing", {}
    if isinstance(cause, PermissionError):
        return "dbus-rejected", {}
    return otherwise, {}


def _root(error: BaseException) -> BaseException:
    """Return what lies below the retry connector's errors, which only repeat its words."""
    while error.__cause__ is not None and type(error).__module__.startswith("bleak_retry_connector"):
        error = error.__cause__
    return error


def _is_of_system(error: BaseException) -> bool:
    named = isinstance(error, BleakDBusError) and _DBUS.get(error.dbus_error, (Reason.CLOSED,))[0]
    return named in {Reason.NO_BLUETOOTH, Reason.NOT_ALLOWED, Reason.POWERED_OFF}


def _meaning(error: BaseException) -> tuple[Reason, str]:
    if isinstance(error, BleakBluetoothNotAvailableError):
        reason, words = _UNAVAILABLE.get(error.reason, (Reason.NO_BLUETOOTH, words_of(error)))
        return reason, words or _power()
    if isinstance(error, BleakDBusError) and _ACQUIRED in str(error):
        return Reason.BUSY, "another program on this computer receives what it notifies; end that one"
    if isinstance(error, BleakDBusError) and error.dbus_error in _DBUS:
        return _DBUS[error.dbus_error]
    if isinstance(error, BleakGATTProtocolError) and error.code in _PAIRING_NEEDED:
        return Reason.NOT_PAIRED, _NOT_PAIRED
    if isinstance(error, EOFError | BrokenPipeError | ConnectionResetError):
        return Reason.CLOSED, "the system's Bluetooth service broke off; did it restart?"
    if isinstance(error, TimeoutError):
        return Reason.TIMED_OUT, "the system's Bluetooth did not answer in time"
    if isinstance(error, PermissionError):
        return Reason.NOT_ALLOWED, "this user may not use Bluetooth"
    return Reason.UNEXPECTED, words_of(error)


def _power() -> str:
    """Say whether the adapter is blocked, or only off."""
    try:
        switches = [each for each in RFKILL.iterdir() if _read(each / "type") == "bluetooth"]
    except OSError:
        switches = []
    if any(_read(each / "hard") == "1" for each in switches):
        return "a switch of this computer (rfkill, hardware) blocks it"
    if any(_read(each / "soft") == "1" for each in switches):
        return "it is blocked: rfkill unblock bluetooth"
    return "it is off: turn it on (Linux: bluetoothctl power on)"


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def words_of(error: BaseException) -> str:
    """Return what the system said, in one line that can be shown."""
    if isinstance(error, TimeoutError) and not str(error):
        return "not in time"
    if isinstance(error, BleakGATTProtocolError):
        return f"the device refuses it ({error.code.name.lower().replace('_', ' ')})"
    said = str(error.args[0] if isinstance(error, BleakBluetoothNotAvailableError) else error)
    return printable(" ".join(said.split()))[:_SHOWN] or type(error).__name__
