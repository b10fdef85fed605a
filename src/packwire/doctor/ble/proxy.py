"""The proxy by which the pack is reached: whether it answers, and what it lends."""

from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.ble.adapter import note_no_bluetooth
from packwire.doctor.ble.facts import ProxyFacts
from packwire.doctor.examination import Examination
from packwire.errors import Reason, UnreachableError
from packwire.event import EventKind
from packwire.link.ble.proxy import Slots, opened

#: Why an ESPHome device is not reached; all else is its configuration.
UNREACHABLE = {
    *(Reason.UNKNOWN_NAME, Reason.PORT_REFUSED, Reason.TIMED_OUT),
    *(Reason.NO_ROUTE, Reason.FOREIGN),
}


def _named(exam: Examination) -> str:
    return "" if exam.address.proxy is not None else "no proxy is named"


@check("proxy", "Does the proxy lend its Bluetooth?", Stage.NAME, needs=_named, depth=Depth.QUICK, quiet=True)
async def proxy(exam: Examination) -> CheckResult:
    """Open its API, and keep it open as long as the examination lasts."""
    facts, journal = exam.facts[ProxyFacts], exam.journal
    assert exam.address.proxy is not None
    try:
        found = await exam.open.enter_async_context(opened(exam.address.proxy))
    except UnreachableError as error:
        facts.error, facts.reason = str(error), error.reason
        code = "proxy-unreachable" if error.reason in UNREACHABLE else ""
        return note_no_bluetooth(exam, error, code, EventKind.PROXY)
    facts.found = found
    found.over.add(lambda: journal.tell(EventKind.PROXY, "proxy-lost", f"{found.who} ended the connection"))
    words = f"{found.who} answers, ESPHome {found.version}"
    refusal = found.refusal()
    if refusal is not None:
        facts.error, facts.reason = str(refusal), refusal.reason
        code = "proxy-too-old" if found.has_proxy and not found.is_recent else ""
        result = note_no_bluetooth(exam, refusal, code, EventKind.PROXY)
        if refusal.reason is Reason.NO_BLUETOOTH:
            return result
    if not found.active:
        journal.tell(EventKind.PROXY, "proxy-passive", f"{words}, and makes no connections")
        return odd(f"{words}, listens only (active: false)")
    if refusal is not None and refusal.reason is Reason.BUSY:
        return odd(f"{words}, and gives its Bluetooth to another program")
    return passed(f"{words}, active connections", excludes="its network, its key, a passive proxy")


def _tells_slots(exam: Examination) -> str:
    found = exam.facts[ProxyFacts].found
    return "" if found is not None and found.active and found.is_recent else "no proxy that connects"


@check(
    "slots",
    "Has the proxy a connection free?",
    Stage.NAME,
    needs=_tells_slots,
    depth=Depth.QUICK,
    quiet=True,
)
async def slots(exam: Examination) -> CheckResult:
    """See which connections the proxy holds before this one, once those that just end had their time."""
    facts = exam.facts[ProxyFacts]
    assert facts.found is not None
    await facts.found.settle_slots()
    if facts.found.lost:
        return failed(facts.found.went)
    facts.slots = told = facts.found.slots
    if told is None:
        return odd("it does not tell its connection slots")
    by = (f"taken by {', '.join(told.held)}",) if told.held else ()
    words = slots_words(told)
    numbers = {"used": told.limit - told.free, "free": told.free, "limit": told.limit}
    exam.journal.tell(EventKind.SLOTS, "slots", words, **numbers)
    facts.holds_pack = exam.address.target.upper() in told.held
    if facts.holds_pack:
        return odd(f"{words}; it is connected to this pack already", *by)
    if told.free <= 0:
        return failed(words, *by)
    return passed(words, *by, excludes="a proxy whose connections are all taken")


def slots_words(told: Slots) -> str:
    """Return how many slots are free, for a sentence."""
    if told.free <= 0:
        return f"all {told.limit} connection slots are taken"
    return f"{told.free} of {told.limit} connection slots free"


def may_connect(exam: Examination) -> str:
    """Need a proxy that can make one more connection, where a proxy is what connects."""
    facts = exam.facts[ProxyFacts]
    if facts.found is None:
        return ""
    if not facts.found.active:
        return "the proxy makes no connections"
    return "the proxy has no connection free" if facts.slots is not None and facts.slots.free <= 0 else ""


def _taken(exam: Examination) -> str:
    found = exam.facts[ProxyFacts].found
    return "" if found is not None and found.taken_from else "nobody had it"


@check("taken", "Whose was the proxy?", Stage.LAST, needs=_taken, depth=Depth.QUICK, quiet=True)
async def taken(exam: Examination) -> CheckResult:
    """Tell whom the proxy's Bluetooth was taken from: that one is not told."""
    found = exam.facts[ProxyFacts].found
    assert found is not None
    return odd(found.remark)
