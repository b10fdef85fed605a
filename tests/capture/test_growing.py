"""A recording that grows: the same messages as of the finished one, each once, with the right packets."""

from typing import Any

import pytest

from packwire.capture import Capture, growing
from packwire.capture.growing import LEAST_NEW, new_messages
from packwire.errors import BadFileError
from tests.capture.builder import pcap, read
from tests.capture.vesc_session import ASK_BMS, VescSession, bms


def rows(messages):
    return [
        (messages.packets_of(row), int(messages.direction[row]), messages.payload(row))
        for row in range(len(messages))
    ]


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
@pytest.mark.parametrize("room", [1000, 6])
def test_it_gives_what_the_whole_gives(monkeypatch, step, room):
    monkeypatch.setattr(growing, "FIRST", room)
    monkeypatch.setattr(growing, "LATEST", room)
    talk = VescSession().open()
    for volts in range(40):
        talk.ask(ASK_BMS).answer(bms(volts), pieces=(50,))
    steps = (read(pcap(talk.packets[at : at + step])) for at in range(0, len(talk.packets), step))
    found = [row for messages, _ in new_messages("x", steps) for row in rows(messages)]
    assert found == rows(Capture("x", read(talk.pcap())).messages)


def talk_of(count):
    talk = VescSession().open()
    for volts in range(count):
        talk.ask(ASK_BMS).answer(bms(volts % 200))
    return talk


class Looks:
    """Counts the packets that are looked at."""

    def __init__(self, monkeypatch):
        self.packets = 0
        looks = self

        class Counting(Capture):
            def __init__(self, name, packets, masked=None):
                looks.packets += len(packets)
                super().__init__(name, packets, masked)

        monkeypatch.setattr(growing, "Capture", Counting)


@pytest.mark.parametrize("step", [1, 3])
def test_what_arrives_fast_is_looked_at_in_proportion(monkeypatch, step):
    looks = Looks(monkeypatch)
    monkeypatch.setattr(growing, "monotonic", lambda: 0.0)
    talk = talk_of(1000)
    steps = [read(pcap(talk.packets[at : at + step])) for at in range(0, len(talk.packets), step)]
    found = [row for messages, _ in new_messages("x", iter(steps)) for row in rows(messages)]
    assert len(found) == 2000
    assert looks.packets <= (2 * LEAST_NEW + 2) * len(talk.packets)


def test_what_arrives_slowly_is_shown_at_once(monkeypatch):
    now = 0.0
    monkeypatch.setattr(growing, "monotonic", lambda: now)
    talk = talk_of(200)
    shown: list[Any] = []

    def steps():
        nonlocal now
        for at in range(len(talk.packets)):
            before = len(shown)
            now += 1
            yield read(pcap(talk.packets[at : at + 1]))
            if at > 10:
                assert len(shown) == before + 1

    for messages, _ in new_messages("x", steps()):
        shown.append(rows(messages))
    assert sum(map(len, shown)) == 400


def test_a_pause_shows_what_waits(monkeypatch):
    now = 0.0
    monkeypatch.setattr(growing, "monotonic", lambda: now)
    talk = talk_of(100)
    nothing = read(pcap([]))
    shown: list[Any] = []

    def steps():
        nonlocal now
        yield read(pcap(talk.packets[:-1]))
        yield read(pcap(talk.packets[-1:]))
        assert len(shown) == 1
        now += 1
        yield nothing
        assert len(shown) == 2

    for messages, _ in new_messages("x", steps()):
        shown.append(rows(messages))


def test_what_came_before_damage_is_shown(monkeypatch):
    monkeypatch.setattr(growing, "monotonic", lambda: 0.0)
    talk = talk_of(100)

    def steps():
        yield read(pcap(talk.packets[:-2]))
        yield read(pcap(talk.packets[-2:]))
        raise BadFileError("a packet claims 3 GB")

    found = []
    with pytest.raises(BadFileError, match="3 GB"):
        for messages, _ in new_messages("x", steps()):
            found += rows(messages)
    assert len(found) == 200
