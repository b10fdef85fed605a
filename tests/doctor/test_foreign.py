"""What answers at a hub's address and is none, devices that leave, and errors that are decided by reasons."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from packwire.address import parse_address
from packwire.check import CheckResult, Confidence, Outcome
from packwire.cli.exit_codes import exit_code_of
from packwire.doctor.checks import way
from packwire.doctor.diagnosis import Diagnosis
from packwire.doctor.examination import Examination, ExaminationOptions
from packwire.doctor.examine import examine
from packwire.doctor.facts import Reach, WayFacts
from packwire.doctor.foreign import protocol_of
from packwire.doctor.report import _folded
from packwire.errors import PackwireError, Reason, UnreachableError
from packwire.link.tcp import unreachable
from packwire.vesc.framing import encode_frame
from tests.device.scripted import scripted, usual
from tests.sim.raw import eventually, hub_with_device

BRISK = ExaminationOptions(listen=0.05, poll=0.3, patience=0.4)

type Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await talk(reader, writer)
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield running.sockets[0].getsockname()[1]


async def look(port: int, scheme: str = "veschub://TESTPACK:secret42@") -> Diagnosis:
    return await examine(parse_address(f"{scheme}127.0.0.1:{port}"), BRISK)


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


async def ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    await reader.read(100)
    writer.write(b"Invalid SSH identification string.\r\n")


async def vnc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"RFB 003.008\n")
    await reader.read()


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As an MQTT broker does when the first packet is none of its own."""
    await reader.read(100)


async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(bytes(len(data)) + b"\x55\xaa")


@pytest.mark.parametrize(
    ("talk", "key", "words"),
    [
        (http, "no-hub", "it is a web server (HTTP)"),
        (ssh, "no-hub", "it is an SSH server"),
        (vnc, "no-hub", "it is a VNC server"),
        (babble, "no-hub", "it says what no hub says"),
        (closing, "closes", "did not answer a hub's PING"),
    ],
    ids=["http", "ssh", "vnc", "unknown", "mqtt"],
)
async def test_only_a_pong_proves_that_a_hub_knows_the_id(talk, key, words):
    async with server(talk) as port:
        diagnosis = await look(port)
    assert diagnosis.verdict.key == key
    assert words in diagnosis.verdict.words
    assert "secret42" not in repr(diagnosis)
    assert "wrong-password" not in {each.key for each in diagnosis.remarks}


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"HTTP/1.0 200 OK", "a web server (HTTP)"),
        (b"\r\n<html>", "a web server (HTTP)"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"\x20\x02\x00\x05", "an MQTT broker"),
        (b"220 mail.example ESMTP", "an SMTP server"),
        (b"220 ready", "an FTP or SMTP server"),
        (b"\xff\xfd\x18", "a Telnet server"),
        (encode_frame(b"\0" + bytes(60)), "a VESC"),
        (b"\x55\xaa\x55\xaa", None),
        (b"", None),
    ],
)
def test_a_greeting_names_its_protocol(head, name):
    assert protocol_of(head) == name


async def test_a_device_that_reboots_behind_a_hub_is_no_other_client():
    async with hub_with_device() as (hub, device):

        async def pull_the_plug() -> None:
            await eventually(lambda: "TESTPACK" in hub.pairings and hub.pairings["TESTPACK"].client)
            await asyncio.sleep(0.9)
            pairing = hub.pairings["TESTPACK"]
            assert device.hub_dialler is not None
            device.hub_dialler._port = 9  # it does not come back
            pairing.device.transport.abort()

        pulling = asyncio.create_task(pull_the_plug())
        diagnosis = await examine(
            parse_address(f"veschub://TESTPACK:secret42@127.0.0.1:{hub.port}"),
            ExaminationOptions(listen=0.05, poll=3.0, patience=0.4),
        )
        await pulling
    assert (diagnosis.verdict.key, diagnosis.verdict.reason) == ("left-hub", Reason.LEFT)
    assert "displaced" not in {each.key for each in diagnosis.remarks}
    assert exit_code_of(diagnosis.verdict.reason) == 8


