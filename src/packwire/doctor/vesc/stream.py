"""How bytes flow: whether replies are held back or joined, and whether anything comes by itself."""

import asyncio

from packwire.check import CheckResult, Stage, check, odd, passed
from packwire.doctor.checks.words import packets
from packwire.doctor.examination import VERY_SLOW, Examination
from packwire.doctor.facts import ProbeFacts, StreamFacts, ms
from packwire.doctor.vesc.pack import has_pack
from packwire.doctor.vesc.poll import may_watch
from packwire.vesc.commands import Command
from packwire.vesc.requests import request

#: Pairs of requests, the second so many seconds behind the first.
_PAIRS = 4
_GAP = 0.015


def _stream(exam: Examination) -> str:
    if exam.target.is_serial:
        return "on a serial port bytes always come in pieces and joined"
    return may_watch(exam) or exam.hurry(VERY_SLOW)


@check("pairs", "Are replies held back?", Stage.FLOW, needs=_stream)
async def pairs_of_requests(exam: Examination) -> CheckResult:
    """Send two requests, one shortly after the other: a reply that waits for the second gives itself away."""
    stream = exam.facts[StreamFacts]
    latencies = []
    for _ in range(_PAIRS):
        line = await exam.line()
        first = line.send(request(Command.FW_VERSION))
        await asyncio.sleep(_GAP)
        if first.done.is_set():  # it came before the second was asked: not held back
            stream.pairs.append(False)
            continue
        second = line.send(request(Command.BMS_GET_VALUES))
        one = await line.await_reply(first, exam.patience())
        two = await line.await_reply(second, exam.patience())
        for probe in (one, two):
            exam.facts[ProbeFacts].note(probe)
        if one.reply is None or two.reply is None:
            continue
        stream.pairs.append(one.read == two.read)
        latencies.append(one.latency)
    stream.pair_latency = max(latencies, default=None)
    joined = sum(stream.pairs)
    if stream.pairs and joined == len(stream.pairs):
        return odd(
            f"in {joined} of {joined} pairs both replies came in one piece: replies are held back and joined",
            f"requests {ms(_GAP)} apart; the first reply after at most {ms(stream.pair_latency or 0)}",
        )
    return passed("each reply comes by itself", excludes="replies that are held back and joined")


@check("listen-after", "Does anything stream after a request?", Stage.FLOW, needs=has_pack)
async def listen_after(exam: Examination) -> CheckResult:
    """Listen after requests, as before them: some suspect a stream that a request starts."""
    stream = exam.facts[StreamFacts]
    seconds = exam.options.listen if exam.options.listen is not None else 0.5
    line = await exam.line()
    before, frames = len(line.unsolicited), line.stats.frames
    await line.wait_closed(seconds)
    stream.heard_after = line.stats.frames - frames
    if not stream.heard_after:
        return passed(
            f"nothing in {seconds:g} s: a VESC answers each request once and streams nothing",
            excludes="values that stream after a trigger",
        )
    kinds = packets(list(line.unsolicited)[before:])
    return odd(f"{stream.heard_after} packets came by themselves in {seconds:g} s: {kinds}")
