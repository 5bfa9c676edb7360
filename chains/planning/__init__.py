"""Planning: what is asked for in, what will be built out. Pure functions over frozen values; no rows, no platform.

`values` names what goes in and what comes out; `modes` plans a new business chain in its `createmode`; `moves` plans
what happens to one that exists: a member joins, the number of its nodes changes; `advice` says which mode fits whom.
"""

from chains.planning.advice import Advice, Priority, Trust, advise
from chains.planning.modes import plan_chains
from chains.planning.moves import Running, plan_joining, plan_scaling
from chains.planning.values import MAX_CHAINS, MAX_NODES, Ask, Plan, PlannedChain, PlannedNode, PlanStep, Space, Wanted

__all__ = [
    "MAX_CHAINS",
    "MAX_NODES",
    "Advice",
    "Ask",
    "Plan",
    "PlanStep",
    "PlannedChain",
    "PlannedNode",
    "Priority",
    "Running",
    "Space",
    "Trust",
    "Wanted",
    "advise",
    "plan_chains",
    "plan_joining",
    "plan_scaling",
]