async def test_no_new_connection_is_not_called_one_that_works():
    async with contextlib.AsyncExitStack() as stack:
        device = await stack.enter_async_context(scripted(usual))

        async def leave() -> None:
            await eventually(lambda: len(device.asked) > 8)
            device.server.close()
            device.hang_up()

        leaving = asyncio.create_task(leave())
        diagnosis = await look(device.port, "vesc://")
        await leaving
    assert diagnosis.verdict.key == "gone"
    assert "works again" not in diagnosis.verdict.words
    failed = [check for check in diagnosis.checks if check.outcome is Outcome.FAILED]
    assert len(failed) > 2
    assert len([check for check in _folded(diagnosis.checks) if check.outcome is Outcome.FAILED]) < len(
        failed
    )


def test_identical_failures_are_folded():
    same = [CheckResult(name, "?", Outcome.FAILED, "gone") for name in ("a", "b", "c")]
    other = CheckResult("d", "?", Outcome.FAILED, "something else")
    assert [check.name for check in _folded((*same, other))] == ["a, b, c", "d"]


@pytest.mark.parametrize(
    ("error", "reason", "key", "confidence"),
    [
        (TimeoutError(), Reason.TIMED_OUT, "nothing-there", Confidence.LIKELY),
        (ConnectionRefusedError(111, "no"), Reason.PORT_REFUSED, "refused-port", Confidence.CERTAIN),
        (OSError(113, "refused, says nobody"), Reason.NO_ROUTE, "nothing-there", Confidence.CERTAIN),
        (
            ExceptionGroup("", [OSError(101, "no route"), ConnectionRefusedError(111, "no")]),
            Reason.PORT_REFUSED,
            "refused-port",
            Confidence.CERTAIN,
        ),
    ],
)
@pytest.mark.parametrize("host", ["refused.lan", "is not known.lan"])
def test_a_verdict_is_decided_by_a_reason_whatever_the_host_is_called(host, error, reason, key, confidence):
    said = unreachable(host, 65102, error)
    assert said.reason is reason
    exam = Examination(parse_address("vesc://127.0.0.1"))
    way.unreachable(exam, said)
    verdict, _ = exam.judge()
    assert (verdict.key, verdict.confidence) == (key, confidence)


def test_a_name_server_that_does_not_answer_is_no_unknown_name():
    exam = Examination(parse_address("vesc://pack.example"))
    exam.facts[WayFacts].reach, exam.facts[WayFacts].reason = Reach.UNKNOWN_NAME, Reason.TIMED_OUT
    verdict, _ = exam.judge()
    assert (verdict.key, verdict.confidence) == ("unknown-name", Confidence.LIKELY)
    assert "could not be looked up" in verdict.words


def test_every_reason_has_an_exit_code_and_every_error_a_reason():
    assert {reason for reason in Reason if exit_code_of(reason) == 0} == {Reason.ENDED}
    assert exit_code_of(None) == 0
    kinds = [PackwireError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        assert isinstance(kind.reason, Reason)
    assert UnreachableError("no", reason=Reason.BUSY).reason is Reason.BUSY


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)


async def terminal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"login: ")
    while data := await reader.read(4096):
        writer.write(data + b"\r\nPassword: ")


async def closes(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Close at once, before anything is asked."""


@pytest.mark.parametrize(
    ("talk", "key", "sure"),
    [
        (echo, "echo", Confidence.CERTAIN),
        (terminal, "echo", Confidence.LIKELY),
        (closes, "closes", Confidence.CERTAIN),
    ],
)
async def test_what_is_an_echo_and_what_closes_before_it_is_asked(talk, key, sure):
    async with server(talk) as port:
        found = await look(port, "vesc://")
    assert (found.verdict.key, found.verdict.confidence) == (key, sure)
