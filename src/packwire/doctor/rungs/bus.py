"""The CAN bus: who is on it, what each node answers and what it should, and where the BMS is."""

from packwire.doctor.case import LONGEST, Case
from packwire.doctor.facts import ms
from packwire.doctor.line import Exchange
from packwire.doctor.rungs.contact import answered
from packwire.doctor.rungs.pack import has_pack, take_pack
from packwire.doctor.rungs.poll import PING_PATIENCE
from packwire.doctor.rungs.step import Result, Step, failed, odd, passed
from packwire.doctor.rungs.words import instead, pack_words, version_words, who
from packwire.vesc.commands import Command
from packwire.vesc.hardware import HardwareType, hardware_label
from packwire.vesc.replies import BMS_GET_VALUES, FW_VERSION, PING_CAN
from packwire.vesc.requests import custom_config, request
from packwire.vesc.secrets import decode_config
from packwire.vesc.session import identity
from packwire.vesc.traits import answers

#: What every node is asked: small read commands, one each.
_ASKED = (Command.GET_VALUES, Command.BMS_GET_VALUES)
#: Nodes that are looked at; a bus of more is described in part.
_MOST_NODES = 16
#: How often the BMS itself is asked; so often where each reply takes its time.
_BMS_TIMES, _BMS_SLOW = 5, 2


async def search_bus(case: Case) -> Result:
    """Ask the CAN bus who is there, and each id who it is."""
    facts = case.facts
    if facts.can_ids is None:
        await _ping(case)
    if facts.can_ids is None:
        return odd("PING_CAN was not answered: the CAN bus was not searched")
    _recall(case)
    for can_id in _worth_asking(case):
        await _identify(case, can_id)
    found = [
        f"CAN id {can_id}: {version_words(version)}"
        for can_id, node in facts.nodes.items()
        if can_id is not None and (version := node.version) is not None
    ]
    silent = [
        f"CAN id {can_id} did not answer FW_VERSION: {instead(node.tried[Command.FW_VERSION])}"
        for can_id, node in facts.nodes.items()
        if can_id is not None and node.version is None and Command.FW_VERSION in node.tried
    ]
    took = f"PING_CAN took {ms(facts.ping_seconds)}" if facts.ping_seconds else ""
    evidence = (*found, *silent, *([took] if took else []))
    if not facts.can_ids:
        return odd("no other node answers on the CAN bus", *evidence)
    ids = ", ".join(map(str, facts.can_ids))
    if silent:
        return odd(f"PING_CAN found {ids}; not all of the ids asked answered", *evidence)
    return passed(f"nodes on the CAN bus: {ids}", *evidence, rules_out="a dead CAN bus")


async def _ping(case: Case) -> None:
    exchange = await case.ask(request(Command.PING_CAN), tries=2, patience=PING_PATIENCE)
    if exchange.reply is not None:
        case.facts.can_ids = PING_CAN.decode(exchange.reply).reply.ids or ()
        case.facts.ping_seconds = exchange.latency


def _recall(case: Case) -> None:
    memory, version = case.options.memory, case.facts.version
    if memory is not None and version is not None:
        case.facts.remembered = tuple(memory.recall(identity(version)) or ())


def _worth_asking(case: Case) -> list[int]:
    """Return the ids that answered, and those that should: expected, remembered, named by the battery."""
    facts, options = case.facts, case.options
    wanted = [*(facts.can_ids or ()), *sorted(options.expected or ()), *facts.remembered]
    if case.address.can_id is not None:
        wanted.append(case.address.can_id)
    pack = facts.pack
    if pack is not None and pack.can_id not in {None, 255} and pack.cell_num:
        wanted.append(pack.can_id or 0)
    return [can_id for can_id in dict.fromkeys(wanted) if 0 <= can_id < 255][:_MOST_NODES]


