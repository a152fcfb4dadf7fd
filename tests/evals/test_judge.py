"""A judge's verdicts on a run, and whether a judge may be believed."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

from evals.calibration import (
    FAITHFUL_FROM,
    MIN_KAPPA,
    Pair,
    Table,
    agreement,
    calibrate,
    cohen_kappa,
    kappa_interval,
    load_pairs,
    tabulate,
)
from evals.cassette import CassetteMiss
from evals.dataset import GoldExample, GoldSpans
from evals.domain import Observation, Sample, Scored, Unscored, Verdict
from evals.judge import (
    JUDGED,
    Case,
    Judged,
    JudgeSpec,
    Price,
    Spent,
    cases,
    embedded,
    external,
    judge_run,
    judged_metrics,
    plan,
    prompts,
    read_judged,
    served,
    write_record,
)
from evals.library import Library
from rag.adapters.tiktoken import TiktokenTokenizer
from rag.domain import Abstention, Answer, Citation, Claim, Origin, Outcome, QuotedSpan, Usage
from rag.settings import Settings
from rag.web.passages import PassageRow
from tests.making import a_record

ROOT = Path(__file__).parents[2]
RECORD = a_record("补贴", "护理补贴每月800元。", "补贴当月发放。")


class ScriptedJudge:
    """Says what the script has for a case's id, or misses the tape; `seen` lists what it was asked."""

    def __init__(self, script: dict[str, Verdict]) -> None:
        self.spent = Spent()
        self.seen: list[tuple[str, str]] = []
        self._script = script

    async def verdict(self, metric: str, case: Case) -> Verdict:
        self.seen.append((metric, case.id))
        if case.id not in self._script:
            raise CassetteMiss("not on the tape")
        return self._script[case.id]

    async def aclose(self) -> None:
        """Nothing is open."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """No progress bar."""


def a_sample(name: str, outcome: Outcome | None) -> Sample:
    """An example on the one document there is, and what came out."""
    example = GoldExample(
        id=name, split="test", category="number", question="补贴多少？", conversation=(), as_of=None, kind="answer",
        reason=None, facts=(("800元",),), forbidden=(), evidence=(), also=(), why="",
    )  # fmt: skip
    passage = PassageRow(1, 1.0, "补贴", "补贴.md", "补贴的办法", "article", (), None, RECORD.text, 0, len(RECORD.text))
    gold = GoldSpans(((RECORD.path, RECORD.units[0].span),), ())
    return Sample(example, Observation(name, outcome, (passage,)), gold, Library([RECORD]))


def an_answer() -> Answer:
    """One claim that cites the first sentence."""
    quote = RECORD.units[0].text
    citation = Citation(
        1, "补贴", "补贴的办法", "补贴的办法", "补贴.md", Origin(), "article", None, None, None, (), quote,
        (QuotedSpan(0, len(quote), quote),),
    )  # fmt: skip
    claims = (Claim("每月发800元。", (1,), "generated"),)
    return Answer(**told(), text="每月发800元。[1]", claims=claims, citations=(citation,))


def told() -> dict[str, object]:
    """What every outcome carries."""
    return {"id": "a", "as_of": dt.date(2026, 11, 23), "ai_label": "AI", "mode": "llm", "model": "m"}


def a_case(name: str) -> Case:
    """Something to judge."""
    return Case(name, "补贴多少？", "每月800元。", ("每月800元。",), ("每月800元。", "乙市500元。"), ("每月800元。",))


def a_pair(name: str, verdict: str) -> Pair:
    """A labelled pair."""
    told = {"id": name, "question": "?", "passages": [], "answer": "!", "verdict": verdict, "why": "", "kind": "number"}
    return msgspec.convert(told, Pair)


def pairs_of(wrong: int, right: int) -> list[Pair]:
    """So many unfaithful pairs, then so many faithful ones."""
    return [a_pair(f"p-{n}", "unfaithful" if n < wrong else "faithful") for n in range(wrong + right)]


# --- a run is judged ---


def test_answers_are_judged_and_nothing_else() -> None:
    """Who declines claims nothing; an error left nothing to judge."""
    declined = Abstention(**told(), text="没有找到。", reason="no_evidence")
    samples = [a_sample("g-1", an_answer()), a_sample("g-2", declined), a_sample("g-3", None)]
    assert [case.id for case in cases(samples)] == ["g-1"]


def test_a_judge_sees_claims_quotes_passages_and_gold() -> None:
    """The claims without markers, the words they cite, what was retrieved, and the gold's evidence."""
    (case,) = cases([a_sample("g-1", an_answer())])
    first = RECORD.units[0].text
    assert case == Case("g-1", "补贴多少？", "每月发800元。", (first,), (RECORD.text,), (first,))


