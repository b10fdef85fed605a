"""What the hardware types are, and the fault codes: data."""

from enum import IntEnum


class HardwareType(IntEnum):
    """HW_TYPE in the FW_VERSION reply [bldc datatypes.h]."""

    CONTROLLER = 0
    BMS = 1
    EXPRESS = 2

    @property
    def label(self) -> str:
        """Return the words for a user."""
        return _LABELS[self]


_LABELS = {
    HardwareType.CONTROLLER: "VESC controller",
    HardwareType.BMS: "VESC BMS",
    HardwareType.EXPRESS: "VESC Express",
}


def hardware_label(hardware: int | None) -> str:
    """Return `VESC Express` and the like, or a description of a type nobody knows."""
    if hardware is None:
        return "VESC device of unknown type"
    try:
        return HardwareType(hardware).label
    except ValueError:
        return f"VESC device of unknown type {hardware}"


#: mc_fault_code [bldc datatypes.h], by number, in words.
FAULTS = (
    "none",
    "over voltage",
    "under voltage",
    "gate driver (DRV)",
    "absolute over-current",
    "MOSFETs too hot",
    "motor too hot",
    "gate driver over voltage",
    "gate driver under voltage",
    "microcontroller under voltage",
    "booted from a watchdog reset",
    "encoder SPI",
    "encoder sin/cos below minimum amplitude",
    "encoder sin/cos above maximum amplitude",
    "flash corruption",
    "high offset of current sensor 1",
    "high offset of current sensor 2",
    "high offset of current sensor 3",
    "unbalanced currents",
    "brake",
    "resolver loss of tracking",
    "resolver degradation of signal",
    "resolver loss of signal",
    "flash corruption of the app configuration",
    "flash corruption of the motor configuration",
    "encoder has no magnet",
    "encoder magnet too strong",
    "phase filter",
    "encoder",
    "low-voltage output",
    "encoder slip",
    "overspeed",
    "underspeed",
    "absolute overspeed",
)


def fault_name(number: int) -> str:
    """Return a fault in words; `fault 99` for one that nobody knows."""
    return FAULTS[number] if 0 <= number < len(FAULTS) else f"fault {number}"
