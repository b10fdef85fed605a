"""Logging in at `packwire hub`: as at the known hub, but with reasons in the log, and no mercy for guesses."""

import asyncio
import logging
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packwire.errors import BadOptionError
from packwire.hub import server
from packwire.hub.credentials import PasswordHash, read_credentials
from packwire.hub.openings import why_no_login
from packwire.hub.server import Hub
from packwire.hub.settings import HubSettings
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.hublogin import parse_login
from tests.hub.hubs import CLIENT, DEVICE, client, device, running_hub, write_credentials
from tests.sim.raw import PATIENCE, eventually, raw

ASK = bytes([Command.BMS_GET_VALUES])


@pytest.mark.parametrize(
    "line",
    [b"VESCTOOL:TESTPACK:secret42\n", b"vesctool:test pack:secret42\r\n", b"VESC TOOL: testPack :secret42\n"],
)
async def test_ids_and_roles_are_read_as_at_the_known_hub(tmp_path, line):
    async with running_hub(tmp_path) as hub, device(hub) as vesc, raw(hub.port, line) as asker:
        asker.send(ASK)
        assert await vesc.reply() == ASK


async def test_ping_tells_whether_a_device_is_connected(tmp_path):
    async with running_hub(tmp_path) as hub, device(hub):
        async with raw(hub.port, b"PING:test pack:0\n") as ping:
            assert await ping.until_closed() == b"PONG\n"
        async with raw(hub.port, b"PING:NOBODY:0\n") as ping:
            assert await ping.until_closed() == b"NULL\n"


REFUSED = [
    (b"VESCTOOL:TESTPACK:wrong77\n", "wrong password"),
    (b"VESC:TESTPACK:wrong77\n\0", "wrong password"),
    (b"VESCTOOL:NOBODY:wrong77\n", "no such id"),
    (b"VESC:NOBODY:wrong77\n\0", "no credential for this id"),
    (b"VESCTOOL:TESTPACK:wrong77:more\n", "4 parts between colons"),
    (b"VESCTOOL:AB:wrong77\n", "an id of less than 3 characters"),
    (b"SOMEBODY:TESTPACK:wrong77\n", "the first word is not VESC, VESCTOOL or PING"),
    (b"GET /wrong77 HTTP/1.1\r\n\r\n", "HTTP was spoken"),
    (b"\x16\x03\x01\x02\x00\x01\nwrong77", "TLS was spoken"),
    (encode_frame(ASK) + b"\n", "a VESC frame came before any login"),
    (b"wrong77" * 100, "more than 512 bytes"),
]


@pytest.mark.parametrize(("line", "reason"), REFUSED)
async def test_who_is_refused_hears_nothing_but_the_log_says_why(tmp_path, caplog, line, reason):
    caplog.set_level(logging.DEBUG)
    async with running_hub(tmp_path) as hub, device(hub), raw(hub.port, line) as stranger:
        assert await stranger.until_closed() == b""
    assert reason in " ".join(str(getattr(record, "packwire_fields", "")) for record in caplog.records)
    assert "wrong77" not in caplog.text
    assert "wrong77" not in " ".join(str(record.__dict__) for record in caplog.records)


async def test_a_right_password_for_a_device_that_is_not_there_is_refused(tmp_path, caplog):
    caplog.set_level("INFO", "packwire.hub")
    async with running_hub(tmp_path) as hub, raw(hub.port, CLIENT) as asker:
        assert await asker.until_closed() == b""
        assert hub.counters.refusals == {"not-connected": 1}


async def test_one_who_says_nothing_is_closed_after_a_while(tmp_path):
    async with running_hub(tmp_path, limits={"login_seconds": 0.05}) as hub:
        async with raw(hub.port) as silent, raw(hub.port, b"VESCTOOL:TESTP") as half:
            assert await silent.until_closed() == await half.until_closed() == b""
            assert hub.counters.refusals == {"no-login": 2}


async def test_a_login_in_single_bytes(tmp_path):
    async with running_hub(tmp_path) as hub, device(hub) as vesc, raw(hub.port) as asker:
        for byte in CLIENT:
            asker.writer.write(bytes([byte]))
            await asyncio.sleep(0)
        asker.send(ASK)
        assert await vesc.reply() == ASK


async def test_the_first_device_sets_the_password_and_all_others_need_it(tmp_path):
    state = tmp_path / "state"
    async with running_hub(tmp_path, open=True, credentials=state) as hub, device(hub) as vesc:
        async with raw(hub.port, b"VESC:TESTPACK:another\n\0") as thief:
            assert await thief.until_closed() == b""
        async with client(hub) as asker:
            asker.send(ASK)
            assert await vesc.reply() == ASK
    assert "secret42" not in state.read_text()
    assert state.stat().st_mode & 0o077 == 0
    assert read_credentials(state)["TESTPACK"].check("secret42")
    async with running_hub(tmp_path, open=True, credentials=state) as hub:
        async with raw(hub.port, b"VESC:TESTPACK:another\n\0") as thief:
            assert await thief.until_closed() == b""
        async with device(hub):
            pass


