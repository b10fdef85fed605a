"""`--bytes`: how the numbers in a text are meant where nothing in it tells."""

from typing import Annotated, Literal

from cyclopts import Parameter

type Numbers = Literal["hex", "decimal"]

#: The option, for each command that opens captures.
BytesOption = Annotated[
    Numbers,
    Parameter(
        name="--bytes",
        help="How a text log writes bytes where nothing in it tells: decimal takes lines of numbers from 0 to"
        " 255 as bytes.",
    ),
]
