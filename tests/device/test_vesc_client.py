"""The client over real TCP: which reply is the answer, and what a timeout says."""

import asyncio
import contextlib

import pytest

from packwire.errors import GoneError, NoAnswerError, NotAVescError, UnreachableError
from packwire.link.tcp import TcpLink
from packwire.protocol.no_reply import NoReplyError
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.replies import BMS_GET_VALUES, GET_VALUES
from packwire.vesc.requests import FILLER, forward_can, request
from tests.device.scripted import CONTROLLER, EXPRESS, bms_reply, framed, scripted, usual, values_reply
from tests.device.vesc_client import VescClient

BMS = request(Command.BMS_GET_VALUES)
VALUES = request(Command.GET_VALUES)


@contextlib.asynccontextmanager
async def connected(handler, **options):
    options = {"timeout": 0.3, "tries": 1} | options
    async with scripted(handler) as device:
        client = VescClient(TcpLink("127.0.0.1", device.port), **options)
        try:
            await client.connect()
            yield client, device
        finally:
            await client.close()


def but(command, answer):
    """Answer one command (direct or forwarded) by another rule."""

    def handler(payload):
        if payload[0] == command or (payload[0] == Command.FORWARD_CAN and payload[2] == command):
            return answer(payload)
        return usual(payload)

    return handler


async def test_a_reply():
    async with connected(usual) as (client, device):
        assert client.known[None].hw_name == "VESC Express T"
        reply = BMS_GET_VALUES.decode(await client.request(BMS)).reply
        assert reply.v_tot == 83.92
        assert reply.v_cell == (4.196,) * 20
        assert client.stats.replies == 2
        assert device.raw.startswith(FILLER), "the device's parser is flushed before the first request"


async def test_forwarded_over_can():
    async with connected(usual) as (client, device):
        assert (await client.fw_version(84)).hw_name == "75_300_R2"
        assert GET_VALUES.decode(await client.request(VALUES, 84)).reply.controller_id == 84
        assert device.asked[-1] == forward_can(84, VALUES)


async def test_one_forwarded_request_is_in_flight_at_a_time():
    in_flight = []

    def slow(payload):
        in_flight.append(payload[1])
        return framed(values_reply(payload[1]), delay=0.05)

    async with connected(but(Command.GET_VALUES, slow), timeout=2.0) as (client, _):
        replies = await asyncio.gather(*(client.request(VALUES, can_id) for can_id in (84, 85, 86)))
        assert [GET_VALUES.decode(reply).reply.controller_id for reply in replies] == [84, 85, 86]
        assert in_flight == [84, 85, 86]


async def test_ping_can_runs_beside_other_requests():
    pong = bytes([Command.PING_CAN, 10, 84])
    async with connected(but(Command.PING_CAN, lambda _: framed(pong, delay=0.3))) as (client, _):
        ping = asyncio.create_task(client.ping_can())
        await asyncio.sleep(0.05)
        for _ in range(5):
            await client.request(BMS)
        assert not ping.done()
        assert await ping == (10, 84)


async def test_silence_is_said_to_be_silence():
    async with connected(but(Command.BMS_GET_VALUES, lambda _: None), tries=2) as (client, _):
        with pytest.raises(NoReplyError) as caught:
            await client.request(BMS)
        assert str(caught.value) == (
            "the device did not answer BMS_GET_VALUES (2 tries, 0.3 s each): nothing at all arrived"
        )
        assert client.stats.timeouts == 2


async def test_a_question_that_this_hardware_never_answers():
    async with connected(usual) as (client, _):
        with pytest.raises(NoReplyError, match="a VESC Express never answers this command"):
            await client.request(VALUES)


async def test_a_reply_that_stays_incomplete_is_said():
    cut_off = [(0.0, encode_frame(bms_reply())[:100])]
    async with connected(but(Command.BMS_GET_VALUES, lambda _: cut_off)) as (client, _):
        with pytest.raises(
            NoReplyError, match=r"100 bytes arrived but not the whole reply: of the 125 bytes .* 25 have"
        ):
            await client.request(BMS)


async def test_other_packets_are_named():
    noise = framed(b"\x15hello", b"\x87tick", EXPRESS)
    async with connected(but(Command.BMS_GET_VALUES, lambda _: noise)) as (client, _):
        heard: list[bytes] = []
        client.subscribe(heard.append)
        with pytest.raises(
            NoReplyError, match="only other packets arrived: 1 x FW_VERSION, 1 x PRINT, 1 x LISP_PRINT"
        ):
            await client.request(BMS)
        assert heard == [b"\x15hello", b"\x87tick", EXPRESS]
        assert (client.stats.unsolicited, client.stats.unasked) == (2, 1)


async def test_print_packets_between_do_no_harm():
    answer = framed(b"\x15hello", bms_reply(), b"\x87tick")
    async with connected(but(Command.BMS_GET_VALUES, lambda _: answer)) as (client, _):
        for _ in range(3):
            assert await client.request(BMS) == bms_reply()
        assert client.stats.timeouts == 0


