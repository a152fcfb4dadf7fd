"""What language a question is in, and how it reads in simplified Chinese."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pypinyin
import pytest

from rag import places
from rag.domain import Scope
from rag.languages import language, simplified, to_chinese
from rag.qualifiers import mentioned
from rag.retrieve.cues import answer_types, wants_list
from rag.retrieve.scope import read_scope

ROOT = Path(__file__).parents[1]
QUESTIONS = [json.loads(line) for line in (ROOT / "tests" / "english_questions.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        "How do I register for treatment in Hangzhou?",
        "Which documents do I need for 异地就医备案 at the counter?",
        "How to do 异地就医备案 in Ningbo?",
        "My doctor prescribed a Class B (乙类) medicine. What is reimbursed?",
    ],
)
def test_an_english_question_stays_english_with_a_chinese_term_in_it(text: str) -> None:
    """A person who asks in English may still write a term as the counter does."""
    assert language(text) == "en"


@pytest.mark.parametrize(
    "text", ["宁波医保在杭州能用吗？", "國家醫保服務平台APP怎麼註冊", "NHSA APP 打不开怎么办", "12393", ""]
)
def test_a_chinese_question_stays_chinese_with_latin_letters_in_it(text: str) -> None:
    """APP and the like are part of Chinese; a text without words is Chinese, as the service is."""
    assert language(text) == "zh"


@pytest.mark.parametrize(
    ("traditional", "plain"),
    [
        ("請問職工醫保住院的封頂線是多少？", "请问职工医保住院的封顶线是多少？"),
        ("臺灣居民在寧波就醫，後續怎麼報銷", "台湾居民在宁波就医，后续怎么报销"),
        ("手術後裡面的髮夾，乾淨的牀位", "手术后里面的发夹，干净的床位"),
        ("付了１２,345.60元（１％），「起付線」", "付了１２,345.60元（１％），「起付线」"),  # noqa: RUF001
    ],
)
def test_traditional_characters_become_simplified_and_nothing_else_changes(traditional: str, plain: str) -> None:
    """Characters of Taiwan and Hong Kong are converted; figures, width and quotation marks stay."""
    assert simplified(traditional) == plain


def test_simplified_text_comes_through_unchanged() -> None:
    """No document of the corpus changes, so that nothing is lost where nothing is to be done."""
    documents = sorted((ROOT / "corpus" / "documents").glob("*.md"))
    assert documents
    assert [path.name for path in documents if simplified(path.read_text("utf-8")) != path.read_text("utf-8")] == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "What is the reimbursement rate for retired employees at a tertiary hospital in Shaoxing?",
            "绍兴三级医院退休人员报销比例？",
        ),
        ("Which documents do I need for cross-province registration?", "跨省异地就医备案需要哪些材料？"),
        ("How long is the registration valid?", "备案有效期多久？"),
        ("Can I get direct settlement without registration?", "直接结算未备案可以吗？"),
        ("What is the deductible for inpatient care?", "住院起付线？"),
        ("Can I settle directly, and what is the hotline?", "直接结算可以吗，电话是多少？"),
    ],
)
def test_an_english_question_reads_like_a_chinese_one(english: str, chinese: str) -> None:
    """Terms are those of the field, descriptions stand first, and what is asked for ends the sentence."""
    assert to_chinese(english) == chinese


@pytest.mark.parametrize(
    ("english", "named"),
    [
        ("from Ningbo to Hangzhou", {"宁波", "杭州"}),
        ("NINGBO and Xi'an, Lu'an or Urumqi", {"宁波", "西安", "六安", "乌鲁木齐"}),
        ("Inner Mongolia, Tibet, Macau, Hong Kong", {"内蒙古", "西藏", "澳门", "香港"}),
        ("Shaanxi or Shanxi", {"陕西", "山西"}),
        ("Lüliang City, Shanxi Province", {"吕梁"}),
        ("Yinzhou District, Ningbo", {"鄞州区"}),
        ("Suzhou", {"苏州"}),
        ("Suzhou, Anhui", {"宿州"}),
        ("insured in Suzhou, Anhui and treated in Suzhou, Jiangsu", {"宿州", "苏州"}),
        ("Taizhou, Zhejiang", {"台州"}),
        ("Taizhou, Jiangsu", {"泰州"}),
    ],
)
def test_places_are_found_by_their_english_names(english: str, named: set[str]) -> None:
    """Pinyin, English and local names; the province beside it tells two cities of one pinyin apart."""
    assert set(places.find(to_chinese(english))) == named


@pytest.mark.parametrize(
    "english", ["Taizhou deductible", "Yulin deductible", "Chaoyang District deductible", "Xi'an District"]
)
def test_a_name_of_several_places_is_not_guessed(english: str) -> None:
    """Another city's rule costs a patient money: what could be either stays as it is written."""
    assert places.find(to_chinese(english)) == ()


