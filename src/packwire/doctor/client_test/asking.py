"""What is wrong with what a client itself sends: its login, its requests. Pure functions."""

from collections.abc import Iterator

from packwire.check import Confidence, Verdict
from packwire.doctor.client_test.meeting import Meeting
from packwire.doctor.client_test.played import Played
from packwire.doctor.client_test.verdict import fault


def login(met: Meeting) -> Iterator[Verdict]:
    """Look at how it logs in: who asks is a client, whatever it says that it is."""
    if met.login is not None and met.requests:
        yield fault(
            "bad-login",
            Confidence.CERTAIN,
            f"At a hub nobody would answer it: {met.login.value}.",
            "its login line is wrong",
            "a client's login is one line, VESCTOOL:ID:PASSWORD and a newline",
        )
    if met.broadcasts:
        yield fault(
            "broadcast",
            Confidence.CERTAIN,
            f"{met.broadcasts} of its requests go to CAN id 255, which is every node at once.",
            "all nodes answer together, and no reply says whose it is",
            "ask the device itself, or one node by its id (0 to 254)",
        )


def lacking(met: Meeting) -> Iterator[Verdict]:
    """Look for requests without what such a one needs."""
    for command in met.lacking:
        asks = f"It sends {met.played.name(command)} without what that needs, and no device answers it."
        yield wrong_command(asks, met.played)


def wrong_command(asks: str, played: Played) -> Verdict:
    """Return that it asks for something else; `asks` says what, as a sentence."""
    return fault(
        "wrong-command",
        Confidence.LIKELY,
        asks,
        "it sends another command than it means to",
        f"the battery's values are asked for by {played.example}",
    )


def requests(met: Meeting) -> Iterator[Verdict]:
    """Look at what the client itself sends; zeros in front are right."""
    stats = met.stats
    if stats.crc_errors or (stats.waiting and not met.requests) or (stats.junk and not met.requests):
        yield fault(
            "requests-broken",
            Confidence.CERTAIN if stats.crc_errors or not met.requests else Confidence.LIKELY,
            f"Of what it sends, {met.requests} frames are right; there are {', '.join(stats.oddities())}.",
            "it frames its requests wrongly; a device does not answer them",
            met.played.framing,
        )
