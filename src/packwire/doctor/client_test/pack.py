"""A pack of a model, played for a client: replies come from who knows them, the trials are general."""

from collections.abc import Callable

from packwire.capture.framings import family_of, recognise
from packwire.doctor.client_test.played import Played
from packwire.doctor.client_test.trials import (
    APART,
    BAD,
    COMPANY,
    DELIVERIES,
    NOTIFICATIONS,
    NOTIFIED_COMPANY,
    WAYS,
    Parcel,
    SentPiece,
    Trial,
    TrialKind,
)
from packwire.models.protocol import ModelProtocol
from packwire.protocol.base import Request, RequestKind

#: Returns the frames that a device sends in answer to a request; none where nobody answers it.
type Replies = Callable[[bytes], list[bytes]]

#: What nobody knows.
_UNKNOWN = -1
#: So many bytes are looked at to see in whose frames a client asks.
_BEGIN = 512


def pack(model: ModelProtocol, replies: Replies, *, over_bluetooth: bool = False) -> Played:
    """Return what plays a pack; `replies` are those of a simulated one."""
    checked = all(each.check is not None for each in model.framings)
    questions = model.questions
    again = [each for each in questions if each.kind is RequestKind.READS and not each.once and each.replies]
    told = all(_foreign(model, each.payload, replies) for each in again if each.payload)
    unasked = frozenset(("print-first", "print-joined", "print-behind", "print-only"))
    spoilt = frozenset(("damaged-first", "corrupt", "corrupt-other"))
    left_out = (frozenset() if told else unasked | {"corrupt-other"}) | (frozenset() if checked else spoilt)
    ordered = sorted(again, key=lambda each: (each.optional, each.topic != "values"))

    def number(request: bytes) -> int:
        found = model.question_of(request)
        return _UNKNOWN if found is None else questions.index(found)

    def made(trial: Trial, request: bytes) -> tuple[list[SentPiece], int]:
        *before, last = replies(request) or [b""]
        first, foreign = b"".join(before), _foreign(model, request, replies)
        size = len(first + last)
        damaged = _spoilt(last, model) if last else b""
        if not over_bluetooth:
            parcel = Parcel(
                first + last, foreign, first + damaged if damaged else b"", _spoilt(foreign, model)
            )
            return WAYS[trial.sent](parcel), size
        sent = WAYS[trial.sent](Parcel(last, foreign, damaged, _spoilt(foreign, model)))
        alone = trial.kind is TrialKind.MISSING or trial.sent in {"print-only", "corrupt-other"}
        return ([] if alone else [SentPiece(each, APART) for each in before]) + sent, size

    example = next((each for each in ordered if each.payload), None)
    return Played(
        title=model.title,
        suspects=tuple(questions.index(each) for each in ordered),
        example=f"{example.name}: {example.payload.hex(' ')}" if example else "a request",
        framing=f"see the frames of the model: packwire model show {model.name}",
        framer=model.framer,
        command_of=number,
        name=lambda at: "a request that its model does not know" if at < 0 else questions[at].name,
        reads=lambda at: at < 0 or questions[at].kind is RequestKind.READS,
        answerable=lambda request: bool(replies(request)),
        pieces=made,
        control_sizes=lambda _: (None,),
        deliveries=NOTIFICATIONS if over_bluetooth else _OF_A_STREAM,
        company=_said(NOTIFIED_COMPANY if over_bluetooth else COMPANY, left_out),
        bad=_said(BAD, left_out),
        families=(model.family.name,),
        unit="notification" if over_bluetooth else "read",
        slow=_SLOW_RADIO if over_bluetooth else _SLOW_BRIDGE,
    )


_OF_A_STREAM = tuple(each for each in DELIVERIES if each.key not in ("cut-header", "cut-crc"))
_SLOW_RADIO = "where the radio is weak, a reply takes up to 0.5 s"
_SLOW_BRIDGE = "through a bridge a reply takes 0.1 to 0.5 s"
_WORDS = {
    "print-first": "a message that nobody asked for, then the reply",
    "print-joined": "a message that nobody asked for and the reply in one piece",
    "print-behind": "the reply and a message that nobody asked for in one piece",
    "print-only": "a message that nobody asked for, and no reply",
    "corrupt": "a reply whose checksum is wrong",
    "corrupt-other": "another message whose checksum is wrong",
}


def _said(trials: tuple[Trial, ...], left_out: frozenset[str]) -> tuple[Trial, ...]:
    return tuple(
        Trial(each.key, each.kind, _WORDS.get(each.key, each.words), sent=each.sent)
        for each in trials
        if each.key not in left_out
    )


def _foreign(model: ModelProtocol, request: bytes, replies: Replies) -> bytes:
    """Return a frame of the device that does not answer a request; empty: there is none."""
    for question in model.questions:
        for frame in replies(question.payload) if question.payload else ():
            if not model.answers(Request(request), frame) and not model.family.is_answer(request, frame):
                return frame
    return b""


def _spoilt(frame: bytes, model: ModelProtocol) -> bytes:
    """Turn a bit in the middle of what the checksum covers, and leave that as it was."""
    framing = model.framing_of(frame)
    if framing is None or framing.check is None:
        return b""
    check = framing.check
    end = check.end if check.end > 0 else len(frame) + check.end
    at = min((max(framing.needs, check.begin) + end) // 2, end - 1)
    if framing.hexadecimal:
        return frame[:at] + (b"1" if frame[at : at + 1] == b"0" else b"0") + frame[at + 1 :]
    return frame[:at] + bytes((frame[at] ^ 0x10,)) + frame[at + 1 :]


def family_spoken(begin: bytes) -> str:
    """Return the family of framings that a client's bytes are in; empty where none is known."""
    found = recognise(begin[:_BEGIN])
    return family_of(found[0]) if found else ""
