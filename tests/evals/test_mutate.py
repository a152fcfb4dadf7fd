"""The mutation test: what is made of true claims is false, and the report says what a verifier did with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from evals import handwritten
from evals.figures import figures, misreadings, values
from evals.mutants import KINDS, Mutant, mutants
from evals.mutate import BARS, ENOUGH, Report, mutate, sample
from evals.truths import HANDWRITTEN, Pair, truths
from rag.answer.verifying.checking import check
from rag.answer.verifying.problems import Problem

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "corpus" / "documents"

TABLE = (
    "| 医院级别 | 在职职工报销比例 | 退休人员报销比例 |\n| --- | --- | --- |\n"
    "| 一级医院 | 90% | 95% |\n| 三级医院 | 85% | 92% |"
)


def pair(claim: str, evidence: str | None = None, title: str = "") -> Pair:
    """A true claim; its evidence is itself unless given."""
    return Pair("p", "dev", "corpus", "d", "paraphrase", (evidence or claim,), title, claim)


def changes(kind: str, made_of: Pair) -> set[tuple[str, str]]:
    """What was changed into what, of one kind."""
    return {(m.was, m.now) for m in mutants(made_of) if m.kind == kind}


def claims(kind: str, made_of: Pair) -> list[str]:
    """The mutants of one kind."""
    return [m.claim for m in mutants(made_of) if m.kind == kind]


def everything(_claim: str, _evidence: Sequence[str], _title: str) -> tuple[Problem, ...]:
    """A verifier that is off."""
    return ()


def line(**changed: object) -> bytes:
    """A line of a paraphrase file about the corpus below."""
    given = {
        "id": "x-1",
        "split": "test",
        "origin": "corpus",
        "document": "rule",
        "quote": "绍兴职工医保住院的起付标准为400元。",
        "title": "绍兴规定",
        "claim": "在绍兴，职工医保住院的起付线是400元。",
        "style": "synonyms",
    }
    return msgspec.json.encode(given | changed)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus of one document of 绍兴."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    head = (
        "---\nid: rule\ntitle: 绍兴规定\nplaces: [绍兴]\nkind: article\nauthority: third-party\n---\n\n# 绍兴规定\n\n"
    )
    text = f"绍兴职工医保住院的起付标准为400元。最高支付限额是5万元。\n\n绍兴各级医院的报销比例如下：\n\n{TABLE}\n"
    (folder / "rule.md").write_text(head + text, "utf-8")
    return folder


@pytest.fixture
def hand(tmp_path: Path) -> Path:
    """An empty folder of paraphrases."""
    folder = tmp_path / "hand"
    folder.mkdir()
    return folder


def test_figures_are_read_with_their_units() -> None:
    """Digits and numerals are figures when a unit follows or they can be dialled; 第三人 and 任一日 are none."""
    text = "百分之六十、20,000元、半年内两次、3个工作日，拨12393；第三人任一日都可以。"
    found = [(str(f.value), f.unit) for f in figures(text)]
    assert found == [("60", "%"), ("20000", "元"), ("2", "次"), ("3", "个工作日"), ("12393", "")]


def test_values_of_one_meaning_are_known() -> None:
    """2万, 一年 and 半年 stand for 20000, 12 and 6, so that these are not taken for false."""
    assert {20000, 12, 6} <= values("2万元，一年，半年")


@pytest.mark.parametrize(("written", "never"), [("报95%", "105"), ("3月", "13"), ("报九成", "十"), ("2024年", "4202")])
def test_misreadings_could_stand_there(written: str, never: str) -> None:
    """A ratio stays within 100 %, a month within the year, a year near its own."""
    (figure,) = figures(written)
    wrong = misreadings(figure)
    assert wrong
    assert never not in wrong
    assert figure.text not in wrong


def test_a_number_of_the_evidence_is_no_mutant() -> None:
    """A value that stands elsewhere in the evidence may be true of the claim, so it is not put there."""
    near = "、".join(f"{n}%" for n in range(1, 100) if n != 60)
    assert changes("number", pair("住院报销60%。", f"住院报销60%；其他比例有{near}。")) == set()
    assert changes("number", pair("住院报销60%。"))
    assert changes("number", pair("住院报销六成。", "住院报销60%，门诊报销70%。")) <= {
        ("六成", "五成"),
        ("六成", "八成"),
    }


def test_a_narrower_condition_is_no_mutant() -> None:
    """累计缴费10年以上的 covers 30 years, so that only less than 10 is false of it."""
    wrong = {now for was, now in changes("number", pair("累计缴费10年以上的，最长领取两年。")) if was == "10年"}
    assert wrong
    assert wrong <= {f"{n}年" for n in range(1, 10)}


@pytest.mark.parametrize(
    ("kind", "claim", "was", "now"),
    [
        ("unit", "医院应当在3个工作日内答复。", "3个工作日", {"3个月", "3个自然日", "3天"}),
        ("bound", "备案有效期不低于6个月。", "不低于", {"不高于"}),
        ("bound", "三年以上有期徒刑。", "以上", {"以下"}),
        ("qualifier", "跨省住院费用可以结算。", "跨省", {"省内"}),
        ("place", "境内的医疗费用按比例报销。", "境内", {"境外"}),
        ("person", "退休人员报销比例是80%。", "退休人员", {"在职职工"}),
        ("polarity", "参保人员无需备案。", "无需", {"需要", "必须"}),
        ("polarity", "报销比例可能降低。", "可能", {"一定"}),
        ("polarity", "部分地区支持代办。", "部分", {"所有"}),
    ],
)
def test_one_thing_is_changed(kind: str, claim: str, was: str, now: set[str]) -> None:
    """Each kind turns its words, and the rest of the claim stays as it is."""
    made = [m for m in mutants(pair(claim)) if m.kind == kind and m.was == was]
    assert made
    assert {m.now for m in made} <= now
    assert all(m.claim == claim.replace(was, m.now) for m in made)


def test_a_city_becomes_another_or_its_province() -> None:
    """宁波's rule is told of a city of another province, or of all 浙江; what holds for 浙江 holds for 宁波."""
    told = {now for _, now in changes("place", pair("宁波市医保住院的起付标准为800元。"))}
    assert "浙江" in told
    assert told.isdisjoint({"杭州", "温州", "宁波"})
    narrower = {now for _, now in changes("place", pair("浙江省医保住院的起付标准为800元。"))}
    assert narrower.isdisjoint({"杭州", "宁波"})


