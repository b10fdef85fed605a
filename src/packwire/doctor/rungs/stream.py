"""How bytes flow: whether replies are held back or joined, and whether anything comes by itself."""

import asyncio

from packwire.doctor.case import VERY_SLOW, Case, Depth
from packwire.doctor.facts import ms
from packwire.doctor.rungs.pack import has_pack
from packwire.doctor.rungs.poll import may_watch
from packwire.doctor.rungs.step import Result, Step, odd, passed
from packwire.doctor.rungs.words import packets
from packwire.vesc.commands import Command
from packwire.vesc.requests import request

#: Pairs of requests, the second so many seconds behind the first.
_PAIRS = 4
_GAP = 0.015


async def pairs_of_requests(case: Case) -> Result:
    """Send two requests, one shortly after the other: a reply that waits for the second gives itself away."""
    facts = case.facts
    latencies = []
    for _ in range(_PAIRS):
        line = await case.line()
        first = line.send(request(Command.FW_VERSION))
        await asyncio.sleep(_GAP)
        if first.done.is_set():  # it came before the second was asked: not held back
            facts.pairs.append(False)
            continue
        second = line.send(request(Command.BMS_GET_VALUES))
        one = await line.await_reply(first, case.patience())
        two = await line.await_reply(second, case.patience())
        for exchange in (one, two):
            facts.note(exchange)
        if one.reply is None or two.reply is None:
            continue
        facts.pairs.append(one.read == two.read)
        latencies.append(one.latency)
    facts.pair_latency = max(latencies, default=None)
    joined = sum(facts.pairs)
    if facts.pairs and joined == len(facts.pairs):
        return odd(
            f"in {joined} of {joined} pairs both replies came in one piece: replies are held back and joined",
            f"requests {ms(_GAP)} apart; the first reply after at most {ms(facts.pair_latency or 0)}",
        )
    return passed("each reply comes by itself", rules_out="replies that are held back and joined")


async def listen_after(case: Case) -> Result:
    """Listen after requests, as before them: some suspect a stream that a request starts."""
    seconds = case.options.listen if case.options.listen is not None else 0.5
    line = await case.line()
    before, frames = len(line.unsolicited), line.stats.frames
    await line.wait_closed(seconds)
    case.facts.heard_after = line.stats.frames - frames
    if not case.facts.heard_after:
        return passed(
            f"nothing in {seconds:g} s: a VESC answers each request once and streams nothing",
            rules_out="values that stream after a trigger",
        )
    kinds = packets(list(line.unsolicited)[before:])
    return odd(f"{case.facts.heard_after} packets came by themselves in {seconds:g} s: {kinds}")


def _stream(case: Case) -> str:
    if case.is_serial:
        return "on a serial port bytes always come in pieces and joined"
    return may_watch(case) or case.hurry(VERY_SLOW)


PAIRS_STEP = Step("pairs", "Are replies held back?", pairs_of_requests, _stream)
AFTER_STEP = Step(
    "listen-after", "Does anything stream after a request?", listen_after, has_pack, Depth.USUAL
)
