"""The verdicts on a device that answers, and gives no battery's values or old ones."""

from packwire.doctor.case import Case
from packwire.doctor.evidence import Confidence
from packwire.doctor.facts import Contact
from packwire.doctor.rules.rule import Rule, certain, values
from packwire.doctor.rungs.poll import motor_swing
from packwire.doctor.rungs.words import few, pack_words, who
from packwire.errors import ExitCode
from packwire.vesc.commands import Command

#: A BMS that did not move for so long (s), in so many replies, while the controller's values did so often.
FROZEN_SECONDS, FROZEN_REPLIES, FROZEN_MOVES = 2.5, 5, 3
#: The motor's input current has moved when it differs by this much, in A.
MOTOR_STEP = 1.0


def _asked_own_id(case: Case) -> Confidence | None:
    can_id = _asked_id(case)
    asked = can_id is not None and can_id == case.facts.own_id
    return certain(asked and case.facts.node(can_id).version is None)


def _asked_id(case: Case) -> int | None:
    return case.address.can_id


def _no_such_id(case: Case) -> Confidence | None:
    facts, can_id = case.facts, _asked_id(case)
    if can_id is None or facts.version is None or facts.can_ids is None:
        return None
    return certain(can_id not in facts.can_ids and facts.node(can_id).version is None)


def _elsewhere(case: Case) -> Confidence | None:
    return certain(case.facts.elsewhere is not None)


def _elsewhere_words(case: Case) -> str:
    facts = case.facts
    assert facts.elsewhere is not None
    return (
        f"{who(_asked_id(case)).capitalize()} knows of no battery, but {who(facts.pack_elsewhere)} does: "
        f"{pack_words(facts.elsewhere)}."
    )


def _no_bms(case: Case) -> Confidence | None:
    pack = case.facts.pack
    return certain(pack is not None and pack.absent)


def _hub_blocks(case: Case) -> Confidence | None:
    facts = case.facts
    return certain(facts.direct_pack and facts.version is not None and facts.pack_reply is None)


def _needs_handshake(case: Case) -> Confidence | None:
    facts = case.facts
    return certain(
        facts.with_handshake
        and facts.without_handshake is False
        and case.facts.contact is not Contact.AFTER_FILLER
    )


def _unanswered(case: Case) -> Confidence | None:
    facts = case.facts
    if facts.version is None or facts.pack_reply is not None or facts.fell_silent_after is not None:
        return None
    asked = facts.node(_asked_id(case)).tried.get(Command.BMS_GET_VALUES)
    return certain(asked is not None and not asked.closed)


def _bms_gone(case: Case) -> Confidence | None:
    facts = case.facts
    if facts.bms_answers is not False or facts.pack is None or not facts.pack.cell_num:
        return None
    in_ping = facts.can_ids is not None and facts.pack.can_id in facts.can_ids
    return Confidence.LIKELY if in_ping or facts.can_ids is None else Confidence.CERTAIN


def _frozen(case: Case) -> Confidence | None:
    movement = case.facts.movement
    replies = movement.replies
    moved = len({each.reply for each in movement.controller})
    if len(replies) < FROZEN_REPLIES or len(set(replies)) > 1 or moved < FROZEN_MOVES:
        return None
    if motor_swing(movement) >= MOTOR_STEP:
        return Confidence.CERTAIN
    return Confidence.LIKELY if movement.seconds >= FROZEN_SECONDS else Confidence.POSSIBLE


def _frozen_words(case: Case) -> str:
    movement = case.facts.movement
    swing = motor_swing(movement)
    motor = (
        f"the motor's input current moved by {swing:.1f} A" if swing >= MOTOR_STEP else "the controller's did"
    )
    return (
        f"The battery's values are frozen: not one bit of {len(movement.replies)} replies moved in "
        f"{movement.seconds:.1f} s, while {motor}. A VESC repeats a BMS's last values for ever."
    )


BATTERY_RULES: tuple[Rule, ...] = (
    Rule(
        "own-id",
        _asked_own_id,
        lambda case: (
            f"CAN id {_asked_id(case)} is the very device that you are connected to, and a VESC never "
            "answers "
            "its own id over CAN."
        ),
        lambda case: f"Leave the id out: packwire read {case.base}",
        ExitCode.NO_ANSWER,
        frozenset({"no-such-id", "pack-unanswered", "needs-handshake", "other-node", "dead-node"}),
    ),
    Rule(
        "no-such-id",
        _no_such_id,
        lambda case: (
            f"Nobody has CAN id {_asked_id(case)} on this bus; these answer: "
            f"{few(map(str, case.facts.can_ids or ())) or 'none'}." + values(case)
        ),
        "Use one of these ids, or leave the id out. A node that is off, or set to another baud rate, does "
        "not answer.",
        ExitCode.NO_ANSWER,
        frozenset({"pack-unanswered", "needs-handshake", "other-node", "dead-node"}),
    ),
    Rule(
        "hub-blocks",
        _hub_blocks,
        "The device itself answers BMS_GET_VALUES; through the hub it is not answered, though other "
        "commands are.",
        "The hub holds it back: ask whoever runs it, or read the device directly.",
        ExitCode.NO_ANSWER,
        frozenset({"pack-unanswered", "needs-handshake"}),
    ),
    Rule(
        "other-node",
        _elsewhere,
        _elsewhere_words,
        lambda case: f"Ask that node: packwire read {case.base}/can/{case.facts.pack_elsewhere}",
        ExitCode.NO_DATA,
        frozenset({"no-bms", "pack-unanswered"}),
    ),
    Rule(
        "no-bms",
        _no_bms,
        "The VESC answers, but there is no BMS: it hears none on its CAN bus.",
        "Check that the BMS is awake, its CAN wires (H to H, L to L, 120 ohm at both ends), its baud rate, "
        "and "
        "that its CAN status messages are switched on.",
        ExitCode.NO_DATA,
    ),
    Rule(
        "needs-handshake",
        _needs_handshake,
        "The battery's values are answered only after what VESC Tool asks first.",
        "Let your client send FW_VERSION, GET_CUSTOM_CONFIG_XML and GET_CUSTOM_CONFIG first, and report "
        "this: it "
        "is new.",
        ExitCode.DISTURBED,
    ),
    Rule(
        "pack-unanswered",
        _unanswered,
        lambda case: f"{who(_asked_id(case)).capitalize()} answers, but never BMS_GET_VALUES.",
        "Update its firmware in VESC Tool; every Express knows BMS_GET_VALUES, and controllers do since "
        "2020.",
        ExitCode.NO_ANSWER,
    ),
    Rule(
        "bms-gone",
        _bms_gone,
        lambda case: (
            f"The BMS with CAN id {case.facts.pack.can_id if case.facts.pack else '?'} does not answer any "
            "more: "
            "the VESC repeats its last values, and does so for ever." + values(case)
        ),
        "Wake or reconnect the BMS; do not trust these values until its CAN id answers again.",
        ExitCode.NO_DATA,
        frozenset({"frozen-bms", "dead-node"}),
    ),
    Rule(
        "frozen-bms",
        _frozen,
        _frozen_words,
        "Restart the BMS and do not trust its values. At rest a BMS that reports in coarse steps may look "
        "like "
        "this: turn the wheel, or switch a charger on, and ask again with --poll 20.",
        ExitCode.NO_DATA,
    ),
)