async def _identify(case: Case, can_id: int) -> None:
    node = case.facts.node(can_id)
    there = can_id in (case.facts.can_ids or ())
    # A late reply could be taken for the next node's: over CAN no reply says who sent it.
    patience = max(LONGEST, case.patience(can_id)) if there else None
    version = request(Command.FW_VERSION)
    exchange = await case.ask(version, can_id, tries=2 if there else 1, patience=patience)
    node.tried[Command.FW_VERSION] = exchange
    if exchange.reply is not None:
        node.version = FW_VERSION.decode(exchange.reply).reply


async def what_each_answers(case: Case) -> Result:
    """Ask every node what it should answer by its type, and what it should not; see what it does."""
    evidence = []
    unexpected = 0
    for can_id, node in list(case.facts.nodes.items())[: _MOST_NODES + 1]:
        if node.version is None:
            continue
        for command in _ASKED:
            expected = answers(node.version.hw_type, command)
            exchange = node.tried.get(command)
            if exchange is None:
                exchange = await _ask(case, command, can_id, expected=expected)
                node.tried[command] = exchange
            line, as_expected = _compare(can_id, command, exchange, node.version.hw_type)
            evidence.append(line)
            unexpected += not as_expected
    _find_pack(case)
    if unexpected:
        what = "one question" if unexpected == 1 else f"{unexpected} questions"
        return odd(f"{what} that a node of its type answers got no reply", *evidence)
    return passed(
        "each node answers what its type answers", *evidence, rules_out="a node that answers selectively"
    )


async def _ask(case: Case, command: Command, can_id: int | None, *, expected: bool) -> Exchange:
    if expected:
        return await case.ask_command(command, can_id)
    exchange = await case.ask(request(command), can_id, tries=1, patience=case.brief_patience(can_id))
    if exchange.reply is None:
        await case.settle()
    return exchange


def _compare(
    can_id: int | None, command: Command, exchange: Exchange, hardware: int | None
) -> tuple[str, bool]:
    expected = hardware is not None and answers(hardware, command)
    name = f"{who(can_id)} {command.name}"
    if exchange.reply is not None:
        surprising = hardware is not None and not expected
        note = f", though a {hardware_label(hardware)} is not known to" if surprising else ""
        return f"{name}: {len(exchange.reply)} bytes after {ms(exchange.latency)}{note}", True
    if expected:
        return f"{name}: no reply, though a {hardware_label(hardware)} answers it: {instead(exchange)}", False
    if hardware is None:
        return f"{name}: no reply; its old firmware does not say what it is", True
    return f"{name}: no reply, as always: a {hardware_label(hardware)} never answers it", True


def _find_pack(case: Case) -> None:
    """Where the device that was asked holds no battery, see whether another node does."""
    facts = case.facts
    if facts.pack is not None and not facts.pack.absent:
        return
    for can_id, node in facts.nodes.items():
        exchange = node.tried.get(Command.BMS_GET_VALUES)
        if (
            exchange is None
            or exchange.reply is None
            or (can_id == facts.pack_from and facts.pack is not None)
        ):
            continue
        reply = BMS_GET_VALUES.decode(exchange.reply).reply
        if not reply.absent and reply.cell_num:
            facts.pack_elsewhere = can_id
            facts.elsewhere = reply
            return


async def pack_over_can(case: Case) -> Result:
    """Ask the BMS itself, over CAN, and compare it with what the device tells of it."""
    facts = case.facts
    can_id = _bms_id(case)
    assert can_id is not None
    latencies, last = [], None
    times = _BMS_SLOW if case.hurry() else _BMS_TIMES
    for _ in range(times):
        exchange = await case.ask_command(Command.BMS_GET_VALUES, can_id, tries=1)
        if exchange.reply is not None:
            latencies.append(exchange.latency)
            last = exchange
    if last is None or last.reply is None:
        facts.bms_answers = False
        return failed(f"the BMS with CAN id {can_id} does not answer: {instead(exchange)}")
    facts.bms_answers = True
    if facts.pack_reply is None:
        take_pack(case, last.reply, last.frame, can_id)
    own = BMS_GET_VALUES.decode(last.reply).reply
    said = f"{len(latencies)} of {times} answered, after {ms(min(latencies))} to {ms(max(latencies))}"
    return passed(
        f"the BMS with CAN id {can_id} says {pack_words(own)}", said, rules_out="a BMS that has left the bus"
    )


