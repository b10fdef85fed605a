"""A client with the timers of VESC Tool on its BMS page.

By a clock of 0.1 s it asks on when the reply to the last request is there, and after 1.0 s without one. First it
asks who is there; where that announces a custom configuration it reads its description (GET_CUSTOM_CONFIG_XML),
piece by piece, and begins again and again as long as that is not answered.
"""

import time
from collections.abc import Iterator

from tests.doctor.clients.line import Line, Plan

FW_VERSION, GET_CUSTOM_CONFIG_XML = 0, 92
CLOCK = 0.1
NO_REPLY = 1.0
_PIECE = 400
_XML_TRIES = 10
_PATIENCE = 0.5


class _Tool:
    def __init__(self, plan: Plan, line: Line) -> None:
        self.plan = plan
        self.line = line
        self.configurations = 0
        self.described = 0
        """How many bytes of the description are there."""
        self.total = -1
        self.waiting: list[tuple[int, bytes, float]] = []
        """The requests without a reply: command, request, when."""

    def send(self, payload: bytes) -> None:
        self.line.send(payload)
        self.waiting.append((self.plan.wanted(payload), payload, time.monotonic()))

    def listen(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            for reply in self.line.read(left):
                self.take(reply)

    def take(self, reply: bytes) -> None:
        for index, (command, _, _) in enumerate(self.waiting):
            if command == reply[0]:
                del self.waiting[index]
                self.plan.took()
                break
        if reply[0] == FW_VERSION:
            name_end = reply.find(b"\0", 3)
            announced = reply[name_end + 16 : name_end + 17] if name_end > 0 else b""
            self.configurations = announced[0] if announced else 0
        if reply[0] == GET_CUSTOM_CONFIG_XML and len(reply) > 10:
            self.total = int.from_bytes(reply[2:6])
            self.described = int.from_bytes(reply[6:10]) + len(reply) - 10

    def waits_for(self, command: int, patience: float) -> bool:
        """Tell whether a request of this command waits for its reply; give it up after `patience`."""
        for index, (waiting, payload, since) in enumerate(self.waiting):
            if waiting == command:
                if time.monotonic() - since < patience:
                    return True
                del self.waiting[index]
                self.line.receiver.timed_out()
                self.plan.gave_up(payload)
                return False
        return False


def vesc_tool(plan: Plan) -> None:
    """Ask as VESC Tool does."""
    with Line(plan) as line:
        tool = _Tool(plan, line)
        polls = _again_and_again(plan)
        tick = time.monotonic()
        named = xml_tries = 0
        current = -1
        while plan.goes_on:
            if not named:
                if not tool.waits_for(FW_VERSION, NO_REPLY):
                    if plan.asked and not any(each[0] == FW_VERSION for each in tool.waiting) and plan.taken:
                        named = 1
                    else:
                        tool.send(bytes((FW_VERSION,)))
            else:
                undescribed = tool.configurations and tool.described != tool.total
                if (
                    undescribed
                    and xml_tries < _XML_TRIES
                    and not tool.waits_for(GET_CUSTOM_CONFIG_XML, _PATIENCE)
                ):
                    piece = _PIECE if tool.total < 0 else min(_PIECE, tool.total - tool.described)
                    xml_tries += tool.total < 0
                    tool.send(
                        bytes((GET_CUSTOM_CONFIG_XML, 0)) + piece.to_bytes(4) + tool.described.to_bytes(4)
                    )
                if current < 0 or not tool.waits_for(current, NO_REPLY):
                    payload = next(polls)
                    current = plan.wanted(payload)
                    tool.send(payload)
            tick += CLOCK
            tool.listen(tick)


def _again_and_again(plan: Plan) -> Iterator[bytes]:
    while True:
        yield from plan.poll
