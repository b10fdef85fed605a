"""Sessions of which the true fields are known: real captures, beside documented protocols."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from packwire.capture import open_capture
from packwire.cli.headers import known_headers
from packwire.insight.digits import Digits
from packwire.insight.fields import Frames
from packwire.insight.grouped import tables
from packwire.insight.segments import by_recording
from packwire.messages import Bytes

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures" / "ble"
_TABLE = Path(__file__).with_name("truth") / "captures.yaml"
_FIELD = re.compile(r"(\w+)@(\d+):(u|i|f|hex)(\d*)(le|be)?(?:\s+x(\d+))?")

type Order = Literal["big", "little"]


@dataclass(frozen=True, slots=True)
class TrueField:
    """One field as it is documented; `kind` is u, i, f or hex (bytes of which each may be a field)."""

    name: str
    at: int
    width: int
    kind: str = "u"
    order: Order = "big"
    digits: bool = False

    @property
    def end(self) -> int:
        """Return where the next field begins."""
        return self.at + self.width

    def values(self, matrix: Bytes) -> np.ndarray[Any, Any]:
        """Return what it reads in each frame."""
        cells = matrix[:, self.at : self.end]
        if self.digits:
            cells = Digits.read(cells)
        if self.order == "little":
            cells = cells[:, ::-1]
        if self.kind == "f":
            return np.ascontiguousarray(cells).view(">f4" if self.width == 4 else ">f8").ravel().astype(float)
        wide = np.zeros((len(cells), 8), dtype=np.uint8)
        if self.kind == "i":
            wide[(cells[:, 0] & 0x80) != 0] = 0xFF
        wide[:, 8 - cells.shape[1] :] = cells[:, -8:]
        return wide.view(">i8").ravel().astype(np.int64)


@dataclass(frozen=True, slots=True)
class Known:
    """The frames of one kind, and its fields."""

    frames: Frames
    fields: tuple[TrueField, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """A capture: the kinds of which fields are known, and all kinds as a detector is given them."""

    name: str
    half: str
    known: tuple[Known, ...]
    all: tuple[Frames, ...]


def fields_of(text: str) -> tuple[TrueField, ...]:
    """Return the fields of a line of the table."""
    found = []
    for name, at, kind, bits, order, count in _FIELD.findall(text):
        width = int(bits or 8) // 8
        found += [
            TrueField(name, int(at) + width * number, width, kind, "little" if order == "le" else "big")
            for number in range(int(count or (8 if kind == "hex" else 1)))
        ]
    return tuple(found)


def captures() -> Iterator[Session]:
    """Yield the sessions of real captures; none where they are not on this machine."""
    for name, said in yaml.safe_load(_TABLE.read_text(encoding="utf-8")).items():
        if not (CAPTURES / name).exists():
            continue
        capture = open_capture(CAPTURES / name)
        one = by_recording([capture.messages], ["all"])
        kinds = [
            Frames(table.matrix, len(table.kind.header), table.time)
            for table in tables([capture.messages], one, known_headers([capture]))
        ]
        known = []
        for kind in said["kinds"]:
            begins = bytes.fromhex(str(kind["begins"]))
            fields = fields_of(kind["fields"])
            known += [
                Known(frames, fields)
                for frames in kinds
                if frames.matrix.shape[1] == kind["size"] and frames.matrix[0].tobytes().startswith(begins)
            ]
        yield Session(name.removesuffix(".btsnoop"), said["half"], tuple(known), tuple(kinds))
