"""A vendor's app beside one's own client over Bluetooth: the same comparison, from the framing alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from packwire.capture import Capture, open_capture
from packwire.capture.writers import btsnoop
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.choose import NoSessionError, choose
from packwire.doctor.compare.verdict import NO_DIFFERENCE, Comparison, compare, evidence_lines
from packwire.messages import Direction
from packwire.vesc.framing import encode_frame
from tests.shared_data import CAPTURES, CASES, needs_captures, needs_cases

BASIC_INFO, CELLS = bytes.fromhex("dda503"), bytes.fromhex("dda504")

pytestmark = needs_captures


@pytest.fixture
def app() -> Capture:
    return open_capture(CAPTURES / "ble" / "jbd-sp04s034.btsnoop")


def compared(reference: Capture, path: Path) -> Comparison:
    theirs, ours = choose((reference, open_capture(path)))
    return compare(theirs.session, ours.session)


def without(capture: Capture, path: Path, unwanted: Callable[[str, int, bytes], bool]) -> Path:
    """Write a recording without some messages."""
    messages = capture.messages
    numbers = {
        number
        for row in range(len(messages))
        if unwanted(
            str(messages.channels[int(messages.channel[row])]),
            int(messages.direction[row]),
            messages.payload(row),
        )
        for number in messages.packets_of(row)
    }
    packets = capture.packets
    kept = np.array([row + 1 not in numbers for row in range(len(packets))])
    columns = ("time", "start", "size", "original", "link_type", "interface", "direction")
    left = replace(packets, **{column: getattr(packets, column)[kept] for column in columns})
    with path.open("wb") as file:
        btsnoop.write(left, file)
    return path


def test_the_app_beside_itself(app, tmp_path):
    found = compared(app, without(app, tmp_path / "same.btsnoop", lambda *_: False))
    assert found.key == NO_DIFFERENCE
    assert found.mine.protocol == "JBD"
    assert found.mine.asked > 190
    assert found.first is None


def test_a_wrong_checksum(app, tmp_path):
    content = (CAPTURES / "ble" / "jbd-sp04s034.btsnoop").read_bytes()
    path = tmp_path / "mine.btsnoop"
    path.write_bytes(content.replace(bytes.fromhex("dda50300fffd77"), bytes.fromhex("dda50300fdff77")))
    found = compared(app, path)
    assert found.key == Cause.WRONG_CHECKSUM
    assert found.main is not None
    text = " ".join(evidence_lines(found.main, "mine"))
    assert "dd a5 03 00 fd ff 77" in text
    assert "the checksum is fd ff, right is ff fd (sum16 negated)" in text
    assert found.divergence is not None
    assert found.divergence.kind.name == "JBD dd a5 03"


def test_a_client_that_never_switches_notifications_on(app, tmp_path):
    path = without(
        app,
        tmp_path / "mine.btsnoop",
        lambda channel, way, _: " 2902 " in channel or way == Direction.FROM_DEVICE,
    )
    assert compared(app, path).key == Cause.NEVER_SUBSCRIBES


def test_replies_that_are_missing(app, tmp_path):
    path = without(
        app,
        tmp_path / "mine.btsnoop",
        lambda _, way, message: way == Direction.FROM_DEVICE and message[:2] == b"\xdd\x04",
    )
    found = compared(app, path)
    assert found.key == Cause.SILENT_DEVICE
    assert [kind.name for kind in found.main.kinds] == ["JBD dd a5 04"] if found.main else False


def test_a_request_that_mine_never_sends(app, tmp_path):
    path = without(
        app,
        tmp_path / "mine.btsnoop",
        lambda _, way, message: (
            message[:3] == CELLS or (way == Direction.FROM_DEVICE and message[:2] == b"\xdd\x04")
        ),
    )
    found = compared(app, path)
    assert found.key == Cause.NEVER_ASKED
    assert Cause.CANNOT_TELL in {each.cause for _, each in found.also}, "nothing shows that it takes replies"
    assert "JBD dd a5 04" in [kind.name for kind in found.missing]


def test_nobody_is_told_to_send_what_may_be_a_switch():
    """The app of the one switches its MOSFETs again and again; the other reads only, and is well."""
    names = ("jbd-mosfets-onoff", "jbd-sp04s034")
    first, second = (open_capture(CAPTURES / "ble" / f"{name}.btsnoop") for name in names)
    theirs, ours = choose((first, second))
    found = compare(theirs.session, ours.session)
    assert "JBD dd 5a e1" in [kind.name for kind in found.missing]
    told = [each for each in (found.main, *(verdict for _, verdict in found.also)) if each is not None]
    assert not [each for each in told if "dd 5a" in " ".join(each.evidence)]


@pytest.mark.parametrize("path", sorted((CAPTURES / "ble").glob("*.btsnoop")), ids=lambda path: path.stem)
def test_every_recording_beside_itself_has_no_difference(path):
    capture = open_capture(path)
    theirs, ours = choose((capture, capture))
    assert compare(theirs.session, ours.session).key == NO_DIFFERENCE


@pytest.mark.parametrize("name", ["ble/daly-balancer.btsnoop", "vesc/no-bms.pcap"])
def test_recordings_of_different_protocols_are_not_compared(app, name):
    with pytest.raises(NoSessionError, match="it speaks (JBD|Daly), the other recording"):
        choose((app, open_capture(CAPTURES / name)))


def test_vesc_frames_in_a_log_beside_those_in_a_capture(tmp_path):
    bad = bytes.fromhex("02 01 60 a6 6c 03")
    lines = [f"2026-11-21 02:40:0{second}.000 TX {bad.hex(' ')}" for second in range(4)]
    first = encode_frame(b"\x00")
    log = tmp_path / "mine.log"
    log.write_text("\n".join([f"2026-11-21 02:39:59.000 TX {first.hex(' ')}", *lines]) + "\n")
    found = compared(open_capture(CAPTURES / "vesc" / "vesc-tool-hub-bms.pcap"), log)
    assert found.key == Cause.WRONG_CHECKSUM
    assert [exchange.kind.name for exchange in found.mine.queries] == ["FW_VERSION", *["BMS_GET_VALUES"] * 4]


def test_a_recording_without_a_session(app):
    nothing = open_capture(CAPTURES / "ble" / "packetlogger-big-endian.pklg")
    with pytest.raises(NoSessionError, match="no session of a client in it"):
        choose((app, nothing))


@needs_cases
def test_a_pack_behind_a_bridge():
    capture = open_capture(CASES / "jbd-over-tcp.pcap")
    theirs, ours = choose((capture, capture))
    assert theirs.session.protocol == "JBD"
    assert theirs.session.model == "jbd"
    assert theirs.session.answered
    assert compare(theirs.session, ours.session).key == NO_DIFFERENCE
