"""A motor controller and what it drives: an electric motorcycle's hub motor, pushed by a motor current.

Pure, like the pack. Currents are positive while the motor is driven; the input current is what it draws from
the pack, so it is negative while braking feeds back.
"""

import math
from collections.abc import Container

from packwire.sim.pack import AMBIENT, STEP, Noise

POLE_PAIRS = 15
FLUX_LINKAGE = 0.025
"""Wb."""
PHASE_RESISTANCE = 0.018
"""Ohm."""
WHEEL_RADIUS = 0.25
MASS = 170.0
"""kg, with its rider."""
MAX_DUTY = 0.95
IDLE_CURRENT = 0.06
"""A that the controller's own electronics draw."""
CURRENT_SLOPE = 250.0
"""A/s: how fast the motor current follows what is asked for."""
HARNESS_RESISTANCE = 0.004
"""Ohm between pack and controller."""

_NEWTON_PER_AMPERE = 1.5 * POLE_PAIRS * FLUX_LINKAGE / WHEEL_RADIUS
_STEPS_PER_METRE = 6 * POLE_PAIRS / (2 * math.pi * WHEEL_RADIUS)
_FET_HEAT_CAPACITY = 350.0
_MOTOR_HEAT_CAPACITY = 3500.0

#: The readings that are averages since they were last read [bldc mc_interface.c, read_reset_avg_*].
AVERAGED = ("current_motor", "current_in", "id", "iq", "vd", "vq")


class Averages:
    """Means since the last read, one for each name: two pollers disturb each other, as on the real thing."""

    __slots__ = ("_count", "_last", "_sum")

    def __init__(self, names: tuple[str, ...]) -> None:
        self._last = dict.fromkeys(names, 0.0)
        self._sum = dict.fromkeys(names, 0.0)
        self._count = dict.fromkeys(names, 0)

    def add(self, values: tuple[float, ...]) -> None:
        """Add one measurement of each, in the order of the names."""
        for name, value in zip(self._sum, values, strict=True):
            self._sum[name] += value
            self._count[name] += 1

    def take(self, names: Container[str]) -> None:
        """Read (and begin anew) the means of these names; `last` then gives them."""
        for name, count in self._count.items():
            if count and name in names:
                self._last[name] = self._sum[name] / count
                self._sum[name], self._count[name] = 0.0, 0

    def last(self, name: str) -> float:
        """Return the mean that the last `take` read."""
        return self._last[name]


class MotorStatistics:
    """Mean and maximum since the start, as GET_STATS reports them."""

    __slots__ = ("_maximum", "_steps", "_sum")

    NAMES = ("speed", "power", "current", "temp_mos", "temp_motor")

    def __init__(self) -> None:
        self._steps = 0
        self._sum = dict.fromkeys(self.NAMES, 0.0)
        self._maximum = dict.fromkeys(self.NAMES, 0.0)

    def add(self, *values: float) -> None:
        """Add one measurement of each, in the order of NAMES."""
        self._steps += 1
        for name, value in zip(self.NAMES, values, strict=True):
            self._sum[name] += value
            self._maximum[name] = max(self._maximum[name], value)

    def mean(self, name: str) -> float:
        """Return the mean, 0 before the first step."""
        return self._sum[name] / self._steps if self._steps else 0.0

    def maximum(self, name: str) -> float:
        """Return the maximum, never below 0."""
        return self._maximum[name]

    @property
    def seconds(self) -> float:
        """For how long it has counted."""
        return self._steps * STEP


