"""What a question asks: one thing or several, each with what it needs to stand alone."""

from __future__ import annotations

import pytest

from rag.retrieve.asks import asked_last, asking, asks


@pytest.mark.parametrize(
    "question",
    [
        "温州职工医保在上海住院，报多少？",
        "去外地看病要不要备案，还是直接去就行？",
        "能报吗？是不是真的？",
        "不管去哪家医院，都要先备案吗？",
        "我们几个兄妹凑的钱，能报多少",
        "没啥大病，备案能管多久？",
        "我爸有很多高血压的药，在社区卫生院配药能报吗？",
        "我去年还是职工医保，今年转成居民医保，住院能报多少？",
        "几乎每年住院，时不时还要复查什么的，门诊能报吗？",
        "",
        "？？？",
    ],
)
def test_a_question_that_asks_one_thing_is_left_as_it_is(question: str) -> None:
    """Alternatives, what wants confirming, 几 and 哪 that ask nothing, and nothing at all part no question."""
    assert asks(question) == (question,)


def test_each_thing_asked_keeps_what_was_told_first() -> None:
    """Whoever asks twice told once whom it is about."""
    assert asks("我妈温州参保，要去上海住院。手机上在哪里办备案？出院时拿什么材料结算？") == (
        "我妈温州参保，要去上海住院，手机上在哪里办备案",
        "我妈温州参保，要去上海住院，出院时拿什么材料结算",
    )


def test_what_is_told_in_between_belongs_to_what_comes_after() -> None:
    """What follows the last ask belongs to that."""
    assert asks("社区配药有没有起付线？要是图近，去市里的药店买药报多少，她有慢性病") == (
        "社区配药有没有起付线",
        "要是图近，去市里的药店买药报多少，她有慢性病",
    )


def test_an_ask_takes_along_whom_and_what_care_an_earlier_one_named() -> None:
    """But not its hospital: each may name its own."""
    first, second = asks("退休职工在三级医院住院报多少？转到社区康复护理要带什么材料")
    assert first == "退休职工在三级医院住院报多少"
    assert second == "转到社区康复护理要带什么材料 职工 退休 住院"


def test_what_is_denied_or_of_somebody_else_is_not_taken_along() -> None:
    """还没退休 is not 退休, and a son is not insured as his father is."""
    assert asks("还没退休能领个人账户的钱吗？养老院护理费用报多少？")[1] == "养老院护理费用报多少"
    assert asks("我爸退休职工住院报多少？我儿子门诊看牙报销比例多少？")[1] == "我儿子门诊看牙报销比例多少"


def test_more_than_three_are_no_more_than_three() -> None:
    """The rest goes with the third."""
    found = asks("住院押金交多少？出院结算带什么？异地备案去哪儿办？转诊证明找谁开？")
    assert len(found) == 3
    assert found[2] == "异地备案去哪儿办，转诊证明找谁开 住院"


@pytest.mark.parametrize(
    ("question", "ask"),
    [
        ("我爹住完院回来了，票据一直搁着，出院多久之内要去报？", "出院多久之内要去报"),
        ("备案要带啥？医生让转院，去哪儿盖章？", "备案要带啥，去哪儿盖章"),
        ("绍兴 退休 住院报销比例", "绍兴 退休 住院报销比例"),
        ("听人说了，都不报", "都不报"),
        ("", ""),
    ],
)
def test_what_asks_stands_without_the_story(question: str, ask: str) -> None:
    """Where nothing has a word of asking, it is the last thing said."""
    assert asking(question) == ask


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("《甲》第九条说不报。到底报不报？", "到底报不报"),
        ("按《甲》第九条，报多少？我妈85岁。", "按《甲》第九条，报多少"),
        ("报多少？《甲》第三条列了哪些人？", "《甲》第三条列了哪些人"),
        ("绍兴 退休 住院报销比例", "绍兴 退休 住院报销比例"),
        ("听人说的。都不报！", "都不报"),
        ("", ""),
    ],
)
def test_the_sentence_that_asks_last(question: str, sentence: str) -> None:
    """Whole, with what stands before its question; the last thing said where nothing asks."""
    assert asked_last(question) == sentence
