"""Is a fit any good? Findings with thresholds, and one verdict in words.

Every finding compares one number with a threshold below which it is good; a second threshold separates a warning from
a bad fit. The rules that make findings are in `latax.evaluate.rules`.
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from latax.evaluate.stats import format_number

#: From the worst to the best; `unknown` where there were too few rows to tell.
Verdict = Literal["bad", "warning", "unknown", "good"]

_MARKS = {"good": "ok", "unknown": "CANNOT TELL", "warning": "WARNING", "bad": "BAD"}


@dataclass(frozen=True)
class Finding:
    """One number about a fit, the threshold up to which it is good, the verdict, and what to do about it.

    `advice` says what the number means, and the cure unless the verdict is good.
    """

    name: str
    value: float
    threshold: float
    verdict: Verdict
    advice: str

    def __str__(self) -> str:
        numbers = f"{format_number(self.value)} (good up to {format_number(self.threshold)})"
        return f"[{_MARKS[self.verdict]}] {self.name}: {numbers}. {self.advice}"


@dataclass(frozen=True)
class Diagnosis:
    """All findings about a fit, in the order in which they should be read."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict among the findings, and good if there is none."""
        return self.worst_first()[0].verdict if self.findings else "good"

    def summary(self) -> str:
        """The overall verdict as a sentence or two, naming what is wrong."""
        if not self.findings:
            return "Nothing was checked."
        bad, warned, unknown = self._names("bad"), self._names("warning"), self._names("unknown")
        checks = f"{len(self.findings)} check{'s' if len(self.findings) > 1 else ''}"
        untold = f" Too few rows to tell: {', '.join(unknown)}." if unknown else ""
        if bad:
            also = f" Look also at: {', '.join(warned)}." if warned else ""
            return f"This fit is not good enough to rely on: {', '.join(bad)}.{also}{untold}"
        if warned:
            return f"Usable with care. Look at: {', '.join(warned)}.{untold} The rest of {checks} passed."
        if unknown:
            return f"Nothing speaks against this fit, but not every check could be made.{untold}"
        return f"A good fit: {checks} passed."

    def worst_first(self) -> list[Finding]:
        """The findings with bad ones first, then warnings, then what cannot be told, otherwise in their own order."""
        return sorted(self.findings, key=lambda finding: _order(finding.verdict))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; numbers that are not finite become None."""
        findings = [asdict(finding) for finding in self.findings]
        for finding in findings:
            for field in ("value", "threshold"):
                finding[field] = finding[field] if math.isfinite(finding[field]) else None
        return {"verdict": self.verdict, "summary": self.summary(), "findings": findings}

    def __str__(self) -> str:
        return "\n".join([self.summary(), *(f"  {finding}" for finding in self.worst_first())])

    def _names(self, verdict: Verdict) -> list[str]:
        return [finding.name for finding in self.findings if finding.verdict == verdict]


def cannot_tell(finding: Finding, rows: int) -> Finding:
    """The finding without its verdict, because there are only so many held-out rows."""
    advice = (
        f"{rows} held-out row{'s are' if rows != 1 else ' is'} too few to tell. Hold out more, or judge by more data."
    )
    return replace(finding, verdict="unknown", advice=advice)


def _order(verdict: Verdict) -> int:
    return get_args(Verdict).index(verdict)


def judge(name: str, value: float, *, good: float, bad: float, meaning: str, cure: str) -> Finding:
    """The finding for a number that is good up to `good` and bad above `bad`; one that is not a number is bad."""
    if math.isnan(value):
        return Finding(name, value, good, "bad", f"{meaning} It is not a number. {cure}")
    if value <= good:
        return Finding(name, value, good, "good", meaning)
    return Finding(name, value, good, "warning" if value <= bad else "bad", f"{meaning} {cure}")
