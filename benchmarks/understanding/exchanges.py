"""Sessions of the exchanges of aiobmsble's own tests, as far as a family has enough of them.

Each exchange is of another pack, or the same one said again: where a kind has few different frames, nothing
moves. The truth is the library's model of the family; what has none cannot be scored.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.understanding.models import true_fields
from benchmarks.understanding.truth import CAPTURES, Known, Session, TrueField
from packwire.insight.fields import Frames
from packwire.models.load import model
from packwire.models.protocol import ModelProtocol

EXCHANGES = CAPTURES.parents[1] / "aiobmsble" / "frames.json"
#: A kind of which fewer different frames came says nothing of what moves, nor one with fewer moving fields.
LEAST_FRAMES, LEAST_FIELDS = 3, 3
#: Which model reads the family of a plugin.
MODELS = {
    "abc_bms": "sok",
    "ant_bms": "ant",
    "ant_leg_bms": "ant-old",
    "daly_bms": "daly",
    "ej_bms": "supervolt",
    "jbd_bms": "jbd",
    "jikong_bms": "jk02",
    "neey_bms": "neey",
    "redodo_bms": "litime",
    "renogy_bms": "renogy",
    "seplos_bms": "seplos-v3-master",
    "seplos_v2_bms": "seplos",
    "tianpwr_bms": "tianpower",
    "vatrer_bms": "vatrer",
}


@dataclass(slots=True)
class Exchanges:
    """Families with enough frames, as sessions; those with too few, and those without a model here."""

    sessions: list[Session] = field(default_factory=list)
    few: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def exchange_sessions() -> Exchanges:
    """Return what there is; nothing where the exchanges are not on this machine."""
    result = Exchanges()
    if not EXCHANGES.exists():
        return result
    for family, exchanges in json.loads(EXCHANGES.read_text(encoding="utf-8")).items():
        if family not in MODELS:
            result.unknown.append(family)
        elif known := _known(model(MODELS[family]), exchanges):
            session = Session(family, "held", known, tuple(each.frames for each in known))
            result.sessions.append(session)
        else:
            result.few.append(family)
    return result


def _known(
    protocol: ModelProtocol, exchanges: Sequence[Mapping[str, Sequence[tuple[str, str]]]]
) -> tuple[Known, ...]:
    """Return the kinds of enough frames: of one reply, one size and one layout each."""
    rows: defaultdict[tuple[str, int, tuple[TrueField, ...]], list[bytes]] = defaultdict(list)
    for exchange in exchanges:
        framer = protocol.framer()
        for way, data in exchange["io"]:
            for frame in framer.feed(bytes.fromhex(data)) if way == "rx" else ():
                reply = protocol.reply_of(frame.payload)
                if reply is not None:
                    true = true_fields(protocol, reply, frame.payload)
                    rows[reply.name, len(frame.payload), true].append(frame.payload)
    result = []
    for (name, _, true), own in rows.items():
        matrix = np.frombuffer(b"".join(own), dtype=np.uint8).reshape(len(own), -1)
        moves = (matrix != matrix[0]).any(axis=0)
        moving = sum(bool(moves[each.at : each.end].any()) for each in true)
        if len(set(own)) >= LEAST_FRAMES and moving >= LEAST_FIELDS:
            result.append(Known(Frames(matrix, len(protocol.reply(name).begins)), true))
    return tuple(result)
