"""Three invented documents to ask about, an index over them, and what a scripted model may say of them.

Knows the texts that tests of the pipeline and of the web ask about. The rules in them are made up.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.answer.composing import ComposedClaim
from rag.answer.rendering import AnswerInMaking, Frame
from rag.domain import Answer
from rag.ports import Catalogue
from rag.settings import Settings
from rag.wiring import build_indexer
from tests.fakes.openai_server import Reply, chat_reply

QUESTION = "宁波职工医保的陪护床费能报销多少？"
FACT = "宁波职工医保参保人员住院期间的陪护床费，由统筹基金按70%的比例报销，每日最高40元。"
OFF_TOPIC = "怎么给自行车轮胎补气？"

_BEDS = f"""---
id: ningbo-beds
title: 宁波陪护床费怎么报
publisher: 测试日报
authority: third-party
published: 2023-05-04
places: [宁波]
---

# 宁波陪护床费怎么报

## 报销比例

{FACT}

## 不予报销的项目

陪护人员的餐费和停车费不在支付范围内。

## 申请材料

申请陪护床费报销需要以下材料：

- 住院小结；
- 陪护床费发票；
- 本人银行卡复印件。
"""
_GLASSES = """---
id: wuxi-glasses
title: 无锡儿童配镜补助
publisher: 测试医保局
authority: official
published: 2026-03-01
places: [无锡]
---

# 无锡儿童配镜补助

| 年龄 | 每副补助 | 每年次数 |
| --- | --- | --- |
| 6周岁以下 | 300元 | 2次 |
| 6至14周岁 | 450元 | 1次 |
"""
_RECORDS = """---
id: records
title: 备案的有效期
authority: third-party
---

# 备案的有效期

长期异地居住人员的备案自办理之日起12个月内有效，期满后可以续办。
"""


def write_documents(folder: Path) -> Path:
    """The documents as files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("beds", _BEDS), ("glasses", _GLASSES), ("records", _RECORDS)):
        (folder / f"{name}.md").write_text(text, "utf-8")
    return folder


def build_index(folder: Path, settings: Settings) -> Settings:
    """The documents, written below `folder` and indexed; the settings again, for a fixture to return."""
    build_indexer(settings, lambda _stage, _done, _total: None).ingest([write_documents(folder / "documents")])
    return settings


def draft(*claims: tuple[str, list[int]]) -> str:
    """What a model writes: claims with the numbers of their evidence."""
    return json.dumps({"claims": [{"text": text, "evidence": numbers} for text, numbers in claims]}, ensure_ascii=False)


def says(*claims: tuple[str, list[int]]) -> Reply:
    """A chat completion with such a draft."""
    return chat_reply(draft(*claims))


def evidence_number(request: dict[str, Any], words: str) -> int:
    """The number under which a model was shown the evidence that holds `words`."""
    shown = request["messages"][-1]["content"].splitlines()
    line = next(line for line in shown if line.startswith("[") and words in line)
    return int(line[1 : line.index("]")])


def render_answer(composed: Sequence[ComposedClaim], catalogue: Catalogue, frame: Frame) -> Answer:
    """The answer with these claims."""
    answer = AnswerInMaking(catalogue)
    for claim in composed:
        answer.add(claim)
    return answer.finish(frame)
