"""What right clients do that looks like a fault: late computers, long pauses, two at once, other things first."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.doctor.clients.architectures import blocking, reconnecting
from tests.doctor.clients.line import Line, Plan

#: FW_VERSION, GET_VALUES, PING_CAN, GET_IMU_DATA, GET_DECODED_PPM: what some ask before they look at the battery.
_OTHERS = (b"\x00", b"\x04", b"\x3e", b"\x41\xff\xff", b"\x1f")


def late_computer(plan: Plan) -> None:
    """Stand still now and then: before a reply is read, and before the next request."""
    chance = random.Random(7 + plan.seed)
    with Line(plan) as line:
        for payload in _polls(plan):
            line.send(payload)
            if chance.random() < 0.3:
                time.sleep(chance.uniform(0.1, 1.2))
            line.reply(payload)
            time.sleep(plan.pause + (chance.uniform(0.1, 0.8) if chance.random() < 0.2 else 0.0))


def long_pauses(plan: Plan) -> None:
    """Ask three times, and pause for seconds."""
    with Line(plan) as line:
        for number, payload in enumerate(_polls(plan)):
            line.send(payload)
            line.reply(payload)
            time.sleep(2.5 if number % 3 == 2 else plan.pause)


def two_at_once(plan: Plan) -> None:
    """Run twice, from one computer."""
    other = replace(plan, receivers=[])
    beside = threading.Thread(target=blocking, args=(other,), daemon=True)
    beside.start()
    blocking(plan)


def others_first(plan: Plan) -> None:
    """Ask for many other things before the battery, and between."""
    plan.hello = _OTHERS * 2
    plan.poll = (*plan.poll, *plan.poll, _OTHERS[0], *plan.poll, _OTHERS[1])
    blocking(plan)


def any_pace(plan: Plan) -> None:
    """Pause by chance."""
    chance = random.Random(3 + plan.seed)
    with Line(plan) as line:
        for payload in _polls(plan):
            line.send(payload)
            line.reply(payload)
            time.sleep(chance.uniform(0.0, 1.5))


def once_a_connection(plan: Plan) -> None:
    """Ask one thing a connection, and pause."""
    plan.hello = ()
    plan.poll = plan.poll[:1]
    plan.pause = 0.3
    reconnecting(plan)


def asks_twice(plan: Plan) -> None:
    """Ask again once, at once, where a reply does not come."""
    with Line(plan) as line:
        for payload in _polls(plan):
            line.send(payload)
            if line.reply(payload) is None:
                line.send(payload)
                line.reply(payload)
            time.sleep(plan.pause)


def _polls(plan: Plan) -> Iterator[bytes]:
    while plan.goes_on:
        yield from plan.poll


HABITS: dict[str, Callable[[Plan], None]] = {
    "late-computer": late_computer,
    "long-pauses": long_pauses,
    "two-at-once": two_at_once,
    "others-first": others_first,
    "any-pace": any_pace,
    "once-a-connection": once_a_connection,
    "asks-twice": asks_twice,
}
