"""Which models recordings are like."""

from collections.abc import Sequence

from packwire.capture import Capture
from packwire.cli.kinds import NamedFrames, forms_of, kinds_of, of_one_channel
from packwire.direction import Direction
from packwire.insight.frame_form import FrameForm
from packwire.insight.groups import lane_rows
from packwire.insight.likeness import Likeness, likenesses
from packwire.models.protocol import ModelProtocol
from packwire.protocols import usable

#: So many messages of a kind, and so many kinds, are looked at.
_LOOKED_AT, _KINDS = 200, 24


def alike(
    captures: Sequence[Capture], kinds: Sequence[NamedFrames] = (), forms: Sequence[FrameForm] = ()
) -> tuple[Likeness, ...]:
    """Return the models that recordings are like; kinds and forms of frames are looked for if not given."""
    if not kinds:
        kinds = of_one_channel(kinds_of(captures))
        forms = forms_of(captures, kinds)
    said = []
    for each in kinds[:_KINDS]:
        matrix = each.frames.matrix
        if each.text is not None:
            continue
        said.append([row.tobytes() for row in matrix[:: max(len(matrix) // _LOOKED_AT, 1)]])
    asked = [
        capture.messages.payload(row)
        for capture in captures
        for lane, rows in lane_rows(capture.messages).items()
        if lane[0] is Direction.TO_DEVICE
        for row in rows[:_LOOKED_AT].tolist()
    ]
    models = (each for each in usable() if isinstance(each, ModelProtocol))
    return likenesses(models, said, list(dict.fromkeys(asked)), forms)
