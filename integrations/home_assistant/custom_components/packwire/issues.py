"""What an owner should know and can mend: raised once, with what to do, and gone when it is over."""

from dataclasses import dataclass
from time import monotonic

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.hass_dict import HassKey

from packwire.errors import PackwireError
from packwire.sample import Condition

from .connection import VescAddress
from .const import CONF_REPAIR_AFTER, DEFAULT_REPAIR_AFTER, DOMAIN
from .plain import MOST_OF_A_STATE, in_markdown, name, plain
from .reasons import TOLD, examine

NOT_ANSWERING = "not_answering"
DISPLACED = "displaced"
NO_BMS = "no_bms"
BMS_SILENT = "bms_silent"
ISSUES = (NOT_ANSWERING, DISPLACED, NO_BMS, BMS_SILENT)
TRANSLATION_KEYS = frozenset(
    {
        DISPLACED,
        NO_BMS,
        *(f"{BMS_SILENT}_{condition}" for condition in (Condition.STALE, Condition.SILENT)),
        *(f"{NOT_ANSWERING}_{told}" for told in TOLD),
    }
)


@dataclass(slots=True)
class _Outage:
    """Since when (s, monotonic) a VESC does not answer, and of which kind of failure the owner was told."""

    since: float
    told_of: type[PackwireError] | None = None


#: By config entry; outlives the attempts to set the entry up.
_OUTAGES: HassKey[dict[str, _Outage]] = HassKey(f"{DOMAIN}_outages")


class Issues:
    """The issues of one config entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Raise nothing yet."""
        self._hass = hass
        self._entry = entry

    @callback
    def answered(self, *, settled: bool) -> None:
        """Take note that the VESC answers; `settled`: for long enough, so that nobody displaces us now."""
        self._outages.pop(self._entry.entry_id, None)
        self._clear(NOT_ANSWERING)
        if settled:
            self._clear(DISPLACED)

    async def unanswered(self, error: PackwireError, address: VescAddress) -> None:
        """Take note that it does not; after the minutes that the options set, ask the doctor and tell."""
        outage = self._outages.setdefault(self._entry.entry_id, _Outage(monotonic()))
        minutes = self._entry.options.get(CONF_REPAIR_AFTER, DEFAULT_REPAIR_AFTER)
        if monotonic() - outage.since < minutes * 60 or outage.told_of is type(error):
            return
        finding = await examine(error, address)
        outage.told_of = type(error)
        self._raise(
            NOT_ANSWERING,
            finding.told,
            minutes=f"{minutes:g}",
            verdict=finding.verdict,
            error=in_markdown(plain(finding.error, MOST_OF_A_STATE)),
        )

    @callback
    def displaced(self) -> None:
        """Tell that another client took this VESC at its hub."""
        self._raise(DISPLACED)

    @callback
    def no_bms(self) -> None:
        """Tell that the VESC hears no BMS."""
        self._clear(BMS_SILENT)
        self._raise(NO_BMS)

    @callback
    def bms_silent(self, condition: Condition) -> None:
        """Tell that the BMS stopped reporting: its values are stale, or the VESC tells none."""
        self._clear(NO_BMS)
        self._raise(BMS_SILENT, condition)

    @callback
    def bms_reports(self) -> None:
        """Take note that neither is so."""
        self._clear(NO_BMS)
        self._clear(BMS_SILENT)

    @property
    def _outages(self) -> dict[str, _Outage]:
        return self._hass.data.setdefault(_OUTAGES, {})

    def _raise(self, kind: str, reason_key: str = "", **placeholders: str) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._id(kind),
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING if kind == DISPLACED else ir.IssueSeverity.ERROR,
            translation_key=f"{kind}_{reason_key}" if reason_key else kind,
            translation_placeholders={"name": name(self._entry.title), **placeholders},
        )

    def _clear(self, kind: str) -> None:
        ir.async_delete_issue(self._hass, DOMAIN, self._id(kind))

    def _id(self, kind: str) -> str:
        return f"{kind}_{self._entry.entry_id}"


@callback
def forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove all issues of an entry that was unloaded or removed."""
    hass.data.get(_OUTAGES, {}).pop(entry.entry_id, None)
    for kind in ISSUES:
        ir.async_delete_issue(hass, DOMAIN, f"{kind}_{entry.entry_id}")
