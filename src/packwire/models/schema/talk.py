"""How requests, replies and switches are written."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from packwire.models.schema.base import Beginning, Byte, Label, Name, Part, Template
from packwire.models.schema.fields import NUMBER, Condition, FieldOf
from packwire.protocol.base import RequestKind

type Scalar = bool | int | float | str


class ParameterOf(Part):
    """What a request says that is not always the same: `{pin}`, `{address}`."""

    type: Annotated[str, Field(pattern=rf"{NUMBER}|^text$")] = "text"
    width: Annotated[int, Field(ge=1, le=64)] | None = None
    """Bytes of a text, filled up with zeros; left out, it is as long as it is."""
    order: Literal["big", "little", "low word first"] | None = None
    least: int = 0
    """Of a text its shortest length, of a number the lowest."""
    most: int | None = None
    default: int | str | None = None
    secret: bool = False
    digits: bool = False
    """It is written in hexadecimal digits, two a byte."""
    about: Annotated[str, Field(max_length=200)] = ""
    """For who is asked for it."""


class RequestOf(Part):
    """A request: the frame that asks, and what answers it."""

    send: Template
    reply: Label | Annotated[list[Label], Field(max_length=16)] = []
    """The reply, or all those that come; left out: nothing comes."""
    kind: RequestKind = RequestKind.READS
    every: Annotated[float, Field(ge=0, le=86_400)] = 0
    """Seconds between two of them while a device is watched; 0: with each reading."""
    once: bool = False
    """Asked at the beginning and not again."""
    optional: bool = False
    """Not every device answers it; one that does not is not asked again."""
    streams: Annotated[float, Field(ge=0, le=3600)] = 0
    """Once asked, the device goes on sending such replies; where none came for so many seconds, it is asked
    again."""
    topic: Literal["values", "settings", "events"] = "values"
    """What it asks for: `packwire settings` and `packwire events` ask for the others."""
    keeps_alive: bool = False
    """Devices hang up where it is not sent."""
    quiet: bool = True
    """False: the device beeps, blinks or clicks when it is asked."""
    timeout: Annotated[float, Field(gt=0, le=60)] | None = None
    tries: Annotated[int, Field(ge=1, le=10)] | None = None
    pause: Annotated[float, Field(ge=0, le=10)] = 0
    """Seconds in which nothing is sent behind it."""
    instead_of: Label | Literal[""] = ""
    """Asked only where a device does not answer that request, which is `optional` and comes before it."""


class MarkOf(Part):
    """Byte `at` of the frame is one of `values`."""

    at: Annotated[int, Field(ge=0, le=4096)]
    values: Annotated[list[Byte], Field(min_length=1, max_length=256)]


class LayoutOf(Part):
    """One layout of a reply that has several."""

    when: Annotated[list[Condition], Field(max_length=8)] = []
    """On fields of other replies: `device info.software`."""
    bytes: Annotated[list[MarkOf], Field(max_length=8)] = []
    """What is looked at in the frame itself where those are not known."""
    columns: Annotated[int, Field(ge=1, le=256)] | None = None
    """Such a line has so many columns, no more and no fewer."""
    fields: Annotated[list[FieldOf], Field(max_length=512)] = []
    model: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9_-]{0,31})?$")] = ""
    """In place of fields: such devices are read with that model."""


class ReplyOf(Part):
    """A reply: how it begins, and its fields, whose places count from the start of the frame."""

    begins: Beginning | None = None
    """Left out where `id` says it."""
    id: Annotated[int, Field(ge=0, le=0x1FFFFFFF)] | None = None
    """The identifier of such a CAN frame; `begins` then is how its data begin. Places count from the data."""
    extended: bool = False
    """The identifier has 29 bits although it would fit into 11."""
    every: Annotated[float, Field(gt=0, le=3600)] = 1
    """Seconds between two of them, of what devices send by themselves."""
    optional: bool = False
    """Not every device sends it by itself."""
    topic: Literal["values", "settings", "events"] = "values"
    """What it tells, for `packwire settings` and `packwire events`."""
    size: Annotated[int, Field(ge=1, le=1 << 16)] | None = None
    """The whole frame has so many bytes; left out: any number."""
    fields: Annotated[list[FieldOf], Field(max_length=512)] = []
    layouts: Annotated[list[LayoutOf], Field(max_length=8)] = []
    """In place of `fields`, where devices differ: the first that fits is taken."""
    refuses: bool | Annotated[str, Field(max_length=120)] = False
    """It says that the request is refused; why, in words, where that is known."""
    unasked: bool = False
    """Devices send it also without being asked."""
    part: Name | None = None
    """The field that numbers the frames of one reply, whose values come one behind the other."""

    @model_validator(mode="after")
    def _one(self) -> "ReplyOf":
        if self.fields and self.layouts:
            raise ValueError("a reply has fields, or layouts that have them")
        if self.begins is None and self.id is None:
            raise ValueError("say how it begins, such as dd 03, or the id of its CAN frame")
        return self


class PauseOf(Part):
    """Nothing is sent for a while."""

    pause: Annotated[float, Field(gt=0, le=10)]


class ReadBackOf(Part):
    """Where a device says what a switch is set to."""

    reply: Label
    field: Name
    values: Annotated[dict[Label, int], Field(max_length=16)] = {}
    """What stands there, by the names of the switch; left out: what is sent."""


class SwitchOf(Part):
    """Something that can be set; packwire declares and simulates it, and does not send it."""

    send: Template
    """With `{value}` where the value is."""
    type: Annotated[str, Field(pattern=NUMBER)] = "u8"
    order: Literal["big", "little", "low word first"] | None = None
    values: Annotated[dict[Label, int], Field(min_length=1, max_length=16)]
    """What it can be set to, by name."""
    echo: Label | None = None
    """The reply that confirms it."""
    read_back: ReadBackOf | None = None


class PacksOf(Part):
    """A device that consists of packs, which are asked one by one."""

    parameter: Name
    """What addresses them in requests."""
    first: Annotated[int, Field(ge=0, le=255)] = 1
    most: Annotated[int, Field(ge=1, le=64)] = 16
    count: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ,()/+_-]{0,63}\.[a-z][a-z0-9_]{0,63}$")]
    """The field that says how many there are beside the main one: `maker.packs`."""


class SettingsOf(Part):
    """What is sent before a device tells its settings, and after: writes, which the user must agree to."""

    enter: Label
    leave: Label
    mode: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    """What the user agrees to by this name."""


class BusOf(Part):
    """Devices that share a line, each with an address of its own."""

    at: Annotated[int, Field(ge=0, le=4096)]
    """The byte of a reply in which its sender's address stands; of a CAN frame it counts from the four bytes
    of the identifier."""
    parameter: Name | None = None
    """What addresses them in requests; left out where nothing is asked."""
    first: Annotated[int, Field(ge=0, le=255)] = 1
    most: Annotated[int, Field(ge=1, le=255)] = 16


class ExampleOf(Part):
    """Frames, in the order in which they come, and what they say together."""

    about: Annotated[str, Field(max_length=200)] = ""
    frames: Annotated[list[Template], Field(min_length=1, max_length=64)]
    values: Annotated[dict[str, Scalar | list[Scalar]], Field(max_length=128)]
    """By quantity."""
