"""The flows of this floor: create, join, quit and delete a union, change its rule, claim placeholders, mend drifts.

`plans` lays out the tasks; `asking`, `network` and `record` are the steps: what people are asked, what the platform
does, what is written down; `comparing` and `mending` see to differences. The floor above puts its own tasks in with
`console.flows.extend`.
"""

from unions.flows import asking, comparing, existing, mending, network, record
from unions.flows.comparing import RECONCILE
from unions.flows.mending import MEND
from unions.flows.plans import CLAIM, CREATE, DELETE, JOIN, QUIT, RULE

__all__ = [
    "CLAIM",
    "CREATE",
    "DELETE",
    "JOIN",
    "MEND",
    "QUIT",
    "RECONCILE",
    "RULE",
    "asking",
    "comparing",
    "existing",
    "mending",
    "network",
    "record",
]
