"""What several sentences of a log say together."""

from packwire.doctor.log.facts import FAILURES, SaidFacts

#: So many values that are all zero are no accident.
_ZEROS = 4
#: So many drivers are tried one by one, not chosen.
_DRIVERS = 3
#: One failure among so many readings is a hiccup: radio has them.
SELDOM = 20


def shows_only_zeros(said: SaidFacts) -> bool:
    """Return whether values are shown, and each is zero."""
    return said.count("zero-value") >= _ZEROS and not said.has("worked")


def is_tried_in_vain(said: SaidFacts) -> bool:
    """Return whether a program tries its drivers one by one, and hardly one takes anything for an answer.

    What one of them says that is refused may be its word for silence.
    """
    drivers = len(set(said.values("testing", "driver")))
    return drivers >= _DRIVERS and said.count("incorrect-reply") * 3 <= said.count("no-reply")


def fails_seldom(said: SaidFacts) -> bool:
    """Tell whether values are read in nearly all of the log, and after the last failure as well."""
    again = said.last_read > said.last_line(*FAILURES)
    return again and 0 < said.failures * SELDOM <= said.works
