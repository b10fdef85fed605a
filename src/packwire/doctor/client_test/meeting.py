"""What was seen of a client besides the trials."""

from dataclasses import dataclass

from packwire.doctor.client_test.played import Played
from packwire.doctor.client_test.verdict import LoginProblem
from packwire.wire.frame import FrameStats


@dataclass(frozen=True, slots=True)
class Meeting:
    """What was seen of the client besides the trials; `requests` are the whole frames that it sent."""

    connections: int
    requests: int
    stats: FrameStats
    played: Played
    unanswerable: tuple[int, ...] = ()
    words: str = ""
    """What it spoke where that was something else."""
    login: LoginProblem | None = None
    broadcasts: int = 0
    """How many requests went to all nodes at once (CAN id 255)."""
    family: str = ""
    """In whose frames it asked, where it sent no request of this device's."""
    lacking: tuple[int, ...] = ()
    """What it asked again and again without what such a request needs."""
