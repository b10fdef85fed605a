"""The hub's login line: exactly three tokens, ids upper-cased and without blanks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.vesc.hublogin import MAX_LINE, Login, Role, id_problem, parse_login, password_problem


def test_the_lines_as_they_are_on_the_wire():
    assert Login(Role.CLIENT, "TESTPACK", "secret42").line() == b"VESCTOOL:TESTPACK:secret42\n"
    assert Login(Role.DEVICE, "TESTPACK", "secret42").line() == b"VESC:TESTPACK:secret42\n\0"
    assert Login(Role.PING, "TESTPACK", "0").line() == b"PING:TESTPACK:0\n"


def test_ids_are_upper_cased_and_blanks_removed():
    assert parse_login(b"vesctool:my pack:Pass Word") == Login(Role.CLIENT, "MYPACK", "Pass Word")


@pytest.mark.parametrize(
    "line", [b"", b"VESC:AB:x", b"VESC:ABC", b"VESC:ABC:x:y", b"HELLO:ABC:x", b"A" * 600]
)
def test_what_the_hub_closes_on(line):
    assert parse_login(line) is None


@given(st.binary(max_size=MAX_LINE * 2))
def test_any_line_is_read_or_refused(line):
    parse_login(line)


def test_what_can_never_work_is_said_before_it_is_tried():
    assert "colon" in (id_problem("A:B") or "")
    assert "at least 3" in (id_problem("A B") or "")
    assert "colon" in (password_problem("s3:cret") or "")
    assert "control" in (password_problem("s3\ncret") or "")
    assert "s3" not in (password_problem("s3:cret") or "")
    assert id_problem("TESTPACK") is None
    assert password_problem("") is None


def test_the_password_is_not_in_the_repr():
    assert "secret42" not in repr(Login(Role.CLIENT, "TESTPACK", "secret42"))
