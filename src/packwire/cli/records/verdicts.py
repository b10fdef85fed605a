"""Records of why there is no data: `doctor`, `compare`."""

from typing import Annotated, Final, Literal, NotRequired, TypedDict

from packwire.cli.records.words import Confidence, Time, Values


class Verdict(TypedDict):
    """What is the matter, and what to do."""

    key: Annotated[str, "see verdicts.md"]
    confidence: Confidence
    words: str
    remedy: str
    exit_code: Annotated[int, "that of the command where this is the main verdict"]


class Hypothesis(TypedDict):
    """Something that an owner in trouble suspects."""

    key: str
    question: str
    standing: Literal["confirmed", "ruled out", "open"]
    by: Annotated[str, "which experiment said so, and what it said"]


class Check(TypedDict):
    """One experiment."""

    name: str
    question: str
    outcome: Literal["passed", "failed", "odd", "skipped"]
    answer: str
    evidence: list[str]
    rules_out: str
    seconds: float


class VerdictCause(TypedDict):
    """One kind of cause that a verdict may come of."""

    cause: Annotated[str, "see verdicts.md"]
    share: Annotated[float, "how likely it is among all of them, from 0 to 1"]


class Diagnosis(TypedDict):
    """An examination of a device."""

    kind: Literal["diagnosis"]
    time: Annotated[Time, "when it began"]
    address: Annotated[str, "without its password"]
    where: str
    seconds: float
    complete: Annotated[bool, "false: it was ended early"]
    verdict: Verdict
    causes: Annotated[list[VerdictCause], "what it may come of; empty: what its key says"]
    evidence: Annotated[list[str], "what it rests on, each with its time since the beginning"]
    remarks: Annotated[list[Verdict], "what else was found"]
    hypotheses: list[Hypothesis]
    pack: Annotated[Values, "the battery's values by quantity key, where any came"]
    checks: list[Check]


class LogVerdict(Verdict):
    """A verdict on a log."""

    causes: Annotated[list[VerdictCause], "the likeliest first"]
    evidence: Annotated[list[str], "lines of the log, with their numbers, without secrets"]
    ask: Annotated[list[str], "what to ask for, where the log does not decide"]


class LogDevice(TypedDict):
    """One device that a log tells of."""

    device: Annotated[str | None, "its address without its last bytes; null: the log tells of one only"]
    names: list[str]
    plugins: Annotated[list[str], "as what it is read"]
    verdict: str
    events: Annotated[dict[str, int], "how often each event was told"]


class LogDiagnosis(TypedDict):
    """An examination of a log that somebody posted (`--log`)."""

    kind: Literal["log_diagnosis"]
    file: str
    lines: int
    programs: Annotated[dict[str, int], "who wrote it, with how many lines"]
    begin: Time | None
    end: Time | None
    notes: Annotated[list[str], "clocks that jump, zones, damage"]
    verdict: LogVerdict
    remarks: Annotated[list[LogVerdict], "what else was found"]
    device: Annotated[str | None, "the one that the verdict is on"]
    devices: list[LogDevice]


class LogEvent(TypedDict):
    """One event of a log (`--timeline`)."""

    kind: Literal["log_event"]
    time: Time | None
    line: int
    event: Annotated[str, "what happened: `seen`, `connecting`, `connected`, `failed`, ..."]
    code: Annotated[str, "what exactly"]
    device: str | None
    text: Annotated[str, "the line, without secrets"]


class ClientFinding(TypedDict):
    """What is wrong with a client."""

    key: str
    confidence: Confidence
    words: str
    cause: str
    remedy: str


class Trial(TypedDict):
    """One reply that a client was given."""

    trial: str
    purpose: Annotated[str, "what it was for: `length`, `delivery`, ..."]
    size: Annotated[int, "bytes of payload"]
    taken: Annotated[bool | None, "null: cannot tell"]
    swallowed: Annotated[int, "how many good replies after it were lost too"]


class ClientTest(TypedDict):
    """An examination of one's own client (`--my-client`)."""

    kind: Literal["client_test"]
    verdict: Annotated[str, "`ok`, `undecided`, or the key of the gravest finding"]
    decided: bool
    findings: list[ClientFinding]
    undecided: list[str]
    good: Annotated[list[str], "what it took"]
    command: Annotated[str | None, "the request that was answered in many ways"]
    trials: list[Trial]


