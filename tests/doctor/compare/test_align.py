"""Aligning: every request of both sessions has its place, and no recording is too long."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from packwire.capture import open_capture
from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.align import MAX_BLOCKS, align
from packwire.doctor.compare.session import ClientSession, Query, QueryKind
from packwire.doctor.vesc.recorded_sessions import vesc_sessions
from tests.shared_data import ROOT


def session(names: str) -> ClientSession:
    (template,), _ = vesc_sessions(open_capture(ROOT / "tests" / "data" / "vesc" / "no-bms.pcap"))
    queries = tuple(
        Query(QueryKind(name), number, -1, -1, NO_TIME, NO_TIME, expects=True)
        for number, name in enumerate(names)
    )
    return replace(template, queries=queries)


def steps(reference: str, mine: str) -> list[tuple[str, int, int]]:
    found = align(session(reference), session(mine))
    return [(step.kind.name, len(step.reference or ()), len(step.mine or ())) for step in found.steps]


def test_runs_and_rounds_are_folded():
    assert steps("vvxbcbcbcbc", "vbcbcbc") == [("v", 2, 1), ("x", 1, 0), ("b", 4, 3), ("c", 4, 3)]


@given(st.text("abcd", max_size=60), st.text("abcd", max_size=60))
def test_every_exchange_is_in_one_step(reference, mine):
    found = align(session(reference), session(mine))
    for side, text in (("reference", reference), ("mine", mine)):
        numbers = [number for step in found.steps for number in getattr(step, side) or ()]
        assert sorted(numbers) == list(range(len(text)))
        for step in found.steps:
            assert {text[number] for number in getattr(step, side) or ()} <= {step.kind.name}


def test_what_is_too_long_is_counted():
    long = "".join("ab"[number.bit_count() % 2] + "c" * (number % 3) for number in range(4 * MAX_BLOCKS))
    found = align(session(long), session("abc"))
    assert found.left_out[0] > 0
    assert found.left_out[1] == 0
    shown = sum(len(step.reference or ()) for step in found.steps)
    assert shown + found.left_out[0] == len(long)
