"""The CAN bus: who is on it, what each node answers and what it should, and where the BMS is."""

from packwire.check import CheckResult, Stage, check, failed, odd, passed
from packwire.doctor.checks.words import instead
from packwire.doctor.examination import LONGEST, Examination
from packwire.doctor.facts import ConnectionFacts, ms
from packwire.doctor.line import Probe
from packwire.doctor.vesc.contact import answered
from packwire.doctor.vesc.facts import BusFacts, PackFacts
from packwire.doctor.vesc.pack import has_pack, take_pack
from packwire.doctor.vesc.poll import PING_PATIENCE
from packwire.doctor.vesc.words import pack_words, version_words, who
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


def _bms_id(exam: Examination) -> int | None:
    """Return the CAN id of the BMS: the battery's reply names it, or a node says that it is one."""
    pack = exam.facts[PackFacts].values
    if pack is not None and pack.cell_num and pack.can_id not in {None, 255}:
        return pack.can_id
    for can_id, node in exam.facts[BusFacts].nodes.items():
        if can_id is not None and node.version is not None and node.version.hw_type == HardwareType.BMS:
            return can_id
    return None


def _bus_there(exam: Examination) -> str:
    return answered(exam) or (
        "the device fell silent" if exam.facts[ConnectionFacts].fell_silent_after is not None else ""
    )


def _knows_bms(exam: Examination) -> str:
    return _bus_there(exam) or ("" if _bms_id(exam) is not None else "no CAN id of a BMS is known")


def _worth_time(exam: Examination) -> str:
    return _bus_there(exam) or exam.hurry()


def _answers_worth_time(exam: Examination) -> str:
    """Where each reply takes its time, ask every node only to find a battery."""
    return _bus_there(exam) or ("" if has_pack(exam) else exam.hurry())


def _own_id_worth_time(exam: Examination) -> str:
    return _bus_there(exam) or (exam.hurry() if exam.address.node is None else "")


@check("bus", "Who is on the CAN bus?", Stage.NODES, needs=_bus_there)
async def search_bus(exam: Examination) -> CheckResult:
    """Ask the CAN bus who is there, and each id who it is."""
    bus = exam.facts[BusFacts]
    if bus.can_ids is None:
        await _ping(exam)
    if bus.can_ids is None:
        return odd("PING_CAN was not answered: the CAN bus was not searched")
    _recall(exam)
    for can_id in _worth_asking(exam):
        await _identify(exam, can_id)
    found = [
        f"CAN id {can_id}: {version_words(version)}"
        for can_id, node in bus.nodes.items()
        if can_id is not None and (version := node.version) is not None
    ]
    silent = [
        f"CAN id {can_id} did not answer FW_VERSION: {instead(node.tried[Command.FW_VERSION])}"
        for can_id, node in bus.nodes.items()
        if can_id is not None and node.version is None and Command.FW_VERSION in node.tried
    ]
    took = f"PING_CAN took {ms(bus.ping_seconds)}" if bus.ping_seconds else ""
    evidence = (*found, *silent, *([took] if took else []))
    if not bus.can_ids:
        return odd("no other node answers on the CAN bus", *evidence)
    ids = ", ".join(map(str, bus.can_ids))
    if silent:
        return odd(f"PING_CAN found {ids}; not all of the ids asked answered", *evidence)
    return passed(f"nodes on the CAN bus: {ids}", *evidence, excludes="a dead CAN bus")


async def _ping(exam: Examination) -> None:
    bus = exam.facts[BusFacts]
    probe = await exam.ask(request(Command.PING_CAN), tries=2, patience=PING_PATIENCE)
    if probe.reply is not None:
        bus.can_ids = PING_CAN.decode(probe.reply).reply.ids or ()
        bus.ping_seconds = probe.latency


def _recall(exam: Examination) -> None:
    bus = exam.facts[BusFacts]
    memory, version = exam.options.memory, bus.version
    if memory is not None and version is not None:
        bus.remembered = tuple(memory.recall(identity(version)) or ())


