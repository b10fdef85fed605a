"""What an owner may attach to a report: everything that helps, nothing that lets anybody in."""

from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_HOST, CONF_PASSWORD
from homeassistant.core import HomeAssistant

import packwire

from .const import CONF_HUB_ID
from .coordinator import PackwireConfigEntry, PackwireCoordinator

_SECRET = (CONF_HOST, CONF_HUB_ID, CONF_PASSWORD)

_COUNTED = ("requests", "replies", "timeouts", "late", "unasked", "unsolicited")


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: PackwireConfigEntry,
) -> dict[str, Any]:
    """Return the entry, the connection's account, and the last sample of each node."""
    coordinator = entry.runtime_data
    facts = {
        "packwire": packwire.__version__,
        "entry": async_redact_data(dict(entry.data), _SECRET),
        "options": dict(entry.options),
        "failure": coordinator.failure,
        "connection": _connection(coordinator),
        "nodes": {
            key: {
                "kind": state.node.kind,
                "name": state.node.name,
                "firmware": state.node.firmware,
                "can_id": state.node.number,
                "via": state.node.via,
                "condition": state.sample.condition,
                "reason": state.sample.reason,
                "usable": coordinator.usable(key),
                "values": dict(state.values),
            }
            for key, state in coordinator.data.items()
        },
    }
    redacted: dict[str, Any] = _without(
        facts, [str(entry.data[key]) for key in _SECRET if entry.data.get(key)]
    )
    return redacted


def _connection(coordinator: PackwireCoordinator) -> dict[str, Any] | None:
    """Return what a connection has counted; None while there is none."""
    device = coordinator.device
    if device is None:
        return None
    statistics = device.statistics
    latencies = sorted(statistics.latencies)
    return {
        "requests": {name: getattr(statistics, name) for name in _COUNTED},
        "bytes_received": statistics.bytes_received,
        "frames": statistics.frames,
        "remarks": list(device.remarks),
        "latency_median_s": round(latencies[len(latencies) // 2], 4) if latencies else None,
        "latency_most_s": round(latencies[-1], 4) if latencies else None,
    }


def _without(value: Any, secrets: list[str]) -> Any:
    """Return `value` with the secrets taken out of its texts too: an error names its host."""
    if isinstance(value, dict):
        return {key: _without(each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without(each, secrets) for each in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, REDACTED)
    return value
