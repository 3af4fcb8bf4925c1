"""Every likelihood's names, once: choices, colours, loss texts, exported code, what it predicts.

Plain values that everything may import. The arithmetic is elsewhere: ``vae.engine.likelihoods``
(torch), ``vae.theory.likelihoods`` (numpy), ``vae.charts.vega`` (in the browser). A new likelihood
is one entry here and one piece in each of these.
"""

from collections.abc import Mapping
from types import MappingProxyType

from vae.beliefs import (
    bernoulli,
    categorical,
    continuous_bernoulli,
    counter_biased,
    discretised_logistic,
    gaussian,
    laplace,
    student_t,
)
from vae.beliefs.types import Belief, Style

__all__ = ["BELIEFS", "Belief", "Style"]

BELIEFS: Mapping[str, Belief] = MappingProxyType(
    {
        belief.name: belief
        for belief in (
            gaussian.FIXED,
            gaussian.LEARNED,
            gaussian.OPTIMAL,
            gaussian.PER_PIXEL,
            laplace.FIXED,
            laplace.LEARNED,
            student_t.STUDENT_T,
            discretised_logistic.DISCRETISED_LOGISTIC,
            categorical.CATEGORICAL,
            bernoulli.BERNOULLI,
            continuous_bernoulli.CONTINUOUS_BERNOULLI,
            counter_biased.COUNTER_BIASED,
        )
    }
)
