"""What `packwire decode` shows of a recording: what was asked for, times, and no secrets."""

from collections import Counter
from dataclasses import dataclass

from packwire.capture import Capture
from packwire.capture.layers.spoken import Carrier, SpokenConnection
from packwire.capture.packets import NO_TIME


@dataclass(frozen=True, slots=True)
class Shown:
    """What the user wants to see."""

    brief: bool = False
    fields: bool = False
    hex: bool = False
    keep_secrets: bool = False


def shown_payload(spoken: SpokenConnection[Carrier], payload: bytes, shown: Shown) -> bytes:
    """Return a message as it may be shown: of a BMS's, what its model does not know may be secret, too."""
    if shown.keep_secrets or spoken.observer.protocol.name == "vesc":
        return payload
    from packwire.capture.redact.contents import masked_stream  # noqa: PLC0415 - VESC's words mask themselves

    known = spoken.words.values(payload, keep_secrets=True) is not None
    return masked_stream(payload, Counter(), strict=not known)


class CaptureClock:
    """Times relative to the first packet, as Wireshark shows them."""

    def __init__(self, capture: Capture) -> None:
        known = capture.packets.time[capture.packets.time != NO_TIME]
        self._times = capture.packets.time
        self.first = int(known[0]) if len(known) else NO_TIME
        self.last = int(known.max()) if len(known) else NO_TIME

    def seconds(self, time: int) -> float | None:
        """Return seconds since the first packet; None where the file does not say."""
        return None if NO_TIME in (time, self.first) else (time - self.first) / 1e9

    def text(self, time: int) -> str:
        """Return the seconds with four decimals."""
        seconds = self.seconds(time)
        return "-" if seconds is None else f"{seconds:.4f}"

    def of_packet(self, number: int) -> int:
        """Return when a packet was seen; before the first one if there is no such packet."""
        return int(self._times[number - 1]) if number else self.first