def _worth_asking(exam: Examination) -> list[int]:
    """Return the ids that answered, and those that should: expected, remembered, named by the battery."""
    bus, options = exam.facts[BusFacts], exam.options
    wanted = [*(bus.can_ids or ()), *sorted(options.expected or ()), *bus.remembered]
    if exam.address.node is not None:
        wanted.append(exam.address.node)
    pack = exam.facts[PackFacts].values
    if pack is not None and pack.can_id not in {None, 255} and pack.cell_num:
        wanted.append(pack.can_id or 0)
    return [can_id for can_id in dict.fromkeys(wanted) if 0 <= can_id < 255][:_MOST_NODES]


async def _identify(exam: Examination, can_id: int) -> None:
    bus = exam.facts[BusFacts]
    node = bus.node(can_id)
    there = can_id in (bus.can_ids or ())
    # A late reply could be taken for the next node's: over CAN no reply says who sent it.
    patience = max(LONGEST, exam.patience(can_id)) if there else None
    version = request(Command.FW_VERSION)
    probe = await exam.ask(version, can_id, tries=2 if there else 1, patience=patience)
    node.tried[Command.FW_VERSION] = probe
    if probe.reply is not None:
        node.version = FW_VERSION.decode(probe.reply).reply


@check("answers", "Does each node answer what it should?", Stage.NODES, needs=_answers_worth_time)
async def what_each_answers(exam: Examination) -> CheckResult:
    """Ask every node what it should answer by its type, and what it should not; see what it does."""
    evidence = []
    unexpected = 0
    for can_id, node in list(exam.facts[BusFacts].nodes.items())[: _MOST_NODES + 1]:
        if node.version is None:
            continue
        for command in _ASKED:
            expected = answers(node.version.hw_type, command)
            probe = node.tried.get(command)
            if probe is None:
                probe = await _ask(exam, command, can_id, expected=expected)
                node.tried[command] = probe
            line, as_expected = _compare(can_id, command, probe, node.version.hw_type)
            evidence.append(line)
            unexpected += not as_expected
    _find_pack(exam)
    if unexpected:
        what = "one question" if unexpected == 1 else f"{unexpected} questions"
        return odd(f"{what} that a node of its type answers got no reply", *evidence)
    return passed(
        "each node answers what its type answers", *evidence, excludes="a node that answers selectively"
    )


async def _ask(exam: Examination, command: Command, can_id: int | None, *, expected: bool) -> Probe:
    if expected:
        return await exam.ask(request(command), can_id)
    probe = await exam.ask(request(command), can_id, tries=1, patience=exam.brief_patience(can_id))
    if probe.reply is None:
        await exam.settle()
    return probe


def _compare(can_id: int | None, command: Command, probe: Probe, hardware: int | None) -> tuple[str, bool]:
    expected = hardware is not None and answers(hardware, command)
    name = f"{who(can_id)} {command.name}"
    if probe.reply is not None:
        surprising = hardware is not None and not expected
        note = f", though a {hardware_label(hardware)} is not known to" if surprising else ""
        return f"{name}: {len(probe.reply)} bytes after {ms(probe.latency)}{note}", True
    if expected:
        return f"{name}: no reply, though a {hardware_label(hardware)} answers it: {instead(probe)}", False
    if hardware is None:
        return f"{name}: no reply; its old firmware does not say what it is", True
    return f"{name}: no reply, as always: a {hardware_label(hardware)} never answers it", True


def _find_pack(exam: Examination) -> None:
    """Where the device that was asked holds no battery, see whether another node does."""
    told = exam.facts[PackFacts]
    if told.values is not None and not told.values.absent:
        return
    for can_id, node in exam.facts[BusFacts].nodes.items():
        probe = node.tried.get(Command.BMS_GET_VALUES)
        if probe is None or probe.reply is None or (can_id == told.asked and told.values is not None):
            continue
        reply = BMS_GET_VALUES.decode(probe.reply).reply
        if not reply.absent and reply.cell_num:
            told.elsewhere_id = can_id
            told.elsewhere = reply
            return


