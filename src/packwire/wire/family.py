"""A family: the framings that a protocol's requests and replies share a channel in, and what answers what."""

from dataclasses import dataclass

from packwire.wire.framing import ByteIs, Framing, Size


@dataclass(frozen=True, slots=True)
class Same:
    """`width` bytes at `reply` in a reply are those at `request` in its request.

    Where `plus` is not 0, it is one byte, and the reply's is so much more.
    """

    request: int
    reply: int
    width: int = 1
    plus: int = 0

    def fits(self, request: bytes, reply: bytes) -> bool:
        """Tell whether both are long enough and it is so."""
        if len(request) < self.request + self.width or len(reply) < self.reply + self.width:
            return False
        if self.plus:
            return reply[self.reply] - request[self.request] == self.plus
        end = self.request + self.width
        return request[self.request : end] == reply[self.reply : self.reply + self.width]


@dataclass(frozen=True, slots=True)
class Answer:
    """One way in which a message from a device may answer a request: all that it lists holds.

    `same` compares both, `request` and `reply` look at one of them; `size` reads from the request how long
    the whole reply is.
    """

    same: tuple[Same, ...] = ()
    request: tuple[ByteIs, ...] = ()
    reply: tuple[ByteIs, ...] = ()
    size: Size | None = None

    def fits(self, request: bytes, reply: bytes) -> bool:
        """Tell whether one message may answer another in this way."""
        for same in self.same:
            if not same.fits(request, reply):
                return False
        for each in self.request:
            if not each.fits(request):
                return False
        for each in self.reply:
            if not each.fits(reply):
                return False
        return self.size is None or self.size.of(request) == len(reply)


@dataclass(frozen=True, slots=True)
class Family:
    """The framings that go together under a name, such as a vendor's commands and its frames.

    Without `answers` nobody knows what answers what, and it is to be learnt.
    """

    name: str
    framings: tuple[Framing, ...]
    answers: tuple[Answer, ...] = ()

    def is_answer(self, request: bytes, reply: bytes) -> bool:
        """Tell whether a message from the device (as its framing gives it) may answer a request."""
        return any(each.fits(request, reply) for each in self.answers)
