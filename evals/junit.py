"""A run as JUnit XML, so that a CI system lists failed examples and broken rules as it lists failed tests.

Knows that format. What makes an example a failure is the job of `cards`, what breaks a rule that of `gate`.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from evals.cards import failures
from evals.domain import Sample, SampleScores
from evals.gate import GateResult
from evals.report import ReportData

# Written by hand: the library would name the encoding of the machine.
_PROLOG = '<?xml version="1.0" encoding="UTF-8"?>'
# What XML 1.0 can't hold, not even escaped.
_UNHEARD_OF = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(data: ReportData) -> str:
    """One test case an example, and one a rule of the gate."""
    suites = ET.Element("testsuites")
    _examples(ET.SubElement(suites, "testsuite", name="examples"), data)
    if data.gate is not None:
        _rules(ET.SubElement(suites, "testsuite", name="gate"), data.gate)
    for suite in suites:
        _count(suite)
    ET.indent(suites)
    return f"{_PROLOG}\n{ET.tostring(suites, encoding='unicode')}\n"


def _examples(suite: ET.Element, data: ReportData) -> None:
    for sample, scores in zip(data.samples, data.scores, strict=True):
        example, outcome = sample.example, sample.outcome
        seconds = outcome.timings_ms.total / 1000 if outcome else 0.0
        case = _case(suite, f"examples.{example.category}", f"{example.id} {example.question}", f"{seconds:.3f}")
        _verdict(case, sample, scores)


def _verdict(case: ET.Element, sample: Sample, scores: SampleScores) -> None:
    error = sample.observation.error
    if error is not None:
        ET.SubElement(case, "error", message=_heard_of(error))
        return
    found = failures(scores, None)
    if found:
        failure = ET.SubElement(case, "failure", message="; ".join(found))
        failure.text = _heard_of(sample.claimed or (sample.outcome.text if sample.outcome else ""))


def _rules(suite: ET.Element, gate: GateResult) -> None:
    for rule in gate.rules:
        case = _case(suite, "gate", rule, "0")
        broken = [str(reason) for reason in gate.reasons if reason.rule == rule]
        if broken:
            ET.SubElement(case, "failure", message=_heard_of("; ".join(broken)))


def _case(suite: ET.Element, group: str, name: str, seconds: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=group, name=_heard_of(name), time=seconds)


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))


def _heard_of(words: str) -> str:
    return _UNHEARD_OF.sub("\ufffd", words)
