r"""What a line of a log says: bytes behind nothing but words that are known to stand before bytes.

A closed list of words decides, not a guess: `RX: dd 03`, `Notification received from ff01 (4): dd 03` and
`sending command b'\xdd'` are of the form; `connected: 02:00:00:00:00:01`, `SOC: 85` are not.
"""

import re
from typing import NamedTuple

from packwire.att import short_uuid
from packwire.capture.packets import PacketDirection
from packwire.capture.text.beside import bytes_end
from packwire.capture.text.doubt import doubt
from packwire.capture.text.grammar import NO_BYTES, Unread
from packwire.capture.text.tokens import (
    ESCAPED,
    LITERAL,
    TOKENS,
    hex_bytes,
    literal_bytes,
    unescaped,
)
from packwire.capture.text.way import way

_SENT = (
    "tx|sent|sends?|sending|write|writes|writing|wrote|written|transmit|transmitted|transmitting|outgoing"
    "|requests?|req|query|out|oncharacteristicwrite|writecharacteristic"
    "|gesendet|sende|发送?"
)
_RECEIVED = (
    "rx|received?|receives|receiving|recv|recvd|rcvd|got|read|notify|notifies|notification|notifications|notified"
    "|indication|incoming|responses?|resp|reply|replied|replies|answer|answers|in|oncharacteristicchanged"
    "|oncharacteristicread|didupdatevaluefor|didupdatevalue|empfangen|empfange|antwort|接收|收"
)
#: What may stand directly before bytes, besides a direction.
_DATA = (
    "data|bytes?|raw|hex|payload|values?|packets?|pkt|frames?|messages?|msg|buffer|buf|command|cmd|line|stream|string"
    "|hexstring|hex_string|content|chunk|dump|array|bytearray|telegram|full|as"
)
#: What may stand further before them.
_OTHER = (
    "ble|bt|uart|usart|serial|rs485|rs232|modbus|bms|gatt|att|char|characteristic|handle|uuid|from|to|on|at|of|by|via"
    "|device|battery|pack|app|the|a|an|new|with|for|is|was|len|length|size|count|port|start|cnt|cont|end|has|been"
    "|master|slave|client|server|phone|host|pc|esp|esp32|inverter|peripheral|central|update|updated|changed|callback|raw_data|hexadecimal|into|update"
)
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_MAC = r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"
#: Two of the signs are what SSCOM puts behind its arrows.
_BETWEEN = r"(?:\s-\s{1,3}|[\s:\uff1a=,>|◇◆]{0,4})"

