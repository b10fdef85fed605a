"""From a quantity to the description of its entity: nothing here knows a single quantity by name."""

from dataclasses import dataclass

from homeassistant.components.binary_sensor import BinarySensorEntityDescription
from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import REVOLUTIONS_PER_MINUTE, EntityCategory, UnitOfTemperature

from packwire.quantity import Kind, Quantity


@dataclass(frozen=True, slots=True)
class _Nature:
    """What Home Assistant calls values of one kind; `counted` is their state class where they only grow."""

    device_class: SensorDeviceClass | None = None
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT
    counted: SensorStateClass | None = SensorStateClass.TOTAL_INCREASING


_NATURES = {
    Kind.VOLTAGE: _Nature(SensorDeviceClass.VOLTAGE),
    Kind.CURRENT: _Nature(SensorDeviceClass.CURRENT),
    Kind.POWER: _Nature(SensorDeviceClass.POWER),
    Kind.CHARGE: _Nature(None, SensorStateClass.TOTAL),  # Home Assistant has no device class for Ah
    Kind.ENERGY: _Nature(SensorDeviceClass.ENERGY, SensorStateClass.TOTAL),
    Kind.TEMPERATURE: _Nature(SensorDeviceClass.TEMPERATURE),
    Kind.PERCENT: _Nature(),
    Kind.CHARGE_LEVEL: _Nature(SensorDeviceClass.BATTERY),
    Kind.HUMIDITY: _Nature(SensorDeviceClass.HUMIDITY),
    Kind.PRESSURE: _Nature(SensorDeviceClass.PRESSURE),
    Kind.ROTATION: _Nature(),
    Kind.SPEED: _Nature(SensorDeviceClass.SPEED),
    Kind.DISTANCE: _Nature(SensorDeviceClass.DISTANCE),
    Kind.DURATION: _Nature(SensorDeviceClass.DURATION),
    Kind.RESISTANCE: _Nature(),
    Kind.SIGNAL: _Nature(SensorDeviceClass.SIGNAL_STRENGTH),
    Kind.COUNT: _Nature(),
    Kind.TEXT: _Nature(None, None),
}
#: Where Home Assistant spells a unit in its own way; all others are spelled alike.
_UNITS = {"degC": UnitOfTemperature.CELSIUS, "rpm": REVOLUTIONS_PER_MINUTE, "Ohm": "Ω", "": None}


@dataclass(frozen=True, slots=True)
class Part:
    """What one entity shows: a quantity, or of an array the value of one `element` (from 0).

    `number` is that element's number for people, from 1 and with leading zeros, so that names sort.
    """

    quantity: Quantity
    element: int | None = None
    number: str = ""

    @property
    def is_flag(self) -> bool:
        """Tell whether this becomes a binary sensor."""
        return self.quantity.kind is Kind.FLAG

    @property
    def is_of_a_cell(self) -> bool:
        """Tell whether this is about a single cell."""
        return self.element is not None and self.quantity.per_cell

    @property
    def key(self) -> str:
        """Return what names it among the entities of its node."""
        return self.quantity.key if self.element is None else f"{self.quantity.key}-{self.element + 1}"

    @property
    def translation_key(self) -> str:
        """Return what its name and icon are found by."""
        return self.quantity.key if self.element is None else f"{self.quantity.key}_each"

    @property
    def placeholders(self) -> dict[str, str] | None:
        """Return what its name has to be filled in with."""
        return {"number": self.number} if self.number else None


@dataclass(frozen=True, kw_only=True)
class PackwireSensorDescription(SensorEntityDescription):
    """A sensor for a part."""

    part: Part


@dataclass(frozen=True, kw_only=True)
class PackwireBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor for a flag; for a whole array of flags: whether any is set."""

    part: Part


def sensor(part: Part, *, cells: bool) -> PackwireSensorDescription:
    """Describe the sensor of a part; `cells`: values of single cells are enabled by default."""
    quantity = part.quantity
    nature = _NATURES[quantity.kind]
    is_number = nature.state_class is not None
    return PackwireSensorDescription(
        key=part.key,
        translation_key=part.translation_key,
        translation_placeholders=part.placeholders,
        device_class=nature.device_class,
        state_class=nature.counted if quantity.counter else nature.state_class,
        native_unit_of_measurement=_UNITS.get(quantity.unit, quantity.unit),
        suggested_display_precision=quantity.precision if is_number else None,
        entity_category=_category(quantity),
        entity_registry_enabled_default=cells or not part.is_of_a_cell,
        part=part,
    )


def binary_sensor(part: Part, *, cells: bool) -> PackwireBinarySensorDescription:
    """Describe the binary sensor of a flag; `cells` as above."""
    return PackwireBinarySensorDescription(
        key=part.key,
        translation_key=part.translation_key,
        translation_placeholders=part.placeholders,
        entity_category=_category(part.quantity),
        entity_registry_enabled_default=cells or not part.is_of_a_cell,
        part=part,
    )


def _category(quantity: Quantity) -> EntityCategory | None:
    return EntityCategory.DIAGNOSTIC if quantity.diagnostic else None
