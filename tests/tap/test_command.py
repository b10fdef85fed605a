"""`packwire tap` as a user runs it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from typing import Any

import pytest

from packwire.capture import open_capture
from packwire.cli.commands.tap import _listen, _upstream
from packwire.cli.exit_codes import exit_code_of
from packwire.errors import PackwireError
from packwire.tap.ends import SerialUpstream, TcpUpstream
from packwire.vesc.framing import encode_frame
from tests.capture.vesc_session import ASK_BMS, ASK_VALUES, bms
from tests.cli.records import checked
from tests.cli.running import packwire
from tests.share.replay import End, RecordedEnd

LOGIN = b"VESCTOOL:TESTPACK:secret42\n"
CONFIG = b"\x5d\x00\x12\x34\x56\x78my-wifi-key\0"


@contextlib.asynccontextmanager
async def running(*arguments, listen="0"):
    """Run `packwire tap` on a free port; yield the process and its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "packwire", "tap", "--listen", listen, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(90):
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
            lines = checked(
                "\n".join(line for line in (await stop(process)).splitlines() if line.startswith("{"))
            )
    assert [line["kind"] for line in lines] == ["opened", *["vesc_message"] * 7, "closed"]
    assert [line["part"] for line in lines[1:-1]] == [
        "login", "request", "request", "request", "reply", "reply", "unanswered"
    ]  # fmt: skip
    assert lines[5]["values"]["cell_num"] == 20
    assert lines[-1]["sent"][1]["junk"] == 2
    assert "secret42" not in json.dumps(lines)
    assert "my-wifi-key" not in json.dumps(lines)


async def test_a_terminal_that_takes_nothing_does_not_hold_up_the_wire():
    request = encode_frame(ASK_BMS) * 1000
    async with RecordedEnd() as far:
        async with running("--upstream", f"127.0.0.1:{far.port}", "--json") as (process, port):
            near = await End.dial(port)
            other = await far.dialled()
            for count in range(1, 21):  # more lines than are kept, and nobody reads them
                await near.send(request)
                assert len(await other.until(count * len(request))) == count * len(request)
            await near.close()
            await other.until_closed()
            await other.close()
            lines = checked(
                "\n".join(line for line in (await stop(process)).splitlines() if line.startswith("{"))
            )
    lost = sum(line["records"] for line in lines if line["kind"] == "lost")
    shown = sum(line.get("part") == "request" for line in lines)
    assert lost > 0
    assert 0 < shown < 20_000
    assert process.returncode == 0


async def test_it_ends_though_its_output_is_stuck():
    async with RecordedEnd() as far:
        reading, writing = os.pipe()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "packwire", "tap", "--listen", "0",
            "--upstream", f"127.0.0.1:{far.port}", stdout=writing, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        os.close(writing)
        begin = await asyncio.to_thread(os.read, reading, 200)
        near = await End.dial(int(begin.decode().split()[2].rpartition(":")[2]))
        other = await far.dialled()
        asked = encode_frame(ASK_BMS) * 5000
        await near.send(asked)
        assert len(await other.until(len(asked))) == len(asked)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(90):
            _, err = await process.communicate()
        await near.close()
        await other.close()
        os.close(reading)
    assert process.returncode == 0
    assert "were not shown" in err.decode()


async def test_a_full_disk_is_told_at_once_and_the_wire_goes_on():
    async with RecordedEnd() as far:
        with open("/dev/full", "wb") as full:  # noqa: PTH123
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "packwire", "tap", "--listen", "0", "--record", "-",
                "--upstream", f"127.0.0.1:{far.port}", stdout=full, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        err: Any = process.stderr
        said = ""
        async with asyncio.timeout(90):
            while "the recording ends early" not in said:
                said += (await err.readline()).decode()
        assert "No space left on device" in said
        await talk(int(said.split()[2].rpartition(":")[2]), far)
        process.send_signal(signal.SIGINT)
        said += (await err.read()).decode()
    assert await process.wait() == 9
    assert "83.92 V  20 cells" in said
    assert "was not recorded" in said


@pytest.mark.parametrize("where", ["folder", "no/such/folder/x.pcapng"])
async def test_a_recording_that_cannot_be_written_is_one_clear_line(tmp_path, where):
    (tmp_path / "folder").mkdir()
    path = tmp_path / where
    result = await packwire("tap", "--listen", "0", "--upstream", "127.0.0.1:1", "--record", str(path))
    assert result.code in {2, 9}
    assert result.err.count("\n") == 1
    assert str(path) in result.err


async def test_a_tap_that_cannot_start_leaves_no_file_in_the_way(tmp_path):
    path = tmp_path / "session.pcapng"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = await packwire("tap", "--listen", port, "--upstream", "127.0.0.1:1", "--record", str(path))
    assert result.code == 3
    assert "cannot be listened on" in result.err
    assert not path.exists()


async def test_a_tap_through_which_nothing_passed_leaves_no_file_in_the_way(tmp_path):
    path = tmp_path / "session.pcapng"
    async with running("--upstream", "127.0.0.1:1", "--record", str(path)) as (process, _):
        out = await stop(process)
    assert process.returncode == 0
    assert "Nothing passed" in out
    assert not path.exists()


