"""The replay of recorded sessions itself, with nothing and with a wrong thing in between."""

from packwire.vesc.framing import Framer, encode_frame
from tests.share.replay import (
    End,
    Exchange,
    RecordedDevice,
    RecordedEnd,
    every_session,
    recorded_sessions,
    replay,
)
from tests.shared_data import needs_captures


@every_session
async def test_without_anything_in_between_both_ends_get_all_that_was_recorded(session):
    async with RecordedEnd() as far:
        assert await replay(session, far.port, far) == session.streams


@every_session
async def test_the_recorded_device_gives_each_request_its_recorded_reply(session):
    device = RecordedDevice(session)
    async with device.serving():
        client, framer = await End.dial(device.port), Framer()
        wanted = [reply for _, reply in session.exchanges if reply is not None]
        replies = []
        for request, reply in session.exchanges:
            expected = len(client.got) + (len(encode_frame(reply)) if reply else 0)
            before = len(client.got)
            await client.send(encode_frame(request))
            await client.until(expected)
            replies += [frame.payload for frame in framer.feed(bytes(client.got[before:]))]
        await client.close()
    assert replies == wanted
    assert not device.strange
    assert device.asked == [request for request, _ in session.exchanges]


@needs_captures
def test_a_login_line_is_no_part_of_the_conversation():
    logged_in = next(session for session in recorded_sessions() if session.login_size)
    assert logged_in.streams[0][: logged_in.login_size] == b"VESCTOOL:TESTPACK:secret42\n"
    assert Exchange(b"\x60", None) not in logged_in.exchanges
