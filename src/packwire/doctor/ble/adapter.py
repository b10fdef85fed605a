"""This computer's side: the system's Bluetooth, and the adapter that is used."""

import asyncio

from packwire.check import CheckResult, Depth, Stage, check, failed, odd, passed
from packwire.doctor.ble.facts import AdapterFacts
from packwire.doctor.examination import Examination
from packwire.errors import PackwireError, Reason
from packwire.event import EventKind
from packwire.link.ble.adapters import adapters, is_told
from packwire.link.ble.failures import FAILURES, code_of, is_blocked, no_scan, unusable
from packwire.phrases import counted

#: Seconds for the system's answer.
_TIMEOUT = 5.0


def has_bluetooth(exam: Examination) -> str:
    """Need an adapter that can be used, as far as the system tells."""
    facts = exam.facts[AdapterFacts]
    if facts.reason is Reason.NOT_ALLOWED and exam.address.proxy is not None:
        return "it would take the proxy from another program (&take)"
    what = "the proxy gives no Bluetooth" if exam.address.proxy else "there is no Bluetooth"
    return what if facts.error else ""


def note_no_bluetooth(
    exam: Examination, error: PackwireError, code: str, kind: EventKind = EventKind.ADAPTER
) -> CheckResult:
    """Keep why there is no Bluetooth."""
    facts = exam.facts[AdapterFacts]
    facts.error, facts.code, facts.reason = str(error), code, error.reason
    exam.journal.tell(kind, code, str(error))
    return failed(str(error))


def _told(exam: Examination) -> str:
    if exam.address.proxy is not None:
        return "a proxy stands for the adapter"
    return "" if is_told() else "this system does not tell of its adapters"


@check("adapter", "Has this computer Bluetooth?", Stage.NAME, needs=_told, depth=Depth.QUICK, quiet=True)
async def adapter(exam: Examination) -> CheckResult:
    """Ask BlueZ for its adapters."""
    facts = exam.facts[AdapterFacts]
    try:
        async with asyncio.timeout(_TIMEOUT):
            found = await adapters()
    except FAILURES as error:
        late = isinstance(error, TimeoutError)
        return note_no_bluetooth(
            exam, no_scan(error), code_of(error, "bluez-hung" if late else "no-adapter")[0]
        )
    wanted = exam.address.adapter
    named = [each for each in found if not wanted or each.name == wanted]
    used = next((each for each in named if each.powered and each.low_energy is not False), None)
    facts.adapter = used or next(iter(named), None)
    if facts.adapter is None:
        return note_no_bluetooth(exam, unusable(wanted), "no-adapter")
    if not facts.adapter.powered:
        code = "blocked" if is_blocked() else "not-ready"
        return note_no_bluetooth(exam, unusable(facts.adapter.name, off=True), code)
    if facts.adapter.low_energy is False:
        return note_no_bluetooth(exam, unusable(facts.adapter.name, classic=True), "no-adapter")
    exam.journal.tell(EventKind.ADAPTER, "", f"adapter {facts.adapter.name}")
    energy = ", LE" if facts.adapter.low_energy else ""
    words = f"{facts.adapter.name}, powered{energy}"
    excludes = "no adapter, no rights, an adapter that is off or blocked"
    others = [name for name in facts.adapter.holds if name != exam.address.target]
    held = (f"it holds {counted(len(others), 'connection')} to other devices",)
    if facts.adapter.scanning:
        return odd(f"{words}; another program scans on it", *(held if others else ()), excludes=excludes)
    return passed(words, *(held if others else ()), excludes=excludes)
