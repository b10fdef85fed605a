"""Every fault of a pack on a wire has a verdict of its own; none is told as surer than it is."""

import asyncio
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import replace
from itertools import batched

import pytest

from packwire.address import parse_address
from packwire.check import Confidence, Depth, Outcome
from packwire.doctor.diagnosis import Diagnosis
from packwire.doctor.examination import ExaminationOptions
from packwire.doctor.examine import examine
from packwire.errors import BadAddressError
from packwire.link.can_errors import errors_of
from packwire.link.can_state import can_interfaces, read_interfaces
from packwire.link.port_state import holders_of, port_state
from tests.cli.running import packwire
from tests.link.lines import line
from tests.shared_data import ROOT

pytest.importorskip("can")
pytest.importorskip("serialx")
if os.name == "nt":
    pytest.skip("pseudo-terminals", allow_module_level=True)

from tests.doctor.live.wired import CASES, Case, interface

#: Patient enough for pseudo-terminals on a busy machine; a user's are longer.
BRISK = ExaminationOptions(patience=0.35, poll=1.8, listen=0.8)
_SURE = [Confidence.POSSIBLE, Confidence.LIKELY, Confidence.CERTAIN]


async def _examined(case: Case) -> Diagnosis:
    async with case.opened() as address:
        return await examine(parse_address(address), BRISK)


@pytest.mark.parametrize("cases", list(batched(CASES, 18)), ids=lambda cases: cases[0].name)
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


async def test_only_the_questions_of_the_model_are_asked() -> None:
    """At each rate and address nothing but its own questions is sent, whatever comes back."""
    with line("daly", faults=("silence",)) as serial:
        device = serial.devices[0]
        found = await examine(parse_address(f"serial:{serial.path}?model=daly"), BRISK)
        sent = {each.data for each in found.transcript.segments if each.direction.name == "TO_DEVICE"}
    assert sent == {each.payload for each in device.protocol.questions if each.harmless} & sent
    assert sent


def test_a_port_is_looked_at_without_opening_it(tmp_path) -> None:
    missing = port_state("/dev/ttyNOTHERE7")
    assert (missing.there, missing.device, missing.allowed) == (False, False, False)
    plain = tmp_path / "plain"
    plain.touch()
    assert not port_state(str(plain)).device
    ours, theirs = os.openpty()
    path = os.ttyname(theirs)
    assert port_state(path).device
    if sys.platform == "linux":
        with subprocess.Popen(["sleep", "30"], stdin=theirs) as other:
            (holder,) = holders_of(path)
            assert (holder.process, holder.program) == (other.pid, "sleep")
            other.kill()
        assert list(holders_of(path)) == []
    os.close(ours)
    os.close(theirs)


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may all")
async def test_a_port_that_may_not_be_opened(tmp_path) -> None:
    with line("jbd") as serial:
        os.chmod(serial.path, 0)  # noqa: PTH101 - a device
        found = await examine(parse_address(f"serial:{serial.path}?model=jbd"), BRISK)
    assert found.verdict.key == "host.permission"


async def test_interfaces_are_read_from_ip(tmp_path, monkeypatch) -> None:
    script = tmp_path / "ip"
    import json

    rows = [interface("can0", counters=(128, 3), modes=("LISTEN-ONLY",)), {"link_type": "ether"}]
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(rows)}\nEND\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (found,) = await can_interfaces()
    assert (found.name, found.up, found.bit_rate, found.state) == ("can0", True, 500_000, "ERROR-ACTIVE")
    assert (found.tx_errors, found.rx_errors, found.listens_only) == (128, 3, True)
    assert "error counters tx 128 rx 3" in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "{}",
        "[1, null, [], {}]",
        '[{"link_type": "can"}]',
        '[{"link_type": "can", "ifname": 7}]',
        "[" * 100_000,
    ],
)
def test_what_ip_does_not_say_is_not_guessed(text: str) -> None:
    assert read_interfaces(text) == ()


def test_odd_values_of_ip_are_left_out() -> None:
    row = {
        "link_type": "can",
        "ifname": "can0",
        "flags": 3,
        "linkinfo": [],
        "stats64": {"rx": {"packets": -1}},
    }
    import json

    (found,) = read_interfaces(json.dumps([row]))
    assert (found.up, found.bit_rate, found.received) == (False, None, None)


def test_error_frames_are_told_as_in_a_log() -> None:
    told = [each.code for each in errors_of(0x20, bytes(8))]
    assert told == ["nobody-acks"]
    assert [each.code for each in errors_of(0x88, bytes([0, 0, 0x80, 0x19, 0, 0, 0, 0]))] == ["nobody-acks"]
    assert [each.code for each in errors_of(0x88, bytes([0, 0, 0x04, 0x0A]))] == ["can-frame-bad"]
    assert [each.code for each in errors_of(0x04, bytes([0, 0x20]))] == ["can-passive"]
    assert [each.code for each in errors_of(0x40, b"")] == ["can-bus-off"]
    assert list(errors_of(0x200, bytes(8))) == []


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
