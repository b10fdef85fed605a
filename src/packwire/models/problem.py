"""What is wrong with a model, and where in its file."""

from collections.abc import Iterator
from contextlib import contextmanager

from packwire.wire.fields import FieldError

#: Keys and indexes that lead to a place in the file.
type Place = tuple[str | int, ...]


class ModelError(FieldError):
    """Something in a model is wrong; `place` says where in its file."""

    def __init__(self, words: str, place: Place = ()) -> None:
        super().__init__(words)
        self.place = place


@contextmanager
def at(*place: str | int) -> Iterator[None]:
    """Say of problems that come up here where they are; places inside of it go behind."""
    try:
        yield
    except ModelError as error:
        raise ModelError(str(error), (*place, *error.place)) from None
    except FieldError as error:
        raise ModelError(str(error), place) from None
