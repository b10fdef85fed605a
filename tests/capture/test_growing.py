"""A recording that grows: the same messages as of the finished one, each once, with the right packets."""

import pytest

from packwire.capture import Capture, growing
from packwire.capture.growing import new_messages
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
