"""What stands around a log's lines is taken off, and nothing that belongs to them."""

import html
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.text.lines import is_text, lines
from packwire.capture.text.wrapped import unwrapped
from packwire.doctor.log.examine import diagnose_lines

LOGS = Path(__file__).resolve().parent.parent / "data" / "logs"
WRAPPERS = {
    "compose": lambda line: f"homeassistant-1  | {line}",
    "compose with times": lambda line: f"batmon  | 2026-03-05T10:00:00.123456789Z {line}",
    "journal": lambda line: f"Mar 05 10:00:01 homeassistant docker[1234]: {line}",
    "journal in ISO": lambda line: f"2026-03-05T10:00:01+0100 venus hassio[77]: {line}",
    "html": html.escape,
    "code": lambda line: f"    {line}",
    "grep -n": lambda line: f"123:{line}",
    "grep -r": lambda line: f"home-assistant.log:{line}",
    "list": lambda line: f"* {line}",
    "table": lambda line: f"| {line} |",
    "colours": lambda line: f"\x1b[0;36m{line}\x1b[0m" if line else line,
    "line ends": lambda line: f"{line}\r",
    "wide blanks": lambda line: line.replace("  ", " \N{NO-BREAK SPACE}"),
}
#: Logs in which lines without a time, bytes, tabs, quotes and several programs stand.
SAMPLES = (
    "slots-none-free-on-two-proxies", "gatt-list-of-another-family-ha", "daly-answers-40", "wire-two-protocols",
    "esp-page-with-heads-alone", "name-of-another-family", "vesc-arduino-no-data", "unrelated-home-assistant",
    "host-adapter-kernel", "can-ip-details", "jbd-every-fourth-answered", "host-adapter-gone",
)  # fmt: skip


def read(text: list[str]) -> list[str]:
    return list(lines(np.frombuffer("\n".join(text).encode(), dtype=np.uint8)))


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_log_says_the_same_whatever_is_around_it(name: str, wrapper: str):
    plain = (LOGS / f"{name}.log").read_text().splitlines()
    around = WRAPPERS[wrapper]
    one = diagnose_lines(name, read(plain)).verdict
    other = diagnose_lines(name, read([around(line) for line in plain])).verdict
    assert (other.key, other.confidence, other.causes) == (one.key, one.confidence, one.causes)


@pytest.mark.parametrize("name", json.loads((LOGS / "index.json").read_text()), ids=str)
def test_a_log_without_anything_around_it_stays(name: str):
    plain = (LOGS / f"{name}.log").read_text().splitlines()
    assert list(unwrapped(plain)) == plain


def test_the_time_that_only_the_journal_has_is_kept():
    wrapped = [f"Mar 05 10:00:0{n} pi python3[12]: Got response: b''" for n in range(3)]
    assert list(unwrapped(wrapped)) == [f"10:00:0{n} Got response: b''" for n in range(3)]


def test_what_the_kernel_says_is_not_taken_for_a_container():
    kernel = ["Mar 05 10:00:01 pi kernel: Bluetooth: hci0: Opcode 0x200c failed: -16"]
    assert list(unwrapped(kernel)) == kernel


@given(st.lists(st.text(max_size=120).filter(lambda line: "\n" not in line), max_size=30))
def test_each_line_stays_one_line(text: list[str]):
    assert len(list(unwrapped(text))) == len(text)


@pytest.mark.parametrize("filler", ["| ", "a ", " ", "* ", "1:", "\\", "a|", "&gt;", "x.log:", "]: "])
def test_no_wrapper_takes_long(filler: str):
    assert len(list(unwrapped([filler * 8000] * 20))) == 20


def test_a_terminal_s_own_log_is_read_without_its_titles_and_colours():
    said = "10:00:00.000 DEBUG [aiobmsble.bms.jbd_bms] JBD: TX BLE request timed out."
    log = f"\x1b]0;root@pi: ~\x07\x1b[?2004h\x1b[1;32mroot@pi\x1b[0m:~# tail -f x.log\r\n\x1b[33m{said}\x1b[0m\r\n"
    assert is_text(log.encode())
    assert not is_text(b"\x1b]0;\x01\x02")
    assert read(log.split("\n"))[:2] == ["root@pi:~# tail -f x.log", said]
