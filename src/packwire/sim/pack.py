"""The physics of a Li-ion pack: cells in series, each a little different from the next.

Pure: no clock and no I/O. The state moves in steps of STEP seconds; what the BMS measures (with the noise of
its converters) is a function of the state alone, so reading twice between two steps gives the same values.
Currents are positive while discharging, as a VESC BMS reports them.
"""

import math
import random
from bisect import bisect_left

#: In series, where nothing says otherwise.
USUAL_CELLS = 20
#: Seconds that one step covers.
STEP = 0.1

NOMINAL_CAPACITY = 31.0
"""Ah."""
CELL_RESISTANCE = 0.0022
"""Ohm, at once."""
POLARISATION_RESISTANCE = 0.0012
"""Ohm, on top of that with POLARISATION_TIME."""
POLARISATION_TIME = 25.0
STANDBY_CURRENT = 0.03
"""A that the BMS itself takes from the pack."""
RESTED_VOLTAGE = 4.196
"""V a cell in the state that a simulation starts from, unless it is told a state of charge."""
HEALTH = 0.98
AMBIENT = 22.0
PRESSURE = 101_325.0

CHARGE_CURRENT = 15.0
CHARGE_CELL_VOLTAGE = 4.2
CHARGE_END_CURRENT = 0.6
CHARGER_VOLTAGE = 84.6 / 20
"""V a cell at the charger's plug while it is connected."""

BALANCE_ABOVE = 4.0
"""V: below this no cell is balanced."""
BALANCE_START = 0.005
BALANCE_END = 0.003
"""V above the lowest cell at which balancing of a cell starts and ends."""
BALANCE_CURRENT = 0.15
BALANCE_REST_CURRENT = 0.5
"""A: more discharge current than this, and nothing is balanced."""

CELL_SENSORS = 5
_HEAT_CAPACITY_PER_CELL = 750.0
"""J/K."""
_COOLING_PER_CELL = 0.25
"""W/K."""
_CHIP_TIME = 90.0

# Open-circuit voltage over state of charge of an NMC cell, as data sheets draw it.
_CURVE = (
    (0.00, 3.000), (0.02, 3.200), (0.05, 3.350), (0.10, 3.450), (0.20, 3.550), (0.30, 3.610), (0.40, 3.655),
    (0.50, 3.715), (0.60, 3.800), (0.70, 3.895), (0.80, 3.990), (0.90, 4.085), (1.00, 4.200),
)  # fmt: skip
_POINTS = 1000


def _interpolate(soc: float) -> float:
    index = min(max(bisect_left(_CURVE, (soc, 0.0)), 1), len(_CURVE) - 1)
    (left, low), (right, high) = _CURVE[index - 1], _CURVE[index]
    return low + (high - low) * (soc - left) / (right - left)


_OPEN_CIRCUIT = [_interpolate(point / _POINTS) for point in range(_POINTS + 1)]
_OPEN_CIRCUIT.append(_OPEN_CIRCUIT[-1])


def open_circuit_voltage(soc: float) -> float:
    """Return a rested cell's voltage at a state of charge of 0..1."""
    place = soc * _POINTS
    index = int(place)
    low = _OPEN_CIRCUIT[index]
    return low + (_OPEN_CIRCUIT[index + 1] - low) * (place - index)


def charge_at(voltage: float) -> float:
    """Return the state of charge (0..1) at which a rested cell shows `voltage`: the curve's inverse."""
    if voltage <= _OPEN_CIRCUIT[0]:
        return 0.0
    if voltage >= _OPEN_CIRCUIT[_POINTS]:
        return 1.0
    index = bisect_left(_OPEN_CIRCUIT, voltage, 0, _POINTS)
    low, high = _OPEN_CIRCUIT[index - 1], _OPEN_CIRCUIT[index]
    return (index - 1 + (voltage - low) / (high - low)) / _POINTS


class Noise:
    """Converter noise: the same for the same seed, step and channel, however often it is looked at."""

    __slots__ = ("_values",)

    _SIZE = 4093  # a prime, so that no channel repeats together with another

    def __init__(self, seed: int) -> None:
        source = random.Random(seed)
        self._values = [max(-2.0, min(2.0, source.gauss(0.0, 1.0))) for _ in range(self._SIZE)]

    def at(self, step: int, channel: int) -> float:
        """Return a number around 0 with a standard deviation of about 1, never beyond 2."""
        return self._values[(step * 61 + channel * 17) % self._SIZE]


