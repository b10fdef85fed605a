"""The battery asked again and again, as a client does: latency, loss, damage, and whether its values move."""

import asyncio
import time
from collections.abc import Callable

from packwire.check import CheckResult, Depth, Facts, Stage, check, failed, odd, passed
from packwire.doctor.checks.words import instead, packets
from packwire.doctor.examination import Examination
from packwire.doctor.facts import ConnectionFacts, Latency, Poll, PollFacts
from packwire.doctor.line import Probe
from packwire.doctor.vesc.facts import BusFacts, PackFacts
from packwire.doctor.vesc.pack import has_pack
from packwire.vesc.commands import Command
from packwire.vesc.hardware import HardwareType
from packwire.vesc.replies import GET_VALUES, PING_CAN
from packwire.vesc.requests import request

#: Ten times a second, as VESC Tool does.
INTERVAL = 0.1
#: PING_CAN takes 2.5 to 5 s.
PING_PATIENCE = 9.0
#: So many polls in a row without a reply, and the device counts as fallen silent.
_SILENT = 3
_QUICK_POLLS = 5
#: So many connections closed in the middle of a reply are enough to know.
_ENOUGH_CLOSES = 3
_PACK = request(Command.BMS_GET_VALUES)
_MOTOR = request(Command.GET_VALUES)


def _has_reply(exam: Examination) -> str:
    return "" if exam.facts[PackFacts].reply is not None else "the battery's values are not answered"


def _slow_enough(exam: Examination) -> str:
    quick = exam.options.depth is Depth.QUICK
    return "a quick look asks less" if quick else may_go_on(exam) or _has_reply(exam)


def _only_quick(exam: Examination) -> str:
    return has_pack(exam) if exam.options.depth is Depth.QUICK else "the long poll follows"


def may_go_on(exam: Examination) -> str:
    """Need a device that still answers, on connections that last."""
    connection = exam.facts[ConnectionFacts]
    if connection.fell_silent_after is not None:
        return "the device fell silent"
    return "the connection is closed again and again" if len(connection.disconnects) >= _ENOUGH_CLOSES else ""


def may_watch(exam: Examination) -> str:
    """Need a battery with values, and a connection that lasts."""
    return may_go_on(exam) or has_pack(exam)


@check("poll", "Does it answer ten times a second?", Stage.VALUES, needs=_slow_enough)
async def poll_and_ping(exam: Examination) -> CheckResult:
    """Poll the battery at 10 Hz while the CAN bus is asked who is there, which takes seconds."""
    polls = exam.facts[PollFacts]
    bus = exam.facts[BusFacts]
    line = await exam.line()
    started = time.monotonic()
    wait = line.send(request(Command.PING_CAN))
    await _poll(exam, polls.poll, lambda: wait.done.is_set() or time.monotonic() - started > PING_PATIENCE)
    if line.closed and bus.can_ids is None and not wait.done.is_set():
        line = await exam.line()
        wait = line.send(request(Command.PING_CAN))
    ping = await line.await_reply(wait, PING_PATIENCE)
    if ping.reply is not None:
        bus.can_ids = PING_CAN.decode(ping.reply).reply.ids or ()
        bus.ping_seconds = ping.latency
    return describe(exam.facts, polls.poll)


@check(
    "poll", "Does it answer again and again?", Stage.VALUES, needs=_only_quick, depth=Depth.QUICK, quiet=True
)
async def quick_poll(exam: Examination) -> CheckResult:
    """Poll the battery a few times."""
    polls = exam.facts[PollFacts]
    await _poll(exam, polls.poll, lambda: len(polls.poll.probes) >= _QUICK_POLLS)
    return describe(exam.facts, polls.poll)


@check("movement", "Do the battery's values move?", Stage.FLOW, needs=may_watch)
async def watch_movement(exam: Examination) -> CheckResult:
    """Poll battery and motor controller in turn, and see which of their values move."""
    polls = exam.facts[PollFacts]
    movement = polls.movement
    seen = {*polls.poll.replies, exam.facts[PackFacts].reply}
    if exam.hurry() and len(seen) > 1:
        return passed(
            f"the battery's values moved while it was polled: {len(seen)} different replies",
            excludes="a BMS that is gone or frozen",
        )
    movement.controller_id = _controller(exam.facts)
    started = time.monotonic()
    seconds = exam.options.poll
    if not await _poll(exam, movement, lambda: time.monotonic() - started >= seconds):
        return describe(exam.facts, movement)
    return _judge_movement(movement)