async def test_a_false_header_delays_a_reply_but_does_not_lose_it():
    answer = [(0.0, b"\x03\x26\x60" + encode_frame(bms_reply()))]
    async with connected(but(Command.BMS_GET_VALUES, lambda _: answer), timeout=2.0) as (client, _):
        assert await client.request(BMS) == bms_reply()
        assert client.frame_stats.abandoned == 1
        assert client.latencies[-1] < 1.0


async def test_a_reply_in_slow_pieces_is_put_together():
    frame = encode_frame(bms_reply())
    pieces = [(0.25 * i, frame[i * 45 : (i + 1) * 45]) for i in range(3)]
    async with connected(but(Command.BMS_GET_VALUES, lambda _: pieces), timeout=2.0) as (client, _):
        assert await client.request(BMS) == bms_reply()


async def test_a_late_reply_is_not_taken_for_the_next_answer():
    """The first reply comes after its timeout: the next request must get its own."""
    volts = iter((80.0, 81.0, 82.0))

    def first_is_late(_):
        value = next(volts)
        return framed(bms_reply(value), delay=0.45 if value == 80.0 else 0.0)

    def ordered(payload):  # a device answers in order: the fence waits behind the late reply
        late = payload[0] == Command.FW_VERSION and first.done()
        return framed(EXPRESS, delay=0.2 if late else 0.0)

    def handler(payload):
        if payload[0] == Command.BMS_GET_VALUES:
            return first_is_late(payload)
        return ordered(payload)

    first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with connected(handler) as (client, _):
        with pytest.raises(NoReplyError):
            await client.request(BMS)
        first.set_result(None)
        assert BMS_GET_VALUES.decode(await client.request(BMS)).reply.v_tot == 81.0
        assert client.stats.late == 1
        assert BMS_GET_VALUES.decode(await client.request(BMS)).reply.v_tot == 82.0


async def test_after_a_retry_the_client_does_not_lag_one_reply_behind():
    volts = iter((80.0, 81.0, 82.0))

    def handler(payload):
        if payload[0] == Command.BMS_GET_VALUES:
            value = next(volts)
            return framed(bms_reply(value), delay=0.35 if value == 80.0 else 0.0)
        return usual(payload)

    async with connected(handler, tries=2) as (client, _):
        await client.request(BMS)  # the reply to the first try or to the second: both are the pack's
        await asyncio.sleep(0.1)
        assert BMS_GET_VALUES.decode(await client.request(BMS)).reply.v_tot == 82.0
        assert client.stats.late + client.stats.unasked >= 1


async def test_a_late_reply_of_another_controller_is_refused_by_its_id():
    def handler(payload):
        if payload[0] == Command.FORWARD_CAN and payload[2] == Command.GET_VALUES:
            if payload[1] == 84:
                return framed(values_reply(84), delay=0.6)
            return framed(values_reply(85), delay=0.55)
        return usual(payload)

    async with connected(handler, timeout=0.4) as (client, _):
        with pytest.raises(NoReplyError):
            await client.request(VALUES, 84)
        reply = GET_VALUES.decode(await client.request(VALUES, 85, timeout=2.0)).reply
        assert reply.controller_id == 85


