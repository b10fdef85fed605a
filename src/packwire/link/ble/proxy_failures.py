"""Why a Bluetooth proxy gives nothing, in one line: from aioesphomeapi's errors to ours, decided by types."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from bleak.exc import BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode

from packwire.address import BluetoothProxy
from packwire.errors import Reason, UnreachableError, system_reason

#: Seconds for a pack's list of services; it takes a few where the radio is weak.
SERVICES_TIMEOUT = 15.0
#: What a device may refuse.
_ASKED: Final = (
    *("read_gatt_char", "read_gatt_descriptor", "write_gatt_char", "write_gatt_descriptor", "start_notify"),
)


def unreachable(error: BaseException, proxy: BluetoothProxy) -> UnreachableError:
    """Say why an ESPHome device's API cannot be opened."""
    from aioesphomeapi import core  # noqa: PLC0415 - loaded already

    who, ring, own = f"the proxy {proxy}", f"packwire {proxy}", "api: encryption: key: of its configuration"
    known: tuple[tuple[type[BaseException], Reason, str], ...] = (
        (
            core.EncryptionPlaintextAPIError,
            Reason.WRONG_PASSWORD,
            f"{who} has no encryption: take PACKWIRE_PROXY_KEY away (or keyring del {ring})",
        ),
        (
            core.InvalidEncryptionKeyAPIError,
            Reason.WRONG_PASSWORD,
            f"{who} does not take the key: compare PACKWIRE_PROXY_KEY (or keyring get {ring}) with {own}",
        ),
        (
            core.RequiresEncryptionAPIError,
            Reason.NO_PASSWORD,
            f"{who} wants a key: set PACKWIRE_PROXY_KEY to {own}, or store it by keyring set {ring}",
        ),
        (
            core.InvalidAuthAPIError,
            Reason.NO_PASSWORD,
            f"{who} wants a password, which older versions of ESPHome had: give its API a key in its place",
        ),
        (
            core.ResolveAPIError,
            Reason.UNKNOWN_NAME,
            f"the name {proxy.host} is not known here: is the ESPHome device on, and in this network?",
        ),
    )
    for kind, reason, words in known:
        if isinstance(error, kind):
            return UnreachableError(words, reason=reason)
    cause = _cause(error)
    if isinstance(cause, ConnectionRefusedError):
        return UnreachableError(
            f"nothing listens on port {proxy.port} of {proxy.host}: is it an ESPHome device, with api: in "
            "its configuration?",
            reason=Reason.PORT_REFUSED,
        )
    if isinstance(error, TimeoutError | core.TimeoutAPIError) or isinstance(cause, TimeoutError):
        return UnreachableError(
            f"{who} does not answer: is it on, in this network, and not behind a guest network or VLAN?",
            reason=Reason.TIMED_OUT,
        )
    if isinstance(error, core.SocketAPIError) and isinstance(cause, OSError):
        return UnreachableError(
            f"{who} is not reached: {cause.strerror or 'no way'}; is it on, and in this network?",
            reason=system_reason(cause, Reason.NO_ROUTE),
        )
    return UnreachableError(
        f"{who} does not speak ESPHome's API, or ended the connection", reason=Reason.FOREIGN
    )


def _cause(error: BaseException) -> BaseException:
    """Return the error of the system below those of aioesphomeapi."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError):
            return below
        below = below.__cause__ or below.__context__
    return error


def services_in_time(client: Any, proxy: BluetoothProxy) -> dict[str, Any]:
    """Return aioesphomeapi's method, which then gives up sooner, and for good.

    By a BleakError it would be tried again, and take as long each time.
    """

    async def bluetooth_gatt_get_services(self: Any, address: int) -> Any:
        try:
            async with asyncio.timeout(SERVICES_TIMEOUT):
                return await client.bluetooth_gatt_get_services(self, address)
        except TimeoutError as error:
            raise UnreachableError(
                f"the proxy {proxy} is connected to it, and did not say what it has within"
                f" {SERVICES_TIMEOUT:.0f} s; restart the proxy, and put it nearer",
                reason=Reason.TIMED_OUT,
            ) from error

    return {"bluetooth_gatt_get_services": bluetooth_gatt_get_services}


def told_as_of_bluez(client: type) -> dict[str, Any]:
    """Return bleak-esphome's methods, which then raise what BlueZ's do where the device itself refuses."""
    return {name: _told(getattr(client, name)) for name in _ASKED}


def _told(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def told(*args: Any, **kwargs: Any) -> Any:
        try:
            return await method(*args, **kwargs)
        except BleakError as error:
            code: Any = getattr(getattr(error.__cause__, "error", None), "error", None)
            try:  # an ESP32's numbers up to 0x7f are those of ATT [Vol 3, Part F, 3.4.1.1]
                refused = BleakGATTProtocolError(BleakGATTProtocolErrorCode(code))
            except ValueError:
                raise error from error.__cause__
            raise refused from error

    return told
