"""How a serial port stands, without opening it."""

import os
import subprocess
import sys

import pytest

from packwire.link.port_state import holders_of, port_state

if os.name == "nt":
    pytest.skip("pseudo-terminals", allow_module_level=True)


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
