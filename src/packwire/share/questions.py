"""What a request to a shared device needs, and which reply answers it: tables, and a look at each frame.

[bldc comm/commands.c, vesc_express main/commands.c]: most commands are answered in the order in which they
came. A few run in one slot of their own, one at a time, and a second one meanwhile is dropped without a word;
PING_CAN is one, and takes 2.5 to 5 s. Over CAN one request is under way at a time, for its reply bears no
sender. It may run beside a PING_CAN: devices answer both, and whoever polls a node would else lose it for as
long as anybody searches the bus.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from packwire.vesc.commands import UNSOLICITED, Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.matching import Accepts, acceptance
from packwire.vesc.permissions import KIND_OF, Kind
from packwire.vesc.requests import forward_can, request

#: A reply that has not come after so many seconds never comes.
LATEST = 3.0
PING_TIMEOUT = 8.0

#: Ways: a request to the device itself, one in its slot for slow commands, else the CAN id.
DIRECT = -1
SLOW = -2

#: What a request may need besides its reply's command (0..255), one at a time.
CAN_BUS = 256
SLOT = 257

#: They run one at a time in a thread of their own, and are dropped while it is busy.
IN_SLOT = frozenset(
    {
        Command.TERMINAL_CMD,
        Command.DETECT_MOTOR_PARAM,
        Command.DETECT_MOTOR_R_L,
        Command.DETECT_MOTOR_FLUX_LINKAGE,
        Command.DETECT_ENCODER,
        Command.DETECT_HALL_FOC,
        Command.DETECT_MOTOR_FLUX_LINKAGE_OPENLOOP,
        Command.DETECT_APPLY_ALL_FOC,
        Command.PING_CAN,
        Command.BM_CONNECT,
        Command.BM_ERASE_FLASH_ALL,
        Command.BM_WRITE_FLASH_LZO,
        Command.BM_WRITE_FLASH,
        Command.BM_REBOOT,
        Command.BM_DISCONNECT,
        Command.BM_MAP_PINS_DEFAULT,
        Command.BM_MAP_PINS_NRF5X,
        Command.BM_MEM_READ,
        Command.GET_IMU_CALIBRATION,
        Command.BM_MEM_WRITE,
        Command.CAN_UPDATE_BAUD_ALL,
    }
)

#: Commands that are not of the reading kind and yet are answered: seconds to wait for it.
_ACKNOWLEDGED: Mapping[int, float] = {
    **dict.fromkeys(
        (
            Command.SET_MCCONF,
            Command.SET_APPCONF,
            Command.SET_APPCONF_NO_STORE,
            Command.SET_CUSTOM_CONFIG,
            Command.SET_MCCONF_TEMP,
            Command.SET_MCCONF_TEMP_SETUP,
            Command.SET_CAN_MODE,
            Command.SET_BATTERY_CUT,
            Command.NRF_START_PAIRING,
            Command.RESET_STATS,
            Command.WRITE_NEW_APP_DATA,
            Command.WRITE_NEW_APP_DATA_LZO,
            Command.WRITE_NEW_APP_DATA_ALL_CAN,
            Command.WRITE_NEW_APP_DATA_ALL_CAN_LZO,
            Command.WRITE_NEW_APP_DATA_HW,
            Command.WRITE_NEW_APP_DATA_ALL_CAN_HW,
            Command.QMLUI_WRITE,
            Command.LISP_WRITE_CODE,
            Command.LISP_SET_RUNNING,
            Command.LISP_STREAM_CODE,
            Command.FILE_WRITE,
            Command.FILE_MKDIR,
            Command.FILE_REMOVE,
            Command.BMS_SET_BATT_TYPE,
            Command.BM_HALT_REQ,
            Command.BM_REBOOT,
            Command.BM_DISCONNECT,
            Command.BM_MAP_PINS_DEFAULT,
            Command.BM_MAP_PINS_NRF5X,
            Command.BM_MEM_READ,
            Command.BM_MEM_WRITE,
            Command.BM_WRITE_FLASH,
            Command.BM_WRITE_FLASH_LZO,
            Command.BM_CONNECT,
        ),
        5.0,
    ),
    **dict.fromkeys(
        (
            Command.ERASE_NEW_APP,
            Command.ERASE_NEW_APP_ALL_CAN,
            Command.ERASE_NEW_APP_HW,
            Command.ERASE_NEW_APP_ALL_CAN_HW,
            Command.ERASE_BOOTLOADER,
            Command.ERASE_BOOTLOADER_ALL_CAN,
            Command.ERASE_BOOTLOADER_HW,
            Command.ERASE_BOOTLOADER_ALL_CAN_HW,
            Command.BM_ERASE_FLASH_ALL,
            Command.QMLUI_ERASE,
            Command.LISP_ERASE_CODE,
            Command.CAN_UPDATE_BAUD_ALL,
            Command.GET_IMU_CALIBRATION,
            Command.BMS_BLNC_SELFTEST,
            Command.DETECT_MOTOR_PARAM,
            Command.DETECT_MOTOR_R_L,
            Command.DETECT_MOTOR_FLUX_LINKAGE,
            Command.DETECT_ENCODER,
            Command.DETECT_HALL_FOC,
            Command.DETECT_MOTOR_FLUX_LINKAGE_OPENLOOP,
            Command.DETECT_APPLY_ALL_FOC,
        ),
        60.0,
    ),
}
#: They are answered only where the byte at this place of the payload is not 0.
_IF_ASKED_AT: Mapping[int, int] = {
    Command.SET_MCCONF_TEMP: 3,
    Command.SET_MCCONF_TEMP_SETUP: 3,
    Command.SET_CAN_MODE: 2,
    Command.RESET_STATS: 1,
}
#: They are answered by the reply of another command.
_ANSWERED_AS: Mapping[int, int] = {
    Command.ERASE_NEW_APP_ALL_CAN: Command.ERASE_NEW_APP,
    Command.WRITE_NEW_APP_DATA_LZO: Command.WRITE_NEW_APP_DATA,
    Command.WRITE_NEW_APP_DATA_ALL_CAN: Command.WRITE_NEW_APP_DATA,
    Command.WRITE_NEW_APP_DATA_ALL_CAN_LZO: Command.WRITE_NEW_APP_DATA,
    Command.ERASE_BOOTLOADER_ALL_CAN: Command.ERASE_BOOTLOADER,
}

#: Readings, which may be given to several within `max_age`. FW_VERSION is none: clients use it as a fence.
READINGS = frozenset(
    {
        Command.GET_VALUES,
        Command.GET_VALUES_SETUP,
        Command.GET_VALUES_SELECTIVE,
        Command.GET_VALUES_SETUP_SELECTIVE,
        Command.GET_DECODED_PPM,
        Command.GET_DECODED_ADC,
        Command.GET_DECODED_CHUK,
        Command.GET_DECODED_BALANCE,
        Command.GET_IMU_DATA,
        Command.BMS_GET_VALUES,
        Command.PSW_GET_STATUS,
        Command.IO_BOARD_GET_ALL,
        Command.GET_EXT_HUM_TMP,
        Command.GET_STATS,
        Command.LISP_GET_STATS,
        Command.GET_GNSS,
    }
)

#: Packets for everybody: what devices send of their own accord.
FOR_ALL = UNSOLICITED | {
    Command.CUSTOM_APP_DATA,
    Command.CUSTOM_HW_DATA,
    Command.BMS_HW_DATA,
    Command.NRF_START_PAIRING,  # how the pairing ended
    Command.GPD_BUFFER_NOTIFY,
    Command.SAMPLE_PRINT,  # what was sampled, one packet a sample
    Command.CAN_FWD_FRAME,  # what passes on the bus, after SET_CAN_MODE and the like
}

#: A piece of something long: where in the request and in the reply its offset is (four bytes each).
_PIECES: Mapping[int, tuple[int, int]] = {
    Command.GET_CUSTOM_CONFIG_XML: (6, 6),
    Command.GET_QML_UI_HW: (5, 5),
    Command.GET_QML_UI_APP: (5, 5),
    Command.LISP_READ_CODE: (5, 5),
}
#: Their reply repeats the index in their first byte.
_WITH_INDEX = frozenset(
    {Command.GET_CUSTOM_CONFIG, Command.GET_CUSTOM_CONFIG_DEFAULT, Command.GET_CUSTOM_CONFIG_XML}
)
#: Their acceptance looks at more than the command; see `packwire.vesc.matching`.
_MATCHED = frozenset(
    {
        Command.FW_VERSION,
        Command.GET_VALUES,
        Command.GET_VALUES_SETUP,
        Command.GET_VALUES_SELECTIVE,
        Command.GET_VALUES_SETUP_SELECTIVE,
        Command.GET_STATS,
    }
)


def is_for_all(command: int) -> bool:
    """Tell whether a packet that answers nothing goes to all: it is unsolicited, or of no known command."""
    return command in FOR_ALL or command not in KIND_OF


@dataclass(slots=True, eq=False)
class Question:
    """One distinct request frame that may pass."""

    frame: bytes
    kind: Kind
    way: int
    command: int
    """That of its reply."""
    needs: tuple[int, ...]
    """What of the device it takes, each one at a time; without a reply it only waits for the slot."""
    answered: bool
    timeout: float | None
    """Seconds until its reply is late; None is the usual time."""
    ordered: bool
    """Its reply keeps its place among the replies on this way, so that another one proves it lost."""
    plain: bool
    """It is asked of the device itself, answered in order and nothing special: the usual poll."""
    reading: bool
    """What it reads changes all the time; see `READINGS`."""
    accepts: Accepts | None
    """The test of a reply's payload, None where the command is enough."""
    kept: bytes | None = None
    """The last reply's frame, where it is a reading."""
    kept_at: float = 0.0

    @property
    def can_id(self) -> int | None:
        """Return the CAN id that is asked; None is the device itself."""
        return self.way if self.way >= 0 else None


