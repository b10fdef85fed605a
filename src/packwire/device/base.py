"""What every device offers: nodes, and one Sample a node."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from packwire.sample import Sample


class NodeKind(StrEnum):
    """What a node is to its owner."""

    GATEWAY = "gateway"
    BATTERY = "battery"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class Node:
    """One part of a device.

    `key` names it within its device (`bms`, `can/84`) and in its samples. `identity` survives restarts and
    is unique in the world as far as the device lets us know. `via` is the key of the node that it hangs on.
    `quantities` are the keys that its samples hold, as far as known from what it answered so far.
    """

    key: str
    identity: str
    kind: NodeKind
    name: str
    firmware: str = ""
    can_id: int | None = None
    via: str | None = None
    quantities: tuple[str, ...] = ()


class Device(ABC):
    """Something with batteries in it. Use as an async context manager; read-only.

    async with open_device("vesc://192.168.1.20") as device:
        for sample in await device.read():
            print(sample.node, sample.values)
    """

    @property
    @abstractmethod
    def where(self) -> str:
        """Return where the device was reached, for a user: `through hub 127.0.0.1:65101`."""

    @property
    @abstractmethod
    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes known at this moment."""

    @abstractmethod
    async def open(self) -> None:
        """Connect and find the nodes."""

    @abstractmethod
    async def close(self) -> None:
        """Close; may be called more than once."""

    async def find_nodes(self, *, quick: bool = False) -> None:  # noqa: ARG002 - for those that can
        """Look for nodes that take long to find (on a CAN bus: up to 5 s), beside other reading.

        `quick` is content with those known from last time, where all of them answer.
        """
        return

    @abstractmethod
    async def read(self) -> tuple[Sample, ...]:
        """Take one sample of each node.

        A node that did not answer gives a sample without values; an error is raised when the device itself
        is gone.
        """

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
