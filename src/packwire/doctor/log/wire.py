"""What the bytes in a log say: which framing, whose requests, which pieces, which checksums."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import numpy as np

from packwire.capture.formats import TEXTS, text_format
from packwire.capture.framings import Found, families, frames_in
from packwire.capture.open import Capture
from packwire.capture.packets import NO_TIME
from packwire.capture.text.read import read_text
from packwire.channel import Transport
from packwire.direction import Direction
from packwire.doctor.log.facts import WireFacts
from packwire.messages import Messages
from packwire.wire.family import Family
from packwire.wire.framing import Framing

#: So many messages are looked at, and so many bytes of each way.
MAX_MESSAGES, MAX_STREAM = 10_000, 1 << 16
#: The first piece of a message that is cut where an ATT packet of 23 bytes ends.
_SMALL_PIECE = 20
#: Gaps of so many times the usual one are answers that did not come.
_GAP = 3.0
#: What an answer in ASCII hex refuses, by its return code [YD/T 1363.3; Pylontech's RS485 protocol].
REFUSALS = {
    "01": "its version",
    "04": "the command",
    "05": "the command's form",
    "06": "its data",
    "90": "the address",
    "91": "the address: that pack does not answer the master",
}
_ASKS = re.compile(r"(?i)\b(?:send\w*|sent|tx|request|asked|written|writing)\b|>>>|[-=]>")
_ANSWERS = re.compile(r"(?i)\b(?:recv\w*|rec(?:ei|ie)v\w*|rx|response|reply|answer|read)\b|<<<|<[-=]")
#: Commands in ASCII hex (CID2), which an answer has a return code in the place of.
_COMMANDS = frozenset((b"42", b"44", b"47", b"4F", b"51", b"90", b"92", b"93", b"94", b"96"))
#: A master that asks so many addresses is no echo of a program that asks its own.
_SEVERAL = 3
_TEXT_FRAME = re.compile(r"~[0-9A-F]{16,2048}")


class WireMessage(NamedTuple):
    """Bytes that passed at once: when (ns, or NO_TIME), which way, and where of several ways."""

    time: int
    sent: bool
    payload: bytes
    channel: int = 0


def capture_of(lines: Sequence[str], name: str) -> Capture:
    """Return what the lines of a log show of bytes, read as any text is."""
    data = np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)
    return Capture(name, read_text(data, [text_format(each) for each in TEXTS]))


def look_at(messages: Messages) -> WireFacts:
    """Look at the bytes of a recording or of a log."""
    return look_at_rows(list(_messages(messages)))


def look_at_rows(found: Sequence[WireMessage]) -> WireFacts:
    """Look at the bytes that passed, in their order."""
    facts = WireFacts()
    sent = [each for each in found if each.sent]
    received = [each for each in found if not each.sent]
    facts.sent, facts.received = len(sent), len(received)
    for row in sent:
        facts.asked_in.update(_families_of(row.payload))
    requests = {row.payload for row in sent}
    back = [row.payload for row in received if row.payload in requests]
    facts.echoes = 0 if all(_confirms(each) for each in back) else len(back)
    facts.enveloped = sum(_is_enveloped(row.payload) for row in received)
    for channel in {row.channel for row in received}:
        _look_at_channel(facts, [row for row in received if row.channel == channel], requests)
    left = any(one.sent and two.sent for one, two in pairwise(found))
    facts.irregular = (left or not sent) and _irregular([row.time for row in received])
    _look_at_addresses(facts, found)
    return facts


def _messages(messages: Messages) -> Iterator[WireMessage]:
    count = len(messages)
    rows = (
        range(count)
        if count <= MAX_MESSAGES
        else [*range(MAX_MESSAGES // 2), *range(count - MAX_MESSAGES // 2, count)]
    )
    size = 0
    for row in rows:
        payload = messages.payload(row)
        size += len(payload)
        if size > MAX_STREAM:
            return
        channel = messages.channels[int(messages.channel[row])]
        if channel.subscribes or channel.transport is Transport.CAN:
            continue  # what is heard on a CAN bus, `heard` tells
        way = int(messages.direction[row])
        sent = way == Direction.TO_DEVICE or (way == Direction.UNKNOWN and _is_question(payload))
        yield WireMessage(int(messages.time[row]), sent, payload, int(messages.channel[row]))


def _is_enveloped(message: bytes) -> bool:
    """Tell whether a message is a whole one of Modbus TCP [Modbus Messaging V1.0b, 3.1.3]."""
    return message[2:4] == b"\0\0" and len(message) > 8 and int.from_bytes(message[4:6]) == len(message) - 6


def _confirms(message: bytes) -> bool:
    """Tell whether a reply that is the request again confirms it: of Modbus RTU, a single write."""
    return message[1:2] in {b"\5", b"\6"} and len(message) == 8 and _modbus().form_of(message) is not None


def _is_question(message: bytes) -> bool:
    """Tell whether a message whose way is not told is a whole request of a known family."""
    return any(
        framing.queries is not None and framing.form_of(message) is not None and framing.queries.fits(message)
        for each in families()
        for framing in each.framings
    )


def _families_of(message: bytes) -> Iterator[str]:
    """Yield the protocol of the family that one message is a whole, right frame of."""
    for each in families():
        if any(framing.form_of(message) is not None for framing in each.framings):
            yield _protocols().get(each.name, each.name)
            return


@cache
def _protocols() -> dict[str, str]:
    """Return by family what its protocol is called, where that is Modbus RTU with addresses of its own."""
    rtu = _modbus()
    return {
        each.name: rtu.name
        for each in families()
        if all(replace(framing, name=rtu.name, start=b"") == rtu for framing in each.framings)
    }


@cache
def _modbus() -> Framing:
    return next(
        framing
        for each in families()
        for framing in each.framings
        if each.name == "Modbus RTU" and not framing.start
    )


def _look_at_channel(facts: WireFacts, rows: list[WireMessage], requests: set[bytes]) -> None:
    stream = b"".join(row.payload for row in rows)
    family, found = _best(stream)
    right = [each for each in found if each.ok]
    facts.right += len(right)
    facts.wrong += len(found) - len(right)
    facts.text_frames += sum(row.payload[:2] == b"~2" for row in rows)
    if family is not None:
        facts.answered_in[_protocols().get(family.name, family.name)] += len(right)
        sums = list(_sums(stream, right))
        facts.own_sums |= {value for value, size in sums if size > 1}
        facts.own_bytes |= {value for value, size in sums if size == 1}
        facts.foreign += sum(
            1
            for each in right[:2000]
            if each.framing.queries is not None
            and len(frame := stream[each.start : each.start + each.size]) <= 20
            and each.framing.queries.fits(frame)
            and frame not in requests
            and any(
                answer.fits(frame, other)
                for answer in family.answers
                for other in _others(stream, right, frame)
                if other[1:2] != bytes((frame[1] | 0x80,))  # a refusal is one of any request
            )
        )
    facts.high = max(facts.high, _high_beside(stream, right))
    facts.only_idle |= bool(stream) and not stream.strip(b"\x00\xff")
    polls = {
        stream[each.start : each.start + each.size]
        for each in right
        if _only_asks(each, stream[each.start : each.start + each.size])
    } - requests
    # Where what was sent is not shown, it may be what comes back.
    if requests or len({frame[3:5] if frame[:1] == b"~" else frame[:1] for frame in polls}) >= _SEVERAL:
        facts.foreign = max(facts.foreign, len(polls))
    starts = tuple(framing.start for framing in family.framings if framing.start) if family else ()
    for one, two in pairwise(rows):
        facts.doubled += one.payload == two.payload and len(one.payload) > 8
        if len(one.payload) == _SMALL_PIECE and 0 < len(two.payload) <= _SMALL_PIECE:
            head = one.payload[:2]
            facts.first_of_20 += two.payload[:2] != head and not (starts and two.payload.startswith(starts))


def _high_beside(stream: bytes, right: list[Found]) -> int:
    """Return how many bytes beside the right frames are nearly all ones, where most of them are."""
    inside = np.zeros(len(stream), dtype=bool)
    for each in right:
        inside[each.start : each.start + each.size] = True
    beside = np.frombuffer(stream, dtype=np.uint8)[~inside]
    high = int(np.count_nonzero(np.bitwise_count(beside) >= 6))
    return high if right and 4 * high >= 3 * len(beside) else 0


def _only_asks(found: Found, frame: bytes) -> bool:
    """Tell whether a frame can be nothing but a request; an answer of Modbus RTU has never 8 bytes."""
    if frame[:1] == b"~":
        return frame[7:9] in _COMMANDS
    queries = found.framing.queries
    alike = _protocols().get(found.framing.name) and len(frame) == 8
    return bool(alike) and queries is not None and queries.fits(frame)


def _others(stream: bytes, right: list[Found], frame: bytes) -> Iterator[bytes]:
    for each in right[:50]:
        other = stream[each.start : each.start + each.size]
        if other != frame:
            yield other


def _best(stream: bytes) -> tuple[Family | None, list[Found]]:
    """Return the family in whose right frames most of the bytes lie, be they few, and its frames."""
    best: tuple[int, Family | None, list[Found]] = (0, None, [])
    for each in families():
        found = [frame for frame in frames_in(stream, each.framings) if _says_something(stream, frame)]
        held = sum(frame.size for frame in found if frame.ok)
        weak = any(len(one.start.strip(b"\0")) < 2 for one in each.framings)
        if weak and 2 * held < len(stream):
            continue  # so short a beginning is found in any bytes
        if held > best[0]:
            best = (held, each, found)
    return best[1], best[2]


def _says_something(stream: bytes, found: Found) -> bool:
    """Tell whether a frame holds more than zeros, whose checksum is right by chance."""
    return len(set(stream[found.start : found.start + found.size])) > 2


def _sums(stream: bytes, found: list[Found]) -> Iterator[tuple[int, int]]:
    """Yield the checksums of frames, and of how many bytes each is."""
    for each in found:
        check = each.framing.check
        if check is None:
            continue
        stored = check.stored(stream[each.start : each.start + each.size])
        if check.digits:
            yield int(stored, 16), check.size
        else:
            yield int.from_bytes(stored, check.order), check.size


def _irregular(times: list[int]) -> bool:
    """Tell whether times are steady but for gaps of several times the usual step."""
    known = [time for time in times if time != NO_TIME]
    steps = [two - one for one, two in pairwise(known) if two > one]
    if len(steps) < 4:
        return False
    usual = median(steps)
    steady = sum(abs(step - usual) <= usual / 4 for step in steps)
    return steady * 2 >= len(steps) and any(step > _GAP * usual for step in steps)


def _look_at_addresses(facts: WireFacts, found: Sequence[WireMessage]) -> None:
    """Find a request that was answered beside one that never was."""
    outcome: dict[bytes, bool] = {}
    units = {row.payload[:1] for row in found if not row.sent}
    for one, two in pairwise([*found, WireMessage(NO_TIME, True, b"", 0)]):
        if (
            one.sent
            and not two.sent
            and _answers_for(one.payload, two.payload)
            and one.payload[:1] not in units
        ):
            facts.other_address = f"{one.payload[0]:02x} is asked, and {two.payload[0]:02x} answers"
        if one.sent and one.payload:
            outcome[one.payload] = outcome.get(one.payload, False) or not two.sent
    answered = [request for request, got in outcome.items() if got][:50]
    silent = [request for request, got in outcome.items() if not got][:50]
    for request in answered:
        for other in silent:
            place = _address_differs(request, other)
            if place >= 0:
                facts.other_address = f"{other[place]:02x} is not answered, {request[place]:02x} is"
                facts.only_address = True
                return
    if answered and silent:
        frame = answered[0]
        daly = frame[:1] == b"\xa5" and len(frame) == 13 and frame[1] != 0x80
        if daly:
            facts.other_address = f"a Daly request from address {frame[1]:02x} is answered"


def _answers_for(request: bytes, reply: bytes) -> bool:
    """Tell whether a right reply of Modbus RTU is of another unit than the one that was asked the like."""
    if request[1:2] != reply[1:2] or request[:1] == reply[:1] or len(request) != 8 or len(reply) == 8:
        return False  # of 8 bytes, it is a request itself: another master's
    return all(_modbus().form_of(each) is not None for each in (request, reply))


#: By how a frame begins: how many bytes check and end it, and where its address stands (as Modbus has it, at
#: the beginning). A byte elsewhere is what is asked for.
_ADDRESSES = {b"~": (5, range(3, 5)), b"\xa5": (1, range(1, 2)), b"\xdd": (0, range(0))}


def _address_differs(one: bytes, other: bytes) -> int:
    """Return at which of the first bytes two requests differ, if in no other but the checksum; or -1."""
    if len(one) != len(other) or len(one) < 7:
        return -1
    trailer, places = _ADDRESSES.get(one[:1], (2, range(1)))
    differ = [at for at in range(len(one) - trailer) if one[at] != other[at]]
    return differ[0] if len(differ) == 1 and differ[0] in places else -1


def note_text_frames(facts: WireFacts, lines: Sequence[str]) -> None:
    """Look for frames of ASCII hex that stand in a line as they are, whichever words are before them."""
    family = next(each for each in families() for framing in each.framings if framing.start == b"~")
    asked = ""
    back = others = 0
    for line in lines:
        facts.joined += line.count("\\r~") > 0 and len(_TEXT_FRAME.findall(line)) > 1
        for found in _TEXT_FRAME.finditer(line) if "~" in line else ():
            text = found[0]
            frame = text.encode() + b"\r"
            form = next((each for each in family.framings if each.form_of(frame) is not None), None)
            if form is None or form.check is None:
                continue
            facts.own_sums |= {int(form.check.stored(frame), 16)}
            before = line[max(found.start() - 40, 0) : found.start()]
            if _ASKS.search(before):
                asked = text
            elif asked and _ANSWERS.search(before):
                back += text == asked
                if text != asked:
                    others += 1
                    _note_answer(facts, asked, text)
    facts.only_back = back > 0 and not others


def _note_answer(facts: WireFacts, asked: str, came: str) -> None:
    """Look at what an answer in ASCII hex says of its question: whether it is refused, in which version."""
    code = came[7:9]
    if code in REFUSALS and (came[10:13] != "000" or asked[7:9] != code):
        facts.refusals[code] += 1
    if came[1:3] != asked[1:3]:
        facts.other_version = f"{asked[1:3]} is asked, and {came[1:3]} answers"


def names(counts: Counter[str]) -> str:
    """Return families in words, the most frequent first."""
    return ", ".join(name for name, _ in counts.most_common(3))