class Pack:
    """A pack of `cells` in series and what its BMS measures and counts.

    `soc` (0..1) is the state of charge to start with; without it the pack starts rested, at 83.92 V for 20
    cells. `current` is the true current of the last step in A, positive while discharging.
    """

    def __init__(self, seed: int = 1, cells: int = USUAL_CELLS, soc: float | None = None) -> None:
        source = random.Random(seed)
        self.cells = cells
        self.steps = 0
        self.current = 0.0
        self.charger_connected = False
        self.charging = False
        self.balancing = [False] * cells
        self.ah_count = source.uniform(0.0, 2.0)
        self.wh_count = self.ah_count * 3.7 * cells
        self.ah_discharged = source.uniform(900.0, 1300.0)
        self.ah_charged = self.ah_discharged * 1.01
        self.wh_discharged = self.ah_discharged * 3.7 * cells
        self.wh_charged = self.wh_discharged * 1.03
        self.temperature = AMBIENT + 1.0
        self._capacity = [NOMINAL_CAPACITY * _spread(source, 0.01) for _ in range(cells)]
        self._resistance = [CELL_RESISTANCE * _spread(source, 0.05) for _ in range(cells)]
        self._soc = _start_charges(source, cells, soc)
        self._gradient = [source.uniform(-0.8, 0.8) for _ in range(CELL_SENSORS)]
        self._shunt_gain = 1.0 + source.uniform(-0.003, 0.003)
        self._chip_warmth = 4.0
        self._humidity = source.uniform(35.0, 50.0)
        self._polarisation = 0.0
        self._series_resistance = sum(self._resistance)
        self._decay = math.exp(-STEP / POLARISATION_TIME)
        self._noise = Noise(seed)
        self._voltages = self._terminal_voltages()
        self._balance()

    def step(self, load: float = 0.0) -> None:
        """Let STEP seconds pass with a load of `load` A (negative: it feeds back)."""
        self.steps += 1
        self.current = current = load + STANDBY_CURRENT - self._charge_current()
        ampere_hours = current * STEP / 3600
        bled = BALANCE_CURRENT * STEP / 3600
        self._soc = [
            min(1.0, max(0.0, soc - (ampere_hours + bled * active) / capacity))
            for soc, capacity, active in zip(self._soc, self._capacity, self.balancing, strict=True)
        ]
        target = current * POLARISATION_RESISTANCE
        self._polarisation = target + (self._polarisation - target) * self._decay
        self._voltages = self._terminal_voltages()
        self._count(ampere_hours)
        self._warm()
        self._balance()

    def connect_charger(self, *, connected: bool) -> None:
        """Plug the charger in or out; it starts anew when it is plugged in."""
        if connected != self.charger_connected:
            self.charger_connected = self.charging = connected

    # What is true

    @property
    def soc(self) -> float:
        """The state of charge, 0..1: the mean of all cells."""
        return sum(self._soc) / self.cells

    @property
    def capacity(self) -> float:
        """Return what the weakest cell can hold, in Ah."""
        return min(self._capacity)

    @property
    def health(self) -> float:
        """The state of health, 0..1."""
        return HEALTH

    @property
    def voltage(self) -> float:
        """The true voltage at the terminals, V."""
        return sum(self._voltages)

    @property
    def lowest_cell(self) -> float:
        """The true voltage of the lowest cell, V."""
        return min(self._voltages)

    @property
    def highest_cell(self) -> float:
        """The true voltage of the highest cell, V."""
        return max(self._voltages)

    @property
    def energy_left(self) -> float:
        """Wh until the cells are empty, at the mean of full and empty voltage."""
        return self.soc * NOMINAL_CAPACITY * self.cells * 3.7

    # What the BMS measures

    @property
    def measured_voltage(self) -> float:
        """The pack's voltage as the BMS measures it, V; not the sum of the measured cells."""
        return self.voltage + 0.004 * self._noise.at(self.steps, 100)

    @property
    def cell_voltages(self) -> tuple[float, ...]:
        """Each cell's voltage as the BMS measures it, V; the first is the lowest in the stack."""
        at, steps = self._noise.at, self.steps
        return tuple(
            [voltage + 0.0004 * at(steps, cell) for cell, voltage in enumerate(self._voltages, start=1)]
        )

    @property
    def measured_current(self) -> float:
        """The current through the shunt (i_in), A."""
        return self.current * self._shunt_gain + 0.006 * self._noise.at(self.steps, 101)

    @property
    def chip_current(self) -> float:
        """The current as the BMS chip measures it (i_in_ic), A: what it counts with."""
        return self.current + 0.002 * self._noise.at(self.steps, 102)

    @property
    def charger_voltage(self) -> float:
        """The voltage at the charge input, V."""
        if not self.charger_connected:
            return max(0.0, 0.03 + 0.01 * self._noise.at(self.steps, 103))
        voltage = self.voltage + 0.2 if self.charging else CHARGER_VOLTAGE * self.cells
        return voltage + 0.004 * self._noise.at(self.steps, 103)

    @property
    def temperatures(self) -> tuple[float, ...]:
        """The sensors between the cells, degC."""
        at, steps = self._noise.at, self.steps
        return tuple(
            [
                self.temperature + gradient + 0.03 * at(steps, 110 + sensor)
                for sensor, gradient in enumerate(self._gradient)
            ]
        )

    @property
    def chip_temperature(self) -> float:
        """The BMS chip's own temperature, degC."""
        return self.temperature + self._chip_warmth + 0.03 * self._noise.at(self.steps, 120)

    @property
    def board_temperature(self) -> float:
        """The temperature beside the humidity sensor, degC."""
        return AMBIENT + (self.temperature - AMBIENT) * 0.3 + 0.02 * self._noise.at(self.steps, 121)

    @property
    def humidity(self) -> float:
        """Relative humidity in the pack, %."""
        return self._humidity + 0.1 * self._noise.at(self.steps, 122)

    @property
    def pressure(self) -> float:
        """Air pressure, Pa."""
        return PRESSURE + 12.0 * self._noise.at(self.steps, 123)

    # How it moves

    def _terminal_voltages(self) -> list[float]:
        drop, current = self._polarisation, self.current
        return [
            open_circuit_voltage(soc) - current * resistance - drop
            for soc, resistance in zip(self._soc, self._resistance, strict=True)
        ]

    def _charge_current(self) -> float:
        """Return what the charger gives: constant current first, then constant voltage, then nothing."""
        if not self.charging:
            return 0.0
        rested = self.voltage + self.current * self._series_resistance
        room = CHARGE_CELL_VOLTAGE * self.cells - rested
        current = min(CHARGE_CURRENT, max(0.0, room / self._series_resistance))
        if current < CHARGE_END_CURRENT:
            self.charging = False
            return 0.0
        return current

    def _count(self, ampere_hours: float) -> None:
        watt_hours = ampere_hours * self.voltage
        self.ah_count += ampere_hours
        self.wh_count += watt_hours
        if ampere_hours > 0:
            self.ah_discharged += ampere_hours
            self.wh_discharged += watt_hours
        else:
            self.ah_charged -= ampere_hours
            self.wh_charged -= watt_hours

    def _warm(self) -> None:
        heat = self.current**2 * (self._series_resistance + POLARISATION_RESISTANCE * self.cells)
        lost = (self.temperature - AMBIENT) * _COOLING_PER_CELL * self.cells
        self.temperature += (heat - lost) * STEP / (_HEAT_CAPACITY_PER_CELL * self.cells)
        warmth = 4.0 + 0.8 * sum(self.balancing) + 0.002 * self.current**2
        self._chip_warmth += (warmth - self._chip_warmth) * STEP / _CHIP_TIME

    def _balance(self) -> None:
        voltages = self._voltages
        lowest = min(voltages)
        if lowest < BALANCE_ABOVE or self.current > BALANCE_REST_CURRENT:
            self.balancing = [False] * self.cells
            return
        self.balancing = [
            voltage - lowest > (BALANCE_END if active else BALANCE_START)
            for voltage, active in zip(voltages, self.balancing, strict=True)
        ]


def _spread(source: random.Random, deviation: float) -> float:
    return 1.0 + max(-2.0, min(2.0, source.gauss(0.0, 1.0))) * deviation


def _start_charges(source: random.Random, cells: int, soc: float | None) -> list[float]:
    """Return each cell's charge so that the mean voltage is exactly the intended one, within 10 mV."""
    mean = RESTED_VOLTAGE if soc is None else open_circuit_voltage(min(1.0, max(0.0, soc)))
    offsets = [source.triangular(-0.005, 0.005) for _ in range(cells)]
    if soc is None:
        mean_offset = sum(offsets) / cells
        offsets = [offset - mean_offset for offset in offsets]
    return [charge_at(mean + offset) for offset in offsets]
