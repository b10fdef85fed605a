"""Comparing recordings of states and showing what tells them apart: what `diff` and `capture` share."""

from collections.abc import Mapping, Sequence

from packwire.capture import Capture, open_capture
from packwire.cli.exit_codes import ExitCode
from packwire.cli.headers import family_names, known_headers
from packwire.cli.masked import masked
from packwire.cli.terminal import make_console
from packwire.cli.views.differences import record, show, show_plain
from packwire.insight.differences import find_in_cuts, plain_differences
from packwire.insight.grouped import Headers
from packwire.insight.segments import Cut, by_recording
from packwire.visible import record_text


def diff_states(files: Mapping[str, Sequence[str]]) -> int:
    """Compare the recordings of each state and show what differs; return the exit code."""
    captures = [masked(open_capture(path)) for listed in files.values() for path in listed]
    labels = [state for state, listed in files.items() for _ in listed]
    cut = by_recording([capture.messages for capture in captures], labels)
    return show_differences(captures, [cut], known_headers(captures))


def show_differences(
    captures: Sequence[Capture],
    cuts: Sequence[Cut],
    headers: Headers,
    *,
    plain: bool = False,
    json: bool = False,
    everything: bool = False,
) -> int:
    """Show what tells the states of the cuts apart; return the exit code: 0 found, 7 nothing."""
    recordings = [capture.messages for capture in captures]
    if plain:
        groups = plain_differences(recordings, cuts[0], headers)
        show_plain(make_console(), cuts[0], groups)
        return ExitCode.OK if groups else ExitCode.NO_ANSWER
    tried = find_in_cuts(recordings, cuts, headers)
    if json:
        print(record_text(record(tried, family_names(captures))))
    else:
        show(make_console(), tried, family_names(captures), everything=everything)
    return ExitCode.OK if tried[0].found else ExitCode.NO_ANSWER
