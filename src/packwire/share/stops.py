"""MOTOR_ESTOP on its way to a shared device: the first at once, and no flood of them.

More of them to the same device within `INTERVAL` are one: the last, sent at its end. What cannot be sent, for
the device is away or takes nothing, waits in the same way.
"""

from collections.abc import Callable
from dataclasses import dataclass

from packwire.share.questions import SharedQuestion
from packwire.vesc.commands import Command
from packwire.vesc.requests import inner_at

INTERVAL = 0.02
#: Of nodes that are reached by way of another node, so many are told apart. All others have their place.
MAX_NESTED = 64


@dataclass(slots=True)
class _Route:
    sent: float = float("-inf")
    waiting: SharedQuestion | None = None
    asked: float = 0.0


class Stops:
    """The emergency stops of all clients; `send` writes one, `drop` counts one that is given up."""

    __slots__ = ("_drop", "_routes", "_send", "open")

    def __init__(self, send: Callable[[SharedQuestion], None], drop: Callable[[], None]) -> None:
        self.open = False
        """Whether they can be sent now."""
        self._send = send
        self._drop = drop
        self._routes: dict[bytes, _Route] = {}

    def take(self, stop: SharedQuestion, now: float) -> None:
        """Send one, or let it wait; an older one that waits for the same device is replaced."""
        route = self._route(_nodes(stop.frame), now)
        if route is None:
            self._drop()
            return
        route.waiting, route.asked = stop, now
        self._send_due(route, now)

    @property
    def due(self) -> float | None:
        """Return when to look again; None where nothing waits."""
        times = [
            route.sent + INTERVAL if self.open else route.asked + INTERVAL
            for route in self._routes.values()
            if route.waiting
        ]
        return min(times, default=None)

    def on_time(self, now: float, oldest: float) -> None:
        """Send what is due; give up what was asked before `oldest`."""
        for nodes, route in tuple(self._routes.items()):
            if route.waiting is not None and route.asked < oldest:
                route.waiting = None
                self._drop()
            self._send_due(route, now)
            if route.waiting is None and now >= route.sent + INTERVAL:
                del self._routes[nodes]

    def _send_due(self, route: _Route, now: float) -> None:
        if route.waiting is not None and self.open and now >= route.sent + INTERVAL:
            stop, route.waiting, route.sent = route.waiting, None, now
            self._send(stop)

    def _route(self, nodes: bytes, now: float) -> _Route | None:
        route = self._routes.get(nodes)
        if route is None:
            if len(nodes) > len(_ONE_NODE) and self._nested() >= MAX_NESTED:
                self.on_time(now, float("-inf"))
                if self._nested() >= MAX_NESTED:
                    return None
            route = self._routes[nodes] = _Route()
        return route

    def _nested(self) -> int:
        return sum(len(nodes) > len(_ONE_NODE) for nodes in self._routes)


_ONE_NODE = bytes((Command.FORWARD_CAN, 0))


def _nodes(frame: bytes) -> bytes:
    """Return by way of which CAN nodes a request goes; a frame's first byte is the size of its header."""
    header = frame[0]
    return frame[header : inner_at(frame, header)]