def test_a_province_that_the_evidence_names_is_no_widening() -> None:
    """Where the title is about 浙江, a claim about 浙江 is not surely false."""
    assert "浙江" not in {now for _, now in changes("place", pair("宁波市职工可以报销。", title="浙江省规定"))}


def test_a_word_of_the_evidence_is_told_of_another_case_only() -> None:
    """Of a table, 三级 may become 一级 where the figure is one of 三级 alone; 在职和退休 share theirs."""
    assert ("三级", "一级") in changes("qualifier", pair("三级医院，在职职工报销85%。", TABLE))
    assert changes("person", pair("在职职工报销85%。", "在职职工和退休人员均报销85%。")) == set()


def test_what_may_stay_true_is_left_out() -> None:
    """Under 可能 and 部分 only hardening is false; of what something is not, nothing follows."""
    assert changes("polarity", pair("部分地区无需提交材料。")) == {("部分", "所有")}
    assert changes("person", pair("灵活就业医保不是职工医保。")) == set()


def test_fixed_terms_are_left_alone() -> None:
    """最低生活保障 holds no bound, 个人所得税 no person, 可能性 no hedge."""
    claim = "最低生活保障对象缴纳个人所得税的可能性有3种。"
    assert [m.kind for m in mutants(pair(claim))] == []


def test_figures_of_a_list_change_places() -> None:
    """分别为 aligns; a range is one figure and is not turned round."""
    assert claims("alignment", pair("一级、三级医院分别为90%、85%。")) == ["一级、三级医院分别为85%、90%。"]
    assert claims("alignment", pair("报销比例为50%-70%。")) == []


