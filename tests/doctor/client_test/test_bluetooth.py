"""Clients of packs over Bluetooth, on a virtual air: the same examination."""

import pytest

from packwire.check import Confidence
from packwire.cli.exit_codes import ExitCode
from tests.cli.running import packwire
from tests.doctor.client_test.bluetooth_clients import examined
from tests.doctor.client_test.pack_clients import BUGS


@pytest.mark.parametrize("bug", ["none", "pieces-not-joined", "wrong-checksum", "other-family"])
async def test_a_client_of_a_jbd_over_bluetooth(bug):
    report = await examined("jbd", bug)
    assert report.key in (BUGS[bug] or ("ok",)), report
    if bug == "pieces-not-joined":  # a board may send each reply whole
        assert report.findings[0].confidence is Confidence.LIKELY


async def test_nobody_came():
    done = await packwire("doctor", "--my-client", "bluetooth?model=jbd", "--for", "0.3")
    assert done.code == ExitCode.NO_ANSWER
    assert "as to a JBD over Bluetooth" in done.out


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("bluetooth", "say which pack is played"),
        ("bluetooth?model=pace", "does not say how it is spoken over Bluetooth"),
        ("bluetooth?model=vesc", "is not played over Bluetooth"),
        ("bluetooth?model=victron-can", "they only send"),
        ("bluetooth:1?model=jbd", "name the port"),
        ("bluetooth?model=", "write"),
        ("bluetooth?adapter=usb:0", "say which pack is played"),
        ("bluetooth?model=jbd&adapter=tcp-client:127.0.0.1:1", "cannot use the Bluetooth adapter"),
        ("0?model=jbd&adapter=usb:0", "write"),
    ],
)
async def test_what_cannot_be_played(place, said):
    done = await packwire("doctor", "--my-client", place, "--for", "0.3")
    assert done.code == ExitCode.USAGE, done
    assert said in done.err
