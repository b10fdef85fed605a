"""Every fault of a client has its own verdict; so has a device that is silent; no fault has none."""

import asyncio

import pytest

from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.suspects import suspects
from packwire.doctor.compare.verdict import NO_DIFFERENCE, Comparison, evidence_lines
from packwire.vesc.framing import encode_frame
from packwire.wire.checksum import crc16_xmodem
from tests.capture.builder import Session
from tests.capture.vesc_session import VescSession, bms, version
from tests.doctor.compare.clients import BMS, FW_VERSION, LOGIN, VALUES, client, compared, usual, via
from tests.sim.raw import eventually, hub_with_device, simulated


def told(found: Comparison) -> str:
    """Return the evidence and all that goes with the verdict."""
    assert found.main is not None
    lines = (*evidence_lines(found.main, found.who), *found.main.why, *found.main.open)
    return "\n".join((*lines, found.main.what_to_do(found.who)))


def keys(found: Comparison) -> list[str]:
    return [each.key for each in suspects(found.mine, found.patience[1])]


def xml(size: int) -> bytes:
    """Ask for the first bytes of the configuration's text; the reply has 10 more."""
    return b"\x5c\x00" + size.to_bytes(4) + bytes(4)


def asks(
    session: VescSession, request: bytes, reply: bytes, *, taken: bool, pieces: tuple[int, ...] = ()
) -> None:
    """Add a request with its reply (empty: none); the client waits 2 s where it does not take it."""
    asked = session.time
    session.ask(request)
    if reply:
        session.answer(reply, pieces=pieces)
    session.time = session.time + 500_000 if taken else asked + 2_000_000_000


