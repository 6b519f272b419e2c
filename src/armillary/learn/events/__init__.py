"""Events in series: which predicted one is which true one, how good that is, and beside what it must be seen.

Events are ``int64`` rows ``start, stop`` in nanoseconds, or ``start, stop, group`` where there are channels.
"""

from armillary.learn.events.controls import controls
from armillary.learn.events.decoding import Decoder, choose, decode, usual_search
from armillary.learn.events.matching import as_events, grouped, match
from armillary.learn.events.rules import RULES, Verdict, by_rule
from armillary.learn.events.scoring import block_counts, key_of, rates, score

__all__ = [
    "RULES",
    "Decoder",
    "Verdict",
    "as_events",
    "block_counts",
    "by_rule",
    "choose",
    "controls",
    "decode",
    "grouped",
    "key_of",
    "match",
    "rates",
    "score",
    "usual_search",
]
