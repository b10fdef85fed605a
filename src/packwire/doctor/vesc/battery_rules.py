"""The verdicts on a device that answers, and gives no battery's values or old ones."""

from packwire.check import Confidence, Facts, Rank, Rule, when
from packwire.doctor.facts import (
    ConnectionFacts,
    Contact,
    ContactFacts,
    PollFacts,
    ProbeFacts,
    ReadingFacts,
    TargetFacts,
)
from packwire.doctor.vesc.facts import BusFacts, OtherWaysFacts, PackFacts
from packwire.doctor.vesc.poll import motor_swing
from packwire.doctor.vesc.words import pack_words, who
from packwire.errors import Reason
from packwire.phrases import few
from packwire.vesc.commands import Command

#: A BMS that did not move for so long (s), in so many replies, while the controller's values did so often.
FROZEN_SECONDS, FROZEN_REPLIES, FROZEN_MOVES = 2.5, 5, 3
#: The motor's input current has moved when it differs by this much, in A.
MOTOR_STEP = 1.0
#: Longer than a BMS takes to renew its values, in s.
SURE_SECONDS = 15.0
#: Asked so often without a reply, no loss explains it.
_TRIES = 3


def _asked_own_id(facts: Facts) -> Confidence | None:
    bus = facts[BusFacts]
    can_id = _asked_id(facts)
    asked = can_id is not None and can_id == bus.own_id
    return when(asked and bus.node(can_id).version is None)


def _asked_id(facts: Facts) -> int | None:
    return facts[TargetFacts].address.node


def _no_such_id(facts: Facts) -> Confidence | None:
    bus = facts[BusFacts]
    can_id = _asked_id(facts)
    if can_id is None or bus.version is None or bus.can_ids is None:
        return None
    return when(can_id not in bus.can_ids and bus.node(can_id).version is None)


def _elsewhere(facts: Facts) -> Confidence | None:
    return when(facts[PackFacts].elsewhere is not None)


def _elsewhere_words(facts: Facts) -> str:
    told = facts[PackFacts]
    assert told.elsewhere is not None
    return (
        f"{who(_asked_id(facts)).capitalize()} knows of no battery, but {who(told.elsewhere_id)} does: "
        f"{pack_words(told.elsewhere)}."
    )


def _no_bms(facts: Facts) -> Confidence | None:
    pack = facts[PackFacts].values
    return when(pack is not None and pack.absent)


def _hub_blocks(facts: Facts) -> Confidence | None:
    held = (
        facts[OtherWaysFacts].direct_pack
        and facts[BusFacts].version is not None
        and facts[PackFacts].reply is None
    )
    return when(held, Confidence.LIKELY)  # the two addresses may be two devices


def _needs_handshake(facts: Facts) -> Confidence | None:
    ways = facts[OtherWaysFacts]
    only_with = ways.with_handshake and ways.without_handshake is False
    if not only_with or facts[ContactFacts].contact is Contact.AFTER_FILLER:
        return None
    return Confidence.LIKELY  # tried once each: one lost reply looks the same


def _unanswered(facts: Facts) -> Confidence | None:
    bus = facts[BusFacts]
    if (
        bus.version is None
        or facts[PackFacts].reply is not None
        or facts[ConnectionFacts].fell_silent_after is not None
    ):
        return None
    can_id = _asked_id(facts)
    asked = bus.node(can_id).tried.get(Command.BMS_GET_VALUES)
    if asked is None or asked.closed:
        return None
    tries = sum(
        each.request[0] == Command.BMS_GET_VALUES and each.can_id == can_id
        for each in facts[ProbeFacts].probes
    )
    return Confidence.CERTAIN if tries >= _TRIES else Confidence.LIKELY


def _bms_gone(facts: Facts) -> Confidence | None:
    told = facts[PackFacts]
    polls = facts[PollFacts]
    if told.bms_answers is not False or told.values is None or not told.values.cell_num:
        return None
    if len({*polls.poll.replies, *polls.movement.replies}) > 1:
        return None  # its values move: one that only sends, and answers nothing
    return Confidence.LIKELY


def _bms_gone_words(facts: Facts) -> str:
    pack = facts[PackFacts].values
    assert pack is not None
    return (
        f"The BMS with CAN id {pack.can_id} does not answer any more: the VESC repeats its last values, and "
        "does so for ever." + facts[ReadingFacts].all_the_same
    )


