"""What a pack says of itself: read as any program reads it, and looked at; whatever it hangs on."""

import asyncio
import time

from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.device.base import Device
from packwire.device.open import Observers, open_device
from packwire.direction import Direction
from packwire.doctor.examination import Examination
from packwire.doctor.facts import ContactFacts, ReadingFacts
from packwire.doctor.pack_facts import MOST_READINGS, ValuesFacts, in_words
from packwire.errors import PackwireError
from packwire.event import EventKind
from packwire.link.base import Observer
from packwire.phrases import few
from packwire.protocol.base import NodeKind
from packwire.sample import Condition

#: Seconds between two readings, and in which the first must be there.
_BETWEEN = 0.25
_FIRST = 20.0
#: Seconds that a second reading is waited for.
_SECOND = 12.0
#: The connection of the reader, in the transcript: behind those that the checks made.
_CONNECTION = 99


def is_read(exam: Examination) -> str:
    """Need a pack that answers, or that only sends."""
    answered = exam.facts[ContactFacts].answered
    return "" if answered else "it did not answer"


@check("values", "Does it tell of the battery?", Stage.VALUES, needs=is_read, depth=Depth.QUICK)
async def read_values(exam: Examination) -> CheckResult:
    """Read the pack as `packwire read` does, again and again for a while; look at what it says."""
    facts = exam.facts[ValuesFacts]
    await exam.hang_up()
    observers = Observers(stream=(_observer(exam),))
    try:
        async with asyncio.timeout(_FIRST + exam.options.poll):
            async with open_device(exam.address, observers=observers) as device:
                await read_again(exam, device, facts)
                facts.remarks = device.remarks
    except TimeoutError:
        facts.error = facts.error or f"no reading was whole within {_FIRST:g} s"
    except PackwireError as error:
        facts.error = str(error)
    return said(exam, facts)


def _observer(exam: Examination) -> Observer:
    def observe(direction: Direction, data: bytes) -> None:
        exam.transcript.add(_CONNECTION, direction, data)

    return observe


async def read_again(exam: Examination, device: Device, facts: ValuesFacts) -> None:
    """Read an open device for as long as the options say. Raises PackwireError."""
    begun = time.monotonic()
    heard = _frames(device)
    while len(facts.readings) < MOST_READINGS:
        samples = await device.read()
        batteries = [each.key for each in device.nodes if each.kind is NodeKind.BATTERY]
        sample = next((each for each in samples if each.node in batteries), None)
        now = _frames(device)
        if sample is not None and sample.condition is Condition.SILENT:
            facts.error = sample.reason
        elif sample is not None and sample.values and (now > heard or not now or not facts.readings):
            facts.readings.append(sample.values)
            facts.seconds = time.monotonic() - begun
            exam.journal.tell(EventKind.READ, "worked", f"read {in_words(sample.values)}")
        heard = now
        enough = exam.options.depth is Depth.QUICK and len(facts.readings) > 1
        passed_by = time.monotonic() - begun
        # What sends by itself may do so every few seconds; one reading tells nothing of whether values move.
        long_enough = len(facts.readings) > 1 or facts.error or passed_by >= _SECOND
        if enough or (passed_by >= exam.options.poll and long_enough):
            return
        await asyncio.sleep(_BETWEEN)


def _frames(device: Device) -> int:
    """Return how many frames came so far: a reading that asked nothing anew is none."""
    return device.statistics.frames or device.statistics.replies


def said(exam: Examination, facts: ValuesFacts) -> CheckResult:
    """Return what was read as the result of a check."""
    reading, last = exam.facts[ReadingFacts], facts.last
    reading.values, reading.said = dict(last), in_words(last)
    if not last:
        facts.error = facts.error or "nothing was said of a battery"
        return failed(f"no values: {facts.error}", *facts.remarks)
    words = f"{reading.said}; {len(facts.readings)} readings in {facts.seconds:.1f} s"
    problems = [f"cell {few(map(str, facts.dead_cells))} is at 0 V"] * bool(facts.dead_cells)
    problems += [*facts.impossible, *["nothing moved, though current flows"] * facts.frozen]
    if problems:
        return odd(f"{words}: {few(problems)}", *facts.remarks)
    return passed(words, *facts.remarks, excludes="a device that holds no battery's values")
