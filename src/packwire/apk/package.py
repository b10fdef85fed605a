"""The files of an app's package: an APK, an app bundle, a set of APKs, or a folder of what was unpacked.

Everything in it is written by others: no size is trusted, and what is more than the limits is left out and
counted.
"""

import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Final, NamedTuple

from packwire.errors import BadFileError

#: Bytes of one file, of all files together that are looked at, and how many files are listed.
LARGEST, LARGEST_ALL, MOST_FILES = 1 << 28, 1 << 30, 200_000
#: So many packages lie in a set of them (XAPK, APKS) that are looked at.
MOST_PACKAGES = 64
_ENCRYPTED = 0x1
#: What zipfile raises of an entry that is damaged, or made so that it cannot be read.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    OverflowError,
)
#: Files that may say something of a protocol: compiled code, the manifest, texts of an app made of web pages.
_WANTED: Final = re.compile(
    r"""(?:^|/)(?:
        [^/]*\.dex | AndroidManifest\.xml | resources\.(?:arsc|pb)
        | lib[^/]*\.blob(?:\.so)? | assemblies\.blob | assemblies/[^/]*\.dll | libapp\.so
        | global-metadata\.dat
        | [^/]*\.(?:bundle|jsbundle|hbc) | (?:assets|www|res)/.*\.(?:js|json|html|lua)
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
#: Libraries for one processor each, of which the same lies there for others; those of frameworks are none.
_NATIVE: Final = re.compile(r"(?:^|/)(?:lib|jni)/[\w-]+/(lib[^/]*\.so)$")
_OF_FRAMEWORKS: Final = re.compile(
    r"lib(?:flutter|app|unity|il2cpp|main|mono.*|xamarin.*|SkiaSharp|HarfBuzzSharp|assemblies\..*|Qt[56].*|"
    r"c\+\+_shared|hermes.*|jsc.*|v8.*|weex.*|react.*|rr?c_.*|turbomodulejsijni|jsi.*|fb|fbjni|folly.*|"
    r"glog.*|yoga|imagepipeline|gifimage|static-webp|native-(?:filters|imagetranscoder)|sqlite.*|sqlcipher|realm.*|"
    r"mmkv|crypto|ssl|crashlytics.*|sentry.*|BugtraceSDK|Bugly|AMapSDK.*|BaiduMapSDK.*|gojni)\.so"
)
_INNER: Final = re.compile(r"\.apk$", re.IGNORECASE)


class PackedFile(NamedTuple):
    """A file of a package, with its name there."""

    name: str
    data: bytes


class AppPackage:
    """A package; `names` are all files that are listed in it so far, `left_out` is what was not looked at.

    `libraries` are the app's own native ones, each for the first processor for which it is there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[str] = []
        self.left_out: Counter[str] = Counter()
        self.libraries: dict[str, None] = {}
        self._room = LARGEST_ALL

    def parts(self) -> Iterator[PackedFile]:
        """Yield the files that may say something of a protocol. Raises BadFileError."""
        if self.path.is_dir():
            yield from self._of_folder()
            return
        with self.path.open("rb") as file:
            if file.read(4) == b"dex\n":
                file.seek(0)
                yield from self._part(self.path.name, file)
                return
            yield from self._of_zip(file, "")

    def _of_folder(self) -> Iterator[PackedFile]:
        for folder, _, files in os.walk(self.path):  # which follows no links to folders
            for name in sorted(files):
                path = Path(folder, name)
                shown = path.relative_to(self.path).as_posix()
                if not path.is_file() or path.is_symlink() or not self._listed(shown):
                    continue
                if _INNER.search(name):
                    with path.open("rb") as file:
                        yield from self._of_inner(file, f"{shown}/")
                elif self._wanted(shown):
                    with path.open("rb") as file:
                        yield from self._part(shown, file)

    def _of_inner(self, file: IO[bytes], within: str) -> Iterator[PackedFile]:
        try:
            yield from self._of_zip(file, within)
        except BadFileError:
            self.left_out["package within that is no zip"] += 1

    def _of_zip(self, file: IO[bytes], within: str) -> Iterator[PackedFile]:
        try:
            packed = zipfile.ZipFile(file)
        except _UNREADABLE:
            raise BadFileError(
                f"{self.path}: no app's package: give an .apk, .xapk, .apks or .aab file, or its folder"
            ) from None
        inner = 0
        with packed:
            for info in packed.infolist():
                name = within + info.filename
                if info.is_dir() or not self._listed(name):
                    continue
                package = not within and bool(_INNER.search(name)) and inner < MOST_PACKAGES
                if not package and not self._wanted(name):
                    continue
                # Android does not look at this mark, and some set it to keep readers out.
                info.flag_bits &= ~_ENCRYPTED
                try:
                    opened = packed.open(info)
                except _UNREADABLE:
                    self.left_out["damaged file"] += 1
                    continue
                with opened:
                    if not package:
                        yield from self._part(name, opened)
                        continue
                    inner += 1
                    for part in self._part(name, opened):
                        yield from self._of_inner(BytesIO(part.data), f"{name}/")

    def _wanted(self, name: str) -> bool:
        if _WANTED.search(name):
            return True
        native = _NATIVE.search(name)
        if native is None or native[1] in self.libraries or _OF_FRAMEWORKS.fullmatch(native[1]):
            return False
        self.libraries[native[1]] = None
        return True

    def _listed(self, name: str) -> bool:
        if len(self.names) >= MOST_FILES:
            self.left_out["file beyond the first 200 000"] += 1
            return False
        self.names.append(name)
        return True

    def _part(self, name: str, file: IO[bytes]) -> Iterator[PackedFile]:
        limit = min(LARGEST, self._room)
        try:
            data = file.read(limit + 1)
        except _UNREADABLE:
            self.left_out["damaged file"] += 1
            return
        if len(data) > limit:
            self.left_out["file too large once it is unpacked"] += 1
            return
        self._room -= len(data)
        yield PackedFile(name, data)
