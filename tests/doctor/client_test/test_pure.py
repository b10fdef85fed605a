"""The parts without I/O: replies of every length, ways to send them, what a reaction tells, and the verdicts."""

from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.doctor.client_test.findings import ClientFindings, good
from packwire.doctor.client_test.judge import judge
from packwire.doctor.client_test.meeting import Meeting
from packwire.doctor.client_test.plan import script
from packwire.doctor.client_test.reactions import Action, ClientObservation, Controls, reacted
from packwire.doctor.client_test.trials import (
    BAD,
    COMPANY,
    CONTROL_SIZES,
    DELIVERIES,
    LATE,
    LENGTHS,
    MISSING,
    NO_FRAMER,
    NOTIFICATIONS,
    NOTIFIED_COMPANY,
    Trial,
    TrialKind,
)
from packwire.doctor.vesc.client_test.dialects import DIALECTS, WAYS_OF_VESC, pieces
from packwire.doctor.vesc.client_test.played import VESC
from packwire.doctor.vesc.client_test.replies import answerable, command_of, reply_to
from packwire.doctor.vesc.misreadings import RULES, Fate, misread
from packwire.vesc.commands import Command
from packwire.vesc.framing import Framer, encode_frame
from packwire.vesc.replies import decode_reply
from packwire.vesc.requests import forward_can, values_selective
from packwire.wire.frame import FrameStats

ASK = b"\x60"
MET = Meeting(1, 10, FrameStats(), VESC)


def reply(request: bytes, size: int | None = None, *, ends_early: bool = False) -> bytes:
    payload = reply_to(request, size, ends_early=ends_early)
    assert payload is not None
    return payload


@given(st.integers(40, 512), st.sampled_from([0, 4, 47, 96]))
def test_a_reply_has_the_length_that_is_wanted_and_is_one(size, command):
    payload = reply(bytes((command,)), size)
    assert len(payload) == size
    assert payload[0] == command
    assert decode_reply(payload) is not None


@given(st.integers(90, 300))
def test_a_longer_pack_is_a_pack_of_more_cells_that_decodes_to_its_end(size):
    decoded: Any = decode_reply(reply(ASK, size))
    assert not decoded.missing
    assert not decoded.left_over
    assert decoded.reply.cell_num == len(decoded.reply.v_cell) >= 5
    assert decoded.reply.v_tot == pytest.approx(sum(decoded.reply.v_cell), abs=0.01)


def test_an_old_reply_is_the_usual_one_cut_off():
    assert reply(ASK, 109, ends_early=True) == reply(ASK)[:109]


def test_a_reply_answers_what_was_asked():
    assert reply(forward_can(84, b"\x04"))[0] == Command.GET_VALUES
    assert command_of(forward_can(84, b"\x04")) == Command.GET_VALUES
    mask = 0x00120040
    decoded: Any = decode_reply(reply(values_selective(Command.GET_VALUES_SETUP_SELECTIVE, mask)))
    assert decoded.reply.mask == mask
    assert not decoded.missing
    assert reply(b"\x3e")[1:] == bytes((10, 84))
    assert not answerable(b"\x5d\x00")


@pytest.mark.parametrize("trial", [*DELIVERIES, *COMPANY], ids=lambda trial: trial.key)
@pytest.mark.parametrize("size", [*CONTROL_SIZES, *LENGTHS])
def test_a_right_framer_takes_the_reply_in_every_way(trial, size):
    framer = Framer()
    sent, _ = pieces(Trial(trial.key, trial.kind, "", size, trial.sent), ASK)
    payloads = [frame.payload for piece in sent for frame in framer.feed(piece.data)]
    assert reply(ASK, size) in payloads
    assert framer.stats.waiting is None


@pytest.mark.parametrize("trial", BAD, ids=lambda trial: trial.key)
def test_a_right_framer_finds_no_reply_where_there_is_none(trial):
    framer = Framer()
    sent, _ = pieces(trial, ASK)
    payloads = [frame.payload for piece in sent for frame in framer.feed(piece.data)]
    assert all(payload[0] == Command.PRINT for payload in payloads)
    assert framer.stats.waiting is None