class Motor:
    """The controller's state: SI units, A, V, Ah, Wh and degC.

    `fault` is a mc_fault_code (see packwire.vesc.hardware.FAULTS); while it is set, the motor is off.
    """

    def __init__(self, seed: int = 1) -> None:
        self.steps = 0
        self.fault = 0
        self.motor_current = 0.0
        self.input_current = IDLE_CURRENT
        self.input_voltage = 0.0
        self.phase_voltage = 0.0
        self.duty = 0.0
        self.speed = 0.0
        self.distance = 0.0
        self.odometer_start = 1_234_567.0
        self.ah_drawn = self.ah_regenerated = self.wh_drawn = self.wh_regenerated = 0.0
        self.fet_temperature = AMBIENT + 3.0
        self.motor_temperature = AMBIENT + 1.0
        self.averages = Averages(AVERAGED)
        self.statistics = MotorStatistics()
        self._noise = Noise(seed + 1)

    def step(self, wanted: float, voltage: float, *, drive: float = 1.0, brake: float = 1.0) -> None:
        """Let STEP seconds pass with a wanted motor current in A and the pack at `voltage` V.

        `drive` and `brake` (0..1) say how much of the current the pack allows to draw and to feed back.
        """
        self.steps += 1
        self.input_voltage = voltage - HARNESS_RESISTANCE * self.input_current
        self._follow(wanted * (drive if wanted > 0 else brake))
        self._move()
        power = 1.5 * self.phase_voltage * self.motor_current
        self.input_current = power / self.input_voltage + IDLE_CURRENT
        self._count()
        self._warm()
        self.averages.add(self._averaged_now())
        self.statistics.add(
            self.speed, abs(power), abs(self.motor_current), self.fet_temperature, self.motor_temperature
        )

    @property
    def electrical_speed(self) -> float:
        """Electrical angular speed, rad/s."""
        return self.speed / WHEEL_RADIUS * POLE_PAIRS

    @property
    def electrical_rpm(self) -> float:
        """Electrical revolutions a minute."""
        return self.electrical_speed * 60 / (2 * math.pi)

    @property
    def tachometer(self) -> int:
        """Commutation steps since the start: six an electrical revolution."""
        return int(self.distance * _STEPS_PER_METRE)

    @property
    def position(self) -> float:
        """The rotor's angle, 0..360 degrees."""
        return self.distance / (2 * math.pi * WHEEL_RADIUS) * 360 % 360

    @property
    def odometer(self) -> float:
        """Metres over all its life."""
        return self.odometer_start + self.distance

    @property
    def uptime(self) -> float:
        """Seconds since it was switched on."""
        return self.steps * STEP

    @property
    def measured_voltage(self) -> float:
        """The input voltage as the controller measures it, V."""
        return self.input_voltage + 0.03 * self._noise.at(self.steps, 1)

    @property
    def fet_temperatures(self) -> tuple[float, float, float]:
        """The three MOSFET sensors, degC."""
        return self.fet_temperature - 0.6, self.fet_temperature, self.fet_temperature + 0.4

    def _follow(self, wanted: float) -> None:
        if self.fault or (wanted <= 0 and self.speed < 0.3):
            wanted = 0.0
        bemf = self.electrical_speed * FLUX_LINKAGE
        room = self.input_voltage * MAX_DUTY / math.sqrt(3) - bemf
        wanted = min(wanted, max(0.0, room / PHASE_RESISTANCE))
        change = CURRENT_SLOPE * STEP
        self.motor_current += min(change, max(-change, wanted - self.motor_current))
        if self.fault:
            self.motor_current = 0.0
        self.phase_voltage = bemf + self.motor_current * PHASE_RESISTANCE
        self.duty = min(MAX_DUTY, max(-MAX_DUTY, self.phase_voltage * math.sqrt(3) / self.input_voltage))

    def _move(self) -> None:
        rolling = MASS * 9.81 * 0.012 if self.speed > 0 else 0.0
        force = _NEWTON_PER_AMPERE * self.motor_current - rolling - 0.3 * self.speed**2
        self.speed = max(0.0, self.speed + force / MASS * STEP)
        if self.speed < 0.3 and self.motor_current <= 0:
            self.speed = 0.0
        self.distance += self.speed * STEP

    def _count(self) -> None:
        ampere_hours = self.input_current * STEP / 3600
        watt_hours = ampere_hours * self.input_voltage
        if ampere_hours > 0:
            self.ah_drawn += ampere_hours
            self.wh_drawn += watt_hours
        else:
            self.ah_regenerated -= ampere_hours
            self.wh_regenerated -= watt_hours

    def _warm(self) -> None:
        square = self.motor_current**2
        fet_heat = 0.0035 * square + 0.15 * abs(self.motor_current)
        fet_lost = (self.fet_temperature - AMBIENT - 3.0) * 4.0
        self.fet_temperature += (fet_heat - fet_lost) * STEP / _FET_HEAT_CAPACITY
        motor_heat = 1.5 * PHASE_RESISTANCE * square
        motor_lost = (self.motor_temperature - AMBIENT) * (2.0 + 0.3 * self.speed)
        self.motor_temperature += (motor_heat - motor_lost) * STEP / _MOTOR_HEAT_CAPACITY

    def _averaged_now(self) -> tuple[float, ...]:
        """Return this step's measurement of each of AVERAGED."""
        at, steps = self._noise.at, self.steps
        iq = self.motor_current + 0.05 * at(steps, 2)
        return (
            iq,
            self.input_current + 0.01 * at(steps, 3),
            0.04 * at(steps, 4),
            iq,
            -0.002 * self.motor_current + 0.005 * at(steps, 5),
            self.phase_voltage + 0.01 * at(steps, 6),
        )
