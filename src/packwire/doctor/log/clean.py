"""Lines of a stranger's log made fit for an issue: no passwords, networks, addresses, serial numbers.

A line is shown as evidence for what its words say. Of bytes only the first are shown: passwords stand in
frames as well. Of a Bluetooth address the maker's part stays, and devices stay distinct.
"""

import re

from packwire.capture.events.address import plain_address

HIDDEN = "***"
_SHOWN_BYTES = 4
_MAX_ADDRESSES = 4096

_SECRET = re.compile(
    r"(?P<name>[\w.\- ]{0,20}(?:pass(?:word|wd|phrase|key|code)?|psk|secret|token|api[_"
    r" -]?key|encryption|credential"
    r"|ssid|bssid|\bkey|\bpin|\bpw|\buser(?:name)?|\blogin|latitude|longitude|serial(?:[_ -]?(?:number|no))?)"
    r"[\"']?\s{0,3}(?::|=|\bis\b|->)\s{0,3})"
    r"(?:b?\"[^\"]*\"|b?'[^']*'|[^\s,;}\])]+(?:\s*$)?)",
    re.IGNORECASE,
)
_AT_URL = re.compile(r"(?P<scheme>\w{2,12}://)[^\s/@]{1,200}@")
_USER_AT = re.compile(r"(?<=connecting mqtt )\S{1,80}|[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,63}")
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}(?::?[0-9a-fA-F]{1,4}){1,4}(?![\w:])")
_ADDRESS = re.compile(
    r"(?<![0-9A-Fa-f:])[0-9A-Fa-f]{2}(?:(?P<between>[:_-])[0-9A-Fa-f]{2})(?:(?P=between)[0-9A-Fa-f]{2}){4}(?!:?[0-9A-Fa-f]{2}|[0-9A-Fa-f])"
)
_MANUFACTURER = re.compile(
    r"(manufacturer_data|service_data|raw)(['\"]?: ?)(?:\{[^}]{0,600}\}|b?'[^']{0,900}'|\"[^\"]{0,900}\")"
)
_HEX_BYTES = re.compile(
    r"(?<![0-9A-Za-z])(?:0x)?[0-9A-Fa-f]{2}(?:(?P<s>[ :.,-]|, )(?:0x)?[0-9A-Fa-f]{2}){4,}(?![0-9A-Za-z])"
)
_HEX_RUN = re.compile(r"(?<![0-9A-Za-z-])[0-9A-Fa-f]{12,}(?![0-9A-Za-z-])")
#: Long lines are cut, so that the end of a literal may not be there.
_LITERAL = re.compile(
    r"(?P<open>b'|b\"|\"(?=~))(?:(?<=')(?:\\.|[^'\\])*(?:'|\\?$)|(?<!')(?:\\.|[^\"\\])*(?:\"|\\?$))"
    r"|~[0-9A-F]{12,}"
)
_UNIT = re.compile(r"\\x[0-9a-fA-F]{2}|\\.|[^\\]")
_SERIAL = re.compile(r"(?<![\w:.])(?=[\w]*\d{6})[A-Za-z0-9_]{8,}(?![\w:])")
_PLAIN_NUMBER = re.compile(r"\d{1,10}")
_LONG_DIGITS = re.compile(r"(?<![\d.:])\d{6,}(?![\d.:])")
_TIME = re.compile(r"\s*[\[(]?[\dT:.,/ +Z-]{8,36}[\])]?")


class Cleaner:
    """Cleans the lines of one log, so that the same address is the same everywhere."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Return a line as it may be shown."""
        begin = _TIME.match(text)
        head, rest = (_IPV4.sub("x.x.x.x", begin[0]), text[begin.end() :]) if begin else ("", text)
        rest = _MANUFACTURER.sub(rf"\1\2{HIDDEN}", rest)
        rest = _SECRET.sub(rf"\g<name>{HIDDEN}", rest)
        rest = _AT_URL.sub(rf"\g<scheme>{HIDDEN}@", rest)
        rest = _USER_AT.sub(HIDDEN, rest)
        rest = _LITERAL.sub(_literal, rest)
        rest = _ADDRESS.sub(self._address, rest)
        rest = _HEX_BYTES.sub(_hex_bytes, rest)
        rest = _HEX_RUN.sub(lambda found: f"{found[0][: 2 * _SHOWN_BYTES]}..", rest)
        rest = _IPV4.sub("x.x.x.x", rest)  # behind bytes, which may have points between them, too
        rest = _IPV6.sub("x::x", rest)
        return head + _SERIAL.sub(_serial, rest)

    def addresses(self, text: str) -> str:
        """Return a text without addresses of Bluetooth devices and of computers."""
        return _IPV4.sub("x.x.x.x", _ADDRESS.sub(self._address, text))

    def _address(self, found: re.Match[str]) -> str:
        return self.address(found[0])

    def address(self, text: str) -> str:
        """Return a Bluetooth address with the maker's part and a number for the rest."""
        plain = plain_address(text)
        if plain not in self._addresses and len(self._addresses) < _MAX_ADDRESSES:
            self._addresses[plain] = f"{plain[:8]}:xx:xx:{len(self._addresses) + 1:02d}"
        return self._addresses.get(plain, f"{plain[:8]}:xx:xx:xx")

    def name(self, text: str) -> str:
        """Return a device's name or address as it may be shown."""
        return self.address(text) if _ADDRESS.fullmatch(text) else _LONG_DIGITS.sub(_digits, text)


def _literal(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith("~"):
        return text[:9] + ".."
    begin = len(found["open"])
    closed = len(text) > begin and text[-1] == text[begin - 1]
    units = _UNIT.findall(text[begin:-1] if closed else text[begin:])
    if len(units) <= _SHOWN_BYTES:
        return text
    return text[:begin] + "".join(units[:_SHOWN_BYTES]) + ".." + text[begin - 1] * closed


def _hex_bytes(found: re.Match[str]) -> str:
    separator = found["s"]
    parts = found[0].split(separator)
    if len(parts) <= _SHOWN_BYTES:
        return found[0]
    return separator.join(parts[:_SHOWN_BYTES]) + f"{separator}.. ({len(parts)} bytes)"


def _serial(found: re.Match[str]) -> str:
    """Return a name with its long number cut; numbers as such (times, sizes) stay."""
    if _PLAIN_NUMBER.fullmatch(found[0]):
        return found[0]
    return _LONG_DIGITS_IN_NAME.sub(_digits, found[0])


_LONG_DIGITS_IN_NAME = re.compile(r"\d{6,}")


def _digits(found: re.Match[str]) -> str:
    return found[0][:2] + ".."
