"""What an examination lives through, told as a log tells it: so that one table of rules judges both.

A check, or a link, says what happened by the codes of `packwire.capture.events` (`connect-failed`,
`gatt-error`, `received`); `packwire.doctor.log.facts` fills the facts of it that it fills of a log.
"""

import time
from collections.abc import Iterable

from packwire.capture.events.told import LoggedDevice, Quote
from packwire.check import Fact
from packwire.doctor.log.facts import fill
from packwire.event import Event, EventKind

#: Events that are kept for a time line; all are counted.
_MOST = 2000


class Journal:
    """What happened to one device so far; `take` may listen to a link. It began `ago` s ago."""

    def __init__(self, key: str, ago: float = 0.0) -> None:
        self.began = time.time_ns() - round(ago * 1e9)
        self.device = LoggedDevice(key)
        self.events: list[Event] = []
        self._count = 0

    def tell(self, kind: EventKind, code: str, words: str = "", /, **values: object) -> None:
        """Say that something happened now; `words` are shown as evidence, `values` are what rules go by."""
        said = {name: str(value) for name, value in values.items()}
        self.take(Event(kind, time.time_ns(), self.device.key, words=words, code=code, values=said))

    def take(self, event: Event) -> None:
        """Take an event; one without a code says nothing that a rule reads."""
        self._count += 1
        if len(self.events) < _MOST:
            self.events.append(event)
        if event.code:
            quote = Quote(self._count, event.words or event.code, event.time)
            self.device.add(event.code, event.kind, quote, dict(event.values))

    def facts(self) -> Iterable[Fact]:
        """Yield the facts that follow from it: those of a log of the same."""
        return fill(self.device, time.time_ns(), began=self.began)
