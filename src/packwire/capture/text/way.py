"""Which way a message goes, by the words that a text says it with.

Words say it from several points of view: what a pack sends, an app receives; a pack's simulator receives
requests. So who sends or takes it counts most, then whether it asks or answers, then the verb; an arrow
without names counts least. Words that contradict each other say nothing.
"""

import re
from functools import lru_cache

from packwire.capture.packets import PacketDirection

_DEVICE = "bms|battery|batterie|akku|pack|device|dev|slave|server|peripheral|target"
_HOST = "apps?|phone|host|pc|computer|client|master|central|esp|esp32|esp8266|arduino|inverter|controller"
_SENT = (
    "tx|t|sent|sends?|sending|transmit|transmits|transmitted|transmitting|outgoing|outbound|down|downstream"
    "|gesendet|sende|发送?"
)
_WROTE = "write|writes|writing|wrote|written"
_RECEIVED = (
    "rx|r|received?|receives|receiving|recv|recvd|rcvd|got|read|incoming|inbound|up|upstream|empfangen|empfange"
    "|notified|replied|接收?|收"
)
_ASKS = "requests?|req|query|queries"
_ANSWERS = "responses?|resp|reply|replies|answers?|antwort"
_NOTIFIES = "notify|notifies|notifications?|indications?"
_WORD = re.compile(
    rf"(?P<device>{_DEVICE})|(?P<host>{_HOST})|(?P<sent>{_SENT})|(?P<wrote>{_WROTE})|(?P<received>{_RECEIVED})"
    rf"|(?P<asks>{_ASKS})|(?P<answers>{_ANSWERS})|(?P<notifies>{_NOTIFIES})|(?P<towards>to|into)|(?P<off>from)"
    r"|(?P<by>by)|(?P<article>the|a|an)|(?P<in>in)|(?P<out>out)"
    r"|(?P<forward>[-=]{0,2}>{1,3}|[→⇒])|(?P<back><{1,3}[-=]{0,2}|[←⇐])",
    re.IGNORECASE,
)
_VERBS = frozenset(("sent", "wrote", "received"))
_TOKEN = re.compile(r"[-=]{0,2}>{1,3}|<{1,3}[-=]{0,2}|[→⇒←⇐]|[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: How a write is done says nothing of the way.
_KIND_OF_WRITE = re.compile(
    r"\b(?:with(?:out)?|no|needs|expects|expecting|awaiting)[ _-]?(?:an? )?(?:response|resp|reply|answer)\b",
    re.IGNORECASE,
)
_TO, _FROM, _NONE = PacketDirection.SENT, PacketDirection.RECEIVED, PacketDirection.UNKNOWN


@lru_cache(maxsize=1024)
def way(text: str, *, alone: bool = False) -> PacketDirection:
    """Return the direction that the words of a short text say, UNKNOWN where they say none.

    With `alone`, a name that stands by itself is that of who sends, as in a table's column of directions.
    """
    plain = _KIND_OF_WRITE.sub(" ", _CAMEL.sub(" ", text).replace("_", " "))
    kinds = [
        found.lastgroup or "" if (found := _WORD.fullmatch(token)) else "" for token in _TOKEN.findall(plain)
    ]
    kinds = [kind for kind in kinds if kind != "article"]
    if alone and kinds in (["device"], ["host"]):
        return _FROM if kinds == ["device"] else _TO
    if kinds in (["in"], ["out"]):
        return _FROM if kinds == ["in"] else _TO
    for said in (_by_names(kinds) | _by_question(kinds), _by_verb(kinds)):
        if said:
            return _NONE if len(said) > 1 else next(iter(said))
    return _NONE


def _by_names(kinds: list[str]) -> set[PacketDirection]:
    """Return the ways that follow from who sends, and from who takes."""
    verb = next((kind for kind in kinds if kind in _VERBS), "")
    said = set[PacketDirection]()
    for before, kind, after in zip(["", *kinds], kinds, [*kinds[1:], ""], strict=False):
        sender = taker = ""
        if kind == "off" or (kind == "by" and verb in {"sent", "wrote"}):
            sender = after
        elif kind == "towards" or (kind == "by" and verb == "received"):
            taker = after
        elif not verb and kind == "forward":
            sender, taker = before, after
        elif not verb and kind == "back":
            sender, taker = after, before
        if sender == "device" or taker == "host":
            said.add(_FROM)
        if sender == "host" or taker == "device":
            said.add(_TO)
    return said


def _by_question(kinds: list[str]) -> set[PacketDirection]:
    """Return the way of what asks or answers.

    A response to a request is a response, and who writes to have notifications sent is none who answers.
    """
    for at, kind in enumerate(kinds):
        if kind in {"asks", "answers", "notifies"} and kinds[at - 1 : at] not in (["towards"], ["off"]):
            if kind == "notifies" and "wrote" in kinds[:at]:
                return set()
            return {_TO if kind == "asks" else _FROM}
    return set()


def _by_verb(kinds: list[str]) -> set[PacketDirection]:
    verbs = [kind for kind in kinds if kind in _VERBS]
    if verbs:
        return {_FROM if verbs[0] == "received" else _TO}
    return {_TO if kind == "forward" else _FROM for kind in kinds if kind in {"forward", "back"}}
