"""Messages as Parquet, for pandas, polars and DuckDB. Needs the extra `parquet` (pyarrow)."""

from collections.abc import Iterable
from typing import Any, BinaryIO

from packwire.errors import missing_extra
from packwire.messages import Messages


def check() -> None:
    """Raise MissingExtraError where pyarrow is not installed, before anything is written."""
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 - an extra, and slow to load
    except ImportError:
        raise missing_extra("parquet", "writing Parquet") from None


def write(tables: Iterable[tuple[str, Messages]], file: BinaryIO) -> None:
    """Write messages by the name of their file: columns file, time, direction, channel, size, data, packets.

    `time` is a timestamp in ns and UTC, `data` binary, `packets` a list of numbers. Raises MissingExtraError
    where pyarrow is not installed.
    """
    check()
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    parts = [_table(pa, name, messages) for name, messages in tables]
    parquet.write_table(pa.concat_tables(parts), file, compression="zstd")


def _table(pa: Any, name: str, messages: Messages) -> Any:
    text = pa.dictionary(pa.int32(), pa.string())
    return messages.to_arrow().add_column(
        0, "file", pa.array([name] * len(messages), type=pa.string()).cast(text)
    )
