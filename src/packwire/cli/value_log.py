"""A pack's values in a file, reading by reading: CSV, SQLite or Parquet, begun anew when it is large."""

import contextlib
import csv
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self

from packwire.cli.views.samples import CSV_HEADER, value_rows
from packwire.device import Node
from packwire.device.follow import Connected, Event, Outage, Reading
from packwire.errors import BadFileError, BadOptionError
from packwire.visible import printable

type Row = tuple[Any, ...]
#: What the columns are, as SQLite names them; `index` is a word of its own there.
_TABLE = "time TEXT, node TEXT, quantity TEXT, number INTEGER, value, unit TEXT, condition TEXT"
_SQLITE_VERSION = 1
#: Rows of Parquet that are written at once.
_PARQUET_ROWS = 10_000


class Store(Protocol):
    """A file of one format."""

    def add(self, rows: list[Row]) -> None:
        """Write rows, so that they are there if the power fails."""

    def close(self) -> None:
        """End the file."""


class _Csv:
    def __init__(self, path: Path) -> None:
        head = ",".join(CSV_HEADER)
        with contextlib.suppress(FileNotFoundError), path.open(encoding="utf-8", newline="") as before:
            first = before.readline()
            if first and first.strip() != head:
                raise BadOptionError(f"{path}: it holds something else; give another name with --out")
        self._file = path.open("a", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        if self._file.tell() == 0:
            self._file.write(head + "\n")

    def add(self, rows: list[Row]) -> None:
        self._writer.writerows(rows)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class _Sqlite:
    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        try:
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            tables = [name for (name,) in self._database.execute("SELECT name FROM sqlite_master")]
        except sqlite3.DatabaseError:
            raise BadOptionError(f"{path}: it is no SQLite file; give another name with --out") from None
        if version > _SQLITE_VERSION or (tables and "samples" not in tables):
            raise BadOptionError(f"{path}: it holds something else; give another name with --out")
        with self._database:
            self._database.execute(f"CREATE TABLE IF NOT EXISTS samples ({_TABLE})")
            self._database.execute("CREATE INDEX IF NOT EXISTS by_time ON samples (quantity, time)")
            self._database.execute(f"PRAGMA user_version = {_SQLITE_VERSION}")

    def add(self, rows: list[Row]) -> None:
        with self._database:
            self._database.executemany("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        self._database.close()


class _Parquet:
    """Its values are text, for one column holds numbers, flags and words; readable once it is closed."""

    def __init__(self, path: Path) -> None:
        from packwire.capture.writers import parquet  # noqa: PLC0415 - an extra

        parquet.check()
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415

        if path.exists():
            raise BadOptionError(f"{path}: a Parquet file cannot be added to; give another name with --out")
        self._pa = pa
        self._schema = pa.schema([(name, pa.string()) for name in CSV_HEADER])
        self._writer = pq.ParquetWriter(path, self._schema)
        self._rows: list[Row] = []

    def add(self, rows: list[Row]) -> None:
        self._rows += rows
        if len(self._rows) >= _PARQUET_ROWS:
            self._write()

    def _write(self) -> None:
        columns = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(CSV_HEADER)
        table = {
            name: [str(each) for each in column] for name, column in zip(CSV_HEADER, columns, strict=True)
        }
        self._writer.write_table(self._pa.table(table, schema=self._schema))
        self._rows = []

    def close(self) -> None:
        self._write()
        self._writer.close()


FORMATS: dict[str, Callable[[Path], Store]] = {".csv": _Csv, ".sqlite": _Sqlite, ".parquet": _Parquet}


class ValueLog(AbstractContextManager["ValueLog"]):
    """A view that writes every reading, and one row where a gap begins.

    Raises BadOptionError for a file that cannot be added to, BadFileError where writing fails.
    """

    def __init__(self, path: Path, wants: Callable[[Node], bool], *, rotate: float | None = None) -> None:
        if path.suffix.lower() not in FORMATS:
            raise BadOptionError(f"--out {path}: the name of a log ends in {', '.join(FORMATS)}")
        self._path = path
        self._wants = wants
        self._most = None if rotate is None else rotate * 1e6
        self._since: datetime | None = None
        self.readings = 0
        self.gaps = 0
        with self._writing():
            self._store = FORMATS[path.suffix.lower()](path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._writing():
            self._store.close()

    def show(self, event: Event) -> None:
        """Write one event."""
        match event:
            case Reading(device, samples):
                self._tell_end()
                self.readings += 1
                wanted = {node.key for node in device.nodes if self._wants(node)}
                self._add([row for sample in samples if sample.node in wanted for row in value_rows(sample)])
            case Outage(error, _) if self._since is None:
                self._since = datetime.now(UTC)
                self.gaps += 1
                self._add([(self._since.isoformat(), "", "gap", "", printable(str(error)), "", "gap")])
                self._tell(f"no data: {error}")
            case Outage() | Connected():
                pass

    def _tell_end(self) -> None:
        if self._since is not None:
            self._tell(f"data again, after {(datetime.now(UTC) - self._since).total_seconds():.0f} s")
            self._since = None

    def _tell(self, text: str) -> None:
        print(f"{datetime.now().astimezone():%H:%M:%S}  {printable(text)}", file=sys.stderr, flush=True)

    def _add(self, rows: list[Row]) -> None:
        with self._writing():
            self._store.add(rows)
            if self._most is not None and self._path.stat().st_size >= self._most:
                self._rotate()

    def _rotate(self) -> None:
        """Put the file aside under the time of its last row, and begin another."""
        self._store.close()
        stem = f"{self._path.stem}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
        aside = self._path.with_name(f"{stem}{self._path.suffix}")
        number = 1
        while aside.exists():
            number += 1
            aside = self._path.with_name(f"{stem}-{number}{self._path.suffix}")
        self._path.rename(aside)
        self._store = FORMATS[self._path.suffix.lower()](self._path)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise BadFileError(f"{self._path}: cannot be written ({why})") from error
