"""The part that each place plays in a question: where one is insured, where one is treated, what one has heard of.

Knows the words around a place's name. A place that is only heard of (宁波的同事说…) or that only treats governs nothing
where another one insures; what governs which aspect beyond that is told by the cited source.
"""

from __future__ import annotations

import re

from rag import places
from rag.domain import Value

_CLAUSE = re.compile(r"[，。；！？,;!?\n]")
_FAMILY = (
    r"(?:爸|妈|爹|娘|老公|老婆|爱人|妻子|丈夫|孩子|娃|儿子|女儿|宝宝|爷爷|奶奶|外公|外婆|姥姥|公公|婆婆|岳父|岳母"
    r"|父亲|母亲|父母|老人)"
)
_SELF = re.compile(rf"(?:我|咱|俺|本人|自己)(?!家?的?{_FAMILY})")
_RELATIVE = re.compile(_FAMILY)
_OTHERS = (
    r"(?:同事|朋友|邻居|亲戚|闺蜜|同学|老乡|网友|室友|战友|群里|人家|别人|表[哥姐弟妹]|堂[哥姐弟妹]"
    r"|姑姑|姑妈|舅舅|姨|叔叔?|伯伯?)"
)
_HEARD_BEFORE = re.compile(r"(?:听说|据说|都说|网上说|看到|看见|不像|人家|他们|她们)[^，。；]{0,6}$")
_HEARD_AFTER = re.compile(
    rf"^(?:市|省|那边|那里|这边|他们|她们)?的?{_OTHERS}|^(?:市|省)?(?:那边|那里|那儿|人)?(?:是|都)?(?:说|讲)"
)
_INSURED_AFTER = re.compile(
    r"^(?:市|省|区|县|本地|城镇|城乡|户口)?的?(?:城镇|城乡|企业|灵活就业|在职|退休|职工|居民|学生){0,3}的?(?:基本)?"
    r"(?:医疗保险|医保|社保|参保|新农合|合作医疗|农合|生育险|生育保险|保险|户口|公积金)"
    r"|^(?:市|省|区|县)?(?:给我|给他|给她|给)?(?:交|缴|上|买)的?(?:城镇|城乡|职工|居民)*(?:医保|社保|保险|生育)"
    r"|^(?:市|省|区|县)?(?:的)?(?:职工|居民|城乡居民|退休(?:职工|人员)?|在职(?:职工|人员)?|灵活就业(?:人员)?)"
)
# 在羊城上班交的医保: where one works or studies, behind the words for it one is insured.
_PAID_AFTER = re.compile(r"^[^，。；]{0,12}?[交缴参上买]的?(?:职工|居民)?(?:医保|社保|保险)")
# 居民医保这些年都是在哈尔滨交的: what lies between the insurance and its place is no other thing.
_PAYS_BEFORE = re.compile(r"(?:医保|社保|保险|农合)[^，。；和跟与]{1,8}在$")
_PAYS_AFTER = re.compile(r"^(?:市|省|区|县|那边|这边|那里|这里)?[交缴参上买](?:的|着|了|$|[，。；])")
_WORKS_AFTER = re.compile(
    r"^(?:市|省|区|县)?的?[^，。；]{0,6}?(?:上班|工作|打工|任职|就业|公司名下|念书|读书|念大学|上大学|念高中|上学)"
)
_HOMETOWN_BEFORE = re.compile(r"(?:老家|籍贯|祖籍|娘家|婆家)(?:是|在)?$")
# A household's place insures only where no place is named as that of the insurance.
_HOUSEHOLD = re.compile(r"户口(?:是|在|还在|落在|一直在)?$")
_INSURED_BEFORE = re.compile(
    r"(?:参保地|参保|医保|社保|保险|生育险|关系|户口|缴费|交费)"
    r"(?:是|在|却|倒|都|其实|现在|交在|缴在|关系在|还在|一直是|一直在|落在|办在|交|缴|老家)*$|参保(?:地)?[:：]?$"
)
# 江苏的医保在绍兴能用吗: behind another place, it is that one's insurance.
_OF_THE_PLACE_BEFORE = re.compile(
    r"^(?:市|省)?的?(?:职工|居民)?(?:医保|社保|保险|参保)(?:卡|码|人员?|职工|居民)?(?:是|还)?在$"
)
_CARE_BEFORE = re.compile(r"(?:在|到|去|来|跑|跑到|跑去|回|回到|飞|转到|转去|转院到|转院去)(?:了)?$")
_CARE_AFTER = re.compile(
    r"^(?:市|省|区|县)?(?:的)?[^，。？,?]{0,8}?(?:看病|就医|就诊|住院|住(?:了|过)(?:次|回)?院|看门诊|看专家|找专家|治|医院|手术|开刀|复查"
    r"|化疗|体检|买药|配药|生孩子|生娃|生宝宝|分娩|产检|生的|[剖顺]产|看[的个])"
)
_ASKED = re.compile(r"[？?]|吗|呢|多少|几|怎么|如何|哪|什么|啥|能不能|是不是|要不要|可不可以|咋")
_COMPARES = re.compile(
    r"比一?[比下]|比较|相比|对比|哪个(?:高|低|多|划算)|谁(?:高|低|多)|分别|两边|两地|两个地方|各是|各报|各多少"
    r"|区别|差别|不同|有差|一个办法|(?:走|算|按|照|是).{0,12}还是"
)
_OF_A_PLACE = re.compile(
    r"哪家|哪些(?:医院|药店|机构|城市|地方)|多少家|几家|哪里有|地址|窗口在|电话|区号|定点(?:医院|药店|机构)|开通了"
)

