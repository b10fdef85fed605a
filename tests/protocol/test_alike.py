"""All who pair requests with replies pair one talk alike: who asks, the tap, the reader of a recording."""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.capture.layers.link import Counts
from packwire.capture.layers.spoken import read_spoken, read_vesc
from packwire.protocol.exchange import Asking, Sent
from packwire.protocols import observer
from packwire.tap.conversation import LiveConversation, What
from packwire.vesc.framing import encode_frame
from tests.capture.builder import connections
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, PING, VescSession, bms, version
from tests.insight.sessions import _jbd, _jbd_request

STEP = 0.01
TALK = ((ASK_BMS, bms()), (ASK_VERSION, version()), (PING, b"\x3e\x0a\x54"))
PRINT = b"\x15hello\0"


@dataclass(frozen=True)
class Question:
    command: int
    way: int = 0
    ordered: bool = True
    accepts: Callable[[bytes], bool] | None = None

    @property
    def needs(self) -> tuple[int, ...]:
        return (self.command,)


#: What happens next, of one of the commands: it is asked, it is answered (asked or not), or text comes.
STEPS = st.lists(st.tuples(st.sampled_from(["ask", "answer", "text"]), st.integers(0, 2)), max_size=40)


def said(steps) -> list[tuple[int, bytes]]:
    """Return the talk as (side, payload), in which nothing is asked while the same may still be answered."""
    talk, open_ = [], set()
    for what, which in steps:
        if what == "text":
            talk.append((1, PRINT))
        elif what == "answer":
            open_.discard(which)
            talk.append((1, TALK[which][1]))
        elif which not in open_:
            open_.add(which)
            talk.append((0, TALK[which][0]))
    return talk


def asked(talk) -> list[tuple[int, int]]:
    asking: Asking[Sent[Question]] = Asking()
    pairs = []
    for row, (side, payload) in enumerate(talk):
        if side == 0:
            assert asking.free((payload[0],))
            asking.ask(Sent(Question(payload[0]), row, row + 100))
        elif (sent := asking.hear(payload[0], payload)) is not None:
            pairs.append((int(sent.sent), row))
    return sorted(pairs)


def tapped(talk) -> list[tuple[int, int]]:
    tap, pairs = LiveConversation(), []
    for row, (side, payload) in enumerate(talk):
        for event in tap.feed(side, encode_frame(payload), int(row * STEP * 1e9)):
            if event.what is What.REPLY:
                assert event.latency is not None
                pairs.append((row - round(event.latency / STEP / 1e9), row))
    return sorted(pairs)


def recorded(talk) -> list[tuple[int, int]]:
    session = VescSession().open()
    for side, payload in talk:
        session = session.answer(payload) if side else session.ask(payload)
    found = read_vesc(connections(session.packets)).connections
    partners = found[0].conversation.partner.tolist() if found else []
    return [(row, partner) for row, partner in enumerate(partners) if row < partner]


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_they_pair_alike(steps):
    talk = [(0, ASK_BMS), (1, bms()), *said(steps)]
    assert asked(talk) == tapped(talk) == recorded(talk)


#: What a JBD is asked and says: basic info, cell voltages.
JBD_TALK = (
    (_jbd_request(0xA5, 3), _jbd(3, bytes(range(23)))),
    (_jbd_request(0xA5, 4), _jbd(4, b"\x0c\xe4\x0c\xe5\x0c\xe6\x0c\xe7")),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 1)), max_size=20))
def test_a_model_is_paired_by_the_same_engine(steps):
    jbd, open_ = observer("jbd"), set()
    talk = [(0, JBD_TALK[0][0]), (1, JBD_TALK[0][1])]
    for asks, which in steps:
        if not asks:
            open_.discard(which)
            talk.append((1, JBD_TALK[which][1]))
        elif which not in open_:
            open_.add(which)
            talk.append((0, JBD_TALK[which][0]))
    tap, heard = LiveConversation(jbd), []
    session = VescSession().open()
    for row, (side, frame) in enumerate(talk):
        session.send(side, frame).wait(STEP)
        for event in tap.feed(side, frame, int(row * STEP * 1e9)):
            if event.what is What.REPLY:
                assert event.latency is not None
                heard.append((row - round(event.latency / STEP / 1e9), row))
    (found,) = read_spoken(connections(session.packets), jbd, [0], Counts()).connections
    partners = found.conversation.partner.tolist()
    assert sorted(heard) == [(row, partner) for row, partner in enumerate(partners) if row < partner]
    assert found.device == 1
    assert found.words.name((), talk[0][1]) == "basic info"
    assert "voltage" in found.words.reply(talk[1][1], keep_secrets=False)


def test_what_is_late_keeps_its_kind_until_it_can_come_no_more():
    asking: Asking[Sent[Question]] = Asking()
    first = asking.ask(Sent(Question(4), 0.0, 1.0))
    asking.late(first, 3.0)
    assert not asking.free((4,))
    fence = asking.ask(Sent(Question(0), 1.5, 2.5))
    assert asking.hear(0, b"\0") is fence
    assert asking.proved_lost(fence) == [first]
    asking.release(first)
    assert asking.free((4,))
    assert asking.hear(4, b"\4") is None
    assert not asking.overdue
