"""Bytes that come and are not taken: pieces, checksums, another protocol version."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.log.facts import IdentityFacts, SaidFacts, WireFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, Causes, rule, when
from packwire.doctor.log.said import is_tried_in_vain, shows_only_zeros
from packwire.doctor.log.sums import ChecksumFacts

#: So few messages are what somebody picked out to show what is wrong; more may be a log of a healthy pack.
_EXCERPT = 40
#: Of so few values of a byte one more is seldom the same.
_FEW = 4
#: An MTU up to this cuts frames into many pieces.
_SMALL_MTU = 64
#: Sentences of answers of which a part comes.
_PART = ("received", "request-timeout", "timed-out", "batmon-timeout", "failed-update")
_REFUSED = ("checksum", "bad-frame", "crc-error", "modbus-crc", "bad-header", "incomplete", "cut-short")


def _over_bluetooth(facts: Facts) -> bool:
    said = facts[SaidFacts]
    if said.has("wire-sent", "wire-received", "no-reply", "incorrect-reply", "modbus-crc", "over-wire"):
        return False
    if said.has(
        *("client-connected", "connected", "subscribed", "mtu", "seen", "connecting", "client"),
        *("request-timeout", "batmon-error", "junk-bytes", "disconnected", "no-bms"),
    ):
        return True
    plugins = facts[IdentityFacts].plugins
    return any(plugin.endswith(("_ble", "_dl24")) or "_" not in plugin for plugin in plugins)


def _equal(facts: Facts) -> Confidence | None:
    return when(facts[ChecksumFacts].equal, LIKELY)


def _own_checksum(facts: Facts) -> Confidence | None:
    sums, wire = facts[ChecksumFacts], facts[WireFacts]
    complained = [pair for pair in sums.pairs if pair[0] != pair[1]]
    matched = [pair for pair in complained if wire.own_sums & set(pair)]
    if not matched and (_low_byte(complained) or _all_of_right_frames(wire, complained)):
        return LIKELY
    if matched:
        # A frame that came damaged behind others like it has their checksum: certain is what is refused each
        # time, in frames that differ. A sum off by less than 256 may lack one byte that the reader lost.
        each_refused = len(matched) == len(complained) >= wire.right and not wire.wrong
        differ = not frozenset.intersection(*(wire.own_sums & set(pair) for pair in matched))
        a_byte_less = all(abs(one - two) < 256 for one, two in complained)
        return CERTAIN if each_refused and differ and not a_byte_less else LIKELY
    return when(sums.fixed_difference, LIKELY)


def _all_of_right_frames(wire: WireFacts, pairs: list[tuple[int, int]]) -> bool:
    """Tell whether each complaint names the one byte that checks a right frame."""
    own = wire.own_bytes
    return 0 < len(own) <= _FEW and bool(pairs) and all(own & set(pair) for pair in pairs) and not wire.wrong


def _low_byte(pairs: list[tuple[int, int]]) -> bool:
    """Tell whether of each two numbers one is the other's low bytes: a sum that was not cut to its size."""
    return bool(pairs) and all(
        min(pair) == max(pair) & (0xFF if min(pair) < 256 else 0xFFFF) < max(pair) for pair in pairs
    )


def _is_of_right_frames(facts: Facts) -> bool:
    wire, pairs = facts[WireFacts], facts[ChecksumFacts].pairs
    told = {each for pair in pairs for each in pair}
    return not wire.own_sums.isdisjoint(told) or _all_of_right_frames(wire, pairs)


def _framing(facts: Facts) -> Confidence | None:
    sums, said, wire = facts[ChecksumFacts], facts[SaidFacts], facts[WireFacts]
    if not sums.pairs and said.has("bad-frame", "cut-short") and _over_bluetooth(facts):
        # A radio link loses no bits of what it delivers.
        return when(said.has("restart"), LIKELY) or when(said.works, POSSIBLE)
    if not sums.pairs and wire.enveloped and said.has("crc-error", "bad-frame"):
        return POSSIBLE  # what TCP delivers is whole
    if not sums.pairs or sums.equal or _low_byte(sums.pairs):
        return None
    if said.works and not sums.fixed_side:
        return when(len(sums.pairs) > 2 and _over_bluetooth(facts), POSSIBLE)
    if sums.fixed_side or said.has("restart") or (wire.doubled and _over_bluetooth(facts)):
        return LIKELY
    return when(sums.zero_side and _over_bluetooth(facts), LIKELY)


