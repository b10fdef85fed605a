"""Addresses, names and keys in HCI commands and events [Bluetooth Core Specification, Vol 4, Part E, 7].

Every command and event that is known to hold none of them, and every one whose places are known, stands in a
table here; the parameters of all others, vendor-specific ones among them, are masked whole.
"""

from typing import NamedTuple

from packwire.capture.redact.canvas import STAR, Aliases, Canvas

KEYS, NAMES, ADDRESSES = "keys and PINs", "names", "addresses"
UNKNOWN = "Bluetooth commands and events that are not known here"
ADVERTISED = "advertised data of a maker's own"


class HciRule(NamedTuple):
    """Where in the parameters what stands; `keys` and `names` as (offset, size), size 0: to the end.

    `ads` are offsets of advertising data that goes to the end.
    """

    addresses: tuple[int, ...] = ()
    keys: tuple[tuple[int, int], ...] = ()
    names: tuple[tuple[int, int], ...] = ()
    ads: tuple[int, ...] = ()


_FREE = HciRule()
_FIRST = HciRule(addresses=(0,))
_SECOND = HciRule(addresses=(1,))


def _free(*numbers: int) -> dict[int, HciRule]:
    return dict.fromkeys(numbers, _FREE)


#: Commands by opcode: (OGF << 10) + OCF.
COMMANDS: dict[int, HciRule] = {
    # Link control
    **_free(0x0401, 0x0402, 0x0403, 0x0404, 0x0406, 0x040F, 0x0411, 0x0413, 0x0415, 0x041B, 0x041C, 0x041D),
    **_free(0x041F, 0x0420, 0x0428, 0x043D),
    **dict.fromkeys((0x0405, 0x0408, 0x0409, 0x040A, 0x040C, 0x040E, 0x0419, 0x041A, 0x0429, 0x042A), _FIRST),
    **dict.fromkeys((0x042B, 0x042C, 0x042D, 0x042F, 0x0433, 0x0434, 0x043E), _FIRST),
    0x040B: HciRule(addresses=(0,), keys=((6, 16),)),
    0x040D: HciRule(addresses=(0,), keys=((7, 16),)),
    0x042E: HciRule(addresses=(0,), keys=((6, 4),)),
    0x0430: HciRule(addresses=(0,), keys=((6, 0),)),
    0x0445: HciRule(addresses=(0,), keys=((6, 0),)),
    # Link policy, controller and baseband, informational, status: all but those with an address or a key
    **_free(*range(0x0801, 0x0820)),
    0x080B: _FIRST,
    **_free(*range(0x0C01, 0x0CA0)),
    0x0C05: HciRule(keys=((0, 0),)),
    0x0C0D: HciRule(addresses=(0,)),
    0x0C11: HciRule(keys=((0, 0),)),
    0x0C12: HciRule(addresses=(0,)),
    0x0C13: HciRule(names=((0, 248),)),
    0x0C52: HciRule(ads=(1,)),
    **_free(*range(0x1001, 0x1020), *range(0x1401, 0x1410)),
    # LE
    **_free(0x2001, 0x2002, 0x2003, 0x2007, 0x200A, 0x200B, 0x200C, 0x200E, 0x200F, 0x2010, 0x2013, 0x2014),
    **_free(0x2015, 0x2016, 0x2018, 0x201B, 0x201C, 0x201D, 0x201E, 0x201F, 0x2020, 0x2021, 0x2022, 0x2023),
    **_free(0x2024, 0x2025, 0x2029, 0x202A, 0x202D, 0x202E, 0x202F, 0x2030, 0x2031, 0x2032, 0x2033, 0x2034),
    **_free(0x2039, 0x203A, 0x203B, 0x203C, 0x203D, 0x203E, 0x2040, 0x2041, 0x2042, 0x2045, 0x2046, 0x2049),
    **_free(0x204A, 0x204B, 0x204C, 0x204D, 0x2060, 0x2074, 0x2075, 0x2076, 0x2077, 0x2078, 0x207D),
    0x2005: _FIRST,
    0x2006: HciRule(addresses=(7,)),
    0x2008: HciRule(ads=(1,)),
    0x2009: HciRule(ads=(1,)),
    0x200D: HciRule(addresses=(6,)),
    0x2011: _SECOND,
    0x2012: _SECOND,
    0x2019: HciRule(keys=((2, 0),)),
    0x201A: HciRule(keys=((2, 0),)),
    0x2027: HciRule(addresses=(1,), keys=((7, 0),)),
    0x2028: _SECOND,
    0x202B: _SECOND,
    0x202C: _SECOND,
    0x2035: _SECOND,
    0x2036: HciRule(addresses=(12,)),
    0x2037: HciRule(ads=(4,)),
    0x2038: HciRule(ads=(4,)),
    0x2043: HciRule(addresses=(3,)),
    0x2044: HciRule(addresses=(3,)),
    0x204E: _SECOND,
}

