"""The verdicts on values that come with a reservation, and on those that come without any."""

from packwire.doctor.checks.words import few, pack_words, version_words
from packwire.doctor.diagnosis import Confidence
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Latency
from packwire.doctor.rules.rule import CLIENT_TEST, Rule, certain, values
from packwire.errors import Reason
from packwire.vesc.hardware import HardwareType


def _scripted(exam: Examination) -> Confidence | None:
    pack = exam.facts.pack
    return certain(pack is not None and pack.scripted)


def _old(exam: Examination) -> Confidence | None:
    facts = exam.facts
    return certain(facts.missing and facts.pack is not None and facts.pack.cell_num)


def _old_words(exam: Examination) -> str:
    facts = exam.facts
    assert facts.pack is not None
    return (
        f"Older firmware: the battery's reply has {len(facts.pack_reply or b'')} bytes and ends before "
        f"{few(facts.missing)}. Its values are right: {pack_words(facts.pack)}."
    )


def _missing_nodes(exam: Examination) -> list[int]:
    facts, options = exam.facts, exam.options
    wanted = options.expected if options.expected is not None else facts.remembered
    return [
        can_id for can_id in sorted(wanted) if can_id in facts.nodes and facts.nodes[can_id].version is None
    ]


def _dead_node(exam: Examination) -> Confidence | None:
    facts = exam.facts
    if facts.can_ids is None or facts.fell_silent_after is not None:
        return None
    if _missing_nodes(exam):
        return Confidence.CERTAIN if exam.options.expected is not None else Confidence.LIKELY
    version = facts.version
    all_known = all(facts.node(can_id).version is not None for can_id in facts.can_ids)
    express = version is not None and version.hw_type == HardwareType.EXPRESS
    alone = express and all_known and not facts.controllers
    return Confidence.POSSIBLE if alone and exam.options.expected is None else None


def _dead_node_words(exam: Examination) -> str:
    gone = _missing_nodes(exam)
    if gone:
        expected = exam.options.expected is not None
        why = "expected here" if expected else "there the last time"
        return f"CAN id {few(map(str, gone))} does not answer, though {why}." + values(exam)
    return "No motor controller answers on the CAN bus." + values(exam)


def _well(exam: Examination) -> Confidence | None:
    facts = exam.facts
    pack = facts.pack
    if pack is None or pack.absent or not pack.v_cell or not facts.poll.replies:
        return None
    return Confidence.LIKELY if facts.interrupted else Confidence.CERTAIN


def _well_words(exam: Examination) -> str:
    facts = exam.facts
    assert facts.pack is not None
    polled = [*facts.poll.probes, *facts.movement.probes]
    replies = [each for each in polled if each.reply is not None]
    latency = Latency.of([each.latency for each in replies])
    name = version_words(facts.version) if facts.version is not None else "the device"
    return (
        f"All is well: {name} gives {pack_words(facts.pack)}. {len(replies)} of {len(polled)} polls "
        "answered, "
        f"{latency}."
    )


def _well_remedy(exam: Examination) -> str:
    length = len(exam.facts.pack_reply or b"")
    above = (
        f": {length} is above 127, and start byte 02 means ONE length byte, 1 to 255" if length > 127 else ""
    )
    return (
        "If your own client shows none of this, the fault is in how it takes replies. Look first at how it "
        "reads "
        f"their length{above}. To be sure, let it connect to packwire: {CLIENT_TEST}"
    )


def _last_words(exam: Examination) -> str:
    if exam.facts.interrupted:
        return "Not decided: the examination was ended early; the checks above say how far it went." + values(
            exam
        )
    lost = f" ({exam.facts.lost_by})" if exam.facts.lost_by else ""
    return f"What was found fits no known fault{lost}; the checks above say how far it went."


LAST_RULES: tuple[Rule, ...] = (
    Rule(
        "scripted-bms",
        _scripted,
        lambda exam: (
            "The values come from a script on the device, not from a BMS on the CAN bus (can_id 255 with "
            "cells)." + values(exam)
        ),
        "Usual for a BMS that is no VESC BMS. If values are wrong or stand still, look at that script, not "
        "at the bus.",
        Reason.DISTURBED,
    ),
    Rule(
        "old-firmware",
        _old,
        _old_words,
        "A client must take what is there, and not demand a certain length. An update brings the missing "
        "fields.",
        Reason.DISTURBED,
    ),
    Rule(
        "dead-node",
        _dead_node,
        _dead_node_words,
        "If there should be one: is it on, is it on this bus, has it the same CAN baud rate? If not, say "
        "which ids "
        "there are: --expect 10",
        Reason.DISTURBED,
    ),
    Rule("ok", _well, _well_words, _well_remedy, None),
    Rule(
        "inconclusive",
        lambda _: Confidence.POSSIBLE,
        _last_words,
        lambda exam: (
            "Let it run to its end, with a longer --limit or none."
            if exam.facts.interrupted
            else "Ask again with --thorough, and attach a report to a question in a forum: --report doctor.md"
        ),
        Reason.SILENT,
    ),
)