def test_every_way_is_named_by_a_trial():
    named = {
        trial.sent
        for trial in (LATE, *DELIVERIES, *NOTIFICATIONS, *COMPANY, *NOTIFIED_COMPANY, *BAD, MISSING)
    } | {"whole", "shift", *NO_FRAMER}
    assert named == set(WAYS_OF_VESC)


@pytest.mark.parametrize("key", [key for key in DIALECTS if key != "right"])
def test_each_dialect_is_understood_by_its_own_wrong_rule(key):
    """And the right rule does not take it."""
    frame = DIALECTS[key](reply(ASK, 166))
    (rule,) = (rule for rule in RULES if rule.key == key)
    assert misread(frame, (rule,))[0].fate is Fate.TAKEN
    assert Framer().feed(frame) == []


def seen(after, action=Action.REPEATS, trial=MISSING, sent=0.0):
    return ClientObservation(trial, ASK, 80, action, after, after + sent)


def test_times_tell_who_waits_for_a_reply():
    controls = Controls((seen(0.01), seen(0.02), seen(0.01)), (seen(2.0), seen(2.01), seen(2.0)))
    assert controls.tell
    assert controls.took(seen(0.02)) is True
    assert controls.took(seen(2.05)) is False
    assert controls.took(seen(0.02, sent=1.0)) is True
    assert controls.took(seen(1.0, sent=1.0)) is False, "its time-out runs from its request"
    assert controls.took(seen(-1.0)) is None


def test_a_client_that_sleeps_longer_after_a_reply_is_understood_too():
    controls = Controls((seen(5.0),) * 3, (seen(2.0),) * 3)
    assert controls.took(seen(5.01)) is True
    assert controls.took(seen(2.01)) is False


def test_who_goes_by_the_clock_tells_nothing():
    assert not Controls((seen(0.5), seen(0.52), seen(0.51)), (seen(0.51), seen(0.5), seen(0.52))).tell


def test_who_closes_without_a_reply_tells_by_that():
    controls = Controls((seen(1.0),) * 3, (seen(1.0, Action.CLOSES),) * 3)
    assert controls.tell
    assert controls.took(seen(1.0)) is True
    assert controls.took(seen(1.0, Action.CLOSES)) is False


def test_too_soon_is_no_sign():
    """It may ask again at once because something is wrong."""
    controls = Controls((seen(1.0),) * 3, (seen(3.0),) * 3)
    assert controls.took(seen(0.01)) is None


def test_a_reaction_is_what_never_happened_before():
    usual = [seen(1.0)] * 4
    assert reacted(seen(0.2), usual)
    assert reacted(seen(1.0, Action.CLOSES), usual)
    assert not reacted(seen(0.98), usual)


def play(takes, *, wait=1.0):
    """Run the script against a client that is a function: does it take these pieces?"""
    found = ClientFindings(Command.BMS_GET_VALUES, VESC)
    running = script(found, lambda text: None, lambda: None)
    trial = next(running)
    while True:
        sent, size = pieces(trial, ASK)
        data = b"".join(piece.data for piece in sent)
        after = 0.0 if takes(data, size, trial) else wait
        try:
            trial = running.send(ClientObservation(trial, ASK, size, Action.REPEATS, after, after))
        except StopIteration:
            return judge(found, MET), found


def right(data, size, trial):
    return any(frame.payload[0] == 0x60 for frame in Framer().feed(data))


def test_a_right_client_is_well_within_fifty_requests():
    asked = count()
    verdict, found = play(lambda *all_: (next(asked), right(*all_))[1])
    assert verdict.ok
    assert found.done
    assert next(asked) < 50


@pytest.mark.parametrize("limit", [48, 60, 100, 130, 200, 300, 500])
def test_a_limit_is_found_to_the_byte(limit):
    verdict, _ = play(lambda data, size, trial: right(data, size, trial) and size <= limit)
    assert verdict.key == "length-limit"
    header = 2 if limit <= 255 else 3
    assert f" {limit + header + 3} bytes" in verdict.findings[0].explanation


