"""What it says of itself: read as `packwire read` does, some times, and looked at."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.device.base import Device
from packwire.device.client import Client
from packwire.device.reader import Reader
from packwire.doctor.ble.answers import can_ask, question
from packwire.doctor.ble.facts import AirFacts, AnswerFacts, FamilyFacts, LinkFacts, OpenFacts, ValueFacts
from packwire.doctor.ble.link import is_connected
from packwire.doctor.ble.session import client_of, leave, usual_way
from packwire.doctor.examination import Examination
from packwire.doctor.facts import ReadingFacts
from packwire.errors import PackwireError, Reason
from packwire.event import EventKind
from packwire.link.ble.link import BleLink
from packwire.link.ble.observed import Watch
from packwire.protocol.base import Options
from packwire.quantity import QUANTITIES, Scalar

#: Readings, and seconds between them.
READINGS, PAUSE = 3, 0.7
#: Readings where current flows and nothing moved before.
_MOST_READINGS = 9
#: Seconds for one answer where it is quick, and for all that is read.
_ANSWER, _ALL = 1.5, 20.0
#: V, %, degC, A: what a pack may say, at most and at least.
_CELL, _SOC, _WARMTH, _CURRENT = (0.5, 5.0), (0, 100), (-60, 160), 3000
#: How far (share, and V) the cells' sum may be from the pack's voltage: the two are not measured at once.
_SUM, _SUM_VOLTS = 0.06, 0.4
#: A from which on values of a pack move.
_FLOWS = 1.0


def _can_be_read(exam: Examination) -> str:
    facts = exam.facts[AnswerFacts]
    if exam.facts[FamilyFacts].plugin is not None:
        return is_connected(exam)
    if exam.spoken is None:
        return "nobody knows what it speaks"
    answered = facts.works or facts.answered or facts.early or facts.late or facts.anew
    if not answered and exam.protocol.asks and question(exam) is not None:
        return "it did not answer"
    return can_ask(exam)


@check("values", "What does it say?", Stage.VALUES, needs=_can_be_read, depth=Depth.QUICK)
async def values(exam: Examination) -> CheckResult:
    """Read it some times."""
    facts = exam.facts[ValueFacts]
    exam.facts[OpenFacts].doing = "it was read"
    read: list[dict[str, Any]] = []
    reader: Device | None = None
    try:
        reader = await _reader(exam)
        async with asyncio.timeout(_ALL), reader as device:
            while len(read) < READINGS or (_stands_still(read) and len(read) < _MOST_READINGS):
                if read:
                    await asyncio.sleep(PAUSE)
                samples = await device.read()
                read += [dict(each.values) for each in samples][:1]
    except (PackwireError, TimeoutError) as error:
        facts.failed = str(error) or f"it was not read in {_ALL:.0f} s"
        facts.reason = getattr(error, "reason", Reason.TIMED_OUT)
        if facts.reason is Reason.WRONG_PASSWORD:
            exam.facts[AnswerFacts].pin_refused = True
            exam.journal.tell(EventKind.REFUSED, "wrong-secret", "it refuses the password")
    if isinstance(reader, Reader):
        stats = reader.client.frame_stats
        facts.cut = bool(stats.waiting or stats.abandoned or stats.junk)
    return _looked_at(exam, [each for each in read if each])


def _stands_still(read: list[dict[str, Any]]) -> bool:
    """Tell whether no value moved though current flows."""
    flows = bool(read) and abs(read[-1].get("current", 0.0)) >= _FLOWS
    return flows and all(each == read[-1] for each in read)


async def _reader(exam: Examination) -> Device:
    plugin, seen = exam.facts[FamilyFacts].plugin, exam.facts[AirFacts].found
    if plugin is not None:
        from packwire.device.aiobmsble import AiobmsbleDevice  # noqa: PLC0415 - slow to import

        await leave(exam)  # it makes a connection of its own
        watch = Watch(listeners=[exam.journal.take])
        return AiobmsbleDevice(seen, plugin, pin=exam.address.pin, watch=watch)
    answers = exam.facts[AnswerFacts]
    client, session = await client_of(exam), exam.facts[OpenFacts]
    assert session.place is not None
    way = answers.answered[-1] if answers.answered else usual_way(exam)
    place = replace(session.place, write_type=way)
    link = BleLink(exam.address, exam.protocol, seen, on=client, place=place)
    session.dropped = link.dropped
    patience = max(_ANSWER, 1.5 * (answers.late or 0.0), 3 * (answers.first or 0.0))
    line = Client(link, exam.protocol, timeout=patience)
    return Reader(line, Options(pin=exam.address.pin or ""))


def _looked_at(exam: Examination, read: list[dict[str, Any]]) -> CheckResult:
    facts = exam.facts[ValueFacts]
    facts.read = len(read)
    if not read or not any(read):
        return failed(facts.failed or "it is read, and says nothing", *_ends(exam))
    exam.journal.tell(EventKind.READ, "worked", f"values were read {len(read)} times")
    last = read[-1]
    reading = exam.facts[ReadingFacts]
    reading.values = last
    reading.said = facts.said = _in_words(last)
    facts.impossible = tuple(impossible(last))
    cells = cast("Sequence[float]", last.get("cell_voltages", ()))
    if any(cells):
        facts.zero_cells = tuple(number for number, volts in enumerate(cells, 1) if volts == 0)
    facts.frozen = len(read) >= _MOST_READINGS and _stands_still(read)
    if facts.failed:
        return odd(f"{facts.said}; then: {facts.failed}", *_ends(exam))
    if facts.impossible:
        return odd(f"{facts.said}: impossible", *facts.impossible)
    if facts.zero_cells:
        return odd(f"{facts.said}; {_cells(facts.zero_cells)} at 0 V")
    if facts.frozen:
        return odd(f"{facts.said}; nothing moved in {len(read)} readings")
    return passed(facts.said, excludes="wrong values")


def _ends(exam: Examination) -> tuple[str, ...]:
    drops = exam.facts[LinkFacts].drops
    return tuple(f"the connection ended after {age:.1f} s: {doing}" for age, doing in drops[-3:])


def _cells(numbers: tuple[int, ...]) -> str:
    if len(numbers) == 1:
        return f"cell {numbers[0]} is"
    return f"cells {', '.join(map(str, numbers))} are"


def _in_words(read: Mapping[str, Any]) -> str:
    shown = [
        QUANTITIES[key].format(cast("Scalar", read[key]))
        for key in ("voltage", "current", "soc")
        if key in read
    ]
    cells = read.get("cell_voltages", ())
    if cells:
        shown.append(f"{len(cells)} cells of {min(cells):.3f} to {max(cells):.3f} V")
    return ", ".join(shown) or f"{len(read)} values"


def impossible(read: Mapping[str, Any]) -> list[str]:
    """Return in words what no pack says."""
    found = []
    cells = read.get("cell_voltages", ())
    wrong = [volts for volts in cells if volts and not _CELL[0] <= volts <= _CELL[1]]
    if wrong:
        found.append(f"a cell of {wrong[0]:.3f} V")
    volts = read.get("voltage")
    if volts and cells and all(cells) and abs(sum(cells) - volts) > _SUM * volts + _SUM_VOLTS:
        found.append(f"cells of {sum(cells):.2f} V together, in a pack of {volts:.2f} V")
    if "soc" in read and not _SOC[0] <= read["soc"] <= _SOC[1]:
        found.append(f"a state of charge of {read['soc']} %")
    if abs(read.get("current", 0)) > _CURRENT:
        found.append(f"a current of {read['current']:.0f} A")
    far = [each for each in read.get("temperatures", ()) if not _WARMTH[0] <= each <= _WARMTH[1]]
    if far:
        found.append(f"a temperature of {far[0]:.0f} °C")
    return found
