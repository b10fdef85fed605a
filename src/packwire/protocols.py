"""The one registry of protocols: by name, imported when asked for."""

from collections.abc import Callable
from functools import cache

from packwire.errors import BadAddressError
from packwire.protocol.base import Protocol


def _vesc() -> Protocol:
    from packwire.vesc.protocol import VescProtocol  # noqa: PLC0415 - only what is asked for is loaded

    return VescProtocol()


#: Protocols written in Python; all others are models.
_IN_PYTHON: dict[str, Callable[[], Protocol]] = {"vesc": _vesc}


@cache
def protocol(name: str) -> Protocol:
    """Return a protocol by name (`vesc`, or a model's). Raises BadAddressError that names the nearest."""
    make = _IN_PYTHON.get(name)
    if make is not None:
        return make()
    from packwire.models.load import library, model  # noqa: PLC0415 - YAML and pydantic

    if name not in library():
        names = (*_IN_PYTHON, *library())
        raise BadAddressError(f"there is no protocol {name!r}: {', '.join(sorted(names))}")
    return model(name)