def test_verdicts_are_written_in_order(tmp_path: Path) -> None:
    """A line an answer, each with its verdicts, read back as they were; the record names judge, prompts and cost."""
    judge = ScriptedJudge({"g-1": Scored(1.0), "g-2": Unscored("refused")})
    found = judge_run(tmp_path, [a_case("g-1"), a_case("g-2")], ["faithfulness"], judge, parallel=2, progress=silent)
    assert read_judged(tmp_path) == found
    assert [line.example_id for line in found] == ["g-1", "g-2"]
    spent = Spent(4, 0, Usage(1_000_000, 500_000))
    record = write_record(tmp_path, JudgeSpec("s", "m"), found, spent, Price(2.0, 8.0))
    assert record.cost == pytest.approx(6.0)
    assert json.loads((tmp_path / "judge.json").read_bytes())["prompts"].keys() == {
        f"judge-{name}" for name in prompts()
    }


def test_a_run_that_was_not_judged_has_no_verdicts(tmp_path: Path) -> None:
    """That is no error: judging is an extra."""
    assert read_judged(tmp_path) == []


def test_a_miss_on_the_tape_names_the_example(tmp_path: Path) -> None:
    """A replayed judge that was never asked is an error, not an unscored sample."""
    with pytest.raises(CassetteMiss, match="g-2"):
        judge_run(
            tmp_path, [a_case("g-1"), a_case("g-2")], ["faithfulness"], ScriptedJudge({"g-1": Scored(1.0)}),
            parallel=1, progress=silent,
        )  # fmt: skip


def test_verdicts_become_metrics() -> None:
    """They are summed up like others; what compares characters has no good side, the rest is not judged."""
    lines = [Judged("g-1", {"faithfulness": Scored(0.5), "surface_chrf": Scored(0.3)})]
    faithful, surface = judged_metrics(lines)
    assert (faithful.name, faithful.better, surface.better) == ("faithfulness", "high", "neither")
    assert faithful.of(a_sample("g-1", an_answer())) == Scored(0.5)
    assert faithful.of(a_sample("g-2", None)) == Unscored("not judged")


def test_a_dry_run_asks_nobody(tokenizer: TiktokenTokenizer) -> None:
    """It counts calls by metric, about how many tokens, and their price."""
    planned = plan(JUDGED, [a_case("g-1"), a_case("g-2")], prompts(), tokenizer, Price(1.0, 1.0))
    assert [p.calls for p in planned] == [4, 2, 4, 8, 2]
    assert all(p.usage.prompt_tokens > p.calls * 100 for p in planned)
    assert "~" in str(planned[0])


def test_any_server_can_judge(settings: Settings) -> None:
    """An external judge is asked where it is; the embedded model is one judge, whatever port it gets."""
    spec = external("http://judge.example/v1/", "big", "key")
    assert (spec.server, spec.model) == ("http://judge.example/v1", "big")
    with served(spec, settings) as asked:
        assert asked is spec
    assert embedded(settings).server == "embedded"


# --- a judge is calibrated ---


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        (Table(20, 5, 10, 15), 0.4),
        (Table(45, 15, 25, 15), 0.1304),
        (Table(40, 0, 0, 40), 1.0),
        (Table(0, 40, 40, 0), -1.0),
        (Table(40, 0, 40, 0), 0.0),
    ],
    ids=["textbook", "another", "perfect", "contrary", "always alarmed"],
)
def test_kappa_on_known_tables(table: Table, kappa: float) -> None:
    """Agreement beyond chance, as in the textbooks; a judge that always says the same has none."""
    given = cohen_kappa(table)
    assert isinstance(given, Scored)
    assert given.value == pytest.approx(kappa, abs=1e-4)


