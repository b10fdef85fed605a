"""Messages as Parquet, for pandas, polars and DuckDB. Needs the extra `parquet` (pyarrow)."""

from collections.abc import Iterable
from typing import Any, BinaryIO

from packwire.capture.packets import NO_TIME
from packwire.capture.writers.csv import DIRECTION_NAMES
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
    count = len(messages)
    text = pa.dictionary(pa.int32(), pa.string())
    times = [None if time == NO_TIME else time for time in messages.time.tolist()]
    names = [DIRECTION_NAMES[each] for each in messages.direction.tolist()]
    texts = list(map(str, messages.channels))
    channels = [texts[each] for each in messages.channel.tolist()]
    return pa.table(
        {
            "file": pa.array([name] * count, type=pa.string()).cast(text),
            "time": pa.array(times, type=pa.timestamp("ns", tz="UTC")),
            "direction": pa.array(names, type=pa.string()).cast(text),
            "channel": pa.array(channels, type=pa.string()).cast(text),
            "size": pa.array(messages.size, type=pa.int32()),
            "data": pa.array(list(messages.payloads()), type=pa.binary()),
            "packets": pa.array(
                [messages.packets_of(row) for row in range(count)], type=pa.list_(pa.int64())
            ),
        }
    )
