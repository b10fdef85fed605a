"""What answers what in a recording, and how far it has been played."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

#: Seconds between what was sent and what came; longer pauses are shortened.
LONGEST_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """Something that was sent to the device; `key` is what an equal request has, `time` in ns."""

    time: int
    key: Hashable


@dataclass(frozen=True, slots=True)
class RecordedReply:
    """Something that came from the device, on a channel (`handle`; 0 where there is one)."""

    time: int
    handle: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is to be said, so many seconds after the one before it."""

    after: float
    handle: int
    data: bytes


class Script:
    """The answers of a recording, each to be given once, in order.

    What came between two requests belongs to the first of them. A request that was made less often than
    others (who are you?) gets its last answer again; the recording ends with one that was made most often.
    A request that nobody made as it is is taken for one that is `alike`: whose answers would answer it too.
    """

    def __init__(
        self,
        entries: Sequence[RecordedRequest | RecordedReply],
        alike: Callable[[Hashable], Hashable | None] = lambda _: None,
    ) -> None:
        places = [at for at, each in enumerate(entries) if isinstance(each, RecordedRequest)]
        ends = [after for _, after in pairwise([*places, len(entries)])]
        self.asks = bool(places)
        """Whether anything was asked at all."""
        self.unasked = _paced(None, entries[: places[0] if places else len(entries)])
        """What came before anything was asked."""
        self._answers: dict[Hashable, list[tuple[Due, ...]]] = defaultdict(list)
        for at, end in zip(places, ends, strict=True):
            request = entries[at]
            assert isinstance(request, RecordedRequest)
            self._answers[request.key].append(_paced(request, entries[at + 1 : end]))
        self._alike = alike
        self._aliases = {kind: key for key in self._answers if (kind := alike(key)) is not None}
        self._played: dict[Hashable, int] = defaultdict(int)
        self._most = max(map(len, self._answers.values()), default=0)
        self.over = False
        """Whether the recording was played to its end."""
        self.unknown = 0
        """Requests that the recording does not have."""

    def answer(self, key: Hashable) -> tuple[Due, ...] | None:
        """Return what was answered to such a request; None: the recording ends here."""
        if key not in self._answers:
            key = self._aliases.get(self._alike(key), key)
        answers = self._answers.get(key)
        if answers is None:
            self.unknown += 1
            return ()
        played = self._played[key]
        if played < len(answers):
            self._played[key] = played + 1
            return answers[played]
        if len(answers) < self._most:
            return answers[-1]
        self.over = True
        return None


def _paced(
    request: RecordedRequest | None, said: Sequence[RecordedRequest | RecordedReply]
) -> tuple[Due, ...]:
    before = request.time if request else None
    result = []
    for each in said:
        if isinstance(each, RecordedReply):
            pause = 0.0 if before is None else (each.time - before) / 1e9
            result.append(Due(min(max(pause, 0.0), LONGEST_PAUSE), each.handle, each.data))
            before = each.time
    return tuple(result)
