"""Clients of packs: the same examination, with the replies of a model's pack."""

import asyncio
import contextlib
import os
import sys

import pytest

from packwire.check import Confidence
from packwire.cli.exit_codes import ExitCode
from packwire.cli.my_client import my_client
from packwire.doctor.client_test.pack import pack
from packwire.doctor.client_test.pty import serial_port
from packwire.doctor.client_test.server import ClientTest
from packwire.doctor.client_test.trials import WAYS
from packwire.errors import PackwireError
from packwire.models.load import model
from packwire.models.store import library
from packwire.sim.model import SimulatedModel
from tests.cli.running import packwire
from tests.doctor.client_test.pack_clients import BUGS, asked, examined

PLAYED = [name for name in library() if not model(name).can and asked(model(name))]


def played(name):
    protocol = model(name)
    return pack(protocol, SimulatedModel(protocol).device.answers)


@pytest.mark.parametrize(
    "bug", ["none", "pieces-not-joined", "rest-dropped", "other-family", "wrong-checksum"]
)
async def test_a_client_of_a_jbd(bug):
    report = await examined("jbd", bug)
    assert report.key in (BUGS[bug] or ("ok",))


@pytest.mark.parametrize("name", PLAYED)
def test_every_pack_is_played_in_all_its_ways(name):
    pack_ = played(name)
    question = asked(model(name))[0]
    trials = (*pack_.deliveries, *pack_.company, *pack_.bad)
    assert {trial.sent for trial in trials} <= set(WAYS)
    for trial in trials:
        sent, size = pack_.pieces(trial, question.payload)
        whole = b"".join(piece.data for piece in sent)
        assert whole, trial.key
        right = b"".join(SimulatedModel(model(name)).device.answers(question.payload))
        assert size == len(right)
        framer = model(name).framer()
        replies = [model(name).reply_of(each.payload) for each in framer.feed(whole)]
        names = [reply.name for reply in replies if reply is not None]
        if trial in pack_.bad:
            assert question.replies[-1] not in names, trial.key
        elif trial in pack_.deliveries:
            assert question.replies[-1] in names, trial.key


def test_a_pack_behind_a_master_answers_as_itself():
    device = SimulatedModel(model("seplos-v3-master")).device
    second = bytes.fromhex("02 04 10 00 00 11 34 f5")
    (reply,) = device.answers(second)
    assert reply.startswith(b"\x02\x04")
    assert device.answers(b"nonsense") == []


@pytest.mark.parametrize("name", ["victron-can", "nonsense"])
def test_what_cannot_be_played(name):
    with pytest.raises(PackwireError, match=name):
        my_client(0, model=name, seconds=0.1)


async def test_nobody_came():
    done = await packwire("doctor", "--my-client", "0?model=jbd", "--for", "0.3")
    assert done.code == ExitCode.NO_ANSWER
    assert "as to a JBD behind a bridge" in done.out


async def test_of_packs_nothing_is_certain_that_their_model_alone_says():
    report = await examined("jbd", "any-message")
    assert [each.confidence for each in report.findings if each.key == "any-reply"] == [Confidence.LIKELY]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("joins", [True, False])
async def test_a_client_of_a_serial_port(joins):
    protocol = model("jbd")
    device = SimulatedModel(protocol).device
    async with ClientTest(lambda _: None, pack(protocol, device.answers), at=serial_port) as test:
        client = asyncio.create_task(_at_a_serial_port(test.place, protocol, joins=joins))
        try:
            async with asyncio.timeout(60):
                report = await test.run()
        finally:
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)
    assert report.key == ("ok" if joins else "one-read")


async def _at_a_serial_port(path, protocol, *, joins):
    """Ask at a serial port, and take what one read gives for a frame unless it `joins`."""
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    came: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.add_reader(port, lambda: came.put_nowait(os.read(port, 4096)))
    framer = protocol.framer()
    try:
        while True:
            for question in asked(protocol):
                os.write(port, question.payload)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.35):
                        answered = False
                        while not answered:
                            framer = framer if joins else protocol.framer()
                            replies = [
                                protocol.reply_of(each.payload) for each in framer.feed(await came.get())
                            ]
                            answered = any(each and each.name in question.replies for each in replies)
    finally:
        loop.remove_reader(port)
        os.close(port)
