"""All that an app's package says of a protocol, the likeliest first."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packwire.apk.calls import CallGraph, is_api
from packwire.apk.code import ArrayMade, doings
from packwire.apk.crc import polynomial_names, table_names
from packwire.apk.dex import ClassDefinition, Dex, FieldName, MethodName
from packwire.apk.found import AppFindings, Captured, FoundCall, FoundCrc, FoundFrame, FoundUuid, Pattern
from packwire.apk.frames import checksums, family_name, occurrences
from packwire.apk.frameworks import LIBRARIES, frameworks
from packwire.apk.hermes import HERMES, HermesFile
from packwire.apk.manifest import App, read_manifest, texts_of
from packwire.apk.package import AppPackage, PackedFile
from packwire.apk.texts import (
    bytes_in,
    bytes_in_bytes,
    bytes_in_script,
    uuid_of_halves,
    uuids_in,
    uuids_in_bytes,
)
from packwire.att import short_uuid
from packwire.protocols import usable

#: A frame has so many bytes; so many different ones are looked at, and of one kind so many places are kept.
_SHORTEST, _LONGEST = 3, 64
_MOST_FRAMES, _MOST_PLACES = 4096, 6


def look_into(path: Path, captured: Captured | None = None) -> AppFindings:
    """Return what an app's package says. Raises BadFileError, OSError."""
    package = AppPackage(path)
    look = _Look()
    for part in package.parts():
        look.at(part)
    left_out = package.left_out + look.left_out
    heard = captured or Captured()
    frames = sorted(look.found_frames(heard), key=lambda each: (-each.rank, each.chance, _key(each.data)))
    shown = tuple(each for each in frames if each.rank)
    return AppFindings(
        look.app,
        tuple(frameworks(package.names, hermes=look.hermes)),
        tuple(look.found_uuids(heard)),
        shown,
        tuple(look.found_calls()),
        tuple(look.checksums),
        look.classes,
        len(frames) - len(shown),
        dict(left_out),
        tuple(package.libraries),
    )


def _key(data: Pattern) -> tuple[int, ...]:
    return tuple(-1 if each is None else each for each in data)


