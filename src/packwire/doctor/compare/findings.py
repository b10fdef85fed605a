"""What is wrong with one session, seen beside the other: findings, in the order of their rank."""

from collections import Counter
from collections.abc import Iterator
from statistics import median

from packwire.check import Confidence
from packwire.doctor.compare.bad_frames import BadFrame, Wrong
from packwire.doctor.compare.causes import Cause, SessionVerdict, session_verdict
from packwire.doctor.compare.following import LEAST_TIMEOUT, TOGETHER, late_by, went_on
from packwire.doctor.compare.packs import pack_findings
from packwire.doctor.compare.patience import ClientPatience, alike
from packwire.doctor.compare.receive_path import receive_path
from packwire.doctor.compare.session import ClientSession, Query, QueryKind, labels, seconds
from packwire.doctor.compare.silences import silence_findings
from packwire.doctor.verdicts import decide
from packwire.protocol.observing import Caller, PackSaid

_BAD_FRAMES = {
    Wrong.CHECKSUM: Cause.WRONG_CHECKSUM,
    Wrong.LENGTH: Cause.WRONG_LENGTH,
    Wrong.LONG_FORM: Cause.WRONG_LENGTH,
    Wrong.STOP: Cause.WRONG_FRAME,
    Wrong.NO_FRAME: Cause.WRONG_FRAME,
    Wrong.LOGIN: Cause.BAD_LOGIN,
}
#: Bad frames that are fewer than this share of the right ones are chance.
_FEW = 0.05
#: Fewer late replies than this share of a kind are chance.
_MANY = 0.5
_ALWAYS = 0.9
#: That a client gives up shows in so many replies or more, and in pauses nearly all alike; with the reply it
#: goes on within this share of them.
_SEVERAL = 3
_MOSTLY = 0.8
_SOONER = 0.7
#: A client that sends nothing for so long, in ns, does not send anything.
_TIME_TO_ASK = 900_000_000
#: What stands for a name or a password that was masked.
_MASK = "*"
#: A hub that closes the connection when the recording ends anyway has been stopped, in ns.
_STILL_RECORDING = 2_000_000_000


def findings(own: ClientSession, other: ClientSession, patience: ClientPatience) -> list[SessionVerdict]:
    """Return all that is wrong with a session, what outranks the rest first."""
    found = [
        *_start(own, other),
        *_bad_frames(own),
        *_subscription(own, other),
        *receive_path(own, other, patience),
        *_ending(own),
        *_broadcast(own, other),
        *(_late(own, other) or _gives_up(own)),
        *silence_findings(own, other),
        *_no_bms(own, other),
        *pack_findings(own, other),
    ]
    return decide(found)


def _start(own: ClientSession, other: ClientSession) -> Iterator[SessionVerdict]:
    """Look at what comes before the first request: the login, and whether anything is sent at all."""
    login, ending = own.login, own.ending
    wrong_role = login is not None and login.login is not None and login.caller is Caller.DEVICE
    if login is not None and login.problem:
        text = f"Its login is {login.problem}."
        yield session_verdict(own, Cause.BAD_LOGIN, Confidence.CERTAIN, text, time=login.time)
    elif login is not None and wrong_role:
        text = "It logs in as a device (VESC:), and a client's login begins with VESCTOOL:."
        # Who asks is a client; who says nothing may be a device that nobody asks.
        sure = Confidence.CERTAIN if own.queries and not own.answered else Confidence.LIKELY
        yield session_verdict(own, Cause.BAD_LOGIN, sure, text, time=login.time)
    elif login is not None and login.login is not None and ending.by == "device" and not ending.heard:
        after = (ending.time - login.time) / 1e6
        text = f"The hub closed the connection {after:.0f} ms after the login, without a word."
        compared = tuple(_login_compared(own, other))
        sure = Confidence.CERTAIN if any("another than" in line for line in compared) else Confidence.LIKELY
        yield session_verdict(own, Cause.REFUSED, sure, text, *compared, time=login.time)
    elif _never_logs_in(own, other):
        same = _same_port(own, other)
        at = " at the same port" if same else ""
        text = f"The other session begins with a login (VESCTOOL:){at}; this one does not."
        sure = Confidence.CERTAIN if same else Confidence.LIKELY
        yield session_verdict(own, Cause.NEVER_LOGS_IN, sure, text)
    if own.lost and not own.sent:
        text = f"{own.lost} bytes that the client sent are not in the file: it shows one direction alone."
        yield session_verdict(own, Cause.NOT_RECORDED, Confidence.CERTAIN, text)
    elif own.begun and not own.queries and not own.bad:
        text = "It shows nothing that the client sent: it begins later, or shows no direction or one alone."
        yield session_verdict(own, Cause.NOT_RECORDED, Confidence.CERTAIN, text)
    elif (
        not own.queries
        and not own.bad
        and not own.lost
        and not wrong_role
        and not (ending.by == "device" and not ending.heard)
    ):
        sure = Confidence.CERTAIN if own.end - own.begin >= _TIME_TO_ASK else Confidence.LIKELY
        yield session_verdict(own, Cause.NOTHING_SENT, sure)


