"""Which VESC commands only read, and which word lets each other one pass (`--allow control`): data.

Read off what the firmware does with each command [bldc comm/commands.c, vesc_express main/commands.c,
vesc_bms_fw commands.c]; a command whose effect is in doubt is not of the reading kind. A request inside
FORWARD_CAN counts as what it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from packwire.vesc.argument_shapes import well_formed
from packwire.vesc.commands import Command, command_name
from packwire.vesc.requests import CAN_BROADCAST


class Kind(StrEnum):
    """What a command can do."""

    READ = "read"
    CONTROL = "control"
    """Acts at once: motor, outputs, charging, balancing, counters, restart."""
    CONFIG = "config"
    """Changes what is stored: settings, files, odometer."""
    FIRMWARE = "firmware"
    """Erases, writes or starts firmware."""
    TERMINAL = "terminal"
    """Text for the device's terminal, which can do nearly all of the others."""
    LISP = "lisp"
    """Writes, starts or feeds scripts and their user interface."""
    CAN = "can"
    """Raw frames on the CAN bus, and the bus's own settings."""
    CUSTOM = "custom"
    """Data whose meaning only a custom application or the hardware knows."""
    UNKNOWN = "unknown"
    """Numbers that no command has."""
    STOP = "stop"
    """MOTOR_ESTOP, which always passes."""
    NEVER = "never"
    """What would wedge a device, or has no meaning: nothing lets it pass."""


#: The words for `--allow`.
ALLOWABLE = (
    Kind.CONTROL,
    Kind.CONFIG,
    Kind.FIRMWARE,
    Kind.TERMINAL,
    Kind.LISP,
    Kind.CAN,
    Kind.CUSTOM,
    Kind.UNKNOWN,
)

