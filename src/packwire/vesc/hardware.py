"""What the hardware types are, which commands each one answers, and the fault codes: data.

A VESC device meets a command that it does not know with silence, so "who answers what" is the difference
between a fault and a question that nobody would ever answer. Read off [bldc comm/commands.c, vesc_express
main/commands.c and main/bms.c, vesc_bms_fw commands.c].
"""

from enum import IntEnum

from packwire.vesc.commands import Command


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

_EVERYONE = frozenset(
    {
        Command.FW_VERSION,
        Command.PING_CAN,
        Command.GET_CUSTOM_CONFIG,
        Command.GET_CUSTOM_CONFIG_DEFAULT,
        Command.GET_CUSTOM_CONFIG_XML,
        Command.SET_CUSTOM_CONFIG,
        Command.BMS_GET_VALUES,
        Command.FW_INFO,
        Command.CAN_UPDATE_BAUD_ALL,
    }
)

_WITH_LISP = frozenset(
    {
        Command.GET_QML_UI_HW,
        Command.GET_QML_UI_APP,
        Command.LISP_READ_CODE,
        Command.LISP_WRITE_CODE,
        Command.LISP_ERASE_CODE,
        Command.LISP_SET_RUNNING,
        Command.LISP_GET_STATS,
        Command.LISP_STREAM_CODE,
        Command.QMLUI_ERASE,
        Command.QMLUI_WRITE,
        Command.IO_BOARD_GET_ALL,
        Command.GET_IMU_DATA,
        Command.GET_GNSS,
    }
)

#: Which commands a device of each type ever answers. Older firmware knows fewer.
ANSWERS: dict[HardwareType, frozenset[Command]] = {
    HardwareType.EXPRESS: _EVERYONE
    | _WITH_LISP
    | {
        Command.ERASE_NEW_APP,
        Command.WRITE_NEW_APP_DATA,
        Command.FILE_LIST,
        Command.FILE_READ,
        Command.FILE_WRITE,
        Command.FILE_MKDIR,
        Command.FILE_REMOVE,
    },
    HardwareType.BMS: _EVERYONE
    | {
        Command.ERASE_NEW_APP,
        Command.WRITE_NEW_APP_DATA,
        Command.BMS_GET_BATT_TYPE,
        Command.BMS_SET_BATT_TYPE,
        Command.GET_EXT_HUM_TMP,
        Command.PSW_GET_STATUS,
        Command.BMS_BLNC_SELFTEST,
        Command.BMS_ZERO_CURRENT_OFFSET,
    },
    HardwareType.CONTROLLER: _EVERYONE
    | _WITH_LISP
    | {
        Command.GET_VALUES,
        Command.GET_VALUES_SELECTIVE,
        Command.GET_VALUES_SETUP,
        Command.GET_VALUES_SETUP_SELECTIVE,
        Command.GET_STATS,
        Command.GET_MCCONF,
        Command.GET_MCCONF_DEFAULT,
        Command.SET_MCCONF,
        Command.GET_APPCONF,
        Command.GET_APPCONF_DEFAULT,
        Command.SET_APPCONF,
        Command.GET_MCCONF_TEMP,
        Command.GET_DECODED_PPM,
        Command.GET_DECODED_ADC,
        Command.GET_DECODED_CHUK,
        Command.GET_DECODED_BALANCE,
        Command.GET_BATTERY_CUT,
        Command.GET_IMU_CALIBRATION,
        Command.PSW_GET_STATUS,
        Command.ERASE_NEW_APP,
        Command.WRITE_NEW_APP_DATA,
    },
}


def answers(hardware: int | None, command: int) -> bool:
    """Tell whether a device of this type would ever answer; True where the type or command is unknown."""
    try:
        return Command(command) in ANSWERS[HardwareType(hardware)] if hardware is not None else True
    except ValueError:
        return True


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
