"""A pack, a motor controller and what is done with them: the whole of the simulated physics."""

import random

from packwire.sim.motor import Motor
from packwire.sim.pack import STEP, USUAL_CELLS, Pack
from packwire.sim.scenario import RIDE, Doing, Scenario, Stretch, scenario_named

#: V of the lowest cell between which the controller takes less and less, as its battery cut-off does.
_CUT_START, _CUT_END = 3.3, 3.05
#: V of the highest cell between which it feeds back less and less.
_REGEN_START, _REGEN_END = 4.2, 4.25


class Vehicle:
    """Moves pack and motor together through a scenario; the same seed gives the same course.

    The course does not depend on how `advance` is called: ten times one second is once ten seconds.
    """

    def __init__(
        self,
        seed: int = 1,
        cells: int = USUAL_CELLS,
        scenario: Scenario | str = "rest",
        soc: float | None = None,
    ) -> None:
        self.scenario = scenario_named(scenario) if isinstance(scenario, str) else scenario
        self.pack = Pack(seed, cells, self.scenario.soc if soc is None else soc)
        self.motor = Motor(seed)
        self.motor.input_voltage = self.pack.voltage
        self._source = random.Random(seed + 2)
        self._owed = 0.0
        self._stretch = 0
        self._stretch_left = self.scenario.stretches[0].seconds
        self._pulse = 0
        self._pulse_left = RIDE[0].seconds
        self._strength = 1.0
        self._step()  # so that the very first reading is one of a running device

    def advance(self, seconds: float) -> int:
        """Let time pass; return the number of steps of STEP seconds that were made (the rest is kept)."""
        self._owed += seconds
        steps = int(self._owed / STEP + 1e-6)
        self._owed -= steps * STEP
        for _ in range(steps):
            self._step()
        return steps

    @property
    def doing(self) -> Doing:
        """What goes on now."""
        return self._current_stretch.doing

    @property
    def _current_stretch(self) -> Stretch:
        return self.scenario.stretches[self._stretch]

    def _step(self) -> None:
        pack, motor = self.pack, self.motor
        doing = self.doing
        if doing is Doing.RIDE and pack.soc < self.scenario.charge_below:
            self._next_stretch()
            doing = self.doing
        pack.connect_charger(connected=doing is Doing.CHARGE)
        # At rest and while charging the brake stops what still rolls.
        wanted = self._ride_current() if doing is Doing.RIDE else -40.0
        motor.step(
            wanted,
            pack.voltage,
            drive=_between(pack.lowest_cell, _CUT_END, _CUT_START),
            brake=_between(pack.highest_cell, _REGEN_END, _REGEN_START),
        )
        pack.step(motor.input_current)
        self._stretch_left -= STEP
        if self._stretch_left <= 0 and not (doing is Doing.CHARGE and self._low):
            self._next_stretch()

    @property
    def _low(self) -> bool:
        """Whether a charge goes on although its time is over: it would be empty again at once."""
        return self.pack.soc < self.scenario.charge_below + 0.3 and self.scenario.charge_below > 0

    def _next_stretch(self) -> None:
        self._stretch = (self._stretch + 1) % len(self.scenario.stretches)
        self._stretch_left = self._current_stretch.seconds

    def _ride_current(self) -> float:
        """Return the motor current that the rider asks for; no two rounds are quite the same."""
        self._pulse_left -= STEP
        if self._pulse_left <= 0:
            self._pulse = (self._pulse + 1) % len(RIDE)
            self._pulse_left = RIDE[self._pulse].seconds * self._source.uniform(0.8, 1.2)
            self._strength = self._source.uniform(0.75, 1.15)
        return RIDE[self._pulse].motor_current * self._strength


def _between(value: float, nothing: float, everything: float) -> float:
    """Return 0 at `nothing`, 1 at `everything`, and a straight line between them."""
    return min(1.0, max(0.0, (value - nothing) / (everything - nothing)))
