"""What `explore` says as JSON. Bytes are hexadecimal, UUIDs in their long form."""

from typing import Annotated, Final, Literal, TypedDict


class GattDescriptor(TypedDict):
    """A descriptor of a characteristic."""

    handle: int
    uuid: str
    name: Annotated[str, "of the Bluetooth SIG or its maker; empty where it is unknown"]
    value: str | None


class GattCharacteristic(TypedDict):
    """A characteristic of a service."""

    handle: int
    uuid: str
    name: Annotated[str, "of the Bluetooth SIG or its maker; empty where it is unknown"]
    properties: Annotated[list[str], "what can be done with it: `read`, `write`, `notify`, ..."]
    value: str | None
    refused: Annotated[str, "why there is no value or no notification"]
    descriptors: list[GattDescriptor]
    notifications: Annotated[int, "how many came while it was listened to"]
    heard: Annotated[list[str], "the first of them"]
    family: Annotated[str | None, "whose frames they hold"]


class GattService(TypedDict):
    """A service of a device."""

    handle: int
    uuid: str
    name: Annotated[str, "of the Bluetooth SIG or its maker; empty where it is unknown"]
    characteristics: list[GattCharacteristic]


class LikelyPair(TypedDict):
    """Characteristics by which a device may be spoken with."""

    service: str
    notify: str
    write: Annotated[str, "empty where a device is only listened to"]
    write_service: Annotated[str | None, "the service of `write`, where that is another one"]
    write_type: Annotated[str | None, "`with response` or `without response` where there is only one way"]
    why: str


class ProbeAnswer(TypedDict):
    """A model whose question was put to the device."""

    model: str
    question: str
    service: str
    reply: Annotated[str | None, "what answered"]
    other_bytes: Annotated[int, "bytes that came meanwhile"]


class Exploration(TypedDict):
    """What a Bluetooth device has and says."""

    kind: Literal["exploration"]
    address: Annotated[str, "for the other commands"]
    name: str
    rssi: Annotated[int | None, "strength in dBm"]
    advertised_services: list[str]
    manufacturer_data: Annotated[dict[str, str], "by the number of the maker"]
    service_data: Annotated[dict[str, str], "by service"]
    models: Annotated[list[str], "the models of packwire that know what it advertises"]
    aiobmsble: Annotated[str | None, "the plugin of aiobmsble that does"]
    services: list[GattService]
    pairs: Annotated[list[LikelyPair], "the likeliest first"]
    asked: Annotated[list[ProbeAnswer] | None, "without `--probe` nothing is asked"]
    lost: Annotated[bool, "whether it ended the connection before all was done"]


RECORDS: Final = {Exploration: ("explore",)}
