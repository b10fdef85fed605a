"""What other programs use of the doctor: one function, and stable nouns, on the base install alone."""

import subprocess
import sys

import pytest

from packwire.doctor import Diagnosis, diagnose
from packwire.doctor.checks.neighbours import connected_from_here
from packwire.errors import BadAddressError
from tests.sim.raw import hub_with_device, simulated


async def test_a_quick_look():
    async with simulated() as device:
        diagnosis = await diagnose(str(device.address), limit=20)
    assert isinstance(diagnosis, Diagnosis)
    assert diagnosis.verdict.ok
    assert diagnosis.complete
    assert diagnosis.pack["cell_count"] == 20


async def test_a_password_apart_from_the_address():
    async with hub_with_device() as (hub, _):
        address = f"veschub://TESTPACK@127.0.0.1:{hub.port}"
        assert (await diagnose(address, password="secret42", limit=20)).verdict.ok
        refused = await diagnose(address, password="mistaken7", limit=20)
    assert refused.verdict.key == "wrong-password"
    assert "mistaken7" not in repr(refused)


@pytest.mark.parametrize("address", ["nonsense", "sim:vesc", "veschub://TESTPACK@127.0.0.1"])
async def test_an_address_that_cannot_work_raises(address: str):
    with pytest.raises(BadAddressError):
        await diagnose(address)


def test_it_needs_neither_terminal_nor_arrays_nor_templates():
    code = (
        "import sys; from packwire.doctor import diagnose; "
        "print([name for name in ('numpy', 'pydantic', 'cyclopts', 'rich', 'jinja2', 'serialx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_other_connections_of_this_computer(tmp_path):
    table = tmp_path / "tcp"
    table.write_text(
        "  sl  local_address rem_address   st tx_queue\n"
        "   0: 0100007F:A1B2 0100007F:FE4E 01 00000000:00000000\n"
        "   1: 0100007F:A1B3 0100007F:FE4E 06 00000000:00000000\n"
        "   2: 0100007F:A1B4 0200007F:FE4E 01 00000000:00000000\n"
        "   3: 0100007F:FE4E 0100007F:A1B2 01 00000000:00000000\n"
        "garbage\n   4: x y:z 01\n   5: a 0100007F:q 01 c\n"
    )
    table6 = tmp_path / "tcp6"
    table6.write_text(
        "header\n"
        "   0: 0000000000000000FFFF00000100007F:B1B2 0000000000000000FFFF00000100007F:FE4E 01 0:0\n"
        "   1: 00000000000000000000000001000000:B1B3 00000000000000000000000001000000:FE4E 01 0:0\n"
    )
    missing = tmp_path / "none"
    assert connected_from_here(["127.0.0.1"], 65102, (table,)) == 1
    assert connected_from_here(["127.0.0.1"], 65102, (table, table6, missing)) == 2
    assert connected_from_here(["::1"], 65102, (table, table6)) == 1
    assert connected_from_here(["127.0.0.1"], 65101, (table, table6)) == 0
