"""The TLS port of `packwire hub`: counted before the handshake, and a reason for each that fails; on both loops."""

import asyncio
import contextlib
import os
import socket
import ssl
import sys
import threading

import pytest
import trustme

from packwire.errors import BadFileError
from packwire.hub import tls_login
from packwire.hub.credentials import PasswordHash
from packwire.hub.listening import tls_context
from packwire.hub.pool import Pool
from packwire.hub.settings import TlsSettings
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from tests.hub.hubs import CLIENT, PASSWORD, device, running_hub, write_credentials
from tests.sim.raw import PATIENCE, Raw, eventually

ASK = bytes([Command.BMS_GET_VALUES])


def _uvloop_run(work):
    uvloop = pytest.importorskip("uvloop")
    return uvloop.run(work)


@pytest.fixture(params=[asyncio.run, _uvloop_run], ids=["asyncio", "uvloop"])
def run(request):
    return request.param


@pytest.fixture
def tls(tmp_path):
    """Settings of a TLS port, and a client's context that trusts it."""
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "cert.pem"))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return {"port": 0, "certificate": tmp_path / "cert.pem"}, context


@contextlib.asynccontextmanager
async def dialled(hub, context=None):
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.tls_port, ssl=context)
    end = Raw(reader, writer)
    try:
        yield end
    finally:
        writer.transport.abort()


def reasons(caplog):
    return " | ".join(str(getattr(record, "packwire_fields", {}).get("reason")) for record in caplog.records)


def test_what_follows_the_login_at_once_is_not_lost(tmp_path, tls, run):
    async def work():
        settings, context = tls
        async with running_hub(tmp_path, tls=settings) as hub, device(hub) as vesc:
            async with dialled(hub, context) as asker:
                asker.writer.write(CLIENT + encode_frame(ASK))
                assert await vesc.reply() == ASK
                vesc.send(ASK * 50)
                assert await asker.reply() == ASK * 50
            await eventually(lambda: hub.admission.total == 1)

    run(work())


def test_connections_count_before_their_handshake(tmp_path, tls, run, caplog):
    async def work():
        async with running_hub(tmp_path, tls=tls[0], limits={"logins_per_address": 2}) as hub:
            async with dialled(hub), dialled(hub):
                await eventually(lambda: hub.admission.logging_in.total() == 2)
                async with dialled(hub) as third:
                    assert await third.until_closed() == b""
            await eventually(lambda: hub.admission.total == 0)
            assert hub.counters.not_admitted == 1
            assert not hub.admission.logging_in

    run(work())
    assert "2 connections have not logged in yet" in reasons(caplog)


SPOKEN = [
    (b"", "no TLS handshake: it took too long"),
    (CLIENT, "no TLS handshake: no TLS was spoken on the port with TLS"),
    (b"GET / HTTP/1.1\r\n\r\n", "no TLS handshake: HTTP was spoken on the port with TLS"),
    (b"\x16\x03\x01\x00\x05hello", "no TLS handshake: "),
]


@pytest.mark.parametrize(("said", "reason"), SPOKEN)
def test_a_handshake_that_fails_has_a_reason_in_the_log(tmp_path, tls, run, caplog, said, reason):
    async def work():
        async with running_hub(tmp_path, tls=tls[0], limits={"login_seconds": 0.1}) as hub:
            async with dialled(hub) as stranger:
                stranger.writer.write(said)
                await stranger.until_closed()
            await eventually(lambda: hub.admission.total == 0)
            assert hub.counters.refusals == {"tls": 1}

    run(work())
    assert reason in reasons(caplog)
    assert "secret42" not in caplog.text


def test_one_who_goes_in_the_midst_of_the_handshake(tmp_path, tls, run, caplog):
    async def work():
        async with running_hub(tmp_path, tls=tls[0]) as hub:
            async with dialled(hub) as stranger:
                await eventually(lambda: hub.admission.total == 1)
                stranger.writer.write(b"\x16\x03")
            await eventually(lambda: hub.admission.total == 0)

    run(work())
    assert "no TLS handshake: closed by the other end" in reasons(caplog)


def shake_hands(port):
    """As a client that has none of the tests' certificates (asyncio's own would not send the alert)."""
    with socket.create_connection(("127.0.0.1", port), 5) as plain:
        with ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1"):
            pass


def test_a_client_that_does_not_trust_the_certificate(tmp_path, tls, run, caplog):
    async def work():
        async with running_hub(tmp_path, tls=tls[0]) as hub:
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncio.to_thread(shake_hands, hub.tls_port)
            await eventually(lambda: hub.admission.total == 0)

    run(work())
    assert "it does not trust the hub's certificate" in reasons(caplog)


