"""Where models are: packwire's own library, the user's folder, and folders that are named with `--models`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from packwire.errors import BadFileError, Reason
from packwire.user_config import config_folder

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

#: A model is a page of text; a folder has no more of them than this.
MAX_BYTES, MAX_FILES = 1 << 20, 1000
_SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True)
class Source:
    """A model file; `path` None: one of packwire's own."""

    name: str
    path: Path | None = None

    @property
    def where(self) -> str:
        """Return what it is called in errors."""
        return f"{self.name}{_SUFFIX}" if self.path is None else str(self.path)

    def text(self) -> str:
        """Return what stands in it. Raises BadFileError."""
        if self.path is None:
            return (_library() / f"{self.name}{_SUFFIX}").read_text(encoding="utf-8")
        try:
            if not self.path.is_file():
                raise BadFileError(f"{self.path}: there is no such file", reason=Reason.NO_FILE)
            with self.path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise BadFileError(f"{self.path}: a model has at most {MAX_BYTES} bytes")
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise BadFileError(f"{self.path}: it is no text in UTF-8") from None
        except OSError as error:
            raise BadFileError(f"{self.path}: {error.strerror or error}") from None


@cache
def library() -> tuple[str, ...]:
    """Return the names of the models that come with packwire."""
    folder = _library()
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def models_folder() -> Path:
    """Return the user's folder of models; it need not exist."""
    return config_folder() / "models"


_named: list[Path] = []
_kept: dict[str, Mapping[str, Source]] = {}


def use(folders: Iterable[Path]) -> None:
    """Look for models in these folders too, before the user's own. Raises BadFileError."""
    for folder in folders:
        if not folder.is_dir():
            raise BadFileError(f"{folder}: there is no such folder of models", reason=Reason.NO_FILE)
        if folder not in _named:
            _named.append(folder)


def sources() -> Mapping[str, Source]:
    """Return all models by name, packwire's own first; the user's stand in for those of the same name."""
    key = f"{models_folder()} {_named}"
    if key not in _kept:
        found = {name: Source(name) for name in library()}
        for folder in (models_folder(), *reversed(_named)):
            found |= {path.stem: Source(path.stem, path) for path in _files(folder)}
        _kept[key] = found
    return _kept[key]


def _library() -> "Traversable":
    from importlib.resources import files  # noqa: PLC0415 - reading a VESC needs no models

    return files("packwire.models") / "library"


def _files(folder: Path) -> list[Path]:
    try:
        entries = [path for path in folder.iterdir() if path.suffix == _SUFFIX and path.is_file()]
    except OSError:
        return []
    return sorted(entries)[:MAX_FILES]
