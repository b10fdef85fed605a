"""CAN frames in the forms that tools write, for the tests of their readers."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from packwire.capture.packets import PacketDirection
from packwire.capture.text.can import FD_FORMAT, FD_SIZES, FD_SWITCHED, can_frame

RECEIVED, SENT, UNKNOWN = PacketDirection.RECEIVED, PacketDirection.SENT, PacketDirection.UNKNOWN
MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: time in ms since the recording began."""

    time: int
    id: int
    extended: bool
    data: bytes
    way: PacketDirection = RECEIVED
    remote: bool = False
    fd: bool = False

    @property
    def socketcan(self) -> bytes:
        found = can_frame(
            self.id, self.data, extended=self.extended, remote=self.remote, fd=FD_FORMAT if self.fd else 0
        )
        assert found is not None
        return found

    @property
    def hex(self) -> str:
        return self.data.hex().upper()

    @property
    def spaced(self) -> str:
        return self.data.hex(" ").upper()

    @property
    def digits(self) -> str:
        return f"{self.id:08X}" if self.extended else f"{self.id:03X}"

    @property
    def rx(self) -> str:
        return "Tx" if self.way is SENT else "Rx"

    @property
    def seconds(self) -> str:
        return f"{self.time / 1000:.6f}"


@dataclass(frozen=True, slots=True)
class Form:
    """A form: what writes it, and what it keeps of a frame."""

    write: Callable[[Sequence[Frame]], str]
    time: bool = True
    way: bool = True
    remote: bool = False
    fd: bool = False
    #: Whether 29 bits are told apart from 11 by more than the identifier's size.
    extended: bool = True
    since: int = 0
    """ns that are added to the times."""


def each(line: Callable[[Frame], str], head: str = "") -> Callable[[Sequence[Frame]], str]:
    return lambda frames: head + "".join(line(frame) + "\n" for frame in frames)


def numbered(line: Callable[[int, Frame], str], head: str = "") -> Callable[[Sequence[Frame]], str]:
    return lambda frames: head + "".join(line(n, frame) + "\n" for n, frame in enumerate(frames, 1))


def _log(frame: Frame) -> str:
    content = f"##0{frame.hex}" if frame.fd else "#R" if frame.remote else f"#{frame.hex}"
    return f"({1_700_000_000 + frame.time / 1000:.6f}) can0 {frame.digits}{content} {frame.rx[0]}"


def _console(frame: Frame, data: str | None = None, mark: str = "TX") -> str:
    mark = frame.rx.upper()
    size = f"[{len(frame.data):02d}]" if frame.fd else f"[{len(frame.data)}]"
    content = "remote request" if frame.remote else frame.spaced if data is None else data
    return f" ({frame.time / 1000:010.6f})  can0  {mark} - -  {frame.digits:>8}   {size}  {content}"


def _slcan(frame: Frame) -> str:
    kind = ("R" if frame.extended else "r") if frame.remote else ("T" if frame.extended else "t")
    if frame.fd:
        kind = "D" if frame.extended else "d"
    size = FD_SIZES.index(len(frame.data))
    return f"{kind}{frame.digits}{size:X}{frame.hex}{frame.time % 60_000:04X}"


def _asc(frame: Frame, *, decimal: bool = False) -> str:
    digits = f"{frame.id}" if decimal else f"{frame.id:X}"
    data = " ".join(f"{byte:3d}" if decimal else f"{byte:02X}" for byte in frame.data)
    wide = "x" if frame.extended else ""
    start = f"{frame.seconds:>11}"
    if frame.fd:
        size = len(frame.data)
        return (
            f"{start} CANFD   1 {frame.rx} {digits + wide:>10}                                   1 0"
            f" {FD_SIZES.index(size):x} {size:2d} {data}   130000  130     3000 0 0 0 0 0"
        )
    content = (
        "r" if frame.remote else f"d {len(frame.data)} {data}  Length = 234000 BitCount = 120 ID = {frame.id}"
    )
    return f"{start} 1  {digits + wide:<15} {frame.rx}   {content}"


