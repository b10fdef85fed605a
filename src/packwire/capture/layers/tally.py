"""The account of a conversation by command: asked, answered, how large, how fast."""

from dataclasses import dataclass

import numpy as np

from packwire.capture.layers.conversation import Conversation, Part
from packwire.capture.packets import NO_TIME
from packwire.messages import Direction
from packwire.protocol.observing import Addressed


@dataclass(frozen=True, slots=True)
class Tally:
    """One command, asked of the device (`ids` empty) or of a node through these CAN ids.

    `inner` is one of its messages, of a request what is for the node; it tells what the command is called.
    `sizes` are the replies' payload sizes, the smallest and the largest (None: there was none); latencies are
    in ns (None: unknown). `unsolicited` counts messages from the device that answer nothing, `one_way` what
    was sent that no device answers, `unclear` messages of which nobody knows the direction. `unanswered_rows`
    and `last_reply` are rows of the conversation.
    """

    ids: tuple[int, ...]
    command: int
    inner: bytes
    asked: int
    answered: int
    late: int
    one_way: int
    unsolicited: int
    unclear: int
    sizes: tuple[int, int] | None
    latency_median: int | None
    latency_max: int | None
    unanswered_rows: tuple[int, ...]
    last_reply: int | None


def tallies(conversation: Conversation) -> list[Tally]:
    """Count by route and command, in the order in which they first came."""
    groups: dict[tuple[tuple[int, ...], int], tuple[bytes, list[int]]] = {}
    parts, partners = conversation.part.tolist(), conversation.partner.tolist()
    payloads = list(conversation.messages.payloads())
    directions = conversation.messages.direction.tolist()
    for row, part in enumerate(parts):
        about = partners[row] if part in (Part.REPLY, Part.LATE) else row
        asks = about != row or directions[row] == Direction.TO_DEVICE
        said = conversation.observer.addressed(payloads[about]) if asks else Addressed((), payloads[row])
        key = said.route, conversation.observer.number(said.request)
        groups.setdefault(key, (said.request, []))[1].append(row)
    return [_tally(conversation, *key, *group) for key, group in groups.items()]


def _tally(
    conversation: Conversation, ids: tuple[int, ...], command: int, inner: bytes, rows: list[int]
) -> Tally:
    part = conversation.part[rows]
    index = np.array(rows)
    replies = index[(part == Part.REPLY) | (part == Part.LATE)]
    sizes = conversation.messages.size[replies]
    latency = conversation.latency[replies]
    latency = latency[latency != NO_TIME]
    answered = int(np.count_nonzero(part == Part.REQUEST))
    unanswered = index[part == Part.UNANSWERED]
    return Tally(
        ids=ids,
        command=command,
        inner=inner,
        asked=answered + len(unanswered),
        answered=answered,
        late=int(np.count_nonzero(part == Part.LATE)),
        one_way=int(np.count_nonzero(part == Part.ONE_WAY)),
        unsolicited=int(np.count_nonzero(part == Part.UNSOLICITED)),
        unclear=int(np.count_nonzero(part == Part.UNCLEAR)),
        sizes=(int(sizes.min()), int(sizes.max())) if len(sizes) else None,
        latency_median=int(np.median(latency)) if len(latency) else None,
        latency_max=int(latency.max()) if len(latency) else None,
        unanswered_rows=tuple(unanswered.tolist()),
        last_reply=int(replies[-1]) if len(replies) else None,
    )