def test_cells_get_the_value_of_another_case(corpus: Path, hand: Path) -> None:
    """A row's value is told of another row or column, with the table as evidence."""
    pairs = truths(corpus, None, hand).pairs
    (cell,) = (p for p in pairs if p.claim == "在绍兴，三级医院，在职职工报销比例是85%。")
    assert TABLE in cell.evidence[0]
    wrong = claims("alignment", cell)
    assert wrong
    assert set(wrong) <= {f"在绍兴，三级医院，在职职工报销比例是{other}。" for other in ("90%", "92%", "95%")}


def test_documents_stay_in_one_half(corpus: Path, hand: Path) -> None:
    """A document's sentences follow its paraphrases into their half."""
    for half in ("dev", "test"):
        (hand / "a.jsonl").write_bytes(line(split=half))
        assert {p.split for p in truths(corpus, None, hand).pairs} == {half}


def test_a_quote_must_stand_in_its_document(corpus: Path, hand: Path) -> None:
    """A paraphrase of nothing is an error that names it, not a claim without evidence."""
    (hand / "a.jsonl").write_bytes(line(quote="没有这句话。"))
    with pytest.raises(ValueError, match="x-1"):
        truths(corpus, None, hand)


def test_a_malformed_line_is_named(corpus: Path, hand: Path) -> None:
    """File and line of what is no paraphrase are said."""
    (hand / "a.jsonl").write_bytes(line() + b'\n{"id": 1}\n')
    with pytest.raises(ValueError, match=r"a\.jsonl:2"):
        truths(corpus, None, hand)


def test_data_folders_are_read_where_they_are(corpus: Path, hand: Path, tmp_path: Path) -> None:
    """Clauses and statutes give sentences of their own; what is absent is said, and its paraphrases are counted."""
    data = tmp_path / "data"
    (data / "insqa_clause").mkdir(parents=True)
    clause = {"id": "ins-1", "title": "条款", "text": "1.2 保险人应当在三十日内作出核定。"}
    (data / "insqa_clause" / "corpus.jsonl").write_bytes(msgspec.json.encode(clause))
    statute = {"origin": "regulations", "document": "条例.md", "quote": None, "start": 0, "end": 9}
    (hand / "a.jsonl").write_bytes(line(id="x-1", document="ins-1", origin="insqa_clause", quote=None, start=4, end=18))
    (hand / "b.jsonl").write_bytes(line(id="x-2", **statute))
    known = truths(corpus, data, hand)
    worded = [p for p in known.pairs if p.wording == "paraphrase"]
    assert [p.evidence for p in worded] == [("保险人应当在三十日内作出核定。"[:14],)]
    assert "保险人应当在三十日内作出核定。" in {p.claim for p in known.pairs if p.source == "insqa_clause"}
    assert any("regulations" in note for note in known.notes)
    assert any(note.startswith("1 claims") for note in known.notes)


def test_statutes_are_told_of_their_place(corpus: Path, hand: Path, tmp_path: Path) -> None:
    """本市 of a city's statute is called by name, as an answer has to."""
    folder = tmp_path / "data" / "regulations"
    folder.mkdir(parents=True)
    (folder / "上海市条例.md").write_text(
        "# 上海市条例\n<!-- INFO END -->\n第一条 本市职工应当参加职工医保。\n", "utf-8"
    )
    known = truths(corpus, tmp_path / "data", hand)
    assert "上海市职工应当参加职工医保。" in {p.claim for p in known.pairs}


def test_a_verifier_that_is_off_fails(corpus: Path, hand: Path) -> None:
    """Letting everything through catches nothing and misses all, and every miss is listed."""
    report = mutate(corpus, None, "both", paraphrases=hand, verify=everything)
    tried = sum(row.n for row in report.caught if row.wording == "all")
    assert tried > 0
    assert not report.met
    assert sum(row.caught for row in report.caught) == 0
    assert len(report.missed) == tried
    assert report.refused == ()


def test_a_verifier_that_refuses_all_tells_nothing_apart(corpus: Path, hand: Path) -> None:
    """Catching is no merit where the true claim is refused as well."""
    (hand / "a.jsonl").write_bytes(line())
    wrong = (Problem(kind="number", claim="", evidence=""),)
    report = mutate(corpus, None, "both", paraphrases=hand, verify=lambda *_: wrong)
    assert all(row.caught == row.n and row.apart == 0 for row in report.caught)
    assert [row.passed for row in report.passed] == [0, 0]
    assert not report.met


