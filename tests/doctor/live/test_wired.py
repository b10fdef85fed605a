"""Every fault of a pack on a wire has a verdict of its own; none is told as surer than it is."""

import asyncio
import os
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import batched
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.address import parse_address
from packwire.check import Confidence, Depth, Outcome
from packwire.direction import Direction
from packwire.doctor.diagnosis import Diagnosis
from packwire.doctor.examination import Examination, ExaminationOptions
from packwire.doctor.examine import examine
from packwire.doctor.wire_bytes import look_at_wire
from packwire.errors import BadAddressError
from packwire.link.probing import candidates
from tests.cli.running import packwire
from tests.link.lines import line
from tests.shared_data import ROOT

pytest.importorskip("can")
pytest.importorskip("serialx")
if os.name == "nt":
    pytest.skip("pseudo-terminals", allow_module_level=True)

from tests.doctor.live.wired import CASES, Case

#: Patient enough for pseudo-terminals on a busy machine; a user's are longer.
BRISK = ExaminationOptions(patience=0.8, poll=1.8, listen=0.8)
_SURE = [Confidence.POSSIBLE, Confidence.LIKELY, Confidence.CERTAIN]


async def _examined(case: Case) -> Diagnosis:
    async with case.opened() as address:
        return await examine(parse_address(address), BRISK)


@pytest.fixture(scope="module", autouse=True)
def _families_are_loaded() -> None:
    """Load all models first: it takes a second, which one device would not miss, and many at once do."""
    candidates()


@pytest.mark.parametrize("cases", list(batched(CASES, 12)), ids=lambda cases: cases[0].name)
async def test_each_fault_has_its_verdict(cases: tuple[Case, ...]) -> None:
    found = await asyncio.gather(*map(_examined, cases))
    told = {case.name: one.verdict.key for case, one in zip(cases, found, strict=True)}
    assert told == {case.name: case.expected for case in cases}
    for case, one in zip(cases, found, strict=True):
        assert _SURE.index(one.verdict.confidence) <= _SURE.index(case.most), case.name
        assert one.verdict.words
        assert one.verdict.remedy
        assert (one.verdict.key == "ok") == (case.expected == "ok")


async def test_a_quick_look_tells_whether_there_is_data() -> None:
    with line("daly") as serial:
        options = ExaminationOptions(depth=Depth.QUICK)
        found = await examine(parse_address(f"serial:{serial.path}?model=daly"), options)
    assert found.verdict.key == "ok"
    assert found.pack["voltage"] == pytest.approx(33.5, abs=1)
    assert {"listen", "poll"}.isdisjoint(each.name for each in found.checks)


@pytest.mark.parametrize(
    "address", ["serial:/dev/null?model=pace&address=99", "serial:/dev/null?model=jbd&address=1"]
)
async def test_an_address_that_no_such_device_has_is_said(address: str) -> None:
    with line("pace", 1) as serial, pytest.raises(BadAddressError, match="address"):
        await examine(parse_address(address.replace("/dev/null", serial.path)), BRISK)


@pytest.mark.parametrize(
    "address",
    [
        "can://can0?model=vesc",
        "can://can0?model=jbd&interface=virtual",
        "serial:/dev/ttyS0?model=pylontech-can",
        "tcp://127.0.0.1:9?model=victron-can",
    ],
)
async def test_a_model_that_is_not_spoken_there_is_said(address: str) -> None:
    with pytest.raises(BadAddressError, match="CAN"):
        await examine(parse_address(address), BRISK)


async def test_only_questions_that_ask_are_put() -> None:
    """At each rate and address nothing is sent but its own questions, and other families' harmless ones."""
    with line("daly", faults=("silence",)) as serial:
        device = serial.devices[0]
        found = await examine(parse_address(f"serial:{serial.path}?model=daly"), BRISK)
        sent = {each.data for each in found.transcript.segments if each.direction.name == "TO_DEVICE"}
    own = {each.payload for each in device.protocol.questions if each.harmless}
    families = [each for each in candidates() if each.asks]
    others = {sent for each in families for sent in (each.preamble, each.frame(each.harmless[0]))}
    assert own & sent
    assert {bytes(each) for each in sent} <= own | others


