"""All who pair requests with replies pair one talk alike: who asks, the tap, the reader of a recording."""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.capture.layers.vesc import read_vesc
from packwire.protocol.exchange import Asking, Sent
from packwire.tap.conversation import LiveConversation, What
from packwire.vesc.framing import encode_frame
from tests.capture.builder import connections
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, PING, VescSession, bms, version

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