class TestReceivePath:
    """The replies are whole on the wire, and the client waits its timeout out."""

    async def session(self, port: int, takes) -> list[Session]:
        records: list[Session] = []
        async with client(port, records, takes=takes) as one:
            await one.ask(FW_VERSION)
            await one.ask(via(84, FW_VERSION))
            await one.ask(via(84, VALUES))
            await one.ask(VALUES, answered=False)
            await one.ask(BMS)
            await one.ask(BMS)
            await one.ask(via(84, BMS))
            await one.ask(FW_VERSION)
        return records

    async def test_a_length_byte_above_127_is_read_as_15_bits(self, tmp_path):
        async with simulated() as sim:
            mine = await self.session(sim.port, lambda frame: frame[1] < 128)
            found = compared(tmp_path, await usual(sim.port), mine)
        assert (found.key, found.confidence) == (Cause.RECEIVE_PATH, Confidence.LIKELY)
        assert keys(found)[0] == "length above 127"
        assert "identical" in told(found)
        assert "start byte 02 means ONE length byte" in told(found)
        assert "ignores command 96" in told(found)
        assert found.divergence is not None
        assert found.divergence.kind.name == "BMS_GET_VALUES"

    async def test_a_client_that_ignores_the_command_but_takes_longer_replies(self, tmp_path):
        mine = VescSession(step=100_000).open()
        for request, reply, taken in (
            (FW_VERSION, version(), True),
            (xml(180), b"\x5c\x00" + bytes(188), True),
            (VALUES, b"", False),
            (BMS, bms(), False),
            (BMS, bms(), False),
        ):
            asks(mine, request, reply, taken=taken)
        async with simulated() as sim:
            found = compared(tmp_path, await usual(sim.port), [mine.close()])
        assert found.key == Cause.RECEIVE_PATH
        assert keys(found)[0] == "command", "the length is ruled out by a longer reply that was taken"

    async def test_a_buffer_of_64_bytes(self, tmp_path):
        async with simulated() as sim:
            mine = await self.session(sim.port, lambda frame: len(frame) <= 64)
            found = compared(tmp_path, await usual(sim.port), mine)
        assert found.key == Cause.RECEIVE_PATH
        assert keys(found)[0] == "longer than 64"

    async def test_a_client_that_does_not_know_start_byte_03(self, tmp_path):
        mine = VescSession(step=100_000).open()
        for request, reply, taken in (
            (FW_VERSION, version(), True),
            (BMS, bms(), True),
            (VALUES, b"", False),
            (xml(400), b"\x5c\x00" + bytes(408), False),
            (xml(400), b"\x5c\x00" + bytes(408), False),
        ):
            asks(mine, request, reply, taken=taken)
        async with simulated() as sim:
            found = compared(tmp_path, await usual(sim.port), [mine.close()])
        assert keys(found)[0] == "long form"
        assert "TWO length bytes" in told(found)

    async def test_a_client_that_wants_each_reply_in_one_piece(self, tmp_path):
        mine = VescSession(step=100_000).open()
        for pieces in ((), (20,), (40, 90), ()):
            asks(mine, BMS, bms(), taken=not pieces, pieces=pieces)
        asks(mine, VALUES, b"", taken=False)
        async with simulated() as sim:
            found = compared(tmp_path, await usual(sim.port), [mine.close()])
        assert keys(found)[0] == "several pieces"

    async def test_the_same_without_any_request_that_is_never_answered(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            async with client(sim.port, records, takes=lambda frame: frame[1] < 128) as one:
                for _ in range(2):
                    await one.ask(FW_VERSION)
                    await one.ask(BMS)
                    await one.ask(via(84, BMS))
            found = compared(tmp_path, await usual(sim.port), records)
        assert (found.key, found.confidence) == (Cause.RECEIVE_PATH, Confidence.POSSIBLE)

    async def test_the_two_swapped(self, tmp_path):
        async with simulated() as sim:
            broken = await self.session(sim.port, lambda frame: frame[1] < 128)
            found = compared(tmp_path, broken, await usual(sim.port))
        assert found.key == Cause.RECEIVE_PATH
        assert found.swapped
        assert found.words == "the reference's receive path does not take these replies."


def swapped_crc(payload: bytes) -> bytes:
    crc = crc16_xmodem(payload)
    return bytes((2, len(payload))) + payload + crc.to_bytes(2, "little") + b"\x03"


def crc_of_the_whole(payload: bytes) -> bytes:
    head = bytes((2, len(payload)))
    return head + payload + crc16_xmodem(head + payload).to_bytes(2) + b"\x03"


def counts_checksum(payload: bytes) -> bytes:
    return bytes((2, len(payload) + 2)) + encode_frame(payload)[2:]


def long_form(payload: bytes) -> bytes:
    return b"\x03" + len(payload).to_bytes(2) + encode_frame(payload)[2:]


def without_stop(payload: bytes) -> bytes:
    return encode_frame(payload)[:-1]


class TestBadRequests:
    """A device ignores a frame that is not right, and says nothing."""

    @pytest.mark.parametrize(
        ("encode", "cause", "words"),
        [
            (swapped_crc, Cause.WRONG_CHECKSUM, "the checksum is a6 6c, right is 6c a6: its two bytes"),
            (crc_of_the_whole, Cause.WRONG_CHECKSUM, "it covers the header too"),
            (
                counts_checksum,
                Cause.WRONG_LENGTH,
                "the length says 3, the payload has 1: it counts the checksum",
            ),
            (long_form, Cause.WRONG_LENGTH, "a device refuses a long form below 255"),
            (without_stop, Cause.WRONG_FRAME, "the stop byte 03 is missing"),
        ],
    )
    @pytest.mark.parametrize("through_hub", [False, True])
    async def test_what_is_wrong_is_worked_out_from_the_bytes(
        self, tmp_path, encode, cause, words, through_hub
    ):
        records: list[Session] = []
        async with hub_with_device() as (hub, _), simulated() as direct:
            port, at = (hub.port, hub) if through_hub else (direct.port, None)
            reference = await usual(port, hub=at)
            async with client(port, records, hub=at, encode=encode) as one:
                for _ in range(3):
                    await one.ask(BMS, answered=False)
            found = compared(tmp_path, reference, records)
        assert (found.key, found.confidence) == (cause, Confidence.CERTAIN)
        assert words in told(found)
        assert "Right would be 02 01 60 6c a6 03" in told(found)
        assert found.divergence is not None
        assert found.divergence.marks[0] == "mine sends no right frame (3 of 3 times)"

    async def test_zeros_at_the_begin_are_no_fault(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            async with client(sim.port, records) as one:
                one.send(bytes(520))
                for _ in range(3):
                    await one.ask(BMS)
            found = compared(tmp_path, await usual(sim.port), records)
        assert found.key == NO_DIFFERENCE


class TestRequests:
    """What is asked is well formed, and nobody answers it."""

    async def test_another_command(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            async with client(sim.port, records) as one:
                await one.ask(FW_VERSION)
                await one.ask(b"\xc8", answered=False)
                await one.ask(b"\xc8", answered=False)
            found = compared(tmp_path, await usual(sim.port), records)
        assert found.key == Cause.WRONG_COMMAND
        assert "command 200 (200)" in told(found)
        assert "BMS_GET_VALUES (96)" in told(found)

    async def test_a_can_id_that_nobody_has(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            async with client(sim.port, records) as one:
                await one.ask(FW_VERSION)
                await one.ask(via(99, BMS), answered=False)
                await one.ask(via(99, BMS), answered=False)
            found = compared(tmp_path, await usual(sim.port), records)
        assert (found.key, found.confidence) == (Cause.NOBODY_THERE, Confidence.LIKELY)
        assert "Nothing ever comes from CAN id 99" in told(found)

    async def test_a_can_id_that_a_scan_of_the_bus_did_not_find(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            async with client(sim.port, records) as one:
                await one.ask(b"\x3e")
                await one.ask(via(99, BMS), answered=False)
            found = compared(tmp_path, await usual(sim.port), records)
        assert (found.key, found.confidence) == (Cause.NOBODY_THERE, Confidence.CERTAIN)
        assert "There is no CAN id 99" in told(found)

    async def test_what_no_express_ever_answers(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            async with client(sim.port, records) as one:
                await one.ask(FW_VERSION)
                await one.ask(VALUES, answered=False)
                await one.ask(VALUES, answered=False)
            found = compared(tmp_path, await usual(sim.port), records)
        assert (found.key, found.confidence) == (Cause.NEVER_ANSWERED, Confidence.CERTAIN)
        assert "GET_VALUES (4) sent to a VESC Express is never answered, by anyone" in told(found)
        assert "Ask BMS_GET_VALUES (96)" in told(found)

    async def test_forward_can_without_a_request(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            reference = await usual(sim.port)
            async with client(sim.port, records) as one:
                await one.ask(FW_VERSION)
                await one.ask(b"\x22", answered=False)
                await one.ask(BMS, answered=False)
            found = compared(tmp_path, reference, records)
        assert found.key == Cause.WEDGED

    async def test_nothing_is_sent(self, tmp_path):
        records: list[Session] = []
        async with hub_with_device() as (hub, _):
            reference = await usual(hub.port, hub=hub)
            async with client(hub.port, records, hub=hub):
                pass
            found = compared(tmp_path, reference, records)
        assert found.key == Cause.NOTHING_SENT


class TestHub:
    async def test_a_client_that_never_logs_in(self, tmp_path):
        records: list[Session] = []
        async with hub_with_device() as (hub, _):
            reference = await usual(hub.port, hub=hub)
            async with client(hub.port, records, hub=hub, login=b"") as one:
                await one.ask(FW_VERSION, answered=False)
                await one.ask(BMS, answered=False)
            found = compared(tmp_path, reference, records)
        assert (found.key, found.confidence) == (Cause.NEVER_LOGS_IN, Confidence.CERTAIN)

    async def test_a_wrong_password_which_is_never_shown(self, tmp_path):
        records: list[Session] = []
        async with hub_with_device() as (hub, _):
            reference = await usual(hub.port, hub=hub)
            async with client(hub.port, records, hub=hub, login=b"VESCTOOL:TESTPACK:hunter2\n", close=1):
                pass
            found = compared(tmp_path, reference, records)
        assert (found.key, found.confidence) == (Cause.REFUSED, Confidence.CERTAIN)
        assert "Its id is the same as in the other session, its password is another than there." in told(
            found
        )
        assert "hunter2" not in told(found) + repr(found.mine)
        assert "secret42" not in told(found) + repr(found.reference)

    async def test_a_login_of_four_parts(self, tmp_path):
        records: list[Session] = []
        async with hub_with_device() as (hub, _):
            reference = await usual(hub.port, hub=hub)
            async with client(hub.port, records, hub=hub, login=b"VESCTOOL:TESTPACK:se:cret\n", close=1):
                pass
            found = compared(tmp_path, reference, records)
        assert found.key == Cause.BAD_LOGIN
        assert "4 parts instead of 3" in told(found)
        assert "se:cret" not in told(found)

    async def test_displaced_by_another_client(self, tmp_path):
        records: list[Session] = []
        async with hub_with_device() as (hub, _):
            reference = await usual(hub.port, hub=hub)
            async with client(hub.port, records, hub=hub, close=1) as one:
                await one.ask(FW_VERSION)
                await one.ask(BMS)
                async with client(hub.port, records, hub=hub) as newer:
                    newer.record.time += one.record.time - newer.record.time - 10_000_000
                    records[1] = Session(ports=(50001, 65101), time=one.record.time - 5_000_000, step=100_000)
                    records[1].open().send(0, LOGIN)
            found = compared(tmp_path, reference, records, numbers=(None, 1))
        assert (found.key, found.confidence) == (Cause.DISPLACED, Confidence.CERTAIN)
        assert "10.0.0.1:50001" in told(found)

    async def test_the_first_request_is_swallowed_with_the_login(self, tmp_path):
        records: list[Session] = []
        async with hub_with_device() as (hub, _):
            reference = await usual(hub.port, hub=hub)
            async with client(hub.port, records, hub=hub, login=b"") as one:
                one.send(LOGIN + encode_frame(BMS))
                await eventually(lambda: hub.pairings["TESTPACK"].client is not None)
                one.record.wait(2.0)
                await one.ask(BMS, pause=0.1)
                await one.ask(BMS, pause=0.1)
            found = compared(tmp_path, reference, records)
        assert found.key == Cause.SWALLOWED


class TestDevice:
    async def test_a_device_that_falls_silent_is_not_the_client_s_fault(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            reference = await usual(sim.port)
        async with simulated("silence:1") as sim, client(sim.port, records) as one:
            await one.ask(FW_VERSION)
            await one.ask(BMS, answered=False)
            await one.ask(BMS, answered=False)
        found = compared(tmp_path, reference, records)
        assert (found.key, found.confidence) == (Cause.SILENT_DEVICE, Confidence.LIKELY), "see what is open"
        assert "mine's receive path is not at fault" in found.words
        assert "byte for byte, is answered" in told(found)
        assert "Before this the other session sends can 84 > FW_VERSION" in told(found)

    async def test_a_silent_device_is_not_taken_for_a_wrong_can_id(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            reference = await usual(sim.port)
        async with simulated("silence:1") as sim, client(sim.port, records) as one:
            await one.ask(FW_VERSION)
            await one.ask(via(99, BMS), answered=False)
            await one.ask(BMS, answered=False)
        assert compared(tmp_path, reference, records).key == Cause.SILENT_DEVICE

    async def test_damaged_replies(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            reference = await usual(sim.port)
        async with simulated("corrupt:1") as sim, client(sim.port, records) as one:
            await one.ask(FW_VERSION, answered=False)
            await one.ask(BMS, answered=False)
        found = compared(tmp_path, reference, records)
        assert found.key == Cause.DAMAGED_REPLIES

    async def test_a_device_without_a_bms(self, tmp_path):
        async with simulated() as sim:
            reference = await usual(sim.port)
        async with simulated("no-bms") as sim:
            found = compared(tmp_path, reference, await usual(sim.port))
        assert (found.key, found.confidence) == (Cause.NO_BMS, Confidence.CERTAIN)
        assert "answered with no cells; the other session's with 20." in told(found)
        assert found.divergence is not None
        assert "replies of" in found.divergence.marks[0]


class TestNoFault:
    async def test_the_same_client_twice(self, tmp_path):
        async with simulated() as sim:
            found = compared(tmp_path, await usual(sim.port), await usual(sim.port))
        assert found.key == NO_DIFFERENCE
        assert found.first is None

    async def test_a_slower_pace_may_be_a_timeout_but_is_not_called_one(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            async with client(sim.port, records) as one:
                await one.ask(FW_VERSION)
                for _ in range(8):
                    await one.ask(BMS, pause=2.0)
            found = compared(tmp_path, await usual(sim.port), records)
        assert found.key == Cause.CANNOT_TELL

    async def test_other_requests_than_the_reference_are_told_and_do_no_harm(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            async with client(sim.port, records) as one:
                await one.ask(BMS)
                await one.ask(via(84, BMS))
                await one.ask(BMS)
            found = compared(tmp_path, await usual(sim.port), records)
        assert found.key == NO_DIFFERENCE
        assert [kind.name for kind in found.extra] == ["can 84 > BMS_GET_VALUES"]
        assert found.missing[0].name == "FW_VERSION"
        assert found.first is not None

    async def test_several_clients_at_once_in_one_file(self, tmp_path):
        records: list[Session] = []
        async with simulated() as sim:
            for count in (1, 4):
                async with client(sim.port, records) as one:
                    for _ in range(count):
                        await one.ask(BMS, pause=0.1)
                await asyncio.sleep(0)
            found = compared(tmp_path, await usual(sim.port), records)
            assert found.mine.number == 2, "the one with most requests"
            found = compared(tmp_path, await usual(sim.port), records, numbers=(None, 1))
        assert len(found.mine.queries) == 1
