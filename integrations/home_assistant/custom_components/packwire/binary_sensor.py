"""Binary sensors: one a flag of each node; of an array of flags one that tells whether any is set."""

from collections.abc import Iterator

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_CELLS
from .coordinator import NodeState, PackwireConfigEntry
from .descriptions import PackwireBinarySensorDescription, Part, binary_sensor
from .entity import PackwireEntity, add_entities_of_nodes, parts

# The coordinator reads; entities only show.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: PackwireConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of all nodes."""
    coordinator = entry.runtime_data
    cells = entry.options.get(CONF_CELLS, False)

    def make(state: NodeState) -> Iterator[BinarySensorEntity]:
        flags = [part for part in parts(state) if part.is_flag]
        arrays = dict.fromkeys(part.quantity for part in flags if part.element is not None)
        for part in [*map(Part, arrays), *flags]:
            yield PackwireBinarySensor(coordinator, state.node, binary_sensor(part, cells=cells))

    add_entities_of_nodes(entry, async_add_entities, make)


class PackwireBinarySensor(PackwireEntity, BinarySensorEntity):
    """One flag, or whether any of an array is set."""

    entity_description: PackwireBinarySensorDescription

    @property
    def is_on(self) -> bool | None:
        """Return the flag; None while it is unknown."""
        value = self.amount(self.entity_description.part)
        if isinstance(value, tuple):
            return any(value)
        return None if value is None else bool(value)
