"""What a sample says: mean, spread and Student's interval of a few runs; rank correlations of a design."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Spread:
    """A sample of one quantity.

    Attributes:
        count: How many values.
        mean: Their mean.
        deviation: Their standard deviation (with n - 1).
        low: Lower end of the confidence interval of the mean.
        high: Upper end.
        confidence: Of the interval.
        smallest: Smallest value.
        largest: Largest value.
    """

    count: int
    mean: float
    deviation: float
    low: float
    high: float
    confidence: float
    smallest: float
    largest: float

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return 0.5 * (self.high - self.low)

    def needed(self, share: float) -> int:
        """How many values would bring the half width below a share of the mean, if the deviation stays as it is."""
        if self.mean == 0.0:
            return self.count
        ratio = self.deviation / abs(share * self.mean)
        count = 2
        while float(stats.t.ppf(0.5 + 0.5 * self.confidence, count - 1)) * ratio > math.sqrt(count):
            # Doubling first would overshoot; the quantile falls slowly, so a few hundred steps are the most.
            count += max(1, count // 50)
        return count


def spread(values: Sequence[float], confidence: float = 0.95) -> Spread:
    """Mean, spread and Student's confidence interval of the mean; the values are taken as normally distributed.

    Raises:
        ValueError: There are fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"a spread needs two values at least, not {len(values)}")
    sample = np.asarray(values, dtype=float)
    mean, deviation = float(sample.mean()), float(sample.std(ddof=1))
    half = float(stats.t.ppf(0.5 + 0.5 * confidence, len(sample) - 1)) * deviation / math.sqrt(len(sample))
    smallest, largest = float(sample.min()), float(sample.max())
    return Spread(len(sample), mean, deviation, mean - half, mean + half, confidence, smallest, largest)


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's rank correlation of a factor and a quantity, and the chance of one as large where there is none."""

    coefficient: float
    chance: float


def rank_correlation(factor: Sequence[float], quantity: Sequence[float]) -> RankCorrelation | None:
    """Spearman's rank correlation; None where fewer than three values, or all the same, leave none.

    Raises:
        ValueError: The two differ in length.
    """
    if len(factor) != len(quantity):
        raise ValueError(f"{len(factor)} and {len(quantity)} values make no pairs")
    if len(factor) < 3 or len(set(factor)) < 2 or len(set(quantity)) < 2:
        return None
    found = stats.spearmanr(factor, quantity)
    # With three points a perfect order leaves no degree of freedom: the chance is then not a number, and one in three.
    chance = float(found.pvalue)
    return RankCorrelation(float(found.statistic), chance if math.isfinite(chance) else 1.0)
