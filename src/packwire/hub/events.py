"""The hub's log: one event a line, as `key=value` or as JSON, without passwords.

An event that strangers can cause at any rate is written once, and then counted: at most one line in ten
seconds for the same event, address and reason, with how many there were since (`again=99`).
"""

import logging
import os
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO, override

from packwire.clock import iso_time
from packwire.visible import json_text, record_text

log = logging.getLogger("packwire.hub")

type Value = str | int | float | bool

#: Seconds until the same thing is written again.
SAY_AGAIN = 10.0
REMEMBERED = 2000
#: A stranger may claim any id; so much of a text is written.
LONGEST = 200
_FIELDS = "packwire_fields"


class HubEventLog:
    """Writes events to the logger `packwire.hub`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: OrderedDict[tuple[Value, ...], tuple[float, int]] = OrderedDict()

    def say(self, event: str, *, level: int = logging.INFO, **fields: Value | None) -> None:
        """Write an event with its fields; those that are None are left out."""
        if log.isEnabledFor(level):
            known = {name: value for name, value in fields.items() if value is not None}
            log.log(level, "%s", event, extra={_FIELDS: known})

    def say_seldom(
        self, event: str, *key: Value, level: int = logging.WARNING, **fields: Value | None
    ) -> None:
        """Write an event once; after SAY_AGAIN the next time, with how many were not written."""
        now, name = self._clock(), (event, *key)
        said, unsaid = self._said.get(name, (-SAY_AGAIN, 0))
        if now - said < SAY_AGAIN:
            self._said[name] = (said, unsaid + 1)
            return
        self._said[name] = (now, 0)
        self._said.move_to_end(name)
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        self.say(event, level=level, **fields, again=unsaid or None)

    def internal_error(self, context: Mapping[str, Any]) -> None:
        """Write what asyncio has to say of an error that nobody caught: a mistake in the hub itself.

        Its kind and place are written, not its text: that might repeat what a stranger sent.
        """
        error = context.get("exception")
        place = None
        if error is not None and (frames := traceback.extract_tb(error.__traceback__)):
            place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
        self.say_seldom(
            "internal error",
            str(context.get("message", "")),
            type(error).__name__,
            level=logging.ERROR,
            reason=str(context.get("message", "")),
            error=type(error).__name__ if error is not None else None,
            place=place,
        )


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes the log; when nobody reads it any more (a closed pipe) the hub goes on without."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        if isinstance(sys.exception(), BrokenPipeError):
            with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - no file of ours
                os.dup2(nowhere.fileno(), self.stream.fileno())
            return
        super().handleError(record)


def _fields(record: logging.LogRecord) -> Mapping[str, Value]:
    found: Mapping[str, Value] = getattr(record, _FIELDS, {})
    return found


class TextFormatter(logging.Formatter):
    """`06:33:10 device logged in  id=TESTPACK address=127.0.0.1:50412`."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        mark = "" if record.levelno <= logging.INFO else f"{record.levelname}: "
        fields = " ".join(f"{name}={_text(value)}" for name, value in _fields(record).items())
        return f"{at} {mark}{record.getMessage()}" + (f"  {fields}" if fields else "")


class JsonFormat(logging.Formatter):
    """One record a line: `log` of docs/reference/json.md, and the event's fields."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        fields = {name: _bounded(value) for name, value in _fields(record).items()}
        head = {
            "kind": "log",
            "time": iso_time(round(record.created * 1e9)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        return record_text({**head, **fields, **head})


def _bounded(value: Value) -> Value:
    return value[:LONGEST] if isinstance(value, str) and len(value) > LONGEST else value


def _text(value: Value) -> str:
    """Write a value so that no stranger's text can pass for another field, or for a line of its own."""
    value = _bounded(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    text = str(value)
    plain = text.isprintable() and text and not any(character in ' "=' for character in text)
    return text if plain else json_text(text)