class _Look:
    """What was found so far."""

    def __init__(self) -> None:
        self.app = App()
        self.hermes = False
        self.classes = 0
        self.left_out: Counter[str] = Counter()
        self.checksums: list[FoundCrc] = []
        self.graph = CallGraph()
        self.uuids: dict[str, dict[str, None]] = defaultdict(dict)
        self.frames: dict[Pattern, dict[str, None]] = {}
        self.holders: dict[Pattern, set[MethodName]] = defaultdict(set)
        self.fields: dict[Pattern, set[FieldName]] = defaultdict(set)
        self.readers: dict[FieldName, set[MethodName]] = defaultdict(set)

    def at(self, part: PackedFile) -> None:
        """Look at one file."""
        name = part.name.rpartition("/")[2].lower()
        if name.endswith(".dex"):
            try:
                dex = Dex(part.data)
            except ValueError:
                self.left_out["DEX file of a form that is not known (it may be encrypted)"] += 1
                return
            self._dex(dex)
            if dex.cut:
                self.left_out["part of a DEX file that is damaged"] += 1
        elif name == "androidmanifest.xml":
            found = read_manifest(part.data)
            self.app = App(self.app.package or found.package, self.app.version or found.version)
        elif name in {"resources.arsc", "resources.pb"}:
            self._compiled(part, texts_of(part.data))
        elif part.data.startswith(HERMES):
            self.hermes = True
            self._hermes(part)
        elif name.endswith((".js", ".json", ".html", ".lua", ".bundle", ".jsbundle")):
            self._script(part)
        else:
            self._compiled(part)

    def _hermes(self, part: PackedFile) -> None:
        try:
            file = HermesFile(part.data)
        except ValueError as error:
            self.left_out[f"file {error}: only what its texts show without their table"] += 1
            self._compiled(part)
            return
        for text in file.texts():
            for uuid in uuids_in(text):
                self._uuid(uuid, part.name)
            if data := bytes_in(text):
                self._frame(tuple(data), part.name)
        for numbers in file.lists():
            if all(-0x80 <= each <= 0xFF for each in numbers):
                self._frame(tuple(each & 0xFF for each in numbers), part.name)

    def _script(self, part: PackedFile) -> None:
        text = part.data.decode("utf-8", "replace")
        for uuid in uuids_in(text):
            self._uuid(uuid, part.name)
        for at, data in bytes_in_script(text):
            self._frame(tuple(data), f"{part.name}, character {at}")

    def _compiled(self, part: PackedFile, texts: Sequence[str] = ()) -> None:
        for uuid in uuids_in_bytes(part.data):
            self._uuid(uuid, part.name)
        for data in bytes_in_bytes(part.data):
            self._frame(tuple(data), part.name)
        for text in texts:
            written = bytes_in(text)
            if written:
                self._frame(tuple(written), part.name)

    def _uuid(self, uuid: str, place: str) -> None:
        places = self.uuids[uuid]
        if place and len(places) < _MOST_PLACES:
            places[place] = None

    def _frame(self, data: Pattern, place: str) -> bool:
        """Note bytes that may be a frame; say whether they are kept."""
        known = [each for each in data if each is not None]
        if not _SHORTEST <= len(data) <= _LONGEST or len(known) < _SHORTEST or len(set(known)) < 2:
            return False
        if data not in self.frames and len(self.frames) >= _MOST_FRAMES:
            self.left_out["array or text of bytes beyond the first 4096"] += 1
            return False
        places = self.frames.setdefault(data, {})
        if len(places) < _MOST_PLACES:
            places[place] = None
        return True

    def _dex(self, dex: Dex) -> None:
        said: dict[int, tuple[tuple[str, ...], bytes | None]] = {}
        for number in range(dex.string_count):
            text = dex.string(number)
            uuids, data = tuple(uuids_in(text)), bytes_in(text)
            for uuid in uuids:
                self._uuid(uuid, "")
            if uuids or data:
                said[number] = uuids, data
        for each in dex.classes(LIBRARIES):
            self.classes += 1
            self.graph.define(each.name, each.above)
            self._texts(each)
            for method in each.methods:
                self._method(dex, method.name, method.code, said)

    def _texts(self, each: ClassDefinition) -> None:
        for name, text in each.texts:
            place = f"{plain_class(each.name)}.{name}"
            for uuid in uuids_in(text):
                self._uuid(uuid, place)
            data = bytes_in(text)
            if data and self._frame(tuple(data), place):
                self.fields[tuple(data)].add(FieldName(each.name, name))

    def _method(
        self,
        dex: Dex,
        name: MethodName,
        code: list[int],
        said: Mapping[int, tuple[tuple[str, ...], bytes | None]],
    ) -> None:
        done = doings(code, dex)
        place = plain(name)
        called = {dex.method(number) for number in done.calls}
        self.graph.add(
            name, (each for each in called if is_api(each) or not each.owner.startswith(LIBRARIES))
        )
        for number in done.strings:
            uuids, written = said.get(number, ((), None))
            for uuid in uuids:
                self._uuid(uuid, place)
            if written and self._frame(tuple(written), place):
                self.holders[tuple(written)].add(name)
        for high, low in done.uuids:
            self._uuid(short_uuid(uuid_of_halves(high, low)), place)
        for array in done.arrays:
            self._array(dex, name, array)
        for number in done.reads:
            field_name = dex.field(number)
            if not field_name.owner.startswith(LIBRARIES):
                self.readers[field_name].add(name)
        if done.xors and done.shifts:
            for value, names in polynomial_names(done.numbers).items():
                self.checksums.append(FoundCrc(value, names, place))

    def _array(self, dex: Dex, name: MethodName, array: ArrayMade) -> None:
        kept = dex.field(array.field) if array.field is not None else None
        place = f"{plain_class(kept.owner)}.{kept.name}" if kept is not None and kept.name else plain(name)
        if names := table_names(array.values):
            self.checksums.append(FoundCrc(None, names, place))
            return
        values = array.values
        if array.width > 1 and not all(each is None or -0x80 <= each <= 0xFF for each in values):
            return
        data: Pattern = tuple(None if each is None else each & 0xFF for each in values)
        if self._frame(data, place):
            self.holders[data].add(name)
            if kept is not None:
                self.fields[data].add(kept)

    def found_uuids(self, captured: Captured) -> Iterator[FoundUuid]:
        """Yield the UUIDs, those that say most first."""
        using: dict[str, set[str]] = defaultdict(set)
        for protocol in usable():
            for place in protocol.gatt:
                for uuid in (place.service, place.notify, place.write):
                    using[short_uuid(uuid)].add(protocol.name)
        found = [
            FoundUuid(uuid, tuple(places), tuple(sorted(using.get(uuid, ()))), uuid in captured.channels)
            for uuid, places in self.uuids.items()
        ]
        yield from sorted(
            found,
            key=lambda each: (
                not each.captured,
                bool(each.standard),
                not each.protocols,
                not each.places,
                each.uuid,
            ),
        )

    def found_frames(self, captured: Captured) -> Iterator[FoundFrame]:
        """Yield all bytes that may be frames, with what speaks for each."""
        reaching = self.graph.reaching()
        checks = checksums(self.frames)
        for data, places in self.frames.items():
            readers = (reader for each in self.fields[data] for reader in self.readers.get(each, ()))
            sent = not reaching.isdisjoint((*self.holders[data], *readers))
            name, chance = checks.get(data, ("", 1.0))
            yield FoundFrame(
                data,
                tuple(places),
                family_name(data),
                name,
                chance,
                sent,
                occurrences(data, captured.messages),
            )

    def found_calls(self) -> Iterator[FoundCall]:
        """Yield the methods that speak over Bluetooth."""
        for method, calls in sorted(self.graph.speaking().items()):
            callers = tuple(dict.fromkeys(plain(each) for each in self.graph.callers(method)))
            for does in sorted({is_api(each) for each in calls}):
                apis = sorted({each.name for each in calls if is_api(each) == does})
                yield FoundCall(plain(method), does, ", ".join(apis), callers)


def plain(method: MethodName) -> str:
    """Return a method as people write it: `com.acme.Ble.send`."""
    return f"{plain_class(method.owner)}.{method.name}"


def plain_class(name: str) -> str:
    """Return a class as people write it."""
    return name.removeprefix("L").removesuffix(";").replace("/", ".")
