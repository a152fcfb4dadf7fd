"""Words that exclude each other: 本地 or 异地, 提高 or 降低, 可以 or 必须, 投保人 or 被保险人.

Knows pairs and sets of general Chinese administrative, insurance and legal usage, and where a text names them. Whose
rule a text is (insured type, person, level of the hospital) is known to `qualifiers`; whether a claim may use a word
is the job of `binding`.
"""

from __future__ import annotations

import re

# dimension: word word | word word. The words of a side mean the same, the first names it; they are regular expressions.
# A longer word hides those in it.
_TABLE = """
account: 个人账户 个账 | 统筹 统筹基金 统筹账户 社会统筹
payer: 个人 本人 个人自付 自付 自费 | 单位 用人单位 企业 雇主
threshold: 起付 起付线 起付标准 门槛费 门槛 | 封顶 封顶线 支付限额 年度限额
change: 提高 增加 上升 上涨 上调 升高 增长 高于 高出 高(?=\\d) 更高 较高 偏高 高(?=[，。；、]|一些|些|$)
    提高{by} 增加{by} 上升{by} 上调{by} 提高{to} 增加{to} 上升{to} 上调{to} | 降低 减少 下降 下调 调低 低于
    更低 较低 偏低 低(?=[，。；、]|一些|些|\\d|$) 少于 降低{by} 减少{by} 下降{by} 下调{by} 降低{to} 减少{to}
    下降{to} 下调{to}
step: 提高{by} 增加{by} 上升{by} 上调{by} 降低{by} 减少{by} 下降{by} 下调{by}
    | 提高{to} 增加{to} 上升{to} 上调{to} 降低{to} 减少{to} 下降{to} 下调{to} 降{to} 升{to} 增至 减至
order: 之前 以前 前(?![往提来台后两三几面]) | 之后 以后 后(?![续果期])
only: 不限 不只 不仅 | 只能 仅限 只限 仅能
early: 早于 提早 | 晚于 迟于
border: 境内 国内 | 境外 国外
city: 市内 本市内 区内 | 市外 区外
share: 全部 全额 所有 全体 一律 任何 各地 | 部分 有些 某些 一些 个别 有的
settling: 直接结算 即时结算 联网结算 | 手工报销 零星报销 手工结算
length: 长期 永久 | 临时 短期
role: 参保地 | 就医地
near: 本地 | 异地 外地
drug: 甲类 | 乙类 | 丙类
tier: 一档 第一档 | 二档 第二档 | 三档 第三档 | 四档
class: 一类(?!是) 第一类 | 二类 第二类 | 三类 第三类
times: 首次 第一次 初次 头一次 头一回 第1次 | 第二次 第2次 再次 二次住院 | 第三次 第3次
transfer: 转入 | 转出
admission: 入院 | 出院
copy: 原件 | 复印件
provider: 医院 医疗机构 诊所 | 药店 药房 零售药店
designated: 定点 | 非定点
owner: 公立 公办 | 民营 私立 民办
sex: 男性 男职工 男方 男(?!女) | 女性 女职工 女方 女(?!儿)
grown: 成年 成人 | 未成年 少儿 儿童
kin: 配偶 丈夫 妻子 | 父母 | 子女 孩子
every: 每年 年度 按年 一年(?!以|半|后|内) 每人每年 全年 年累计 | 每月 按月 月度 月累计
    | 每日 按日 每天 逐日 | 每次 单次 | 每周 按周
break: 中断 断缴 间断 | 连续 连缴
fault: 故意 | 过失
cause: 意外 意外伤害 | 疾病
harm: 身故 死亡 去世 | 残疾 伤残 全残 高残
party: 投保人 您 | 被保险人 | 受益人 | 保险人 我们 保险公司 本公司
agent: 委托人 | 被委托人 受托人 代办人 代理人
severity: 轻症 轻度 轻微 | 中症 中度 | 重症 重度 严重 重大
contract: 主合同 主险 | 附加合同 附加险 附加保险 本附加
money: 保险费 保费 医保费 社保费 养老保险费 生育保险费 工伤保险费 失业保险费 | 保险金 医保金 社保金
    养老保险金 生育保险金 工伤保险金 | 现金价值 | 保险金额 保额
wait: 犹豫期 冷静期 | 等待期 观察期 | 宽限期
form: 书面 | 口头
state: 国务院 全国 | 省级 全省 省人民政府 省、自治区、直辖市
    自治区人民政府 直辖市人民政府 | 市级 全市 市人民政府 | 县级 全县 | 乡镇 乡级 街道
same: 相同 一样 一致 同样 同等 | 不同 不一样 不一致 差异 差别 有别 不一
need: 必须 应当 应该 须 应(?![用对]) 需要 需 务必 强制 | 可以 可(?![能行靠是]) 允许 准许 有权 能够 | 不得 不能
    不可以 不可 不准 不许 禁止 无法 不允许 不准许 无权 | 无需 无须 不需要 不需 不必 不用
sure: 可能 或许 也许 大概 不一定 未必 | 必须 一定(?![额比条程标范数的期金限时]) 必然 必定 肯定 必将 绝对
usual: 一般(?!诊|疾|险|人|保|贫) 通常 原则上 往往 大多 多数 | 一律 必须 统统 无一例外 任何情况
direction: 上限 | 下限
most: 最高 最多 至多 最长 最大 | 最低 最少 至少 最短 最小 起码
above: 以上 | 以下
until: 以内 之内 | 以外 之外
full: 满(?![足意]) 已满 期满 届满 | 不满(?![足意]) 未满 期不满 没满 未[缴交付]满 没[缴交付]满
exceed: 超过 超出 高于 多于 大于 | 低于 少于 小于 不超过 未超过
scope: 不超过 不高于 不多于 未超过 不大于 | 不低于 不少于 不小于 不短于
valid: 有效 生效 | 无效 失效 作废
start: 开始 起(?=施行|实施|执行|生效) | 停止 终止 终结 废止
insurance: 养老 养老保险 养老保险费 养老保险金 | 医疗保险 医保 医保费 医疗保障基金 | 生育保险 生育保险费 生育保险金
    | 失业保险 失业保险费 失业保险金 | 工伤保险 工伤保险费 | 补充医保 补充保险 | 大病保险 大病医保 | 医疗救助
    | 商业保险 商业健康险 商业健康保险 商业医疗险 商业医疗保险 商保 | 长期护理保险 长护险
day: 当日 当天 即日 | 次日 翌日 第二天
month: 当月 本月 | 次月 下月 下个月 | 上月 上个月
year: 当年 本年度 | 次年 下年度 第二年 | 上年度 上年 上一年
benefit: 生育津贴 | 生育医疗费 生育医疗费用
penalty: 有期徒刑 | 无期徒刑
whose: 原(?=参保|单位|统筹|就业|居住|投保) 转出地 | 新(?=参保|单位|统筹|就业|居住) 转入地
sum: 累计计算 累计 合并计算 连续计算 | 重新计算 重新起算 从头计算 清零
joining: 任一项 任何一项 任意一项 其中一项 任何一个 任一 | 所有条件 所有要求 全部条件 全部要求 下列所有
    以下所有 各项 同时符合 同时满足 同时具备
authority: 医保局 医保部门 医疗保障局 医疗保障部门 医疗保障行政部门 医疗保障主管部门 医保行政部门
    | 人力资源社会保障行政部门 人力资源社会保障部门 人力资源社会保障局 人力资源和社会保障部门 人力资源和社会保障局
    人力社保部门 人力社保局 劳动保障行政部门 劳动保障部门 社会保险行政部门 社保行政部门
    | 经办机构 经办部门 医保中心 社保中心 | 税务机关 税务部门 税务局 | 财政部门 财政局 | 审计机关 审计部门 审计局
    | 卫生健康部门 卫生健康行政部门 卫生健康主管部门 卫生行政部门 卫健委 卫生健康委 卫健部门
    | 市场监督管理部门 市场监管部门 市场监管局 工商行政管理部门 | 公安机关 公安部门 公安局 | 民政部门 民政局
    | 药品监督管理部门 药监部门 药监局 | 人民法院 法院 | 人民检察院 检察院 检察机关
base: 总费用 医疗总费用 费用总额 总医疗费 总医疗费用 | 合规医疗费 合规医疗费用 合规费用 政策范围内 目录内
joint: 并处 | 单处
"""
# By how much, and to what.
_STEPS = {"{by}": r"(?=了?约?\d)", "{to}": "[到至为]"}
# Longer words in which one of the table stands by chance.
_NEUTRAL = """
目前 当前 提前 前提 前款 此前 事前 前项 前述 前后 先后 首先 优先 事先 预先 最后 然后 后续 后果 随后 今后 今后
事后 高血压 高龄 高等 低保 最低生活保障 子女 男女 儿女 能力 功能 可能性 个人账户 个人所得税 企业年金 单位时间 计费单位
即可 应用 相应 适应 供应 反应 对应 响应 适应症 必需 需求 急需 所需 不应 不得已 不得不
可行 可靠 许可 认可 不可抗力 宁可 重大疾病 严重程度 再生 后方 先天 先天性 意外险 一般医疗 住院前后
有效身份证件 有效证件 一致性 全国统一 本省 再保险 再由 连续性 保险人数 应纳 应缴 应交 应付 应予 应收
"""


