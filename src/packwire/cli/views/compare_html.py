"""A comparison as one web page that needs nothing else: no script, no font, no address outside of it."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from packwire.cli.views.compare_records import Record
from packwire.cli.views.compare_text import MAX_LISTED, UNDECIDED, folded, log_words, row_words, side_words


def page(data: Record) -> str:
    """Return the page. All that comes from a recording is escaped."""
    environment = Environment(
        loader=PackageLoader("packwire.cli.views", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["side"] = side_words
    return environment.get_template("compare.html").render(
        data=data,
        most_listed=MAX_LISTED,
        undecided=data["verdict"]["key"] in UNDECIDED,
        steps=list(folded(data["steps"])),
        log=None if data["log"] is None else log_words(data["log"]),
        divergence=None if data["first_divergence"] is None else row_words(data["first_divergence"]),
    )