async def test_two_devices_that_register_at_once_do_not_both_win(tmp_path):
    async with running_hub(tmp_path, open=True) as hub:
        async with (
            raw(hub.port, b"VESC:NEWPACK:first1\n\0") as one,
            raw(hub.port, b"VESC:NEWPACK:second2\n\0") as two,
        ):
            await eventually(lambda: hub.counters.refusals["wrong-password"] == 1)
            closed = [asyncio.ensure_future(end.reader.read()) for end in (one, two)]
            done, waiting = await asyncio.wait(closed, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            assert (len(done), len(waiting)) == (1, 1)
            for task in waiting:
                task.cancel()
        assert len(hub.authenticator.credentials) == 1


async def test_guesses_have_to_wait_but_a_stranger_elsewhere_keeps_nobody_out(tmp_path):
    async with running_hub(tmp_path, limits={"wrong_logins": 3}) as hub, device(hub):
        for number in range(6):
            async with raw(hub.port, b"VESCTOOL:TESTPACK:guess%d\n" % number) as guess:
                assert await guess.until_closed() == b""
        assert hub.counters.refusals == {"wrong-password": 3, "back-off": 3}
        assert hub.authenticator.pool.begun == 4  # the device's own, and three guesses
        async with client(hub):  # found right before: one try a second, even from here
            pass


async def test_the_same_wrong_password_again_costs_no_hash_and_no_wait(tmp_path):
    async with running_hub(tmp_path, limits={"wrong_logins": 3}) as hub, device(hub):
        for _ in range(20):
            async with raw(hub.port, b"VESCTOOL:TESTPACK:old\n") as guess:
                assert await guess.until_closed() == b""
        assert hub.authenticator.pool.begun == 2
        async with client(hub):
            pass


async def test_a_login_that_was_verified_is_remembered(tmp_path):
    async with running_hub(tmp_path) as hub, device(hub):
        for _ in range(10):
            async with client(hub):
                pass
        assert hub.authenticator.pool.begun == 1


async def test_connections_of_one_address_are_limited(tmp_path):
    limits = {"connections_per_address": 3, "logins_per_address": 2}
    async with running_hub(tmp_path, limits=limits) as hub, device(hub) as vesc:
        async with raw(hub.port) as one, raw(hub.port):
            await eventually(lambda: hub.admission.total == 3)
            async with raw(hub.port, CLIENT) as fourth:
                assert await fourth.until_closed() == b""
            await one.close()
            await eventually(lambda: hub.admission.total == 2)
            async with client(hub) as asker:
                asker.send(ASK)
                assert await vesc.reply() == ASK
    assert (hub.admission.total, hub.admission.open, hub.admission.logging_in) == (0, {}, {})


async def test_where_all_files_are_open_the_oldest_without_a_login_makes_room(tmp_path):
    async with running_hub(tmp_path) as hub, device(hub) as vesc, raw(hub.port) as silent:
        await eventually(lambda: hub.admission.total == 2)
        hub.admission.most = 2
        async with client(hub) as asker:
            assert await silent.until_closed() == b""
            asker.send(ASK)
            assert await vesc.reply() == ASK


async def test_a_reload_ends_only_those_whose_password_changed(tmp_path):
    path = write_credentials(tmp_path / "c", TESTPACK="secret42", OTHER="secret42")
    async with running_hub(tmp_path, credentials=path) as hub, device(hub) as vesc, client(hub) as asker:
        async with device(hub, b"VESC:OTHER:secret42\n\0") as other:
            kept = path.read_text().splitlines()[0]
            path.write_text(f"{kept}\n")
            await hub.reload(hub.settings.model_copy(update={"allow": "terminal"}))
            assert await other.until_closed() == b""
        asker.send(bytes([Command.TERMINAL_CMD]) + b"faults\0")
        assert (await vesc.reply())[0] == Command.TERMINAL_CMD


async def test_a_reload_with_a_mistake_changes_nothing(tmp_path):
    async with running_hub(tmp_path) as hub, device(hub) as vesc, client(hub) as asker:
        (tmp_path / "hub.credentials").write_text("TESTPACK:secret42\n")
        with pytest.raises(Exception, match="line 1") as caught:
            await hub.reload(hub.settings)
        assert "secret42" not in str(caught.value)
        asker.send(ASK)
        assert await vesc.reply() == ASK


async def test_one_who_leaves_without_a_login_is_in_the_log(tmp_path, caplog):
    caplog.set_level("INFO", "packwire.hub")
    async with running_hub(tmp_path) as hub:
        async with raw(hub.port, b"VESCTOOL:TES"):
            await eventually(lambda: hub.admission.total == 1)
        await eventually(lambda: hub.admission.total == 0)
        assert hub.counters.refusals == {"left": 1}
    assert "left without login" in caplog.text


async def test_one_who_hangs_up_while_its_password_is_checked_is_counted_all_the_same(tmp_path):
    ids = {f"PACK{number}": "secret42" for number in range(8)}
    path = write_credentials(tmp_path / "c", **ids)
    limits = {"wrong_logins_per_address": 4, "checks_per_address": 2}
    async with running_hub(tmp_path, credentials=path, limits=limits) as hub:
        for name in ids:
            async with raw(hub.port, b"VESC:%b:guess\n\0" % name.encode()) as guess:
                await eventually(lambda: hub.admission.total == 1)
                guess.writer.transport.abort()
            await eventually(lambda: hub.admission.total == 0)
            await eventually(lambda: hub.authenticator.pool.waiting == 0)
        assert hub.authenticator.pool.begun == 4


async def test_one_who_hangs_up_while_it_registers_is_counted_all_the_same(tmp_path):
    async with running_hub(tmp_path, open=True, limits={"registrations": 2}) as hub:
        for number in range(4):
            async with raw(hub.port, b"VESC:PACK%d:secret42\n\0" % number) as hasty:
                await eventually(lambda: hub.admission.total == 1)
                hasty.writer.transport.abort()
            await eventually(lambda: hub.admission.total == 0)
            await eventually(lambda: hub.authenticator.pool.waiting == 0)
        assert hub.authenticator.pool.begun == 2
        assert len(hub.authenticator.credentials) == 2


async def test_a_client_of_a_device_that_is_not_there_costs_no_hash(tmp_path, caplog):
    caplog.set_level("INFO", "packwire.hub")
    async with running_hub(tmp_path) as hub:
        async with raw(hub.port, CLIENT) as asker:
            assert await asker.until_closed() == b""
        assert hub.authenticator.pool.begun == 0
    said = " ".join(str(getattr(record, "packwire_fields", "")) for record in caplog.records)
    assert "the device is not connected to this hub" in said


@pytest.mark.parametrize("name", ["#PACK", "MY\u2028PACK", "\u00a0PACK", "PA\tCK", "PA\x1cCK", "PACK\x85"])
async def test_no_id_can_be_registered_that_would_spoil_the_credentials_file(tmp_path, name):
    state = tmp_path / "state"
    async with running_hub(tmp_path, open=True, credentials=state) as hub:
        async with raw(hub.port, f"VESC:{name}:secret42\n\0".encode()) as stranger:
            assert await stranger.until_closed() == b""
        assert hub.counters.refusals == {"registrations": 1}
    assert not state.exists()


async def test_an_id_with_letters_of_any_language_is_kept(tmp_path):
    state = tmp_path / "state"
    async with running_hub(tmp_path, open=True, credentials=state) as hub:
        async with raw(hub.port, "VESC:größe 1:pässwörd\n\0".encode()):
            await eventually(lambda: hub.counters.logins["device"] == 1)
    assert read_credentials(state)["GRÖSSE1"].check("pässwörd")


async def test_what_is_registered_during_a_reload_is_kept(tmp_path, monkeypatch):
    state = tmp_path / "state"
    read = server.credentials_of
    async with running_hub(tmp_path, open=True, credentials=state) as hub:
        reading, go_on = threading.Event(), threading.Event()

        def slowly(settings):
            found = read(settings)
            reading.set()
            assert go_on.wait(PATIENCE)
            return found

        monkeypatch.setattr(server, "credentials_of", slowly)
        reload = asyncio.ensure_future(hub.reload(hub.settings))
        await asyncio.to_thread(reading.wait, PATIENCE)
        async with device(hub) as vesc:
            go_on.set()
            await reload
            async with client(hub) as asker:
                asker.send(ASK)
                assert await vesc.reply() == ASK


async def test_a_password_that_is_changed_while_it_is_checked_lets_nobody_in(tmp_path, monkeypatch):
    path = write_credentials(tmp_path / "c", TESTPACK="secret42")
    checking, go_on = threading.Event(), threading.Event()
    check = PasswordHash.check

    def slowly(self, password):
        checking.set()
        assert go_on.wait(PATIENCE)
        return check(self, password)

    monkeypatch.setattr(PasswordHash, "check", slowly)
    async with running_hub(tmp_path, credentials=path) as hub, raw(hub.port, DEVICE) as vesc:
        await asyncio.to_thread(checking.wait, PATIENCE)
        write_credentials(path, TESTPACK="another")
        await hub.reload(hub.settings)
        go_on.set()
        assert await vesc.until_closed() == b""
        assert not hub.registry.devices


async def test_a_hub_where_nobody_could_log_in_does_not_start():
    with pytest.raises(BadOptionError, match="--credentials FILE, or .* --open"):
        Hub(HubSettings())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=600).map(lambda data: data.replace(b"\n", b"")))
def test_whatever_is_no_login_has_a_reason(line):
    if parse_login(line) is None:
        assert why_no_login(line)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.binary(min_size=1, max_size=60) | st.sampled_from([DEVICE, CLIENT, b"PING:ABC:0\n"]), max_size=4
    )
)
def test_hostile_bytes_never_harm_it(tmp_path, segments):
    async def run() -> None:
        async with (
            running_hub(tmp_path, limits={"login_seconds": 0.05}) as hub,
            device(hub),
            raw(hub.port) as one,
        ):
            for segment in segments:
                one.writer.write(segment)
                await asyncio.sleep(0)

    asyncio.run(run())
