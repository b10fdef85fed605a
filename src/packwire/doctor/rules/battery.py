"""The verdicts on a device that answers, and gives no battery's values or old ones."""

from packwire.doctor.checks.vesc.poll import motor_swing
from packwire.doctor.checks.words import few, pack_words, who
from packwire.doctor.diagnosis import Confidence
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact
from packwire.doctor.rules.rule import Rule, certain, values
from packwire.errors import Reason
from packwire.vesc.commands import Command

#: A BMS that did not move for so long (s), in so many replies, while the controller's values did so often.
FROZEN_SECONDS, FROZEN_REPLIES, FROZEN_MOVES = 2.5, 5, 3
#: The motor's input current has moved when it differs by this much, in A.
MOTOR_STEP = 1.0
#: Longer than a BMS takes to renew its values, in s.
SURE_SECONDS = 15.0
#: Asked so often without a reply, no loss explains it.
_TRIES = 3


def _asked_own_id(exam: Examination) -> Confidence | None:
    can_id = _asked_id(exam)
    asked = can_id is not None and can_id == exam.facts.own_id
    return certain(asked and exam.facts.node(can_id).version is None)


def _asked_id(exam: Examination) -> int | None:
    return exam.address.node


def _no_such_id(exam: Examination) -> Confidence | None:
    facts, can_id = exam.facts, _asked_id(exam)
    if can_id is None or facts.version is None or facts.can_ids is None:
        return None
    return certain(can_id not in facts.can_ids and facts.node(can_id).version is None)


def _elsewhere(exam: Examination) -> Confidence | None:
    return certain(exam.facts.elsewhere is not None)


def _elsewhere_words(exam: Examination) -> str:
    facts = exam.facts
    assert facts.elsewhere is not None
    return (
        f"{who(_asked_id(exam)).capitalize()} knows of no battery, but {who(facts.pack_elsewhere)} does: "
        f"{pack_words(facts.elsewhere)}."
    )


def _no_bms(exam: Examination) -> Confidence | None:
    pack = exam.facts.pack
    return certain(pack is not None and pack.absent)


def _hub_blocks(exam: Examination) -> Confidence | None:
    facts = exam.facts
    held = facts.direct_pack and facts.version is not None and facts.pack_reply is None
    return Confidence.LIKELY if held else None  # the two addresses may be two devices


def _needs_handshake(exam: Examination) -> Confidence | None:
    facts = exam.facts
    only_with = facts.with_handshake and facts.without_handshake is False
    if not only_with or facts.contact is Contact.AFTER_FILLER:
        return None
    return Confidence.LIKELY  # tried once each: one lost reply looks the same


def _unanswered(exam: Examination) -> Confidence | None:
    facts = exam.facts
    if facts.version is None or facts.pack_reply is not None or facts.fell_silent_after is not None:
        return None
    can_id = _asked_id(exam)
    asked = facts.node(can_id).tried.get(Command.BMS_GET_VALUES)
    if asked is None or asked.closed:
        return None
    tries = sum(each.request[0] == Command.BMS_GET_VALUES and each.can_id == can_id for each in facts.probes)
    return Confidence.CERTAIN if tries >= _TRIES else Confidence.LIKELY


def _bms_gone(exam: Examination) -> Confidence | None:
    facts = exam.facts
    if facts.bms_answers is not False or facts.pack is None or not facts.pack.cell_num:
        return None
    if len({*facts.poll.replies, *facts.movement.replies}) > 1:
        return None  # its values move: one that only sends, and answers nothing
    return Confidence.LIKELY


def _frozen(exam: Examination) -> Confidence | None:
    movement = exam.facts.movement
    replies = movement.replies
    moved = len({each.reply for each in movement.controller})
    if len(replies) < FROZEN_REPLIES or len(set(replies)) > 1 or moved < FROZEN_MOVES:
        return None
    if motor_swing(movement) >= MOTOR_STEP and movement.seconds >= SURE_SECONDS:
        return Confidence.CERTAIN
    if motor_swing(movement) >= MOTOR_STEP:
        return Confidence.LIKELY  # a BMS may renew its values every few seconds
    return Confidence.LIKELY if movement.seconds >= FROZEN_SECONDS else Confidence.POSSIBLE


def _frozen_words(exam: Examination) -> str:
    movement = exam.facts.movement
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
        lambda exam: (
            f"CAN id {_asked_id(exam)} is the very device that you are connected to, and a VESC never "
            "answers "
            "its own id over CAN."
        ),
        lambda exam: f"Leave the id out: packwire read {exam.base}",
        Reason.SILENT,
        frozenset({"no-such-id", "pack-unanswered", "needs-handshake", "other-node", "dead-node"}),
    ),
    Rule(
        "no-such-id",
        _no_such_id,
        lambda exam: (
            f"Nobody answers to CAN id {_asked_id(exam)} on this bus; these do: "
            f"{few(map(str, exam.facts.can_ids or ())) or 'none'}." + values(exam)
        ),
        "Use one of these ids, or leave the id out. A node that is off, or set to another baud rate, does "
        "not answer.",
        Reason.NO_NODE,
        frozenset({"pack-unanswered", "needs-handshake", "other-node", "dead-node"}),
    ),
    Rule(
        "hub-blocks",
        _hub_blocks,
        "The device itself answers BMS_GET_VALUES; through the hub it is not answered, though other "
        "commands are.",
        "The hub holds it back: ask whoever runs it, or read the device directly.",
        Reason.SILENT,
        frozenset({"pack-unanswered", "needs-handshake"}),
    ),
    Rule(
        "other-node",
        _elsewhere,
        _elsewhere_words,
        lambda exam: f"Ask that node: packwire read {exam.base}/can/{exam.facts.pack_elsewhere}",
        Reason.NO_DATA,
        frozenset({"no-bms", "pack-unanswered"}),
    ),
    Rule(
        "no-bms",
        _no_bms,
        "The VESC answers, but there is no BMS: it hears none on its CAN bus.",
        "Check that the BMS is awake, its CAN wires (H to H, L to L, 120 ohm at both ends), its baud rate, "
        "and "
        "that its CAN status messages are switched on.",
        Reason.NO_DATA,
    ),
    Rule(
        "needs-handshake",
        _needs_handshake,
        "The battery's values are answered only after what VESC Tool asks first.",
        "Let your client send FW_VERSION, GET_CUSTOM_CONFIG_XML and GET_CUSTOM_CONFIG first, and report "
        "this: it "
        "is new.",
        Reason.DISTURBED,
    ),
    Rule(
        "pack-unanswered",
        _unanswered,
        lambda exam: f"{who(_asked_id(exam)).capitalize()} answers, but never BMS_GET_VALUES.",
        "Update its firmware in VESC Tool; every Express knows BMS_GET_VALUES, and controllers do since "
        "2020.",
        Reason.SILENT,
    ),
    Rule(
        "bms-gone",
        _bms_gone,
        lambda exam: (
            f"The BMS with CAN id {exam.facts.pack.can_id if exam.facts.pack else '?'} does not answer any "
            "more: "
            "the VESC repeats its last values, and does so for ever." + values(exam)
        ),
        "Wake or reconnect the BMS; do not trust these values until its CAN id answers again.",
        Reason.NO_DATA,
        frozenset({"frozen-bms", "dead-node"}),
    ),
    Rule(
        "frozen-bms",
        _frozen,
        _frozen_words,
        "Restart the BMS and do not trust its values. At rest a BMS that reports in coarse steps may look "
        "like "
        "this: turn the wheel, or switch a charger on, and ask again with --poll 20.",
        Reason.NO_DATA,
    ),
)
