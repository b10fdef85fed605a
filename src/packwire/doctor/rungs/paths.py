"""Other ways to the same value: without the reference client's handshake, with it, and without the hub."""

from packwire.address import Address
from packwire.doctor.case import Case, Depth
from packwire.doctor.rungs.contact import answered
from packwire.doctor.rungs.poll import may_go_on
from packwire.doctor.rungs.step import Result, Step, failed, odd, passed, skipped
from packwire.doctor.rungs.words import instead, pack_words
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


async def without_handshake(case: Case) -> Result:
    """Ask for the battery as the very first thing on a new connection."""
    facts = case.facts
    line = await case.fresh_line()
    exchange = await line.ask(_PACK, facts.pack_from, max(case.patience(facts.pack_from), 1.0))
    if exchange.closed and not exchange.received:
        line = await case.line()
        exchange = await line.ask(_PACK, facts.pack_from, max(case.patience(facts.pack_from), 1.0))
    facts.note(exchange)
    if exchange.reply is not None:
        facts.without_handshake = True
        return passed(
            "BMS_GET_VALUES as the very first request on a new connection is answered",
            rules_out="a handshake that has to come first",
        )
    if exchange.received or exchange.closed:
        return odd(f"not answered, for another reason: {instead(exchange)}")
    facts.without_handshake = False
    return failed(f"not answered: {instead(exchange)}")


async def with_handshake(case: Case) -> Result:
    """Ask first what VESC Tool asks first, then for the battery. The configuration's bytes are never kept."""
    line = await case.fresh_line()
    said = []
    for question in HANDSHAKE:
        line.secret = question[0] in {Command.GET_CUSTOM_CONFIG, Command.GET_CUSTOM_CONFIG_XML}
        exchange = await line.ask(question, None, case.patience())
        size = f"{len(exchange.reply)} bytes" if exchange.reply is not None else instead(exchange)
        said.append(f"{Command(question[0]).name}: {size}")
        if line.closed:
            break
    await line.wait_closed(0.02)
    line.secret = False
    exchange = await case.ask(_PACK, case.facts.pack_from)
    case.facts.with_handshake = exchange.reply is not None
    if exchange.reply is None:
        return failed(f"not answered with VESC Tool's handshake either: {instead(exchange)}", *said)
    if case.facts.without_handshake is False:
        return odd("answered after VESC Tool's handshake, and not without it", *said)
    return passed("answered after VESC Tool's handshake too", *said)


async def without_hub(case: Case) -> Result:
    """Ask the device itself, without the hub, for the same value."""
    address = case.options.direct
    if address is None:
        return skipped("the device's own address is not known (--direct vesc://HOST)")
    return await _direct(case, address)


async def _direct(case: Case, address: Address) -> Result:
    facts = case.facts
    try:
        line = await case.dial(address)
    except PackwireError as error:
        facts.direct_error = str(error)
        return odd(f"{address} is not reached: {error}")
    try:
        exchange = await line.ask(_PACK, None, case.options.patience)
    finally:
        await line.close()
    facts.direct_pack = exchange.reply is not None
    if exchange.reply is None:
        facts.direct_error = instead(exchange)
        return odd(f"{address} does not answer BMS_GET_VALUES either: {instead(exchange)}")
    pack = BMS_GET_VALUES.decode(exchange.reply).reply
    said = "no BMS" if pack.absent else pack_words(pack)
    if facts.pack is None:
        return odd(f"{address} answers, the hub's way does not: {said}")
    return passed(f"{address} says the same: {said}", rules_out="a hub that holds something back")


def _may_ask(case: Case) -> str:
    return answered(case) or may_go_on(case)


def _handshake_failed(case: Case) -> str:
    thorough = case.options.depth is Depth.THOROUGH
    if case.facts.version is None or case.facts.fell_silent_after is not None:
        return "nothing answers"
    failed_without = case.facts.without_handshake is False or case.facts.pack_reply is None
    return (
        "" if thorough or failed_without else "it is answered without one (--thorough asks it all the same)"
    )


def _has_hub(case: Case) -> str:
    return "" if case.is_hub else "no hub is in the way"


WITHOUT_STEP = Step("no-handshake", "Is it answered without a handshake?", without_handshake, _may_ask)
WITH_STEP = Step(
    "handshake", "Is it answered after VESC Tool's handshake?", with_handshake, _handshake_failed, quiet=True
)
DIRECT_STEP = Step(
    "direct", "Does the device itself say the same without the hub?", without_hub, _has_hub, quiet=True
)
