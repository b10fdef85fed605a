"""Every fault of a client gets its verdict; right clients get `ok`, and what cannot be told is not told."""

import asyncio
import contextlib
from functools import partial

import pytest

from packwire.doctor.client_test.findings import ClientFindings
from packwire.doctor.client_test.server import ClientTest
from packwire.doctor.client_test.verdict import ClientReport
from packwire.doctor.vesc.client_test.played import VESC
from packwire.errors import PackwireError, UnreachableError
from packwire.link.hub import HubLink
from packwire.link.tcp import TcpLink
from tests.device.vesc_client import VescClient
from tests.doctor.client_test import clients

#: What each client must be told first.
WANTED = {
    clients.Blocking: "ok",
    clients.Direct: "ok",
    clients.GivesUp: "ok",
    clients.OneTry: "ok",
    clients.FixedRate: "undecided",
    clients.FifteenBits: "length-15-bits",
    clients.FifteenBitsForEver: "length-15-bits",
    clients.OneTryFifteenBits: "length-15-bits",
    clients.SignedByte: "length-signed",
    clients.SixtyFour: "length-limit",
    clients.OneRead: "one-read",
    clients.IgnoresCrc: "crc-ignored",
    clients.CrcOverHeader: "crc-with-header",
    clients.ChokesOnPrint: "print-chokes",
    clients.AnyReply: "any-reply",
    clients.GivesUpAtOnce: "any-reply",
    clients.GivesUpAtOnceSigned: "any-reply",
    clients.Behind: "any-reply",
    clients.FifteenBitsResync: "length-15-bits",
    clients.VescTool: "ok",
    clients.FixedSize: "fixed-size",
    clients.Impatient: "impatient",
    clients.IgnoresBms: "command-ignored",
    clients.WrongRequests: "requests-broken",
}


async def examine(make) -> tuple[ClientReport, ClientFindings | None]:
    """Let a client run against the test until it is decided."""
    async with ClientTest(lambda text: None, VESC) as test:
        running = asyncio.create_task(make(test.port))
        try:
            async with asyncio.timeout(150):
                return await test.run(), test.findings
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def run(kind, port):
    await kind(port).run()


async def own_client(port, *, hub):
    """Poll with packwire's own client."""
    while True:
        link = HubLink("127.0.0.1", port, "MYPACK", "secret42") if hub else TcpLink("127.0.0.1", port)
        client = VescClient(link, timeout=0.4, tries=2)
        with contextlib.suppress(PackwireError):
            await client.connect()
            while True:
                with contextlib.suppress(PackwireError):
                    await client.request(b"\x60")
                if client._closed:
                    break


@pytest.fixture(scope="module")
def verdicts():
    """All at the same time: each waits for its own time-outs, as in life.

    A computer that is busy with all of them can leave one undecided: then that one is examined again, alone,
    as its owner would.
    """

    async def everyone():
        makes = {kind.__name__: partial(run, kind) for kind in WANTED}
        makes |= {"own": partial(own_client, hub=False), "own through a hub": partial(own_client, hub=True)}
        found = dict(zip(makes, await asyncio.gather(*map(examine, makes.values())), strict=True))
        for kind, key in WANTED.items():
            if found[kind.__name__][0].key == "undecided" != key:
                found[kind.__name__] = await examine(makes[kind.__name__])
        return found

    return asyncio.run(everyone())


@pytest.mark.parametrize(("kind", "key"), WANTED.items(), ids=[kind.__name__ for kind in WANTED])
def test_each_client_gets_its_verdict(verdicts, kind, key):
    verdict, _ = verdicts[kind.__name__]
    assert verdict.key == key, verdict


@pytest.mark.parametrize("name", ["own", "own through a hub"])
def test_packwires_own_client_takes_everything(verdicts, name):
    verdict, found = verdicts[name]
    assert verdict.ok, verdict
    assert not verdict.undecided
    assert found.done


def test_the_story_of_the_owner_is_told_in_full(verdicts):
    verdict, found = verdicts["FifteenBits"]
    (finding,) = verdict.findings
    assert "80 to 127 bytes and 256 to 511 bytes" in finding.words
    assert "none of 128 to 255 bytes" in finding.words
    assert "ONE length byte" in finding.remedy
    assert finding.confidence == "certain"
    sizes = {each.size: each.taken for each in found.results if each.trial.kind == "length"}
    assert sizes[127] is True
    assert sizes[128] is False


def test_who_waits_for_bytes_that_never_come_is_seen_to_swallow_more(verdicts):
    (finding,) = verdicts["FifteenBitsForEver"][0].findings
    assert "lost up to" in finding.words


def test_the_limit_is_found_to_the_byte(verdicts):
    finding = verdicts["SixtyFour"][0].findings[0]
    assert "44 to 59 bytes" in finding.words
    assert "64 bytes" in finding.explanation


def test_a_client_that_goes_by_the_clock_is_not_accused(verdicts):
    verdict, _ = verdicts["FixedRate"]
    assert not verdict.findings
    assert not verdict.ok
    assert "goes by the clock" in verdict.undecided[0]


@pytest.mark.parametrize("name", ["GivesUpAtOnce", "GivesUpAtOnceSigned", "Behind", "AnyReply"])
def test_asking_again_is_not_taking(verdicts, name):
    """Who goes on at whatever comes is not accused of what cannot be seen, nor called well."""
    verdict, _ = verdicts[name]
    assert {finding.key for finding in verdict.findings} == {"any-reply"}
    assert not verdict.ok


def test_one_that_is_a_reply_behind_is_told_so(verdicts):
    (finding,) = verdicts["Behind"][0].findings
    assert "one reply behind" in finding.words
    assert finding.confidence == "certain"


def test_who_keeps_its_buffer_and_resyncs_is_understood_too(verdicts):
    finding = verdicts["FifteenBitsResync"][0].findings[0]
    assert finding.confidence == "certain"
    assert "none of 128 to 255 bytes" in finding.words


async def test_it_answers_a_hubs_ping_and_never_keeps_a_password():
    async with ClientTest(lambda text: None, VESC) as test:
        reader, writer = await asyncio.open_connection("127.0.0.1", test.port)
        writer.write(b"PING:MYPACK:0\n")
        assert await reader.readexactly(5) == b"PONG\n"
        writer.close()


async def test_a_taken_port_is_one_clear_line():
    async with ClientTest(lambda text: None, VESC) as first:
        with pytest.raises(UnreachableError, match="cannot be listened on"):
            async with ClientTest(lambda text: None, VESC, port=first.port):
                pass


async def test_before_anything_was_tried_nothing_is_said():
    async with ClientTest(lambda text: None, VESC) as test:
        assert test.verdict.key == "undecided"
        assert test.verdict.undecided == ("no client connected",)