def question(frame: bytes, payload: bytes, kind: Kind) -> Question:
    """Look at a request: `payload` of 1 byte or more, its `frame` around it, and its kind."""
    inner, way, depth = payload, DIRECT, 0
    while inner[0] == Command.FORWARD_CAN and len(inner) > 2:
        way = inner[1] if depth == 0 else way
        node, inner, depth = inner[1], inner[2:], depth + 1
    asked = inner[0]
    command = _ANSWERED_AS.get(asked, asked)
    in_slot = asked in IN_SLOT
    if in_slot and way == DIRECT:
        way = SLOW
    answered = kind is Kind.READ or (asked in _ACKNOWLEDGED and _wants_reply(inner))
    needs: tuple[int, ...] = (command,) if answered else ()
    if answered and way >= 0:
        needs += (CAN_BUS,)
    if way == SLOW:
        needs += (SLOT,)
    ordered = kind is Kind.READ and not in_slot and depth < 2
    return Question(
        frame,
        kind,
        way,
        command,
        needs,
        answered,
        PING_TIMEOUT if asked == Command.PING_CAN else _ACKNOWLEDGED.get(asked),
        ordered=ordered,
        plain=ordered and way == DIRECT and asked != Command.FILE_READ,
        reading=asked in READINGS,
        accepts=_accepts(inner, node if depth else None),
    )


