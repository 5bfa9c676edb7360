"""The flows of this floor: create, join, quit and delete a union, and change its rule.

`plans` lays out the tasks; `asking`, `network` and `record` are the steps: what people are asked, what the platform
does, what is written down. The floor above puts its own tasks in with `console.flows.extend`.
"""

from unions.flows import asking, network, record
from unions.flows.plans import CREATE, DELETE, JOIN, QUIT, RULE

__all__ = ["CREATE", "DELETE", "JOIN", "QUIT", "RULE", "asking", "network", "record"]
