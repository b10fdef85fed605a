"""Standard output that is full, closed, or cannot show a character; Ctrl-C; a home that cannot be written."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from packwire.cli import streams
from packwire.cli.exit_codes import ExitCode
from tests.cli.every_command import NAMES, lines, run
from tests.cli.running import COMMAND


def test_every_command_has_a_line_here():
    assert sorted(lines("")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_an_output_that_is_full_is_one_line(name, folder):
    line = lines(str(folder))[name]
    with Path("/dev/full").open("wb") as full:
        code, _, err = await run(line, folder, full, stdin=b"secret\n")
    assert "Traceback" not in err, err
    if code != 0:  # a command that writes a file may have nothing to say
        assert code == ExitCode.BAD_FILE, err
        assert err.splitlines()[-1] == "packwire: the output cannot be written: No space left on device"
    else:
        assert name in {"log", "convert", "draft", "model export"}, err


@pytest.mark.parametrize("name", NAMES)
async def test_an_output_that_is_closed_is_one_line(name, folder):
    line = lines(str(folder))[name]
    code, _, err = await run(line, folder, None, closed=True, stdin=b"secret\n")
    assert "Traceback" not in err, err
    assert (code == 0 and name in {"log", "convert", "draft", "model export"}) or code == ExitCode.BAD_FILE, (
        code,
        err,
    )
    if code:
        assert err.splitlines()[-1] == "packwire: the output cannot be written: Bad file descriptor"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("name", [*NAMES, "--help"])
async def test_a_terminal_that_is_not_utf8(name, encoding, folder):
    line = lines(str(folder)).get(name, name)
    code, out, err = await run(line, folder, stdin=b"secret\n", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert "Traceback" not in err, err
    assert code in {0, ExitCode.NO_ANSWER}, err
    out.decode(encoding)


@pytest.mark.parametrize("columns", ["0", "-5", "99999999999", "wide"])
async def test_a_terminal_of_no_width(columns, folder):
    code, out, err = await run("--help", folder, COLUMNS=columns)
    assert (code, err) == (0, "")
    assert out.startswith(b"Usage: packwire COMMAND")


def test_what_an_encoding_lacks_is_drawn_or_escaped_as_in_json():
    streams.prepare()
    assert "█▏ ·│ °C".encode("ascii", streams.HANDLER) == b"#' .| degC"
    assert "ü".encode("ascii", streams.HANDLER) == b"\\u00fc"
    assert "😀".encode("latin-1", streams.HANDLER) == b"\\ud83d\\ude00"


async def test_completion_where_the_home_cannot_be_written(folder):
    (folder / "file").write_text("")
    code, _, err = await run("--install-completion --shell bash", folder, HOME=str(folder / "file" / "home"))
    assert code == ExitCode.BAD_FILE
    assert err.startswith("packwire: ")
    assert len(err.splitlines()) == 1


def _ignoring():
    """Let the program begin as one that ignores Ctrl-C: what Python does with it before our code is its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize("delay", [0.05, 0.1, 0.15, 0.2, 0.3])
@pytest.mark.parametrize("name", ["watch", "read", "info", "sim vesc"])
async def test_ctrl_c_in_the_first_moments_says_nothing(name, delay, folder):
    line = lines(str(folder))[name].replace("--count 2", "")
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *line.split(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_ignoring
    )
    waiting = asyncio.ensure_future(process.communicate())
    async with asyncio.timeout(90):
        await asyncio.sleep(delay)
        while not waiting.done():  # those before our first line are ignored
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
            await asyncio.wait([waiting], timeout=0.1)
        _, err = await waiting
    assert b"Traceback" not in err, err.decode()
    assert process.returncode in {0, 130, -signal.SIGINT}


#: Ctrl-C that comes while Python throws an object away, where it only shows a KeyboardInterrupt.
THROWN_AWAY = """
import os, signal, sys
from packwire.cli import main
class Object:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass
def work():
    Object()
    while True:
        pass
main._run = work
main.main()
"""


async def test_ctrl_c_while_an_object_is_thrown_away_is_not_lost():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", THROWN_AWAY, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(90):
            assert await process.communicate() == (b"", b"")
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == ExitCode.INTERRUPTED
