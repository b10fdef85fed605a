"""The types that several kinds of records share."""

from typing import Annotated, Any, Final, Literal, TypedDict

#: What stands in an `Annotated` is what docs/reference/json.md says of a field, or of all fields of a type.
type Time = Annotated[str, "RFC 3339 in UTC with nine digits of a second: `2026-01-31T12:00:00.123456789Z`"]
type Direction = Literal["to device", "from device", "unknown"]
type Confidence = Literal["certain", "likely", "possible"]
type Values = Annotated[dict[str, Any], "by name; arrays are lists"]


class Error(TypedDict):
    """What went wrong altogether; the last record. The same is said on standard error."""

    kind: Literal["error"]
    reason: Annotated[str, "for programs: `port-refused`, `silent`, ..., the same for the same cause"]
    error: Annotated[str, "for people: what, where, what to do next"]
    exit_code: Annotated[int, "that of the command"]


class Waiting(TypedDict):
    """A frame that began and did not end."""

    since: Annotated[int, "where in the stream it began"]
    expected: Annotated[int, "how many bytes it should have"]
    arrived: Annotated[int, "how many came"]


RECORDS: Final = {Error: ("all",)}
