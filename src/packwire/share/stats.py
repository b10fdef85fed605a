"""The account of a shared device: what became of every request, reply and byte."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from packwire.vesc.commands import command_name


@dataclass(frozen=True, slots=True)
class ClientAccount:
    """One client's account, as it is now."""

    name: str
    requests: int = 0
    """Whole frames that it sent."""
    replies: int = 0
    """Replies sent to it, from the device, from a request or from the memory."""
    refused: int = 0
    """Requests that the policy does not let pass."""
    dropped: int = 0
    """Requests given up: too many were open, or the device was away for too long."""
    unanswered: int = 0
    """Requests that the device did not answer in time."""
    unsolicited: int = 0
    """Packets that went to all clients."""
    junk: int = 0
    """Bytes that were no part of a frame; they never reach the device."""
    waiting: int = 0
    """Requests that are neither answered nor given up."""


@dataclass(frozen=True, slots=True)
class KeptReply:
    """How old a reply is that is kept for whoever asks the same within `max_age`."""

    command: int
    can_id: int | None
    age: float
    """Seconds since it came from the device."""


@dataclass(frozen=True, slots=True)
class SharingStats:
    """A shared device's account, as it is now. The sums go over all clients that ever were."""

    name: str
    connected: bool
    requests: int = 0
    """Whole frames from clients."""
    forwarded: int = 0
    """Frames written to the device, those of the clients alone."""
    replies: int = 0
    """Replies written to clients."""
    answered_from_flight: int = 0
    """Requests answered by the reply to another's identical one, which was under way."""
    answered_from_age: int = 0
    """Requests answered by a reply not older than `max_age`."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Requests that the policy does not let pass, by the kind that would."""
    dropped: int = 0
    """Requests given up before they were sent: too many were open, or the device was away for too long."""
    timeouts: int = 0
    """Requests to the device whose reply did not come in time (it may have come late)."""
    late: int = 0
    """Replies that came after their time; they still went to those who asked, and to nobody else."""
    unasked: int = 0
    """Replies that nobody waited for; they went to nobody."""
    unsolicited: int = 0
    """Packets that devices send of their own accord; they went to all."""
    fences: int = 0
    """Requests of our own: at a connection's beginning, and so that late replies can pass by."""
    device_junk: int = 0
    """Bytes from the device that were no part of a frame."""
    client_junk: int = 0
    """Bytes from clients that were no part of a frame."""
    connections: int = 0
    """How often the device was connected."""
    silent: float = 0.0
    """Seconds since a request was sent after which no byte has come from the device; 0 where all is well."""
    seats: tuple[ClientAccount, ...] = ()
    """The clients that are here now."""
    kept: tuple[KeptReply, ...] = ()


_SUMMED = tuple(each.name for each in fields(SharingStats) if each.type is int)
#: What a client's account adds to its device's, by its name here and there.
OF_CLIENTS = {"requests": "requests", "replies": "replies", "dropped": "dropped", "junk": "client_junk"}


def total(accounts: Iterable[SharingStats]) -> SharingStats:
    """Return the sums over several devices, without a name and without clients."""
    some = tuple(accounts)
    refused: Counter[str] = Counter()
    for each in some:
        refused.update(each.refused)
    sums = {name: sum(getattr(each, name) for each in some) for name in _SUMMED}
    return SharingStats("", connected=False, refused=refused, **sums)


def account(
    name: str,
    seats: Sequence[ClientAccount],
    counts: Mapping[str, int],
    *,
    refused: Mapping[str, int],
    connected: bool,
    device_junk: int,
    silent: float,
    kept: Sequence[KeptReply],
) -> SharingStats:
    """Return the account: `counts` holds those of the device, and what clients had that have left."""
    sums = Counter({key: counts[key] for key in _SUMMED})
    for of_client, key in OF_CLIENTS.items():
        sums[key] += sum(getattr(client, of_client) for client in seats)
    sums["device_junk"] = device_junk
    return SharingStats(
        name=name,
        connected=connected,
        refused=refused,
        silent=silent,
        seats=tuple(sorted(seats, key=lambda client: client.name)),
        kept=tuple(kept),
        **sums,
    )


def status_lines(stats: SharingStats) -> list[str]:
    """Say how the sharing goes, for a client that asks: who else is here, and how old its readings may be."""
    where = "connected" if stats.connected else "away at the moment"
    counts = f"{len(stats.seats)} clients, {stats.requests} requests, {stats.forwarded} sent to the device"
    return [
        f"packwire shares {stats.name}, {where}: {counts}",
        *(_client_line(client) for client in stats.seats),
        *(_kept_line(kept) for kept in stats.kept),
    ]


def _client_line(client: ClientAccount) -> str:
    return (
        f"{client.name}: {client.requests} requests, {client.replies} replies, {client.refused} refused, "
        f"{client.unanswered} unanswered, {client.dropped} dropped"
    )


def _kept_line(kept: KeptReply) -> str:
    node = "" if kept.can_id is None else f"can {kept.can_id} > "
    return f"{node}{command_name(kept.command)}: {kept.age * 1000:.0f} ms old, given to who asks now"