class Label(TypedDict):
    """Another session of the same recording."""

    session: int
    label: str


class Aside(TypedDict):
    """A connection that is no session to compare."""

    connection: int
    label: str
    why: str


class SessionNode(TypedDict):
    """A device that a session spoke with."""

    can: Annotated[int | None, "its CAN id; null: the device at the end of the link"]
    name: str
    firmware: str
    hardware: str


class Session(TypedDict):
    """One side of a comparison."""

    file: str
    name: str
    session: int
    label: str
    protocol: str
    hub: Annotated[bool, "it went through a hub"]
    hub_id: str | None
    requests: int
    asked: Annotated[int, "requests that have a reply"]
    answered: int
    bad_frames: int
    unasked: Annotated[int, "messages from the device that answer nothing"]
    seconds: float | None
    nodes: list[SessionNode]
    timeout: Annotated[float | None, "seconds after which the client gives a request up"]
    timeout_from: Annotated[str, "what tells so"]
    not_taken: Annotated[int, "replies that came and were not taken"]
    taken: int
    other_sessions: list[Label]
    notes: list[str]
    left_aside: list[Aside]


class LogLine(TypedDict):
    """A line of the client's log, and the exchange it speaks of."""

    line: int
    exchange: int
    text: str


class ClientLog(TypedDict):
    """The log of the client in trouble (`--log`)."""

    lines: int
    timeouts: int
    with_time: int
    found_in_session: int
    used: bool
    cut: Annotated[bool, "there are more lines than are read"]
    understood: list[LogLine]


class Suspect(TypedDict):
    """What the replies that were not taken have in common."""

    key: str
    what: str
    reason: str
    not_taken: int
    taken: int


class WrongRule(TypedDict):
    """A way to read lengths wrongly that fits what was not taken."""

    key: str
    rule: str
    words: str


class Finding(TypedDict):
    """One thing that is wrong with one session."""

    key: Annotated[str, "see verdicts.md"]
    confidence: Confidence
    words: str
    whose: Annotated[str | None, "`mine` or `the reference`; null: nobody's"]
    evidence: list[str]
    why: list[str]
    open: Annotated[list[str], "what could not be decided"]
    remedy: str
    requests: NotRequired[list[str]]
    count: NotRequired[Annotated[int, "how many requests it concerns"]]
    at: NotRequired[Annotated[float | None, "seconds since the first packet of that session's file"]]


class ComparisonVerdict(Finding):
    """The verdict of a comparison."""

    matters: Annotated[bool, "something is wrong"]
    suspects: NotRequired[list[Suspect]]
    wrong_rules: NotRequired[list[WrongRule]]


class Side(TypedDict):
    """What one session did in a step."""

    at: Annotated[float | None, "seconds since the first packet of its file"]
    packet: int | None
    count: int
    answered: int
    expected: Annotated[int, "requests that a device answers"]
    bad_frames: int
    not_taken: int
    reply_bytes: Annotated[list[int] | None, "the smallest and the largest"]
    latency_ms: Annotated[float | None, "median"]
    wait_ms: Annotated[float | None, "median of what the client waited before it went on"]


class Step(TypedDict):
    """The same request in both sessions."""

    request: str
    reference: Side | None
    mine: Side | None
    differences: list[str]
    in_both: Annotated[list[str], "what is odd in both alike"]
    matters: bool


class Comparison(TypedDict):
    """A session that works beside one that does not."""

    kind: Literal["comparison"]
    reference: Session
    mine: Session
    log: ClientLog | None
    verdict: ComparisonVerdict
    also: Annotated[list[Finding], "what else was found"]
    first_difference: Step | None
    first_divergence: Annotated[Step | None, "the first difference that matters"]
    only_in_reference: list[str]
    only_in_mine: list[str]
    steps: list[Step]
    steps_left_out: Annotated[list[int], "so many of the reference, and of mine: they were too many"]


RECORDS: Final = {
    Diagnosis: ("doctor",),
    LogDiagnosis: ("doctor --log",),
    LogEvent: ("doctor --log --timeline",),
    ClientTest: ("doctor --my-client",),
    Comparison: ("compare",),
}
