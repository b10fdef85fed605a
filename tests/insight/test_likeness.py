"""Which models frames are like: known ones that were changed are named with what differs, others are not."""

import numpy as np
import pytest
from benchmarks.understanding.models import simulated
from benchmarks.understanding.sessions import random_sessions

from packwire.insight.frame_form import find_forms
from packwire.insight.likeness import Certainty, likenesses
from packwire.models.load import model
from packwire.models.store import library
from packwire.wire.checksum import CHECKSUMS

#: Models whose packs say voltage and cells, of several forms of frames.
MODELS = ("jbd", "jk02", "daly", "ant", "pace", "basen")
MOMENTS = 12


def session(name):
    """Return a model, a simulated pack's messages by kind, and what is asked."""
    protocol = model(name)
    rows = simulated(protocol, "ride", MOMENTS, 1)
    asked = [each.payload for each in protocol.questions if each.payload]
    return protocol, [own for own in rows.values() if len(own) >= MOMENTS], asked


def framing_of(protocol, frame):
    return next(each for each in protocol.framings if frame.startswith(each.start))


def other_start(protocol, frame):
    framing = framing_of(protocol, frame)
    count = len(framing.start)
    changed = bytes((each + 0x11) % 256 for each in frame[:count]) + frame[count:]
    return framing.check.set(changed)


def other_checksum(protocol, frame):
    check = framing_of(protocol, frame).check
    body, end = frame[: check.at], frame[len(frame) + check.at + check.size :]
    other = CHECKSUMS["sum16" if check.size > 1 else "xor8"].of(body)
    return body + other.to_bytes(check.size, "big") + end


def moved(protocol, frame):
    reply = protocol.reply_of(frame)
    if reply is None:
        return frame
    at = len(reply.begins)
    return framing_of(protocol, frame).check.set(frame[:at] + b"\1\2" + frame[at:])


def like(kinds, asked, names=None):
    forms = [*find_forms([each for kind in kinds for each in kind]), *find_forms(asked)]
    return likenesses([model(each) for each in names or library()], kinds, asked, forms)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("change", [other_start, other_checksum, moved])
def test_a_family_is_known_again_by_what_did_not_change(name, change):
    protocol, kinds, asked = session(name)
    if name == "pace" and change is not other_start:
        pytest.skip("its frames are digits: what stands in the middle of them is changed as a whole")
    changed = [[change(protocol, each) for each in kind] for kind in kinds]
    found = like(changed, [change(protocol, each) for each in asked], names=MODELS)
    assert [each.model for each in found[:1]] == [name]
    best = found[0]
    assert best.certainty in {Certainty.SURE, Certainty.LIKELY}
    assert any(
        {
            other_start: each.startswith("start"),
            other_checksum: each.startswith(protocol.framings[0].check.checksum),
            moved: each == "fields lie 2 bytes further on",
        }[change]
        for each in best.differs
    ), best.differs
    assert "the cells add up to the voltage" in best.agrees


def test_nothing_is_claimed_of_made_up_protocols():
    for each in random_sessions(8, 40, seed=3):
        kinds = [[row.tobytes() for row in kind.matrix] for kind in each.all]
        assert like(kinds, []) == ()


@pytest.mark.parametrize("name", ["jbd", "daly", "ant"])
def test_nothing_is_claimed_where_the_family_is_not_there(name):
    _, kinds, asked = session(name)
    assert like(kinds, asked, [each for each in MODELS if each != name]) == ()


def test_noise_and_nothing_are_like_nothing():
    random = np.random.default_rng(5)
    noise = [[random.bytes(40) for _ in range(20)], [random.bytes(9) for _ in range(20)]]
    zeros = [[bytes(36)] * 20]
    nothing: list[list[list[bytes]]] = [noise, zeros, [], [[]], [[b"", b"\1"]]]
    for kinds in nothing:
        assert likenesses([model(each) for each in MODELS], kinds, []) == ()
