"""The examples run, and what CONTRIBUTING.md shows is the example that runs."""

import runpy
import subprocess
import sys

import pytest

from packwire.errors import BadFileError
from packwire.models.load import parse
from packwire.sim.server import SimOptions, SimulatedVesc
from tests.shared_data import ROOT

EXAMPLES = ROOT / "examples"
ACME = runpy.run_path(str(EXAMPLES / "model_of_my_own.py"))["ACME"]


def run(name, *arguments):
    command = [sys.executable, EXAMPLES / name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


def test_a_model_of_ones_own():
    result = run("model_of_my_own.py")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Acme BMS: ")
    assert result.stdout.count("4.19") >= 3


async def test_reading_once():
    async with SimulatedVesc(SimOptions()) as simulated:
        import asyncio

        result = await asyncio.to_thread(run, "read_once.py", str(simulated.address))
    assert result.returncode == 0, result.stderr
    assert "cell_voltages" in result.stdout


def test_an_address_where_nobody_is_takes_one_line():
    result = run("read_once.py", "vesc://127.0.0.1:1")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "refused the connection" in result.stderr


def test_the_model_in_the_text_is_the_one_that_runs():
    (shown,) = [
        block for block in (ROOT / "CONTRIBUTING.md").read_text().split("```") if "name: acme" in block
    ]
    plain = "\n".join(line.partition("  #")[0].rstrip() for line in shown.removeprefix("yaml").splitlines())
    assert plain.strip() == ACME.strip()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "aa 55 .. 10 .. ..",
            "aa 55 01 10 31 b1",
            "requests.status.send: its checksum is 31 b1, right is 31 b0",
        ),
        ("aa 55 .. 10 .. ..", "aa 55 02 10 31 b0", "it is 6 bytes long, and its length says 7"),
        ("send: aa 55", "send: ab 55", "it does not begin like a frame: aa 55"),
        ("reply: status", "reply: state", "there is no reply 'state': status"),
        ("type: i16", "type: i17", "type: .*should match"),
        ("quantity: voltage", "quantity: volts", "there is no quantity 'volts'"),
        ("scale: 0.1,", "scale: 0,", "the scale is a number other than 0"),
        ("CRC-16/MODBUS", "CRC-99", "there is no checksum 'CRC-99'"),
        ("kind: 4", "kind: 4\n    kind: 5", "line 13: 'kind' stands here twice"),
        ("title: Acme BMS", "title: &x Acme BMS", "line 4: anchors and aliases are not allowed"),
        ("title: Acme BMS", "title: !!python/name:os.system x", "line 4: tags are not allowed"),
        (
            "tcp: true",
            "tcp: true\n  carrier_pigeon: true",
            "line 8: links.carrier_pigeon: there is no such key; allowed is ble, can, serial, tcp",
        ),
        ("packwire: 1", "packwire: 2", "line 2: packwire: input should be 1"),
    ],
)
def test_a_mistake_in_a_model_is_a_line_with_its_place(old, new, words):
    assert old in ACME
    with pytest.raises(BadFileError, match=words) as caught:
        parse(ACME.replace(old, new, 1), "acme.yaml")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("acme.yaml")
