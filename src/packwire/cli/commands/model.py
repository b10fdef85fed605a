"""`packwire model`: what models there are, what they hold, whether they are right; a new one.

Its `export` is in `model_export`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from packwire.cli import completion
from packwire.cli.exit_codes import ExitCode
from packwire.cli.notes_options import NotesFile
from packwire.cli.options import JsonOption, ModelsOption
from packwire.cli.records.recordings import Model as Record
from packwire.cli.streams import tell
from packwire.cli.terminal import make_console, printable, say
from packwire.errors import BadFileError, BadOptionError, not_written
from packwire.models.examples import problems
from packwire.models.load import read_file
from packwire.models.pages import link_words, proof_words
from packwire.models.problem import ModelError
from packwire.models.protocol import ModelProtocol
from packwire.models.store import Source, library, models_folder, sources, use
from packwire.models.trust import frames_sent, is_trusted
from packwire.protocols import protocol
from packwire.visible import record_text

app = App(name="model", help="Models: the protocols of BMSs as data, packwire's and your own.")

_WIDTH = 80
_NO_NOTES = NotesFile()
ModelArgument = Annotated[str, Parameter(help="A model's name, or its file.", completer=completion.models)]


@app.command(name="list")
def list_(*, models: ModelsOption = (), json: JsonOption = False) -> int:
    """List the models: packwire's own, and yours.

    Parameters
    ----------
    json
        One JSON object a line.
    """
    use(models)
    code = ExitCode.OK
    console = make_console()
    for source in sources().values():
        try:
            model = _model(source.name)
        except BadFileError as error:
            tell(str(error))
            code = ExitCode.BAD_FILE
            continue
        if json:
            print(record_text(_record(model, source)))
        else:
            say(console, _line(model, source))
    return code


def _line(model: ModelProtocol, source: Source) -> Text:
    line = Text.assemble((f"{model.name:16}", "bold"), f"  {model.title:22}  {link_words(model)}")
    if source.path is not None:
        line.append(f"  yours: {printable(str(source.path))}", "yellow")
        if model.shadows:
            line.append(", in place of packwire's own", "bold yellow")
    return line


def _record(model: ModelProtocol, source: Source) -> Record:
    return {
        "kind": "model",
        "name": model.name,
        "title": model.title,
        "links": link_words(model).split(", "),
        "proof": list(model.content.get("proof", [])),
        "file": None if source.path is None else str(source.path),
        "shadows": model.shadows,
        "trusted": is_trusted(model),
    }


@app.command
def show(name: ModelArgument, /, *, models: ModelsOption = ()) -> int:
    """Show what a model sends, and what it understands."""
    use(models)
    model = named_model(name)
    console = make_console()
    for line in _shown(model):
        say(console, printable(line))
    return ExitCode.OK


def _shown(model: ModelProtocol) -> Iterator[str]:
    yield f"{model.title}  ({model.name})  {model.content.get('about', '')}".rstrip()
    if model.origin:
        yield f"  {model.origin}" + (", in place of packwire's own" if model.shadows else "")
        yield "  trusted" if is_trusted(model) else "  not trusted yet: asked before it first talks to a pack"
    yield f"  spoken over {link_words(model)}; proved by {proof_words(model.content)}"
    yield "sends"
    yield from (f"  {line}" for line in frames_sent(model))
    if model.switches:
        yield "could switch (declared and simulated, never sent)"
        yield from (f"  {each.name}: {', '.join(each.values)}" for each in model.switches)
    yield "understands"
    for reply in model.replies:
        begins = reply.begins_text
        yield f"  {reply.name}: {begins} .."
        keys = [each.quantity.key for layout in reply.layouts for each in layout.sayings]
        yield from _wrapped(list(dict.fromkeys(keys)))


def _wrapped(words: list[str]) -> Iterator[str]:
    line = "   "
    for word in words:
        if len(line) + len(word) + 2 > _WIDTH:
            yield line
            line = "   "
        line += f" {word}" if word is words[-1] else f" {word},"
    if line.strip():
        yield line


@app.command
def check(name: str, /, *more: str, models: ModelsOption = ()) -> int:
    """Check model files: each mistake is a line with its place and what is allowed there.

    Parameters
    ----------
    name
        A model file, or the name of a model.
    more
        More of them.
    """
    use(models)
    code = ExitCode.OK
    for each in (name, *more):
        try:
            model = named_model(each)
        except BadFileError as error:
            tell(str(error))
            code = ExitCode.BAD_FILE
            continue
        replies, requests = len(model.replies), len(model.questions)
        say(make_console(), f"{printable(each)}: right; {requests} requests, {replies} replies")
    return code


@app.command(name="test")
def run_examples(
    name: str | None = None, /, *more: str, models: ModelsOption = (), options: NotesFile = _NO_NOTES
) -> int:
    """Run the examples that models carry; with recordings, show how much of them a model explains.

    `frames` are those of which the model says what they are, `bytes` what has a meaning in them, `notes` what
    an app showed (--notes) and the model reads at that time.

    Parameters
    ----------
    name
        A model's name, or its file; left out: all of them.
    more
        More of them, and recordings.
    """
    use(models)
    recordings = [each for each in more if Path(each).is_file() and not each.endswith((".yaml", ".yml"))]
    named = [each for each in (name, *more) if each is not None and each not in recordings]
    code: int = ExitCode.OK
    for each in named or tuple(sources()):
        model = named_model(each)
        try:
            wrong = list(problems(model))
        except ModelError as error:
            wrong = [f"{'.'.join(map(str, error.place))}: {error}"]
        many = len(model.content.get("examples", ()))
        end = "" if wrong or not many else ", all as they say"
        if many or not recordings:
            say(make_console(), f"{model.name}: {_examples(many)}{end}")
        for words in wrong:
            tell(f"{model.name}: {words}")
            code = ExitCode.DISTURBED
        if recordings:
            code = _on_recordings(model, recordings, options) or code
    return code


def _on_recordings(model: ModelProtocol, paths: Sequence[str], options: NotesFile) -> int:
    """Show how much of some recordings a model explains."""
    from packwire.capture import open_capture  # noqa: PLC0415 - numpy, which the other commands do not need
    from packwire.cli.masked import masked  # noqa: PLC0415
    from packwire.cli.notes import read_notes  # noqa: PLC0415
    from packwire.insight.explained import explained  # noqa: PLC0415

    captures = [masked(open_capture(path)) for path in paths]
    said = read_notes((), options, captures)
    found = explained(model, [each.messages for each in captures], said.observations, options.within)
    if not found.known:
        tell(f"{model.name}: no frame in {', '.join(map(printable, paths))} is one that this model knows")
        return ExitCode.NO_ANSWER
    console = make_console()
    if said.remark:
        say(console, said.remark)
    frames, bytes_ = round(100 * found.known / found.frames), round(100 * found.meant / found.bytes)
    notes = f", notes {found.right} of {found.notes}" if found.notes else ""
    say(console, f"{model.name}: frames explained {frames} %, bytes {bytes_} %{notes}")
    if found.damaged or found.outside:
        say(console, f"  {found.damaged} frames damaged, {found.outside} bytes in no frame")
    for note, instead in found.wrong:
        say(
            console,
            f"  {note.text}: {f'the model reads {instead}' if instead else 'the model reads nothing'}",
        )
    return ExitCode.DISTURBED if found.wrong else ExitCode.OK


def _examples(many: int) -> str:
    return "no examples" if not many else "1 example" if many == 1 else f"{many} examples"


@app.command
def new(name: str, /, *, out: Annotated[Path | None, Parameter(name="--out", alias="-o")] = None) -> int:
    """Begin a model file, with the schema beside it that helps an editor.

    Parameters
    ----------
    name
        What it is to be called, as in ?model=NAME.
    out
        The file; left out: NAME.yaml in your folder of models.
    """
    from packwire.models.beginning import beginning, schema_text  # noqa: PLC0415 - pydantic

    path = out or models_folder() / f"{name}.yaml"
    if path.exists():
        raise BadOptionError(f"{path} is there already: choose another name, or --out FILE")
    if path.stem in library():
        tell(f"{path.stem} is one of packwire's own models: this file will stand in for it")
    text = beginning(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        (path.parent / "model.schema.json").write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        raise not_written(path, error) from None
    checked = path.stem if out is None else printable(str(path))
    say(make_console(), f"{printable(str(path))}: next, packwire model check {checked}")
    return ExitCode.OK


app.command(
    "packwire.cli.commands.model_export:export", name="export", help="Write a model for another program."
)


def _model(name: str) -> ModelProtocol:
    model = protocol(name)
    if not isinstance(model, ModelProtocol):
        raise BadOptionError(f"{name} is no model: it is written in Python")
    return model


def named_model(name: str) -> ModelProtocol:
    """Return a model by its name, or that of its file. Raises BadFileError, BadOptionError."""
    path = Path(name)
    return read_file(path) if path.suffix in {".yaml", ".yml"} or path.is_file() else _model(name)