def own_question(command: Command, way: int) -> Question:
    """Return a request of the sharing's own, to the device or to a CAN node."""
    payload = request(command) if way < 0 else forward_can(way, request(command))
    return question(encode_frame(payload), payload, Kind.READ)


def _wants_reply(inner: bytes) -> bool:
    at = _IF_ASKED_AT.get(inner[0])
    return at is None or (len(inner) > at and inner[at] != 0)


def _accepts(inner: bytes, node: int | None) -> Accepts | None:
    """Return the test of a reply, beyond its command."""
    asked = inner[0]
    if asked in _MATCHED:
        if asked in {Command.GET_VALUES, Command.GET_VALUES_SETUP} and node is None:
            return None
        return acceptance(inner, node)
    places = _PIECES.get(asked)
    if places and len(inner) >= places[0] + 4:
        request_at, reply_at = places
        offset = inner[request_at : request_at + 4]
        index = inner[1:2] if asked in _WITH_INDEX else b""
        return lambda reply: (
            # A device without any code answers with an offset of 0, whatever was asked.
            reply[reply_at : reply_at + 4] in {offset, b"\0\0\0\0"} and reply[1 : 1 + len(index)] == index
        )
    if asked in _WITH_INDEX and len(inner) > 1:
        return lambda reply: reply[1:2] == inner[1:2]
    if asked == Command.FILE_READ and (end := inner.find(0, 1)) > 0 and len(inner) >= end + 5:
        return lambda reply: reply[1:5] == inner[end + 1 : end + 5]
    return None