@pytest.mark.parametrize("key", ["length-15-bits", "length-signed", "start-03-unknown"])
def test_wrong_rules_are_told_apart_by_what_they_do(key):
    (rule,) = (rule for rule in RULES if rule.key == key)

    def takes(data, size, trial):
        if trial.kind is TrialKind.LENGTH or trial.kind is TrialKind.GOOD:
            return misread(encode_frame(reply(ASK, size)), (rule,))[0].fate is Fate.TAKEN
        if trial.key == "length-15-bits":
            return key == "length-15-bits"
        if trial.key == "behind-long":
            return key == "length-signed"
        return right(data, size, trial)

    verdict, _ = play(takes)
    assert verdict.key == key, verdict
    assert len(verdict.findings) == 1


def test_who_wants_every_field_is_told_so():
    verdict, _ = play(lambda data, size, trial: right(data, size, trial) and size >= 128)
    assert verdict.key == "too-short"
    assert "none of 100 to 127 bytes" in verdict.findings[0].words


def test_a_pattern_that_no_rule_explains_is_told_as_it_is():
    verdict, _ = play(lambda data, size, trial: right(data, size, trial) and size != 166)
    assert verdict.key == "length"
    assert "none of 16" in verdict.findings[0].words


def test_who_takes_nothing_and_who_goes_by_the_clock_cannot_be_told_apart():
    verdict, found = play(lambda *_: False)
    assert verdict.key == "undecided"
    assert "takes no reply at all, or" in verdict.undecided[0]
    assert found.done


def test_who_never_recovers_is_said_to():
    """After one reply of 130 bytes it takes nothing more."""
    broken = []

    def takes(data, size, trial):
        if size == 130 and trial.kind is TrialKind.LENGTH:
            broken.append(1)
        return not broken and right(data, size, trial)

    verdict, found = play(takes)
    assert found.stuck_behind is not None
    assert any("took nothing more" in line for line in verdict.undecided)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.booleans(), max_size=400), st.sampled_from([0.0, 0.3, 1.0]))
def test_whatever_a_client_does_the_script_ends_and_judges(answers, wait):
    told = iter([*answers, *[True] * 10_000])
    verdict, _ = play(lambda *_: next(told), wait=wait)
    assert verdict.key


@pytest.mark.parametrize(
    ("met", "words"),
    [
        (Meeting(0, 0, FrameStats(), VESC), "no client connected"),
        (
            Meeting(1, 0, FrameStats(), VESC),
            "it connected, but sent no request; a VESC speaks only when asked",
        ),
        (
            Meeting(1, 2, FrameStats(), VESC, (93,)),
            "it asked only what is not played here: GET_CUSTOM_CONFIG",
        ),
        (Meeting(1, 1, FrameStats(), VESC), "it asked too seldom for a first experiment"),
    ],
)
def test_where_there_was_nothing_to_try_that_is_said(met, words):
    assert judge(None, met).undecided == (words,)


def test_the_control_names_its_size():
    assert good(80).words == "a good reply of 80 bytes"


@pytest.mark.parametrize(
    "rhythm",
    [(0.6, 0.7), (0.7, 0.6), (0.6, 0.6, 0.9), (0.1, 0.1, 2.5), (0.6, 0.6, 0.9, 0.9), (0.6,) * 3 + (1.5,)],
)
def test_a_client_of_a_rhythm_of_its_own_that_reads_nothing_is_not_accused(rhythm):
    """One that asks again at a timeout and then pauses goes on after two times by turns, whatever comes."""
    found = ClientFindings(Command.BMS_GET_VALUES, VESC)
    experiments = script(found, lambda _: None, lambda: None)
    trial = next(experiments)
    for number in range(4000):
        wait = rhythm[number % len(rhythm)]
        try:
            trial = experiments.send(ClientObservation(trial, ASK, 100, Action.REPEATS, wait, wait))
        except StopIteration:
            break
    verdict = judge(found, MET)
    assert not verdict.ok
    assert not verdict.findings
