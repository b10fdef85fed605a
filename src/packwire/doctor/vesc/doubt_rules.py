"""The verdicts on values that come with a reservation, and on those that come without any."""

from packwire.check import Confidence, Facts, Rank, Rule, when
from packwire.doctor.facts import ConnectionFacts, Latency, PollFacts, ReadingFacts, RunFacts, TargetFacts
from packwire.doctor.rules.advice import CLIENT_TEST
from packwire.doctor.vesc.facts import BusFacts, PackFacts
from packwire.doctor.vesc.words import pack_words, version_words
from packwire.errors import Reason
from packwire.phrases import few
from packwire.vesc.hardware import HardwareType


def _scripted(facts: Facts) -> Confidence | None:
    pack = facts[PackFacts].values
    return when(pack is not None and pack.scripted)


def _old(facts: Facts) -> Confidence | None:
    told = facts[PackFacts]
    return when(told.missing and told.values is not None and told.values.cell_num)


def _old_words(facts: Facts) -> str:
    told = facts[PackFacts]
    assert told.values is not None
    return (
        f"Older firmware: the battery's reply has {len(told.reply or b'')} bytes and ends before "
        f"{few(told.missing)}. Its values are right: {pack_words(told.values)}."
    )


def _missing_nodes(facts: Facts) -> list[int]:
    bus = facts[BusFacts]
    expected = facts[TargetFacts].expected
    wanted = expected if expected is not None else bus.remembered
    return [can_id for can_id in sorted(wanted) if can_id in bus.nodes and bus.nodes[can_id].version is None]


def _dead_node(facts: Facts) -> Confidence | None:
    bus = facts[BusFacts]
    target = facts[TargetFacts]
    if bus.can_ids is None or facts[ConnectionFacts].fell_silent_after is not None:
        return None
    if _missing_nodes(facts):
        return Confidence.CERTAIN if target.expected is not None else Confidence.LIKELY
    version = bus.version
    all_known = all(bus.node(can_id).version is not None for can_id in bus.can_ids)
    express = version is not None and version.hw_type == HardwareType.EXPRESS
    alone = express and all_known and not bus.controllers
    return when(alone and target.expected is None, Confidence.POSSIBLE)


def _dead_node_words(facts: Facts) -> str:
    reading = facts[ReadingFacts]
    gone = _missing_nodes(facts)
    if gone:
        expected = facts[TargetFacts].expected is not None
        why = "expected here" if expected else "there the last time"
        return f"CAN id {few(map(str, gone))} does not answer, though {why}." + reading.all_the_same
    return "No motor controller answers on the CAN bus." + reading.all_the_same


def _well(facts: Facts) -> Confidence | None:
    pack = facts[PackFacts].values
    if pack is None or pack.absent or not pack.v_cell or not facts[PollFacts].poll.replies:
        return None
    return Confidence.LIKELY if facts[RunFacts].interrupted else Confidence.CERTAIN


def _well_words(facts: Facts) -> str:
    told = facts[PackFacts]
    polls = facts[PollFacts]
    bus = facts[BusFacts]
    assert told.values is not None
    replies = [each for each in polls.probes if each.reply is not None]
    latency = Latency.of([each.latency for each in replies])
    name = version_words(bus.version) if bus.version is not None else "the device"
    return (
        f"All is well: {name} gives {pack_words(told.values)}. {len(replies)} of {len(polls.probes)} polls "
        f"answered, {latency}."
    )


def _well_remedy(facts: Facts) -> str:
    length = len(facts[PackFacts].reply or b"")
    above = (
        f": {length} is above 127, and start byte 02 means ONE length byte, 1 to 255" if length > 127 else ""
    )
    return (
        "If your own client shows none of this, the fault is in how it takes replies. Look first at how it "
        f"reads their length{above}. To be sure, let it connect to packwire: {CLIENT_TEST}"
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "scripted-bms",
        Rank.DOUBT,
        _scripted,
        lambda facts: (
            "The values come from a script on the device, not from a BMS on the CAN bus (can_id 255 with "
            "cells)." + facts[ReadingFacts].all_the_same
        ),
        "Usual for a BMS that is no VESC BMS. If values are wrong or stand still, look at that script, not "
        "at the bus.",
        Reason.DISTURBED,
    ),
    Rule(
        "old-firmware",
        Rank.DOUBT,
        _old,
        _old_words,
        "A client must take what is there, and not demand a certain length. An update brings the missing "
        "fields.",
        Reason.DISTURBED,
    ),
    Rule(
        "dead-node",
        Rank.DOUBT,
        _dead_node,
        _dead_node_words,
        "If there should be one: is it on, is it on this bus, has it the same CAN baud rate? If not, say "
        "which ids there are: --expect 10",
        Reason.DISTURBED,
    ),
    Rule("ok", Rank.WELL, _well, _well_words, _well_remedy, None),
)