def _never_logs_in(own: ClientSession, other: ClientSession) -> bool:
    """Tell whether a login is missing that the other session has; one that was not recorded is none."""
    seen = not own.begun and not own.lost
    silent = own.login is None and not own.hub and not own.ending.heard
    return seen and silent and other.hub and bool(own.queries or own.bad)


def _same_port(own: ClientSession, other: ClientSession) -> bool:
    return own.label.rpartition(":")[2] == other.label.rpartition(":")[2]


def _login_compared(own: ClientSession, other: ClientSession) -> Iterator[str]:
    """Say whether id and password are those of the other session, and never what they are."""
    if own.login is None or own.login.login is None or other.login is None or other.login.login is None:
        return
    mine, theirs = own.login.login, other.login.login
    if any(not text.strip(_MASK) for each in (mine, theirs) for text in (each.device_id, each.password)):
        yield "Id and password are masked in a recording, so they cannot be compared."
        return
    same_id, same_password = mine.device_id == theirs.device_id, mine.password == theirs.password
    words = {True: "the same as", False: "another than"}
    yield f"Its id is {words[same_id]} in the other session, its password is {words[same_password]} there."
    if same_id and same_password:
        yield "So the device was not connected to the hub at that time, or it is another hub."


def _bad_frames(own: ClientSession) -> Iterator[SessionVerdict]:
    by_cause: dict[Cause, dict[int, BadFrame]] = {}
    for row, each in enumerate(own.bad, 1):
        if each.wrong is not Wrong.FILLER:
            by_cause.setdefault(_BAD_FRAMES[each.wrong], {})[-row] = each
    answered = own.answered
    for cause, rows in by_cause.items():
        frames = list(rows.values())
        if cause is Cause.WRONG_FRAME and answered and all(each.command < 0 for each in frames):
            continue  # a few bytes beside good requests: the device skips them
        if cause is Cause.BAD_LOGIN and answered:
            continue  # it was taken all the same
        numbers = tuple(number for number, each in enumerate(own.queries) if each.row in rows)
        remedy = "" if own.protocol == "VESC" else f"Build {own.protocol} frames as shown above."
        sure, lines = _sure_of_frames(own, frames), _frame_lines(frames)
        yield session_verdict(own, cause, sure, *lines, numbers=numbers, time=frames[0].time, remedy=remedy)


def _sure_of_frames(own: ClientSession, frames: list[BadFrame]) -> Confidence:
    """Return how sure it is that the client makes such frames: few among right ones may be noise."""
    right = sum(each.row >= 0 for each in own.queries)
    if len(frames) > right:
        return Confidence.CERTAIN
    return Confidence.LIKELY if len(frames) > _FEW * right else Confidence.POSSIBLE


def _frame_lines(frames: list[BadFrame]) -> Iterator[str]:
    count = Counter((each.text, each.hex, each.right, each.command) for each in frames)
    for (text, shown, right, _), number in count.most_common(3):
        often = f" ({number} times)" if number > 1 else ""
        yield f"It sends {shown}{often}: {text}." if shown else f"{text[:1].upper()}{text[1:]}{often}."
        if right:
            yield f"Right would be {right}."
    if len(count) > 3:
        yield f"And {len(count) - 3} more frames like these."


def _subscription(own: ClientSession, other: ClientSession) -> Iterator[SessionVerdict]:
    """Look for the write that switches notifications on."""
    there, here = _subscriptions(other), _subscriptions(own)
    # A log of a client has no writes to descriptors; a capture has, with their handles.
    seen = any(each.has_handle for each in own.messages.channels)
    if seen and there and not here and other.answered and not own.answered and own.queries:
        text = f"The other session writes to descriptor 2902 ({there[0].name}); this one never does."
        yield session_verdict(own, Cause.NEVER_SUBSCRIBES, Confidence.LIKELY, text)


def _subscriptions(session: ClientSession) -> list[QueryKind]:
    """Return the requests that switch notifications on."""
    messages = session.messages
    return [
        each.kind
        for each in session.queries
        if each.row >= 0 and messages.channels[int(messages.channel[each.row])].subscribes
    ]


def _ending(own: ClientSession) -> Iterator[SessionVerdict]:
    ending = own.ending
    if ending.by != "device" or not ending.heard:
        return
    if ending.displaced_by:
        text = (
            f"The hub closed the connection right after {ending.displaced_by} had logged in with the same id."
        )
        masked = own.login is None or own.login.login is None or not own.login.login.device_id.strip(_MASK)
        sure = Confidence.LIKELY if masked else Confidence.CERTAIN
        yield session_verdict(own, Cause.DISPLACED, sure, text, time=ending.time)
    elif own.last - ending.time > _STILL_RECORDING and not own.lost and not own.arrived.missing:
        who = "The hub" if own.hub else "The other side"
        text = f"{who} closed the connection after it had served it, without a word."
        why = "that another client logged in with the same id, or that the device left or restarted"
        opens = f"The file alone does not tell why: it may be {why}."
        yield session_verdict(own, Cause.CLOSED, Confidence.LIKELY, text, time=ending.time, open=(opens,))


