"""What is wrong with one session, seen beside the other: findings, in the order of their rank."""

from collections import Counter
from collections.abc import Iterator
from statistics import median

from packwire.doctor.compare.bad_frames import BadFrame, Wrong
from packwire.doctor.compare.causes import Cause, Finding
from packwire.doctor.compare.patience import LEAST_TIMEOUT, Patience
from packwire.doctor.compare.receive_path import receive_path
from packwire.doctor.compare.session import Exchange, Kind, Session
from packwire.doctor.compare.silences import silence_findings
from packwire.doctor.evidence import Confidence
from packwire.vesc.commands import Command
from packwire.vesc.replies import BmsValues, decode_reply

_BAD_FRAMES = {
    Wrong.CHECKSUM: Cause.WRONG_CHECKSUM,
    Wrong.LENGTH: Cause.WRONG_LENGTH,
    Wrong.LONG_FORM: Cause.WRONG_LENGTH,
    Wrong.STOP: Cause.WRONG_FRAME,
    Wrong.NO_FRAME: Cause.WRONG_FRAME,
    Wrong.LOGIN: Cause.BAD_LOGIN,
}
#: Fewer late replies than this share of a kind are chance.
_MANY = 0.5
#: Descriptor that switches notifications on.
_SUBSCRIPTION = " 2902 "
#: A hub that closes the connection when the recording ends anyway has been stopped, in ns.
_STILL_RECORDING = 2_000_000_000


def findings(own: Session, other: Session, patience: Patience) -> list[Finding]:
    """Return all that is wrong with a session, what outranks the rest first."""
    found = [
        *_start(own, other),
        *_bad_frames(own),
        *_subscription(own, other),
        *receive_path(own, other, patience),
        *_ending(own),
        *_late(own, other),
        *silence_findings(own, other),
        *_no_bms(own, other),
    ]
    return sorted(found, key=lambda each: each.rank)


def _start(own: Session, other: Session) -> Iterator[Finding]:
    """Look at what comes before the first request: the login, and whether anything is sent at all."""
    login, ending = own.login, own.ending
    if login is not None and login.problem:
        yield Finding(Cause.BAD_LOGIN, Confidence.CERTAIN, login.time, (f"Its login is {login.problem}.",))
    elif login is not None and login.login is not None and ending.by == "device" and not ending.heard:
        after = (ending.time - login.time) / 1e6
        evidence = (f"The hub closed the connection {after:.0f} ms after the login, without a word.",)
        yield Finding(
            Cause.REFUSED, Confidence.CERTAIN, login.time, (*evidence, *_login_compared(own, other))
        )
    elif _never_logs_in(own, other):
        text = "The other session begins with a login (VESCTOOL:) at the same port; this one does not."
        yield Finding(Cause.NEVER_LOGS_IN, Confidence.CERTAIN, own.begin, (text,))
    if own.lost and not own.sent:
        text = f"{own.lost} bytes that the client sent are not in the file: it shows one direction alone."
        yield Finding(Cause.NOT_RECORDED, Confidence.CERTAIN, own.begin, (text,))
    elif own.begun and not own.exchanges and not own.bad:
        text = "It shows nothing that the client sent: it begins later, or shows no direction or one alone."
        yield Finding(Cause.NOT_RECORDED, Confidence.CERTAIN, own.begin, (text,))
    elif (
        not own.exchanges
        and not own.bad
        and not own.lost
        and not (ending.by == "device" and not ending.heard)
    ):
        yield Finding(Cause.NOTHING_SENT, Confidence.CERTAIN, own.begin)


def _never_logs_in(own: Session, other: Session) -> bool:
    """Tell whether a login is missing that the other session has; one that was not recorded is none."""
    seen = not own.begun and not own.lost
    silent = own.login is None and not own.hub and not own.answered
    return seen and silent and other.hub and _same_port(own, other)


def _same_port(own: Session, other: Session) -> bool:
    return own.label.rpartition(":")[2] == other.label.rpartition(":")[2]


def _login_compared(own: Session, other: Session) -> Iterator[str]:
    """Say whether id and password are those of the other session, and never what they are."""
    if own.login is None or own.login.login is None or other.login is None or other.login.login is None:
        return
    mine, theirs = own.login.login, other.login.login
    same_id, same_password = mine.device_id == theirs.device_id, mine.password == theirs.password
    words = {True: "the same as", False: "another than"}
    yield f"Its id is {words[same_id]} in the other session, its password is {words[same_password]} there."
    if same_id and same_password:
        yield "So the device was not connected to the hub at that time, or it is another hub."


def _bad_frames(own: Session) -> Iterator[Finding]:
    by_cause: dict[Cause, list[BadFrame]] = {}
    for each in own.bad:
        if each.wrong is not Wrong.FILLER:
            by_cause.setdefault(_BAD_FRAMES[each.wrong], []).append(each)
    answered = own.answered
    for cause, frames in by_cause.items():
        if cause is Cause.WRONG_FRAME and answered and all(each.command < 0 for each in frames):
            continue  # a few bytes beside good requests: the device skips them
        numbers = tuple(
            number
            for number, each in enumerate(own.exchanges)
            if each.row < 0 and _BAD_FRAMES[own.bad[-1 - each.row].wrong] is cause
        )
        kinds = tuple(dict.fromkeys(own.exchanges[number].kind for number in numbers))
        remedy = "" if own.protocol == "VESC" else f"Build {own.protocol} frames as shown above."
        yield Finding(
            cause,
            Confidence.CERTAIN,
            frames[0].time,
            tuple(_frame_lines(frames)),
            (),
            (),
            numbers,
            kinds,
            remedy,
        )


