"""What is shown of a recording holds no password by default, and with --redact nothing that tells whose it is."""

import pytest

from tests.cli.running import packwire
from tests.shared_data import CAPTURES, needs_captures

BLE = CAPTURES / "ble"
JK, JBD, ANT = (
    str(BLE / f"{name}.btsnoop") for name in ("jk-heating-setting", "jbd-sp04s034", "ant24c-rfcomm-classic")
)
#: In JK's device information: the password as it came, and masked.
CLEAR, STARS = "31323334" + "00" * 12, "2a" * 16


@needs_captures
@pytest.mark.parametrize("form", ["--json", "--csv"])
async def test_passwords_are_masked_in_messages(form):
    out = (await packwire("messages", form, "-p", "55aaeb9003", JK)).out
    assert STARS in out
    assert CLEAR not in out
    assert CLEAR in (await packwire("messages", form, "-p", "55aaeb9003", "--keep-secrets", JK)).out


@needs_captures
async def test_messages_says_what_it_masked():
    assert (
        (await packwire("messages", JBD))
        .err.strip()
        .endswith("jbd-sp04s034.btsnoop: masked: passwords in BMS frames (1); --keep-secrets shows them")
    )
    assert (await packwire("messages", JBD, "--keep-secrets")).err == ""


@needs_captures
@pytest.mark.parametrize("command", ["groups", "pairs"])
async def test_passwords_are_masked_in_what_is_found(command):
    assert "dd 5a 06 07 2a 2a 2a 2a 2a 2a 2a fe cd 77" in (await packwire(command, JBD)).out
    assert "dd 5a 06 07 06 00" in (await packwire(command, JBD, "--keep-secrets")).out
    assert "a5 a5 f1 2a 2a 45" in (await packwire(command, ANT)).out


@needs_captures
async def test_names_are_masked_where_it_is_asked_for():
    serial = b"41101494516".hex()
    assert serial in (await packwire("messages", "--json", JK)).out
    assert serial not in (await packwire("messages", "--json", "--redact", JK)).out


@needs_captures
@pytest.mark.parametrize("command", ["messages", "groups", "pairs", "diff"])
async def test_masking_and_showing_exclude_each_other(command):
    result = await packwire(command, JK, "--redact", "--keep-secrets")
    assert result.err.strip() == "packwire: --redact and --keep-secrets exclude each other"


@needs_captures
async def test_the_bits_stay_what_they_are():
    file = str(BLE / "jbd-mosfets-onoff.btsnoop")
    plain, redacted = [
        (await packwire("diff", "--split-at-writes", file, *more)).out for more in ((), ("--redact",))
    ]
    assert plain == redacted
