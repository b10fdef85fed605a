"""A comparison as a report: one web page that needs nothing else, or Markdown.

No script, no font, no address outside of it.
"""

import re
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from packwire.cli.reports import HTML
from packwire.cli.terminal import printable
from packwire.cli.views.compare_records import Record
from packwire.cli.views.compare_text import MAX_LISTED, UNDECIDED, folded, log_words, row_words, side_words
from packwire.doctor.log.clean import Cleaner

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>#|~])")


def page(data: Record, form: str = HTML) -> str:
    """Return the report in a format of `packwire.cli.reports`. All that comes from a recording is escaped."""
    environment = Environment(
        loader=PackageLoader("packwire.cli.views", "templates"),
        autoescape=form == HTML,  # noqa: S701 - Markdown has an escape of its own, the filter `md`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "side": side_words,
        "md": lambda text: _MARKDOWN.sub(r"\\\1", printable(text)),
        "fenced": lambda text: printable(text).replace("```", "'''"),
    }
    text = environment.get_template(f"compare{form}").render(
        data=data,
        most_listed=MAX_LISTED,
        undecided=data["verdict"]["key"] in UNDECIDED,
        steps=list(folded(data["steps"])),
        log=None if data["log"] is None else log_words(data["log"]),
        divergence=None if data["first_divergence"] is None else row_words(data["first_divergence"]),
    )
    return Cleaner().addresses(text)  # who is meant stays plain