_ITEM = re.compile(
    rf"(?:(?:\[(?=[a-z]{{2,8}}\]))?(?P<sent>(?:{_SENT})(?![\w-])|-{{1,2}}>|={{1,2}}>|>{{1,3}}(?!\w)|[→⇒])"
    rf"|(?:\[(?=[a-z]{{2,8}}\]))?(?P<received>(?:{_RECEIVED})(?![\w-])|<-{{1,2}}|<={{1,2}}|<{{1,3}}(?=\s)|[←⇐])"
    rf"|(?P<data>(?:{_DATA})(?![\w(-]))|(?P<other>(?:{_OTHER})(?![\w-])\.?)"
    rf"|(?P<uuid>{_UUID}(?:_{{3}}{_UUID})?)|(?<=[ ])(?P<mac>{_MAC})(?=[\s:,]+\S)(?!:[0-9A-Fa-f]{{2}}(?!\w))"
    r"|(?:(?<=handle )|(?<=handle=)|(?<=handle: ))(?P<handle>0x[0-9a-fA-F]{1,4}|\d{1,5})(?!\w|:[0-9a-f]{2})"
    r"|(?:(?<=char )|(?<=uuid )|(?<=uuid=)|(?<=uuid: )|(?<=characteristic ))"
    r"(?P<short>(?:0x)?[0-9a-fA-F]{4})(?!\w)"
    r"|(?:(?<=len[ =])|(?<=len: )|(?<=length[ =])|(?<=length: )|(?<=size[ =])|(?<=size: ))"
    r"(?P<length>\d{1,4})(?=[\s:,)])"
    r"|[(\[](?P<count>\d{1,4})(?: ?bytes?)?[)\]](?=[\s:]*\S)|(?P<sized>\d{1,4})(?= bytes?\b)"
    r"|\((?:handle[ :=]+(?P<handled>0x[0-9a-fA-F]{1,4}|\d{1,5})|[A-Za-z]{1,8}\.?|0x)\)|#\d{1,6}(?!\w))"
    r"(?:(?<=[a-z])\])?" + _BETWEEN,
    re.IGNORECASE,
)
_HEX = re.compile(
    rf"(?P<open>(?:<Buffer |[\[<{{(\"'])(?:\(0x\) ?| )?|\(0x\) ?)?"
    rf"(?P<hex>{TOKENS})(?(open) ?[\]>}})\"']{{0,2}})",
    re.ASCII,
)
_LITERAL = re.compile(LITERAL)
_ESCAPED = re.compile(ESCAPED)
#: What `binascii.hexlify` gives; or the bytes of a protocol that sends digits.
_HEXLIFIED = re.compile(rb"(?:[0-9a-fA-F]{2}){5,}")
_COUNT = re.compile(r"\s*(?:[(\[](?P<count>\d{1,5})(?: ?bytes?)?[)\]])?[\s,;.\"'}]*")
_REMARK = re.compile(r"#|//|;|--|- |\||\(|\[|=|<|>|\*|/|\"|'|!|:|(?![0-9A-Fa-f]+\b)[A-Za-z]")
#: What may follow bytes directly: none of it goes on with a number, a time or a word.
_ENDED = re.compile(r"[\s,;\"'\])}>|#(]|[.:!](?:\s|$)|-\s")
_ERROR = re.compile(
    r"\b(?:error|invalid|fail\w*|wrong|bad|unexpected|unknown|timeout|timed|crc|checksum|mismatch|corrupt\w*"
    r"|exception|cannot|could not|not)\b",
    re.IGNORECASE,
)
_LEAST_BEFORE_WORDS = 3
#: Behind bytes with another sign between: more of them, so that the message would be cut, or a value's name.
_GOES_ON = re.compile(
    r"[ \t]*(?:[:;|/]|[-=]{0,2}>|<[-=]{0,2}|[=→⇒←])[ \t:;|/]*"
    r"(?:(?:0[xX])?[0-9A-Fa-f]{1,2}(?![0-9A-Za-z])|0[xX][0-9A-Fa-f]{4})"
)
#: What somebody puts for bytes that were left out.
_CUT = re.compile(r"[ \t]*(?:[\[(<]\s*(?:\.{2,}|…)\s*[\])>]|…|\.{3}(?=\s*$))")
#: What somebody puts for bytes that are nobody's business, or that were not legible.
_MASKED = re.compile(
    r"[ \t](?:--[ \t]--(?!-)|--(?:[ \t][0-9A-Fa-f]{2}){2}(?![0-9A-Za-z]))|"
    r"[ \t:,.-]?(?P<mask>[xX]{2}|\?{2}|\*{2}|_{2}|#{2}|[nN]{2}|\.{2}(?!\.))(?:(?=\s*$)"
    r"|[ \t:,.-]?(?:(?P=mask)|[0-9A-Fa-f]{2})(?![0-9A-Za-z]))"
)
#: Bytes behind a direction: what stands before it is a time or a number of the line's.
_BYTES_FOLLOW = re.compile(
    rf"[\s/|,;>-]*(?:{_SENT}|{_RECEIVED})(?![\w-])[\s:=]*"
    r"(?:0x)?[0-9a-f]{2}[ :.,-]?(?:0x)?[0-9a-f]{2}(?!\w*[g-z])",
    re.IGNORECASE,
)
#: An address of memory with the size of what is there.
_PLACE = re.compile(r"(?:0x)?[0-9a-f]{8}[\s,(]{1,3}(?:len|length|size)[ =:]{1,3}\d", re.IGNORECASE)
#: A short hash, or a whole one, with what was changed.
_HASH = re.compile(
    r"(?:[0-9a-f]{8}(?:[0-9a-f]{2}){0,2}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}) (?:[A-Za-z]|\(#)"
)
#: What md5sum and its like print.
_FILE_SUM = re.compile(r"\\?(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}) [ *]\S.*")

QUOTED = Unread("lines of errors, whose bytes were or were not received")
MASKED = Unread("messages of which bytes were made illegible", damaged=True)
SHORT = Unread("messages that are shorter than the line says", damaged=True)


class Said(NamedTuple):
    """What a line says: which way, on which characteristic or handle, of which device, and the bytes."""

    payload: bytes
    direction: PacketDirection
    name: str = ""
    device: str = ""
    doubt: str = ""
    shape: str = ""
    arrow: bool = False


class Label(NamedTuple):
    """The words before bytes, which begin at `end`.

    `marked` tells that one stands directly before them, `leads` that it is one that leads to bytes and to
    nothing else; `size` is how many they say there are, or -1; `arrow`
    that the direction is an arrow and no word; `direct` that TX, RX or an arrow stands directly before them.
    """

    end: int = 0
    direction: PacketDirection = PacketDirection.UNKNOWN
    marked: bool = False
    names: bool = False
    name: str = ""
    device: str = ""
    size: int = -1
    arrow: bool = False
    direct: bool = False
    leads: bool = False


