"""Names for addresses, kept in the user's configuration folder; what is said of a bare address."""

import json
import re
from pathlib import Path
from shlex import quote
from typing import Final

from packwire.address import parse_address
from packwire.errors import BadAddressError, BadFileError, BadOptionError, not_written
from packwire.user_config import config_folder, write_json

VERSION: Final = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_BLUETOOTH = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")
_PORT = re.compile(r"(?:/dev/|COM\d+$|cu\.|tty)", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|localhost|\[?[0-9A-Fa-f]*:[0-9A-Fa-f:]+\]?", re.ASCII)


def names_file() -> Path:
    """Return where the names are kept."""
    return config_folder() / "names.json"


def load_names() -> dict[str, str]:
    """Return all names with their addresses. Raises BadFileError for a file that cannot be used."""
    file = names_file()
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadFileError(f"{file}: the names cannot be read ({error}); mend or remove it") from None
    match content:
        case {"version": int(version)} if version > VERSION:
            raise BadFileError(f"{file}: it was written by a newer packwire; update this one, or remove it")
        case {"version": int(), "names": dict(names)}:
            return {str(name): str(address) for name, address in names.items()}
    raise BadFileError(f"{file}: it holds no names of packwire; mend or remove it")


def save_names(names: dict[str, str]) -> None:
    """Keep the names. Raises BadFileError."""
    file = names_file()
    try:
        write_json(file, {"version": VERSION, "names": names})
    except OSError as error:
        raise not_written(file, error) from error


def check_name(name: str) -> None:
    """Raise BadOptionError for what cannot be a name."""
    if not _NAME.fullmatch(name):
        raise BadOptionError(f"{name!r} is no name: use letters, digits, - and _, such as van")


def address_of(text: str) -> str:
    """Return the address that a user means: itself, or what a name stands for.

    Raises BadAddressError with what to write where it is an address without its scheme, or a file.
    """
    if "://" in text or text.lower().startswith(("serial:", "sim:", "ble:", "can:")):
        return text
    if _NAME.fullmatch(text) and (address := load_names().get(text)):
        return address
    if Path(text).is_file():
        raise BadAddressError(
            f"{text} is a file: packwire doctor --log {quote(text)} says what is wrong in it"
        )
    if said := _bare(text):
        raise BadAddressError(said)
    if _NAME.fullmatch(text):
        raise BadAddressError(
            f"there is no name {text}: give it one (packwire name {text} vesc://HOST), or an address itself"
        )
    return text


def _bare(text: str) -> str:
    """Say how an address is written that lacks its scheme; empty where it looks like none."""
    if _BLUETOOTH.fullmatch(text):
        try:
            parse_address(f"ble://{text}")
        except BadAddressError:
            return (
                f"{text} is a Bluetooth address, and Bluetooth packs cannot be read live yet: record the "
                "vendor's app (packwire capture android) and look into that (packwire info FILE)"
            )
        return f"{text} is a Bluetooth address: write ble://{text}"
    if _PORT.match(text):
        return f"{text} is a serial port: write serial:{text}"
    host, at, rest = text.rpartition("@")
    if at:
        shown = host.partition(":")[0]  # what stands behind a colon may be a password
        return f"a device at a hub is written veschub://{shown}@{rest}"
    place = text.partition("/")[0]
    if _HOST.fullmatch(place) or _HOST.fullmatch(place.rpartition(":")[0]):
        return (
            f"{text} does not say what is there: did you mean vesc://{text}? packwire scan lists what is here"
        )
    return ""
