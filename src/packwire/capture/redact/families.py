"""Where passwords and serial numbers stand in the frames of makers of BMSs: one row a kind of frame.

Facts: the makers' own protocol papers and what their apps are known to send. How such a frame begins finds it
in any stream; its checksum is made right again, so that it still reads as one.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from packwire.capture.secret_words import WORDS
from packwire.vesc.hublogin import LOGIN_PASSWORD
from packwire.wire.framing import FrameCheck, Size

PASSWORDS, SERIAL_NUMBERS = "passwords in BMS frames", "serial numbers and names in BMS frames"

#: No frame here is longer; what claims to be is looked at so far.
_LONGEST = 512
#: How many bytes of a frame that does not say its size belong to it.
_UNSIZED = 128

type Places = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Secrets:
    """Frames that begin with `begin`, a pattern, and are `size` bytes long, as their first bytes tell.

    What is secret lies at `places` (negative: from the end), and wherever `text` fits behind the pattern, its
    first group. `private` opens no door, but tells who somebody is. `fill` is written over it. Where the
    beginning alone is not `sure`, the checksum has to be right.
    """

    begin: re.Pattern[bytes]
    size: Size
    check: FrameCheck | None = None
    places: Places = ()
    text: re.Pattern[bytes] | None = None
    private: bool = False
    fill: bytes = b"*"
    sure: bool = True


def _begin(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


_JK_INFO, _JK_SIZE = _begin(rb"\x55\xaa\xeb\x90\x03"), Size(300)
_JK_SUM = FrameCheck("sum8", 0, -1, -1)
_JK_UART, _JK_UART_SIZE = _begin(rb"NW[\x00\x01]."), Size(2, at=2, width=2)
_JK_UART_SUM = FrameCheck("sum16", 0, -4, -2)
_JBD_SIZE, _JBD_SUM = Size(7, at=3), FrameCheck("sum16 negated", 2, -3, -3)
_MODBUS_SUM = FrameCheck("CRC-16/MODBUS", 0, -2, -2, "little")
#: The addresses that Daly's apps ask and its boards answer with.
_DALY = rb"[\xd2\x51\x81]"

ROWS = (
    # JK's device information: Bluetooth password, password, setup password; name, serial number, user's text.
    Secrets(_JK_INFO, _JK_SIZE, _JK_SUM, ((62, 78), (97, 102), (118, 134))),
    Secrets(_JK_INFO, _JK_SIZE, _JK_SUM, ((46, 62), (86, 97), (102, 118)), private=True),
    # What JK's app writes: numbers have 4 bytes, names and passwords more.
    Secrets(_begin(rb"\xaa\x55\x90\xeb.[\x05-\x0d]"), Size(20), _JK_SUM, ((6, -1),)),
    # JK over RS485: b2 is the password, b4 and ba are the user's texts and the serial number.
    Secrets(_JK_UART, _JK_UART_SIZE, _JK_UART_SUM, text=re.compile(rb"\xb2([\x20-\x7e\0]{10})")),
    Secrets(
        _JK_UART,
        _JK_UART_SIZE,
        _JK_UART_SUM,
        text=re.compile(rb"(?:\xb4|\xba)([\x20-\x7e\0]{8}(?:[\x20-\x7e\0]{16})?)[\xb5\xc0]"),
        private=True,
    ),
    # JBD's Bluetooth module: 15 app key, 16 change password, 17 random, 18 password, 1b to 1d root password.
    Secrets(
        _begin(rb"\xff\xaa[\x15-\x18\x1b-\x1d][\x02-\xff]"),
        Size(5, at=3),
        FrameCheck("sum8", 2, -1, -1),
        ((4, -1),),
    ),
    # JBD's BMS: 06 use a password, 07 set one, 08 unlock with it, 09 clear it, 0f the factory's.
    Secrets(_begin(rb"\xdd\x5a[\x06-\x09\x0f][\x01-\xff]"), _JBD_SIZE, _JBD_SUM, ((4, -3),)),
    # 16 is its serial number, a1 its name, a2 its barcode: read and written. fa reads any parameter.
    Secrets(
        _begin(rb"\xdd(?:\x5a\x16|\x16\x00)[\x01-\xff]"),
        _JBD_SIZE,
        _JBD_SUM,
        ((4, -3),),
        private=True,
        sure=False,
    ),
    Secrets(
        _begin(rb"\xdd(?:\x5a[\xa1\xa2\xfa]|[\xa1\xa2\xfa]\x00)[\x01-\xff]"),
        _JBD_SIZE,
        _JBD_SUM,
        text=re.compile(rb"([\x20-\x7e]{4,})"),
        private=True,
    ),
    # What the app of old ANT boards sends: a5 a5, two characters of the password, their sum. f1 to f4 use it,
    # 66 to 69 set a new one.
    Secrets(
        _begin(rb"\xa5\xa5(?:[\xf1-\xf4](?:[0-9]{2}|\*\*)|[\x66-\x69][\x20-\x7e]{2})"),
        Size(6),
        FrameCheck("sum8", 2, -1, -1),
        ((3, 5),),
    ),
    # Newer ones: 23 logs in.
    Secrets(
        _begin(rb"\x7e\xa1\x23..[\x01-\xff]"),
        Size(10, at=5),
        FrameCheck("CRC-16/MODBUS", 1, -4, -4, "little"),
        ((6, -4),),
    ),
    # TianPower: 98 sets the name of the Wi-Fi that it joins, 99 its password.
    Secrets(_begin(rb"\x55\x20\x99(?=[\x20-\x7e\0]{8})"), Size(32), None, ((3, 31),)),
    Secrets(_begin(rb"\x55\x20\x98(?=[\x20-\x7e\0]{8})"), Size(32), None, ((3, 31),), private=True),
    # Daly: the password is in three registers from c9 on. What is read does not say from where.
    Secrets(_begin(_DALY + rb"\x03\x06[\x20-\x7e]{6}"), Size(11), _MODBUS_SUM, ((3, -2),)),
    Secrets(_begin(_DALY + rb"\x10\x00[\xc9-\xcb]\x00.\x06"), Size(15), _MODBUS_SUM, ((7, -2),)),
    Secrets(_begin(_DALY + rb"\x10\x00\xc9\x00\x03[\x20-\x7e]{6}"), Size(14), _MODBUS_SUM, ((6, -2),)),
    Secrets(_begin(_DALY + rb"\x06\x00[\xc9-\xcb]"), Size(8), _MODBUS_SUM, ((4, -2),)),
    Secrets(
        _begin(_DALY + rb"\x03[\x08-\xfa]"),
        Size(5, at=2),
        _MODBUS_SUM,
        text=re.compile(rb"([\x20-\x7e]{8,})"),
        private=True,
    ),
    # Daly's older frames: 57 is the battery's code, in pieces of seven characters.
    Secrets(_begin(rb"\xa5\x01\x57\x08"), Size(13), FrameCheck("sum8", 0, -1, -1), ((5, -1),), private=True),
    # Seplos, Pace and others of the kind: texts in what is otherwise numbers.
    Secrets(
        _begin(rb"~[0-9A-Fa-f]{12}"),
        Size(18, at=9, width=4, digits=True, mask=0xFFF),
        FrameCheck("sum16 negated", 1, -5, -5, digits=True),
        text=re.compile(rb"(?:[0-9A-Fa-f]{2})*?((?:[2-6][0-9A-Fa-f]|7[0-9A-Ea-e]){8,})"),
        private=True,
        fill=b"2A",
    ),
)

#: Texts that say themselves what they are: AT commands of Bluetooth and Wi-Fi modules, settings as JSON or in
#: an address. A word, and what may stand between it and the secret, which is the group.
_BEHIND = re.compile(rb"[A-Za-z_]{0,8}[\"']?[ ]?[:=][ ]?[\"']?([^\r\n\0;}&]{1,128})")
_AT_COMMAND = re.compile(rb"AT\+[A-Z]{0,8}(?:PWD|PASS|PIN|PSK|KEY)([^\r\n\0]{1,128})")
#: Victron's text frames: a line with the serial number, and the byte that makes the sum of all 0.
_SERIAL_LINE = re.compile(rb"SER#\t([^\r\n]{1,32})")
_SUM_LINE = b"Checksum\t"


#: Lolan's app asks for status, cells and settings with its PIN, eight digits as a number, in each request.
#: Two bytes are little to go by: it has to be said again, or to be all that was said.
_LOLAN = re.compile(rb"(?:\xc5\x65|\x5b\x65|\x56\x00)([\x00-\x05].{3})", re.DOTALL)
_LOLAN_REQUEST = 6
#: A part of what an app writes is such requests: long frames of others hold some of these bytes by accident.
_LOLAN_SHARE = 20


def _pins(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the PIN of a Lolan stands in what its app wrote; its other commands hold it too."""
    said = Counter(found[1] for found in _LOLAN.finditer(content))
    for pin, times in said.items():
        often = times > 1 and _LOLAN_SHARE * times * _LOLAN_REQUEST >= len(content)
        if often or len(content) == _LOLAN_REQUEST:
            yield from (found.span() for found in re.finditer(re.escape(pin), content))


