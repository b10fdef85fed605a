"""`packwire tap` as a user runs it."""

import asyncio
import contextlib
import json
import signal
import sys
from typing import Any

import pytest

from packwire.capture import open_capture
from packwire.cli.tap import _listen, _upstream
from packwire.errors import PackwireError
from packwire.hub.tap_ends import SerialUpstream, TcpUpstream
from packwire.vesc.framing import encode_frame
from tests.capture.vesc_session import ASK_BMS, ASK_VALUES, bms
from tests.cli.running import packwire
from tests.hub.replay import End, RecordedEnd

LOGIN = b"VESCTOOL:TESTPACK:secret42\n"
CONFIG = b"\x5d\x00\x12\x34\x56\x78my-wifi-key\0"


@contextlib.asynccontextmanager
async def running(*arguments):
    """Run `packwire tap` on a free port; yield the process and its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "packwire", "tap", "--listen", "0", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(20):
            out: Any = process.stdout
            words = (await out.readline()).decode().split()
        yield process, int(words[2].rpartition(":")[2])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def stop(process):
    process.send_signal(signal.SIGINT)
    out, _ = await process.communicate()
    return out.decode()


async def talk(port, far):
    """Log in, ask for the cells, the configuration, and what is never answered."""
    near = await End.dial(port)
    other = await far.dialled()
    asked = LOGIN + encode_frame(ASK_BMS) + encode_frame(b"\x5d\x00") + encode_frame(ASK_VALUES)
    replies = encode_frame(bms()) + encode_frame(CONFIG) + b"??"
    await near.send(asked)
    assert await other.until(len(asked)) == asked
    await other.send(replies)
    assert await near.until(len(replies)) == replies
    await near.close()
    await other.until_closed()
    await other.close()


async def test_what_is_said_is_shown_and_recorded_without_secrets(tmp_path):
    path = tmp_path / "session.pcapng"
    async with RecordedEnd() as far:
        async with running("--upstream", f"127.0.0.1:{far.port}", "--record", str(path)) as (process, port):
            await talk(port, far)
            out = await stop(process)
    assert process.returncode == 0
    assert "as a client of TESTPACK, password (hidden)" in out
    assert "83.92 V  20 cells" in out
    assert "3 requests, 2 answered, 1 without a reply" in out
    assert "GET_VALUES" in out
    assert "NO REPLY" in out
    assert "2 junk bytes" in out
    assert "hub logins (1)" in out
    for secret in (b"secret42", b"my-wifi-key"):
        assert secret.decode() not in out
        assert secret not in path.read_bytes()
    assert len(open_capture(path).vesc.connections[0].conversation) == 5


async def test_secrets_are_kept_for_who_asks_for_it(tmp_path):
    path = tmp_path / "session.pcapng"
    async with RecordedEnd() as far:
        arguments = ("--upstream", f"127.0.0.1:{far.port}", "--record", str(path), "--keep-secrets")
        async with running(*arguments) as (process, port):
            await talk(port, far)
            out = await stop(process)
    assert "PASSWORDS AND KEYS TOO" in out
    assert "password secret42" in out
    assert LOGIN in path.read_bytes()
    assert CONFIG in path.read_bytes()


async def test_json_lines_for_a_script():
    async with RecordedEnd() as far:
        async with running("--upstream", f"127.0.0.1:{far.port}", "--json") as (process, port):
            await talk(port, far)
            lines = [json.loads(line) for line in (await stop(process)).splitlines() if line.startswith("{")]
    assert [line["type"] for line in lines] == ["opened", *["message"] * 7, "closed"]
    assert [line["part"] for line in lines[1:-1]] == [
        "login", "request", "request", "request", "reply", "reply", "unanswered"
    ]  # fmt: skip
    assert lines[5]["values"]["cell_num"] == 20
    assert lines[-1]["sent"][1]["junk"] == 2
    assert "secret42" not in json.dumps(lines)
    assert "my-wifi-key" not in json.dumps(lines)


async def test_a_recording_is_never_overwritten(tmp_path):
    path = tmp_path / "there.pcapng"
    path.write_bytes(b"precious")
    result = await packwire("tap", "--listen", "0", "--upstream", "127.0.0.1:1", "--record", str(path))
    assert result.code == 2
    assert "exists already" in result.err
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("veschub.example:65101", ("veschub.example", 65101)),
        ("192.0.2.1:65102", ("192.0.2.1", 65102)),
        ("[2001:db8::1]:65102", ("2001:db8::1", 65102)),
        ("vesc://192.0.2.1", ("192.0.2.1", 65102)),
        ("veschub://ID@veschub.example", ("veschub.example", 65101)),
    ],
)
def test_upstreams(text, place):
    upstream = _upstream(text)
    assert isinstance(upstream, TcpUpstream)
    assert (upstream.host, upstream.port) == place


def test_a_serial_upstream_needs_no_port_here():
    upstream = _upstream("serial:/dev/ttyACM0")
    assert isinstance(upstream, SerialUpstream)
    assert _listen(None, upstream) == ("127.0.0.1", None)


@pytest.mark.parametrize(
    "text", ["192.0.2.1", "host:0", "host:99999", ":1", "sim:vesc", "vesc://host/can/84"]
)
def test_what_cannot_be_tapped_is_told(text):
    with pytest.raises(PackwireError) as caught:
        _upstream(text)
    assert caught.value.exit_code == 2


def test_where_to_listen():
    far = TcpUpstream("192.0.2.1", 65102)
    assert _listen("65101", far) == ("127.0.0.1", 65101)
    assert _listen("0.0.0.0:65101", far) == ("0.0.0.0", 65101)
    with pytest.raises(PackwireError, match="--listen"):
        _listen(None, far)