ASC_HEAD = "date Tue Nov 14 22:13:20.000 2023\nbase {} timestamps absolute\nno internal events logged\n"
SINCE = 1_700_000_000_000_000_000
MCP_DATE = 45244.92592592593  # 2023-11-14T22:13:20


def _busmaster(frame: Frame, *, decimal: bool = False) -> str:
    at = frame.time + 60_000
    clock = f"{at // 3_600_000:02d}:{at // 60_000 % 60:02d}:{at // 1000 % 60:02d}:{at % 1000:03d}0"
    kind = ("x" if frame.extended else "s") + ("r" if frame.remote else "")
    data = " ".join(f"{byte:03d}" if decimal else f"{byte:02X}" for byte in frame.data)
    digits = f"{frame.id}" if decimal else f"0x{frame.id:X}"
    return f"{clock} {frame.rx} 1 {digits} {kind} {len(frame.data)} {data} "


BUSMASTER = (
    "***BUSMASTER Ver 3.2.2***\n***PROTOCOL CAN***\n***[START LOGGING SESSION]***\n"
    "***START DATE AND TIME 14:11:2023 0:1:0:000***\n***{}***\n***SYSTEM MODE***\n"
    "***<Time><Tx/Rx><Channel><CAN ID><Type><DLC><DataBytes>***\n"
)
BUSMASTER_SINCE = 1_699_920_060_000_000_000


def _trc_id(frame: Frame) -> str:
    return f"{frame.id:08X}" if frame.extended else f"{frame.id:04X}"


def _trc(frame: Frame) -> str:
    return "RTR" if frame.remote else frame.spaced


def _trc2(number: int, frame: Frame, *, version: str) -> str:
    kind = "RR" if frame.remote else "FD" if frame.fd else "DT"
    size = len(frame.data)
    bus = "" if version == "2.0" else " 1"
    reserved = "" if version == "2.0" else " - "
    count = size if version == "2.0" else FD_SIZES.index(size)
    return f"{number:7d} {frame.time:9d}.000 {kind}{bus} {_trc_id(frame):>8} {frame.rx}{reserved} {count:2d}  {frame.spaced} "


def _trc_head(version: str) -> str:
    columns = {"2.0": ";$COLUMNS=N,O,T,I,d,l,D\n", "2.1": ";$COLUMNS=N,O,T,B,I,d,R,L,D\n"}.get(version, "")
    return (
        f";$FILEVERSION={version}\n;$STARTTIME={MCP_DATE}\n{columns};\n;   Start time: 14.11.2023\n;---+--\n"
    )


def _python_can(frame: Frame) -> str:
    flags = ("R" if frame.remote else "") + (" F" if frame.fd else "")
    digits = f"{frame.id:08x}    X" if frame.extended else f"     {frame.id:03x}    S"
    head = f"Timestamp: {1_700_000_000 + frame.time / 1000:15.6f}    ID: {digits} {frame.rx} {flags:>8}"
    return f"{head}     DL: {len(frame.data):2d}    {frame.data.hex(' '):<24}     Channel: can0"


def _gvret(frame: Frame, *, dir_column: bool) -> str:
    way = f"{frame.rx}," if dir_column else ""
    cells = [f"{byte:02X}" for byte in frame.data] + ["00"] * (8 - len(frame.data))
    wide = "true" if frame.extended else "false"
    return f"{frame.time * 1000},{frame.id:08X},{wide},{way}0,{len(frame.data)},{','.join(cells)},"


def _usb_can(number: int, frame: Frame, *, english: bool = False) -> str:
    at = frame.time
    clock = f"{at // 3_600_000:02d}:{at // 60_000 % 60:02d}:{at // 1000 % 60:02d}.{at % 1000:03d}"
    digits = f"0x{frame.id:08X}" if frame.extended else f"0x{frame.id:04X}"
    if english:
        words = ("Transmit" if frame.way is SENT else "Receive", "Remote" if frame.remote else "Data")
        wide = "Extended" if frame.extended else "Standard"
    else:
        words = ("发送" if frame.way is SENT else "接收", "远程帧" if frame.remote else "数据帧")
        wide = "扩展帧" if frame.extended else "标准帧"
    return (
        f'{number:08d},="{clock}",0x{at * 10:X},ch1,{words[0]},{digits},{words[1]},{wide},0x{len(frame.data):02X},'
        f"x| {frame.spaced} "
    )


