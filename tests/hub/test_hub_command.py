"""`packwire hub` and `packwire hub password` as a user runs them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys

import pytest

from packwire.cli.commands.hub import _keep_reloading
from tests.cli.records import checked
from tests.hub.hubs import DEVICE, PASSWORD, running_hub, write_credentials
from tests.sim.raw import eventually, raw

COMMAND = (sys.executable, "-m", "packwire", "hub")


def run(*arguments, said="", folder=None):
    return subprocess.run(
        [*COMMAND, *arguments],
        input=said,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=30,
        check=False,
    )


def test_a_password_is_asked_for_and_kept_hashed(tmp_path):
    done = run("password", "test pack", said="secret42\n", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "The password of TESTPACK is set in hub.credentials.\n")
    assert "secret42" not in (tmp_path / "hub.credentials").read_text()
    done = run("password", "TESTPACK", "--remove", folder=tmp_path)
    assert done.stdout == "TESTPACK is removed from hub.credentials.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name the passwords with --credentials FILE"),
        (("--credentials", "nowhere"), 9, "there is no credentials file nowhere"),
        (("--open", "--tls-port", "1"), 2, "TLS needs both --tls-port and --certificate"),
        (
            ("--open", "--listen", "127.0.0.1:0", "--tls-port", "0", "--certificate", "x"),
            9,
            "TLS certificate x",
        ),
        (("--open", "--allow", "fly"), 2, "'fly'"),
        (("password", "AB"), 2, "at least 3 characters"),
        (("password", b"\xffPACK"), 2, "no UTF-8"),
        (("--credentials", "x" * 5000), 9, "cannot be read"),
        (("password", "TESTPACK"), 2, "an empty password lets everybody in"),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(tmp_path, arguments, code, said):
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def test_it_logs_json_reloads_and_stops(tmp_path):
    assert run("password", "TESTPACK", said=PASSWORD, folder=tmp_path).returncode == 0
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--listen", "127.0.0.1:0", "--credentials", "hub.credentials", "--http-port", "0", "--log-json",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    lines = process.stdout
    assert lines is not None

    async def event(name):
        async with asyncio.timeout(90):
            while True:
                (line,) = checked((await lines.readline()).decode())
                assert PASSWORD not in str(line)
                if line["event"] == name:
                    return line

    port = (await event("hub listens"))["port"]
    assert "metrics" in (await event("metrics and health"))["url"]
    assert (await event("ready"))["loop"] in {"uvloop", "asyncio.unix_events"}
    async with raw(port, DEVICE) as device:
        assert (await event("device logged in"))["id"] == "TESTPACK"
        os.kill(process.pid, signal.SIGHUP)
        assert (await event("reloaded"))["devices_ended"] == 0
        (tmp_path / "hub.credentials").write_text("TESTPACK:secret42\n")
        os.kill(process.pid, signal.SIGHUP)
        assert "line 1" in (await event("not reloaded"))["reason"]
        assert await device.is_silent()
        os.kill(process.pid, signal.SIGTERM)
        assert await device.until_closed() == b""
    assert await process.wait() == 0


def start(folder, *arguments, loop="", files=None, open_=True):
    """Start a hub that lets anybody register (`open_`); `loop` is `asyncio` for one without uvloop."""
    without = "sys.modules['uvloop'] = None; " if loop == "asyncio" else ""
    limit = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files})); " if files else ""
    )
    code = f"import sys; {without}{limit}from packwire.cli.main import main; main()"
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            code,
            "hub",
            *["--open"] * open_,
            "--listen",
            "127.0.0.1:0",
            "--log-json",
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )


def wait_for(process, name):
    while line := process.stdout.readline():
        (event,) = checked(line)
        if event["event"] == name:
            return event
    raise AssertionError(f"it ended without {name}: {process.stderr.read()}")


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_with_few_open_files_it_says_so_and_makes_room_calmly(tmp_path, loop):
    with start(tmp_path, loop=loop, files=100) as process:
        try:
            port = wait_for(process, "hub listens")["port"]
            assert wait_for(process, "few connections")["most_connections"] == 36
            wait_for(process, "ready")
            # So many at once that accept() would run out of files, were they not counted.
            strangers = [
                socket.create_connection(("127.0.0.1", port), 5, (f"127.0.1.{number % 20 + 1}", 0))
                for number in range(300)
            ]
            assert "made room" in wait_for(process, "connection ended")["reason"]
            with socket.create_connection(("127.0.0.1", port), 5) as ping:
                ping.sendall(b"PING:TESTPACK:0\n")
                assert ping.recv(10) == b"NULL\n"
            for stranger in strangers:
                stranger.close()
        finally:
            process.terminate()
        rest, errors = process.communicate(timeout=20)
        assert "internal error" not in rest
        assert errors == ""


def test_it_goes_on_when_nobody_reads_its_log_any_more(tmp_path):
    with start(tmp_path) as process:
        port = wait_for(process, "hub listens")["port"]
        wait_for(process, "ready")
        process.stdout.close()
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), 5) as ping:
                ping.sendall(b"PING:TESTPACK:0\nGET")
                assert ping.recv(10) == b"NULL\n"
        process.terminate()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGHUP")
def test_a_flood_of_signals_does_no_harm(tmp_path):
    with start(tmp_path) as process:
        wait_for(process, "ready")
        for _ in range(200):
            process.send_signal(signal.SIGHUP)
        wait_for(process, "reloaded")
        process.terminate()
        process.terminate()
        rest, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert rest.count('"hub stopped"') == 1
        assert errors == ""


def _spoil_with_a_pipe(folder):
    os.mkfifo(folder / "pipe")
    return 'credentials = "pipe"'


SPOILT = [
    lambda _: 'credentials = "a\\u0000b"',
    lambda _: 'credentials = "\\ud800"',
    lambda _: "devices = " + "[" * 5000,
    lambda _: "a" + ".a" * 5000 + " = 1",
    lambda _: "a = " + "{a = " * 3000 + "1" + "}" * 3000,
    lambda _: "[[devices]]",
    lambda _: "port = 1e400",
    lambda _: "port = " + "9" * 5000,
    lambda _: "credentials = 1979-05-27",
    lambda _: f'credentials = "{"x" * 5000}"',
    lambda _: 'credentials = "."',
    lambda _: 'credentials = "/dev/zero"',
    _spoil_with_a_pipe,
    lambda folder: f'credentials = "{folder}/not-there"',
]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGHUP")
def test_a_reload_survives_whatever_it_reads_and_says_so_in_one_line(tmp_path):
    config = tmp_path / "hub.toml"
    good = f'credentials = "{tmp_path}/c"\n'
    config.write_text(good)
    write_credentials(tmp_path / "c", TESTPACK=PASSWORD)
    with start(tmp_path, "--config", "hub.toml", open_=False) as process:
        wait_for(process, "ready")
        for spoil in SPOILT:
            config.write_text(spoil(tmp_path))
            process.send_signal(signal.SIGHUP)
            said = checked(process.stdout.readline())[0]
            assert said["event"] == "not reloaded", said
            assert len(said["reason"].splitlines()) == 1
            assert "a mistake here" not in said["reason"]
        for name in ("c", "hub.toml"):
            config.write_text(good)
            before = (tmp_path / name).read_bytes()
            (tmp_path / name).write_bytes(b"\xff\xfe")
            process.send_signal(signal.SIGHUP)
            assert "cannot be read" in wait_for(process, "not reloaded")["reason"]
            (tmp_path / name).write_bytes(before)
        (tmp_path / "c").write_text("")
        process.send_signal(signal.SIGHUP)
        assert wait_for(process, "reloaded")["ids"] == 0
        process.terminate()
        assert process.communicate(timeout=20)[1] == ""


async def test_a_mistake_of_our_own_ends_no_reloading_and_repeats_no_text(tmp_path, caplog):
    caplog.set_level("INFO", "packwire.hub")
    faults = [RuntimeError("secret42"), MemoryError(), None]
    wanted = asyncio.Event()
    async with running_hub(tmp_path) as hub:

        def read():
            fault = faults.pop(0)
            if fault is not None:
                raise fault
            return hub.settings

        reloading = asyncio.ensure_future(_keep_reloading(hub, read, wanted))
        while faults:
            before = len(faults)
            wanted.set()
            await eventually(lambda before=before: len(faults) < before)
        await eventually(lambda: hub.counters.reloads == 1)
        reloading.cancel()
        assert hub.counters.failed_reloads == 2
    assert "secret42" not in str([each.__dict__ for each in caplog.records])


def test_without_the_extra_there_is_one_line(tmp_path):
    code = "import sys; sys.modules['aiohttp'] = None; from packwire.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "hub", "--open", "--listen", "127.0.0.1:0", "--http-port", "0"],
        capture_output=True, text=True, cwd=tmp_path, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "--http-port needs the extra `hub`" in done.stderr
    assert "pip install '.[hub]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
