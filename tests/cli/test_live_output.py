"""Output from a thread: it never holds up who writes, and says what it left out."""

import os

import pytest

from packwire.cli.live_output import LiveText


class Pipe:
    """A pipe that is read when the test wants it."""

    def __init__(self):
        reading, writing = os.pipe()
        self.near = os.fdopen(reading, "rb", 0)
        self.far = os.fdopen(writing, "w")

    def read(self) -> str:
        """Close this side's writer, then read all."""
        self.far.close()
        return self.near.readall().decode()


def notice(count):
    return f"{count} left out\n"


@pytest.fixture
def pipe():
    made = Pipe()
    yield made
    made.near.close()
    made.far.close()


def test_lines_come_in_their_order(pipe):
    out = LiveText(pipe.far, notice)
    for number in range(500):
        out.write(f"{number}\n")
    out.close()
    assert pipe.read().split() == [str(number) for number in range(500)]


def test_who_writes_to_a_full_pipe_never_waits_and_what_is_left_out_is_counted(pipe):
    out = LiveText(pipe.far, notice, limit=100_000)
    for number in range(100_000):
        out.write(f"{number:09}\n")
    got = b""
    os.set_blocking(pipe.near.fileno(), False)
    while out._file.waiting:
        got += pipe.near.read(65536) or b""
    os.set_blocking(pipe.near.fileno(), True)
    out.write("last\n")
    out.close()
    lines = (got + pipe.read().encode()).decode().splitlines()
    (left,) = [int(line.split()[0]) for line in lines if "left out" in line]
    assert left + len(lines) - 2 == 100_000
    assert lines[-1] == "last"
    assert "left out" in lines[-2]


def test_a_stuck_pipe_does_not_keep_the_end(pipe):
    out = LiveText(pipe.far, notice)
    out.write("x" * 500_000 + "\n")
    assert not out._file.close(0.05)
    pipe.near.close()  # frees the thread


def test_a_reader_that_went_is_learnt_by_the_next_line(pipe):
    out = LiveText(pipe.far, notice)
    pipe.near.close()
    out.write("first\n")
    assert not out._file.close()
    assert isinstance(out.failed, BrokenPipeError)
    with pytest.raises(BrokenPipeError):
        out.write("second\n")


def test_what_the_encoding_lacks_is_replaced():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as near:
        with os.fdopen(writing, "w", encoding="ascii") as far:
            out = LiveText(far, notice)
            out.write("°C\n")
            out.close()
        assert near.readall() == b"?C\n"
