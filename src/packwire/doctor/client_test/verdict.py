"""What is said about a client: verdicts with their explanation, the report, and the remedies' texts."""

from dataclasses import dataclass
from enum import StrEnum

from packwire.check import Confidence, Verdict

FRAMING = (
    "start byte 02 is followed by ONE length byte (1 to 255), 03 by two, 04 by three, the high one first; "
    "length and CRC cover the payload only (CRC-16/XMODEM: polynomial 1021, begins with 0, high byte first); "
    "the stop byte is 03"
)
STREAM = (
    "bytes come in pieces of any size: keep what came in a buffer, take a frame out when all of its bytes "
    "are there, keep the rest, and read on"
)
HARMLESS = "; it does no harm with a board that sends each reply whole, as long as the MTU holds it"
AGES_DIFFER = "decode as far as the bytes go: firmware appends fields, and an old reply ends earlier"
UNASKED = (
    "look at the first byte of each payload: take the reply by its command, hand everything else elsewhere"
)
RESYNC = (
    "where no frame begins, or its CRC is wrong, drop one byte and look again; go on until the reply is there"
)


def fault(
    key: str, confidence: Confidence, words: str, explanation: str, remedy: str, *, rank: int = 0
) -> Verdict:
    """Return what is wrong with a client. `key` is stable, for scripts."""
    excludes = _EXCLUDES.get(key, frozenset())
    return Verdict(key, confidence, words, remedy, explanation=explanation, rank=rank, excludes=excludes)


#: Who goes on at any packet goes on at those that come with a reply, too: that says nothing more.
_EXCLUDES = {"any-reply": frozenset({"print-chokes", "joined", "junk-chokes", "damage-chokes"})}
#: The rank of what another fault may explain.
BEHIND = 1


@dataclass(frozen=True, slots=True)
class ClientReport:
    """What is wrong (nothing: `findings` is empty), and what could not be decided.

    `decided` is False where the client's doings do not tell what it took: then no findings do not mean that
    all is well. `shown`: it was told by what the client shows, of a few replies.
    """

    decided: bool
    findings: tuple[Verdict, ...]
    undecided: tuple[str, ...] = ()
    good: tuple[str, ...] = ()
    shown: bool = False

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return self.decided and not self.findings

    @property
    def key(self) -> str:
        """Return `ok`, `undecided`, or the key of the gravest finding."""
        if self.findings:
            return self.findings[0].key
        return "ok" if self.decided else "undecided"


class LoginProblem(StrEnum):
    """What is wrong with how it logs in at a hub."""

    DEVICE = "it logs in as VESC:, as a device does"
    NO_NEWLINE = "its login line does not end with a newline"
