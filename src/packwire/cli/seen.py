"""The addresses that worked, the newest first: a cache for completion, in the user's cache folder.

A file that is missing or damaged costs nothing. No password is ever in it: the text of an address has none.
"""

import json
import os

from packwire.address import Address, LinkKind
from packwire.cli.known_nodes import cache_folder

_MOST = 30


def seen_addresses() -> list[str]:
    """Return them, the newest first; empty where there is no such file, or none that can be used."""
    try:
        content = json.loads((cache_folder() / "addresses.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):
        return []
    return [each for each in content if isinstance(each, str)][:_MOST] if isinstance(content, list) else []


def remember(address: Address) -> None:
    """Keep an address that worked; silently not where the cache cannot be written."""
    if address.link is LinkKind.SIM:
        return
    text = str(address)
    known = seen_addresses()
    if known[:1] == [text]:
        return
    file = cache_folder() / "addresses.json"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps([text, *(each for each in known if each != text)][:_MOST]))
        partial.replace(file)
    except (OSError, RuntimeError):
        return