@contextmanager
def as_nobody() -> Iterator[None]:
    """Do something without root's rights, which are all."""
    own = os.geteuid()
    if own:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(own)


async def test_a_port_that_may_not_be_opened() -> None:
    with line("jbd") as serial:
        address = parse_address(f"serial:{serial.path}?model=jbd")
        await examine(address, replace(BRISK, depth=Depth.QUICK))  # loads what nobody else may
        Path(serial.path).chmod(0)
        with as_nobody():
            found = await examine(address, BRISK)
    assert found.verdict.key == "host.permission"


async def test_hearing_oneself_is_no_fault_and_is_said() -> None:
    with line("jbd", echo=True) as serial:
        found = await examine(parse_address(f"serial:{serial.path}?model=jbd"), BRISK)
    assert found.verdict.key == "ok"
    (contact,) = (each for each in found.checks if each.name == "contact")
    assert contact.outcome is Outcome.PASSED
    assert "what is sent comes back" in contact.answer


async def test_a_pack_that_its_owner_wakes() -> None:
    with line("jbd", faults=("silence",)) as serial:

        async def wake() -> bool:
            serial.devices[0].faults.cancel("silence")
            return True

        options = replace(BRISK, depth=Depth.QUICK, restart=wake)
        found = await examine(parse_address(f"serial:{serial.path}?model=jbd"), options)
    assert (found.verdict.key, found.verdict.confidence) == ("pack-asleep", Confidence.LIKELY)
    assert "woken" in found.verdict.words


async def test_what_could_be_a_secret_is_in_no_report() -> None:
    with line("jbd", faults=("corrupt:2",)) as serial:
        found = await examine(parse_address(f"serial:{serial.path}?model=jbd"), BRISK)
    shown = b"".join(each.data for each in found.transcript.redacted())
    assert len(shown) == sum(each.size for each in found.transcript.segments)
    assert bytes.fromhex("dda50300fffd77") in shown


async def test_the_page_shows_what_is_shown() -> None:
    page = (ROOT / "docs/how-to/my-pack-gives-no-data.md").read_text(encoding="utf-8")
    block = page.partition("    packwire doctor 'serial:/dev/ttyUSB0?model=jbd'\n")[2]
    shown = block[block.index("    ok    port") :].partition("\n\n")[0]
    wanted = [textwrap.dedent(each) for each in shown.split("    ...\n")]
    with line("jbd", baud=115200) as serial:
        result = await packwire("doctor", f"serial:{serial.path}?model=jbd")
        printed = _without_numbers(result.out.replace(serial.path, "/dev/ttyUSB0"))
    for part in wanted:
        for each in part.rstrip("\n").split("\n"):
            assert _without_numbers(each.removeprefix("    ")) in printed, each


def _without_numbers(text: str) -> str:
    return re.sub(r"  \d+\.\d s$", "", text, flags=re.MULTILINE)


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), max_size=12))
@settings(max_examples=30, deadline=None)
def test_no_bytes_are_too_much_for_it(passed: list[tuple[bool, bytes]]) -> None:
    exam = Examination(parse_address("serial:/dev/ttyNOTHERE7?model=pace&address=1"))
    for sent, data in passed:
        exam.transcript.add(1, Direction.TO_DEVICE if sent else Direction.FROM_DEVICE, data)
    found = look_at_wire(exam)
    assert 0 <= found.outside <= found.size <= sum(len(data) for sent, data in passed if not sent)


def test_a_line_that_sends_without_end_is_looked_at_in_part() -> None:
    exam = Examination(parse_address("serial:/dev/ttyNOTHERE7?model=jbd"))
    for _ in range(200):
        exam.transcript.add(1, Direction.FROM_DEVICE, bytes(1024))
    assert look_at_wire(exam).size < 20_000