#: What Command Complete returns, by opcode, where it is not free: offsets behind the opcode.
_RETURNED: dict[int, HciRule] = {
    **dict.fromkeys((0x0408, 0x040B, 0x040C, 0x040D, 0x040E, 0x041A, 0x042B, 0x042C, 0x042D), _SECOND),
    **dict.fromkeys((0x042E, 0x042F, 0x0430, 0x0433, 0x0434, 0x1009, 0x202B, 0x202C), _SECOND),
    0x0C14: HciRule(names=((1, 248),)),
    0x0C51: HciRule(ads=(2,)),
    0x0C57: HciRule(keys=((1, 0),)),
    0x0C7D: HciRule(keys=((1, 0),)),
    0x2017: HciRule(keys=((1, 0),)),
    0x2018: HciRule(keys=((1, 0),)),
}
#: Commands whose return parameters have nothing of the kind though their own parameters do.
_RETURNS_NOTHING = {
    0x0C05, 0x0C0D, 0x0C11, 0x0C12, 0x0C13, 0x0C52, 0x2005, 0x2006, 0x2008, 0x2009, 0x2011, 0x2012, 0x201A,
    0x2027, 0x2028, 0x2035, 0x2036, 0x2037, 0x2038, 0x204E,
}  # fmt: skip

COMMAND_COMPLETE, LE_META = 0x0E, 0x3E
_ADVERTISING, _EXTENDED_ADVERTISING = 0x02, 0x0D
_INQUIRY = {0x02: 1, 0x22: 1, 0x2F: 1}

#: Events by code.
EVENTS: dict[int, HciRule] = {
    **_free(0x00, 0x01, 0x05, 0x06, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0F, 0x10, 0x11, 0x13, 0x14, 0x1A),
    **_free(0x1B, 0x1C, 0x1D, 0x1E, 0x21, 0x23, 0x2D, 0x2E, 0x30, 0x38, 0x39, 0x59),
    0x02: _SECOND,
    0x03: HciRule(addresses=(3,)),
    0x04: _FIRST,
    0x07: HciRule(addresses=(1,), names=((7, 248),)),
    0x12: _SECOND,
    0x15: HciRule(keys=((0, 0),)),
    0x16: _FIRST,
    0x17: _FIRST,
    0x18: HciRule(addresses=(0,), keys=((6, 16),)),
    0x20: _FIRST,
    0x22: _SECOND,
    0x2C: HciRule(addresses=(3,)),
    0x2F: HciRule(addresses=(1,), ads=(15,)),
    0x31: _FIRST,
    0x32: _FIRST,
    0x33: HciRule(addresses=(0,), keys=((6, 4),)),
    0x34: _FIRST,
    0x35: _FIRST,
    0x36: _SECOND,
    0x3B: HciRule(addresses=(0,), keys=((6, 4),)),
    0x3C: _FIRST,
    0x3D: _FIRST,
}

#: LE Meta events by subevent; offsets count from the subevent's code.
LE_EVENTS: dict[int, HciRule] = {
    **_free(0x03, 0x04, 0x06, 0x07, 0x0C, 0x10, 0x11, 0x12, 0x14, 0x15, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E),
    **_free(0x1F, 0x20, 0x23),
    0x01: HciRule(addresses=(6,)),
    0x05: HciRule(keys=((3, 0),)),
    0x08: HciRule(keys=((2, 0),)),
    0x09: HciRule(keys=((2, 0),)),
    0x0A: HciRule(addresses=(6, 12, 18)),
    0x0B: HciRule(addresses=(4, 11)),
    0x0E: HciRule(addresses=(6,)),
    0x0F: HciRule(ads=(8,)),
    0x13: HciRule(addresses=(3,)),
    0x18: HciRule(addresses=(10,)),
    0x29: HciRule(addresses=(6, 12, 18)),
}

#: Advertising data by type [Assigned Numbers 2.3]: names, addresses, and what tells nothing about an owner.
_AD_NAMES, _AD_ADDRESSES = (0x08, 0x09, 0x30), (0x17, 0x18, 0x1B)
_AD_FREE = frozenset({1, 2, 3, 4, 5, 6, 7, 0x0A, 0x0D, 0x12, 0x14, 0x15, 0x19, 0x1A, 0x1C, 0x1F, 0x27, 0x2F})
#: Types whose value begins with a number of this size that says whose data it is.
_AD_PREFIXED = {0xFF: 2, 0x16: 2, 0x20: 4, 0x21: 16}


