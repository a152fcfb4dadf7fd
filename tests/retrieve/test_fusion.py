"""Two rankings become one, whatever their scales."""

from __future__ import annotations

import numpy as np
import pytest

from rag.domain import Chunk, Document, Span
from rag.retrieve.fusion import FEATURES, Pool, fused, fusion_rows, load_fusion, standardised
from tests.making import a_document


def pool(
    *texts: str, cosine: tuple[float, ...] = (), bm25: tuple[float, ...] = (), documents: tuple[Document, ...] = ()
) -> Pool:
    """One passage a text, each of a document of its own; scores not given are zero."""
    owners = documents or tuple(a_document(f"d{n}") for n in range(len(texts)))
    chunks = tuple(
        Chunk(f"{owner.id}#c0", owner.id, (owner.title,), Span(0, len(text)), text)
        for owner, text in zip(owners, texts, strict=True)
    )
    zeros = np.zeros(len(texts))
    return Pool(chunks, owners, np.array(cosine or zeros, dtype=float), np.array(bm25 or zeros, dtype=float))


def column(name: str, question: str, found: Pool, places: tuple[str, ...] = ()) -> list[float]:
    """One feature of each passage."""
    rows = fusion_rows(question, places, found)
    return [round(float(value), 6) for value in rows[:, FEATURES.index(name)]]


def test_scores_are_centred_and_scaled() -> None:
    """Zero mean and unit spread."""
    assert standardised(np.array([1.0, 2, 3])) == pytest.approx([-(1.5**0.5), 0, 1.5**0.5])


@pytest.mark.parametrize("scores", [[], [7.0], [7.0, 7.0, 7.0]])
def test_scores_without_spread_say_nothing(scores: list[float]) -> None:
    """No division by nothing: they are all zero."""
    assert standardised(np.array(scores)).tolist() == [0.0] * len(scores)


def test_shipped_weights_fit_the_features() -> None:
    """Names and numbers of the file are those that the code computes."""
    model = load_fusion().linear
    assert model.features == FEATURES
    assert len(FEATURES) == len(model.mean) == len(model.spread) == len(model.weights)
    assert min(model.spread) > 0


def test_who_is_first_in_both_is_first() -> None:
    """Agreement wins."""
    worth = fused("护理费", (), pool("甲。", "乙。", "丙。", cosine=(0.9, 0.85, 0.8), bm25=(12, 4, 3)))
    assert worth[0] > worth[1] > worth[2]


@pytest.mark.parametrize(("cosine", "bm25"), [((0.9, 0.85, 0.85), (5, 5, 5)), ((0.85, 0.85, 0.85), (9, 5, 5))])
def test_each_ranking_counts(cosine: tuple[float, ...], bm25: tuple[float, ...]) -> None:
    """Where one says nothing, the other decides."""
    worth = fused("护理费", (), pool("甲。", "乙。", "丙。", cosine=cosine, bm25=bm25))
    assert worth.argmax() == 0


def test_the_scale_of_bm25_does_not_matter() -> None:
    """Twice all scores are the same ranking with the same distances."""
    one = fused("护理费", (), pool("甲。", "乙。", cosine=(0.8, 0.8), bm25=(2, 1)))
    other = fused("护理费", (), pool("甲。", "乙。", cosine=(0.8, 0.8), bm25=(4, 2)))
    assert one.tolist() == other.tolist()


def test_a_difference_in_the_last_digit_reorders_nothing() -> None:
    """Two machines compute the same worth."""
    one = fused("护理费", (), pool("甲。", "乙。", cosine=(0.8, 0.81), bm25=(1, 2)))
    other = fused("护理费", (), pool("甲。", "乙。", cosine=(0.8 + 1e-9, 0.81), bm25=(1, 2)))
    assert one.tolist() == other.tolist()


def test_shared_characters_count_where_words_are_cut_otherwise() -> None:
    """保温箱费能 is no word of the text, and its pairs of characters are there."""
    found = pool("保温箱费能报一半。", "婴儿保温箱费不予支付。", "护理补贴按月发放。")
    whole, most, none = column("overlap", "保温箱费能报", found)
    assert (whole, none) == (1.0, 0.0)
    assert 0 < most < whole


def test_a_figure_asked_for_counts() -> None:
    """A passage with a ratio, where a ratio is asked for."""
    found = pool("护理费由基金支付75%。", "护理费由基金支付。")
    assert column("figure", "护理费报销比例是多少", found) == [1, 0]
    assert column("figure", "护理费怎么申请", found) == [0, 0]


def test_the_rule_of_the_place_goes_before_that_of_its_province() -> None:
    """Near-identical sentences differ by whose they are."""
    owners = tuple(a_document(f"d{n}", places=p) for n, p in enumerate([("浙江",), ("宁波",), ()]))
    found = pool("护理费支付75%。", "护理费支付70%。", "护理费支付65%。", documents=owners)
    assert column("local", "宁波护理费", found, ("宁波",)) == [0.5, 1.0, 0.0]
    assert fused("宁波护理费", ("宁波",), found).argmax() == 1


def test_under_the_title_of_another_place_nothing_comes_first() -> None:
    """However well the words fit, a section on 杭州 stands below every passage that may hold in 宁波."""
    found = pool("护理费支付75%。", "另有规定。", cosine=(0.95, 0.7), bm25=(9, 0))
    assert fused("宁波护理费", ("宁波",), found).argmax() == 0
    chunks = (Chunk("d0#c0", "d0", ("护理费", "杭州市"), Span(0, 9), "护理费支付75%。"), found.chunks[1])
    assert fused("宁波护理费", ("宁波",), Pool(chunks, found.documents, found.cosine, found.bm25)).argmax() == 1


def test_nothing_fused_is_nothing() -> None:
    """No candidates are no ranking."""
    assert fused("护理费", (), pool()).shape == (0,)
