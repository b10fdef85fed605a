"""Where a hub's password comes from; it is never printed, nor put into an error.

A Bluetooth pack's PIN is in the address, or in the variable PACKWIRE_PIN. The key of a Bluetooth proxy's API,
where it has one, is in the variable PACKWIRE_PROXY_KEY, or in the keyring (service `packwire`, user `host`).

In this order: the address itself, the variable PACKWIRE_PASSWORD, a file (option or variable
PACKWIRE_PASSWORD_FILE), the system's keyring (service `packwire`, user `ID@host`), a prompt.
"""

import contextlib
import getpass
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from packwire.address import Address, BluetoothProxy, LinkKind
from packwire.errors import BadAddressError, BadOptionError, Reason

VARIABLE = "PACKWIRE_PASSWORD"
PIN_VARIABLE = "PACKWIRE_PIN"
KEY_VARIABLE = "PACKWIRE_PROXY_KEY"
FILE_VARIABLE = "PACKWIRE_PASSWORD_FILE"
SERVICE = "packwire"


def with_password(address: Address, password_file: Path | None = None) -> Address:
    """Return a hub address with its password, a Bluetooth address with PIN and key; others as they are.

    Raises BadAddressError where there is none, and BadOptionError for a file that cannot be read.
    """
    if address.link is LinkKind.BLE:
        pin = os.environ.get(PIN_VARIABLE) or None if address.pin is None else address.pin
        return replace(address, pin=pin, proxy=address.proxy and with_key(address.proxy))
    if address.link is not LinkKind.HUB or address.password is not None:
        return address
    password = os.environ.get(VARIABLE)
    if password is None:
        password = _from_file(password_file)
    if password is None:
        password = _from_keyring(f"{address.user}@{address.host}")
    if password is None:
        password = _from_prompt(address)
    return replace(address, password=password)


def with_key(proxy: BluetoothProxy) -> BluetoothProxy:
    """Return a Bluetooth proxy with the key of its API, where one is kept."""
    return replace(proxy, key=os.environ.get(KEY_VARIABLE) or _from_keyring(str(proxy)))


def _from_file(option: Path | None) -> str | None:
    named = option or (Path(os.environ[FILE_VARIABLE]) if os.environ.get(FILE_VARIABLE) else None)
    if named is None:
        return None
    try:
        return named.read_text().splitlines()[0]
    except (OSError, UnicodeDecodeError) as error:
        raise BadOptionError(f"the password file {named} cannot be read: {error}") from None
    except IndexError:
        raise BadOptionError(f"the password file {named} is empty") from None


def _from_keyring(user: str) -> str | None:
    try:
        import keyring  # noqa: PLC0415 - slow to import, and an extra
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        return keyring.get_password(SERVICE, user)
    except (KeyringError, RuntimeError):
        return None


def _keyring_advice(address: Address) -> str:
    if find_spec("keyring") is None:
        return "give --password-file"
    return f"store it with `keyring set {SERVICE} {address.user}@{address.host}`"


@contextlib.contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let the first Ctrl-C end a prompt: a running event loop would take it, and wait for the prompt."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _from_prompt(address: Address) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        raise BadAddressError(
            f"{address} needs its password: set {VARIABLE} or {FILE_VARIABLE}, or {_keyring_advice(address)}",
            reason=Reason.NO_PASSWORD,
        )
    try:
        with _ended_by_ctrl_c():
            return getpass.getpass(f"Password of {address.user} at {address.host}: ")
    except EOFError:
        raise BadAddressError(
            f"{address} needs its password, and none was typed", reason=Reason.NO_PASSWORD
        ) from None
