"""What the columns of tables with CAN frames are called, and the headers of known programs."""

import re
from dataclasses import dataclass

#: Nanoseconds in a unit of time.
UNITS = {
    "s": 1_000_000_000,
    "sec": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ns": 1,
}

#: Names without blanks, in small letters, by what they mean.
_NAMES = {
    "id": "id canid frameid arbitrationid identifier msgid messageid canidentifier id号 帧id addr",
    "time": "time timestamp timestamps timeoffset reltime relativetime abstime elapsed",
    "clock": "systemtime 系统时间 datetime date absolutetime",
    "mark": "时间标识 timeidentifier",
    "extended": "extended ide isextended isextendedid ext extendedid xtd format frameformat 帧格式 idtype",
    "remote": "remote rtr isremote isremoteframe type frametype 帧类型",
    "error": "error iserror iserrorframe",
    "fd": "fd canfd isfd can类型 edl",
    "way": "dir direction tr rxtx txrx rt 传输方向",
    "bus": "bus channel ch chn interface can通道 canchannel",
    "size": "len length dlc size datalen datalength dl 长度 bytecount",
    "data": "data databytes payload 数据 databyte datafield",
    "": "no nr number index count counter 序号 comment note name 名称 messagename label ascii",
}  # fmt: skip
_ROLES = {name: role for role, names in _NAMES.items() for name in names.split()}
_BYTE = re.compile(r"(?:d|b|db|byte|data)(\d{1,2})")
_WITH_UNIT = re.compile(
    r"(?P<name>[^\[(]+?)(?:\s*[\[(](?P<unit>[^\])]{1,4})[\])]|_(?P<suffix>s|ms|us|ns|hex|dec))"
)


@dataclass(frozen=True, slots=True)
class Header:
    """A table's columns: where each role is; `unit` of time in ns and `hex` 0 and None where not known.

    `data` are the columns of single bytes, empty where one column has them all.
    """

    at: dict[str, int]
    data: tuple[int, ...]
    unit: int = 0
    hex: bool | None = None
    base64: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """The header of a known program; `D` stands for columns of single bytes."""

    program: str
    names: tuple[str, ...]
    unit: int = 0
    base64: bool = False


def _dialect(program: str, names: str, unit: str = "", *, base64: bool = False) -> Dialect:
    return Dialect(program, tuple(names.split(",")), UNITS.get(unit, 0), base64)


#: Their identifiers and bytes are in hex. What is not named here has its meaning from `_NAMES`.
DIALECTS = (
    _dialect("SavvyCAN (GVRET)", "timestamp,id,extended,dir,bus,len,D", "us"),
    _dialect("SavvyCAN (GVRET)", "timestamp,id,extended,bus,len,D", "us"),
    _dialect("SavvyCAN", "id,databytes"),
    _dialect("python-can", "timestamp,arbitrationid,extended,remote,error,dlc,data", "s", base64=True),
    _dialect("CANHacker", "parserflags,ch,counter,tr,time,flags,canid,len,data", "ms"),
    _dialect("cabana", "time,addr,bus,data", "s"),
    _dialect("USB_CAN tool", "序号,系统时间,时间标识,can通道,传输方向,id号,帧类型,帧格式,长度,数据"),
    _dialect("USB_CAN tool", "序号,系统时间,时间标识,can通道,id号,帧类型,帧格式,can类型,长度,数据"),
    _dialect("USB_CAN tool", "index,systemtime,timestamp,channel,direction,frameid,type,format,dlc,data"),
    _dialect("USB_CAN tool", "index,systemtime,timestamp,channel,direction,id,type,format,length,data"),
)  # fmt: skip
#: What a column says is CAN's, beside an identifier that may be that of anything.
_TELLS_CAN = frozenset(("extended", "bus", "size", "fd"))
_SURE_IDS = frozenset(("canid", "arbitrationid", "canidentifier", "frameid", "id号", "帧id"))


def plain(name: str) -> tuple[str, str]:
    """Return a column's name without blanks and signs, in small letters, and its unit or base."""
    name = name[:60].strip("\ufeff \t").lower()
    found = _WITH_UNIT.fullmatch(name)
    unit = (found["unit"] or found["suffix"]).strip() if found else ""
    bare = found["name"] if found and unit in {*UNITS, "hex", "dec"} else name
    return "".join(each for each in bare if each.isalnum()), unit if bare != name else ""


def columns(cells: list[str]) -> tuple[Header | None, tuple[str, ...]]:
    """Return what the columns of a header are, and names that are not known; None: no table with CAN ids."""
    names = [plain(cell) for cell in cells]
    while names and not names[-1][0]:
        names.pop()
    collapsed = list(dict.fromkeys("D" if _BYTE.fullmatch(name) else name for name, _ in names))
    dialect = next((each for each in DIALECTS if each.names == tuple(collapsed)), None)
    at: dict[str, int] = {}
    data, unknown = [], []
    for index, (name, unit) in enumerate(names):
        if found := _BYTE.fullmatch(name):
            data.append((int(found[1]), index))
        elif (role := _ROLES.get(name)) is not None and role not in at:
            at[role] = index
        elif role is None and (dialect is None or name not in {"parserflags", "flags"}):
            unknown.append(cells[index].strip())
        if unit == "dec" and name in _ROLES:
            unknown.append(cells[index].strip())
    if "id" not in at or not (data or "data" in at):
        return None, ()
    if not (dialect or data or names[at["id"]][0] in _SURE_IDS or _TELLS_CAN & set(at)):
        return None, ()
    units = {unit for name, unit in names if _ROLES.get(name) == "time"} & set(UNITS)
    stated = any(unit == "hex" for name, unit in names if _ROLES.get(name) in {"id", "data"})
    return Header(
        at,
        tuple(index for _, index in sorted(data)),
        dialect.unit if dialect else UNITS.get("".join(units), 0),
        True if dialect or stated else None,
        dialect.base64 if dialect else False,
    ), tuple(unknown)


def nearest(cells: list[str]) -> Dialect:
    """Return the known header that has most names in common with another one."""
    names = {"D" if _BYTE.fullmatch(name) else name for name, _ in map(plain, cells)}
    return max(DIALECTS, key=lambda each: len(names & set(each.names)) / len(names | set(each.names)))
