"""Chinese text to search terms.

Knows segmentation and which words carry no topic. Ranking by terms is the job of `retrieve.lexical`.

`rjieba` (Rust port of jieba with prebuilt wheels) segments; nothing of it is kept here.
"""

from __future__ import annotations

import rjieba

from rag.text import fold

# Function and question words: they say how something is asked, not what about.
_STOP = frozenset(
    (
        "的 了 吗 呢 是 在 我 你 他 她 有 和 与 要 能 会 就 都 也 还 请问 一下 怎么 什么 多少 哪些 如何 可以 "
        "吧 啊 咋 啥 这 那 到 去 来 用 被 把 给 对 从 不 没 没有 个 人 想 得 需要 几 怎样 呀 么 嘛 哪 哪里 后 "
        "弄 搞 怎么弄 怎么搞 时 时候 里 上 下 大概 一般 现在 知道 问 办 做 行 说 如果 还是 或者 以及 为 等 我们 你们 "
        "自己"
    ).split()
)


def terms(text: str) -> list[str]:
    """Terms of a text in order, with repeats: words, and the shorter words inside long ones."""
    return [word for word in rjieba.cut_for_search(fold(text)) if any(c.isalnum() for c in word)]


def topic_terms(text: str) -> list[str]:
    """The distinct terms of a question that say what it is about, in order."""
    return list(dict.fromkeys(word for word in terms(text) if word not in _STOP))


def topic_words(text: str) -> list[str]:
    """The words of a text that say what it is about, in order, each as a whole: 多长时间 is one."""
    return [word for word in rjieba.cut(fold(text)) if word not in _STOP and any(c.isalnum() for c in word)]