@check("bms", "Does the BMS itself answer, over CAN?", Stage.NODES, needs=_knows_bms)
async def pack_over_can(exam: Examination) -> CheckResult:
    """Ask the BMS itself, over CAN, and compare it with what the device tells of it."""
    told = exam.facts[PackFacts]
    can_id = _bms_id(exam)
    assert can_id is not None
    latencies, last = [], None
    times = _BMS_SLOW if exam.hurry() else _BMS_TIMES
    for _ in range(times):
        probe = await exam.ask(request(Command.BMS_GET_VALUES), can_id, tries=1)
        if probe.reply is not None:
            latencies.append(probe.latency)
            last = probe
    if last is None or last.reply is None:
        told.bms_answers = False
        return failed(f"the BMS with CAN id {can_id} does not answer: {instead(probe)}")
    told.bms_answers = True
    if told.reply is None:
        take_pack(exam, last.reply, last.frame, can_id)
    own = BMS_GET_VALUES.decode(last.reply).reply
    said = f"{len(latencies)} of {times} answered, after {ms(min(latencies))} to {ms(max(latencies))}"
    return passed(
        f"the BMS with CAN id {can_id} says {pack_words(own)}", said, excludes="a BMS that has left the bus"
    )


@check("own-id", "Does the device answer to its own CAN id?", Stage.NODES, needs=_own_id_worth_time)
async def own_id(exam: Examination) -> CheckResult:
    """Ask the device by its own id over CAN: a node never answers its own id."""
    bus = exam.facts[BusFacts]
    await _learn_own_id(exam)
    if bus.own_id is None:
        return passed("its own CAN id is not known: its configuration has a layout that is not known here")
    patience = exam.brief_patience(bus.own_id)
    probe = await exam.ask(request(Command.FW_VERSION), bus.own_id, tries=1, patience=patience)
    bus.own_id_answers = probe.reply is not None
    await exam.settle()
    if bus.own_id_answers:
        return odd(f"it answers to its own id {bus.own_id} over CAN: another node has the same id")
    return passed(
        f"asked over CAN by its own id {bus.own_id} it is silent, as every VESC is: ask it without a CAN id",
        excludes="another node with the same id",
    )


async def _learn_own_id(exam: Examination) -> None:
    """Take the controller id, and nothing else, from the configuration; its bytes are never kept."""
    bus = exam.facts[BusFacts]
    version = bus.version
    if version is None or version.hw_type != HardwareType.EXPRESS:
        return
    line = await exam.line()
    line.secret = True
    try:
        probe = await line.ask(custom_config(), None, exam.brief_patience())
        await line.wait_closed(0.02)
    finally:
        line.secret = False
    if probe.reply is None:
        return
    decoded = decode_config(probe.reply)
    bus.own_id = decoded.reply.controller_id if decoded is not None else None


@check("config", "Does a controller give its configuration?", Stage.LAST, needs=_worth_time)
async def configurations(exam: Examination) -> CheckResult:
    """Ask GET_APPCONF and GET_MCCONF: only a controller answers them. Their bytes are never kept."""
    evidence = []
    for can_id, node in list(exam.facts[BusFacts].nodes.items()):
        if node.version is None:
            continue
        for command in (Command.GET_APPCONF, Command.GET_MCCONF):
            if not answers(node.version.hw_type, command):
                evidence.append(
                    f"{who(can_id)} {command.name}: not asked, a {hardware_label(node.version.hw_type)} "
                    "never answers it"
                )
                continue
            line = await exam.line()
            line.secret = True
            try:
                probe = await line.ask(request(command), can_id, exam.brief_patience(can_id))
            finally:
                line.secret = False
            size = f"{len(probe.reply)} bytes (not shown)" if probe.reply else instead(probe)
            evidence.append(f"{who(can_id)} {command.name}: {size}")
    return passed("the configuration is not needed for the battery's values", *evidence)
