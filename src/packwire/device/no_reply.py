"""The error for a request that got no reply: it says what did arrive instead."""

from dataclasses import dataclass

from packwire.errors import NoAnswerError
from packwire.vesc.commands import Command, command_name
from packwire.vesc.hardware import answers, hardware_label
from packwire.wire.frame import Waiting

#: A frame is known to have begun when its whole header is there (at most so many bytes), and something more.
HEADER = 4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What arrived while a reply was waited for.

    `received` counts bytes, `damaged` the frames among them whose checksum or stop byte was wrong, `others`
    the frames that were not the reply as (command, how many); `waiting` is the frame that had begun and was
    not there to its end.
    """

    received: int
    damaged: int
    others: tuple[tuple[int, int], ...]
    waiting: Waiting | None

    def __str__(self) -> str:
        if not self.received:
            return "nothing at all arrived"
        waiting = self.waiting
        if waiting and waiting.arrived > HEADER:
            return (
                f"{self.received} bytes arrived but not the whole reply: of the {waiting.expected} bytes "
                f"that the header at byte {waiting.since} announces, {waiting.missing} have not come"
            )
        if self.damaged:
            return f"{self.received} bytes arrived, but damaged on the way: a wrong checksum or stop byte"
        if self.others:
            names = ", ".join(f"{count} x {command_name(command)}" for command, count in self.others)
            return f"only other packets arrived: {names}"
        return f"{self.received} bytes arrived, but no frame among them"


class NoReplyError(NoAnswerError):
    """One request got no reply. `command`, `can_id` and `evidence` tell the rest to a program."""

    def __init__(self, message: str, command: int, can_id: int | None, evidence: Evidence) -> None:
        super().__init__(message)
        self.command = command
        self.can_id = can_id
        self.evidence = evidence


def tries_of(tries: int, seconds: float) -> str:
    """Return `3 tries, 1.0 s each`, or `1 try, 1.0 s`."""
    return f"1 try, {seconds:.1f} s" if tries == 1 else f"{tries} tries, {seconds:.1f} s each"


def no_reply(
    command: int, can_id: int | None, hardware: int | None, waited: str, evidence: Evidence
) -> NoReplyError:
    """Build the error; `hardware` is the type of the node asked, `waited` like `3 tries, 1.0 s each`."""
    who = "the device" if can_id is None else f"CAN id {can_id}"
    what = "" if command == Command.FW_VERSION else f" {command_name(command)}"
    if not answers(hardware, command):
        reason = f"a {hardware_label(hardware)} never answers this command"
    else:
        reason = str(evidence)
    return NoReplyError(f"{who} did not answer{what} ({waited}): {reason}", command, can_id, evidence)