def test_one_without_a_login_makes_room_in_the_midst_of_its_handshake(tmp_path, tls, run):
    async def work():
        settings, context = tls
        async with running_hub(tmp_path, tls=settings) as hub, device(hub) as vesc, dialled(hub) as silent:
            await eventually(lambda: hub.admission.total == 2)
            hub.admission.most = 2
            async with dialled(hub, context) as asker:
                assert await silent.until_closed() == b""
                asker.writer.write(CLIENT + encode_frame(ASK))
                assert await vesc.reply() == ASK

    run(work())


def test_the_oldest_handshake_makes_room_where_there_are_too_many(tmp_path, tls, run, caplog, monkeypatch):
    monkeypatch.setattr(tls_login, "MOST_HANDSHAKES", 2)

    async def work():
        settings, context = tls
        async with running_hub(tmp_path, tls=settings) as hub, device(hub) as vesc:
            async with dialled(hub) as oldest, dialled(hub):
                await eventually(lambda: hub.admission.total == 3)
                async with dialled(hub, context) as asker:
                    assert await oldest.until_closed() == b""
                    asker.writer.write(CLIENT + encode_frame(ASK))
                    assert await vesc.reply() == ASK
                    assert len(hub._handshakes) == 1
            await eventually(lambda: hub.admission.total == 1)
            assert not hub._handshakes

    run(work())
    assert "made room for another: 2 TLS handshakes are under way" in reasons(caplog)


def test_a_connection_keeps_no_large_buffer():
    # asyncio's own have 256 KiB each: 700 connections took 180 MiB that the process never gave back.
    assert tls_login._Tls.max_size <= 16 * 1024


def test_stopping_in_the_midst_of_a_handshake(tmp_path, tls, run, caplog):
    async def work():
        async with running_hub(tmp_path, tls=tls[0]) as hub:
            stranger = Raw(*await asyncio.open_connection("127.0.0.1", hub.tls_port))
            await eventually(lambda: hub.admission.total == 1)
        assert await stranger.until_closed() == b""
        await stranger.close()

    run(work())
    assert "ERROR" not in caplog.text


def test_a_reload_with_a_key_that_does_not_fit_keeps_the_old_certificate(tmp_path, tls, run):
    async def work():
        settings, context = tls
        async with running_hub(tmp_path, tls=settings) as hub, device(hub) as vesc:
            other = trustme.CA().issue_cert("127.0.0.1")
            other.private_key_pem.write_to_path(str(tmp_path / "other.pem"))
            wrong = TlsSettings(port=0, certificate=tmp_path / "cert.pem", key=tmp_path / "other.pem")
            with pytest.raises(BadFileError, match="no PEM certificate with its key"):
                await hub.reload(hub.settings.model_copy(update={"tls": wrong}))
            async with dialled(hub, context) as asker:
                asker.writer.write(CLIENT + encode_frame(ASK))
                assert await vesc.reply() == ASK

    run(work())


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes")
@pytest.mark.parametrize("key", [False, True])
def test_a_pipe_for_a_certificate_is_refused_and_not_waited_for(tmp_path, tls, key):
    os.mkfifo(tmp_path / "pipe")
    names = ("cert.pem", "pipe") if key else ("pipe", "cert.pem")
    with pytest.raises(BadFileError, match="no regular file"):
        tls_context(TlsSettings(port=0, certificate=tmp_path / names[0], key=tmp_path / names[1]))


def test_a_reload_takes_a_new_certificate(tmp_path, tls, run):
    async def work():
        async with running_hub(tmp_path, tls=tls[0]) as hub, device(hub) as vesc:
            authority = trustme.CA()
            renewed = authority.issue_cert("127.0.0.1")
            renewed.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "cert.pem"))
            context = ssl.create_default_context()
            authority.configure_trust(context)
            await hub.reload(hub.settings)
            async with dialled(hub, context) as asker:
                asker.writer.write(CLIENT + encode_frame(ASK))
                assert await vesc.reply() == ASK

    run(work())


def test_a_check_is_spared_when_its_connection_hangs_up(tmp_path, tls, run, monkeypatch):
    settings, context = tls
    go_on = threading.Event()
    monkeypatch.setattr(PasswordHash, "check", lambda _, __: go_on.wait(PATIENCE))
    ids = {f"PACK{number}": PASSWORD for number in range(4)}
    path = write_credentials(tmp_path / "c", **ids)

    async def work():
        async with running_hub(tmp_path, tls=settings, credentials=path) as hub:
            checks = hub.authenticator.pool = Pool(16, threads=1)
            async with contextlib.AsyncExitStack() as stack:
                for number, name in enumerate(ids):
                    end = await stack.enter_async_context(dialled(hub, context))
                    end.writer.write(b"VESC:%b:wrong\n\0" % name.encode())
                    await eventually(lambda number=number: checks.waiting == number + 1)
            await eventually(lambda: checks.waiting == 1)
            go_on.set()
            await eventually(lambda: checks.waiting == 0)
            assert checks.begun == 1

    try:
        run(work())
    finally:
        go_on.set()
