"""The types that several kinds of records share."""

from typing import Annotated, Any, Literal, TypedDict

#: What stands in an `Annotated` is what docs/reference/json.md says of a field, or of all fields of a type.
type Time = Annotated[str, "RFC 3339 in UTC with nine digits of a second: `2026-01-31T12:00:00.123456789Z`"]
type Direction = Literal["to device", "from device", "unknown"]
type Confidence = Literal["certain", "likely", "possible"]
type Values = Annotated[dict[str, Any], "by name; arrays are lists"]


class Waiting(TypedDict):
    """A frame that began and did not end."""

    since: Annotated[int, "where in the stream it began"]
    expected: Annotated[int, "how many bytes it should have"]
    arrived: Annotated[int, "how many came"]
