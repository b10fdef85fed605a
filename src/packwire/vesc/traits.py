"""What each VESC command is, one row a command; all that is said of a command elsewhere is derived from it.

Read off what the firmware does with each command [bldc comm/commands.c, vesc_express main/commands.c,
vesc_bms_fw commands.c] and what VESC Tool sends [vesc_tool commands.cpp]; a command whose effect is in doubt
is not of the reading kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from packwire.vesc.arguments import ANY_LENGTH, Arguments, Rest
from packwire.vesc.commands import Command
from packwire.vesc.hardware import HardwareType


class Effect(StrEnum):
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


class Spontaneous(Enum):
    """Whether devices send such a packet without having been asked."""

    NEVER = auto()
    ALSO = auto()
    """Now and then, and also as a reply or an acknowledgement."""
    ALWAYS = auto()


@dataclass(frozen=True, slots=True)
class Secret:
    """What of a payload, request or reply, is nobody else's business; `what` says it, `one` of one payload.

    It is all from byte `begin` on, but for layouts that are known and have the `fields` that are meant.
    `private` tells who somebody is or where, but opens no door: it is hidden in what leaves the house.
    """

    what: str
    one: str
    begin: int | None = None
    fields: tuple[str, ...] = ()
    private: bool = False


#: Whatever somebody typed or stored: a Lisp program may well hold a Wi-Fi key.
TYPED = Secret("texts and programs", "text", 1)
#: The same behind its size and its offset, of which a request to read has no more.
STORED = Secret("texts and programs", "text", 9)
#: An Express's configuration, behind its number. A name tells where its owner lives, and an id, which the
#: names repeat, is half of a login.
CONFIGURATION = Secret(
    "configurations (Wi-Fi keys, passwords)",
    "a configuration",
    2,
    fields=(
        "wifi_sta_ssid", "wifi_sta_key", "wifi_ap_ssid", "wifi_ap_key",
        "tcp_hub_id", "tcp_hub_pass", "ble_name", "ble_pin",
    ),
)  # fmt: skip
#: A frame for the CAN bus, behind its id: it may carry a piece of any of these.
FRAME = Secret("texts and programs", "text", 6)
#: An ESP32's is its MAC address.
SERIAL_NUMBER = Secret("serial numbers", "a serial number", fields=("uuid",), private=True)
POSITION = Secret("positions", "a position", 1, private=True)


@dataclass(frozen=True, slots=True)
class Traits:
    """What a command can do, what its arguments look like, who answers it and with what.

    The layout of its reply is in `packwire.vesc.replies.LAYOUTS`, and tells which of them name their sender.
    """

    kind: Effect
    arguments: Arguments
    answered_by: frozenset[HardwareType] = frozenset()
    """Which devices ever answer it, and not as another command. Older firmware knows fewer."""
    takes: float | None = None
    """Seconds until its reply is late; None: the usual time, or it is neither a reading nor answered."""
    asked_at: int | None = None
    """It is answered only where the byte at this place of the request is not 0."""
    answered_as: Command | None = None
    """Its reply is that of another command."""
    slot: bool = False
    """It runs in the one thread for what is slow, and is dropped while that is busy."""
    reading: bool = False
    """What it reads changes all the time, and may be given to several who ask at once."""
    spontaneous: Spontaneous = Spontaneous.NEVER
    indexed: bool = False
    """Its reply begins with the index that was asked for."""
    shorter: bool = False
    """The request is always shorter than the reply, which tells them apart."""
    secret: Secret | None = None
    """What is secret in it and in its reply."""

    @property
    def is_answered(self) -> bool:
        """Whether any device ever answers it, as this command or as another."""
        return bool(self.answered_by) or self.kind is Effect.READ or self.takes is not None


EVERYONE = frozenset(HardwareType)
CONTROLLER = frozenset({HardwareType.CONTROLLER})
BMS = frozenset({HardwareType.BMS})
EXPRESS = frozenset({HardwareType.EXPRESS})
#: They run Lisp scripts.
SCRIPTED = CONTROLLER | EXPRESS

#: How long some replies take, in s: PING_CAN asks all ids in turn (2.5 to 5 s); an acknowledgement that
#: something was stored; erasing and detecting.
PING_CAN_TAKES, SECONDS, A_MINUTE = 8.0, 5.0, 60.0

NONE, ONE, TWO, THREE, FOUR = (Arguments(size) for size in range(5))
UP_TO_ONE, UP_TO_TWO, UP_TO_FOUR = Arguments(0, 1), Arguments(0, 2), Arguments(0, 4)
PIECE = Arguments(8, rest=Rest.PIECE)
TEXT = Arguments(0, ANY_LENGTH, rest=Rest.TEXT)
HARDWARE = Arguments(before=1, texts=1)
"""The type of the hardware that is meant, and its name."""
DATA = Arguments(0, ANY_LENGTH)
FOUR_AND_DATA = Arguments(4, ANY_LENGTH)
"""An offset, an address or a size, and what is written there."""

#: The commands that are known; a number that is not here is of Kind.UNKNOWN.
TRAITS: Mapping[int, Traits] = {
    # GET_CUSTOM_CONFIG, LISP_READ_CODE and FILE_READ may carry secrets (Wi-Fi keys, the hub's password). They
    # read all the same, and VESC Tool asks the first at every connection: whoever reaches the device's own
    # port gets them too, without any login.
    Command.FW_VERSION: Traits(Effect.READ, NONE, EVERYONE, shorter=True, secret=SERIAL_NUMBER),
    Command.GET_VALUES: Traits(Effect.READ, NONE, CONTROLLER, reading=True, shorter=True),
    Command.GET_MCCONF: Traits(Effect.READ, NONE, CONTROLLER, shorter=True),
    Command.GET_MCCONF_DEFAULT: Traits(Effect.READ, NONE, CONTROLLER),
    Command.GET_APPCONF: Traits(Effect.READ, NONE, CONTROLLER, shorter=True),
    Command.GET_APPCONF_DEFAULT: Traits(Effect.READ, NONE, CONTROLLER),
    Command.GET_DECODED_PPM: Traits(Effect.READ, NONE, CONTROLLER, reading=True),
    Command.GET_DECODED_ADC: Traits(Effect.READ, NONE, CONTROLLER, reading=True),
    Command.GET_DECODED_CHUK: Traits(Effect.READ, NONE, CONTROLLER, reading=True),
    Command.GET_VALUES_SETUP: Traits(Effect.READ, NONE, CONTROLLER, reading=True, shorter=True),
    Command.GET_VALUES_SELECTIVE: Traits(
        Effect.READ, FOUR, CONTROLLER, reading=True, shorter=True
    ),  # which fields, as in those that follow
    Command.GET_VALUES_SETUP_SELECTIVE: Traits(Effect.READ, FOUR, CONTROLLER, reading=True, shorter=True),
    Command.PING_CAN: Traits(Effect.READ, NONE, EVERYONE, takes=PING_CAN_TAKES, slot=True),
    Command.GET_IMU_DATA: Traits(Effect.READ, TWO, SCRIPTED, reading=True),
    Command.GET_DECODED_BALANCE: Traits(Effect.READ, NONE, CONTROLLER, reading=True),
    Command.GET_MCCONF_TEMP: Traits(Effect.READ, NONE, CONTROLLER),
    Command.GET_CUSTOM_CONFIG_XML: Traits(
        Effect.READ, Arguments(8, before=1, rest=Rest.PIECE), EVERYONE, indexed=True, shorter=True
    ),
    Command.GET_CUSTOM_CONFIG: Traits(
        Effect.READ, ONE, EVERYONE, indexed=True, shorter=True, secret=CONFIGURATION
    ),
    Command.GET_CUSTOM_CONFIG_DEFAULT: Traits(
        Effect.READ, ONE, EVERYONE, indexed=True, shorter=True, secret=CONFIGURATION
    ),
    Command.BMS_GET_VALUES: Traits(Effect.READ, NONE, EVERYONE, reading=True, shorter=True),
    Command.PSW_GET_STATUS: Traits(Effect.READ, THREE, BMS | CONTROLLER, reading=True),
    Command.GET_BATTERY_CUT: Traits(Effect.READ, NONE, CONTROLLER),
    Command.GET_QML_UI_HW: Traits(Effect.READ, PIECE, SCRIPTED, secret=STORED),
    Command.GET_QML_UI_APP: Traits(Effect.READ, PIECE, SCRIPTED, secret=STORED),
    Command.IO_BOARD_GET_ALL: Traits(Effect.READ, TWO, SCRIPTED, reading=True),
    Command.GET_EXT_HUM_TMP: Traits(Effect.READ, NONE, BMS, reading=True),
    Command.GET_STATS: Traits(Effect.READ, TWO, CONTROLLER, reading=True, shorter=True),
    Command.LISP_READ_CODE: Traits(Effect.READ, PIECE, SCRIPTED, secret=STORED),
    Command.LISP_GET_STATS: Traits(Effect.READ, UP_TO_ONE, SCRIPTED, reading=True),
    Command.BMS_GET_BATT_TYPE: Traits(Effect.READ, NONE, BMS),
    Command.FILE_LIST: Traits(
        Effect.READ, Arguments(texts=2), EXPRESS, secret=TYPED
    ),  # the path, and the name after which to go on
    Command.FILE_READ: Traits(Effect.READ, Arguments(4, texts=1, rest=Rest.OFFSET), EXPRESS, secret=TYPED),
    Command.GET_GNSS: Traits(Effect.READ, TWO, SCRIPTED, reading=True, secret=POSITION),
    Command.FW_INFO: Traits(Effect.READ, NONE, EVERYONE),
    Command.SET_DUTY: Traits(Effect.CONTROL, FOUR),
    Command.SET_CURRENT: Traits(Effect.CONTROL, FOUR),
    Command.SET_CURRENT_BRAKE: Traits(Effect.CONTROL, FOUR),
    Command.SET_RPM: Traits(Effect.CONTROL, FOUR),
    Command.SET_POS: Traits(Effect.CONTROL, FOUR),
    Command.SET_HANDBRAKE: Traits(Effect.CONTROL, FOUR),
    Command.SET_DETECT: Traits(Effect.CONTROL, ONE),
    Command.SET_SERVO_POS: Traits(Effect.CONTROL, TWO),
    Command.SAMPLE_PRINT: Traits(
        Effect.CONTROL, Arguments(4, 5), spontaneous=Spontaneous.ALSO
    ),  # starts a recording on the device, and its samples come to everybody
    Command.DETECT_MOTOR_PARAM: Traits(Effect.CONTROL, Arguments(12), CONTROLLER, takes=A_MINUTE, slot=True),
    Command.DETECT_MOTOR_R_L: Traits(Effect.CONTROL, NONE, CONTROLLER, takes=A_MINUTE, slot=True),
    Command.DETECT_MOTOR_FLUX_LINKAGE: Traits(
        Effect.CONTROL, Arguments(16), CONTROLLER, takes=A_MINUTE, slot=True
    ),
    Command.DETECT_ENCODER: Traits(Effect.CONTROL, FOUR, CONTROLLER, takes=A_MINUTE, slot=True),
    Command.DETECT_HALL_FOC: Traits(Effect.CONTROL, FOUR, CONTROLLER, takes=A_MINUTE, slot=True),
    Command.REBOOT: Traits(Effect.CONTROL, NONE),
    Command.ALIVE: Traits(Effect.CONTROL, NONE),  # keeps a motor running that would stop without it
    Command.SET_CHUCK_DATA: Traits(Effect.CONTROL, Arguments(4, 10)),
    Command.GPD_SET_FSW: Traits(Effect.CONTROL, FOUR),
    Command.GPD_BUFFER_NOTIFY: Traits(Effect.CONTROL, NONE, spontaneous=Spontaneous.ALSO),
    Command.GPD_BUFFER_SIZE_LEFT: Traits(Effect.CONTROL, NONE),
    Command.GPD_FILL_BUFFER: Traits(Effect.CONTROL, DATA),
    Command.GPD_OUTPUT_SAMPLE: Traits(Effect.CONTROL, FOUR),
    Command.GPD_SET_MODE: Traits(Effect.CONTROL, ONE),
    Command.GPD_FILL_BUFFER_INT8: Traits(Effect.CONTROL, DATA),
    Command.GPD_FILL_BUFFER_INT16: Traits(Effect.CONTROL, DATA),
    Command.GPD_SET_BUFFER_INT_SCALE: Traits(Effect.CONTROL, FOUR),
    Command.EXT_NRF_PRESENT: Traits(Effect.CONTROL, UP_TO_ONE),
    Command.EXT_NRF_ESB_SET_CH_ADDR: Traits(Effect.CONTROL, Arguments(4, 8)),
    Command.EXT_NRF_ESB_SEND_DATA: Traits(Effect.CONTROL, Arguments(1, 32)),
    Command.EXT_NRF_ESB_RX_DATA: Traits(
        Effect.CONTROL, Arguments(2, 32)
    ),  # what a radio remote control sends
    Command.EXT_NRF_SET_ENABLED: Traits(Effect.CONTROL, ONE),
    Command.DETECT_MOTOR_FLUX_LINKAGE_OPENLOOP: Traits(
        Effect.CONTROL, Arguments(16, 20), CONTROLLER, takes=A_MINUTE, slot=True
    ),
    Command.DETECT_APPLY_ALL_FOC: Traits(
        Effect.CONTROL, Arguments(21), CONTROLLER, takes=A_MINUTE, slot=True
    ),
    Command.APP_DISABLE_OUTPUT: Traits(Effect.CONTROL, Arguments(5)),
    Command.SET_CURRENT_REL: Traits(Effect.CONTROL, FOUR),
    Command.GET_IMU_CALIBRATION: Traits(
        Effect.CONTROL, FOUR, CONTROLLER, takes=A_MINUTE, slot=True
    ),  # samples the sensor for seconds, and filters are reset meanwhile
    Command.BMS_SET_CHARGE_ALLOWED: Traits(Effect.CONTROL, ONE),
    Command.BMS_SET_BALANCE_OVERRIDE: Traits(Effect.CONTROL, TWO),
    Command.BMS_RESET_COUNTERS: Traits(Effect.CONTROL, TWO),
    Command.BMS_FORCE_BALANCE: Traits(Effect.CONTROL, ONE),
    Command.BMS_ZERO_CURRENT_OFFSET: Traits(Effect.CONTROL, NONE, BMS, takes=SECONDS),
    Command.PSW_SWITCH: Traits(Effect.CONTROL, Arguments(3, 4)),
    Command.IO_BOARD_SET_PWM: Traits(Effect.CONTROL, Arguments(8)),
    Command.IO_BOARD_SET_DIGITAL: Traits(Effect.CONTROL, Arguments(5)),
    Command.BMS_BLNC_SELFTEST: Traits(Effect.CONTROL, NONE, BMS, takes=A_MINUTE),
    Command.RESET_STATS: Traits(Effect.CONTROL, UP_TO_ONE, takes=SECONDS, asked_at=1),
    Command.SHUTDOWN: Traits(Effect.CONTROL, UP_TO_TWO),
    Command.SET_MCCONF: Traits(Effect.CONFIG, DATA, CONTROLLER, takes=SECONDS),
    Command.SET_APPCONF: Traits(Effect.CONFIG, DATA, CONTROLLER, takes=SECONDS),
    Command.SET_APPCONF_NO_STORE: Traits(Effect.CONFIG, DATA, CONTROLLER, takes=SECONDS),
    Command.NRF_START_PAIRING: Traits(
        Effect.CONFIG, FOUR, CONTROLLER, takes=SECONDS, spontaneous=Spontaneous.ALSO
    ),
    Command.SET_MCCONF_TEMP: Traits(Effect.CONFIG, Arguments(4, 60), takes=SECONDS, asked_at=3),
    Command.SET_MCCONF_TEMP_SETUP: Traits(Effect.CONFIG, Arguments(4, 60), takes=SECONDS, asked_at=3),
    Command.SET_BATTERY_CUT: Traits(Effect.CONFIG, Arguments(8, 10), CONTROLLER, takes=SECONDS),
    Command.SET_BLE_NAME: Traits(Effect.CONFIG, Arguments(texts=1), secret=TYPED),
    Command.SET_BLE_PIN: Traits(Effect.CONFIG, Arguments(texts=1), secret=TYPED),
    Command.SET_CUSTOM_CONFIG: Traits(Effect.CONFIG, DATA, EVERYONE, takes=SECONDS, secret=CONFIGURATION),
    Command.SET_ODOMETER: Traits(Effect.CONFIG, FOUR),
    Command.BMS_SET_BATT_TYPE: Traits(Effect.CONFIG, Arguments(1, 8), BMS, takes=SECONDS),
    Command.FILE_WRITE: Traits(
        Effect.CONFIG,
        Arguments(8, ANY_LENGTH, texts=1, rest=Rest.OFFSET),
        EXPRESS,
        takes=SECONDS,
        secret=TYPED,
    ),
    Command.FILE_MKDIR: Traits(Effect.CONFIG, Arguments(texts=1), EXPRESS, takes=SECONDS, secret=TYPED),
    Command.FILE_REMOVE: Traits(Effect.CONFIG, Arguments(texts=1), EXPRESS, takes=SECONDS, secret=TYPED),
    Command.LOG_START: Traits(
        Effect.CONFIG, DATA, spontaneous=Spontaneous.ALWAYS
    ),  # an Express writes the log to its card
    Command.LOG_STOP: Traits(Effect.CONFIG, DATA, spontaneous=Spontaneous.ALWAYS),
    Command.LOG_CONFIG_FIELD: Traits(Effect.CONFIG, DATA, spontaneous=Spontaneous.ALWAYS),
    Command.LOG_DATA_F32: Traits(Effect.CONFIG, DATA, spontaneous=Spontaneous.ALWAYS),
    Command.LOG_DATA_F64: Traits(Effect.CONFIG, DATA, spontaneous=Spontaneous.ALWAYS, secret=POSITION),
    Command.JUMP_TO_BOOTLOADER: Traits(Effect.FIRMWARE, NONE),
    Command.ERASE_NEW_APP: Traits(Effect.FIRMWARE, FOUR, EVERYONE, takes=A_MINUTE),
    Command.WRITE_NEW_APP_DATA: Traits(Effect.FIRMWARE, FOUR_AND_DATA, EVERYONE, takes=SECONDS),
    Command.JUMP_TO_BOOTLOADER_ALL_CAN: Traits(Effect.FIRMWARE, NONE),
    Command.ERASE_NEW_APP_ALL_CAN: Traits(
        Effect.FIRMWARE, FOUR, takes=A_MINUTE, answered_as=Command.ERASE_NEW_APP
    ),
    Command.WRITE_NEW_APP_DATA_ALL_CAN: Traits(
        Effect.FIRMWARE, FOUR_AND_DATA, takes=SECONDS, answered_as=Command.WRITE_NEW_APP_DATA
    ),
    Command.BM_CONNECT: Traits(
        Effect.FIRMWARE, NONE, CONTROLLER, takes=SECONDS, slot=True
    ),  # the BM commands program another chip over its debug port
    Command.BM_ERASE_FLASH_ALL: Traits(Effect.FIRMWARE, NONE, CONTROLLER, takes=A_MINUTE, slot=True),
    Command.BM_WRITE_FLASH: Traits(Effect.FIRMWARE, FOUR_AND_DATA, CONTROLLER, takes=SECONDS, slot=True),
    Command.BM_REBOOT: Traits(Effect.FIRMWARE, NONE, CONTROLLER, takes=SECONDS, slot=True),
    Command.BM_DISCONNECT: Traits(Effect.FIRMWARE, NONE, CONTROLLER, takes=SECONDS, slot=True),
    Command.BM_MAP_PINS_DEFAULT: Traits(Effect.FIRMWARE, NONE, CONTROLLER, takes=SECONDS, slot=True),
    Command.BM_MAP_PINS_NRF5X: Traits(Effect.FIRMWARE, NONE, CONTROLLER, takes=SECONDS, slot=True),
    Command.ERASE_BOOTLOADER: Traits(Effect.FIRMWARE, NONE, CONTROLLER, takes=A_MINUTE),
    Command.ERASE_BOOTLOADER_ALL_CAN: Traits(
        Effect.FIRMWARE, NONE, takes=A_MINUTE, answered_as=Command.ERASE_BOOTLOADER
    ),
    Command.BM_MEM_READ: Traits(
        Effect.FIRMWARE, Arguments(6), CONTROLLER, takes=SECONDS, slot=True, secret=TYPED
    ),
    Command.WRITE_NEW_APP_DATA_LZO: Traits(
        Effect.FIRMWARE, FOUR_AND_DATA, takes=SECONDS, answered_as=Command.WRITE_NEW_APP_DATA
    ),
    Command.WRITE_NEW_APP_DATA_ALL_CAN_LZO: Traits(
        Effect.FIRMWARE, FOUR_AND_DATA, takes=SECONDS, answered_as=Command.WRITE_NEW_APP_DATA
    ),
    Command.BM_WRITE_FLASH_LZO: Traits(Effect.FIRMWARE, FOUR_AND_DATA, CONTROLLER, takes=SECONDS, slot=True),
    Command.JUMP_TO_BOOTLOADER_HW: Traits(Effect.FIRMWARE, HARDWARE),
    Command.ERASE_NEW_APP_HW: Traits(Effect.FIRMWARE, Arguments(4, before=1, texts=1), takes=A_MINUTE),
    Command.WRITE_NEW_APP_DATA_HW: Traits(
        Effect.FIRMWARE, Arguments(4, ANY_LENGTH, before=1, texts=1), takes=SECONDS
    ),
    Command.ERASE_BOOTLOADER_HW: Traits(Effect.FIRMWARE, HARDWARE, takes=A_MINUTE),
    Command.JUMP_TO_BOOTLOADER_ALL_CAN_HW: Traits(Effect.FIRMWARE, HARDWARE),
    Command.ERASE_NEW_APP_ALL_CAN_HW: Traits(
        Effect.FIRMWARE, Arguments(4, before=1, texts=1), takes=A_MINUTE
    ),
    Command.WRITE_NEW_APP_DATA_ALL_CAN_HW: Traits(
        Effect.FIRMWARE, Arguments(4, ANY_LENGTH, before=1, texts=1), takes=SECONDS
    ),
    Command.ERASE_BOOTLOADER_ALL_CAN_HW: Traits(Effect.FIRMWARE, HARDWARE, takes=A_MINUTE),
    Command.BM_HALT_REQ: Traits(Effect.FIRMWARE, NONE, CONTROLLER, takes=SECONDS),
    Command.BM_MEM_WRITE: Traits(
        Effect.FIRMWARE, FOUR_AND_DATA, CONTROLLER, takes=SECONDS, slot=True, secret=TYPED
    ),
    Command.TERMINAL_CMD: Traits(Effect.TERMINAL, TEXT, slot=True, secret=TYPED),
    Command.TERMINAL_CMD_SYNC: Traits(Effect.TERMINAL, TEXT, secret=TYPED),
    Command.QMLUI_ERASE: Traits(Effect.LISP, UP_TO_FOUR, SCRIPTED, takes=A_MINUTE),
    Command.QMLUI_WRITE: Traits(Effect.LISP, FOUR_AND_DATA, SCRIPTED, takes=SECONDS, secret=TYPED),
    Command.LISP_WRITE_CODE: Traits(Effect.LISP, FOUR_AND_DATA, SCRIPTED, takes=SECONDS, secret=TYPED),
    Command.LISP_ERASE_CODE: Traits(Effect.LISP, UP_TO_FOUR, SCRIPTED, takes=A_MINUTE),
    Command.LISP_SET_RUNNING: Traits(Effect.LISP, ONE, SCRIPTED, takes=SECONDS),
    Command.LISP_PRINT: Traits(Effect.LISP, TEXT, spontaneous=Spontaneous.ALWAYS, secret=TYPED),
    Command.LISP_REPL_CMD: Traits(Effect.LISP, TEXT, secret=TYPED),
    Command.LISP_STREAM_CODE: Traits(
        Effect.LISP, Arguments(9, ANY_LENGTH), SCRIPTED, takes=SECONDS, secret=TYPED
    ),
    Command.LISP_RMSG: Traits(Effect.LISP, DATA, spontaneous=Spontaneous.ALWAYS, secret=TYPED),
    Command.FORWARD_CAN: Traits(Effect.CAN, DATA),  # counts as what it forwards; see `kind_of`
    Command.CAN_FWD_FRAME: Traits(Effect.CAN, Arguments(5, 13), spontaneous=Spontaneous.ALSO, secret=FRAME),
    Command.SET_CAN_MODE: Traits(Effect.CAN, THREE, takes=SECONDS, asked_at=2),
    Command.CAN_UPDATE_BAUD_ALL: Traits(Effect.CAN, FOUR, EVERYONE, takes=A_MINUTE, slot=True),
    Command.BMS_FWD_CAN_RX: Traits(Effect.CAN, DATA, spontaneous=Spontaneous.ALWAYS),
    Command.CUSTOM_APP_DATA: Traits(Effect.CUSTOM, DATA, spontaneous=Spontaneous.ALSO, secret=TYPED),
    Command.CUSTOM_HW_DATA: Traits(Effect.CUSTOM, DATA, spontaneous=Spontaneous.ALSO, secret=TYPED),
    Command.BMS_HW_DATA: Traits(Effect.CUSTOM, DATA, spontaneous=Spontaneous.ALSO, secret=TYPED),
    Command.PRINT: Traits(
        Effect.CUSTOM, DATA, spontaneous=Spontaneous.ALWAYS, secret=TYPED
    ),  # what devices send; as a request it has no meaning that all firmware agrees on, as those below
    Command.ROTOR_POSITION: Traits(Effect.CUSTOM, DATA, spontaneous=Spontaneous.ALWAYS),
    Command.EXPERIMENT_SAMPLE: Traits(Effect.CUSTOM, DATA, spontaneous=Spontaneous.ALWAYS),
    Command.PLOT_INIT: Traits(Effect.CUSTOM, DATA, spontaneous=Spontaneous.ALWAYS),
    Command.PLOT_DATA: Traits(Effect.CUSTOM, DATA, spontaneous=Spontaneous.ALWAYS),
    Command.PLOT_ADD_GRAPH: Traits(Effect.CUSTOM, DATA, spontaneous=Spontaneous.ALWAYS),
    Command.PLOT_SET_GRAPH: Traits(Effect.CUSTOM, DATA, spontaneous=Spontaneous.ALWAYS),
    Command.MOTOR_ESTOP: Traits(Effect.STOP, UP_TO_TWO),
}
UNKNOWN = Traits(Effect.UNKNOWN, DATA)


def traits(command: int) -> Traits:
    """Return what a command is, also of a number that has none."""
    return TRAITS.get(command, UNKNOWN)


def answers(hardware: int | None, command: int) -> bool:
    """Tell whether a device of this type would ever answer; True where the type or command is unknown.

    A VESC device meets a command that it does not know with silence, so this is the difference between a
    fault and a question that nobody would ever answer.
    """
    try:
        return hardware is None or HardwareType(hardware) in TRAITS[command].answered_by
    except (KeyError, ValueError):
        return True


def unsolicited(command: int) -> bool:
    """Tell whether such a packet is never a reply."""
    return traits(command).spontaneous is Spontaneous.ALWAYS
