"""A whole model file."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from packwire.models.schema.base import HexBytes, Label, Name, Part, Uuid
from packwire.models.schema.framing import AnswerOf, FramingOf
from packwire.models.schema.talk import (
    BusOf,
    ExampleOf,
    PacksOf,
    ParameterOf,
    PauseOf,
    ReplyOf,
    RequestOf,
    Scalar,
    SettingsOf,
    SwitchOf,
)
from packwire.protocol.base import WriteType

#: The schema that this packwire reads.
VERSION = 1


class SerialOf(Part):
    """How to speak on a serial line."""

    baud: Annotated[int, Field(ge=50, le=20_000_000)] = 9600
    others: Annotated[list[Annotated[int, Field(ge=50, le=20_000_000)]], Field(max_length=8)] = []
    """Baud rates that some devices have instead."""


class UnlockOf(Part):
    """What is written to another characteristic of the service, once, before a device answers."""

    write: Uuid
    send: HexBytes


class BluetoothOf(Part):
    """Where it is spoken over Bluetooth."""

    service: Uuid
    notify: Uuid
    write: Uuid = ""
    """Left out where nothing is asked."""
    write_service: Uuid = ""
    """The service of what is written, where that is another one."""
    write_type: WriteType | None = None
    """Left out where devices differ: then it is found out."""
    unlock: UnlockOf | None = None
    """Devices without that characteristic need not be unlocked."""


class CanOf(Part):
    """What is said on a CAN bus."""

    bit_rate: Annotated[int, Field(ge=5_000, le=8_000_000)]
    ids: Annotated[list[Annotated[int, Field(ge=0, le=0x1FFFFFFF)]], Field(max_length=256)] = []


class LinksOf(Part):
    """What the protocol is spoken on."""

    serial: SerialOf | None = None
    tcp: bool = False
    ble: Annotated[list[BluetoothOf], Field(max_length=8)] = []
    """The first that a device has is taken."""
    can: CanOf | None = None


class AdvertisementOf(Part):
    """What a device advertises: all that is said here; `*` and `?` in a name stand for anything."""

    name: Annotated[str, Field(max_length=64)] = ""
    service: Uuid = ""
    service_data: Uuid | None = None
    address: Annotated[str, Field(pattern="^([0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){0,5})?$")] = ""
    """How it begins: `A4:C1:38`."""
    manufacturer: Annotated[int, Field(ge=0, le=0xFFFF)] | None = None
    data: HexBytes = ""
    """How the data of that manufacturer begin."""

    @model_validator(mode="after")
    def _says_something(self) -> "AdvertisementOf":
        if self == AdvertisementOf.model_construct():
            raise ValueError("say at least one of name, service, service_data, address, manufacturer")
        if self.data and self.manufacturer is None:
            raise ValueError("data needs the manufacturer whose data they are")
        return self


class RecogniseOf(Part):
    """How a device of this protocol is recognised by its advertisements: any of these."""

    aiobmsble: Annotated[str, Field(pattern="^([a-z0-9_]{1,40}_bms)?$")] = ""
    """The plugin of aiobmsble, where that is installed, whose patterns hold here too."""
    advertisements: Annotated[list[AdvertisementOf], Field(max_length=64)] = []


class ComputedOf(Part):
    """A quantity that the device does not say and that follows from others."""

    sum_of: str = ""
    """The sum of a list, such as cell_voltages."""
    product_of: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    scale: float = 1

    @model_validator(mode="after")
    def _one(self) -> "ComputedOf":
        if bool(self.sum_of) == bool(self.product_of):
            raise ValueError("say sum_of or product_of")
        return self


class ModelFile(Part):
    """A whole model file."""

    packwire: Literal[1]
    """The version of this schema."""
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    """As in `?model=`."""
    title: Annotated[str, Field(min_length=1, max_length=80)]
    """For people: `JBD`."""
    family: Annotated[str, Field(max_length=80)] = ""
    """What its frames are called in recordings; left out: the title."""
    about: Annotated[str, Field(max_length=400)] = ""
    """Under which names it is sold."""
    proof: Annotated[list[Literal["captures", "aiobmsble", "documents"]], Field(max_length=3)] = []
    """What it was compared with; nothing: only with itself."""
    sources: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=16)] = []
    """Where its facts are from."""
    order: Literal["big", "little"] = "big"
    separator: Annotated[str, Field(pattern=r"^[!-~]?$")] = ""
    """What divides the columns of a line, where replies are lines of text."""
    links: LinksOf = LinksOf()
    recognise: RecogniseOf = RecogniseOf()
    framings_of: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9_-]{0,31})?$")] = ""
    """The model of packwire that has the same `framings` and `answers`."""
    framings: Annotated[list[FramingOf], Field(max_length=32)] = []
    answers: Annotated[list[AnswerOf], Field(max_length=64)] = []
    """What answers what of all that is said in these framings, whether the model knows it or not."""
    parameters: Annotated[dict[Name, ParameterOf], Field(max_length=16)] = {}
    requests: Annotated[dict[Label, RequestOf], Field(max_length=64)] = {}
    start: Annotated[list[Label | PauseOf], Field(max_length=32)] = []
    """Requests and pauses with which a conversation begins, in order. One is left out where it needs a
    parameter that nobody gave."""
    timeout: Annotated[float, Field(gt=0, le=60)] | None = None
    """Seconds that a reply may take."""
    pause: Annotated[float, Field(ge=0, le=10)] = 0
    """Seconds in which nothing is sent behind a reply."""
    replies: Annotated[dict[Label, ReplyOf], Field(min_length=1, max_length=64)]
    computed: Annotated[dict[Name, ComputedOf], Field(max_length=16)] = {}
    """Quantities that the device does not say, by their keys."""
    packs: PacksOf | None = None
    bus: BusOf | None = None
    settings: SettingsOf | None = None
    switches: Annotated[dict[Label, SwitchOf], Field(max_length=32)] = {}
    simulated: Annotated[
        dict[Label, Annotated[dict[Name, Scalar | list[Scalar]], Field(max_length=256)]], Field(max_length=64)
    ] = {}
    """What a simulated device says in fields that no quantity fills, by reply; of the `part` of a numbered
    reply, the numbers of its frames in turn."""
    examples: Annotated[list[ExampleOf], Field(max_length=64)] = []

    @model_validator(mode="after")
    def _framed(self) -> "ModelFile":
        if bool(self.framings) == bool(self.framings_of):
            raise ValueError("framings: say how frames look, or whose they are in framings_of")
        return self
