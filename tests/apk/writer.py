"""A writer of small apps' packages for tests: DEX files with the code that a test wants, manifests, archives."""

import struct
import zipfile
from dataclasses import dataclass, field
from hashlib import sha1
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import adler32

from packwire.apk.dex import FieldName, MethodName

VOID = "V"
_PUBLIC_STATIC = 0x9
_NO_INDEX = 0xFFFFFFFF


class Code:
    """Instructions, one call each; what names a thing is resolved when the file is written."""

    def __init__(self) -> None:
        self.units: list[Any] = []
        self.data: list[tuple[int, list[int]]] = []

    def const(self, register, value):
        self.units += [0x14 | register << 8, value & 0xFFFF, value >> 16 & 0xFFFF]
        return self

    def const_wide(self, register, value):
        self.units += [0x18 | register << 8, *(value >> 16 * n & 0xFFFF for n in range(4))]
        return self

    def text(self, register, text):
        self.units += [0x1A | register << 8, ("string", text)]
        return self

    def new_array(self, register, size, kind="[B"):
        self.units += [0x23 | register << 8 | size << 12, ("type", kind)]
        return self

    def fill(self, register, values, width=1):
        raw = b"".join((each & (1 << 8 * width) - 1).to_bytes(width, "little") for each in values)
        raw += bytes(len(raw) % 2)
        units = [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)]
        self.data.append((len(self.units), [0x0300, width, len(values), 0, *units]))
        self.units += [0x26 | register << 8, 0, 0]
        return self

    def put_byte(self, value, array, index):
        self.units += [0x4F | value << 8, array | index << 8]
        return self

    def call(self, method, *registers, op=0x6E):
        packed = sum(each << 4 * at for at, each in enumerate(registers[:4]))
        last = registers[4] if len(registers) > 4 else 0
        self.units += [op | last << 8 | len(registers) << 12, ("method", method), packed]
        return self

    def result(self, register):
        self.units.append(0x0A | register << 8)
        return self

    def put_field(self, register, name):
        self.units += [0x69 | register << 8, ("field", name)]
        return self

    def get_field(self, register, name):
        self.units += [0x62 | register << 8, ("field", name)]
        return self

    def raw(self, *units):
        self.units += units
        return self

    def xor(self, register, number):
        return self.raw(0xD7 | register << 8 | register << 12, number & 0xFFFF)

    def shift_right(self, register, bits):
        return self.raw(0xE1 | register << 8, register | bits << 8)

    def done(self, index):
        """Return the units, with the data behind the code, and each name as its number."""
        units = [*self.units, 0x0E]
        for at, payload in self.data:
            units += [0] * (len(units) % 2)
            offset = len(units) - at
            units[at + 1 : at + 3] = [offset & 0xFFFF, offset >> 16]
            units += payload
        return [index(*each) if isinstance(each, tuple) else each for each in units]


@dataclass
class Class:
    name: str
    above: str = "Ljava/lang/Object;"
    methods: dict[str, Code] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def method(self, name):
        return self.methods.setdefault(name, Code())


def method(owner, name):
    return MethodName(owner, name, VOID)


class _Names:
    """Everything that classes name, in the order in which a file has it."""

    def __init__(self, classes):
        self.found = {
            "string": {VOID},
            "type": {VOID, "[B", "Ljava/lang/String;"},
            "field": set(),
            "method": set(),
        }
        for each in classes:
            self.found["type"] |= {each.name, each.above}
            for name, text in each.texts.items():
                self._note("field", FieldName(each.name, name))
                self._note("string", text)
            for name, code in each.methods.items():
                self._note("method", method(each.name, name))
                code.done(self._note)
        named: set[Any] = self.found["field"] | self.found["method"]
        self.found["string"].update(self.found["type"], (each.name for each in named))
        self.order: dict[str, list[Any]] = {}
        self.at: dict[str, dict[Any, int]] = {}
        self._sort("string", lambda text: text.encode("utf-16-be"))
        self._sort("type", lambda name: self.at["string"][name])
        for kind in ("field", "method"):
            self._sort(kind, lambda each: (self.at["type"][each.owner], self.at["string"][each.name]))

    def _note(self, kind, value):
        self.found[kind].add(value)
        if kind in {"field", "method"}:
            self.found["type"].add(value.owner)
        return 0

    def _sort(self, kind, key):
        self.order[kind] = sorted(self.found[kind], key=key)
        self.at[kind] = {each: number for number, each in enumerate(self.order[kind])}

    def index(self, kind, value):
        return self.at[kind][value]


