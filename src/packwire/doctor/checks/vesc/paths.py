"""Other ways to the same value: without the reference client's handshake, with it, and without the hub."""

from packwire.address import Address
from packwire.doctor.checks.step import Check, Result, failed, odd, passed, skipped
from packwire.doctor.checks.vesc.contact import answered
from packwire.doctor.checks.vesc.poll import may_go_on
from packwire.doctor.checks.words import instead, pack_words
from packwire.doctor.examination import Depth, Examination
from packwire.errors import PackwireError
from packwire.vesc.commands import Command
from packwire.vesc.replies import BMS_GET_VALUES
from packwire.vesc.requests import custom_config, request

_PACK = request(Command.BMS_GET_VALUES)


def _config_xml(length: int, offset: int) -> bytes:
    """Return GET_CUSTOM_CONFIG_XML for some bytes of the first configuration's description."""
    return bytes((Command.GET_CUSTOM_CONFIG_XML, 0)) + length.to_bytes(4) + offset.to_bytes(4)


#: What VESC Tool asks before it polls the battery, as recorded: read commands all.
HANDSHAKE = (request(Command.FW_VERSION), _config_xml(10, 0), _config_xml(400, 10), custom_config())


async def without_handshake(exam: Examination) -> Result:
    """Ask for the battery as the very first thing on a new connection."""
    facts = exam.facts
    line = await exam.fresh_line()
    probe = await line.ask(_PACK, facts.pack_from, max(exam.patience(facts.pack_from), 1.0))
    if probe.closed and not probe.received:
        line = await exam.line()
        probe = await line.ask(_PACK, facts.pack_from, max(exam.patience(facts.pack_from), 1.0))
    facts.note(probe)
    if probe.reply is not None:
        facts.without_handshake = True
        return passed(
            "BMS_GET_VALUES as the very first request on a new connection is answered",
            excludes="a handshake that has to come first",
        )
    if probe.received or probe.closed:
        return odd(f"not answered, for another reason: {instead(probe)}")
    facts.without_handshake = False
    return failed(f"not answered: {instead(probe)}")


async def with_handshake(exam: Examination) -> Result:
    """Ask first what VESC Tool asks first, then for the battery. The configuration's bytes are never kept."""
    line = await exam.fresh_line()
    said = []
    for question in HANDSHAKE:
        line.secret = question[0] in {Command.GET_CUSTOM_CONFIG, Command.GET_CUSTOM_CONFIG_XML}
        probe = await line.ask(question, None, exam.patience())
        size = f"{len(probe.reply)} bytes" if probe.reply is not None else instead(probe)
        said.append(f"{Command(question[0]).name}: {size}")
        if line.closed:
            break
    await line.wait_closed(0.02)
    line.secret = False
    probe = await exam.ask(_PACK, exam.facts.pack_from)
    exam.facts.with_handshake = probe.reply is not None
    if probe.reply is None:
        return failed(f"not answered with VESC Tool's handshake either: {instead(probe)}", *said)
    if exam.facts.without_handshake is False:
        return odd("answered after VESC Tool's handshake, and not without it", *said)
    return passed("answered after VESC Tool's handshake too", *said)


async def without_hub(exam: Examination) -> Result:
    """Ask the device itself, without the hub, for the same value."""
    address = exam.options.direct
    if address is None:
        return skipped("the device's own address is not known (--direct vesc://HOST)")
    return await _direct(exam, address)


async def _direct(exam: Examination, address: Address) -> Result:
    facts = exam.facts
    try:
        line = await exam.dial(address)
    except PackwireError as error:
        facts.direct_error = str(error)
        return odd(f"{address} is not reached: {error}")
    try:
        probe = await line.ask(_PACK, None, exam.options.patience)
    finally:
        await line.close()
    facts.direct_pack = probe.reply is not None
    if probe.reply is None:
        facts.direct_error = instead(probe)
        return odd(f"{address} does not answer BMS_GET_VALUES either: {instead(probe)}")
    pack = BMS_GET_VALUES.decode(probe.reply).reply
    said = "no BMS" if pack.absent else pack_words(pack)
    if facts.pack is None:
        return odd(f"{address} answers, the hub's way does not: {said}")
    return passed(f"{address} says the same: {said}", excludes="a hub that holds something back")


def _may_ask(exam: Examination) -> str:
    return answered(exam) or may_go_on(exam)


def _handshake_failed(exam: Examination) -> str:
    thorough = exam.options.depth is Depth.THOROUGH
    if exam.facts.version is None or exam.facts.fell_silent_after is not None:
        return "nothing answers"
    failed_without = exam.facts.without_handshake is False or exam.facts.pack_reply is None
    return (
        "" if thorough or failed_without else "it is answered without one (--thorough asks it all the same)"
    )


def _has_hub(exam: Examination) -> str:
    return "" if exam.is_hub else "no hub is in the way"


WITHOUT_CHECK = Check("no-handshake", "Is it answered without a handshake?", without_handshake, _may_ask)
WITH_CHECK = Check(
    "handshake", "Is it answered after VESC Tool's handshake?", with_handshake, _handshake_failed, quiet=True
)
DIRECT_CHECK = Check(
    "direct", "Does the device itself say the same without the hub?", without_hub, _has_hub, quiet=True
)
