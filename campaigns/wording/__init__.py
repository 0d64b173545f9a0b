"""The letter language: Jinja2 syntax cut to an allow-list, rendered by a small evaluator of our own."""

from campaigns.wording.draw import Draw
from campaigns.wording.findings import Finding
from campaigns.wording.language import parse
from campaigns.wording.lint import lint
from campaigns.wording.manners import Manner, Remark
from campaigns.wording.manners import remarks as remarks_on
from campaigns.wording.passage import Wording
from campaigns.wording.refusals import WordingError
from campaigns.wording.riskiest import five_riskiest
from campaigns.wording.vocabulary import EXAMPLES, VOCABULARY

__all__ = [
    "EXAMPLES",
    "VOCABULARY",
    "Draw",
    "Finding",
    "Manner",
    "Remark",
    "Wording",
    "WordingError",
    "five_riskiest",
    "lint",
    "parse",
    "remarks_on",
]
