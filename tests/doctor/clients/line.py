"""A client's plan and its connection, with blocking sockets; what it counts on the way."""

import json
import socket
import sys
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.doctor.clients.bugs import Habits
from tests.doctor.clients.receiving import Receiver

FORWARD_CAN = 34
BMS_GET_VALUES = 0x60


@dataclass(slots=True)
class Plan:
    """What a client is to do: `hello` is asked once a connection, `poll` again and again.

    `script` are requests with the seconds behind each, for a client that heeds nothing else. `pause` stands between a reply and the next request, `settle` behind the login; `seconds` is how long it
    runs, or until it asked `rounds` times; `seed` is of what it does by chance. All times are in seconds.
    """

    host: str
    port: int
    habits: Habits
    login: str = ""
    hello: tuple[bytes, ...] = ()
    poll: tuple[bytes, ...] = (b"\x60",)
    pause: float = 0.1
    timeout: float = 1.0
    settle: float = 0.4
    seconds: float = 10.0
    rounds: int = 1_000_000
    seed: int = 0
    script: tuple[tuple[bytes, float], ...] = ()
    asked: int = 0
    taken: int = 0
    taken_later: int = 0
    timeouts: int = 0
    refused: int = 0
    receivers: list[Receiver] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def patience(self) -> float:
        """Return after how many seconds a reply is given up."""
        return self.timeout if self.habits.timeout is None else self.habits.timeout

    @property
    def goes_on(self) -> bool:
        """Tell whether there is more to do."""
        return time.monotonic() - self.began < self.seconds and self.asked < self.rounds

    def receiver(self) -> Receiver:
        """Return what finds the replies on a new connection."""
        self.receivers.append(Receiver(self.habits.rules))
        return self.receivers[-1]

    def greeting(self) -> bytes:
        """Return the login line, or nothing."""
        if not self.login or not self.habits.logs_in:
            return b""
        return f"{self.habits.word}:{self.login}{'\n' if self.habits.newline else ''}".encode()

    def frame(self, payload: bytes) -> bytes:
        """Return a request as this client sends it; count it."""
        self.asked += 1
        habits = self.habits
        payload = payload.replace(b"\x60", bytes((habits.other,)))
        if habits.via >= 0 and len(payload) == 1:
            payload = bytes((FORWARD_CAN, habits.via)) + payload
        size = len(payload) + habits.excess
        head = bytes((2, size)) if size < 256 else b"\x03" + size.to_bytes(2)
        return head + payload + habits.crc(head, payload).to_bytes(2) + b"\x03"

    def wanted(self, payload: bytes) -> int:
        """Return the command of the reply to a request."""
        while payload[0] == FORWARD_CAN:
            payload = payload[2:]
        return self.habits.other if payload[0] == BMS_GET_VALUES else payload[0]

    def took(self) -> None:
        """Count a reply."""
        self.taken += 1
        self.taken_later += self.timeouts > 0

    def gave_up(self, payload: bytes) -> None:
        """Count a timeout, and write it to the log."""
        self.timeouts += 1
        sys.stderr.write(f"{time.time():.3f} timeout: no reply to {payload.hex()}\n")
        sys.stderr.flush()

    def result(self) -> str:
        """Return what was counted."""
        counts = {name: getattr(self, name) for name in ("asked", "taken", "taken_later", "timeouts")}
        counts["refused"] = self.refused + sum(each.refused for each in self.receivers)
        return json.dumps(counts)


class Line:
    """One connection, logged in."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.socket = socket.create_connection((plan.host, plan.port), 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.receiver = plan.receiver()
        self._found: list[bytes] = []
        greeting = plan.greeting()
        if greeting:
            self.socket.sendall(greeting)
            time.sleep(plan.settle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, payload: bytes) -> None:
        """Send a request."""
        self.socket.sendall(self.plan.frame(payload))

    def read(self, seconds: float, size: int = 4096) -> list[bytes]:
        """Return the payloads that one read brings; none after `seconds`. Raise OSError at the end."""
        if self.plan.habits.rules.deaf:
            time.sleep(max(seconds, 0))
            return []
        self.socket.settimeout(max(seconds, 0.001))
        try:
            data = self.socket.recv(size)
        except TimeoutError:
            return []
        if not data:
            raise ConnectionResetError
        return self.receiver.feed(data)

    def reply(self, payload: bytes, size: int = 4096, *, any_reply: bool = False) -> bytes | None:
        """Return the reply to a request; None after the timeout. What came too early or late is dropped."""
        until = time.monotonic() + self.plan.patience
        while True:
            while self._found:
                found = self._found.pop(0)
                if any_reply or found[0] == self.plan.wanted(payload):
                    self.plan.took()
                    return found
            left = until - time.monotonic()
            if left <= 0:
                self.receiver.timed_out()
                self.plan.gave_up(payload)
                return None
            self._found += self.read(left, size)
