"""One wording for what Chinese administrative prose says in several ways, so that texts can be compared.

Knows synonyms and turns of phrase of official and spoken Chinese; none of them is a term of one corpus. What the texts
mean, and whether one proves the other, is the job of the other modules here.
"""

from __future__ import annotations

import functools
import re
import unicodedata

import rjieba

from rag.text import same_words

# The first word stands for all of its line.
_SYNONYMS = """
报销 给付 支付 补偿 赔付 理赔 赔偿 补助 核报 报账 付 赔 付款
参保人 参保人员 参保者 参保患者 参保对象 参加人员
就医 就诊 看病 求医 诊疗 治疗 医治 瞧病
医院 医疗机构 医疗卫生机构 卫生机构
药店 零售药店 药房
材料 资料 文件 凭证材料 手续材料
提交 递交 上交 呈交 交上 交齐 上传 报送 提供
携带 带上 带着 带好 拿着 拿上 持有 凭借 出示 持 凭 带
买药 购药 购买药品 买药品 配药
费用 花费 花销 开支 支出 开销
资金 款项 钱款
规定 法规 政策 办法
比例 比率 占比
缴费 缴纳 交费 交纳 缴付 缴存 续缴 连缴 缴 交
纳入 计入 算进 算入 列入 记入 归入
垫付 先付 先行支付 垫钱 垫资
自付 自费 自己承担 个人承担 个人负担 自己负担 自行承担 自理 自己付 自己出 自掏腰包 由个人付
家属 亲属 家人 遗属
网上 线上 在线 网络 网站 互联网
手机 移动终端 移动端
查询 查 查阅 查看 查到 查找 了解 看到
享受 享有 获得 得到 领取 拿到 取得 享用 申领 领
期限 时限 限期 期间 时间
备案 办理备案 备案登记 登记备案 备案手续 办好备案 备好案 备了案 备过案 完成备案 补备案 补办备案
办理 办好 申办 操作 进行 办
立即 马上 当场 即刻 即时 及时
原因 缘由 理由
方式 方法 途径 渠道 办法
选择 挑选 选定 选对 选好 挑 选
变更 更改 修改 改动 变动 改
使用 运用 利用 应用 用于 用来 用
包括 包含 涵盖 含有 涉及 囊括 有
比如 例如 譬如 举例 如
去世 死亡 身亡 身故
继承人 继承者
他人 别人 旁人
保险人 保险公司 本公司 承保人
投保人 您
取出 提取 支取 取现 提现
退还 返还 退回 退
开始 起算 开头
完成 办完 办结 完毕 结束 做完
需要 须要 必要
常住 居住 定居 生活 长住 居留
工作 上班 就业 任职
外出 出门 离开
单位 用人单位 企业 雇主 公司
员工 职员 雇员 工人
患者 病人 病患
生孩子 生育 分娩 生产 生娃
申请 报名 申报
审核 审查 核实 审批 核验 核查 核对 查验 确认 认定
收取 收
医保部门 医疗保障部门 医保局 医疗保障局 医疗保障主管部门 医保主管部门 医疗保障行政部门
经办机构 经办部门 医保中心 社保中心
银行卡 银行账户 账户
处罚 惩处 罚款 罚金 处以 判处
解除 终止 撤销 取消
合同 合约 保单 保险合同 保险单
保费 保险费
通知 告知 告诉 说明 提醒
登录 登陆
情况 情形 状况
不同 不一样 差异 差别 区别 不一 有别 各异
相同 一样 一致 同样 同等
降低 减少 下降 下调 变低 调低 减低
提高 增加 上升 上调 升高 调高 上涨
暂停 中止 停止
地方 地区 地域 区域 各地
本地 当地
依据 根据 按照 依照 遵照 参照 照 按 依
目前 现在 现阶段 当前 眼下
超过 超出 高出 多出 多于 大于 高于
身份证 身份证件
拨打 致电 打电话
电话 热线 号码
共同 一起 一同 一块儿 联合
参加 加入 投保 参保 参与
能够 可以 可 能 允许 准许 得以 许可
应当 应该 应 必须 须 需 务必 得
第三人 第三方
期满 届满 到期
首次 第一次 初次 头一次 头一回
确诊 诊断 查出
责令 命令 要求
足额 全额
加收 收取
影响 波及
原则上 一般 通常 往往 大多
可能 或许 也许 有可能 大概
左右 大约 约 大致 上下
适用 执行 实行 施行 实施
额度 金额 数额 限额
"""

