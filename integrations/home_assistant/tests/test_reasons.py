"""Why a connection failed: what the doctor finds, and what is left to say when he finds nothing."""

import asyncio

import pytest

from custom_components.packwire.connection import address_of
from custom_components.packwire.reasons import Finding, examine, is_wrong_password
from packwire.errors import GoneError, NoAnswerError, RefusedError
from tests.conftest import free_port, hub_data, tcp_data


@pytest.mark.parametrize(
    ("error", "reason"), [(GoneError("gone"), "gone"), (NoAnswerError("none"), "silent")]
)
async def test_what_works_again_is_told_by_its_error(vesc, error, reason):
    finding = await examine(error, address_of(tcp_data(vesc.port)))
    assert finding == Finding(reason, "other", "ok", str(error))


async def test_a_refusal_is_about_the_password_only_where_the_id_is_known(behind_hub):
    refused = RefusedError("refused")
    known = address_of(behind_hub.data)
    assert await is_wrong_password(refused, known)
    assert not await is_wrong_password(GoneError("gone"), known)
    assert not await is_wrong_password(refused, address_of({**behind_hub.data, "hub_id": "NOBODY"}))
    assert not await is_wrong_password(refused, address_of(hub_data(free_port())))


async def test_the_doctor_ends_in_time(monkeypatch, socket_enabled):
    """A server that never says a word."""
    from custom_components.packwire import reasons

    monkeypatch.setattr(reasons, "DOCTOR_LIMIT", 0.2)
    clients = []
    server = await asyncio.start_server(lambda _, writer: clients.append(writer), "127.0.0.1", 0)
    async with server:
        address = address_of(tcp_data(server.sockets[0].getsockname()[1]))
        assert (await examine(NoAnswerError("no answer"), address)).reason == "silent"
        server.close_clients()
