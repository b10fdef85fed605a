"""What live experiments over Bluetooth lead to: the kinds of the rules for logs, told by what was asked.

A rule here goes before that of a log which says less of the same, and excludes it.
"""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.ble.facts import (
    AT_ONCE,
    AdapterFacts,
    AirFacts,
    AnswerFacts,
    FamilyFacts,
    LinkFacts,
    TableFacts,
    ValueFacts,
)
from packwire.doctor.log.facts import ChecksumFacts, RadioFacts, SaidFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, Causes, rule, when
from packwire.errors import Reason
from packwire.protocol.base import WriteType

#: What rules for logs say of a pack that is connected and gives nothing.
_SILENCES = (
    *("wrong-type-matched", "wrong-type-configured", "password-needed", "pairing-needed", "write-mode"),
    *("protocol-variant", "cut-frames", "ble.weak-signal", "ble.pack-stuck", "phone-app-holds-it"),
    *("two-clients.ble", "gatt.stale-cache", "protocol-changed-by-update", "reader-bug.framing"),
)
_OF_THE_HOST = frozenset({"no-adapter", "not-ready", "blocked", "bluez-missing"})
_REMEDIES = {
    "blocked": "Unblock it: rfkill unblock bluetooth; a hardware switch has to be moved by hand.",
    "not-ready": "Switch it on: bluetoothctl power on (or in the system's settings).",
    "bluez-missing": "Start it: sudo systemctl start bluetooth; in a container, on the host.",
    "no-adapter": "Plug in a Bluetooth adapter with Low Energy; in a container or virtual machine, pass it"
    " through; bluetoothctl list shows what there is.",
}


def _others(kind: str) -> tuple[str, ...]:
    return tuple(each for each in _SILENCES if each != kind)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")


def _no_bluetooth(facts: Facts) -> Confidence | None:
    return when(facts[AdapterFacts].code in _OF_THE_HOST)


def _not_connectable(facts: Facts) -> Confidence | None:
    hearing = facts[AirFacts].hearing
    return when(hearing is not None and hearing.connectable is False and not facts[LinkFacts].made, LIKELY)


def _never_connected(facts: Facts) -> bool:
    return bool(facts[LinkFacts].error) and not facts[LinkFacts].made


def _gone(facts: Facts) -> Confidence | None:
    later = facts[AirFacts].later
    return when(_never_connected(facts) and later is not None and later.seen is None, LIKELY)


def _drops_at_once(facts: Facts) -> Confidence | None:
    link = facts[LinkFacts]
    at_once = sum(age <= AT_ONCE for age, _ in link.drops)
    if at_once < 2 or facts[AnswerFacts].works or facts[ValueFacts].read:
        return None
    return LIKELY


def _drops_words(facts: Facts) -> str:
    drops = facts[LinkFacts].drops
    return (
        f"It takes the connection and ends it at once ({len(drops)} times, after {drops[-1][0]:.1f} s, when"
        f" {drops[-1][1]}): most often it wants to be paired first."
    )


def _drops_causes(facts: Facts) -> Causes:
    causes = {"pairing-needed": 0.5, "ble.pack-stuck": 0.2, "two-clients.ble": 0.1, "ble.weak-signal": 0.1}
    if (facts[RadioFacts].level or 0) <= -80:
        causes["ble.weak-signal"] = 0.4
    return causes


def _breaks(facts: Facts) -> Confidence | None:
    worked = facts[AnswerFacts].works or facts[ValueFacts].read
    return when(worked and facts[LinkFacts].drops, LIKELY if len(facts[LinkFacts].drops) > 1 else POSSIBLE)


def _breaks_causes(facts: Facts) -> Causes:
    weak = (facts[RadioFacts].level or 0) <= -80
    return {
        "ble.weak-signal": 0.6 if weak else 0.3,
        "ble.interference": 0.4,
        "two-clients.ble": 0.15,
        "ble.pack-stuck": 0.15,
    }


def _another_answers(facts: Facts) -> Confidence | None:
    family = facts[FamilyFacts]
    if family.answered is None:
        return None
    # Its checksum is right twice, it is an answer to that question, and the other family's was not answered.
    return CERTAIN if family.again and (facts[AnswerFacts].nothing or facts[TableFacts].missing) else LIKELY


