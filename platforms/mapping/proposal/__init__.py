"""A first mapping, proposed from names and schemas: pure functions, the same input gives the same proposal.

- `vocabulary`: what platforms call the things of the standard interface. Another word is one more entry there.
- `ranking`: which operation of an API file probably answers a standard operation, with the points and the reasons.
- `sketch`: a skeleton of the interface for a chosen operation: what is sent, and where the answer's fields come from.
- `examples`: example values from schemas, to run an interface dry before anything was recorded.

How a candidate's points are made stands in `ranking.points_of`. What the proposals are worth is measured against the
presets in `tests/platforms/mapping/test_proposal.py`.
"""

from platforms.mapping.proposal.examples import example_sample
from platforms.mapping.proposal.ranking import Candidate, candidates, proposals
from platforms.mapping.proposal.sketch import first_mapping, sketch

__all__ = ["Candidate", "candidates", "example_sample", "first_mapping", "proposals", "sketch"]