def dex(classes):
    """Return a DEX file of some classes; all methods take nothing and return nothing."""
    names = _Names(classes)
    counts = [len(names.order["string"]), len(names.order["type"]), 1]
    counts += [len(names.order["field"]), len(names.order["method"]), len(classes)]
    begins, data_at = [], 0x70
    for count, width in zip(counts, (4, 4, 12, 8, 8, 32), strict=True):
        begins.append(data_at)
        data_at += count * width
    body = BytesIO()

    def put(raw, align=1):
        body.write(bytes(-(data_at + body.tell()) % align))
        place = data_at + body.tell()
        body.write(raw)
        return place

    codes = {
        (each.name, name): put(_code_item(code.done(names.index)), 4)
        for each in classes
        for name, code in each.methods.items()
    }
    head = _words(*(put(_uleb(len(text)) + text.encode() + b"\0") for text in names.order["string"]))
    head += _words(*(names.index("string", each) for each in names.order["type"]))
    head += _words(names.index("string", VOID), names.index("type", VOID), 0)
    for kind, second in (("field", names.index("type", "[B")), ("method", 0)):
        for each in names.order[kind]:
            head += _halves(names.index("type", each.owner), second) + _words(
                names.index("string", each.name)
            )
    head += b"".join(_words(*_class_row(each, codes, names, put)) for each in classes)
    data = body.getvalue()
    size = data_at + len(data)
    tables = [part for row in zip(counts, begins, strict=True) for part in row]
    rest = _words(size, 0x70, 0x12345678, 0, 0, 0, *tables, len(data), data_at) + head + data
    signed = sha1(rest).digest() + rest
    return b"dex\n035\0" + _words(adler32(signed)) + signed


def _class_row(each, codes, names, put):
    fields = sorted(names.index("field", FieldName(each.name, name)) for name in each.texts)
    texts = [each.texts[names.order["field"][number].name] for number in fields]
    values = b"".join(_value(names.index("string", text)) for text in texts)
    static = put(_uleb(len(texts)) + values) if texts else 0
    methods = {
        names.index("method", method(each.name, name)): codes[each.name, name] for name in each.methods
    }
    members = _uleb(len(fields)) + _uleb(0) + _uleb(len(methods)) + _uleb(0)
    members += b"".join(_uleb(step) + _uleb(_PUBLIC_STATIC) for step in _steps(fields))
    numbers = sorted(methods)
    members += b"".join(
        _uleb(step) + _uleb(_PUBLIC_STATIC) + _uleb(methods[number])
        for step, number in zip(_steps(numbers), numbers, strict=True)
    )
    own, above = names.index("type", each.name), names.index("type", each.above)
    return own, 1, above, 0, _NO_INDEX, 0, put(members), static


def _steps(numbers):
    return [number - last for last, number in zip([0, *numbers], numbers, strict=False)]


def _words(*numbers):
    return b"".join(each.to_bytes(4, "little") for each in numbers)


def _halves(*numbers):
    return b"".join(each.to_bytes(2, "little") for each in numbers)


def _uleb(number):
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*result, number])