CHINESE = "序号,系统时间,时间标识,CAN通道,传输方向,ID号,帧类型,帧格式,长度,数据\n"
ENGLISH = "Index,System Time,Time Stamp,Channel,Direction,Frame ID,Type,Format,DLC,Data\n"
PARSER = "ParserFlags\tCh\tCounter\tT/R\tTime\tFlags\tCAN ID\tLen\tData\t\n"


def _parser(number: int, frame: Frame) -> str:
    data = "0x" + frame.data.hex(" ") + " " if frame.data else ""
    way = frame.rx.upper()
    return f"1\t0\t{number}\t{way}\t{frame.time}\t\t0x{frame.id:08x}\t{len(frame.data)}\t{data}\t"


def _mcp2515(frame: Frame) -> str:
    kind = f"Extended ID: 0x{frame.id:08X}" if frame.extended else f"Standard ID: 0x{frame.id:03X}     "
    data = " REMOTE REQUEST FRAME" if frame.remote else "".join(f" 0x{byte:02X}" for byte in frame.data)
    return f"{kind}  DLC: {len(frame.data)}  Data:{data}"


FORMS: dict[str, Form] = {
    "candump -L": Form(each(_log), remote=True, fd=True, since=SINCE),
    "candump": Form(each(_console), remote=True, fd=True),
    "candump -S": Form(
        each(lambda f: _console(f, "`".join(f"{byte:02X}" for byte in f.data[::-1]))), remote=True
    ),
    "candump -i": Form(each(lambda f: _console(f, " ".join(f"{byte:08b}" for byte in f.data))), remote=True),
    "candump -a": Form(each(lambda f: f"{_console(f)}   '{'.' * len(f.data)}'"), remote=True, fd=True),
    "cansend": Form(each(lambda f: f"{f.digits}#{'R' if f.remote else f.hex}"), time=False, way=False, remote=True),
    "cansend with dots": Form(
        each(lambda f: f"can0 {f.digits}#{f.data.hex('.')}"), time=False, way=False
    ),
    "Battery-Emulator": Form(
        each(lambda f: f"({f.time / 1000:.3f}) {f.rx.upper()}0 {f.id:X} [{len(f.data)}] {f.spaced}"),
        extended=False,
        fd=True,
    ),
    "Battery-Emulator print": Form(
        each(lambda f: f"{f.time}  {f.id:X}  {len(f.data)}  " + "".join(f"{byte:X} " for byte in f.data)),
        extended=False,
        way=False,
    ),
    "crtd": Form(
        each(
            lambda f: f"{1_700_000_000 + f.time / 1000:.6f} 1{f.rx[0]}{29 if f.extended else 11} {f.id:X} {f.spaced}",
            "1700000000.000000 CXX OVMS crtd\n",
        ),
        since=SINCE,
    ),
    "slcan": Form(each(_slcan), way=False, remote=True, fd=True),
    "ASC hex": Form(each(_asc, ASC_HEAD.format("hex")), remote=True, fd=True, since=SINCE),
    "ASC decimal": Form(each(lambda f: _asc(f, decimal=True), ASC_HEAD.format("dec")), remote=True, since=SINCE),
    "BUSMASTER": Form(each(_busmaster, BUSMASTER.format("HEX")), remote=True, since=BUSMASTER_SINCE),
    "BUSMASTER decimal": Form(
        each(lambda f: _busmaster(f, decimal=True), BUSMASTER.format("DEC")), remote=True, since=BUSMASTER_SINCE
    ),
    "TRC 1.0": Form(
        numbered(lambda n, f: f"{n:6d}) {f.time:9d}  {_trc_id(f):>8}  {len(f.data)}  {_trc(f)} "), way=False, remote=True
    ),
    "TRC 1.1": Form(
        numbered(
            lambda n, f: f"{n:6d}) {f.time:9d}.0  {f.rx}     {_trc_id(f):>8}  {len(f.data)}  {_trc(f)} ", _trc_head("1.1")
        ),
        remote=True,
        since=SINCE,
    ),
    "TRC 1.2": Form(
        numbered(
            lambda n, f: f"{n:6d}) {f.time:9d}.000  1  {f.rx}     {_trc_id(f):>8}  {len(f.data)}  {_trc(f)} ",
            _trc_head("1.2"),
        ),
        remote=True,
        since=SINCE,
    ),
    "TRC 1.3": Form(
        numbered(
            lambda n, f: f"{n:6d}) {f.time:9d}.000 1  {f.rx}     {_trc_id(f):>8} -  {len(f.data)}    {_trc(f)} ",
            _trc_head("1.3"),
        ),
        remote=True,
        since=SINCE,
    ),
    "TRC 2.0": Form(
        numbered(lambda n, f: _trc2(n, f, version="2.0"), _trc_head("2.0")), remote=True, fd=True, since=SINCE
    ),
    "TRC 2.1": Form(
        numbered(lambda n, f: _trc2(n, f, version="2.1"), _trc_head("2.1")), remote=True, fd=True, since=SINCE
    ),
    "CANHacker": Form(
        each(
            lambda f: f"{f.time % 60_000 // 1000:02d},{f.time % 1000:03d} {f.digits}   {len(f.data)}   {f.spaced}",
            "Time   ID     DLC Data                    Comment\n",
        ),
        way=False,
    ),
    "python-can print": Form(each(_python_can), remote=True, fd=True, since=SINCE),
    "python-can CSV": Form(
        each(
            lambda f: (
                f"{1_700_000_000 + f.time / 1000},{f.id:#x},{f.extended:d},{f.remote:d},0,{len(f.data)},{base64.b64encode(f.data).decode()}"
            ),
            "timestamp,arbitration_id,extended,remote,error,dlc,data\n",
        ),
        way=False,
        remote=True,
        since=SINCE,
    ),
    "GVRET": Form(
        each(
            lambda f: _gvret(f, dir_column=True), "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
        )
    ),
    "GVRET without way": Form(
        each(lambda f: _gvret(f, dir_column=False), "Time Stamp,ID,Extended,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"),
        way=False,
    ),
    "CANHacker table": Form(numbered(_parser, PARSER), extended=False),
    "USB_CAN Chinese": Form(numbered(_usb_can, CHINESE), remote=True),
    "USB_CAN English": Form(numbered(lambda n, f: _usb_can(n, f, english=True), ENGLISH), remote=True),
    "cabana": Form(
        each(lambda f: f"{f.time / 1000:.3f},0x{f.id:x},0,0x{f.data.hex()}", "time,addr,bus,data\n"),
        extended=False,
        way=False,
    ),
    "other table": Form(
        each(lambda f: f"{f.time}.0;0x{f.id:X};{f.extended!s};{f.rx};{len(f.data)};{f.spaced}", "Time (ms);CAN ID;Ext;Dir;DLC;Data\n")
    ),
    "USB-CAN tool": Form(
        numbered(
            lambda n, f: f"{n:<4}\0{f.id:06x}\0{len(f.data)}\0{f.data.hex(' ')}\r", "NO  \0Frame ID  \0Length\0Data\r\n"
        ),
        extended=False,
        way=False,
        time=False,
    ),
    "MCP2515 print": Form(each(_mcp2515), time=False, way=False, remote=True),
    "MCP2515 print, autowp": Form(
        each(
            lambda f: f"{f.id | f.extended << 31:x} {len(f.data):x}" + "".join(f" {byte:x}" for byte in f.data),
            "------- CAN Read ----------\nID  DLC   DATA\n",
        ),
        time=False,
        way=False,
    ),
}  # fmt: skip
#: Flags that some writers set: kept to be compared with.
SWITCHED = FD_FORMAT | FD_SWITCHED