def _cut(facts: Facts) -> Confidence | None:
    said, wire, sums = facts[SaidFacts], facts[WireFacts], facts[ChecksumFacts]
    if said.works or not _over_bluetooth(facts):
        return None
    if said.has("cut-short"):
        return POSSIBLE
    small = any(int(value) <= _SMALL_MTU for value in said.values("mtu", "mtu"))
    if wire.first_of_20 and not wire.right:
        if said.has(*_REFUSED):
            return LIKELY  # a reader that joins pieces of an unknown frame refuses it as well
        return LIKELY if wire.received <= _EXCERPT else POSSIBLE
    if not (sums.pairs or said.has("crc-error")) or sums.equal or sums.fixed_side or said.has("restart"):
        return None
    if _low_byte(sums.pairs):
        return None
    return LIKELY if small or wire.first_of_20 else POSSIBLE


def _variant(facts: Facts) -> Confidence | None:
    said, wire, sums = facts[SaidFacts], facts[WireFacts], facts[ChecksumFacts]
    if said.works or sums.pairs or said.has("restart") or (wire.echoes and wire.received == wire.echoes):
        return None
    if said.has("unknown-version") or (wire.other_version and said.has("unknown-damage", *_REFUSED)):
        return LIKELY
    if said.has("bad-frame") and (said.has("received") or wire.received):
        return POSSIBLE if wire.right else LIKELY
    if said.has("part-missing"):
        return POSSIBLE
    if said.has("bad-frame", "junk-bytes") and _over_bluetooth(facts):
        return POSSIBLE
    streams = said.count("received") > 1 and not wire.right and not wire.first_of_20
    if not streams or not _over_bluetooth(facts) or (said.count("sent") > 2 and not said.failures):
        return None  # requests that are answered: a family whose frames are not known here
    return LIKELY if said.failures else POSSIBLE


def _variant_words(facts: Facts) -> str:
    said = facts[SaidFacts]
    if came := said.values("unknown-version", "got"):
        awaited = said.values("unknown-version", "awaited")[-1]
        return f"The pack answers in version {came[-1]} of its protocol, and the program awaits {awaited}."
    if other := facts[WireFacts].other_version:
        return f"The pack answers in another version of its protocol: {other}."
    if said.has("part-missing") and not said.has("bad-frame", "junk-bytes"):
        return "Of what the driver asks the pack for, a part does not come, or comes in another form."
    if facts[WireFacts].right and said.has("bad-frame"):
        return "Right frames come, and the program refuses some: it awaits another kind or version of them."
    return (
        "Data flows, and none of it is a frame that is known: frames of this make begin or are built"
        " differently."
    )


def _part_answered(facts: Facts, *, whole: bool) -> Confidence | None:
    """Take answers that come, none of which is refused, while the program goes on waiting.

    `whole`: right frames are among them.
    """
    said = facts[SaidFacts]
    if bool(facts[WireFacts].right) != whole:
        return None
    return when(
        said.has(*_PART[1:]) and said.has("received") and not said.works and not said.has(*_REFUSED), POSSIBLE
    )


def _noise(facts: Facts) -> Confidence | None:
    said, sums = facts[SaidFacts], facts[ChecksumFacts]
    if _over_bluetooth(facts):
        return None
    if not said.has(*_REFUSED, "incorrect-reply"):
        asserted = said.has("sum-asserted") and said.has("short-data") and not said.has("empty-response")
        return when(asserted or _only_unknown(facts), POSSIBLE)
    if is_tried_in_vain(said):
        return None
    if sums.equal or sums.fixed_side or facts[WireFacts].text_frames or _own_checksum(facts):
        return None
    if (said.has("bad-header") and sums.pairs) or (sums.few_bits and len(sums.pairs) > 1):
        return LIKELY
    if said.has("incorrect-reply"):
        return LIKELY if said.count("incorrect-reply") > max(said.count("no-reply"), 1) else POSSIBLE
    return POSSIBLE


def _only_unknown(facts: Facts) -> bool:
    """Tell whether answers come on a wire, and not one is a frame of a family that is known."""
    wire, said = facts[WireFacts], facts[SaidFacts]
    alone = not (wire.answered_in or wire.text_frames or wire.echoes or wire.only_idle)
    return alone and wire.received > 2 and said.has("wire-received") and not said.works


