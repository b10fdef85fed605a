"""Clients of the bench on a simulated clock: what they do by chance is no accusation, and bugs are named."""

import pytest

from tests.doctor.clients.simulated import examine

#: How often a busy computer wakes a client late.
BUSY = 0.05
RIGHT = (
    "late-computer",
    "any-pace",
    "long-pauses",
    "two-at-once",
    "others-first",
    "backing-off",
    "vesc-tool",
)
NAMED = (
    ("late-computer", "length-signed"),
    ("late-computer", "crc-modbus"),
    ("long-pauses", "length-15-bits"),
    ("long-pauses", "crc-with-header"),
    ("others-first", "length-signed"),
    ("others-first", "crc-ffff"),
    ("others-first", "newline"),
    ("others-first", "wrong-command"),
    ("backing-off", "crc-little-endian"),
    ("backing-off", "newline"),
    ("vesc-tool", "crc-modbus"),
    ("vesc-tool", "fixed-size"),
    ("asks-twice", "impatient"),
)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("architecture", RIGHT)
def test_a_right_client_is_not_accused(architecture, seed):
    case = examine(architecture, "none", seed=seed, busy=BUSY)
    assert not case.verdict.findings
    assert case.outcome == "healthy" or architecture == "any-pace", case.verdict


@pytest.mark.parametrize(("architecture", "bug"), NAMED)
def test_a_bug_is_named_whatever_the_pauses(architecture, bug):
    case = examine(architecture, bug)
    assert case.outcome == "named", case.verdict
    assert not case.false_certain


@pytest.mark.parametrize("bug", ["length-signed", "crc-ignored", "no-splitting"])
def test_of_who_pauses_by_chance_nothing_wrong_is_said(bug):
    """It takes long; what is not known by then is not said."""
    case = examine("any-pace", bug, busy=BUSY)
    assert case.outcome in {"named", "undecided"}, case.verdict


def test_what_is_not_asked_any_more_is_not_waited_for():
    """VESC Tool asks FW_VERSION until it gets a reply, and then nothing of it: the rest goes on without it."""
    told: list[str] = []
    case = examine("vesc-tool", "crc-ffff", told=told.append)
    assert case.outcome == "named", case.verdict
    assert "what it does after a reply to BMS_GET_VALUES, and after none" in told
