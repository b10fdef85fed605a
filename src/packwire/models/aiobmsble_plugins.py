"""The families that aiobmsble knows, taken from its plugins where it is installed: titles and advertisements.

Loading all plugins takes a third of a second, so what they say is kept in the user's cache, by the version of
aiobmsble.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from packwire import user_cache
from packwire.advertisement import Advertisement
from packwire.models.recognition import Pattern

_FILE = "aiobmsble-plugins.json"
#: Of the file: another one is made anew.
_FORM = 1
#: Answers for tests of aiobmsble's own.
_NOT_FOR_USERS = frozenset({"dummy_bms"})


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin of aiobmsble: `name` is its module, `secret` tells whether it takes a PIN or password."""

    name: str
    title: str
    secret: bool
    patterns: tuple[Pattern, ...]

    def recognises(self, seen: Advertisement) -> bool:
        """Tell whether a device advertises as this family does."""
        return any(pattern.fits(seen) for pattern in self.patterns)


@cache
def plugins() -> Mapping[str, Plugin]:
    """Return all plugins by name; none where aiobmsble is not installed."""
    from importlib import metadata  # noqa: PLC0415 - a fortieth of a second that only this should pay

    try:
        version = metadata.version("aiobmsble")
    except metadata.PackageNotFoundError:
        return {}
    kept = _kept(user_cache.load(_FILE), version)
    if kept is None:
        kept = _from_aiobmsble()
        user_cache.store(
            _FILE,
            {
                "form": _FORM,
                "version": version,
                "plugins": [
                    [each.name, each.title, each.secret, [_row(pattern) for pattern in each.patterns]]
                    for each in kept
                ],
            },
        )
    return {each.name: each for each in kept}


def plugin_for(seen: Advertisement) -> Plugin | None:
    """Return the plugin that recognises a device; of several the first by name, so that it is always one."""
    return next((each for _, each in sorted(plugins().items()) if each.recognises(seen)), None)


def _row(pattern: Pattern) -> list[Any]:
    *said, data = astuple(pattern)
    return [*said, data.hex()]


def _pattern(row: list[Any]) -> Pattern:
    name, service, service_data, address, manufacturer, data = row
    return Pattern(name, service, service_data, address, manufacturer, bytes.fromhex(data))


def _kept(content: Mapping[str, Any], version: str) -> list[Plugin] | None:
    if content.get("form") != _FORM or content.get("version") != version:
        return None
    try:
        return [
            Plugin(name, title, secret, tuple(map(_pattern, patterns)))
            for name, title, secret, patterns in content["plugins"]
        ]
    except (KeyError, TypeError, ValueError):  # a damaged cache is no cache
        return None


def _from_aiobmsble() -> list[Plugin]:
    found = []
    for _, name, _ in iter_modules(import_module("aiobmsble.bms").__path__):
        if not name.endswith("_bms") or name in _NOT_FOR_USERS:
            continue
        bms = import_module(f"aiobmsble.bms.{name}").BMS
        patterns = tuple(
            Pattern(
                each.get("local_name", ""),
                each.get("service_uuid", "").lower(),
                each.get("service_data_uuid"),
                each.get("oui", ""),
                each.get("manufacturer_id"),
                bytes(each.get("manufacturer_data_start", b"")),
            )
            for each in bms.matcher_dict_list()
        )
        found.append(Plugin(name, bms.bms_id(), bool(bms.accept_secret), patterns))
    return found