async def test_a_hub_that_closes_at_login_is_explained():
    async with RecordedEnd() as far:
        async with running("--upstream", f"127.0.0.1:{far.port}") as (process, port):
            near = await End.dial(port)
            other = await far.dialled()
            await near.send(LOGIN)
            await other.until(len(LOGIN))
            await other.close()
            await near.until_closed()
            await near.close()
            out = await stop(process)
    assert "upstream closed it" in out
    assert "it does not know the id, or the password is wrong" in out


async def test_where_nothing_was_masked_nothing_is_said_of_it(tmp_path):
    path = tmp_path / "session.pcapng"
    async with RecordedEnd() as far:
        async with running("--upstream", f"127.0.0.1:{far.port}", "--record", str(path)) as (process, port):
            near = await End.dial(port)
            other = await far.dialled()
            await near.send(encode_frame(ASK_BMS))
            await other.until(len(encode_frame(ASK_BMS)))
            await near.close()
            await other.until_closed()
            await other.close()
            out = await stop(process)
    assert "of 1 connection" in out
    assert "masked:" not in out


async def test_over_ipv6():
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    async with running("--upstream", "[::1]:1", listen="[::1]:0") as (process, port):
        _, writer = await asyncio.open_connection("::1", port)
        writer.close()
        out: Any = process.stdout
        async with asyncio.timeout(90):
            while b"refused" not in await out.readline():
                pass
        await stop(process)
    assert process.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="files in use stay")
@pytest.mark.parametrize("keep_secrets", [(), ("--keep-secrets",)])
async def test_a_recording_is_for_its_owner_alone(tmp_path, keep_secrets):
    path = tmp_path / "session.pcapng"
    async with RecordedEnd() as far:
        arguments = ("--upstream", f"127.0.0.1:{far.port}", "--record", str(path), *keep_secrets)
        async with running(*arguments) as (process, port):
            await talk(port, far)
            assert path.stat().st_mode & 0o777 == 0o600
            await stop(process)


@pytest.mark.skipif(sys.platform == "win32", reason="files in use stay")
@pytest.mark.parametrize("way", ["removed", "moved", "replaced"])
async def test_a_recording_that_is_not_there_any_more_is_not_told_to_be_written(tmp_path, way):
    path = tmp_path / "session.pcapng"
    async with RecordedEnd() as far:
        arguments = ("--upstream", f"127.0.0.1:{far.port}", "--record", str(path))
        async with running(*arguments) as (process, port):
            await talk(port, far)
            if way == "removed":
                path.unlink()
            else:
                path.rename(tmp_path / "elsewhere")
            if way == "replaced":
                path.write_bytes(b"another's")
            said = await stop(process)
    assert process.returncode == 9
    assert f"{path.name}: it was removed" in said if way == "removed" else "it was moved, or another" in said
    assert "pcapng, " not in said
    if way == "replaced":
        assert path.read_bytes() == b"another's"


async def test_a_name_that_nobody_resolves_does_not_hold_up_the_end(tmp_path):
    code = (
        "import socket, sys, time; resolve = socket.getaddrinfo;"
        "socket.getaddrinfo = lambda host, *a, **k: resolve(host, *a, **k) if host == '127.0.0.1' else time.sleep(600);"
        "from packwire.cli.main import main; main()"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, "tap", "--listen", "0", "--upstream", "pack.example:1",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out: Any = process.stdout
    async with asyncio.timeout(60):
        words = (await out.readline()).decode().split()
        near = await End.dial(int(words[2].rpartition(":")[2]))
        while "connects" not in (await out.readline()).decode():
            pass
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        await near.close()
    assert process.returncode == 0


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
    upstream, _ = _upstream(text)
    assert isinstance(upstream, TcpUpstream)
    assert (upstream.host, upstream.port) == place


def test_a_serial_upstream_needs_no_port_here():
    upstream, _ = _upstream("serial:/dev/ttyACM0")
    assert isinstance(upstream, SerialUpstream)
    assert _listen(None, upstream) == ("127.0.0.1", None)


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.1",
        "host:0",
        "host:99999",
        ":1",
        "sim:vesc",
        "vesc://host/can/84",
        "veschub://host/can/84",
        "veschub://ID@host/can/84",
        "http://host:80",
        "ID:secret42@host/path:1",
    ],
)
def test_what_cannot_be_tapped_is_told(text):
    with pytest.raises(PackwireError) as caught:
        _upstream(text)
    assert exit_code_of(caught.value.reason) == 2
    assert "secret42" not in str(caught.value)


def test_an_id_in_the_upstream_is_said_to_be_of_no_use():
    _, note = _upstream("veschub://ID:secret42@veschub.example")
    assert "the client logs in itself" in note
    assert "secret42" not in note
    assert _upstream("veschub://veschub.example")[1] == ""


@pytest.mark.parametrize("listen", ["65102", "0.0.0.0:65102", "[::]:65102"])
def test_a_tap_never_leads_to_itself(listen):
    with pytest.raises(PackwireError, match="the same place"):
        _listen(listen, TcpUpstream("localhost", 65102))


def test_where_to_listen():
    far = TcpUpstream("192.0.2.1", 65102)
    assert _listen("65101", far) == ("127.0.0.1", 65101)
    assert _listen("0.0.0.0:65101", far) == ("0.0.0.0", 65101)
    with pytest.raises(PackwireError, match="--listen"):
        _listen(None, far)
