"""From replies to quantities: signs, units, and what is left out because it is not known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.quantity import QUANTITIES
from packwire.vesc.replies import BMS_GET_VALUES, BmsValues, SetupValues, Values
from packwire.vesc.samples import battery_values, charging_current, controller_values

PACK = BmsValues(
    v_tot=80.0, i_in=-3.0, i_in_ic=-2.5, cell_num=4, v_cell=(4.1, 4.0, 4.2, 4.1), bal=(0, 0, 1, 0), soc=0.866
)


def test_current_and_power_are_positive_while_charging():
    values = battery_values(PACK)
    assert values["current"] == 2.5
    assert values["power"] == 200.0
    assert values["reported_current_in"] == -3.0
    assert values["reported_current_ic"] == -2.5


def test_i_in_stands_in_where_i_in_ic_is_zero():
    assert charging_current(PACK._replace(i_in_ic=0.0)) == 3.0
    assert charging_current(PACK._replace(i_in_ic=None)) == 3.0
    assert charging_current(BmsValues()) is None
    at_rest = charging_current(PACK._replace(i_in=0.0, i_in_ic=0.0))
    assert at_rest == 0
    assert math.copysign(1, at_rest) == 1  # never "-0.00 A"


def test_cells():
    values = battery_values(PACK)
    assert values["cell_count"] == 4
    assert (values["cell_voltage_min"], values["cell_min_number"]) == (4.0, 2)
    assert (values["cell_voltage_max"], values["cell_max_number"]) == (4.2, 3)
    assert values["cell_voltage_spread"] == 0.2
    assert values["cell_balancing"] == (False, False, True, False)
    assert values["soc"] == 86.6


def test_the_unknown_is_absent_and_never_zero():
    values = battery_values(BmsValues(v_tot=80.0))
    assert set(values) == {"voltage"}
    assert "pressure" not in battery_values(PACK._replace(pressure=0.0))


def test_numbers_that_are_none_are_absent():
    values = battery_values(PACK._replace(ah_chg_total=math.nan, wh_chg_total=math.inf))
    assert "charge_charged_total" not in values
    assert "energy_charged_total" not in values


def test_a_controllers_input_is_positive_while_it_draws():
    values = controller_values(
        Values(current_in=8.9, v_in=83.9, duty=0.314, fault=6), SetupValues(speed=10.0, odometer=123)
    )
    assert values["input_current"] == 8.9
    assert values["input_power"] == pytest.approx(746.71)
    assert values["duty_cycle"] == 31.4
    assert values["fault"] == "motor too hot"
    assert values["speed"] == 36.0
    assert values["odometer"] == 123
    assert "current" not in values


@given(st.binary(max_size=300))
def test_any_reply_gives_known_quantities_only(body):
    values = battery_values(BMS_GET_VALUES.decode(b"\x60" + body).reply)
    assert set(values) <= set(QUANTITIES)
    for value in values.values():
        assert value is not None
        assert not isinstance(value, float) or math.isfinite(value)
