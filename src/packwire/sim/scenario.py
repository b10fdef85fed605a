"""What a simulated vehicle is doing, as data: standing, riding in pulses, charging, or these in turn."""

from dataclasses import dataclass
from enum import StrEnum

from packwire.errors import BadOptionError


class Doing(StrEnum):
    """What goes on during a stretch of time."""

    REST = "rest"
    RIDE = "ride"
    CHARGE = "charge"


@dataclass(frozen=True, slots=True)
class Stretch:
    """`doing` for so many seconds; a scenario begins again after its last stretch."""

    doing: Doing
    seconds: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """Stretches in turn; `soc` is the state of charge to start with (0..1, None: rested at 4.196 V a cell).

    Below `charge_below` a ride becomes a charge, so that a scenario can go on for ever.
    """

    name: str
    summary: str
    stretches: tuple[Stretch, ...]
    soc: float | None = None
    charge_below: float = 0.0


@dataclass(frozen=True, slots=True)
class Pulse:
    """A motor current in A for so many seconds; negative brakes and feeds back."""

    seconds: float
    motor_current: float


#: One round of riding: away from the lights, along, a corner, on, and to a stop.
RIDE = (
    Pulse(1.5, 40.0),
    Pulse(5.0, 110.0),
    Pulse(9.0, 28.0),
    Pulse(2.5, -35.0),
    Pulse(4.0, 80.0),
    Pulse(7.0, 24.0),
    Pulse(6.0, -60.0),
    Pulse(3.0, 0.0),
)

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("rest", "the pack stands, fully charged", (Stretch(Doing.REST, 3600.0),)),
        Scenario("ride", "pulses of current, and current back while braking", (Stretch(Doing.RIDE, 3600.0),)),
        Scenario(
            "charge",
            "constant current, then constant voltage, then full",
            (Stretch(Doing.CHARGE, 3600.0),),
            soc=0.4,
        ),
        Scenario(
            "cycle",
            "rest, ride, rest and charge in turn",
            (
                Stretch(Doing.REST, 10.0),
                Stretch(Doing.RIDE, 90.0),
                Stretch(Doing.REST, 15.0),
                Stretch(Doing.CHARGE, 65.0),
            ),
            charge_below=0.25,
        ),
    )
}


def scenario_named(name: str) -> Scenario:
    """Return a scenario; raise BadOptionError with those there are."""
    try:
        return SCENARIOS[name]
    except KeyError:
        raise BadOptionError(f"there is no scenario {name!r}: there are {', '.join(SCENARIOS)}") from None
