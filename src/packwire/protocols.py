"""The one registry of protocols: by name, imported when asked for."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from packwire.errors import BadAddressError, BadFileError
from packwire.models.store import Source, sources
from packwire.protocol.base import Gatt, Protocol

if TYPE_CHECKING:  # each is loaded by who asks for it
    from packwire.advertisement import Advertisement
    from packwire.protocol.announcing import Announcing
    from packwire.protocol.observing import Observer
    from packwire.protocol.words import Words
    from packwire.wire.family import Family


def _vesc() -> Protocol:
    from packwire.vesc.protocol import VescProtocol  # noqa: PLC0415 - only what is asked for is loaded

    return VescProtocol()


#: Protocols written in Python; all others are models.
_IN_PYTHON: dict[str, Callable[[], Protocol]] = {"vesc": _vesc}


def protocol_names() -> tuple[str, ...]:
    """Return the names of all protocols."""
    return tuple(sorted((*_IN_PYTHON, *sources())))


def protocol(name: str) -> Protocol:
    """Return a protocol by name (`vesc`, or a model's), or by the file of a model or a DBC.

    Raises BadAddressError that lists those there are, BadFileError for a model of the user's that is wrong.
    """
    if name in _IN_PYTHON:
        return _in_python(name)
    if name.lower().endswith(".dbc"):
        return _of_dbc(name)
    from packwire.models.load import model, read_file  # noqa: PLC0415 - reading a VESC needs no models

    if name.lower().endswith((".yaml", ".yml")):
        return read_file(Path(name))
    if name not in sources():
        from difflib import get_close_matches  # noqa: PLC0415 - for an error

        nearest = get_close_matches(name, protocol_names(), 1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"there is {', '.join(protocol_names())}"
        raise BadAddressError(f"there is no protocol {name!r}: {hint}")
    return model(name)


@cache
def _of_dbc(path: str) -> Protocol:
    from packwire.models.dbc import dbc_model  # noqa: PLC0415 - few have one

    return dbc_model(Path(path))


@cache
def observer(name: str) -> "Observer":
    """Return what is known of a protocol by those who only hear it. Raises BadAddressError as `protocol`."""
    if name == "vesc":
        from packwire.vesc.observer import VescObserver  # noqa: PLC0415 - only what is asked for is loaded

        return VescObserver(protocol(name))
    from packwire.models.listening import observer_of  # noqa: PLC0415

    return observer_of(protocol(name))


@cache
def words(name: str) -> "Words":
    """Return a protocol's words for its messages. Raises BadAddressError as `protocol`."""
    if name == "vesc":
        from packwire.vesc.words import VescWords  # noqa: PLC0415 - only what is asked for is loaded

        return VescWords(protocol(name))
    from packwire.models.listening import words_of  # noqa: PLC0415

    return words_of(protocol(name))


def _in_python(name: str) -> Protocol:
    return _IN_PYTHON[name]()


def usable() -> Iterator[Protocol]:
    """Yield all protocols; models of the user's that are wrong are left out."""
    for name in protocol_names():
        with suppress(BadFileError):
            yield protocol(name)


def recognised(seen: "Advertisement") -> tuple[Protocol, ...]:
    """Return the protocols, by name, that a device with such an advertisement speaks; mostly one or none."""
    return tuple(each for each in usable() if each.recognises(seen))


def announcing() -> "tuple[Announcing, ...]":
    """Return how devices announce themselves on the network, of all protocols whose devices do."""
    own = (protocol(name).announcing for name in _IN_PYTHON)
    return tuple(each for each in own if each is not None)


def families() -> "tuple[Family, ...]":
    """Return the framings that are known, by family: of models, of VESC, and of families without a model.

    What is more certain comes first: a framing that may begin with any byte is the last. Those without a
    checksum are left out: see `families_at`.
    """
    return _families(tuple(sources().values()))


def families_unchecked() -> "tuple[Family, ...]":
    """Return the families without checksums, wherever they are spoken."""
    return tuple(each for each, _ in _unchecked(tuple(sources().values())))


def families_at(notify: str) -> "tuple[tuple[Family, str], ...]":
    """Return the families without checksums that are spoken where this characteristic notifies, if any.

    Each with the characteristic that is written to. Their frames are to be looked for at no other place: they
    would be found in anything.
    """
    return tuple(
        (each, gatt.write)
        for each, places in _unchecked(tuple(sources().values()))
        for gatt in places
        if gatt.notify == notify and gatt.write
    )


@cache
def _unchecked(_: tuple[Source, ...]) -> "tuple[tuple[Family, tuple[Gatt, ...]], ...]":
    from packwire.models.load import unchecked_places  # noqa: PLC0415 - reading a VESC needs no models

    return unchecked_places()


@cache
def _families(_: tuple[Source, ...]) -> "tuple[Family, ...]":
    from packwire.models.framings import FAMILIES  # noqa: PLC0415 - few need all of them
    from packwire.models.load import model_families  # noqa: PLC0415
    from packwire.vesc.family import FAMILY  # noqa: PLC0415

    known = (*model_families(), *FAMILIES, FAMILY)
    checked = (
        replace(each, framings=tuple(one for one in each.framings if one.check is not None)) for each in known
    )
    return tuple(
        sorted(
            (each for each in checked if each.framings),
            key=lambda each: any(not one.start for one in each.framings),
        )
    )