@pytest.mark.parametrize("table", [Table(0, 0, 0, 0), Table(0, 0, 0, 9)], ids=["nothing", "one class"])
def test_kappa_where_there_is_none(table: Table) -> None:
    """Without verdicts, or where nobody ever says anything else, there is no number."""
    assert isinstance(cohen_kappa(table), Unscored)


def test_the_interval_holds_kappa_and_shrinks() -> None:
    """It is drawn from the pairs: four times as many halve it, about."""
    wrong, alarm = (
        np.array([True] * 25 + [False] * 25),
        np.array([True] * 20 + [False] * 5 + [True] * 10 + [False] * 15),
    )
    low, high = kappa_interval(wrong, alarm)
    assert low < 0.4 < high
    narrow, wide = kappa_interval(np.tile(wrong, 4), np.tile(alarm, 4))
    assert (wide - narrow) / (high - low) == pytest.approx(0.5, abs=0.1)
    assert cohen_kappa(tabulate(wrong, alarm)) == Scored(pytest.approx(0.4))  # type: ignore[arg-type]


def test_one_unsupported_statement_makes_an_answer_unfaithful() -> None:
    """Nine statements of ten are not enough."""
    found = agreement("j", pairs_of(1, 1), [Scored(0.9), Scored(1.0)])
    assert (found.table, found.disagreed) == (Table(1, 0, 0, 1), ())
    assert FAITHFUL_FROM > 0.9


def test_what_the_judge_did_not_say_is_counted_and_left_out() -> None:
    """An unscored pair is neither agreement nor error; too many of them, and the judge can't block."""
    verdicts: list[Verdict] = [Scored(0.0), Scored(0.0), Scored(1.0), Unscored("refused")]
    found = agreement("j", pairs_of(2, 2), verdicts)
    assert found.kappa == Scored(1.0)
    assert found.unscored == {"p-3": "refused"}
    assert not found.may_block


def test_a_judge_below_the_floor_cant_block() -> None:
    """Agreement that is hardly better than chance gives no right to stop anybody."""
    wide = agreement("weak", pairs_of(10, 10), [Scored(float(n % 2)) for n in range(20)])
    good = agreement("good", pairs_of(10, 10), [Scored(float(n > 9)) for n in range(20)])
    assert isinstance(wide.kappa, Scored)
    assert wide.kappa.value < MIN_KAPPA
    assert (wide.may_block, good.may_block) == (False, True)
    assert "can't block" in str(wide)
    assert "number" in str(wide)


def test_a_judge_is_asked_about_every_pair() -> None:
    """For faithfulness alone, in the pairs' order."""
    judge = ScriptedJudge({"p-0": Scored(0.0), "p-1": Scored(1.0)})
    found = calibrate("j", pairs_of(1, 1), judge, parallel=1, progress=silent)
    assert judge.seen == [("faithfulness", "p-0"), ("faithfulness", "p-1")]
    assert (found.accuracy, found.precision, found.recall) == (Scored(1.0), Scored(1.0), Scored(1.0))


# --- the labelled pairs ---


def test_pairs_are_enough_and_of_both_kinds() -> None:
    """At least sixty, half of them unfaithful in at least eight ways, each with a reason and a name of its own."""
    pairs = load_pairs()
    verdicts = Counter(pair.verdict for pair in pairs)
    assert len({pair.id for pair in pairs}) == len(pairs) >= 60
    assert min(verdicts["faithful"], verdicts["unfaithful"]) >= 30
    assert len({pair.kind for pair in pairs if pair.verdict == "unfaithful"}) >= 8
    assert all(pair.why for pair in pairs)


def test_pairs_quote_the_corpus() -> None:
    """Every passage stands in the document that it names."""
    folder = ROOT / "corpus" / "documents"
    texts = {path.stem: path.read_text("utf-8") for path in folder.rglob("*.md")}
    odd = [(p.id, q.document) for p in load_pairs() for q in p.passages if q.quote not in texts.get(q.document, "")]
    assert odd == []
