"""Each feature whose package is not installed is one line that names the extra."""

import subprocess
import sys

import pytest

_PACKAGES = {"ble": "bleak", "sim": "bumble", "serial": "serialx", "can": "can", "proxies": "bleak_esphome"}


def run_without(extra, *words):
    code = f"import sys; sys.modules[{_PACKAGES[extra]!r}] = None; from packwire.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("ble", "read ble://JBD"),
        ("ble", "explore ble://JBD"),
        ("proxies", "read ble://JBD?proxy=esp&take"),
        ("sim", "sim jbd --bluetooth --for 1"),
        ("sim", "read ble://JBD?adapter=tcp-client:127.0.0.1:7000"),
        ("serial", "read serial:/dev/null?model=jbd"),
        ("can", "read can://can0?model=victron-can"),
    ],
)
def test_a_missing_extra_is_one_line(extra, words):
    code, out, err = run_without(extra, *words.split())
    assert (code, out) == (10, "")
    assert f"needs the extra `{extra}`: in packwire's folder, pip install '.[{extra}]'" in err
    assert err.count("\n") == 1


def test_the_doctor_of_all_there_is_looks_at_the_rest():
    code, out, err = run_without("ble", "doctor", "--for", "0.1")
    assert (code in {0, 7}, err) == (True, "")
    assert "not tried: Bluetooth: Bluetooth needs the extra `ble`" in out
    assert [each for each in ("network", "serial", "CAN") if each not in out] == []
