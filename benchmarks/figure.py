"""One figure: what was measured, what it should be at least or at most, and whether it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`; a goal is met where `value` is at least or at most that."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the goal, if there is one, is met."""
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    def __str__(self) -> str:
        goal = ""
        if self.at_least is not None:
            goal = f"   goal: at least {self.at_least:g}"
        if self.at_most is not None:
            goal = f"   goal: at most {self.at_most:g}"
        mark = "" if self.reached else "   MISSED"
        return f"{self.name:68} {self.value:10.4g} {self.unit}{goal}{mark}"
