"""Sensors: one a quantity of each node, one a cell, and how far each node's values can be trusted."""

from collections.abc import Iterator

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from packwire.device.base import NodeKind
from packwire.sample import Condition

from .const import CONF_CELLS
from .coordinator import NodeState, PackwireConfigEntry
from .descriptions import PackwireSensorDescription, sensor
from .entity import PackwireEntity, add_entities_of_nodes, parts
from .plain import MOST_OF_A_STATE, plain

# The coordinator reads; entities only show.
PARALLEL_UPDATES = 0

CONDITION = SensorEntityDescription(
    key="condition",
    translation_key="condition",
    device_class=SensorDeviceClass.ENUM,
    options=[condition.value for condition in Condition],
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: PackwireConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of all nodes."""
    coordinator = entry.runtime_data
    cells = entry.options.get(CONF_CELLS, False)

    def make(state: NodeState) -> Iterator[SensorEntity]:
        if state.node.kind is not NodeKind.GATEWAY:
            yield ConditionSensor(coordinator, state.node, CONDITION)
        for part in parts(state):
            if not part.is_flag:
                yield PackwireSensor(coordinator, state.node, sensor(part, cells=cells))

    add_entities_of_nodes(entry, async_add_entities, make)


class PackwireSensor(PackwireEntity, SensorEntity):
    """One quantity, or one value of an array."""

    entity_description: PackwireSensorDescription

    @property
    def native_value(self) -> StateType:
        """Return the value with the decimals that mean something; None while it is unknown."""
        part = self.entity_description.part
        value = self.amount(part)
        assert not isinstance(value, tuple)
        if isinstance(value, str):
            return plain(value, MOST_OF_A_STATE)
        return round(value, part.quantity.precision) if isinstance(value, float) else value


class ConditionSensor(PackwireEntity, SensorEntity):
    """Whether a node's values are fresh; it stays available when they are not: that is what it tells."""

    _unrecorded_attributes = frozenset({"reason"})  # it counts seconds

    @property
    def available(self) -> bool:
        """Tell whether there is a connection."""
        return self.coordinator.last_update_success and self.state_of_node is not None

    @property
    def native_value(self) -> str | None:
        """Return the condition of the last sample."""
        state = self.state_of_node
        return state.sample.condition.value if state else None

    @property
    def extra_state_attributes(self) -> dict[str, str]:
        """Return why the values are not fresh."""
        state = self.state_of_node
        reason = plain(state.sample.reason, MOST_OF_A_STATE) if state else ""
        return {"reason": reason} if reason else {}
