"""What was found out about a Bluetooth device, as lines and as JSON."""

from collections.abc import Iterator
from shlex import quote

from packwire.att import short_uuid
from packwire.cli.exploration import Explored
from packwire.cli.records.exploring import Exploration, GattCharacteristic, ProbeAnswer
from packwire.cli.terminal import printable
from packwire.link.ble.exploring import Characteristic, LikelyPair, name_of
from packwire.link.ble.probing import Answered
from packwire.phrases import times
from packwire.visible import printable as visible

type _Line = tuple[str | tuple[str, str], ...]
#: Bytes of a value, and notifications, that are shown.
_BYTES, _NOTIFICATIONS = 20, 3


def lines(found: Explored) -> Iterator[_Line]:
    """Yield the text."""
    yield from _head(found)
    for service in found.services:
        yield ("service ", (short_uuid(service.uuid), "bold cyan"), _named(service.uuid))
        for own in service.characteristics:
            yield from _characteristic(own, found)
    yield from _pairs(found)
    yield from _asked(found)
    if found.lost:
        yield (("It ended the connection before all was done.", "yellow"),)


def _head(found: Explored) -> Iterator[_Line]:
    said = found.advertisement
    strength = "" if said.rssi is None else f"  {said.rssi} dBm"
    yield ((printable(said.name) or "(no name)", "bold"), f"  {said.address}{strength}")
    if said.service_uuids:
        yield ("  advertises services ", ", ".join(short_uuid(each) for each in said.service_uuids))
    for maker, data in said.manufacturer_data.items():
        yield (f"  advertises data of maker 0x{maker:04x}: {data.hex(' ')}",)
    for uuid, data in said.service_data.items():
        yield (f"  advertises data of service {short_uuid(uuid)}: {data.hex(' ')}",)
    by = ("aiobmsble",) * bool(found.plugin) + tuple(f"model {each.name}" for each in found.protocols)
    if by:
        title = found.protocols[0].title if found.protocols else found.plugin.title if found.plugin else ""
        yield (f"  known as {title} ({', '.join(by)}): packwire read {quote(str(found.address))}",)
    else:
        yield ("  nobody here knows what it advertises",)


def _named(uuid: str) -> str:
    name = name_of(uuid)
    return f"  {name}" if name else ""


def _characteristic(own: Characteristic, found: Explored) -> Iterator[_Line]:
    value = "" if own.value is None else f"  {_value(own.value)}"
    yield (
        f"  0x{own.handle:04x}  ",
        (short_uuid(own.uuid), "cyan"),
        f"{_named(own.uuid)}  {', '.join(own.properties)}{value}",
    )
    if own.refused:
        yield ("          ", (f"refused: {own.refused}", "yellow"))
    for each in own.descriptors:
        said = f"  {_value(each.value)}" if each.value else ""
        yield (f"    0x{each.handle:04x}  {short_uuid(each.uuid)}{_named(each.uuid)}{said}",)
    if own.notifications:
        family = found.families.get(own.handle)
        frames = f", frames of {family}" if family else ""
        yield (
            "          ",
            (f"notified {times(own.notifications)} in {found.seconds:g} s{frames}:", "green"),
        )
        for data in own.heard[:_NOTIFICATIONS]:
            yield (f"            {_value(data)}",)


def _value(value: bytes) -> str:
    """Return bytes, and the text that they are where they are one."""
    shown = value[:_BYTES].hex(" ") + (" ..." if len(value) > _BYTES else "")
    try:
        text = value.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        text = ""
    return f'{shown}  "{visible(text[:40])}"' if text and text.isprintable() else shown or "(empty)"


def _pairs(found: Explored) -> Iterator[_Line]:
    if not found.pairs:
        yield ("no pair of characteristics that notifies and can be written: it may only advertise",)
        return
    first, *others = found.pairs
    yield (("likely spoken with: ", "bold"), f"{_pair(first)}{f'; {first.why}' if first.why else ''}")
    for each in others[:_NOTIFICATIONS]:
        yield (f"  or {_pair(each)}",)


def _pair(pair: LikelyPair) -> str:
    gatt = pair.gatt
    way = f" ({gatt.write_type})" if gatt.write_type else ""
    of = f" of {short_uuid(gatt.write_service)}" if gatt.write_service else ""
    written = f"write {short_uuid(gatt.write)}{of}{way}, " if gatt.write else ""
    return f"service {short_uuid(gatt.service)}, {written}notify {short_uuid(gatt.notify)}"


def _asked(found: Explored) -> Iterator[_Line]:
    if found.asked is None:
        yield ("Nothing was asked: --probe puts the harmless questions of all models to it.",)
        return
    answered = found.answered
    if answered is None:
        names = ", ".join(dict.fromkeys(each.protocol.title for each in found.asked))
        yield (f"asked for {names or 'nothing'}: no answer",)
        return
    title, address = answered.protocol.title, found.address
    yield ((f"{title} answered", "bold green"), f" {answered.asked}: {_value(answered.reply)}")
    model = f"{'&' if '?' in str(address) else '?'}model={answered.protocol.name}"
    yield (f"  packwire read {quote(f'{address}{model}')}",)


def record(found: Explored) -> Exploration:
    """Return all of it as a JSON object."""
    said = found.advertisement
    return {
        "kind": "exploration",
        "address": str(found.address),
        "name": said.name,
        "rssi": said.rssi,
        "advertised_services": list(said.service_uuids),
        "manufacturer_data": {f"0x{key:04x}": data.hex() for key, data in said.manufacturer_data.items()},
        "service_data": {key: data.hex() for key, data in said.service_data.items()},
        "models": [each.name for each in found.protocols],
        "aiobmsble": found.plugin.name if found.plugin else None,
        "services": [
            {
                "handle": service.handle,
                "uuid": service.uuid,
                "name": name_of(service.uuid),
                "characteristics": [_record_of(own, found) for own in service.characteristics],
            }
            for service in found.services
        ],
        "pairs": [
            {
                "service": pair.gatt.service,
                "notify": pair.gatt.notify,
                "write": pair.gatt.write,
                "write_service": pair.gatt.write_service or None,
                "write_type": pair.gatt.write_type,
                "why": pair.why,
            }
            for pair in found.pairs
        ],
        "asked": None if found.asked is None else [_answer(each) for each in found.asked],
        "lost": found.lost,
    }


def _record_of(own: Characteristic, found: Explored) -> GattCharacteristic:
    return {
        "handle": own.handle,
        "uuid": own.uuid,
        "name": name_of(own.uuid),
        "properties": list(own.properties),
        "value": None if own.value is None else own.value.hex(),
        "refused": own.refused,
        "descriptors": [
            {
                "handle": each.handle,
                "uuid": each.uuid,
                "name": name_of(each.uuid),
                "value": None if each.value is None else each.value.hex(),
            }
            for each in own.descriptors
        ],
        "notifications": own.notifications,
        "heard": [data.hex() for data in own.heard],
        "family": found.families.get(own.handle),
    }


def _answer(each: Answered) -> ProbeAnswer:
    return {
        "model": each.protocol.name,
        "question": each.asked,
        "service": each.pair.gatt.service,
        "reply": each.reply.hex() or None,
        "other_bytes": each.others,
    }
