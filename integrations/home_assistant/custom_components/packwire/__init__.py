"""VESC battery packs and motor controllers in Home Assistant, read by packwire. Nothing here ever writes."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.typing import ConfigType
from homeassistant.util.hass_dict import HassKey

from packwire.quantity import QUANTITIES

from .const import CONF_CELLS, DOMAIN
from .coordinator import PackwireConfigEntry, PackwireCoordinator
from .discovery import start_discovery
from .entity import device_info
from .issues import forget

PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]
#: The entries whose issues are cleared when they are unloaded.
_WATCHED: HassKey[set[str]] = HassKey(f"{DOMAIN}_watched")
CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:  # noqa: ARG001 - the interface
    """Begin to listen for VESCs on the network."""
    start_discovery(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: PackwireConfigEntry) -> bool:
    """Connect; raise ConfigEntryNotReady while the VESC is asleep."""
    _forget_when_unloaded(hass, entry)
    coordinator = PackwireCoordinator(hass, entry)
    await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = coordinator

    async def hang_up(_event: Event) -> None:
        """Leave the VESC's one place to others at once."""
        await coordinator.async_shutdown()

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, hang_up))
    if entry.options.get(CONF_CELLS, False):
        _enable_cells(hass, entry)

    registered: set[tuple[str, str, str]] = set()

    @callback
    def register_devices() -> None:
        """Make the devices in the order in which they hang on each other, and again when they tell more."""
        for state in coordinator.data.values():
            node = state.node
            if (node.key, node.name, node.firmware) not in registered:
                registered.add((node.key, node.name, node.firmware))
                dr.async_get(hass).async_get_or_create(
                    config_entry_id=entry.entry_id, **device_info(coordinator, node)
                )

    register_devices()
    entry.async_on_unload(coordinator.async_add_listener(register_devices))
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    _reload_on_new_options(entry)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: PackwireConfigEntry) -> bool:
    """Remove the entities and hang up."""
    # First of all: a node that is found meanwhile would get entities on platforms that are gone already.
    await entry.runtime_data.async_shutdown()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: PackwireConfigEntry) -> None:
    """Leave no issue behind."""
    forget(hass, entry)


async def async_remove_config_entry_device(
    hass: HomeAssistant,
    entry: PackwireConfigEntry,
    device: dr.DeviceEntry,
) -> bool:
    """Let the owner remove a device that is no longer there; nobody knows while there is no connection."""
    if entry.state is not ConfigEntryState.LOADED or not entry.runtime_data.last_update_success:
        return False
    coordinator = entry.runtime_data
    keys = {(DOMAIN, coordinator.unique_id_of_node(key)): key for key in coordinator.data}
    silent = [keys[identifier] for identifier in device.identifiers if identifier in keys]
    if any(coordinator.usable(key) for key in silent):
        return False
    if silent:  # should it answer again one day, it is a new device then
        hass.config_entries.async_schedule_reload(entry.entry_id)
    return True


def _forget_when_unloaded(hass: HomeAssistant, entry: PackwireConfigEntry) -> None:
    """Clear the issues of an entry that is unloaded or disabled, also while it waits to be set up again."""
    watched = hass.data.setdefault(_WATCHED, set())
    if entry.entry_id in watched:
        return
    watched.add(entry.entry_id)

    @callback
    def state_changed() -> None:
        if entry.state is ConfigEntryState.NOT_LOADED:
            forget(hass, entry)

    entry.async_on_state_change(state_changed)


def _reload_on_new_options(entry: PackwireConfigEntry) -> None:
    """Set the entry up anew when its options change; its data change whenever the CAN bus was searched."""
    before: dict[str, Any] = dict(entry.options)

    async def updated(hass: HomeAssistant, entry: PackwireConfigEntry) -> None:
        if dict(entry.options) == before:
            return
        if before.get(CONF_CELLS, False) and not entry.options.get(CONF_CELLS, False):
            _disable_cells(hass, entry)
        await hass.config_entries.async_reload(entry.entry_id)

    entry.async_on_unload(entry.add_update_listener(updated))


def _cell_entities(hass: HomeAssistant, entry: PackwireConfigEntry) -> list[er.RegistryEntry]:
    """Return the entities of single cells."""
    per_cell = {f"{quantity.key}_each" for quantity in QUANTITIES.values() if quantity.per_cell}
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return [entity for entity in registered if entity.translation_key in per_cell]


def _enable_cells(hass: HomeAssistant, entry: PackwireConfigEntry) -> None:
    """Enable what is disabled because the option was off, not what its owner disabled.

    Home Assistant reloads an entry half a minute after an entity of it was enabled, unless it was disabled
    together with its entry. The entry is being set up here: once is enough.
    """
    registry = er.async_get(hass)
    for entity in _cell_entities(hass, entry):
        if entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION:
            for disabler in (er.RegistryEntryDisabler.CONFIG_ENTRY, None):
                registry.async_update_entity(entity.entity_id, disabled_by=disabler)


def _disable_cells(hass: HomeAssistant, entry: PackwireConfigEntry) -> None:
    registry = er.async_get(hass)
    for entity in _cell_entities(hass, entry):
        if entity.disabled_by is None:
            registry.async_update_entity(entity.entity_id, disabled_by=er.RegistryEntryDisabler.INTEGRATION)
