"""What the page System > Repairs > System information says about packwire."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

import packwire

from .const import DOMAIN


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:  # noqa: ARG001
    """Say where the information comes from."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return how many VESCs there are and how many answer; no name and no address among it."""
    entries = hass.config_entries.async_entries(DOMAIN)
    loaded = [entry.runtime_data for entry in entries if entry.state is ConfigEntryState.LOADED]
    answering = [coordinator for coordinator in loaded if coordinator.last_update_success]
    return {
        "version": packwire.__version__,
        "configured": len(entries),
        "answering": len(answering),
        "nodes": sum(len(coordinator.data) for coordinator in answering),
    }
