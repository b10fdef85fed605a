"""What is played for a client: a device, with the trials that its protocol offers."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from packwire.check import Verdict
from packwire.doctor.client_test.trials import BAD, COMPANY, DELIVERIES, SentPiece, Trial
from packwire.doctor.client_test.verdict import LoginProblem
from packwire.wire.frame import StreamFramer

#: Asks the user; returns the answer, or None where there will be none any more.
type Ask = Callable[[str], Awaitable[str | None]]


class FirstWords(Protocol):
    """Words that a connection may begin with; nothing of them is kept."""

    over: bool
    """Whether what comes now is no part of it."""
    problem: LoginProblem | None
    words: str
    """What the client spoke where that was something else."""
    reply: bytes
    """What it is answered."""

    def take(self, data: bytes) -> bytes:
        """Take the login off what came; return the rest."""


@dataclass(frozen=True, slots=True)
class Played:
    """A device that is played.

    suspects     the requests that a client is examined by, the most telling first
    example      a request, in words and hexadecimal
    framing      how its frames are made, for the remedy of who makes them wrongly
    command_of   what a request is about, as a number; `name` says it, `reads` whether it only reads
    pieces       what a trial sends in answer to a request, and the size of the reply
    lengths      the sizes of replies that are tried, where they can be chosen
    dialects     frames as a wrong client expects them, by key, and the rule that such a client has
    is_misled    whether a request goes to all nodes at once
    unit         what brings a client some bytes: a read, or over Bluetooth a notification
    slow         why a reply may take its time
    login        what takes a login off that may come first
    certain      whether the protocol itself says which frame answers which request
    outer        what a request is that nobody answers here, as a number
    lacks        whether a request lacks what its command needs
    beside       what else may be wrong where replies to a request are not taken, for a sentence
    judge_lengths, ask_user
                 what the lengths tell that were taken, and how the user is asked what the client shows
    """

    title: str
    suspects: tuple[int, ...]
    example: str
    framing: str
    framer: Callable[[], StreamFramer]
    command_of: Callable[[bytes], int]
    name: Callable[[int], str]
    reads: Callable[[int], bool]
    answerable: Callable[[bytes], bool]
    pieces: Callable[[Trial, bytes], tuple[list[SentPiece], int]]
    control_sizes: Callable[[int], tuple[int | None, ...]]
    is_misled: Callable[[bytes], bool] = lambda _: False
    lengths: tuple[int, ...] = ()
    ages: Callable[[int], tuple[int, ...]] = lambda _: ()
    deliveries: tuple[Trial, ...] = DELIVERIES
    company: tuple[Trial, ...] = COMPANY
    bad: tuple[Trial, ...] = BAD
    dialects: Mapping[str, str] = field(default_factory=dict)
    unit: str = "read"
    slow: str = "through a hub a reply takes 0.1 to 0.5 s"
    login: Callable[[], FirstWords] | None = None
    certain: bool = False
    outer: Callable[[bytes], int] | None = None
    lacks: Callable[[bytes], bool] = lambda _: False
    beside: Callable[[bytes], str] = lambda _: ""
    judge_lengths: Callable[[Any], Iterator[Verdict]] = lambda _: iter(())
    ask_user: Callable[[Any, Ask, Callable[[str], None]], Awaitable[None]] | None = None
    families: tuple[str, ...] = field(default=())
    """Its framings' family, where another one's requests can be told from its own."""
