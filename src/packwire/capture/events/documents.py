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
#: A line without a time that speaks of a sentence and was not logged: of a list, a comment, a program's
#: source, or with the sentence in quotes among other words.
_SPEAKS_OF = re.compile(
    r"\s*(?:(?:[-*+\u2022]|\d{1,2}[.)])\s+\S|#|//|/\*|<!--|<\w[^>]*>.*</\w+>\s*$"
    r"|[\w./-]+\.(?:py|c|cpp|h|js|ts|java|md|json|ya?ml):\d+:"
    r"|(?!\w*(?:Error|Exception))[\w.-]+\s{1,3}(?:=\s{0,3})?[\"'].*[\"'][,;]?\s*$"
    r"|(?:How|Why|What|Does|Is|Can|Should)\b.*\?"
    r"|(?:assert|if|elif|return|raise|throw|case|print|with|for)\b"
    r"|(?![\w.]*(?:Error|Exception))(?:[a-z_][\w.]*|ESP_LOG\w)\("
    r"|[\"'`]\S.*[\"'`][,;:)\]]*\s*$"
    r"|[^`]*\w+ \w+[^`]*`[^`]+`|`[^`]+`[^`]*[a-z]+ [a-z]+"
    r"|[A-Z][a-z']+ (?:[\w'-]+,? ){4}.*(?<!File) [\"\u201c][^\"]+[\"\u201d])"
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


def speaks_of(line: str) -> bool:
    """Tell whether a line without a time only speaks of a sentence that is in it."""
    return _SPEAKS_OF.match(line) is not None