#: GET_CUSTOM_CONFIG, LISP_READ_CODE and FILE_READ may carry secrets (Wi-Fi keys, the hub's password). They
#: read all the same, and VESC Tool asks the first at every connection: whoever reaches the device's own port
#: gets them too, without any login.
_READ = (
    Command.FW_VERSION,
    Command.GET_VALUES,
    Command.GET_MCCONF,
    Command.GET_MCCONF_DEFAULT,
    Command.GET_APPCONF,
    Command.GET_APPCONF_DEFAULT,
    Command.GET_DECODED_PPM,
    Command.GET_DECODED_ADC,
    Command.GET_DECODED_CHUK,
    Command.GET_VALUES_SETUP,
    Command.GET_VALUES_SELECTIVE,
    Command.GET_VALUES_SETUP_SELECTIVE,
    Command.PING_CAN,
    Command.GET_IMU_DATA,
    Command.GET_DECODED_BALANCE,
    Command.GET_MCCONF_TEMP,
    Command.GET_CUSTOM_CONFIG_XML,
    Command.GET_CUSTOM_CONFIG,
    Command.GET_CUSTOM_CONFIG_DEFAULT,
    Command.BMS_GET_VALUES,
    Command.PSW_GET_STATUS,
    Command.GET_BATTERY_CUT,
    Command.GET_QML_UI_HW,
    Command.GET_QML_UI_APP,
    Command.IO_BOARD_GET_ALL,
    Command.GET_EXT_HUM_TMP,
    Command.GET_STATS,
    Command.LISP_READ_CODE,
    Command.LISP_GET_STATS,
    Command.BMS_GET_BATT_TYPE,
    Command.FILE_LIST,
    Command.FILE_READ,
    Command.GET_GNSS,
    Command.FW_INFO,
)
_CONTROL = (
    Command.SET_DUTY,
    Command.SET_CURRENT,
    Command.SET_CURRENT_BRAKE,
    Command.SET_RPM,
    Command.SET_POS,
    Command.SET_HANDBRAKE,
    Command.SET_DETECT,
    Command.SET_SERVO_POS,
    Command.SAMPLE_PRINT,  # starts a recording on the device, and its samples come to everybody
    Command.DETECT_MOTOR_PARAM,
    Command.DETECT_MOTOR_R_L,
    Command.DETECT_MOTOR_FLUX_LINKAGE,
    Command.DETECT_ENCODER,
    Command.DETECT_HALL_FOC,
    Command.REBOOT,
    Command.ALIVE,  # keeps a motor running that would stop without it
    Command.SET_CHUCK_DATA,
    Command.GPD_SET_FSW,
    Command.GPD_BUFFER_NOTIFY,
    Command.GPD_BUFFER_SIZE_LEFT,
    Command.GPD_FILL_BUFFER,
    Command.GPD_OUTPUT_SAMPLE,
    Command.GPD_SET_MODE,
    Command.GPD_FILL_BUFFER_INT8,
    Command.GPD_FILL_BUFFER_INT16,
    Command.GPD_SET_BUFFER_INT_SCALE,
    Command.EXT_NRF_PRESENT,
    Command.EXT_NRF_ESB_SET_CH_ADDR,
    Command.EXT_NRF_ESB_SEND_DATA,
    Command.EXT_NRF_ESB_RX_DATA,  # what a radio remote control sends
    Command.EXT_NRF_SET_ENABLED,
    Command.DETECT_MOTOR_FLUX_LINKAGE_OPENLOOP,
    Command.DETECT_APPLY_ALL_FOC,
    Command.APP_DISABLE_OUTPUT,
    Command.SET_CURRENT_REL,
    Command.GET_IMU_CALIBRATION,  # samples the sensor for seconds, and filters are reset meanwhile
    Command.BMS_SET_CHARGE_ALLOWED,
    Command.BMS_SET_BALANCE_OVERRIDE,
    Command.BMS_RESET_COUNTERS,
    Command.BMS_FORCE_BALANCE,
    Command.BMS_ZERO_CURRENT_OFFSET,
    Command.PSW_SWITCH,
    Command.IO_BOARD_SET_PWM,
    Command.IO_BOARD_SET_DIGITAL,
    Command.BMS_BLNC_SELFTEST,
    Command.RESET_STATS,
    Command.SHUTDOWN,
)
_CONFIG = (
    Command.SET_MCCONF,
    Command.SET_APPCONF,
    Command.SET_APPCONF_NO_STORE,
    Command.NRF_START_PAIRING,
    Command.SET_MCCONF_TEMP,
    Command.SET_MCCONF_TEMP_SETUP,
    Command.SET_BATTERY_CUT,
    Command.SET_BLE_NAME,
    Command.SET_BLE_PIN,
    Command.SET_CUSTOM_CONFIG,
    Command.SET_ODOMETER,
    Command.BMS_SET_BATT_TYPE,
    Command.FILE_WRITE,
    Command.FILE_MKDIR,
    Command.FILE_REMOVE,
    Command.LOG_START,  # an Express writes the log to its card
    Command.LOG_STOP,
    Command.LOG_CONFIG_FIELD,
    Command.LOG_DATA_F32,
    Command.LOG_DATA_F64,
)
_FIRMWARE = (
    Command.JUMP_TO_BOOTLOADER,
    Command.ERASE_NEW_APP,
    Command.WRITE_NEW_APP_DATA,
    Command.JUMP_TO_BOOTLOADER_ALL_CAN,
    Command.ERASE_NEW_APP_ALL_CAN,
    Command.WRITE_NEW_APP_DATA_ALL_CAN,
    Command.BM_CONNECT,  # the BM commands program another chip over its debug port
    Command.BM_ERASE_FLASH_ALL,
    Command.BM_WRITE_FLASH,
    Command.BM_REBOOT,
    Command.BM_DISCONNECT,
    Command.BM_MAP_PINS_DEFAULT,
    Command.BM_MAP_PINS_NRF5X,
    Command.ERASE_BOOTLOADER,
    Command.ERASE_BOOTLOADER_ALL_CAN,
    Command.BM_MEM_READ,
    Command.WRITE_NEW_APP_DATA_LZO,
    Command.WRITE_NEW_APP_DATA_ALL_CAN_LZO,
    Command.BM_WRITE_FLASH_LZO,
    Command.JUMP_TO_BOOTLOADER_HW,
    Command.ERASE_NEW_APP_HW,
    Command.WRITE_NEW_APP_DATA_HW,
    Command.ERASE_BOOTLOADER_HW,
    Command.JUMP_TO_BOOTLOADER_ALL_CAN_HW,
    Command.ERASE_NEW_APP_ALL_CAN_HW,
    Command.WRITE_NEW_APP_DATA_ALL_CAN_HW,
    Command.ERASE_BOOTLOADER_ALL_CAN_HW,
    Command.BM_HALT_REQ,
    Command.BM_MEM_WRITE,
)
_LISP = (
    Command.QMLUI_ERASE,
    Command.QMLUI_WRITE,
    Command.LISP_WRITE_CODE,
    Command.LISP_ERASE_CODE,
    Command.LISP_SET_RUNNING,
    Command.LISP_PRINT,
    Command.LISP_REPL_CMD,
    Command.LISP_STREAM_CODE,
    Command.LISP_RMSG,
)
_CUSTOM = (
    Command.CUSTOM_APP_DATA,
    Command.CUSTOM_HW_DATA,
    Command.BMS_HW_DATA,
    # What devices send; as a request it has no meaning that all firmware agrees on.
    Command.PRINT,
    Command.ROTOR_POSITION,
    Command.EXPERIMENT_SAMPLE,
    Command.PLOT_INIT,
    Command.PLOT_DATA,
    Command.PLOT_ADD_GRAPH,
    Command.PLOT_SET_GRAPH,
)
_CAN = (
    Command.FORWARD_CAN,  # counts as what it forwards; see `kind_of`
    Command.CAN_FWD_FRAME,
    Command.SET_CAN_MODE,
    Command.CAN_UPDATE_BAUD_ALL,
    Command.BMS_FWD_CAN_RX,
)