# 人在芜湖，医保也在那边交: the place named last insures.
_INSURED_THERE = re.compile(
    r"(?:医保|社保|保险|参保|保).{0,4}在?(?:那边|那里|那儿|当地|这边|这里|这儿).{0,2}(?:交|缴|参|上|买|办)?"
    r"|(?:在|是)(?:那边|那里|那儿|当地|这边|这里|这儿)(?:参的?保|[交缴上买]的?(?:医保|社保|保险))"
)
_MOVED_TO = re.compile(r"(?:调到|跳槽到|换到|搬到|转到|转去|迁到|嫁到|来到)了?$")
# 洛阳转郑州 is a patient's way where care is spoken of, and not the insurance's.
_REFERRED_TO = re.compile(r"转(?:诊|院)?(?:到|去|往|至|来)?了?$")
_REFERRED_FROM = re.compile(r"^(?:市|省|区|县)?的?(?:[市县]?医院)?转(?!移)")
_OF_CARE = re.compile(r"转院|转诊|住[了进过]?院|住进|医院|看(?:病|医生|专家|门诊|急诊)|手术|开刀|治疗?|抢救|备[案按]")
_INSURANCE_MOVES = re.compile(
    r"转移|接续|转[入出]|关系|(?:医保|社保|参保|户口|保险|账户|余额).{0,12}转|转.{0,12}(?:医保|社保|保险|年限)"
)
_MOVED_FROM = re.compile(r"(?:从|由|原先在|原来在|以前在|之前在|离开)$")

# What each sign is worth; a place that treats, or is only heard of, gives way to one that insures.
_WORTH = {
    "self": 3,
    "family": 2,
    "insures": 2,
    "told": 2,
    "works": 1,
    "hometown": -2,
    "household": 0,
    "asked": 2,
    "moved_to": 3,
    "moved_from": -2,
    "treats": -2,
    "referred": 0,
    "heard": -4,
}
_ONLY_ELSEWHERE = frozenset({"treats", "heard"})
_GONE = frozenset({"insures", "self", "family"})
_SAID_TO_INSURE = frozenset({"insures", "told"})
_OF_WORK = frozenset({"works", "self", "family"})
_FACILITY = 2


class PlaceRole(Value):
    """One place of a question with the signs of its part in it."""

    name: str
    signs: frozenset[str]

    @property
    def weight(self) -> int:
        """How much its rules count in the question."""
        signs = self.signs - _ONLY_ELSEWHERE if self.signs & _GONE else self.signs
        return sum(_WORTH[sign] for sign in signs)

    @property
    def treats(self) -> bool:
        """Whether one is treated there and not insured."""
        return "treats" in self.signs and "insures" not in self.signs

    @property
    def own(self) -> bool:
        """Whether one is insured or at home there."""
        return bool(self.signs & _GONE)

    @property
    def insures(self) -> bool:
        """Whether one is insured there."""
        return "insures" in self.signs


