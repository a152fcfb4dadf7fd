"""Of one rule in several places the nearest goes first; what is no such rule keeps its score."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieve.siblings import nearer_first

COUNTRY = "各地参保人在异地住院没有联网结算的，应在出院后24个月内申请手工报销。"
PROVINCE = "湖南参保人在异地住院没有联网结算的，应在出院后18个月内申请手工报销。"
CITY = "长沙参保人在异地住院没有联网结算的，应在出院后12个月内申请手工报销。"
OTHER = "长沙的门诊统筹按次结算，不设起付线，年度限额另行公布。"


def test_of_one_rule_the_nearest_has_the_highest_score() -> None:
    """The scores are the same ones, handed out by place; another rule of the near place gains nothing."""
    scores = nearer_first(np.array([3.0, 2.0, 1.0, 0.5]), [COUNTRY, PROVINCE, CITY, OTHER], [0.0, 0.5, 1.0, 1.0])
    assert scores.tolist() == [1.0, 2.0, 3.0, 0.5]


def test_equally_near_rules_keep_their_order() -> None:
    """Two of a city's own: the wording decides as before."""
    assert nearer_first(np.array([1.0, 2.0]), [CITY, CITY], [1.0, 1.0]).tolist() == [1.0, 2.0]
    assert nearer_first(np.array([1.0, 2.0, 3.0]), [CITY, CITY, COUNTRY], [1.0, 1.0, 0.0]).tolist() == [2.0, 3.0, 1.0]


def test_a_rule_worded_otherwise_keeps_its_score() -> None:
    """That it is of a nearer place makes it no better an answer."""
    assert nearer_first(np.array([2.0, 1.0]), [COUNTRY, OTHER], [0.0, 1.0]).tolist() == [2.0, 1.0]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([COUNTRY, PROVINCE, CITY, OTHER, ""]),
            st.sampled_from([0.0, 0.5, 1.0]),
            st.floats(-9, 9, allow_nan=False),
        ),
        max_size=24,
    )
)
def test_no_score_is_made_up_or_lost(found: list[tuple[str, float, float]]) -> None:
    """They change hands, whatever the texts are; of none there are none."""
    texts, nearness, scores = zip(*found, strict=True) if found else ((), (), ())
    handed = nearer_first(np.array(scores, dtype=float), texts, nearness)
    assert sorted(handed.tolist()) == sorted(scores)