class _Words:
    """The table, looked up by a word's first character."""

    def __init__(self) -> None:
        means: dict[str, list[tuple[str, str]]] = {}
        by_first: dict[str, list[tuple[str, list[tuple[str, str]]]]] = {}
        for line in _TABLE.strip().replace("\n    ", " ").split("\n"):
            dimension, _, values = line.partition(": ")
            for words in values.split(" | "):
                for word in _spelled(words).split():
                    means.setdefault(word, []).append((dimension, words.split()[0]))
        for word in _NEUTRAL.split():
            means.setdefault(word, [])
        for word, meanings in means.items():
            by_first.setdefault(word[0], []).append((word, meanings))
        self._patterns = {
            first: [
                (re.compile(word), meanings)
                for word, meanings in sorted(rows, key=lambda r: (-len(r[0].split("(")[0]), -len(r[0])))
            ]
            for first, rows in by_first.items()
        }

    def find(self, text: str) -> list[tuple[str, str, int, int]]:
        """See `located`."""
        found = []
        i = 0
        while i < len(text):
            end = i + 1
            for pattern, meanings in self._patterns.get(text[i], ()):
                if match := pattern.match(text, i):
                    end = match.end()
                    found += [(dimension, value, i, end) for dimension, value in meanings]
                    break
            i = end
        return found


def _spelled(words: str) -> str:
    for name, pattern in _STEPS.items():
        words = words.replace(name, pattern)
    return words


_WORDS = _Words()


def located(text: str) -> list[tuple[str, str, int, int]]:
    """Every word of the table in `text`: dimension, value, where it begins, where it ends."""
    return _WORDS.find(text)