def roles(question: str) -> tuple[PlaceRole, ...]:
    """The places of a question, in order of appearance, each once with all that is said of it.

    Of a place named inside another (安徽安庆) the inner one counts.
    """
    found: dict[str, frozenset[str]] = {}
    for clause in filter(None, _CLAUSE.split(question)):
        asked = frozenset({"asked"} if _ASKED.search(clause) else ())
        if found and _INSURED_THERE.search(clause) and not places.located(clause):
            last = next(reversed(found))
            found = {name: signs - _SAID_TO_INSURE for name, signs in found.items()}
            found[last] |= _SAID_TO_INSURE
        for name, before, after in _mentions(clause):
            found[name] = found.get(name, frozenset()) | asked | _signs(before, after, clause, question)
    if any("insures" in signs and "heard" not in signs for signs in found.values()):
        found = {n: signs - _OF_WORK if _works_alone(signs) else signs for n, signs in found.items()}
    named = any("insures" in signs and "household" not in signs for signs in found.values())
    if named:
        found = {n: signs - _GONE - _SAID_TO_INSURE if "household" in signs else signs for n, signs in found.items()}
    return tuple(PlaceRole(name, signs) for name, signs in found.items())


def governing(question: str) -> tuple[str, ...]:
    """The places whose rules the question is about: those of most weight, or all that are compared."""
    told = roles(question)
    if not told:
        return ()
    if _COMPARES.search(question):
        return tuple(role.name for role in told if "heard" not in role.signs or role.signs & _GONE)
    of_a_place = bool(_OF_A_PLACE.search(question))
    if not of_a_place and any(role.insures for role in told):
        told = tuple(role for role in told if not role.treats)
    weights = [role.weight + (_FACILITY if role.treats and of_a_place else 0) for role in told]
    return tuple(role.name for role, weight in zip(told, weights, strict=True) if weight == max(weights))


def _mentions(clause: str) -> list[tuple[str, str, str]]:
    """The places of a clause with the words before each and behind it."""
    located = places.located(clause)
    mentions, begin, done = [], None, 0
    for n, (name, start, end) in enumerate(located):
        begin = start if begin is None else begin
        following = located[n + 1] if n + 1 < len(located) else None
        if following and following[1] == end and name in places.within(following[0]):
            continue
        mentions.append((name, clause[done:begin], clause[end : following[1] if following else len(clause)]))
        begin, done = None, end
    return mentions


def _works_alone(signs: frozenset[str]) -> bool:
    """Whether one only works there: 太原医保，跟老公在北京打工."""
    return "works" in signs and "insures" not in signs


def _signs(before: str, after: str, clause: str, question: str) -> frozenset[str]:
    refers = _OF_CARE.search(question) and not _INSURANCE_MOVES.search(question)
    treats = bool(
        (_CARE_BEFORE.search(before) and _CARE_AFTER.match(after)) or (refers and _REFERRED_TO.search(before))
    )
    insured_at = bool(_PAYS_BEFORE.search(before) and _PAYS_AFTER.match(after)) or (
        bool(_INSURED_BEFORE.search(before)) and (clause.startswith(before) or not _OF_THE_PLACE_BEFORE.match(before))
    )
    told = {
        "self": _SELF.search(before),
        "family": _RELATIVE.search(before),
        "insures": not treats and (_INSURED_AFTER.match(after) or _PAID_AFTER.match(after) or insured_at),
        "told": not treats and insured_at,
        "works": not treats and _WORKS_AFTER.match(after),
        "hometown": _HOMETOWN_BEFORE.search(before),
        "household": _HOUSEHOLD.search(before),
        "moved_to": not treats and _MOVED_TO.search(before),
        "moved_from": _MOVED_FROM.search(before) and not (refers and _REFERRED_FROM.match(after)),
        "treats": treats,
        "referred": refers and _REFERRED_TO.search(before),
        "heard": _HEARD_AFTER.match(after) or _HEARD_BEFORE.search(before),
    }
    return frozenset(sign for sign, is_there in told.items() if is_there)
