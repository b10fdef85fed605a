"""What a model can be exported to: one row a target."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from packwire.errors import BadOptionError
from packwire.export.exported import Exported, Over
from packwire.models.protocol import ModelProtocol

type Target = Literal["wireshark", "dbc", "esphome", "aiobmsble", "html"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants of an export: the link that it is for, the address of the pack on a line."""

    over: Over | None = None
    unit: int | None = None


def export(model: ModelProtocol, target: Target, wish: Wish) -> Exported:
    """Return a model in another form. Raises BadOptionError where it cannot have that, or not so."""
    if wish.over is not None and target != "esphome":
        raise BadOptionError(f"--over is for esphome: {target} is the same on every link")
    if wish.unit is not None and target not in _ADDRESSED:
        raise BadOptionError(f"--unit is for {', '.join(_ADDRESSED)}: {target} takes all addresses")
    return _TARGETS[target](model, wish)


def _wireshark(model: ModelProtocol, _: Wish) -> Exported:
    from packwire.export.wireshark import wireshark  # noqa: PLC0415 - each target when it is asked for

    return wireshark(model)


def _dbc(model: ModelProtocol, wish: Wish) -> Exported:
    from packwire.export.dbc import dbc  # noqa: PLC0415

    return dbc(model, wish.unit)


def _esphome(model: ModelProtocol, wish: Wish) -> Exported:
    from packwire.export.esphome import esphome  # noqa: PLC0415

    return esphome(model, wish.over, wish.unit)


def _aiobmsble(model: ModelProtocol, wish: Wish) -> Exported:
    from packwire.export.aiobmsble import aiobmsble  # noqa: PLC0415

    return aiobmsble(model, wish.unit)


def _html(model: ModelProtocol, _: Wish) -> Exported:
    from packwire.export.sheet import sheet  # noqa: PLC0415

    return sheet(model)


_TARGETS: Final[dict[Target, Callable[[ModelProtocol, Wish], Exported]]] = {
    "wireshark": _wireshark,
    "dbc": _dbc,
    "esphome": _esphome,
    "aiobmsble": _aiobmsble,
    "html": _html,
}
#: Targets that ask a pack.
ASKING: Final = ("esphome", "aiobmsble")
_ADDRESSED: Final = ("dbc", *ASKING)
