"""Names of files, ids and options may hold anything: no command shows it raw, or ends in a traceback."""

import os
import sys

import pytest

from packwire.capture.writers.pcapng import interface_block, packet_block, section_block
from tests.capture.vesc_session import ASK_BMS
from tests.cli.running import packwire

#: ESC, CSI (C1), an override of direction, a line separator, bytes that are no UTF-8.
HOSTILE = os.fsdecode(b"a\x1b[31mb\xc2\x9bc\xe2\x80\xaed\xe2\x80\xa8e\xff")
RAW = ("\x1b", "\x9b", "\u202e", "\u2028", "\n\n\n")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="such names are not possible")

COMMANDS = [
    ("info", HOSTILE),
    ("info", "--json", HOSTILE),
    ("messages", HOSTILE),
    ("decode", HOSTILE, "--json"),
    ("groups", HOSTILE),
    ("pairs", HOSTILE),
    ("compare", HOSTILE, HOSTILE),
    ("convert", HOSTILE, "x.pcap"),
    ("convert", "pyproject.toml", HOSTILE),
    ("read", HOSTILE),
    ("read", f"veschub://{HOSTILE}@127.0.0.1:1"),
    ("read", f"veschub://PACK:{HOSTILE}@127.0.0.1:1"),
    ("doctor", f"veschub://{HOSTILE}@127.0.0.1:1"),
    ("doctor", f"vesc://{HOSTILE}"),
    ("tap", "--upstream", HOSTILE, "--listen", "0"),
    ("tap", "--upstream", "127.0.0.1:1", "--listen", "0", "--record", f"/nowhere/{HOSTILE}"),
    ("hub", "--credentials", HOSTILE),
    ("hub", "--config", HOSTILE),
    ("hub", "--listen", HOSTILE),
    ("hub", "--open", "--allow", HOSTILE),
    ("hub", "password", HOSTILE),
    ("share", f"serial:{HOSTILE}"),
    (HOSTILE,),
    ("read", f"--{HOSTILE}"),
    ("sim", "vesc", "--hub", f"{HOSTILE}"),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda each: ascii(" ".join(each))[:60])
async def test_an_error_shows_no_control_characters(arguments):
    found = await packwire(*arguments)
    assert found.code not in {0, 1}
    assert found.err.strip()
    for raw in RAW:
        assert raw not in found.err + found.out


@pytest.mark.parametrize("command", ["info", "messages", "decode", "groups", "pairs"])
@pytest.mark.parametrize("options", [(), ("--json",)])
async def test_a_recording_of_any_name_is_shown(tmp_path, command, options):
    path = tmp_path / f"{HOSTILE}.pcapng"
    path.write_bytes(
        section_block() + interface_block("if\x1b[31m\x9b\u202e", 147) + packet_block(0, 1, ASK_BMS * 4)
    )
    found = await packwire(command, str(path), *options)
    assert found.code in {0, 4, 7, 9, 11}
    for raw in RAW:
        assert raw not in found.err + found.out
