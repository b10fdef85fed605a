"""What the parts of a model file share."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from packwire.models.recognition import read_uuid
from packwire.models.text import read_hex, read_pattern, read_template


class Part(BaseModel):
    """A part of a model file: what is not named here is not allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _read(read: Callable[[object], Any], example: str, words: str) -> Any:
    """Return a text that `read` can read; the text itself is kept, as YAML would have it."""

    def check(value: object) -> str:
        read(value)
        return str(value) if not isinstance(value, int) or len(str(value)) % 2 == 0 else f"0{value}"

    schema = {"type": ["string", "integer"], "description": words, "examples": [example]}
    return BeforeValidator(check), WithJsonSchema(schema)


type HexBytes = Annotated[str, *_read(read_hex, "dd a5 03", "bytes, two hexadecimal digits each")]
type Beginning = Annotated[str, *_read(read_pattern, "dd 03 ??", "how a frame begins; ?? is any byte")]
type Template = Annotated[
    str,
    *_read(
        read_template,
        "dd a5 03 00 .. .. 77",
        "a frame: .. is filled in by the framing (length, checksum), {name} by a parameter, 00*8 is repeated",
    ),
]
type Uuid = Annotated[str, *_read(read_uuid, "ff00", "a UUID, short or long")]
type Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
type Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ,()/+_-]{0,63}$")]
"""What a request or a reply is called: words in lower case."""
type Byte = Annotated[int, Field(ge=0, le=255)]