def _broadcast(own: ClientSession, other: ClientSession) -> Iterator[SessionVerdict]:
    """Look for requests to all nodes at once."""
    everybody = own.observer.everybody
    there = any(everybody in each.kind.ids for each in other.queries)
    numbers = own.numbers(lambda each: each.row >= 0 and everybody in each.kind.ids)
    if not numbers or there:
        return
    replies = sum(own.queries[number].answered for number in numbers)
    names = labels(own.kinds_of(numbers))
    text = (
        f"{len(numbers)} requests go to CAN id 255 ({names}); {replies} got a reply, and none says whose it"
        " is."
    )
    yield session_verdict(own, Cause.CAN_BROADCAST, Confidence.LIKELY, text, numbers=numbers)


def _late(own: ClientSession, other: ClientSession) -> list[SessionVerdict]:
    """Look for kinds of request whose replies came when the client had already gone on."""
    found: list[SessionVerdict] = []
    for kind, numbers in own.by_kind().items():
        queries = [own.queries[number] for number in numbers]
        # Where requests are missing from the file, replies may belong to them.
        late = [] if own.lost else [number for number in numbers if _too_late(own, number)]
        answered = sum(1 for each in queries if each.answered)
        # Who asks by the clock is sometimes early too; who gives up too soon is always.
        before = [] if own.lost else [number for number in numbers if went_on(own.queries[number])]
        late = before if len(before) >= _ALWAYS * answered else late
        if not late or len(late) < _MANY * answered or _late_too(other, kind):
            continue
        wait = median(own.waits(late))
        took = median(latency for number in late if (latency := own.queries[number].latency) is not None)
        slow = wait >= LEAST_TIMEOUT
        text = (
            f"{len(late)} of {answered} replies to {kind.label} came {seconds(took)} after the request; the"
            f" client had already gone on, {seconds(wait)} after it."
        )
        sure = slow and (len(late) == answered or kind.command == own.observer.search)
        cause = Cause.IMPATIENT if slow else Cause.TOO_FAST
        confidence = Confidence.LIKELY if sure else Confidence.POSSIBLE
        found.append(session_verdict(own, cause, confidence, text, numbers=late))
    return found


def _too_late(own: ClientSession, number: int) -> bool:
    """Tell whether a request was sent again before its reply came."""
    each = own.queries[number]
    again = number + 1 < len(own.queries) and own.queries[number + 1].kind == each.kind
    return again and late_by(each)


def _gives_up(own: ClientSession) -> Iterator[SessionVerdict]:
    """Look for a client that goes on sooner where the reply is there, and always after the same time without.

    What asks by the clock goes on after the same time with the reply, too.
    """
    waits = {
        number: each.wait
        for number, each in enumerate(own.queries)
        if each.answered and each.wait is not None and each.wait >= TOGETHER and not own.lost
    }
    late = [number for number in waits if went_on(own.queries[number])]
    others = [wait for number, wait in waits.items() if number not in late]
    if len(late) < max(_SEVERAL, _FEW * len(waits)) or len(others) < _SEVERAL:
        return
    usual = median(waits[number] for number in late)
    steady = sum(alike(waits[number], int(usual)) for number in late) >= _MOSTLY * len(late)
    if steady and median(others) <= _SOONER * usual:
        text = (
            f"{len(late)} of {len(waits)} replies came after the client had gone on, which it then did"
            f" {seconds(usual)} after its request; where the reply is there, it goes on sooner."
        )
        yield session_verdict(own, Cause.IMPATIENT, Confidence.LIKELY, text, numbers=late)


def _late_too(other: ClientSession, kind: QueryKind) -> bool:
    replies = list(other.replies(kind))
    return bool(replies) and sum(map(late_by, replies)) >= _MANY * len(replies)


def _no_bms(own: ClientSession, other: ClientSession) -> Iterator[SessionVerdict]:
    here, there = _last_bms(own), _last_bms(other)
    if here is None or not here[1].absent or (there is None and other.queries):
        return
    if there is not None and there[1].absent:
        return
    beside = "" if there is None else f"; the other session's with {there[1].cells}"
    text = f"Its BMS_GET_VALUES is answered with no cells{beside}."
    numbers = own.by_kind()[here[0].kind]
    came = next((each.time for each, reply in _from_the_last(own) if reply.cells), None)
    until = () if came is None else (f"Until {own.at(came).removeprefix('at ')} it had cells, too.",)
    sure = Confidence.LIKELY if until else Confidence.CERTAIN
    yield session_verdict(own, Cause.NO_BMS, sure, text, *until, numbers=numbers)


def _last_bms(session: ClientSession) -> tuple[Query, PackSaid] | None:
    return next(_from_the_last(session), None)


def _from_the_last(session: ClientSession) -> Iterator[tuple[Query, PackSaid]]:
    for each in reversed(session.queries):
        if each.answered and each.kind.command == session.observer.pack_values:
            said = session.observer.pack(session.messages.payload(each.reply))
            if said is not None:
                yield each, said
