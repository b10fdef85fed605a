"""Why a connection failed, as the doctor sees it, and as a key that the translations have words for."""

from dataclasses import dataclass

from packwire.address import LinkKind
from packwire.check import Depth
from packwire.doctor.examination import ExaminationOptions
from packwire.doctor.examine import examine as ask_doctor
from packwire.doctor.registry import load as load_checks
from packwire.errors import BadAddressError, DisplacedError, GoneError, PackwireError, RefusedError
from packwire.link.hub import Presence, ping_hub

from .connection import VescAddress

load_checks()  # here, so that nothing is imported while the event loop runs

#: Seconds that the doctor may take; a silent device takes it about ten.
DOCTOR_LIMIT = 20.0
#: Only what a verdict on a device that gives nothing needs.
DOCTOR_OPTIONS = ExaminationOptions(depth=Depth.QUICK)

BAD_LOGIN = "bad_login"
DISPLACED = "displaced"
GONE = "gone"
SILENT = "silent"
#: The reason for each of the doctor's verdicts that end in no connection; see docs/reference/verdicts.md.
_OF_VERDICT = {
    "unknown-name": "unknown_host",
    "refused-port": "refused",
    "no-access": "unreachable",
    "nothing-there": "unreachable",
    "unknown-id": "no_such_id",
    "wrong-password": "wrong_password",
    "hub-hung": "hub_hung",
    "mute-behind-hub": "mute_behind_hub",
    "hub-port": "hub_port",
    "not-a-vesc": "not_a_vesc",
    "echo": "not_a_vesc",
    "occupied": "occupied",
    "unserved": "occupied",
    "unread": "not_a_vesc",
    "mute": SILENT,
    "falls-silent": SILENT,
    "closes": GONE,
    "cut-off": GONE,
    "cut-mid-reply": GONE,
    "displaced": DISPLACED,
    "no-hub": "hub_hung",
    "left-hub": "no_such_id",
    "gone": GONE,
}
#: Every reason that there is.
REASONS = frozenset({BAD_LOGIN, *_OF_VERDICT.values()})
#: Verdicts about which a repair can tell more than their reason does; the others have their reason's words.
TOLD_BY_THEMSELVES = frozenset(
    {"echo", "unserved", "unread", "falls-silent", "closes", "cut-off", "cut-mid-reply"}
)
#: What the translations have no words for: the error speaks for itself, in English.
OTHER = "other"
TOLD = frozenset({OTHER, *REASONS, *(verdict.replace("-", "_") for verdict in TOLD_BY_THEMSELVES)})


@dataclass(frozen=True, slots=True)
class Finding:
    """One of REASONS for a form, one of TOLD for a repair; the doctor's verdict, if any, and the error."""

    reason: str
    told: str
    verdict: str
    error: str


async def examine(error: PackwireError, address: VescAddress) -> Finding:
    """Find out why a connection failed with `error`; the doctor connects anew to see for himself."""
    if isinstance(error, BadAddressError):
        return Finding(BAD_LOGIN, BAD_LOGIN, "", str(error))
    if isinstance(error, DisplacedError):  # whoever it was may have gone again
        return Finding(DISPLACED, DISPLACED, DISPLACED, str(error))
    verdict = (await ask_doctor(address, DOCTOR_OPTIONS, limit=DOCTOR_LIMIT)).verdict.key
    reason = _OF_VERDICT.get(verdict)
    if reason is None:  # it works now, or not well: what happened before is all there is to say
        return Finding(GONE if isinstance(error, GoneError) else SILENT, OTHER, verdict, str(error))
    told = verdict.replace("-", "_") if verdict in TOLD_BY_THEMSELVES else reason
    return Finding(reason, told, verdict, str(error))


async def is_wrong_password(error: PackwireError, address: VescAddress) -> bool:
    """Tell whether a hub that closed at login knows the id, so that the password must be wrong."""
    if not isinstance(error, RefusedError) or address.link is not LinkKind.HUB:
        return False
    try:
        return await ping_hub(address.host, address.port, address.user) is Presence.THERE
    except PackwireError:
        return False
