"""The flows of this floor: create, join, quit and delete a union, change its rule, claim a placeholder.

`plans` lays out the tasks; `asking`, `network` and `record` are the steps: what people are asked, what the platform
does, what is written down. The floor above puts its own tasks in with `console.flows.extend`.
"""

from unions.flows import asking, existing, network, record
from unions.flows.plans import CLAIM, CREATE, DELETE, JOIN, QUIT, RULE

__all__ = ["CLAIM", "CREATE", "DELETE", "JOIN", "QUIT", "RULE", "asking", "existing", "network", "record"]
