"""Which methods of an app call which, and which of them speak over Bluetooth."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from packwire.apk.dex import MethodName

#: Methods that write to a characteristic or subscribe, whatever class they are called on: their names are
#: Android's, and those of libraries for it.
_WRITES: Final = frozenset({"writeCharacteristic", "writeRxCharacteristic"})
_NOTIFIES: Final = frozenset({"setCharacteristicNotification", "setNotificationCallback"})
_CLASSIC: Final = frozenset(
    {"createRfcommSocketToServiceRecord", "createInsecureRfcommSocketToServiceRecord"}
)
#: Methods with common names, of libraries: the beginning of their class.
_OF_LIBRARIES: Final = {
    "write": ("Lcom/clj/fastble/BleManager;", "Lcom/inuker/bluetooth/library/", "Lcn/com/heaton/blelibrary/"),
    "notify": ("Lcom/clj/fastble/BleManager;", "Lcom/inuker/bluetooth/library/"),
    "setupNotification": ("Lcom/polidea/rxandroidble",),
}
#: So many calls up a caller is looked for; so many are kept of each.
_UP, _KEPT = 3, 8
#: So many steps a frame may be from what writes it.
_DOWN = 4
#: So many classes above one are looked at.
_ABOVE = 64


def is_api(method: MethodName) -> str:
    """Return what a call to a method does: `writes`, `subscribes`, `connects (classic)`; else nothing."""
    if method.name in _WRITES or _of_library(method, "write"):
        return "writes"
    if method.name in _NOTIFIES or _of_library(method, "notify") or _of_library(method, "setupNotification"):
        return "subscribes"
    return "connects (classic)" if method.name in _CLASSIC else ""


def _of_library(method: MethodName, name: str) -> bool:
    return method.name == name and method.owner.startswith(_OF_LIBRARIES[name])


class CallGraph:
    """The calls of methods; a call to a class or an interface may be one to what is made from it."""

    def __init__(self) -> None:
        self._calls: dict[MethodName, set[MethodName]] = {}
        self._callers: dict[MethodName, set[MethodName]] = defaultdict(set)
        self._above: dict[str, tuple[str, ...]] = {}

    def define(self, name: str, above: Iterable[str]) -> None:
        """Note a class and what it is made from."""
        self._above[name] = tuple(above)

    def add(self, method: MethodName, calls: Iterable[MethodName]) -> None:
        """Note what a method calls."""
        own = self._calls.setdefault(method, set())
        for each in calls:
            own.add(each)
            self._callers[each].add(method)

    @cached_property
    def _own_above(self) -> dict[str, tuple[str, ...]]:
        """Return what each class is made from, of the app itself: all call what its system and tools have."""
        return {
            name: tuple(each for each in above if each in self._above) for name, above in self._above.items()
        }

    def _as(self, method: MethodName) -> set[MethodName]:
        """Return a method, and those of classes above that a call to may be one to it."""
        found, waiting = {method.owner}, [method.owner]
        while waiting and len(found) < _ABOVE:
            fresh = [each for each in self._own_above.get(waiting.pop(), ()) if each not in found]
            found |= set(fresh)
            waiting += fresh
        return {method._replace(owner=each) for each in found}

    def callers(self, method: MethodName) -> list[MethodName]:
        """Return who calls a method, and who calls those, the nearest first."""
        found: dict[MethodName, None] = {}
        layer = {method}
        for _ in range(_UP):
            reached = {
                caller for each in layer for name in self._as(each) for caller in self._callers.get(name, ())
            }
            layer = {each for each in reached if each not in found and each != method}
            found |= dict.fromkeys(sorted(layer))
            if len(found) >= _KEPT:
                break
        return list(found)[:_KEPT]

    def reaching(self) -> set[MethodName]:
        """Return the methods from which a write may be reached in a few calls."""
        layer = {each for each, calls in self._calls.items() if any(is_api(one) == "writes" for one in calls)}
        found = set(layer)
        for _ in range(_DOWN):
            layer = {
                caller for each in layer for name in self._as(each) for caller in self._callers.get(name, ())
            } - found
            found |= layer
        return found

    def speaking(self) -> dict[MethodName, list[MethodName]]:
        """Return the methods that call an API of Bluetooth, with what they call."""
        found = {}
        for method, calls in self._calls.items():
            if said := sorted(each for each in calls if is_api(each)):
                found[method] = said
        return found