def mask_families(content: bytes, result: bytearray, counts: Counter[str], *, private: bool) -> None:
    """Overwrite in `result` what is secret in the frames and texts of `content`."""
    for row in ROWS:
        if private or not row.private:
            for start in _starts(row, content):
                counts[SERIAL_NUMBERS if row.private else PASSWORDS] += _mask(row, result, start)
    for begin, end in (*_told(content), *_pins(content)):
        result[begin:end] = b"*" * (end - begin)
        counts[PASSWORDS] += 1
    if private:
        for found in _SERIAL_LINE.finditer(content):
            _mask_serial_line(result, *found.span(1))
            counts[SERIAL_NUMBERS] += 1


def holds_password(content: bytes) -> bool:
    """Say whether a message carries a password to a BMS, masked or not."""
    for row in ROWS:
        for start in () if row.private else _starts(row, content):
            frame = content[start : start + _LONGEST]
            size = row.size.of(frame) if len(frame) >= row.size.needs else None
            whole = size is not None and len(frame) >= size
            right = (
                whole
                and row.check is not None
                and row.check.stored(frame[:size]) == row.check.right(frame[:size])
            )
            if (right or row.sure) and any(
                begin < min(end, len(frame)) for begin, end in _places(row, frame, size or len(frame))
            ):
                return True
    return False


