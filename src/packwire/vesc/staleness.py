"""A BMS that vanished keeps its last values for ever: a VESC repeats them without a word of their age.

No clock in the protocol tells it, so it is judged from outside: nothing in the BMS reply moves, though the
motor's current does, or though a time that the user set has passed.
"""

from dataclasses import dataclass, field

#: The motor's current has moved when it differs by this much, in A: more than a controller's noise at rest.
MOTOR_STEP = 1.0
#: So long must nothing have moved, and so often must it have been looked at, before the motor's current is
#: held against it: a BMS sends its values over CAN a few times a second at the slowest.
LEAST_SECONDS = 3.0
LEAST_READINGS = 4


@dataclass(slots=True)
class StaleWatch:
    """Judges each BMS reply in turn; `stale_after` in seconds, None to go by the motor alone."""

    stale_after: float | None = None
    _payload: bytes = b""
    _since: float = 0.0
    _readings: int = 0
    _currents: dict[str, tuple[float, float]] = field(default_factory=dict)

    def judge(self, payload: bytes, now: float) -> str:
        """Take a BMS reply at `now` (s, any monotonic clock); say why it is stale, or ''."""
        if payload != self._payload:
            self._payload, self._since, self._readings = payload, now, 0
            self._currents.clear()
        self._readings += 1
        unmoved = now - self._since
        if self.stale_after is not None and unmoved >= self.stale_after:
            return f"no value of the BMS has moved for {unmoved:.0f} s"
        swing = max((high - low for low, high in self._currents.values()), default=0.0)
        if unmoved >= LEAST_SECONDS and self._readings >= LEAST_READINGS and swing >= MOTOR_STEP:
            return (
                f"no value of the BMS has moved for {unmoved:.0f} s, while the motor's input current moved "
                f"by {swing:.1f} A: the BMS is gone, and the VESC repeats its last values"
            )
        return ""

    def motor_current(self, controller: str, amperes: float) -> None:
        """Take the input current of one controller."""
        low, high = self._currents.get(controller, (amperes, amperes))
        self._currents[controller] = (min(low, amperes), max(high, amperes))
