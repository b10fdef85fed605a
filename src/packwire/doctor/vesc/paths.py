"""Other ways to the same value: without the reference client's handshake, with it, and without the hub."""

from packwire.address import Address
from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed, skipped
from packwire.doctor.checks.words import instead
from packwire.doctor.examination import Examination
from packwire.doctor.facts import ConnectionFacts, ProbeFacts
from packwire.doctor.vesc.contact import answered
from packwire.doctor.vesc.facts import BusFacts, OtherWaysFacts, PackFacts
from packwire.doctor.vesc.poll import may_go_on
from packwire.doctor.vesc.words import pack_words
from packwire.errors import PackwireError
from packwire.vesc.commands import Command
from packwire.vesc.replies import BMS_GET_VALUES
from packwire.vesc.requests import custom_config, request

_PACK = request(Command.BMS_GET_VALUES)


def _may_ask(exam: Examination) -> str:
    return answered(exam) or may_go_on(exam)


def _handshake_failed(exam: Examination) -> str:
    thorough = exam.options.depth is Depth.THOROUGH
    if exam.facts[BusFacts].version is None or exam.facts[ConnectionFacts].fell_silent_after is not None:
        return "nothing answers"
    failed_without = (
        exam.facts[OtherWaysFacts].without_handshake is False or exam.facts[PackFacts].reply is None
    )
    return (
        "" if thorough or failed_without else "it is answered without one (--thorough asks it all the same)"
    )


def _has_hub(exam: Examination) -> str:
    return "" if exam.target.is_hub else "no hub is in the way"


def _config_xml(length: int, offset: int) -> bytes:
    """Return GET_CUSTOM_CONFIG_XML for some bytes of the first configuration's description."""
    return bytes((Command.GET_CUSTOM_CONFIG_XML, 0)) + length.to_bytes(4) + offset.to_bytes(4)


#: What VESC Tool asks before it polls the battery, as recorded: read commands all.
HANDSHAKE = (request(Command.FW_VERSION), _config_xml(10, 0), _config_xml(400, 10), custom_config())


@check("no-handshake", "Is it answered without a handshake?", Stage.OTHER_WAYS, needs=_may_ask)
async def without_handshake(exam: Examination) -> CheckResult:
    """Ask for the battery as the very first thing on a new connection."""
    told = exam.facts[PackFacts]
    ways = exam.facts[OtherWaysFacts]
    line = await exam.fresh_line()
    probe = await line.ask(_PACK, told.asked, max(exam.patience(told.asked), 1.0))
    if probe.closed and not probe.received:
        line = await exam.line()
        probe = await line.ask(_PACK, told.asked, max(exam.patience(told.asked), 1.0))
    exam.facts[ProbeFacts].note(probe)
    if probe.reply is not None:
        ways.without_handshake = True
        return passed(
            "BMS_GET_VALUES as the very first request on a new connection is answered",
            excludes="a handshake that has to come first",
        )
    if probe.received or probe.closed:
        return odd(f"not answered, for another reason: {instead(probe)}")
    ways.without_handshake = False
    return failed(f"not answered: {instead(probe)}")


@check(
    "handshake",
    "Is it answered after VESC Tool's handshake?",
    Stage.OTHER_WAYS,
    needs=_handshake_failed,
    quiet=True,
)
async def with_handshake(exam: Examination) -> CheckResult:
    """Ask first what VESC Tool asks first, then for the battery. The configuration's bytes are never kept."""
    ways = exam.facts[OtherWaysFacts]
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
    probe = await exam.ask(_PACK, exam.facts[PackFacts].asked)
    ways.with_handshake = probe.reply is not None
    if probe.reply is None:
        return failed(f"not answered with VESC Tool's handshake either: {instead(probe)}", *said)
    if ways.without_handshake is False:
        return odd("answered after VESC Tool's handshake, and not without it", *said)
    return passed("answered after VESC Tool's handshake too", *said)


@check(
    "direct",
    "Does the device itself say the same without the hub?",
    Stage.OTHER_WAYS,
    needs=_has_hub,
    quiet=True,
)
async def without_hub(exam: Examination) -> CheckResult:
    """Ask the device itself, without the hub, for the same value."""
    address = exam.options.direct
    if address is None:
        return skipped("the device's own address is not known (--direct vesc://HOST)")
    return await _direct(exam, address)


async def _direct(exam: Examination, address: Address) -> CheckResult:
    ways = exam.facts[OtherWaysFacts]
    try:
        line = await exam.dial(address)
    except PackwireError as error:
        ways.direct_error = str(error)
        return odd(f"{address} is not reached: {error}")
    try:
        probe = await line.ask(_PACK, None, exam.options.patience)
    finally:
        await line.close()
    ways.direct_pack = probe.reply is not None
    if probe.reply is None:
        ways.direct_error = instead(probe)
        return odd(f"{address} does not answer BMS_GET_VALUES either: {instead(probe)}")
    pack = BMS_GET_VALUES.decode(probe.reply).reply
    said = "no BMS" if pack.absent else pack_words(pack)
    if exam.facts[PackFacts].values is None:
        return odd(f"{address} answers, the hub's way does not: {said}")
    return passed(f"{address} says the same: {said}", excludes="a hub that holds something back")
