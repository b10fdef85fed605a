"""A comparison as plain data: for scripts, and what the terminal and the web page show.

No payload of a reply is in it, and no password: only whether those of two logins are equal.
"""

from pathlib import Path
from typing import Any

from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.causes import SessionVerdict
from packwire.doctor.compare.choose import Choice
from packwire.doctor.compare.differences import ComparedRow, RowSide
from packwire.doctor.compare.log_file import ClientLog
from packwire.doctor.compare.patience import ClientPatience, PatienceSource
from packwire.doctor.compare.session import ClientSession
from packwire.doctor.compare.suspects import fitting_rules, suspects
from packwire.doctor.compare.verdict import Comparison, evidence_lines
from packwire.protocols import observer

type Record = dict[str, Any]

_MAX_LOG_LINES = 20


def record(found: Comparison, chosen: tuple[Choice, Choice], log: ClientLog | None) -> Record:
    """Return all of a comparison; see docs/how-to/compare-two-sessions.md."""
    return {
        "kind": "comparison",
        "reference": _session(chosen[0], found.patience[0]),
        "mine": _session(chosen[1], found.patience[1]),
        "log": None if log is None else _log(log, found.patience[1]),
        "verdict": _verdict(found),
        "also": [_finding(each, who, found) for who, each in found.also],
        "first_difference": _first(found, found.first),
        "first_divergence": _first(found, found.divergence),
        "only_in_reference": [kind.label for kind in found.missing],
        "only_in_mine": [kind.label for kind in found.extra],
        "steps": [_row(found, row) for row in found.rows],
        "steps_left_out": list(found.alignment.left_out),
    }


def _session(choice: Choice, patience: ClientPatience) -> Record:
    session = choice.session
    login = session.login
    return {
        "file": session.file,
        "name": Path(session.file).name,
        "session": session.number,
        "label": session.label,
        "protocol": session.protocol or "unknown",
        "hub": session.hub,
        "hub_id": login.login.device_id if login and login.login else None,
        "requests": len(session.queries),
        "asked": session.asked,
        "answered": session.answered,
        "bad_frames": sum(1 for each in session.bad if each.command >= 0 or each.name),
        "unasked": session.unasked,
        "seconds": None if NO_TIME in (session.begin, session.end) else (session.end - session.begin) / 1e9,
        "nodes": [
            {
                "can": can_id,
                "name": node.name,
                "firmware": node.version,
                "hardware": observer("vesc").hardware_label(node.hardware),
            }
            for can_id, node in session.nodes.items()
        ],
        "timeout": None if patience.timeout is None else patience.timeout / 1e9,
        "timeout_from": patience.source.value,
        "not_taken": len(patience.refused),
        "taken": len(patience.taken),
        "other_sessions": [{"session": each.number, "label": each.label} for each in choice.others],
        "notes": list(session.notes),
        "left_aside": [
            {"connection": each.number, "label": each.label, "why": each.why} for each in choice.asides
        ],
    }


def _log(log: ClientLog, patience: ClientPatience) -> Record:
    used = patience.source is PatienceSource.LOG
    return {
        "lines": log.lines,
        "timeouts": len(log.events),
        "with_time": log.timed,
        "found_in_session": len(patience.matched),
        "used": used,
        "cut": log.more,
        "understood": [
            {"line": event.line, "exchange": number, "text": event.text[:200]}
            for event, number in patience.matched[:_MAX_LOG_LINES]
        ],
    }


def _verdict(found: Comparison) -> Record:
    result: Record = {
        "key": found.key,
        "confidence": found.confidence.value,
        "words": found.words,
        "whose": found.who if found.main else None,
        "matters": found.main is not None,
    }
    if found.main is None:
        return result | {"evidence": [], "why": [], "open": list(found.undecided), "remedy": ""}
    result |= _finding(found.main, found.who, found)
    if found.main.cause == "receive-path":
        session, patience = (
            (found.reference, found.patience[0]) if found.swapped else (found.mine, found.patience[1])
        )
        result["suspects"] = [
            {
                "key": each.key,
                "what": each.what,
                "reason": each.reason,
                "not_taken": each.refused,
                "taken": each.taken,
            }
            for each in suspects(session, patience)
        ]
        result["wrong_rules"] = [
            {"key": each.key, "rule": each.rule, "words": each.words}
            for each in fitting_rules(session, patience)
        ]
    return result


def _finding(each: SessionVerdict, who: str, found: Comparison) -> Record:
    session = found.reference if who == "the reference" else found.mine
    return {
        "key": each.cause.value,
        "confidence": each.confidence.value,
        "words": each.words_about(who),
        "whose": who,
        "evidence": list(evidence_lines(each, who)),
        "why": list(each.why),
        "open": list(each.open),
        "remedy": each.what_to_do(who),
        "requests": [kind.label for kind in each.kinds],
        "count": len(each.numbers),
        "at": _seconds(session, each.time),
    }


def _first(found: Comparison, row: ComparedRow | None) -> Record | None:
    return None if row is None else _row(found, row)


def _row(found: Comparison, row: ComparedRow) -> Record:
    return {
        "request": row.kind.label,
        "reference": _side(found.reference, row.reference),
        "mine": _side(found.mine, row.mine),
        "differences": list(row.marks),
        "in_both": list(row.alike),
        "matters": row.matters,
    }


def _side(session: ClientSession, side: RowSide | None) -> Record | None:
    if side is None:
        return None
    return {
        "at": _seconds(session, side.time),
        "packet": side.packet or None,
        "count": side.count,
        "answered": side.answered,
        "expected": side.expected,
        "bad_frames": side.bad,
        "not_taken": side.refused,
        "reply_bytes": side.sizes,
        "latency_ms": None if side.latency is None else round(side.latency / 1e6, 3),
        "wait_ms": None if side.wait is None else round(side.wait / 1e6, 3),
    }


def _seconds(session: ClientSession, time: int) -> float | None:
    return None if NO_TIME in (time, session.first) else (time - session.first) / 1e9
