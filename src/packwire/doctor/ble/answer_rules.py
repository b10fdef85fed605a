"""What is told of a pack over Bluetooth that is connected: what it answers, and what it says of itself."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.ble.facts import (
    AnswerFacts,
    FamilyFacts,
    LinkFacts,
)
from packwire.doctor.ble.way_rules import SILENCES, others
from packwire.doctor.log.facts import SaidFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, Causes, rule, when
from packwire.doctor.log.sums import ChecksumFacts
from packwire.doctor.pack_facts import ValuesFacts
from packwire.errors import Reason
from packwire.protocol.base import WriteType

#: Seconds for one answer from which on programs give up, or fall behind.
_SLOW = 1.2


def _write_mode(facts: Facts) -> Confidence | None:
    answers = facts[AnswerFacts]
    if answers.works or answers.early or answers.woken or not answers.answered:
        return None
    way = answers.answered[-1]
    other = [each for each in answers.silent if each is not way]
    # Both in turn, twice each, and then one request after the other: not late, not by chance, not woken up by
    # the first request.
    both_twice = answers.answered.count(way) > 1 and len(other) > 1 and way not in answers.silent
    asked, got = answers.fast
    return CERTAIN if both_twice and asked and asked == got else LIKELY


def _write_words(facts: Facts) -> str:
    way = facts[AnswerFacts].answered[-1]
    return f"This unit wants writes {way}."


def _write_remedy(facts: Facts) -> str:
    way = facts[AnswerFacts].answered[-1]
    flag = "false" if way is WriteType.WITHOUT_RESPONSE else "true"
    return (
        f"Let the program write {way} (bleak: response={flag}); packwire finds that out by itself, and"
        " remembers it."
    )


def _late(facts: Facts) -> Confidence | None:
    answers = facts[AnswerFacts]
    slow = answers.first is not None and answers.first >= _SLOW
    return when(answers.late or answers.early or slow, LIKELY)


def _late_words(facts: Facts) -> str:
    answers = facts[AnswerFacts]
    late = answers.late or answers.first
    if late and not answers.early:
        return f"It answers, after {late:.1f} s: programs give up before that."
    return "It does not hear the first request after a connection, and answers some seconds later."


def _too_fast(facts: Facts) -> Confidence | None:
    answers = facts[AnswerFacts]
    asked, got = answers.fast
    slowly, slow = answers.slow
    lost = asked - got >= 2
    return when(lost and slowly and slow == slowly, LIKELY)


def _loses(facts: Facts) -> Confidence | None:
    answers = facts[AnswerFacts]
    asked, got = answers.fast
    slowly, slow = answers.slow
    return when(asked - got >= 2 and slow < slowly, POSSIBLE)


def _echo(facts: Facts) -> Confidence | None:
    return when(facts[AnswerFacts].echoes > 1 and facts[AnswerFacts].nothing, LIKELY)


def _cut(facts: Facts) -> Confidence | None:
    answers = facts[AnswerFacts]
    values = facts[ValuesFacts]
    if values.error and answers.torn and not values.readings and not answers.nothing:
        return LIKELY
    return when(answers.nothing and answers.cut and not answers.damaged and not answers.echoes, LIKELY)


def _cut_words(facts: Facts) -> str:
    answers, mtu = facts[AnswerFacts], facts[LinkFacts].mtu
    size = f": {answers.cut_at} bytes of each come" if answers.cut_at else ""
    small = f", as many as the MTU of {mtu} holds" if mtu and answers.cut_at == mtu - 3 else ""
    return f"Answers begin and never end{size}{small}; the rest is lost on the way."


def _damaged(facts: Facts) -> bool:
    return facts[AnswerFacts].nothing and facts[AnswerFacts].damaged > 0


def _is_own(facts: Facts) -> bool:
    """Tell whether checksums are wrong by a rule: the same answer, or the same difference, each time."""
    return facts[AnswerFacts].same_damage or facts[ChecksumFacts].fixed_difference


def _own_sum(facts: Facts) -> Confidence | None:
    return when(_damaged(facts) and _is_own(facts), LIKELY)


def _line_damage(facts: Facts) -> Confidence | None:
    return when(_damaged(facts) and not _is_own(facts), LIKELY)


def _foreign(facts: Facts) -> Confidence | None:
    """Need bytes among which no frame of the family is, right or wrong."""
    answers = facts[AnswerFacts]
    some = answers.echoes or answers.damaged or answers.unknown or answers.cut
    return when(answers.nothing and answers.bytes and not some, LIKELY)


def _unknown(facts: Facts) -> Confidence | None:
    answers = facts[AnswerFacts]
    return when(answers.nothing and answers.unknown and not answers.damaged and not answers.echoes, LIKELY)


def _two_programs(facts: Facts) -> Confidence | None:
    return when(facts[AnswerFacts].unasked, LIKELY)


def _silent(facts: Facts) -> bool:
    answers = facts[AnswerFacts]
    some = answers.bytes or answers.broken or answers.late or answers.early or answers.woken
    paired = facts[SaidFacts].has("gatt-error", "security", "pairing-failed")
    return answers.nothing and not some and not answers.anew and not paired


def _wants_pin(facts: Facts) -> Confidence | None:
    return when(_silent(facts) and facts[AnswerFacts].wants_pin, LIKELY)


def _mute_causes(facts: Facts) -> Causes:
    """Return what a connected and silent pack may be, without what was asked and ruled out."""
    answers, family = facts[AnswerFacts], facts[FamilyFacts]
    causes = {
        "wrong-type-configured": 0.25 if not family.asked else 0.1,
        "password-needed": 0.35 if answers.wants_pin else 0.2,
        "pairing-needed": 0.2,
        "ble.pack-stuck": 0.25,
        "write-mode": 0.2,
        "pack-asleep": 0.1,
    }
    if len(set(answers.silent)) > 1:
        del causes["write-mode"]
    return causes


RULES: tuple[Rule, ...] = (
    rule(
        "write-mode",
        _write_mode,
        _write_words,
        _write_remedy,
        shown=("sent", "request-timeout", "received"),
        excludes=SILENCES,
        by_experiment=True,
    ),
    rule(
        "polling-too-fast",
        _late,
        _late_words,
        "Let the program wait longer for an answer, and ask some seconds after it has connected.",
        shown=("connected", "request-timeout", "received"),
        causes={"polling-too-fast": 0.7, "ble.pack-stuck": 0.3},
        excludes=SILENCES,
    ),
    rule(
        "pack-asleep",
        lambda facts: when(facts[AnswerFacts].woken, LIKELY),
        "It did not answer at first, and answers since it was asked some times: it slept.",
        "Let programs ask again before they give up; some boards can be kept from sleeping in their app.",
        shown=("request-timeout", "received"),
        causes={"pack-asleep": 0.7, "polling-too-fast": 0.2, "ble.interference": 0.1},
        excludes=SILENCES,
    ),
    rule(
        "polling-too-fast",
        _too_fast,
        lambda facts: (
            f"Asked as soon as it has answered, it answers {facts[AnswerFacts].fast[1]} of"
            f" {facts[AnswerFacts].fast[0]} requests; at leisure it answers each."
        ),
        "Let programs ask at longer intervals (2 s or more), and one request after the other.",
        shown=("received", "sent"),
        causes={"polling-too-fast": 0.8, "ble.interference": 0.2},
        excludes=SILENCES,
    ),
    rule(
        "ble.interference",
        _loses,
        "Some requests are answered, others are not, however slowly it is asked.",
        "Put the adapter on an extension cable away from USB 3 and Wi-Fi, and nearer to the pack.",
        shown=("received", "sent"),
        causes={"ble.interference": 0.4, "ble.weak-signal": 0.3, "ble.pack-stuck": 0.3},
    ),
    rule(
        "pairing-needed",
        _echo,
        "It sends back what is written to it, and no answer: it keeps its data for those who paired with a"
        " passkey.",
        "Pair it with its PIN: bluetoothctl pair ADDRESS.",
        shown=("sent", "received"),
        causes={"pairing-needed": 0.6, "password-needed": 0.4},
        excludes=others("pairing-needed"),
    ),
    rule(
        "cut-frames",
        _cut,
        _cut_words,
        "Go nearer and ask again; where it stays: another adapter, or a proxy that agrees to a larger MTU.",
        shown=("connected", "received"),
        causes={"cut-frames": 0.6, "ble.interference": 0.25, "protocol-variant": 0.15},
        excludes=others("cut-frames"),
    ),
    rule(
        "reader-bug.checksum",
        _own_sum,
        "Each answer comes with a checksum that differs in the same way from the one computed here: it is"
        " built in another way, and not damaged.",
        "Send a recording (packwire record) to packwire's maintainers: this board's checksum is another.",
        shown=("checksum",),
        causes={"reader-bug.checksum": 0.5, "protocol-variant": 0.4, "serial.noise": 0.1},
        excludes=(*SILENCES, "serial.noise"),
    ),
    rule(
        "serial.noise",
        _line_damage,
        "Answers come with wrong checksums, each with another. Bluetooth damages nothing: it is the line"
        " between the battery's board and its Bluetooth module, or pieces are lost.",
        "Press the module's plug; put the adapter nearer; where it stays, another module.",
        shown=("checksum",),
        causes={"serial.noise": 0.5, "ble.interference": 0.3, "reader-bug.checksum": 0.2},
        excludes=(*SILENCES, "reader-bug.checksum"),
    ),
    rule(
        "protocol-variant",
        _unknown,
        "Whole frames with right checksums come, and none is an answer that is known: another version of its"
        " protocol.",
        "Record a session (packwire record) and send it; packwire draft shows what is in it.",
        shown=("received",),
        causes={"protocol-variant": 0.65, "wrong-type-configured": 0.2, "two-clients.ble": 0.15},
        excludes=others("protocol-variant"),
    ),
    rule(
        "wrong-type-configured",
        _foreign,
        "Bytes come, and no frame of the family that it is read as is among them.",
        "packwire explore --probe asks it as other families; add ?model=NAME to the address.",
        shown=("received",),
        causes={"wrong-type-configured": 0.5, "protocol-variant": 0.4, "protocol-changed-by-update": 0.1},
        excludes=others("wrong-type-configured"),
    ),
    rule(
        "two-clients.ble",
        _two_programs,
        lambda facts: (
            f"{facts[AnswerFacts].unasked} answers came before anything was asked: another program on this"
            " computer asks it on the same connection."
        ),
        "Let one program alone read it: stop the other (Home Assistant, batmon, a script).",
        shown=("already-connected", "received"),
        causes={"two-clients.ble": 0.75, "ble.phantom-connection": 0.25},
        rank=Rank.FLOW,
    ),
    rule(
        "password-needed",
        lambda facts: when(
            facts[AnswerFacts].refusals and not facts[ValuesFacts].readings,
            LIKELY if facts[AnswerFacts].wants_pin else POSSIBLE,
        ),
        "It answers, and refuses what it is asked: packs of this family do so until they are told a PIN.",
        "Give the one that was set in the vendor's app: add ?pin=NUMBER to the address.",
        shown=("received",),
        causes={"password-needed": 0.7, "protocol-variant": 0.2, "pairing-needed": 0.1},
        excludes=(*others("password-needed"), "no-values"),
        reason=Reason.WRONG_PASSWORD,
    ),
    rule(
        "password-needed",
        lambda facts: when(
            facts[AnswerFacts].pin_unanswered and not facts[SaidFacts].has("wrong-secret"), LIKELY
        ),
        "It gives no values with the PIN that was given.",
        "See in the vendor's app which PIN is set, and whether any is; leave pin= out, and ask again.",
        shown=("sent", "received"),
        causes={"password-needed": 0.6, "ble.pack-stuck": 0.2, "wrong-type-configured": 0.2},
        excludes=(*others("password-needed"), "no-values"),
        reason=Reason.WRONG_PASSWORD,
    ),
    rule(
        "password-needed",
        _wants_pin,
        "Requests are taken and nothing is notified; packs of this family may have a password, and none was"
        " given.",
        "Give the one that was set in the vendor's app: add ?pin=NUMBER to the address.",
        shown=("sent", "request-timeout"),
        causes=_mute_causes,
        excludes=others("password-needed"),
    ),
    rule(
        "ble.pack-stuck",
        lambda facts: when(
            _silent(facts) and not facts[AnswerFacts].wants_pin and facts[FamilyFacts].answered is None,
            POSSIBLE,
        ),
        lambda facts: (
            "Requests are taken"
            + (", written in either way," if len(set(facts[AnswerFacts].silent)) > 1 else "")
            + " and nothing is notified."
        ),
        "Switch the pack off and on, with Bluetooth off on every phone; see whether its app asks for a PIN.",
        shown=("sent", "request-timeout"),
        causes=_mute_causes,
        excludes=others("ble.pack-stuck"),
        reason=Reason.SILENT,
    ),
)
