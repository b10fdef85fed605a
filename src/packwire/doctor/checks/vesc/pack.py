"""The battery: what its reply says, what wrong framers make of its bytes, how old the firmware is."""

from packwire.doctor.checks.step import Check, Result, failed, odd, passed
from packwire.doctor.checks.vesc.contact import answered
from packwire.doctor.checks.words import few, hexed, instead, pack_words, who
from packwire.doctor.examination import Depth, Examination
from packwire.doctor.facts import ms
from packwire.doctor.misreadings import Fate, misread
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.replies import BMS_GET_VALUES
from packwire.vesc.requests import forward_can, request


async def ask_pack(exam: Examination) -> Result:
    """Ask BMS_GET_VALUES, of the device itself or of the node that the address names."""
    can_id = exam.address.node
    probe = await exam.ask_command(Command.BMS_GET_VALUES, can_id, tries=3)
    exam.facts.node(can_id).tried[Command.BMS_GET_VALUES] = probe
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


def _judge_pack(exam: Examination, evidence: tuple[str, ...]) -> Result:
    pack = exam.facts.pack
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
    decoded = BMS_GET_VALUES.decode(reply)
    facts = exam.facts
    facts.pack_from, facts.pack_reply, facts.pack = can_id, reply, decoded.reply
    facts.pack_frame = frame if frame.endswith(b"\x03") and reply in frame else encode_frame(reply)
    facts.missing, facts.left_over = tuple(decoded.missing), decoded.left_over


async def wrong_framers(exam: Examination) -> Result:
    """Feed the battery's own frame to framers with the commonest wrong rules."""
    facts = exam.facts
    facts.misreadings = misread(facts.pack_frame)
    failing = [each for each in facts.misreadings if each.fate is not Fate.TAKEN]
    lines = tuple(f"if {each.rule}: {each.words}" for each in failing)
    return passed(
        f"read right. Of {len(facts.misreadings)} wrong ways to read it, {len(failing)} would show nothing",
        *lines,
    )


async def firmware_age(exam: Examination) -> Result:
    """Say how old the firmware is, by the length of its replies."""
    facts = exam.facts
    version = facts.version
    assert version is not None
    length = len(facts.pack_reply or b"")
    said = f"FW_VERSION says {version.version}; the battery's reply has {length} bytes"
    if facts.missing:
        return odd(
            f"older firmware: the reply ends before {few(facts.missing)}",
            said,
            excludes="a reply that is too long for an old client",
        )
    if facts.left_over:
        return odd(f"newer firmware: {facts.left_over} bytes at the reply's end are not known here", said)
    return passed("every field that is known is there", said, excludes="firmware that is too old or too new")


def has_pack(exam: Examination) -> str:
    """Need a battery's reply with something in it."""
    pack = exam.facts.pack
    return "" if pack is not None and not pack.absent and pack.cell_num is not None else "there are no values"


CHECKS = (
    Check("pack", "Does it tell of the battery?", ask_pack, answered, Depth.QUICK),
    Check("framing", "What would a wrong framer do with these bytes?", wrong_framers, has_pack),
    Check("firmware", "How old is the firmware?", firmware_age, has_pack, Depth.QUICK),
)