async def test_the_late_reply_to_a_cancelled_request_is_not_taken_for_the_next_answer():
    def handler(payload):
        if payload[0] == Command.FORWARD_CAN and payload[2] == Command.BMS_GET_VALUES:
            return framed(bms_reply(float(payload[1])), delay=0.25 if payload[1] == 61 else 0.0)
        if payload[0] == Command.FORWARD_CAN and payload[1] == 61:
            return framed(CONTROLLER, delay=0.3)  # the fence waits behind the late reply
        return usual(payload)

    async with connected(handler, timeout=1.0) as (client, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.request(BMS, 61)
        assert BMS_GET_VALUES.decode(await client.request(BMS, 62)).reply.v_tot == 62.0
        assert client.stats.late == 1


async def test_where_the_fence_is_not_answered_the_client_waits_out_what_may_still_come(monkeypatch):
    monkeypatch.setattr("packwire.device.client.LATEST", 1.2)

    def handler(payload):
        if payload[0] == Command.FORWARD_CAN and payload[1] == 61:
            return framed(bms_reply(61.0), delay=0.9) if payload[2] == Command.BMS_GET_VALUES else None
        return usual(payload)

    async with connected(handler, timeout=0.2) as (client, _):
        with pytest.raises(NoReplyError):
            await client.request(BMS, 61)
        assert BMS_GET_VALUES.decode(await client.request(BMS)).reply.v_tot == 83.92
        assert client.stats.late == 1


async def test_a_local_controller_is_known_by_its_id_too():
    def handler(payload):
        if payload[0] == Command.GET_VALUES:
            return (
                framed(values_reply(85, 85.0), values_reply(1, 1.0))
                if asked
                else framed(values_reply(1, 1.0))
            )
        return framed(CONTROLLER) if payload[0] == Command.FW_VERSION else usual(payload)

    asked = []
    async with connected(handler) as (client, _):
        for _ in range(2):
            assert GET_VALUES.decode(await client.request(VALUES)).reply.current_in == 1.0
            asked.append(1)


async def test_an_echo_is_no_vesc():
    async def serve(reader, writer):
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        client = VescClient(TcpLink("127.0.0.1", server.sockets[0].getsockname()[1]), timeout=0.1, tries=1)
        with pytest.raises(NotAVescError, match="sends back what is sent to it"):
            await client.connect()
        await client.close()


async def test_replies_of_a_client_before_us_are_no_answers():
    stale = framed(bms_reply(1.0), EXPRESS)
    async with connected(but(Command.FW_VERSION, lambda _: stale)) as (client, _):
        assert client.stats.unasked == 1
        assert BMS_GET_VALUES.decode(await client.request(BMS)).reply.v_tot == 83.92


async def test_a_device_that_goes_away():
    async with connected(usual) as (client, device):
        device.hang_up()
        with pytest.raises(GoneError, match="closed the connection.*; is the device still on"):
            await client.request(BMS)
        with pytest.raises(GoneError):
            await client.request(BMS)


async def test_a_device_that_goes_away_while_it_is_asked():
    async with connected(but(Command.BMS_GET_VALUES, lambda _: None), timeout=5.0) as (client, device):
        waiting = asyncio.create_task(client.request(BMS))
        await asyncio.sleep(0.05)
        device.hang_up()
        with pytest.raises(GoneError):
            await waiting


async def test_closing_ends_a_request_that_waits():
    async with connected(but(Command.BMS_GET_VALUES, lambda _: None), timeout=5.0) as (client, _):
        waiting = asyncio.create_task(client.request(BMS))
        await asyncio.sleep(0.05)
        await client.close()
        with pytest.raises(GoneError, match="was closed on this side"):
            await waiting


async def test_a_refused_port():
    async with scripted(usual) as device:
        port = device.port
    client = VescClient(TcpLink("127.0.0.1", port))
    with pytest.raises(
        UnreachableError, match="refused the connection: something is there, but nothing listens"
    ):
        await client.connect()


async def test_an_unknown_name():
    client = VescClient(TcpLink("no-such-host.invalid", 65102))
    with pytest.raises(UnreachableError, match=r"the name no-such-host\.invalid is not known here"):
        await client.connect()


async def serve_bytes(answer: bytes):
    async def serve(reader, writer):
        await reader.read(100)
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def test_garbage_on_the_port():
    async with await serve_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server:
        client = VescClient(TcpLink("127.0.0.1", server.sockets[0].getsockname()[1]), timeout=0.3)
        with pytest.raises(
            NotAVescError, match="28 bytes without one VESC frame, beginning b'HTTP/1.1 400 Bad"
        ):
            await client.connect()
        await client.close()


async def test_an_open_port_that_stays_silent():
    async with scripted(lambda _: None) as device:
        client = VescClient(TcpLink("127.0.0.1", device.port), timeout=0.1, tries=2)
        with pytest.raises(NoAnswerError, match="serves one client at a time"):
            await client.connect()
        await client.close()


async def test_a_hubs_port_read_as_a_vescs(monkeypatch):
    async with scripted(lambda _: None) as device:
        monkeypatch.setattr("packwire.link.tcp.HUB_PORT", device.port)
        client = VescClient(TcpLink("127.0.0.1", device.port), timeout=0.1, tries=1)
        with pytest.raises(NoAnswerError, match="is read with veschub://ID@127.0.0.1"):
            await client.connect()
        await client.close()


async def test_observers_see_every_byte_both_ways():
    async with scripted(usual) as device:
        link = TcpLink("127.0.0.1", device.port)
        seen = {1: b"", -1: b""}
        link.observers.append(lambda direction, data: seen.__setitem__(direction, seen[direction] + data))
        client = VescClient(link)
        await client.connect()
        await client.close()
        assert seen[1] == FILLER + encode_frame(b"\0")
        assert seen[-1] == encode_frame(EXPRESS)


async def test_a_controller_is_told_by_its_uuid():
    """A late FW_VERSION of the Express is not taken for the controller's."""
    answers = {None: EXPRESS, 84: CONTROLLER}

    def handler(payload):
        if payload[0] == Command.FORWARD_CAN and payload[2] == Command.FW_VERSION:
            return framed(EXPRESS, answers[84])
        return usual(payload)

    async with connected(handler) as (client, _):
        client.known[84] = client.known[None]._replace(uuid="bb" * 12)
        assert (await client.fw_version(84)).hw_name == "75_300_R2"