class HciMasker:
    """Masks HCI commands and events, and advertising data wherever it stands."""

    def __init__(self, canvas: Canvas, aliases: Aliases) -> None:
        self._canvas = canvas
        self._aliases = aliases

    def command(self, at: int, end: int) -> None:
        """Mask a command of which the opcode is at `at`."""
        if end - at < 3:
            return
        opcode = int.from_bytes(self._canvas.original[at : at + 2].tobytes(), "little")
        self._apply(COMMANDS.get(opcode), at + 3, end)

    def event(self, at: int, end: int) -> None:
        """Mask an event of which the code is at `at`."""
        if end - at < 2:
            return
        code = int(self._canvas.original[at])
        body = at + 2
        if code == COMMAND_COMPLETE:
            self._complete(body, end)
        elif code == LE_META:
            self._le(body, end)
        elif code in _INQUIRY and body < end and self._canvas.original[body] != 1:
            self._canvas.mask(body + 1, end, UNKNOWN)
        else:
            self._apply(EVENTS.get(code), body, end)

    def _complete(self, body: int, end: int) -> None:
        """Mask what a command returned; where its own parameters have nothing, its return has nothing."""
        if end - body < 3:
            return
        opcode = int.from_bytes(self._canvas.original[body + 1 : body + 3].tobytes(), "little")
        rule = _RETURNED.get(opcode)
        if rule is None and (opcode == 0 or opcode in _RETURNS_NOTHING or COMMANDS.get(opcode) == _FREE):
            rule = _FREE
        self._apply(rule, body + 3, end, keep=1)

    def _le(self, body: int, end: int) -> None:
        if end <= body:
            return
        subevent = int(self._canvas.original[body])
        if subevent == _ADVERTISING:
            self._reports(body, end, address=2, size_at=8, behind=1)
        elif subevent == _EXTENDED_ADVERTISING:
            self._reports(body, end, address=3, size_at=23, behind=0, direct=17)
        elif subevent == 0x0B and end - body > 1 and self._canvas.original[body + 1] != 1:
            self._canvas.mask(body + 2, end, UNKNOWN)
        else:
            self._apply(LE_EVENTS.get(subevent), body, end, keep=1)

    def _reports(
        self, body: int, end: int, *, address: int, size_at: int, behind: int, direct: int | None = None
    ) -> None:
        """Mask advertising reports, one after the other; the rest whole where they do not fit."""
        at = body + 2
        for _ in range(int(self._canvas.original[body + 1]) if end - body > 1 else 0):
            after = at + size_at + 1
            after += int(self._canvas.original[after - 1]) if after <= end else end
            if after + behind > end:
                break
            self.address(at + address, end)
            if direct is not None:
                self.address(at + direct, end)
            self.advertising(at + size_at + 1, after)
            at = after + behind
        self._canvas.mask(at, end, UNKNOWN)

    def _apply(self, rule: HciRule | None, at: int, end: int, keep: int = 0) -> None:
        """Do what a rule says to the parameters; without one, mask all but the first `keep` bytes."""
        if rule is None:
            self._canvas.mask(at + keep, end, UNKNOWN)
            return
        for offset in rule.addresses:
            self.address(at + offset, end)
        for offset, size in rule.keys:
            self._canvas.mask(at + offset, min(at + offset + size, end) if size else end, KEYS)
        for offset, size in rule.names:
            self.name(at + offset, min(at + offset + size, end))
        for offset in rule.ads:
            self.advertising(at + offset, end)

    def address(self, at: int, end: int) -> None:
        """Replace an address; mask what is there of one that is cut off."""
        if at + 6 > end:
            self._canvas.mask(at, end, ADDRESSES)
            return
        raw = self._canvas.original[at : at + 6].tobytes()
        alias = self._aliases.address(raw)
        self._canvas.put(at, alias)
        self._canvas.counts[ADDRESSES] += alias != raw

    def name(self, at: int, end: int) -> None:
        """Replace a name."""
        if end > at:
            self._canvas.put(at, self._aliases.name(self._canvas.original[at:end].tobytes()))
            self._canvas.counts[NAMES] += 1

    def advertising(self, at: int, end: int) -> None:
        """Mask advertising data [Core Vol 3, Part C, 11]: a size, a type, a value, again and again."""
        data = self._canvas.original
        while at < end and data[at]:
            size, value, after = int(data[at]), at + 2, at + 1 + int(data[at])
            if after > end:
                break
            kind = int(data[at + 1]) if size else 0
            if kind in _AD_NAMES:
                self.name(value, after)
            elif kind in _AD_ADDRESSES:
                for each in range(value, after - 5, 6):
                    self.address(each, after)
            elif kind not in _AD_FREE:
                self._canvas.mask(value + _AD_PREFIXED.get(kind, 0), after, ADVERTISED)
            at = after
        if (data[at:end] != 0).any():
            self._canvas.data[at:end] = STAR
            self._canvas.counts[ADVERTISED] += 1