def _noise_causes(facts: Facts) -> Causes:
    sums = facts[ChecksumFacts]
    if sums.few_bits and len(sums.pairs) == 1 and not facts[SaidFacts].has("bad-header"):
        return {
            "serial.noise": 0.45,
            "reader-bug.checksum": 0.3,
            "reader-bug.framing": 0.15,
            "two-clients.bus": 0.1,
        }
    if sums.few_bits:
        return {"serial.noise": 0.75, "serial.wiring": 0.15, "two-clients.bus": 0.1}
    if _only_unknown(facts):
        return {
            "serial.wrong-baud": 0.25,
            "serial.wiring": 0.25,
            "serial.protocol-setting": 0.2,
            "serial.noise": 0.2,
            "protocol-variant": 0.1,
        }
    return {
        "serial.noise": 0.35,
        "serial.wrong-baud": 0.2,
        "serial.wiring": 0.15,
        "two-clients.bus": 0.1,
        "serial.protocol-setting": 0.1,
        "reader-bug.framing": 0.05,
        "reader-bug.checksum": 0.05,
    }


def _impossible(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    told = said.count("impossible-value") + (said.has("impossible-value") and said.has("zero-value"))
    return when((told > 1 or said.has("zero-sample")) and not said.has(*_REFUSED), POSSIBLE)


RULES: tuple[Rule, ...] = (
    rule(
        "reader-bug.framing",
        _equal,
        "The checksum is right (the complaint names the same number twice): what is refused is the frame's"
        " kind or length, which the reader did not await.",
        "Use a version of the program that knows this kind of answer, or the plugin of the family that"
        " sends it.",
        shown=("checksum", "received"),
        causes={"reader-bug.framing": 0.6, "wrong-type-matched": 0.2, "protocol-variant": 0.2},
    ),
    rule(
        "reader-bug.checksum",
        _own_checksum,
        lambda facts: (
            "The frame's own checksum is right; the reader computes another one."
            if _own_checksum(facts) is CERTAIN
            else "A checksum that is refused is that of a right frame: the reader computes another one, or"
            " one of several frames that are alike came damaged."
            if _is_of_right_frames(facts)
            else "The checksum that came is the low byte of the one that the reader computes: it does not cut"
            " its sum to the size of the field."
            if _low_byte(facts[ChecksumFacts].pairs)
            else "The computed and the received checksum differ by the same amount each time: the reader sums"
            " other bytes than the pack, or the frame is longer than it thinks."
        ),
        "Report the frame in hex with the complaint; the reader's checksum wants mending.",
        shown=("checksum", "wire-received", "received"),
        causes={"reader-bug.checksum": 0.7, "reader-bug.framing": 0.3},
        excludes=("serial.noise",),
    ),
    rule(
        "reader-bug.framing",
        _framing,
        lambda facts: (
            "One of the compared checksums is always the same: the reader ends or begins its frame at the"
            " wrong byte."
            if facts[ChecksumFacts].fixed_side or facts[ChecksumFacts].zero_side
            else "A frame begins in the middle of what the reader takes for one frame."
            if facts[SaidFacts].has("restart")
            else "Values are read, and frames between are refused. Bluetooth itself loses no bits of what it"
            " delivers: the reader joins or cuts pieces at the wrong place, or a kind of frame is unknown"
            " to it."
            if facts[SaidFacts].works
            else "Whole answers come over TCP, and the reader refuses them."
            if facts[WireFacts].enveloped
            else "Each piece arrives twice, so the reader's frames never fit."
        ),
        "Report it with the raw notifications; a reader must end a frame by its length.",
        shown=("checksum", "restart", "received", "cut-short"),
        causes=lambda facts: (
            {"reader-bug.framing": 0.65, "cut-frames": 0.2, "protocol-variant": 0.15}
            if _over_bluetooth(facts)
            else {
                "reader-bug.framing": 0.5,
                "serial.wiring": 0.2,
                "serial.noise": 0.2,
                "two-clients.bus": 0.1,
            }
        ),
    ),
    rule(
        "cut-frames",
        _cut,
        lambda facts: (
            "Frames arrive in pieces (the first has 20 bytes, the next begins without a header), and the"
            " reader takes each piece for a frame."
            if facts[WireFacts].first_of_20
            else "Frames end before their length is reached: the last piece is not waited for, or it is lost."
            if facts[SaidFacts].has("cut-short")
            else "Every frame is refused with another checksum: most often pieces of a frame that the reader"
            " takes for whole ones."
        ),
        "The reader must join the notifications and end a frame by its length; a larger MTU hides it.",
        shown=("mtu", "received", "checksum", "bad-frame", "cut-short"),
        causes={"cut-frames": 0.55, "reader-bug.framing": 0.3, "protocol-variant": 0.15},
    ),
    rule(
        "protocol-variant",
        _variant,
        _variant_words,
        lambda facts: (
            "Set the program to the version that the pack speaks, or the port of the BMS to the awaited"
            " protocol (in its app)."
            if facts[SaidFacts].has("unknown-version") and not _over_bluetooth(facts)
            else "Send the raw bytes to the program's maintainer. That data flows rules out the signal,"
            " pairing and the way of writing."
        ),
        shown=("subscribed", "received", "bad-frame", "unknown-version", "junk-bytes", "part-missing"),
        causes=lambda facts: (
            {"protocol-variant": 0.45, "serial.protocol-setting": 0.3, "wrong-type-configured": 0.25}
            if (facts[SaidFacts].has("unknown-version") or facts[WireFacts].other_version)
            and not _over_bluetooth(facts)
            else {
                "protocol-variant": 0.45,
                "reader-bug.framing": 0.25,
                "wrong-type-matched": 0.15,
                "cut-frames": 0.15,
            }
        ),
        rank=Rank.VALUES,
        excludes=("wrong-type-matched", "password-needed"),
    ),
    rule(
        "reader-bug.framing",
        lambda facts: _part_answered(facts, whole=True),
        lambda facts: (
            f"Right frames come ({facts[WireFacts].right} in the bytes shown), and the program waits in vain:"
            " it awaits another kind, or does not take these."
        ),
        "Compare what came with what the program awaits, at its debug level; try its newest version.",
        shown=_PART,
        causes={
            "reader-bug.framing": 0.4,
            "protocol-variant": 0.2,
            "ble.weak-signal": 0.2,
            "polling-too-fast": 0.2,
        },
        rank=Rank.DOUBT,
    ),
    rule(
        "ble.weak-signal",
        lambda facts: when(_over_bluetooth(facts) and _part_answered(facts, whole=False), POSSIBLE),
        "The pack begins to answer, and the program waits for the rest in vain: the link is lost meanwhile,"
        " or it awaits another kind of frame.",
        "Try once with the adapter beside the pack and a longer update interval; then look at what came, at"
        " the program's debug level.",
        shown=_PART,
        causes={
            "ble.weak-signal": 0.3,
            "reader-bug.framing": 0.2,
            "protocol-variant": 0.2,
            "ble.pack-stuck": 0.15,
            "polling-too-fast": 0.15,
        },
        rank=Rank.DOUBT,
    ),
    rule(
        "protocol-variant",
        _impossible,
        "Frames are taken, and hold values that no pack has: it speaks another version of the protocol"
        " than the"
        " program was told, or bytes are lost on the way.",
        "Try the other protocol versions that the program knows; then look at whole frames in hex.",
        shown=("impossible-value", "zero-sample", "frame-read"),
        causes={
            "protocol-variant": 0.4,
            "wrong-type-configured": 0.3,
            "serial.noise": 0.2,
            "reader-bug.other": 0.1,
        },
        rank=Rank.VALUES,
    ),
    rule(
        "serial.noise",
        _noise,
        lambda facts: (
            "Frames come with single bits wrong: their checksum differs by one or two of them."
            if facts[ChecksumFacts].few_bits
            else "Values are read, and some answers are refused: noise, two masters, or a poor reader."
            if facts[SaidFacts].works
            else "Bytes come, and few or none of them are right frames: noise, a wrong baud rate, reversed"
            " wires, or another protocol."
        ),
        "A short cable (twisted, screened), a common ground, the ends terminated; then the baud rate.",
        shown=("checksum", "bad-header", "incorrect-reply", "crc-error", "bad-frame", "wire-received"),
        causes=_noise_causes,
        rank=Rank.VALUES,
    ),
    rule(
        "protocol-variant",
        lambda facts: when(
            shows_only_zeros(facts[SaidFacts]) and facts[SaidFacts].has("frame-read", "wire-received"),
            POSSIBLE,
        ),
        "Frames come and are taken, and every value that is read of them is zero: this pack numbers its data"
        " otherwise than the program reads it.",
        "Set the protocol version that the pack's hardware has, where the program lets you; else report model"
        " and firmware with whole frames in hex.",
        shown=("frame-read", "wire-received", "zero-value"),
        causes={"protocol-variant": 0.6, "configuration": 0.25, "wrong-type-configured": 0.15},
        ask=("whole frames in hex, and what the app shows in the same minute",),
        rank=Rank.VALUES,
    ),
)
