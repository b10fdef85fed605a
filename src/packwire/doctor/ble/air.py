"""The air: whether the pack is heard, how loud, and as whose it advertises."""

from packwire.advertisement import Advertisement, is_weak
from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.ble.adapter import has_bluetooth, note_no_bluetooth
from packwire.doctor.ble.facts import AdapterFacts, AirFacts, FamilyFacts
from packwire.doctor.examination import Examination
from packwire.errors import UnreachableError
from packwire.event import EventKind
from packwire.link.ble.discovery import hear
from packwire.link.ble.failures import code_of
from packwire.models.aiobmsble_plugins import plugin_for
from packwire.protocols import protocol, recognised
from packwire.visible import printable

#: Seconds to listen for a pack that is not heard, and once more after no connection came about.
LISTEN, AGAIN = 10.0, 4.0
#: Advertisements that are enough to know how loud it is, with and without a name in them.
_ENOUGH, _NAMELESS = 3, 8
#: Others that are named, and whose addresses are kept.
_NAMED, _KEPT = 4, 60


def is_seen(exam: Examination) -> str:
    """Need a pack that is there."""
    return "" if exam.facts[AirFacts].seen is not None else has_bluetooth(exam) or "it was not seen"


def _enough(said: Advertisement, times: int) -> bool:
    return times >= (_ENOUGH if said.name else _NAMELESS)


@check("seen", "Is it heard?", Stage.NAME, needs=has_bluetooth, depth=Depth.QUICK)
async def seen(exam: Examination) -> CheckResult:
    """Listen until it is known how loud it is; where it is not heard, who else is."""
    address = exam.address
    seconds = exam.options.listen or LISTEN
    try:
        hearing = await hear(address.target, address.radio, seconds, _enough)
    except UnreachableError as error:
        if address.proxy is not None:
            return note_no_bluetooth(exam, error, "proxy-lost", EventKind.PROXY)
        code = exam.facts[AdapterFacts].code or code_of_error(error)
        return note_no_bluetooth(exam, error, code)
    exam.facts[AirFacts].hearing = hearing
    others = [each.advertisement for each in hearing.others]
    tell = exam.journal.tell
    for each in others[:_KEPT]:
        tell(EventKind.SEEN, "heard", f"{each.address} was heard", heard=each.address)
    heard = f"heard was {_called(others)}" if others else "nobody else was heard"
    via = f", via {address.proxy}" if address.proxy else ""
    if hearing.seen is None:
        words = f"{printable(address.target)} was not heard in {hearing.seconds:.0f} s"
        tell(EventKind.NOT_SEEN, "not-discovered", words, others=len(others), wanted=address.target)
        if not others and address.proxy is None:
            tell(EventKind.ADAPTER, "no-devices", f"no device at all was heard in {hearing.seconds:.0f} s")
        return failed(f"not in {hearing.seconds:.0f} s{via}; {heard}")
    said = hearing.seen.advertisement
    if hearing.seen.connected:
        tell(EventKind.CONNECTED, "already-connected", "this computer is connected to it already")
        return odd("this computer is connected to it already: by another program, or one that ended unclean")
    for strength in hearing.strengths:
        tell(EventKind.SEEN, "seen", f"heard at {strength} dBm", rssi=strength)
    tell(EventKind.SEEN, "last-heard", f"heard {hearing.age:.1f} s ago", age=round(hearing.age))
    name = f"{printable(said.name)}, " if said.name and said.name != address.target else ""
    loud = f", {said.rssi} dBm" if said.rssi is not None else ""
    words = f"{name}{hearing.times} times in {hearing.seconds:.1f} s{loud}, last {hearing.age:.1f} s ago{via}"
    if hearing.connectable is False:
        tell(EventKind.SEEN, "not-connectable", "it advertises that it takes no connection")
        return odd(f"{words}, not connectable")
    words += ", connectable" if hearing.connectable else ""
    beside = (heard,)
    excludes = "a pack that is off, out of reach, or connected to an app"
    if is_weak(said.rssi):
        return odd(f"{words}: weak", *beside, excludes=excludes)
    return passed(words, *beside, excludes=excludes)


def code_of_error(error: UnreachableError) -> str:
    """Return as what logs call the error that nothing can be listened for by."""
    return code_of(error.__cause__ or error, "no-adapter")[0]


def _called(others: list[Advertisement]) -> str:
    named = [f"{printable(each.name) or each.address} ({each.rssi} dBm)" for each in others[:_NAMED]]
    more = len(others) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


@check("family", "Whose is it?", Stage.NAME, needs=is_seen, depth=Depth.QUICK)
async def family(exam: Examination) -> CheckResult:
    """Choose what it is spoken to in: what the address says, else what it advertises."""
    facts = exam.facts[FamilyFacts]
    said = exam.facts[AirFacts].found.advertisement
    fits = recognised(said)
    facts.fits = tuple(each.name for each in fits)
    plugin = plugin_for(said)
    if said.name:
        exam.journal.device.names[printable(said.name)] += 1
    titles = ", ".join(each.title for each in fits) or (plugin.title if plugin else "")
    if exam.spoken is None:
        exam.spoken = next(iter(fits), None)
        facts.plugin = plugin if exam.spoken is None else None
        if exam.spoken is None and plugin is None:
            return failed(
                "what it advertises is known of no family",
                f"name {printable(said.name) or 'none'}, services {', '.join(said.service_uuids) or 'none'}",
            )
        exam.journal.device.plugins[exam.spoken.name if exam.spoken else plugin.name if plugin else ""] += 1
        return passed(f"it advertises as {titles} does", excludes="a model that was never heard of")
    exam.journal.device.plugins[exam.spoken.name] += 1
    if exam.spoken in fits or not titles:
        return passed(f"it is read as {exam.spoken.title}, as the address says")
    return odd(f"it is read as {exam.spoken.title}, as the address says, and advertises as {titles} does")


def titles_of(names: tuple[str, ...]) -> str:
    """Return the titles of protocols, for a sentence."""
    return " or ".join(protocol(name).title for name in names)