def _another_words(facts: Facts) -> str:
    other = facts[FamilyFacts].answered
    assert other is not None
    return (
        f"It speaks as a {other.title}: it answers that family's question, and not the one that it was asked."
    )


def _another_remedy(facts: Facts) -> str:
    other = facts[FamilyFacts].answered
    return f"Read it as that: add ?model={other.name if other else ''} to the address."


def _missing(facts: Facts) -> Confidence | None:
    table = facts[TableFacts]
    unknown = table.looked_at and not facts[FamilyFacts].fits and facts[FamilyFacts].plugin is None
    return when(
        (table.missing or unknown) and not facts[AnswerFacts].asked, LIKELY if table.missing else POSSIBLE
    )


def _missing_words(facts: Facts) -> str:
    table = ", ".join(each.title for each in facts[FamilyFacts].table)
    fits = f" It has those of: {table}." if table else ""
    missing = facts[TableFacts].missing
    if missing:
        return f"It does not have the characteristics that it is read by ({missing}).{fits}"
    return f"Nobody here knows what it speaks.{fits}"


def _mute_notify(facts: Facts) -> Confidence | None:
    return when(facts[TableFacts].mute, LIKELY)


def _refused(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    plain = said.has("gatt-error", "security", "pairing-failed", "notify-acquired", "wrong-handle")
    return when(facts[TableFacts].refused, POSSIBLE if plain else LIKELY)


def _write_mode(facts: Facts) -> Confidence | None:
    answers = facts[AnswerFacts]
    if answers.works or answers.early or not answers.answered:
        return None
    way = answers.answered[-1]
    other = [each for each in answers.silent if each is not way]
    # Both in turn, twice each: not late, not by chance, not woken up by the first request.
    both_twice = answers.answered.count(way) > 1 and len(other) > 1 and way not in answers.silent
    return CERTAIN if both_twice else LIKELY


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
    return when(answers.late or answers.early, LIKELY)


def _late_words(facts: Facts) -> str:
    late = facts[AnswerFacts].late
    if late:
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


def _unknown(facts: Facts) -> Confidence | None:
    answers = facts[AnswerFacts]
    return when(answers.nothing and answers.unknown and not answers.damaged and not answers.echoes, LIKELY)


def _two_programs(facts: Facts) -> Confidence | None:
    return when(facts[AnswerFacts].unasked, LIKELY)


def _silent(facts: Facts) -> bool:
    answers = facts[AnswerFacts]
    some = (
        answers.echoes or answers.damaged or answers.unknown or answers.cut or answers.late or answers.early
    )
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


def _anew(facts: Facts) -> Confidence | None:
    return when(facts[AnswerFacts].anew, LIKELY)


def _well(facts: Facts) -> Confidence | None:
    values = facts[ValueFacts]
    return when(values.read and not values.failed and not values.impossible)


RULES: tuple[Rule, ...] = (
    rule(
        "configuration",
        _no_bluetooth,
        lambda facts: _sentence(facts[AdapterFacts].error),
        lambda facts: _REMEDIES.get(facts[AdapterFacts].code, ""),
        shown=tuple(_OF_THE_HOST),
        rank=Rank.WAY,
        excludes=("configuration", "host.adapter-hung"),
        reason=Reason.NO_BLUETOOTH,
    ),
    rule(
        "phone-app-holds-it",
        _not_connectable,
        "It advertises that it takes no connection: another client has it, or it is in a mode of its own.",
        "Switch Bluetooth off on every phone, stop other programs, then switch the pack off and on.",
        shown=("not-connectable", "connect-failed", "connect-timeout"),
        causes={"phone-app-holds-it": 0.6, "ble.pack-stuck": 0.25, "pack-asleep": 0.15},
        excludes=_others("phone-app-holds-it"),
    ),
    rule(
        "ble.weak-signal",
        _gone,
        "It was heard before, no connection came about, and it is not heard any more.",
        "Go nearer and ask again; switch Bluetooth off on every phone: one may just have taken it.",
        shown=("seen", "connect-failed", "connect-timeout"),
        causes=lambda facts: {
            "ble.weak-signal": 0.5 if (facts[RadioFacts].level or 0) <= -75 else 0.25,
            "phone-app-holds-it": 0.3,
            "ble.phantom-connection": 0.1,
            "pack-asleep": 0.1,
        },
        reason=Reason.OUT_OF_RANGE,
    ),
    rule(
        "pairing-needed",
        _drops_at_once,
        _drops_words,
        "Pair it once with its PIN where it is read (bluetoothctl pair ADDRESS; its app may show whether it"
        " has one); remove an old pairing first (bluetoothctl remove ADDRESS).",
        shown=("connected", "disconnected"),
        causes=_drops_causes,
        excludes=_others("pairing-needed"),
        reason=Reason.CLOSED,
    ),
    rule(
        "ble.phantom-connection",
        _anew,
        "The connection was there before, held by nobody who reads, and was mute; a new one is answered.",
        "Let programs disconnect at their end; where it comes again, restart the one that left it so.",
        shown=("already-connected", "disconnected", "received"),
        causes={"ble.phantom-connection": 0.7, "two-clients.ble": 0.3},
        excludes=_SILENCES,
    ),
    rule(
        "wrong-type-configured",
        _another_answers,
        _another_words,
        _another_remedy,
        shown=("has-service",),
        causes={"wrong-type-configured": 0.9, "protocol-changed-by-update": 0.1},
        excludes=_others(""),
        reason=Reason.FOREIGN,
        by_experiment=True,
    ),
    rule(
        "wrong-type-configured",
        _missing,
        _missing_words,
        "packwire explore shows what it has and which family fits; add ?model=NAME to the address. After an"
        " update of its firmware or a stale list: bluetoothctl remove ADDRESS.",
        shown=("has-service",),
        causes={
            "wrong-type-configured": 0.55,
            "protocol-changed-by-update": 0.25,
            "gatt.stale-cache": 0.2,
        },
        excludes=_others(""),
        reason=Reason.FOREIGN,
    ),
    rule(
        "protocol-changed-by-update",
        _mute_notify,
        lambda facts: (
            f"The characteristic that should notify ({facts[TableFacts].mute}) does not: another"
            " firmware or family."
        ),
        "Report its list of characteristics (packwire explore) to the program's maintainer.",
        shown=("has-characteristic",),
        causes={"protocol-changed-by-update": 0.5, "wrong-type-configured": 0.3, "gatt.stale-cache": 0.2},
        excludes=_others("protocol-changed-by-update"),
    ),
    rule(
        "pairing-needed",
        _refused,
        lambda facts: f"Notifications cannot be switched on: {facts[TableFacts].refused}.",
        "Pair it (bluetoothctl pair ADDRESS) and ask again; else switch the pack off and on.",
        shown=("notify-failed", "not-permitted", "gatt-error", "unlikely"),
        causes={
            "pairing-needed": 0.45,
            "ble.pack-stuck": 0.25,
            "gatt.stale-cache": 0.15,
            "two-clients.ble": 0.15,
        },
        reason=Reason.NOT_PAIRED,
    ),
    rule(
        "write-mode",
        _write_mode,
        _write_words,
        _write_remedy,
        shown=("sent", "request-timeout", "received"),
        excludes=_SILENCES,
        by_experiment=True,
    ),
    rule(
        "polling-too-fast",
        _late,
        _late_words,
        "Let the program wait longer for an answer, and ask some seconds after it has connected.",
        shown=("connected", "request-timeout", "received"),
        causes={"polling-too-fast": 0.7, "ble.pack-stuck": 0.3},
        excludes=_SILENCES,
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
        excludes=_SILENCES,
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
        excludes=_others("pairing-needed"),
    ),
    rule(
        "cut-frames",
        _cut,
        _cut_words,
        "Go nearer and ask again; where it stays: another adapter, or a proxy that agrees to a larger MTU.",
        shown=("connected", "received"),
        causes={"cut-frames": 0.6, "ble.interference": 0.25, "protocol-variant": 0.15},
        excludes=_others("cut-frames"),
    ),
    rule(
        "reader-bug.checksum",
        _own_sum,
        "Each answer comes with a checksum that differs in the same way from the one computed here: it is"
        " built in another way, and not damaged.",
        "Send a recording (packwire record) to packwire's maintainers: this board's checksum is another.",
        shown=("checksum",),
        causes={"reader-bug.checksum": 0.5, "protocol-variant": 0.4, "serial.noise": 0.1},
        excludes=(*_SILENCES, "serial.noise"),
    ),
    rule(
        "serial.noise",
        _line_damage,
        "Answers come with wrong checksums, each with another. Bluetooth damages nothing: it is the line"
        " between the battery's board and its Bluetooth module, or pieces are lost.",
        "Press the module's plug; put the adapter nearer; where it stays, another module.",
        shown=("checksum",),
        causes={"serial.noise": 0.5, "ble.interference": 0.3, "reader-bug.checksum": 0.2},
        excludes=(*_SILENCES, "reader-bug.checksum"),
    ),
    rule(
        "protocol-variant",
        _unknown,
        "Whole frames with right checksums come, and none is an answer that is known: another version of its"
        " protocol.",
        "Record a session (packwire record) and send it; packwire draft shows what is in it.",
        shown=("received",),
        causes={"protocol-variant": 0.65, "wrong-type-configured": 0.2, "two-clients.ble": 0.15},
        excludes=_others("protocol-variant"),
    ),
    rule(
        "protocol-variant",
        lambda facts: when(facts[ValueFacts].impossible, LIKELY),
        lambda facts: f"It says what no pack says: {', '.join(facts[ValueFacts].impossible)}.",
        "Its layout is another one than that of this model: record a session and send it.",
        shown=("received",),
        causes={"protocol-variant": 0.6, "wrong-type-configured": 0.3, "configuration": 0.1},
        rank=Rank.DOUBT,
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
        _wants_pin,
        "Requests are taken and nothing is notified; packs of this family may have a password, and none was"
        " given.",
        "Give the one that was set in the vendor's app: add ?pin=NUMBER to the address.",
        shown=("sent", "request-timeout"),
        causes=_mute_causes,
        excludes=_others("password-needed"),
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
        excludes=_others("ble.pack-stuck"),
        reason=Reason.SILENT,
    ),
    rule(
        "ble.interference",
        _breaks,
        lambda facts: (
            f"It answers, and the connection ends by itself: {len(facts[LinkFacts].drops)} times,"
            f" after {', '.join(f'{age:.1f} s' for age, _ in facts[LinkFacts].drops[-3:])}."
        ),
        "Go nearer, take an extension cable for the adapter, end other programs and apps that use it.",
        shown=("connected", "disconnected"),
        causes=_breaks_causes,
        excludes=("ble.weak-signal",),
        reason=Reason.CLOSED,
    ),
    rule(
        "gatt.duplicate-uuid",
        lambda facts: when(facts[TableFacts].duplicates, LIKELY),
        lambda facts: (
            f"It has {', '.join(facts[TableFacts].duplicates)} more than once: programs that ask"
            " for it by UUID alone take the wrong one."
        ),
        "packwire looks in the right service; let other programs ask by handle, or take a newer version.",
        shown=("has-characteristic",),
        rank=Rank.DOUBT,
        excludes=("wrong-type-configured", "wrong-type-matched"),
    ),
    rule(
        "cell-at-zero",
        lambda facts: when(facts[ValueFacts].zero_cells, LIKELY),
        lambda facts: (
            f"Cell {', '.join(map(str, facts[ValueFacts].zero_cells))} reads 0 V, the others do not:"
            " most often a wire of the balancer is loose, and the cell is well."
        ),
        "Measure that cell with a meter before the pack is used; then look at its wire and plug.",
        shown=("worked",),
        rank=Rank.DOUBT,
    ),
    rule(
        "ble.pack-stuck",
        lambda facts: when(facts[ValueFacts].frozen, POSSIBLE),
        "Its values do not move, though current flows: it repeats old ones, or is very steady.",
        "Ask again with --thorough; change the load. Where they stay, switch the pack off and on.",
        shown=("worked",),
        rank=Rank.DOUBT,
    ),
    rule(
        "ok",
        _well,
        lambda facts: f"It gives data: {facts[ValueFacts].said}.",
        "Nothing. Where another program sees trouble all the same, see whether both are connected at once.",
        rank=Rank.WELL,
        by_experiment=True,
    ),
)
