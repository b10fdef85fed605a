"""Records of a live device: `read`, `watch`, `scan`."""

from typing import Annotated, Final, Literal, NotRequired, TypedDict

from packwire.cli.records.words import Time, Values


class Node(TypedDict):
    """A part of a device: a battery, a controller, a gateway. Written when it is found, also later."""

    kind: Literal["node"]
    key: Annotated[str, "how the other records of this output name it: `vesc`, `bms`, `can/84`"]
    identity: Annotated[str, "what names it in the world; the same in all commands and after a restart"]
    role: Literal["battery", "controller", "gateway"]
    name: str
    firmware: str
    can_id: Annotated[int | None, "its number on the CAN bus"]
    via: Annotated[str | None, "the key of the node that it hangs on"]


class Sample(TypedDict):
    """What one node said in one reading."""

    kind: Literal["sample"]
    time: Annotated[Time, "when the reply arrived"]
    node: Annotated[str, "the key of the node"]
    identity: Annotated[str, "that of the node"]
    condition: Annotated[
        Literal["fresh", "stale", "absent", "silent"],
        "stale: the device repeats old values; absent: there is no such node; silent: no answer this time",
    ]
    reason: NotRequired[Annotated[str, "why it is not fresh"]]
    values: Annotated[Values, "by quantity key, see quantities.md; what is not known is not there"]


class Units(TypedDict):
    """The units of the values that follow; each is said once, before the first value that has it."""

    kind: Literal["units"]
    units: Annotated[dict[str, str], "by quantity key"]


class Reading(TypedDict):
    """A whole device, read once."""

    kind: Literal["reading"]
    time: Annotated[Time, "when it ended"]
    device: Annotated[str, "what the device calls itself"]
    firmware: str
    identity: Annotated[str, "that of the device"]
    link: Annotated[str, "what it was reached over"]
    seconds: Annotated[float, "how long it took"]
    remarks: Annotated[list[str], "what was odd: short or long replies, junk, checksum errors, late packets"]
    nodes: list[Node]
    samples: list[Sample]
    units: Annotated[dict[str, str], "of each quantity key that occurs"]


class Connected(TypedDict):
    """The device answers, or answers again."""

    kind: Literal["connected"]
    time: Time
    device: Annotated[str, "what it calls itself"]
    firmware: str
    identity: NotRequired[str]
    link: NotRequired[Annotated[str, "what it was reached over"]]
    hardware: NotRequired[Annotated[str, "of a VESC that is shared"]]


class Outage(TypedDict):
    """The device is gone, or was not there again."""

    kind: Literal["outage"]
    time: Time
    error: Annotated[str, "for people"]
    reason: Annotated[str, "for programs: `timed-out`, `closed`, ..., the same for the same cause"]
    retry_in: Annotated[float, "seconds until the next attempt"]


class Find(TypedDict):
    """Something that could be read from here."""

    kind: Literal["find"]
    link: Annotated[str, "how it is reached: `ble`, `tcp`, `serial`"]
    address: Annotated[str, "for the other commands"]
    description: str
    command: Annotated[str, "what reads it, or explores it"]
    name: NotRequired[Annotated[str, "what it calls itself; with Bluetooth, as are the others below"]]
    rssi: NotRequired[Annotated[int | None, "strength in dBm"]]
    weak: NotRequired[Annotated[bool, "whether it is so weak that connections may break"]]
    models: NotRequired[Annotated[list[str], "the models of packwire that know it"]]
    aiobmsble: NotRequired[Annotated[str | None, "the plugin of aiobmsble that knows it"]]


RECORDS: Final = {
    Reading: ("read",),
    Connected: ("watch", "share"),
    Node: ("watch",),
    Units: ("watch",),
    Sample: ("watch",),
    Outage: ("watch", "share"),
    Find: ("scan", "doctor"),
}
