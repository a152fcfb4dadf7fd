"""Why a metric says nothing: the reasons that several metrics share.

Knows words only. Which metric gives which reason is its own job.
"""

from __future__ import annotations

from evals.domain import Unscored

NO_OUTCOME = Unscored("there is no outcome")
NOT_ANSWERABLE = Unscored("the documents hold no answer")
NOT_ANSWERED = Unscored("nothing was answered")
NOT_CITED = Unscored("nothing was cited")
NO_MODEL = Unscored("no model took part")
