"""A client that goes by the clock is judged by what the user sees of it."""

import asyncio
from itertools import combinations
from typing import Any

import pytest

from packwire.doctor.client_test.server import ClientTest
from packwire.doctor.vesc.client_test.dialects import pieces
from packwire.doctor.vesc.client_test.played import VESC
from packwire.doctor.vesc.client_test.replies import CELLS, VOLTS, cells_of
from packwire.doctor.vesc.client_test.telltale import ShownValues, read_answer, telltales
from packwire.vesc.framing import Framer
from packwire.vesc.replies import decode_reply
from tests.doctor.client_test import clients


def read(payload: bytes) -> Any:
    decoded = decode_reply(payload)
    assert decoded is not None
    return decoded.reply


class Showing(clients.Client):
    """Asks by the clock, reads beside it, and shows the pack's voltage."""

    shows = ""

    async def talk(self, reader, writer):
        async def listen():
            while True:
                payload = self.extract()
                if payload is None:
                    await self.read(reader)
                elif payload[0] == 96:
                    self.shows = f"{read(payload).v_tot:.1f}"

        listening = asyncio.create_task(listen())
        try:
            while not listening.done():
                writer.write(clients.ASK)
                await asyncio.sleep(0.06)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


class ShowingFifteenBits(Showing):
    def extract(self):
        return clients.extract(self.buffer, length=clients.fifteen_bits)


class ShowingNothing(Showing):
    def extract(self):
        self.buffer.clear()


async def examined(kind, asked):
    told: list[str] = []
    made: list[Showing] = []

    async def ask(question):
        asked.append(question)
        return made[0].shows

    async with ClientTest(told.append, VESC, ask=ask) as test:
        made.append(kind(test.port))
        running = asyncio.create_task(made[0].run())
        async with asyncio.timeout(60):
            verdict = await test.run()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return verdict


@pytest.fixture(scope="module")
def verdicts():
    async def everyone():
        kinds = (Showing, ShowingFifteenBits, ShowingNothing)
        return dict(zip(kinds, await asyncio.gather(*(examined(kind, []) for kind in kinds)), strict=True))

    return asyncio.run(everyone())


def test_a_right_client_that_goes_by_the_clock_is_found_right(verdicts):
    assert verdicts[Showing].ok, verdicts[Showing]
    assert verdicts[Showing].shown


def test_the_story_of_the_owner_is_found_by_what_is_shown(verdicts):
    verdict = verdicts[ShowingFifteenBits]
    assert verdict.key == "length-15-bits", verdict
    assert "none of 128 to 255 bytes" in verdict.findings[0].words


def test_who_shows_no_voltage_is_not_accused(verdicts):
    verdict = verdicts[ShowingNothing]
    assert verdict.key == "undecided"
    assert "showed the voltage of no reply" in verdict.undecided[0]


def test_no_two_replies_can_be_mixed_up():
    packs = [(trial.volts or 0.0, cells_of(trial.size or 0)) for trial in telltales()] + [(VOLTS, CELLS)]
    for (volts, cells), (other, others) in combinations(packs, 2):
        assert abs(volts - other) > 0.02
        assert abs(volts * cells - other * others) > 1.2


@pytest.mark.parametrize("trial", telltales(), ids=lambda trial: trial.key)
def test_a_telltale_is_a_reply_of_its_length_with_its_voltage(trial):
    sent, size = pieces(trial, b"\x60")
    frames = [frame.payload for piece in sent for frame in [*Framer().feed(piece.data)]]
    assert size == trial.size
    if trial.sent == "whole":
        values = read(frames[0])
        assert values.v_tot == pytest.approx(trial.volts * values.cell_num, abs=0.01)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("97.6", ShownValues.THIS), ("97,6 V", ShownValues.THIS), ("98", ShownValues.THIS), ("3.05", ShownValues.THIS),
        ("3050 mV", ShownValues.THIS), ("", ShownValues.OTHER), ("83.9", ShownValues.OTHER), ("48.8", ShownValues.ODD),
        ("what?", ShownValues.UNREADABLE), ("nan", ShownValues.ODD), ("inf", ShownValues.ODD),
    ],
)  # fmt: skip
def test_what_a_user_may_type(answer, shown):
    assert read_answer(answer, 3.05, 32, [(VOLTS, CELLS)]) is shown