def _frozen(facts: Facts) -> Confidence | None:
    movement = facts[PollFacts].movement
    replies = movement.replies
    moved = len({each.reply for each in movement.controller})
    if len(replies) < FROZEN_REPLIES or len(set(replies)) > 1 or moved < FROZEN_MOVES:
        return None
    if motor_swing(movement) >= MOTOR_STEP and movement.seconds >= SURE_SECONDS:
        return Confidence.CERTAIN
    if motor_swing(movement) >= MOTOR_STEP:
        return Confidence.LIKELY  # a BMS may renew its values every few seconds
    return Confidence.LIKELY if movement.seconds >= FROZEN_SECONDS else Confidence.POSSIBLE


def _frozen_words(facts: Facts) -> str:
    movement = facts[PollFacts].movement
    swing = motor_swing(movement)
    motor = (
        f"the motor's input current moved by {swing:.1f} A" if swing >= MOTOR_STEP else "the controller's did"
    )
    return (
        f"The battery's values are frozen: not one bit of {len(movement.replies)} replies moved in "
        f"{movement.seconds:.1f} s, while {motor}. A VESC repeats a BMS's last values for ever."
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "own-id",
        Rank.VALUES,
        _asked_own_id,
        lambda facts: (
            f"CAN id {_asked_id(facts)} is the very device that you are connected to, and a VESC never "
            "answers its own id over CAN."
        ),
        lambda facts: f"Leave the id out: packwire read {facts[TargetFacts].base}",
        Reason.SILENT,
        frozenset({"no-such-id", "pack-unanswered", "needs-handshake", "other-node", "dead-node"}),
    ),
    Rule(
        "no-such-id",
        Rank.VALUES,
        _no_such_id,
        lambda facts: (
            f"Nobody answers to CAN id {_asked_id(facts)} on this bus; these do: "
            f"{few(map(str, facts[BusFacts].can_ids or ())) or 'none'}." + facts[ReadingFacts].all_the_same
        ),
        "Use one of these ids, or leave the id out. A node that is off, or set to another baud rate, does "
        "not answer.",
        Reason.NO_NODE,
        frozenset({"pack-unanswered", "needs-handshake", "other-node", "dead-node"}),
    ),
    Rule(
        "hub-blocks",
        Rank.VALUES,
        _hub_blocks,
        "The device itself answers BMS_GET_VALUES; through the hub it is not answered, though other "
        "commands are.",
        "The hub holds it back: ask whoever runs it, or read the device directly.",
        Reason.SILENT,
        frozenset({"pack-unanswered", "needs-handshake"}),
    ),
    Rule(
        "other-node",
        Rank.VALUES,
        _elsewhere,
        _elsewhere_words,
        lambda facts: (
            f"Ask that node: packwire read {facts[TargetFacts].base}/can/{facts[PackFacts].elsewhere_id}"
        ),
        Reason.NO_DATA,
        frozenset({"no-bms", "pack-unanswered"}),
    ),
    Rule(
        "no-bms",
        Rank.VALUES,
        _no_bms,
        "The VESC answers, but there is no BMS: it hears none on its CAN bus.",
        "Check that the BMS is awake, its CAN wires (H to H, L to L, 120 ohm at both ends), its baud rate, "
        "and that its CAN status messages are switched on.",
        Reason.NO_DATA,
    ),
    Rule(
        "needs-handshake",
        Rank.VALUES,
        _needs_handshake,
        "The battery's values are answered only after what VESC Tool asks first.",
        "Let your client send FW_VERSION, GET_CUSTOM_CONFIG_XML and GET_CUSTOM_CONFIG first, and report "
        "this: it is new.",
        Reason.DISTURBED,
    ),
    Rule(
        "pack-unanswered",
        Rank.VALUES,
        _unanswered,
        lambda facts: f"{who(_asked_id(facts)).capitalize()} answers, but never BMS_GET_VALUES.",
        "Update its firmware in VESC Tool; every Express knows BMS_GET_VALUES, and controllers do since "
        "2020.",
        Reason.SILENT,
    ),
    Rule(
        "bms-gone",
        Rank.VALUES,
        _bms_gone,
        _bms_gone_words,
        "Wake or reconnect the BMS; do not trust these values until its CAN id answers again.",
        Reason.NO_DATA,
        frozenset({"frozen-bms", "dead-node"}),
    ),
    Rule(
        "frozen-bms",
        Rank.VALUES,
        _frozen,
        _frozen_words,
        "Restart the BMS and do not trust its values. At rest a BMS that reports in coarse steps may look "
        "like this: turn the wheel, or switch a charger on, and ask again with --poll 20.",
        Reason.NO_DATA,
    ),
)
