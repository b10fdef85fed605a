"""The pack, the motor and the vehicle: nothing comes from nowhere, and the same seed is the same course."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.errors import BadOptionError
from packwire.sim import pack as physics
from packwire.sim.pack import NOMINAL_CAPACITY, STANDBY_CURRENT, STEP, Pack, charge_at, open_circuit_voltage
from packwire.sim.scenario import RIDE, SCENARIOS, Doing, scenario_named
from packwire.sim.vehicle import Vehicle


@pytest.mark.parametrize("seed", range(25))
def test_a_rested_pack_is_the_one_that_was_recorded(seed):
    pack = Vehicle(seed).pack
    assert pack.measured_voltage == pytest.approx(83.92, abs=0.05)
    assert max(pack.cell_voltages) - min(pack.cell_voltages) <= 0.012
    assert sum(pack.cell_voltages) / 20 == pytest.approx(4.196, abs=0.002)


@given(st.floats(0, 1))
def test_the_voltage_curve_and_its_inverse(soc):
    assert charge_at(open_circuit_voltage(soc)) == pytest.approx(soc, abs=1e-9)


@given(st.floats(0, 0.999), st.floats(0.0005, 0.001))
def test_the_voltage_curve_only_rises(soc, more):
    assert open_circuit_voltage(min(1.0, soc + more)) > open_circuit_voltage(soc)


def test_voltages_beyond_the_curve_are_full_and_empty():
    assert charge_at(5.0) == 1.0
    assert charge_at(1.0) == 0.0


def course(vehicle: Vehicle, seconds: float, every: float = 1.0) -> list[tuple[object, ...]]:
    states: list[tuple[object, ...]] = []
    for _ in range(int(seconds / every)):
        vehicle.advance(every)
        pack, motor = vehicle.pack, vehicle.motor
        states.append(
            (pack.cell_voltages, pack.measured_current, pack.ah_count, motor.speed, motor.input_current)
        )
    return states


def test_the_same_seed_is_the_same_course():
    assert course(Vehicle(7, scenario="cycle"), 120) == course(Vehicle(7, scenario="cycle"), 120)
    assert course(Vehicle(7, scenario="ride"), 20) != course(Vehicle(8, scenario="ride"), 20)


def test_the_course_does_not_depend_on_how_time_is_cut():
    at_once, in_pieces = Vehicle(3, scenario="ride"), Vehicle(3, scenario="ride")
    at_once.advance(30.0)
    for _ in range(1200):
        in_pieces.advance(0.025)
    assert at_once.pack.steps == in_pieces.pack.steps == 301
    assert at_once.pack.cell_voltages == in_pieces.pack.cell_voltages
    assert at_once.motor.odometer == in_pieces.motor.odometer


def test_reading_twice_between_two_steps_gives_the_same():
    pack = Vehicle(1).pack
    assert pack.cell_voltages == pack.cell_voltages
    assert pack.measured_current == pack.measured_current


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(SCENARIOS)), st.integers(0, 1000), st.integers(1, 32), st.floats(0, 1))
def test_invariants(scenario, seed, cells, soc):
    vehicle = Vehicle(seed, cells, scenario, soc)
    pack = vehicle.pack
    for _ in range(20):
        vehicle.advance(5.0)
        assert 0 <= pack.soc <= 1
        assert sum(pack.cell_voltages) == pytest.approx(pack.measured_voltage, abs=0.01 + 0.001 * cells)
        assert pack.measured_current == pytest.approx(pack.current, abs=0.02 + abs(pack.current) * 0.004)
        assert pack.chip_current == pytest.approx(pack.current, abs=0.005)
        assert len(pack.balancing) == cells
        assert 15 < min(pack.temperatures) <= max(pack.temperatures) < 80
        assert vehicle.motor.speed >= 0
        assert -1 <= vehicle.motor.duty <= 1
        assert all(map(math.isfinite, pack.cell_voltages))


def test_charge_and_energy_are_kept():
    vehicle = Vehicle(5, scenario="ride", soc=0.8)
    pack, motor = vehicle.pack, vehicle.motor
    soc, ah, wh = pack.soc, pack.ah_count, pack.wh_count
    totals = pack.ah_discharged - pack.ah_charged
    drawn, seconds = motor.ah_drawn - motor.ah_regenerated, pack.steps * STEP
    vehicle.advance(900)
    passed = pack.ah_count - ah
    assert passed > 1
    assert (soc - pack.soc) * NOMINAL_CAPACITY == pytest.approx(passed, rel=0.02)
    assert pack.ah_discharged - pack.ah_charged - totals == pytest.approx(passed, abs=1e-9)
    standby = STANDBY_CURRENT * (pack.steps * STEP - seconds) / 3600
    assert motor.ah_drawn - motor.ah_regenerated - drawn + standby == pytest.approx(passed, abs=1e-6)
    assert motor.ah_regenerated > 0
    # What the harness takes is lost between the two.
    assert motor.wh_drawn - motor.wh_regenerated < pack.wh_count - wh
    assert motor.wh_drawn - motor.wh_regenerated == pytest.approx(pack.wh_count - wh, rel=0.03)


def test_less_comes_out_than_went_in():
    pack = Pack(1, soc=0.5)
    start = pack.soc
    for _ in range(6000):
        pack.step(20.0)
    out = pack.wh_discharged
    pack.connect_charger(connected=True)
    before = pack.wh_charged
    while pack.soc < start:
        pack.step()
    assert pack.wh_charged - before > out - Pack(1, soc=0.5).wh_discharged


def test_current_signs():
    vehicle = Vehicle(1, scenario="ride")
    currents = []
    for _ in range(900):
        vehicle.advance(STEP)
        pack, motor = vehicle.pack, vehicle.motor
        currents.append(pack.current)
        assert pack.current == pytest.approx(motor.input_current + STANDBY_CURRENT)
        if motor.motor_current < -5 and motor.speed > 2:
            assert motor.input_current < 0
        if motor.motor_current > 5:
            assert motor.input_current > 0
    assert max(currents) > 15
    assert min(currents) < -3


def test_voltage_sags_under_load_and_comes_back():
    pack = Pack(1, soc=0.7)
    rested = pack.voltage
    for _ in range(20):
        pack.step(30.0)
    assert rested - pack.voltage > 30 * physics.CELL_RESISTANCE * 20 * 0.9
    for _ in range(3000):
        pack.step()
    assert rested - pack.voltage < 0.3


def test_charging_is_constant_current_then_constant_voltage_then_full():
    vehicle = Vehicle(2, scenario="charge", soc=0.85)
    pack = vehicle.pack
    phases = []
    for _ in range(90):
        vehicle.advance(60)
        assert pack.current < 0.2  # the controller's and the BMS's own draw
        assert pack.highest_cell < 4.25
        at_full_current = pack.current < -physics.CHARGE_CURRENT + 0.2
        phases.append("cc" if at_full_current else "cv" if pack.charging else "full")
    assert [phase for at, phase in enumerate(phases) if at == 0 or phases[at - 1] != phase] == [
        "cc",
        "cv",
        "full",
    ]
    assert pack.soc > 0.98
    assert pack.charger_voltage > 83


def test_no_charger_no_charge_voltage():
    vehicle = Vehicle(2, scenario="ride")
    vehicle.advance(30)
    assert 0 <= vehicle.pack.charger_voltage < 0.1


def test_high_cells_are_balanced_at_rest_and_not_while_riding():
    pack = Pack(1)
    assert any(pack.balancing)
    spread = max(pack.cell_voltages) - min(pack.cell_voltages)
    for _ in range(100_000):
        pack.step()
    assert max(pack.cell_voltages) - min(pack.cell_voltages) < spread
    pack.step(20.0)
    assert not any(pack.balancing)
    low = Pack(1, soc=0.4)
    low.step()
    assert not any(low.balancing)


def test_load_warms_the_pack_and_the_motor():
    vehicle = Vehicle(1, scenario="ride")
    before = vehicle.pack.temperature, vehicle.motor.motor_temperature, vehicle.motor.fet_temperature
    vehicle.advance(600)
    after = vehicle.pack.temperature, vehicle.motor.motor_temperature, vehicle.motor.fet_temperature
    assert all(now > then + 0.3 for now, then in zip(after, before, strict=True))


def test_an_empty_pack_moves_nobody():
    vehicle = Vehicle(1, scenario="ride", soc=0.02)
    vehicle.advance(1800)
    assert vehicle.motor.speed < 0.5
    assert vehicle.pack.soc >= 0
    assert vehicle.pack.lowest_cell > 2.5


def test_a_full_pack_takes_nothing_back_beyond_its_limit():
    vehicle = Vehicle(1, scenario="ride", soc=1.0)
    highest = 0.0
    for _ in range(600):
        vehicle.advance(STEP)
        highest = max(highest, vehicle.pack.highest_cell)
    assert highest < 4.27


def test_the_cycle_rests_rides_and_charges_and_goes_on():
    vehicle = Vehicle(1, scenario="cycle")
    seen: list[Doing] = []
    for _ in range(400):
        vehicle.advance(1)
        if not seen or seen[-1] != vehicle.doing:
            seen.append(vehicle.doing)
    assert seen[:5] == [Doing.REST, Doing.RIDE, Doing.REST, Doing.CHARGE, Doing.REST]


def test_a_cycle_that_is_low_charges_first():
    vehicle = Vehicle(1, scenario="cycle", soc=0.1)
    vehicle.advance(3600)
    assert vehicle.pack.soc > 0.3


def test_a_fault_switches_the_motor_off():
    vehicle = Vehicle(1, scenario="ride")
    vehicle.advance(5)
    assert vehicle.motor.motor_current > 20
    vehicle.motor.fault = 4
    vehicle.advance(0.2)
    assert vehicle.motor.motor_current == 0
    speed = vehicle.motor.speed
    vehicle.advance(5)
    assert vehicle.motor.speed < speed


def test_the_motor_adds_up():
    vehicle = Vehicle(1, scenario="ride")
    vehicle.advance(60)
    motor = vehicle.motor
    assert motor.odometer - motor.odometer_start == pytest.approx(motor.distance)
    assert motor.distance > 100
    assert motor.electrical_rpm == pytest.approx(motor.electrical_speed * 60 / (2 * math.pi))
    assert motor.statistics.maximum("speed") >= motor.statistics.mean("speed") > 0
    assert motor.statistics.seconds == pytest.approx(60, abs=0.2)
    assert motor.uptime == pytest.approx(60, abs=0.2)


def test_averages_are_since_the_last_read():
    vehicle = Vehicle(1, scenario="ride")
    averages = vehicle.motor.averages
    vehicle.advance(3)
    averages.take({"current_motor"})
    first = averages.last("current_motor")
    assert averages.last("iq") == 0.0
    averages.take({"current_motor"})
    assert averages.last("current_motor") == first  # nothing new was measured
    vehicle.advance(1)
    averages.take({"current_motor", "iq"})
    assert averages.last("iq") != averages.last("current_motor") > first


def test_a_ride_has_pulses_that_brake():
    assert {pulse.motor_current > 0 for pulse in RIDE} == {True, False}


def test_an_unknown_scenario_names_those_there_are():
    with pytest.raises(BadOptionError, match="no scenario 'fly': there are rest, ride, charge, cycle"):
        scenario_named("fly")
