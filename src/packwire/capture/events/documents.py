"""Pages, settings and source code: texts that speak of failures, and that no program wrote into its log."""

import re

#: Their lines: headings and lists of Markdown, comments, settings, source code.
_LOOKS = re.compile(
    r"\s*(?:#{1,6} \w|[-*] (?:\*\*|`|[a-z]+: )|<!--|```\w*\s*$"
    r"|//|/\*|;\s|#(?:include|define|\s)|\[\w+\]\s*$|\w+ =\s*\w*\s*$|(?:- )?[a-z_]+:(?: \w+)?\s*$"
    r"|(?:import|from) \w[\w.]*|(?:class|def) \w+.*:\s*$"
    r"|(?:if|elif|else|for|while|try|except|case|switch)\b.*[:{;]\s*$|(?:raise|return|throw) "
    r"|(?:\w+\.)?(?:_?log(?:ger|ging)?\.\w+|print(?:f|ln)?|esp_log\w)\(|[{}]\s*;?\s*$)",
    re.IGNORECASE,
)
#: So many lines are looked at; so many of them, and this share of all, look so in a document.
_FIRST_LINES, _LEAST, _SHARE = 2000, 2, 0.3


class Documents:
    """Tells from the lines of a text whether it is one of these; one with times in it is a log."""

    def __init__(self) -> None:
        self._lines = self._alike = 0

    def take(self, line: str) -> None:
        """Take in one line."""
        if self._lines < _FIRST_LINES and not line.isspace():
            self._lines += 1
            self._alike += _LOOKS.match(line) is not None

    @property
    def found(self) -> bool:
        """Return whether the lines are those of a document."""
        return self._alike >= max(_LEAST, _SHARE * self._lines)