def _told(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield where secrets stand in texts that name them."""
    lower = content.lower()
    for word in WORDS:
        at = lower.find(word)
        while at >= 0:
            if found := _BEHIND.match(content, at + len(word)):
                yield found.span(1)
            at = lower.find(word, at + len(word))
    patterns = [_AT_COMMAND] if b"AT+" in content else []
    patterns += [LOGIN_PASSWORD] if b"vesc" in lower.replace(b" ", b"") else []
    for pattern in patterns:
        yield from (found.span(1) for found in pattern.finditer(content))


def _starts(row: Secrets, content: bytes) -> Iterator[int]:
    found = row.begin.search(content)
    while found:
        yield found.start()
        found = row.begin.search(content, found.start() + 1)


def _mask(row: Secrets, result: bytearray, start: int) -> bool:
    """Mask one frame, also one that is not whole; tell whether there was anything."""
    head = bytes(result[start : start + _LONGEST])
    size = row.size.of(head) if len(head) >= row.size.needs else None
    frame = bytearray(head[: _UNSIZED if size is None else size])
    whole = len(frame) == size
    was = bytes(frame)
    for begin, end in _places(row, was, size or len(frame)):
        width = max(min(end, len(frame)) - begin, 0)
        frame[begin : begin + width] = (row.fill * width)[:width]
    if frame == was:
        return False
    right = whole and row.check is not None and row.check.stored(was) == row.check.right(was)
    if not right and not row.sure:
        return False
    sealed = row.check.set(bytes(frame)) if row.check and right else bytes(frame)
    result[start : start + len(sealed)] = sealed
    return True


def _places(row: Secrets, frame: bytes, size: int) -> Iterator[tuple[int, int]]:
    for begin, end in row.places:
        yield begin, end if end > 0 else size + end
    if row.text:
        head = row.begin.match(frame)
        for found in row.text.finditer(frame, head.end() if head else 0):
            if not _is_number(found[1]):
                yield found.span(1)


def _is_number(text: bytes) -> bool:
    """Tell whether text is one number of two bytes again and again."""
    return len(text) > 2 and text == (text[:2] * len(text))[: len(text)] and text[0] != text[1]


def _mask_serial_line(result: bytearray, begin: int, end: int) -> None:
    was = sum(result[begin:end])
    result[begin:end] = b"*" * (end - begin)
    at = result.find(_SUM_LINE, end, end + _LONGEST)
    if 0 <= at < len(result) - len(_SUM_LINE):
        place = at + len(_SUM_LINE)
        result[place] = (result[place] + was - sum(result[begin:end])) & 0xFF
