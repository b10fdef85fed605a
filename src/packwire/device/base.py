"""What every device offers, whatever stands behind it: who it is, its nodes, and one Sample a node."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from packwire.protocol.base import Node, NodeKind
from packwire.sample import Sample

__all__ = ["Device", "Node", "NodeKind", "Statistics"]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What became of the requests of one connection; `latencies` are in s, the last thousand."""

    requests: int = 0
    replies: int = 0
    timeouts: int = 0
    late: int = 0
    unasked: int = 0
    unsolicited: int = 0
    bytes_received: int = 0
    frames: int = 0
    latencies: tuple[float, ...] = ()
    oddities: tuple[str, ...] = ()
    """What arrived that was no answer, bytes and packets alike: `2 late replies`."""


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
    def link(self) -> str:
        """Return what it was reached over: `hub 127.0.0.1:65101`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Return what the device calls itself, or what it is."""

    @property
    @abstractmethod
    def firmware(self) -> str:
        """Return the version of its firmware; empty where it is not known."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Return what names the device in the world; the same in every command and after a restart."""

    @property
    @abstractmethod
    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes known at this moment."""

    @property
    @abstractmethod
    def remarks(self) -> tuple[str, ...]:
        """Return what was odd so far: replies shorter or longer than known, and what else arrived."""

    @property
    @abstractmethod
    def asked(self) -> frozenset[str]:
        """Return the keys of the nodes that the last `read` asked; others had nothing to ask, or a pause."""

    @property
    @abstractmethod
    def statistics(self) -> Statistics:
        """Return what became of the requests so far."""

    @property
    def inner(self) -> "Device":
        """Return who really asks, behind one that first had to find out how."""
        return self

    @property
    def search(self) -> str:
        """Return what `find_nodes` does, for a user, where that takes long; else nothing."""
        return ""

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

    @abstractmethod
    async def read_node(self, node: Node) -> Sample:
        """Take one sample of one node; without values where it does not answer."""

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
