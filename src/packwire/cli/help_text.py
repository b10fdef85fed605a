"""The help of commands: paragraphs fill the terminal's width, wherever the docstring's lines end."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclopts.help import HelpPanel
    from rich.console import Console, ConsoleOptions


class HelpText:
    """cyclopts' own help, but for the lines of a command's description; it is imported when it is shown."""

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: "HelpPanel") -> None:
        """Show a table of options or commands."""
        _own()(console, options, panel)

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: Any) -> None:
        """Show the line of usage."""
        _own().render_usage(console, options, usage)

    def render_description(self, console: "Console", options: "ConsoleOptions", description: Any) -> None:
        """Show what a command does."""
        from rich.text import Text  # noqa: PLC0415 - only for help

        text = getattr(description, "primary_renderable", None)
        if isinstance(text, Text):
            description.primary_renderable = Text(filled(text.plain))
        _own().render_description(console, options, description)


def _own() -> Any:
    from cyclopts.help import DefaultFormatter  # noqa: PLC0415 - only for help

    return DefaultFormatter()


def filled(text: str) -> str:
    """Return a text with one line a paragraph; those with indented lines or a list stay as they are."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(
        each if any(line[:1] in {" ", "-"} for line in each.split("\n")) else each.replace("\n", " ")
        for each in paragraphs
    )