def said(line: str, at: int, *, loud: bool = False) -> Said | Unread | None:
    """Return what a line says behind `at`; None where it is not of the form."""
    words = label(line, at)
    if words is None:
        return None
    literal = _LITERAL.match(line, words.end)
    if literal:
        held = literal_bytes(literal[0]) or b""
        if _HEXLIFIED.fullmatch(held) and is_frame(plain := bytes.fromhex(held.decode())):
            held = plain
        return _checked(line, literal.end(), words, held, "", "literal", loud=loud)
    if not words.names and (escaped := _ESCAPED.match(line, words.end)):
        return _checked(line, escaped.end(), words, unescaped(escaped[0]), "", "escaped", loud=loud)
    begin = words.end
    if "  " in line:
        begin += len(line) - begin - len(line[begin:].lstrip())
        line = line[: bytes_end(line, begin)]
    found = _HEX.match(line, begin)
    payload = hex_bytes(found["hex"]) if found else None
    if found is None or not payload:
        return None
    why = doubt(found["hex"], marked=words.leads, direct=words.direct)
    separator = found["hex"][2:3] if not found["hex"][2:3].isalnum() else ""
    shape = f"{line[at : words.end].strip().lower()}{separator}"
    return _checked(line, found.end(), words, payload, why, shape, loud=loud)


def _checked(
    line: str, end: int, words: Label, payload: bytes, why: str, shape: str, *, loud: bool
) -> Said | Unread | None:
    """Look at what stands behind the bytes."""
    behind = _COUNT.match(line, end)
    rest = line[behind.end() :] if behind else line[end:]
    cut = _CUT.match(line, end)
    if cut and (cut[0][-1] in "])>…" or len(payload) != len(cut[0].strip())):  # else it is their text
        return SHORT
    if _MASKED.match(line, end):
        return MASKED
    if (
        _GOES_ON.match(line, end)
        or _BYTES_FOLLOW.match(rest)
        or (not words.marked and (_FILE_SUM.fullmatch(line) or _HASH.match(line, words.end)))
        or _PLACE.match(line, words.end)
    ):
        return None
    count = int(behind["count"]) if behind and behind["count"] else words.size
    if not rest_is_remark(line, end):
        return None
    if loud or (rest and _ERROR.search(rest)):
        return QUOTED
    if rest and rest[0].isalpha() and len(payload) < _LEAST_BEFORE_WORDS:
        return None
    if not payload:
        return NO_BYTES
    if count not in (-1, len(payload)):
        return SHORT if len(payload) < count else None
    return Said(payload, words.direction, words.name, words.device, why, shape, words.arrow)


def is_frame(payload: bytes) -> bool:
    """Tell whether bytes are a frame of a known framing whose checksum is right."""
    from packwire.capture.framings import request_of  # noqa: PLC0415 - few texts need it

    return request_of(payload).known


def rest_is_remark(line: str, end: int) -> bool:
    """Tell whether behind bytes that end there a line holds nothing, how many they are, or a remark."""
    if end == len(line):
        return True
    behind = _COUNT.match(line, end)
    rest = line[behind.end() :] if behind else line[end:]
    return _ENDED.match(line, end) is not None and (not rest or _REMARK.match(rest) is not None)


def channel(name: str, direction: PacketDirection) -> str:
    """Return the channel of a line: that of the characteristic or handle that it names, if any."""
    if not name:
        return "hex"
    return f"att {name} {'write' if direction is PacketDirection.SENT else 'notify'}"


def label(line: str, at: int) -> Label | None:
    """Return the known words that stand from `at` on; None where they do not lead to bytes."""
    found = _ITEM.match(line, at)
    if found is None:
        return Label(at)
    direction, device, name, count = PacketDirection.UNKNOWN, "", "", -1
    final = gap = word = ""
    arrow, items, end = False, 0, at
    while found is not None:
        kind = found.lastgroup or ""
        word = found[kind] if kind else ""
        items, end, final = items + 1, found.end(), kind
        gap = line[found.end(kind) if kind else found.start() : end]
        if kind in {"sent", "received"} and (
            direction is PacketDirection.UNKNOWN
            # What is quoted in a mail or in Markdown begins with the sign too.
            or (arrow and items == 2 and line[at] == ">" != line[at + 1] and word[0].isalpha())
        ):
            if word.lower() not in {"in", "out"} or (items == 1 and ":" in gap):
                direction = PacketDirection.SENT if kind == "sent" else PacketDirection.RECEIVED
                arrow = not word[0].isalpha()
        elif kind in {"uuid", "short"}:
            name = short_uuid(word.split("___")[0].removeprefix("0x"))
        elif kind in {"handle", "handled"}:
            name = f"0x{int(word, 16 if word[1:2] in 'xX' else 10):04x}"
        elif kind == "mac":
            device = word
        elif kind in {"count", "length", "sized"}:
            count = int(word)
        found = _ITEM.match(line, end)
    direction = way(line[at:end]) if items > 1 else direction
    marked = final in {"sent", "received", "data", "count", "length"} or any(each in gap for each in ":=")
    if not marked:
        return None
    direct = final in {"sent", "received"} and (word.lower() in {"tx", "rx"} or not word[0].isalpha())
    leads = final in {"sent", "received", "data", "count", "length"}
    return Label(end, direction, marked, bool(device or name), name, device, count, arrow, direct, leads)