def test_every_city_has_an_english_name() -> None:
    """Beside its province, each city of the gazetteer is found by its pinyin."""
    cities = [p for p in places.names().values() if len(p.within) == 1 and not p.name.endswith(("区", "县"))]
    spelt = {city.name: f"{_pinyin(city.name)}, {_pinyin(city.within[0])}" for city in cities}
    assert len(spelt) > 300
    assert [english for name, english in spelt.items() if name not in places.find(to_chinese(english))] == []


def _pinyin(name: str) -> str:
    return "shaanxi" if name == "陕西" else "".join(pypinyin.lazy_pinyin(name))


@pytest.mark.parametrize(
    ("english", "scope"),
    [
        ("I am insured in Ningbo and was hospitalized in Hangzhou", Scope("宁波", "杭州", None, None, "住院")),
        ("Can I use my Ningbo card in Hangzhou?", Scope("宁波", "杭州")),
        ("I went to Shanghai for surgery, my insurance is in Shaoxing", Scope("绍兴", "上海")),
        ("retired, employee insurance, outpatient in Wuxi", Scope(None, "无锡", "职工", "退休", "门诊")),
        ("resident insurance for my newborn", Scope(None, None, "居民", "新生儿")),
        ("a freelancer in Fuzhou giving birth", Scope("福州", None, None, "灵活就业", "生育")),
    ],
)
def test_the_reader_of_scope_understands_the_chinese_text(english: str, scope: Scope) -> None:
    """Who is insured where, treated where, and for what, survives the change of language."""
    assert read_scope(to_chinese(english), Scope()) == scope


@pytest.mark.parametrize(
    ("english", "kind"),
    [
        ("What percentage is reimbursed for outpatient care?", "ratio"),
        ("How much do I pay every month?", "amount"),
        ("How long does the registration take?", "period"),
        ("When does it take effect?", "period"),
        ("What phone number can I call?", "phone"),
        ("How many pharmacies offer direct settlement?", "count"),
    ],
)
def test_the_kind_of_figure_asked_for_survives(english: str, kind: str) -> None:
    """A question for a ratio is one in Chinese as well."""
    assert kind in answer_types(to_chinese(english))


def test_a_question_for_steps_or_materials_stays_one() -> None:
    """What wants a list in English wants one in Chinese."""
    assert wants_list(to_chinese("How do I register online?"))
    assert wants_list(to_chinese("Which papers should I bring?"))
    assert not wants_list(to_chinese("Is there a deductible?"))


@pytest.mark.parametrize("english", ["Did the 2024 cap of 50,000 yuan drop by 10%?", "1.5 percent of 3644.55 yuan"])
def test_figures_are_kept(english: str) -> None:
    """No digit is lost or made up."""
    assert sorted(re.findall(r"[\d.,]*\d", to_chinese(english))) == sorted(re.findall(r"[\d.,]*\d", english))


def test_what_the_glossary_lacks_is_kept() -> None:
    """An unknown word may be a name that a document holds as well."""
    assert "Tianyi".lower() in to_chinese("Does the Tianyi clinic in Ningbo take my card?")


@pytest.mark.parametrize("text", ["", "hello", "？", "...", "the"])
def test_a_text_without_content_is_left_alone(text: str) -> None:
    """There is nothing to search for, and nothing is invented."""
    assert to_chinese(text) == text


def test_a_name_that_holds_a_qualifier_is_translated_as_one() -> None:
    """The words of insurance type, person and care are those that qualifiers are read by."""
    told = mentioned(to_chinese("outpatient care of retired employees with employee insurance at a tertiary hospital"))
    assert told["insured_type"] == {"职工"}
    assert told["employment"] == {"退休"}
    assert told["care"] == {"门诊"}
    assert told["level"] == {"三级"}


@pytest.mark.parametrize("example", QUESTIONS, ids=lambda e: str(e["id"]))
def test_nearly_every_word_of_a_question_is_translated(example: dict[str, object]) -> None:
    """Of each collected question at most two words are left in English."""
    assert len(re.findall(r"[A-Za-z]+", to_chinese(str(example["question"])))) <= 2


def test_a_plural_loses_its_ending_only() -> None:
    """Glasses are no glasse."""
    assert "glasse" not in to_chinese("How much for glasses?").split()
