"""The addresses that worked, the newest first: a cache for completion. No password is ever in it."""

from typing import Final

from packwire import user_cache
from packwire.address import Address, LinkKind

_FILE: Final = "addresses.json"
_MOST: Final = 30


def seen_addresses() -> list[str]:
    """Return them, the newest first; empty where there is no such file, or none that can be used."""
    content = user_cache.load(_FILE).get("addresses")
    return [each for each in content if isinstance(each, str)][:_MOST] if isinstance(content, list) else []


def remember(address: Address) -> None:
    """Keep an address that worked; silently not where the cache cannot be written."""
    text = str(address)  # which has no password
    known = seen_addresses()
    if address.link is not LinkKind.SIM and known[:1] != [text]:
        kept = [text, *(each for each in known if each != text)][:_MOST]
        user_cache.store(_FILE, {"version": 1, "addresses": kept})
