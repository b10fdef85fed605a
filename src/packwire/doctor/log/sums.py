"""What complaints about checksums say together."""

from dataclasses import dataclass, field

from packwire.check import Fact


@dataclass(slots=True)
class ChecksumFacts(Fact):
    """What complaints about checksums compared: the two numbers of each."""

    pairs: list[tuple[int, int]] = field(default_factory=list)
    burst: bool = False
    """Whether several stood in the same millisecond."""

    @property
    def equal(self) -> int:
        """Return how many name the same number twice."""
        return sum(one == two for one, two in self.pairs)

    @property
    def fixed_side(self) -> bool:
        """Return whether one of the two numbers is always the same, and the other is not."""
        if len(self.pairs) < 2:
            return False
        first, second = {one for one, _ in self.pairs}, {two for _, two in self.pairs}
        return (len(first) == 1) != (len(second) == 1)

    @property
    def zero_side(self) -> bool:
        """Return whether one side is 0 each time: no sum, but padding or a byte that was never read."""
        return bool(self.pairs) and all(one != two and 0 in {one, two} for one, two in self.pairs)

    @property
    def fixed_difference(self) -> bool:
        """Return whether the two differ by the same amount each time, in frames that are not the same."""
        return (
            len(set(self.pairs)) > 1
            and len({one - two for one, two in self.pairs}) == 1
            and self.pairs[0][0] != self.pairs[0][1]
        )

    @property
    def few_bits(self) -> bool:
        """Return whether each difference is that of at most two flipped bits."""
        return bool(self.pairs) and all(0 < _weight(one - two) <= 2 for one, two in self.pairs)


def _weight(difference: int) -> int:
    """Return of how few powers of two, added or taken away, a number is the sum."""
    number, weight = abs(difference), 0
    while number:
        if number & 1:
            weight += 1
            number += 1 if number & 3 == 3 else -1
        number >>= 1
    return weight