def _bms_id(case: Case) -> int | None:
    """Return the CAN id of the BMS: the battery's reply names it, or a node says that it is one."""
    pack = case.facts.pack
    if pack is not None and pack.cell_num and pack.can_id not in {None, 255}:
        return pack.can_id
    for can_id, node in case.facts.nodes.items():
        if can_id is not None and node.version is not None and node.version.hw_type == HardwareType.BMS:
            return can_id
    return None


async def own_id(case: Case) -> Result:
    """Ask the device by its own id over CAN: a node never answers its own id."""
    facts = case.facts
    await _learn_own_id(case)
    if facts.own_id is None:
        return passed("its own CAN id is not known: its configuration has a layout that is not known here")
    patience = case.brief_patience(facts.own_id)
    exchange = await case.ask(request(Command.FW_VERSION), facts.own_id, tries=1, patience=patience)
    facts.own_id_answers = exchange.reply is not None
    await case.settle()
    if facts.own_id_answers:
        return odd(f"it answers to its own id {facts.own_id} over CAN: another node has the same id")
    return passed(
        f"asked over CAN by its own id {facts.own_id} it is silent, as every VESC is: ask it without a CAN "
        "id",
        rules_out="another node with the same id",
    )


async def _learn_own_id(case: Case) -> None:
    """Take the controller id, and nothing else, from the configuration; its bytes are never kept."""
    version = case.facts.version
    if version is None or version.hw_type != HardwareType.EXPRESS:
        return
    line = await case.line()
    line.secret = True
    try:
        exchange = await line.ask(custom_config(), None, case.brief_patience())
        await line.wait_closed(0.02)
    finally:
        line.secret = False
    if exchange.reply is None:
        return
    decoded = decode_config(exchange.reply)
    case.facts.own_id = decoded.reply.controller_id if decoded is not None else None


async def configurations(case: Case) -> Result:
    """Ask GET_APPCONF and GET_MCCONF: only a controller answers them. Their bytes are never kept."""
    evidence = []
    for can_id, node in list(case.facts.nodes.items()):
        if node.version is None:
            continue
        for command in (Command.GET_APPCONF, Command.GET_MCCONF):
            if not answers(node.version.hw_type, command):
                evidence.append(
                    f"{who(can_id)} {command.name}: not asked, a {hardware_label(node.version.hw_type)} "
                    "never answers it"
                )
                continue
            line = await case.line()
            line.secret = True
            try:
                exchange = await line.ask(request(command), can_id, case.brief_patience(can_id))
            finally:
                line.secret = False
            size = f"{len(exchange.reply)} bytes (not shown)" if exchange.reply else instead(exchange)
            evidence.append(f"{who(can_id)} {command.name}: {size}")
    return passed("the configuration is not needed for the battery's values", *evidence)


def _bus_there(case: Case) -> str:
    return answered(case) or ("the device fell silent" if case.facts.fell_silent_after is not None else "")


def _knows_bms(case: Case) -> str:
    return _bus_there(case) or ("" if _bms_id(case) is not None else "no CAN id of a BMS is known")


def _worth_time(case: Case) -> str:
    return _bus_there(case) or case.hurry()


def _answers_worth_time(case: Case) -> str:
    """Where each reply takes its time, ask every node only to find a battery."""
    return _bus_there(case) or ("" if has_pack(case) else case.hurry())


def _own_id_worth_time(case: Case) -> str:
    return _bus_there(case) or (case.hurry() if case.address.can_id is None else "")


BUS_STEP = Step("bus", "Who is on the CAN bus?", search_bus, _bus_there)
ANSWERS_STEP = Step(
    "answers", "Does each node answer what it should?", what_each_answers, _answers_worth_time
)
PACK_STEP = Step("bms", "Does the BMS itself answer, over CAN?", pack_over_can, _knows_bms)
OWN_ID_STEP = Step("own-id", "Does the device answer to its own CAN id?", own_id, _own_id_worth_time)
CONFIG_STEP = Step("config", "Does a controller give its configuration?", configurations, _worth_time)
