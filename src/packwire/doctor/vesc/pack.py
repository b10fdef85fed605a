"""The battery: what its reply says, what wrong framers make of its bytes, how old the firmware is."""

from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.checks.words import hexed, instead
from packwire.doctor.examination import Examination
from packwire.doctor.facts import ReadingFacts, ms
from packwire.doctor.vesc.contact import answered
from packwire.doctor.vesc.facts import BusFacts, PackFacts
from packwire.doctor.vesc.misreadings import Fate, misread
from packwire.doctor.vesc.words import pack_words, who
from packwire.phrases import few
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.replies import BMS_GET_VALUES
from packwire.vesc.requests import forward_can, request
from packwire.vesc.samples import battery_values


def has_pack(exam: Examination) -> str:
    """Need a battery's reply with something in it."""
    pack = exam.facts[PackFacts].values
    return "" if pack is not None and not pack.absent and pack.cell_num is not None else "there are no values"


@check("pack", "Does it tell of the battery?", Stage.VALUES, needs=answered, depth=Depth.QUICK)
async def ask_pack(exam: Examination) -> CheckResult:
    """Ask BMS_GET_VALUES, of the device itself or of the node that the address names."""
    can_id = exam.address.node
    probe = await exam.ask(request(Command.BMS_GET_VALUES), can_id, tries=3)
    exam.facts[BusFacts].node(can_id).tried[Command.BMS_GET_VALUES] = probe
    sent = f"sent     {encode_frame(_payload(can_id)).hex(' ')}"
    if probe.reply is None:
        await exam.check_alive()
        return failed(f"{who(can_id)} did not answer BMS_GET_VALUES: {instead(probe)}", sent)
    take_pack(exam, probe.reply, probe.frame, can_id)
    evidence = (sent, f"received {hexed(probe.frame)}  after {ms(probe.latency)}")
    return _judge_pack(exam, evidence)


def _payload(can_id: int | None) -> bytes:
    question = request(Command.BMS_GET_VALUES)
    return question if can_id is None else forward_can(can_id, question)


def _judge_pack(exam: Examination, evidence: tuple[str, ...]) -> CheckResult:
    pack = exam.facts[PackFacts].values
    assert pack is not None
    if pack.absent:
        return failed(
            "a reply without a battery: no cells, 0 V, can_id 255: no BMS was ever heard", *evidence
        )
    if pack.cell_num is None:
        return failed("the reply is too short to hold one cell", *evidence)
    if pack.scripted:
        return odd(f"{pack_words(pack)}; can_id 255: a script on the device set these values", *evidence)
    said_by = f"; from the BMS with CAN id {pack.can_id}" if pack.can_id is not None else ""
    return passed(pack_words(pack) + said_by, *evidence, excludes="a device that holds no battery's values")


def take_pack(exam: Examination, reply: bytes, frame: bytes, can_id: int | None) -> None:
    """Keep a battery's reply as the one that counts."""
    told = exam.facts[PackFacts]
    decoded = BMS_GET_VALUES.decode(reply)
    told.asked, told.reply, told.values = can_id, reply, decoded.reply
    exam.facts[ReadingFacts].frame = (
        frame if frame.endswith(b"\x03") and reply in frame else encode_frame(reply)
    )
    told.missing, told.left_over = tuple(decoded.missing), decoded.left_over
    pack, reading = decoded.reply, exam.facts[ReadingFacts]
    there = not pack.absent and pack.cell_num is not None
    reading.values = battery_values(pack) if there else {}
    reading.said = pack_words(pack) if there and pack.cell_num else ""


@check("framing", "What would a wrong framer do with these bytes?", Stage.VALUES, needs=has_pack)
async def wrong_framers(exam: Examination) -> CheckResult:
    """Feed the battery's own frame to framers with the commonest wrong rules."""
    told = exam.facts[PackFacts]
    told.misreadings = misread(exam.facts[ReadingFacts].frame)
    failing = [each for each in told.misreadings if each.fate is not Fate.TAKEN]
    lines = tuple(f"if {each.rule}: {each.words}" for each in failing)
    return passed(
        f"read right. Of {len(told.misreadings)} wrong ways to read it, {len(failing)} would show nothing",
        *lines,
    )


@check("firmware", "How old is the firmware?", Stage.VALUES, needs=has_pack, depth=Depth.QUICK)
async def firmware_age(exam: Examination) -> CheckResult:
    """Say how old the firmware is, by the length of its replies."""
    told = exam.facts[PackFacts]
    version = exam.facts[BusFacts].version
    assert version is not None
    length = len(told.reply or b"")
    said = f"FW_VERSION says {version.version}; the battery's reply has {length} bytes"
    if told.missing:
        return odd(
            f"older firmware: the reply ends before {few(told.missing)}",
            said,
            excludes="a reply that is too long for an old client",
        )
    if told.left_over:
        return odd(f"newer firmware: {told.left_over} bytes at the reply's end are not known here", said)
    return passed("every field that is known is there", said, excludes="firmware that is too old or too new")