COMMANDS_OF: dict[Kind, tuple[Command, ...]] = {
    Kind.READ: _READ,
    Kind.CONTROL: _CONTROL,
    Kind.CONFIG: _CONFIG,
    Kind.FIRMWARE: _FIRMWARE,
    Kind.TERMINAL: (Command.TERMINAL_CMD, Command.TERMINAL_CMD_SYNC),
    Kind.LISP: _LISP,
    Kind.CAN: _CAN,
    Kind.CUSTOM: _CUSTOM,
    Kind.STOP: (Command.MOTOR_ESTOP,),
}
KIND_OF: dict[int, Kind] = {
    int(command): kind for kind, commands in COMMANDS_OF.items() for command in commands
}

#: A device hands a request on to the next bus at most so often; real ones have one bus.
MAX_NESTING = 3


def kind_of(payload: bytes) -> Kind:
    """Return the kind of a request, that of the innermost one where it is forwarded over CAN.

    NEVER for FORWARD_CAN without a request in it (it wedges the device), nested more than `MAX_NESTING` deep,
    for reading from all nodes at once (their replies collide), and for arguments that would make a device
    read or copy beyond its memory (a length below 0, a path without its end).
    """
    at = 0
    while payload[at] == Command.FORWARD_CAN:
        if len(payload) < at + 3 or at == 2 * MAX_NESTING:
            return Kind.NEVER
        at += 2
    command = payload[at]
    kind = KIND_OF.get(command, Kind.UNKNOWN)
    if kind is Kind.READ and CAN_BROADCAST in payload[1:at:2]:
        return Kind.NEVER
    if not well_formed(payload[at:]):
        return Kind.NEVER
    return kind


@dataclass(frozen=True, slots=True)
class Policy:
    """What may pass: reading and MOTOR_ESTOP always, of the rest the kinds in `allowed`."""

    allowed: frozenset[Kind] = frozenset()

    def permits(self, kind: Kind) -> bool:
        """Tell whether a request of this kind may pass."""
        return kind is Kind.READ or kind is Kind.STOP or (kind in self.allowed and kind in ALLOWABLE)


READ_ONLY = Policy()


def parse_policy(words: str | Iterable[str]) -> Policy:
    """Read `control,config`, or such texts; raises ValueError that names the words there are."""
    texts = [words] if isinstance(words, str) else words
    wanted = [word.strip().lower() for text in texts for word in text.split(",") if word.strip()]
    for word in wanted:
        if word not in ALLOWABLE:
            raise ValueError(f"{word!r} allows nothing: the words are {', '.join(ALLOWABLE)}")
    return Policy(frozenset(Kind(word) for word in wanted))


def refusal(payload: bytes, kind: Kind) -> str:
    """Say in one line why a request does not pass and which flag would let it; no content is in it."""
    name, inner = command_name(payload[0]), payload
    while inner[0] == Command.FORWARD_CAN and len(inner) > 2:
        inner = inner[2:]
        name = f"{name} > {command_name(inner[0])}"
    if kind is Kind.NEVER:
        return f"{name} refused: {_why_never(inner)}"
    return f"{name} refused: not a reading command; --allow {kind} lets it pass"


def _why_never(inner: bytes) -> str:
    if inner[0] == Command.FORWARD_CAN:
        return "FORWARD_CAN without a request in it wedges a device"
    if not well_formed(inner):
        return "it is cut short, or a length or an offset in it is out of range: a device may not survive it"
    if KIND_OF.get(inner[0]) is Kind.READ:
        return "it reads from all nodes at once, whose replies collide (or is forwarded too often)"
    return f"it is forwarded more than {MAX_NESTING} times"