def _frame_lines(frames: list[BadFrame]) -> Iterator[str]:
    count = Counter((each.text, each.hex, each.right, each.command) for each in frames)
    for (text, shown, right, _), number in count.most_common(3):
        often = f" ({number} times)" if number > 1 else ""
        yield f"It sends {shown}{often}: {text}." if shown else f"{text[:1].upper()}{text[1:]}{often}."
        if right:
            yield f"Right would be {right}."
    if len(count) > 3:
        yield f"And {len(count) - 3} more frames like these."


def _subscription(own: Session, other: Session) -> Iterator[Finding]:
    """Look for the write that switches notifications on."""
    there = [each.kind for each in other.exchanges if _SUBSCRIPTION in each.kind.name]
    here = any(_SUBSCRIPTION in each.kind.name for each in own.exchanges)
    # A log of a client has no writes to descriptors; a capture has, with their handles.
    seen = any(name.startswith("att 0x") for name in own.messages.channels)
    if seen and there and not here and other.answered and not own.answered and own.exchanges:
        text = f"The other session writes to descriptor 2902 ({there[0].name}); this one never does."
        yield Finding(Cause.NEVER_SUBSCRIBES, Confidence.LIKELY, own.begin, (text,))


def _ending(own: Session) -> Iterator[Finding]:
    ending = own.ending
    if ending.by != "device" or not ending.heard or not own.hub:
        return
    if ending.displaced_by:
        text = (
            f"The hub closed the connection right after {ending.displaced_by} had logged in with the same id."
        )
        yield Finding(Cause.DISPLACED, Confidence.CERTAIN, ending.time, (text,))
    elif own.last - ending.time > _STILL_RECORDING and not own.lost and not own.arrived.missing:
        text = "The hub closed the connection after it had served it, without a word."
        yield Finding(Cause.DISPLACED, Confidence.LIKELY, ending.time, (text,))


def _late(own: Session, other: Session) -> Iterator[Finding]:
    """Look for replies that came when the client had already gone on."""
    for kind, numbers in own.by_kind().items():
        exchanges = [own.exchanges[number] for number in numbers]
        # Where requests are missing from the file, replies may belong to them.
        late = [] if own.lost else [number for number in numbers if _too_late(own, number)]
        answered = sum(1 for each in exchanges if each.answered)
        if not late or len(late) < _MANY * answered or _late_too(other, kind):
            continue
        some = [own.exchanges[number] for number in late]
        wait = median(each.wait for each in some if each.wait is not None)
        took = median(each.latency for each in some if each.latency is not None)
        slow = wait >= LEAST_TIMEOUT
        text = (
            f"{len(late)} of {answered} replies to {kind.label} came {_ms(took)} after the request; the"
            f" client had already gone on, {_ms(wait)} after it."
        )
        sure = slow and (len(late) == answered or kind.command == Command.PING_CAN)
        cause = Cause.IMPATIENT if slow else Cause.TOO_FAST
        confidence = Confidence.LIKELY if sure else Confidence.POSSIBLE
        yield Finding(cause, confidence, own.exchanges[late[0]].time, (text,), (), (), tuple(late), (kind,))


def _too_late(own: Session, number: int) -> bool:
    """Tell whether a request was sent again before its reply came."""
    each = own.exchanges[number]
    again = number + 1 < len(own.exchanges) and own.exchanges[number + 1].kind == each.kind
    return again and _late_by(each)


def _late_by(each: Exchange) -> bool:
    return each.latency is not None and each.wait is not None and each.latency > each.wait


def _late_too(other: Session, kind: Kind) -> bool:
    replies = list(other.replies(kind))
    return bool(replies) and sum(map(_late_by, replies)) >= _MANY * len(replies)


def _ms(time: float) -> str:
    return f"{time / 1e6:.3g} ms" if time < 1e9 else f"{time / 1e9:.1f} s"


def _no_bms(own: Session, other: Session) -> Iterator[Finding]:
    here, there = _last_bms(own), _last_bms(other)
    if here is None or there is None or not here[1].absent or there[1].absent:
        return
    text = f"Its BMS_GET_VALUES is answered with no cells; the other session's with {there[1].cell_num}."
    kind = here[0].kind
    numbers = tuple(own.by_kind()[kind])
    first = own.exchanges[numbers[0]].time
    yield Finding(Cause.NO_BMS, Confidence.CERTAIN, first, (text,), (), (), numbers, (kind,))


def _last_bms(session: Session) -> tuple[Exchange, BmsValues] | None:
    for each in reversed(session.exchanges):
        if each.answered and each.kind.command == Command.BMS_GET_VALUES:
            decoded = decode_reply(session.messages.payload(each.reply))
            if decoded is not None and isinstance(decoded.reply, BmsValues):
                return each, decoded.reply
    return None
