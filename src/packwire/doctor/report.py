"""A diagnosis as a page fit for a forum: HTML in one file, or Markdown; with hex, without secrets."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from packwire.check import CheckResult, Verdict
from packwire.direction import Direction
from packwire.doctor.diagnosis import Diagnosis, Hypothesis
from packwire.doctor.transcript import TranscriptSegment
from packwire.errors import missing_extra
from packwire.quantity import QUANTITIES, Scalar
from packwire.vesc.hublogin import normal_id
from packwire.visible import printable

#: What is shown of the battery in one line.
_SHOWN = (
    "voltage",
    "current",
    "soc",
    "cell_count",
    "cell_voltage_min",
    "cell_voltage_max",
    "cell_voltage_spread",
)
#: Pieces shown in a report: the first and the last so many.
_FIRST, _LAST = 120, 60
_BYTES_A_LINE = 160
HIDDEN = "(hidden)"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")


def html_report(diagnosis: Diagnosis) -> str:
    """Return a page that needs no other file. Raises MissingExtraError without jinja2."""
    return _render("report.html.j2", diagnosis, autoescape=True)


def markdown_report(diagnosis: Diagnosis) -> str:
    """Return Markdown as forums and issue trackers take it. Raises MissingExtraError without jinja2."""
    text = _render("report.md.j2", diagnosis, autoescape=False)
    return re.sub(r"\n{3,}", "\n\n", text)


def _render(template: str, diagnosis: Diagnosis, *, autoescape: bool) -> str:
    try:
        environment = _environment(autoescape)
    except ImportError:
        raise missing_extra("cli", "a report") from None
    return str(environment.get_template(template).render(_content(diagnosis)))


@cache
def _environment(autoescape: bool) -> Any:
    import jinja2  # noqa: PLC0415 - an extra, and only for reports

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=autoescape,  # noqa: S701 - Markdown has an escape of its own, the filter `md`
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = _markdown
    environment.filters["fenced"] = lambda text: text.replace("```", "'''")
    return environment


def _folded(checks: tuple[CheckResult, ...]) -> list[CheckResult]:
    """Put checks that failed with the same words, one after the other, into one."""
    found: list[CheckResult] = []
    for check in checks:
        if found and check.says_the_same(found[-1]):
            found[-1] = replace(found[-1], name=f"{found[-1].name}, {check.name}")
        else:
            found.append(check)
    return found


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _content(diagnosis: Diagnosis) -> dict[str, Any]:
    clean = _cleaner(diagnosis)
    segments = list(diagnosis.transcript.redacted())
    return {
        "address": clean(diagnosis.address or diagnosis.where),
        "when": datetime.fromtimestamp(diagnosis.started, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": diagnosis.seconds,
        "verdict": _clean_verdict(diagnosis.verdict, clean),
        "remarks": [_clean_verdict(remark, clean) for remark in diagnosis.remarks],
        "hypotheses": [_clean_hypothesis(hypothesis, clean) for hypothesis in diagnosis.hypotheses],
        "checks": [_clean_check(check, clean) for check in _folded(diagnosis.checks)],
        "complete": diagnosis.complete,
        "pack": _pack(diagnosis),
        "cells": diagnosis.pack.get("cell_voltages", ()),
        "segments": list(_lines(segments, diagnosis.transcript.lost)),
        "total": len(segments),
        "version": metadata.version("packwire"),
    }


def _cleaner(diagnosis: Diagnosis) -> Callable[[str], str]:
    """Return what hides the texts that must not be shown, in every form in which they may stand."""
    forms = {
        form
        for text in diagnosis.hidden
        for form in (text, quote(text), quote(text, safe=""), normal_id(text))
    }
    if not forms:
        return printable
    longest_first = sorted(forms, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
    return lambda text: pattern.sub(HIDDEN, printable(text))


def _clean_verdict(verdict: Verdict, clean: Callable[[str], str]) -> Verdict:
    return replace(
        verdict,
        words=clean(verdict.words),
        remedy=clean(verdict.remedy),
        evidence=tuple(map(clean, verdict.evidence)),
        open=tuple(map(clean, verdict.open)),
    )


def _clean_hypothesis(hypothesis: Hypothesis, clean: Callable[[str], str]) -> Hypothesis:
    return replace(hypothesis, by=clean(hypothesis.by))


def _clean_check(check: CheckResult, clean: Callable[[str], str]) -> CheckResult:
    return replace(
        check,
        answer=clean(check.answer),
        evidence=tuple(map(clean, check.evidence)),
        excludes=clean(check.excludes),
    )


def _pack(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    pack = diagnosis.pack
    return [
        (key.replace("_", " "), QUANTITIES[key].format(cast("Scalar", pack[key])))
        for key in _SHOWN
        if key in pack
    ]


def _lines(segments: list[TranscriptSegment], lost: int) -> Iterator[str]:
    many = len(segments) > _FIRST + _LAST
    shown = [*segments[:_FIRST], None, *segments[-_LAST:]] if many else [*segments]
    for each in shown:
        if each is None:
            yield f"... {len(segments) - _FIRST - _LAST} pieces more ..."
            continue
        way = "->" if each.direction is Direction.TO_DEVICE else "<-"
        yield f"{each.time:9.4f}  [{each.connection}] {way}  {_hex(each)}"
    if lost:
        yield f"... and {lost} bytes that were too many to keep"


def _hex(segment: TranscriptSegment) -> str:
    if not segment.data:
        return f"{segment.size} bytes, not kept: they may hold a password"
    if not any(segment.data):
        return f"{segment.size} zeros"
    more = f" .. ({segment.size} bytes)" if segment.size > _BYTES_A_LINE else ""
    return segment.data[:_BYTES_A_LINE].hex(" ") + more
