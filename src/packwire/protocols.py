"""The one registry of protocols: by name, imported when asked for."""

from collections.abc import Callable
from functools import cache

from packwire.errors import BadAddressError
from packwire.protocol.base import Protocol
from packwire.wire.family import Family


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


@cache
def families() -> tuple[Family, ...]:
    """Return the framings that are known, by family: of models, of VESC, and of families without a model.

    What is more certain comes first: a framing that may begin with any byte is the last.
    """
    from packwire.models.framings import FAMILIES  # noqa: PLC0415 - few need all of them
    from packwire.models.load import library, model_family  # noqa: PLC0415 - YAML
    from packwire.vesc.family import FAMILY  # noqa: PLC0415

    models = [model_family(name) for name in library()]
    return tuple(
        sorted((*models, *FAMILIES, FAMILY), key=lambda each: any(not one.start for one in each.framings))
    )
