"""What all entities share: their device, their names, and when they are available.

Entities are made from what the nodes report. A node or a quantity that turns up later gets its entities then.
"""

from collections.abc import Callable, Iterator

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from packwire.device.base import Node
from packwire.quantity import QUANTITIES, Value

from .const import DOMAIN
from .coordinator import NodeState, PackwireConfigEntry, PackwireCoordinator
from .descriptions import Part
from .plain import MOST_OF_A_NAME, name, plain


class PackwireEntity(CoordinatorEntity[PackwireCoordinator]):
    """An entity of one node."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: PackwireCoordinator, node: Node, description: EntityDescription) -> None:
        """Name the entity after its node and its description's key."""
        super().__init__(coordinator)
        self.entity_description = description
        self.node_key = node.key
        self._attr_unique_id = f"{coordinator.unique_id_of_node(node.key)}-{description.key}"
        self._attr_device_info = device_info(coordinator, node)
        if description.translation_placeholders:
            self._attr_translation_placeholders = description.translation_placeholders

    @property
    def state_of_node(self) -> NodeState | None:
        """Return what is known of the node; None where it was not there when last looked."""
        return self.coordinator.data.get(self.node_key)

    @property
    def available(self) -> bool:
        """Tell whether there is a connection, and values that are not too old."""
        return super().available and self.coordinator.usable(self.node_key)

    def amount(self, part: Part) -> Value | None:
        """Return a part's last value; None where it is not known."""
        state = self.state_of_node
        value = state.values.get(part.quantity.key) if state else None
        if part.element is None or not isinstance(value, tuple):
            return value
        return value[part.element] if part.element < len(value) else None


@callback
def add_entities_of_nodes(
    entry: PackwireConfigEntry,
    add: AddConfigEntryEntitiesCallback,
    make: Callable[[NodeState], Iterator[Entity]],
) -> None:
    """Add what `make` gives for each node, now and whenever it gives something new."""
    coordinator = entry.runtime_data
    known: set[str | None] = set()

    @callback
    def add_new() -> None:
        if coordinator.closing:
            return
        new = [
            entity
            for state in coordinator.data.values()
            for entity in make(state)
            if entity.unique_id not in known
        ]
        if new:
            known.update(entity.unique_id for entity in new)
            add(new)

    entry.async_on_unload(coordinator.async_add_listener(add_new))
    add_new()


def parts(state: NodeState) -> Iterator[Part]:
    """Yield what a node reports: each quantity, and each value of an array."""
    for key, value in state.values.items():
        quantity = QUANTITIES[key]
        if isinstance(value, tuple):
            digits = len(str(len(value)))
            yield from (Part(quantity, each, str(each + 1).zfill(digits)) for each in range(len(value)))
        else:
            yield Part(quantity)


def device_info(coordinator: PackwireCoordinator, node: Node) -> DeviceInfo:
    """Describe the device that a node becomes, and what it hangs on."""
    entry = coordinator.config_entry
    info = DeviceInfo(
        identifiers={(DOMAIN, coordinator.unique_id_of_node(node.key))},
        translation_key=node.kind.value,
        translation_placeholders={"name": name(entry.title), "number": _number(node)},
        manufacturer="VESC" if node.firmware else None,
        model=name(node.name),
        sw_version=plain(node.firmware, MOST_OF_A_NAME) or None,
    )
    if node.via is None:  # the one that we are connected to, whatever it is
        info["name"] = name(entry.title)
        del info["translation_key"], info["translation_placeholders"]
    if node.via is not None:
        info["via_device"] = (DOMAIN, coordinator.unique_id_of_node(node.via))
    return info


def _number(node: Node) -> str:
    return "" if node.number is None else str(node.number)