async def _poll(exam: Examination, poll: Poll, over: Callable[[], bool]) -> bool:
    """Ask at 10 Hz until `over`; tell whether nothing ended it before."""
    started = time.monotonic()
    silent = 0
    while not over() or not poll.probes:
        began = time.monotonic()
        probe = await exam.ask(_PACK, exam.facts[PackFacts].asked, tries=1)
        poll.probes.append(probe)
        if poll.controller_id is not None or poll.controller:
            await _ask_motor(exam, poll)
        silent = 0 if _sign_of_life(probe) else silent + 1
        poll.seconds = time.monotonic() - started
        if silent >= _SILENT:
            if not await exam.check_alive():
                return False
            silent = 0
        if len(exam.facts[ConnectionFacts].disconnects) >= _ENOUGH_CLOSES:
            return False
        await asyncio.sleep(max(0.0, INTERVAL - (time.monotonic() - began)))
    return True


async def _ask_motor(exam: Examination, poll: Poll) -> None:
    route = poll.controller_id if poll.controller_id != -1 else None
    probe = await exam.ask(_MOTOR, route, tries=1)
    if probe.reply is not None:
        poll.controller.append(probe)


def _sign_of_life(probe: Probe) -> bool:
    return probe.reply is not None or probe.received > 0 or probe.closed


def describe(facts: Facts, poll: Poll) -> CheckResult:
    """Say how a poll went."""
    connection = facts[ConnectionFacts]
    asked = len(poll.probes)
    replies = [each for each in poll.probes if each.reply is not None]
    latency = Latency.of([each.latency for each in replies])
    counts = f"{len(replies)} of {asked} answered in {poll.seconds:.1f} s"
    answer = f"{counts}; {latency}" if latency else counts
    lost = [each for each in poll.probes if each.reply is None]
    evidence = [f"not answered: {instead(each)}" for each in lost[:3]]
    others = [number for each in poll.probes for number in each.others]
    if others:
        evidence.append(f"between the replies: {packets(others)}")
    pieces = max((each.pieces for each in replies), default=1)
    if pieces > 1:
        evidence.append(f"a reply of {len(replies[-1].frame)} bytes came in up to {pieces} pieces")
    if connection.fell_silent_after is not None:
        anew = (
            "a new connection is answered again"
            if connection.answers_anew
            else "nor is a new connection answered"
        )
        evidence.append(f"after {connection.fell_silent_after} replies nothing more came; {anew}")
    if not replies:
        return failed(answer, *evidence)
    if evidence or (latency is not None and latency.slow):
        return odd(answer, *evidence)
    return passed(answer, excludes="a slow or lossy link")


def _controller(facts: Facts) -> int | None:
    """Return the CAN id of a motor controller that answers; -1 for the device itself."""
    bus = facts[BusFacts]
    version = bus.version
    if version is not None and version.hw_type == HardwareType.CONTROLLER:
        return -1
    for can_id, node in bus.nodes.items():
        values = node.tried.get(Command.GET_VALUES)
        if can_id is not None and values is not None and values.reply is not None:
            return can_id
    return None


def motor_swing(poll: Poll) -> float:
    """Return by how much the motor's input current moved, in A."""
    currents = [
        current
        for each in poll.controller
        if each.reply is not None and (current := GET_VALUES.decode(each.reply).reply.current_in) is not None
    ]
    return max(currents) - min(currents) if currents else 0.0


def _judge_movement(poll: Poll) -> CheckResult:
    replies = len(poll.replies)
    distinct = len(set(poll.replies))
    motor = len({each.reply for each in poll.controller})
    said: tuple[str, ...] = (f"{distinct} different battery replies among {replies} in {poll.seconds:.1f} s",)
    if poll.controller:
        among = f"{motor} different controller replies among {len(poll.controller)}"
        said += (f"{among}; its input current moved by {motor_swing(poll):.2f} A",)
    lost = [each for each in poll.probes if each.reply is None]
    said += tuple(f"not answered: {instead(each)}" for each in lost[:3])
    if distinct > 1 and lost:
        return odd(f"the battery's values move, but {len(lost)} polls were not answered", *said)
    if distinct > 1:
        return passed(
            "the battery's values move: they are fresh", *said, excludes="a BMS that is gone or frozen"
        )
    if motor > 1:
        return odd("not one bit of the battery's values moved, though the controller's did", *said)
    return odd("no value moved: a pack at rest, or one that is gone; this cannot tell", *said)