# Turns of phrase that hide a negation, a list or a word; replaced before anything is read from the text.
_TURNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=[\u4e00-\u9fff，。；：、）)])[ \t]+(?=\d)|(?<=[\d%])[ \t]+(?=[\u4e00-\u9fff%])"), ""),
    (
        re.compile(r"(\d+|[一二两三四五六七八九十百]+)(个?[年月日天]|周?岁)([以之]?[内上下前后]?)[(（]含第?\1\2[)）]"),
        r"\1\2\3",
    ),
    # The number of a heading or of an item counts nothing.
    (
        re.compile(
            r"(?m)^\s*\d{1,2}(?:\.\d{1,2})*\s*(?=[\u4e00-\u9fff])(?![年月日周天个号时分万亿千百元岁种类项次份家所名人位级档倍成条款点至到])"
        ),
        "",
    ),
    (re.compile(r"(?m)^\s*(?:[-·•]\s*)?(?:[(（][\d一二三四五六七八九十]{1,3}[)）]|\d{1,2}[.、](?!\d))\s*"), ""),
    (
        re.compile(
            r"^(?:不|能|可以|是|会|要|对|有|没有|行|得|需要?|可|用|必)[的行用了以能可要会是必须]{0,3}[，。,.；;]"
        ),
        "",
    ),
    (re.compile(r"(?<!可)([\u4e00-\u9fff])[不没]\1"), r"\1"),  # 能不能, 支不支持
    (re.compile(r"说不定|没准儿?|保不齐"), "可能"),
    (re.compile(r"(?<!来)不及(?![时格早待])"), "低于"),
    (re.compile(r"用不着"), "不用"),
    (re.compile(r"国外"), "境外"),
    # Two denials of one thing are none: 并不等于报不了, 不是不能报, 并非就领不到.
    (
        re.compile(
            r"(?:并?不(?:等于|意味着|代表|表示|是)|并非)(?:就|说)?(?:一定)?(?:不(?:能|可以?|许|给|予|得)|([\u4e00-\u9fff]{1,2})不[了到](?!解))"
        ),
        r"可以\1",
    ),
    (re.compile(r"(?:并?不是|并非|不必|不用)非([^，。；]{1,8}?)不可"), r"可以\1"),
    (re.compile(r"(?:并?不是|并非|不必|不用|不一定|未必)(?:非得?|一定)要?([去到在用靠跑走找])"), r"可以不只\1"),
    (re.compile(r"(?<![除莫是])非([^，。；]{1,8}?)不可(?![抗以])"), r"必须\1"),
    (re.compile(r"(?:没有?|未)([^，。；前]{1,16}?)(?:之前|以前)[，,]?"), r"未\1的，"),
    (
        re.compile(r"(?:并不是|并非|不是|并不)(?:所有|全部|每个|任何|各地|[到处]处|哪里)的?([^，。；]{0,8}?)[都均也]"),
        r"部分\1不",
    ),
    (re.compile(r"除了?([^，。；]{1,24}?)(?:之|以)?外(?=[，,](?!还|也|另|仍|应|须|需|可|并|得))"), r"\1除外"),
    (re.compile(r"如?(?:没有|无)(?:另外|另行|其他|特别|相反)的?([规约])定(?:的话|时|的)?"), r"另有\1定的从其\1定"),
    (re.compile(r"(?<=[\u4e00-\u9fff])(?<![条章节款项]) (?=[\u4e00-\u9fff])"), ""),  # where a line was broken in print
    (re.compile(r"除非(?:合同|法律|国家)?[另别]有([规约])定"), r"另有\1定的从其\1定"),
    (re.compile(r"[另别]有([规约])定的?除外"), r"另有\1定的从其\1定"),
    (re.compile(r"(?<![别勿])忘(?:记|了)?(?=带|携带)"), "没"),
    (re.compile(r"不[能得会]比([^，。；]{2,24}?)[还更]?(?:要|来得)?(?:多|高|长|大)(?![于过出])"), r"不超过\1"),
    (re.compile(r"不[能会]再(?:多|高|长|大)(?![于过出])了?"), "封顶"),
    (re.compile(r"(?:并非|并不是|不是|并不|不)(?:仅仅|仅|只)(?:能|限|在|是|于)*|(?:并)?不限(?:于|定|在)*"), "不限"),
    (re.compile(r"不受([^，。；]{1,12}?)影响"), r"\1不影响"),
    (re.compile(r"(?<=[能会可也就都还的了着定必均全])([\u4e00-\u9fff])不了(?!解)"), r"不能\1"),
    (re.compile(r"(?:少|缺|离)不(?:了|开)|不可(?:缺少|或缺)|必不可少"), "必需"),
    (re.compile(r"([\u4e00-\u9fff]{1,2})不了(?!解)"), r"不能\1"),
    (re.compile(r"就(?:可以|行|够)了?(?=[，。；,;]|$)"), "即可"),  # it suffices, which is no permission
    (re.compile(r"(享受|得|拿|领|查|买|看|找)不到"), r"不能\1"),
    (re.compile(r"[够算]不上"), "不符合"),
    # Two denials of one verb are none: 不是不报, 不会不超过, 不享受不了.
    (re.compile(r"不不能|(?:并?不是|并非)不(?!是)|(?:不会|没有?)不(?=超过|足)"), ""),
    (re.compile(r"范围[之以]?外"), "不在范围内"),
    (
        re.compile(r"(第?)([一二三四1-4])(?=[、和或及与](?:第?[一二三四1-4][、和或及与])?第?[一二三四1-4]([级类档]))"),
        r"\1\2\3",
    ),
    (
        re.compile(r"(?:个人|自己|本人)(?:自行|自己|要|需|只|先)?(?:负担|承担|支付|掏|(?:付|出)(?!院|生|具|示))"),
        "个人自付",
    ),
    (re.compile(r"异地就医(?:登记)?备案(?:登记)?(?:手续)?"), "异地备案"),
    (re.compile(r"登记备案|备案登记|备案手续"), "备案"),
    (re.compile(r"(?<![上中大重填申预呈举瞒谎通汇情])报(?![销名告到案纸道酬送考批废价备关警单失账复表出])"), "报销"),
    (re.compile(r"门\(急\)诊"), "门急诊"),
    (re.compile(r"人社(?=[局厅部])"), "人力资源社会保障"),
)