def test_a_problem_of_another_kind_is_caught_but_not_named(corpus: Path, hand: Path) -> None:
    """A wrong number that is called a wrong place is counted apart."""
    wrong = (Problem(kind="place", claim="", evidence=""),)
    report = mutate(corpus, None, "both", paraphrases=hand, verify=lambda *_: wrong)
    numbers = next(row for row in report.caught if (row.kind, row.wording) == ("number", "all"))
    assert numbers.caught == numbers.n > 0
    assert numbers.named == 0


def test_the_report_reads_and_encodes(corpus: Path, hand: Path) -> None:
    """One table with bars, the notes, the misses with both claims; and the same as JSON."""
    (hand / "a.jsonl").write_bytes(line())
    report = mutate(corpus, None, "test", paraphrases=hand, verify=everything)
    text = str(report)
    assert "no third-party data" in text
    assert "fewer than" in text
    assert text.endswith("bars missed")
    assert f"false: {report.missed[0].after}" in text
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_look_alikes_are_judged_by_kind_and_make_no_mutants(corpus: Path, hand: Path) -> None:
    """What is written false by hand is no truth: it is counted under its kind, and a wrong fact that passes is told."""
    (hand / "a.jsonl").write_bytes(
        line(id="x-2", claim="在绍兴，职工医保住院的起付线是500元。", kind="number", why="400元改成500元")
    )
    known = truths(corpus, None, hand)
    assert [one.kind for one in known.look_alikes] == ["number"]
    assert all(pair.wording == "verbatim" for pair in known.pairs)
    off, on = (mutate(corpus, None, "test", paraphrases=hand, verify=v).by_hand for v in (everything, check))
    assert [(row.n, row.caught) for row in off.rows if row.kind in {"number", "facts", "all"}] == [(1, 0)] * 3
    assert [one.id for one in off.missed] == ["x-2"]
    assert not off.met
    assert on.met
    assert on.missed == ()


def test_halves_do_not_overlap() -> None:
    """What is tried on dev and on test are mutants of other documents."""
    known = truths(CORPUS, None)
    halves = {half: {p.document for p in known.pairs if p.split == half} for half in ("dev", "test")}
    assert halves["dev"]
    assert halves["test"]
    assert halves["dev"].isdisjoint(halves["test"])


def test_paraphrases_in_the_repository_are_in_order() -> None:
    """Every id is used once, and no claim is its quote; third-party text is not kept."""
    lines = list(handwritten.read(HANDWRITTEN))
    assert len({one.id for one in lines}) == len(lines)
    assert [one.id for one in lines if one.origin != "corpus" and one.quote is not None] == []
    worded = [p for p in truths(CORPUS, None).pairs if p.wording == "paraphrase"]
    assert list(HANDWRITTEN.glob("*.jsonl"))
    assert len({p.id for p in worded}) == len(worded)
    assert [p.id for p in worded if p.claim in p.evidence] == []


def test_mutants_are_always_the_same() -> None:
    """Two runs try the same claims in the same order."""
    once, again = (sample(m for p in truths(CORPUS, None).pairs for m in mutants(p)) for _ in range(2))
    assert once == again


def test_every_kind_has_a_bar_and_enough_mutants(shared: Path) -> None:
    """With the third-party data there are over 2,000 mutants, at least 150 of each kind."""
    made: list[Mutant] = sample(m for p in truths(CORPUS, shared / "data").pairs for m in mutants(p))
    times = {kind: sum(m.kind == kind for m in made) for kind in KINDS}
    assert set(BARS) == set(KINDS)
    assert sum(times.values()) >= 2000
    assert {kind: n for kind, n in times.items() if n < ENOUGH} == {}


def test_no_mutant_is_the_evidence_itself() -> None:
    """A false claim does not stand in what it is checked against, so that the verifier is asked something."""
    made = sample(m for p in truths(CORPUS, None).pairs for m in mutants(p))
    assert [m.claim for m in made if m.claim in m.pair.told] == []
    assert any(check(m.claim, m.pair.evidence, m.pair.title) for m in made)
