"""What is heard of packs that send on a CAN bus, and what words of unknown programs do: they take anything."""

from hypothesis import given
from hypothesis import strategies as st

from packwire.check import Confidence
from packwire.doctor.log.examine import diagnose_lines

FRAMES = st.tuples(st.integers(0, 0x7FF), st.binary(max_size=8)).map(
    lambda each: f"(1767225600.000000) can0 {each[0]:03X}#{each[1].hex().upper()}"
)
PYLON = st.tuples(st.sampled_from([0x351, 0x355, 0x356, 0x359, 0x35C, 0x35E]), st.binary(max_size=8)).map(
    lambda each: f"  can0  {each[0]:03X}   [{len(each[1])}]  {each[1].hex(' ').upper()}"
)
WORDS = st.sampled_from(
    ["no response", "timeout waiting", "checksum error", "failed to connect", "device not found", "wrong key",
     "ff " * 20, "/dev/ttyUSB0", "bluetooth", "failed to enable notifications", "", "\x00", "x" * 3000]
)  # fmt: skip


@given(st.lists(FRAMES | PYLON | st.text(max_size=60), max_size=30))
def test_any_frames_are_taken(lines: list[str]):
    found = diagnose_lines("any", lines)
    assert found.verdict.words


@given(st.lists(st.lists(WORDS, max_size=4).map(" ".join), max_size=20))
def test_words_that_all_programs_use_are_never_certain(lines: list[str]):
    found = diagnose_lines("any", lines)
    assert found.verdict.confidence is not Confidence.CERTAIN
    assert found.verdict.open


def test_frames_too_few_for_a_pack_are_not_called_unknown():
    found = diagnose_lines("two", ["can0  355   [4]  3E 00 64 00", "can0  356   [6]  0A 02 11 FF BE 00"])
    assert "too few to tell whose: frames as of Pylontech CAN" in found.verdict.words
    assert "no model" not in found.verdict.words


def test_zeros_in_right_frames_are_no_idle_line():
    frame = bytes.fromhex("d2037c") + bytes(124)
    for end, key in (("0000", "serial.wiring"), ("0629", "inconclusive")):  # no checksum, and Daly's
        shown = (frame + bytes.fromhex(end)).hex("-").upper()
        lines = [f'A\t12:00:0{at}.000\t"(0x) {shown}" received' for at in range(3)]
        assert diagnose_lines("frames", lines).verdict.key == key


def test_a_bridge_that_sends_zeros_alone_is_no_healthy_pack():
    frames = ("351#0000000000000000", "355#0000000000000000", "356#000000000000", "359#0000000000000000")
    lines = [f"({1_767_225_600 + at}.000000) can0 {frame}" for at in range(30) for frame in frames]
    verdict = diagnose_lines("zeros", lines).verdict
    assert (verdict.key, verdict.confidence) == ("protocol-variant", Confidence.POSSIBLE)
    assert "everything is zero" in verdict.words
    lines = [line.replace("356#0000", "356#CA14") for line in lines]  # 53.22 V, at rest
    assert diagnose_lines("at rest", lines).verdict.key == "ok"
