"""`packwire model export`: a model for Wireshark, CAN tools, ESPHome, aiobmsble, or as a page."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.cli.commands.model import ModelArgument, named_model
from packwire.cli.exit_codes import ExitCode
from packwire.cli.options import ModelsOption, OutOption
from packwire.cli.streams import tell
from packwire.errors import BadOptionError, not_written
from packwire.export.exported import Over
from packwire.export.targets import ASKING, Target, Wish
from packwire.export.targets import export as export_model
from packwire.models.store import use
from packwire.models.trust import is_trusted


def export(
    name: ModelArgument,
    /,
    *,
    format_: Annotated[Target, Parameter(name="--format")],
    out: OutOption = None,
    over: Over | None = None,
    unit: int | None = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    models: ModelsOption = (),
) -> int:
    """Write a model for another program; what that cannot express stands at its beginning.

    What is made is yours, under any terms.

    Parameters
    ----------
    format_
        wireshark (Lua), dbc, esphome (YAML), aiobmsble (a plugin, beside it its test), html.
    out
        The file; left out: standard output.
    over
        For esphome, the link where a model has several: ble, serial or can.
    unit
        The pack's address, where several share a line, as in ?address=.
    force
        Write over a file that exists.
    """
    use(models)
    model = named_model(name)
    made = export_model(model, format_, Wish(over, unit))
    if format_ in ASKING and not is_trusted(model):
        tell(f"{name} is not packwire's own, and what is made asks your pack: look at it first")
    if made.left_out:
        many = len(made.left_out)
        tell(f"{many} {'thing' if many == 1 else 'things'} {format_} cannot express: said at the beginning")
    if out is None:
        print(made.text, end="")
        return ExitCode.OK
    files = {out: made.text} | ({out.with_name(f"test_{out.name}"): made.test} if made.test else {})
    for path in files:
        if path.exists() and not force:
            raise BadOptionError(f"{path} exists: --force writes over it")
    for path, text in files.items():
        _write(path, text)
    return ExitCode.OK


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise not_written(path, error) from None