def _value(string):
    raw = string.to_bytes(max((string.bit_length() + 7) // 8, 1), "little")
    return bytes([0x17 | len(raw) - 1 << 5]) + raw


def _code_item(units):
    return _halves(16, 0, 5, 0) + _words(0, len(units)) + _halves(*units)


def manifest(package, version):
    """Return a manifest as an APK has it: a pool of texts, then one element with two attributes."""
    texts = ["manifest", "package", "versionName", package, version]
    raw = b"".join(_halves(len(each)) + each.encode("utf-16-le") + b"\0\0" for each in texts)
    raw += bytes(-len(raw) % 4)
    offsets, at = [], 0
    for each in texts:
        offsets.append(at)
        at += 4 + 2 * len(each)
    begin = 28 + 4 * len(texts)
    pool = _halves(1, 28) + _words(begin + len(raw), len(texts), 0, 0, begin, 0) + _words(*offsets) + raw
    attributes = b"".join(
        _words(_NO_INDEX, name, value) + _halves(8, 0x0300) + _words(value)
        for name, value in ((1, 3), (2, 4))
    )
    element = _words(1, _NO_INDEX, _NO_INDEX, 0) + _halves(20, 20, 2, 0, 0, 0) + attributes
    element = _halves(0x0102, 16) + _words(8 + len(element)) + element
    return _halves(3, 8) + _words(8 + len(pool) + len(element)) + pool + element


def archive(files):
    """Return a zip archive of some files."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


#: What the app of the tests has.
BLE, SCREEN, COMMANDS, CRC = (
    f"Lcom/acme/bms/{name};" for name in ("BleLink", "MainScreen", "Commands", "Crc")
)
GATT = "Landroid/bluetooth/BluetoothGatt;"
BASIC_INFO = bytes.fromhex("dda50300fffd77")
CELLS = bytes.fromhex("dda50400fffc77")


def classes():
    """Return the classes of a small app that polls a JBD, with names that nobody has obfuscated."""
    commands, ble, screen, crc = (Class(each) for each in (COMMANDS, BLE, SCREEN, CRC))
    commands.texts = {
        "CELLS": CELLS.hex().upper(),
        "SERVICE": "0000ff00-0000-1000-8000-00805f9b34fb",
        "GREETING": "facade",
    }
    commands.method("<clinit>").const(0, len(BASIC_INFO)).new_array(0, 0).fill(0, BASIC_INFO).put_field(
        0, FieldName(COMMANDS, "BASIC_INFO")
    )
    # dd 5a, then what a caller gives.
    switch = commands.method("switchMosfets").const(1, 5).new_array(0, 1)
    for at, byte in enumerate((0xDD - 256, 0x5A, 0xE1 - 256)):
        switch.const(1, at).const(2, byte).put_byte(2, 0, 1)
    switch.const(1, 3).call(method(SCREEN, "chosen")).result(2).put_byte(2, 0, 1).call(method(BLE, "send"), 0)
    ble.method("send").call(method(GATT, "writeCharacteristic"), 0, 1)
    ble.method("subscribe").text(1, "0000FF01-0000-1000-8000-00805F9B34FB").call(
        method(GATT, "setCharacteristicNotification"), 0, 1
    )
    ble.method("open").const_wide(1, 0x0000FF02_00001000).const_wide(3, 0x8000_00805F9B34FB).call(
        method("Ljava/util/UUID;", "<init>"), 0, 1, 2, 3, 4, op=0x70
    )
    screen.method("onResume").get_field(0, FieldName(COMMANDS, "BASIC_INFO")).call(method(BLE, "send"), 0)
    screen.method("chosen")
    crc.method("of").const(0, 0).const(1, 0xA001).shift_right(0, 1).xor(0, 0x7FFF)
    return [commands, ble, screen, crc]


def files():
    """Return the files of the small app."""
    return {"AndroidManifest.xml": manifest("com.acme.bms", "2.1"), "classes.dex": dex(classes())}


def write_app(path: Path):
    """Write the small app as an APK."""
    path.write_bytes(archive(files()))
    return path


def hermes(texts, lists=(), version=96):
    """Return compiled JavaScript as Hermes writes it: texts side by side, their table, lists of numbers."""
    table, overflow, storage = b"", b"", b""
    for text in texts:
        wide = any(ord(each) > 0xFF for each in text)
        at, many = len(storage), len(text)
        storage += text.encode("utf-16-le" if wide else "latin-1")
        if many >= 0xFF:
            at, many, overflow = len(overflow) // 8, 0xFF, overflow + struct.pack("<2I", at, many)
        table += struct.pack("<I", wide | at << 1 | many << 24)
    literals = b""
    for own in lists:
        size = bytes((0x70 | len(own),)) if len(own) < 16 else bytes((0xF0 | len(own) >> 8, len(own) & 0xFF))
        literals += size + struct.pack(f"<{len(own)}i", *own)
    counts = [1, 1, 2, len(texts), len(overflow) // 8, len(storage), *([0, 0] if version >= 87 else [])]
    head = bytes.fromhex("c61fbc03c103191f") + struct.pack("<I", version) + bytes(28)
    head += struct.pack(f"<{len(counts) + 3}I", *counts, 0, 0, len(literals))
    body = bytes(16 + 4 + 8) + table + overflow + storage
    return (head.ljust(128, b"\0") + body).ljust(128 + len(body) + -len(body) % 4, b"\0") + literals
