"""How a device wants to be written to: found out, and remembered from one run to the next.

Boards declare one way and take only the other, or drop what comes without a response while they are busy. So
the way that was answered is kept; one that was not answered is left for the other.
"""

from dataclasses import dataclass

from packwire import user_cache
from packwire.protocol.base import WriteType

_FILE = "write-types.json"
#: Devices that are remembered: the newest.
_MOST = 256
#: Replies after which a way counts as proved, and writes in a row without any answer after which it is left.
_PROVED, _PATIENCE = 2, 3

_other = {
    WriteType.WITH_RESPONSE: WriteType.WITHOUT_RESPONSE,
    WriteType.WITHOUT_RESPONSE: WriteType.WITH_RESPONSE,
}
#: What went unanswered in this run, by key: a new connection begins with the other way.
_unanswered: dict[str, WriteType] = {}


@dataclass(slots=True)
class WriteTypeFinder:
    """Chooses how the next write goes, from what was answered so far; `key` names device and characteristic.

    `usual` is what the protocol or the characteristic's properties say.
    """

    key: str
    usual: WriteType
    _now: WriteType | None = None
    _waiting: int = 0
    _answers: int = 0

    def next(self) -> WriteType:
        """Return how the next write goes."""
        if self._now is None:
            failed = _unanswered.get(self.key)
            self._now = _other[failed] if failed else _remembered(self.key) or self.usual
        elif self._waiting >= (_PATIENCE if self._answers >= _PROVED else 1):
            self._now = _other[self._now]
            self._waiting = 0
        self._waiting += 1
        _unanswered[self.key] = self._now
        return self._now

    def refused(self) -> WriteType | None:
        """Learn that the device refused the last write; return the other way, None where there is none."""
        if self._now is None or self._answers:
            return None
        self._now = _other[self._now]
        return self._now

    def answered(self) -> None:
        """Learn that the device sent something."""
        self._waiting = 0
        if self._now is None:
            return
        self._answers += 1
        _unanswered.pop(self.key, None)
        if self._answers == _PROVED and _remembered(self.key) is not self._now:
            _remember(self.key, self._now)


def _remembered(key: str) -> WriteType | None:
    match user_cache.load(_FILE).get(key):
        case str(said) if said in WriteType:
            return WriteType(said)
    return None


def _remember(key: str, way: WriteType) -> None:
    known = user_cache.load(_FILE)
    known.pop(key, None)
    known[key] = way.value
    user_cache.store(_FILE, dict(list(known.items())[-_MOST:]))