_HALF = 2


def plain(text: str) -> str:
    """`text` in NFKC, with one name for each thing that has several and without turns that hide what is meant."""
    text = same_words(unicodedata.normalize("NFKC", text))
    for pattern, turned in _TURNS:
        text = pattern.sub(turned, text)
    return text


@functools.lru_cache(maxsize=2048)
def words(text: str) -> list[tuple[str, int, int]]:
    """The words of a plain text, each as the first of its synonyms, with the place where it begins and its length."""
    found, start = [], 0
    for word in rjieba.cut(text):
        for part in _parts(word):
            found.append((_CHOSEN.get(part, part), start, len(part)))
            start += len(part)
    return found


def _parts(word: str) -> tuple[str, ...]:
    """A verb and its object, or 给, apart: 解除合同 stands beside 解除, and 退还给 beside 退还."""
    head, rest = word[:_HALF], word[_HALF:]
    known = rest == "给" or (len(rest) == _HALF and {head, rest} <= _CHOSEN.keys())
    return (head, rest) if known else (word,)


@functools.lru_cache(maxsize=8192)
def word_class(word: str) -> str:
    """The first letter of a word's class in the dictionary: n for nouns, v for verbs."""
    return str(rjieba.tag(word)[-1][1])[:1]


def _table() -> dict[str, str]:
    chosen: dict[str, str] = {}
    for line in _SYNONYMS.split("\n"):
        for word in line.split():
            chosen.setdefault(word, line.split()[0])
    return chosen


_CHOSEN = _table()
