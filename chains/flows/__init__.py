"""What this floor puts into the flows of unions: the chain and its nodes.

A union that is created gets a chain, built by its creator; every other member then builds its node in its own space,
all at the same time. Who joins a union joins its chain, who quits leaves its chains, and a union that is deleted
takes them with it. On a platform that builds no chains the ones it reports for the network are adopted.

`plans` lays out the tasks; `building`, `reclaiming`, `reading` and `record` are the steps. Business chains that are
made by themselves have flows of their own: `orders` lays out their tasks, `carrying` and `keeping` are the steps.
"""

from chains.flows import (
    applications,
    building,
    carrying,
    comparing,
    contracts,
    keeping,
    mending,
    orders,
    plans,
    reading,
    reclaiming,
    record,
    takeover,
)
from console.flows import extend
from platforms import flows as platforms_flows
from unions import flows as unions_flows

extend(unions_flows.CREATE.kind, after="save", plan=plans.plan_create)
extend(unions_flows.JOIN.kind, after="admit", plan=plans.plan_join)
extend(unions_flows.QUIT.kind, after="mark", plan=plans.plan_quit_marked)
extend(unions_flows.QUIT.kind, after="approval", plan=plans.plan_quit)
extend(unions_flows.QUIT.kind, after="network", plan=plans.plan_left)
extend(unions_flows.DELETE.kind, after="mark", plan=plans.plan_delete_marked)
extend(unions_flows.DELETE.kind, after="approval", plan=plans.plan_delete)
extend(unions_flows.DELETE.kind, after="network", plan=plans.plan_deleted)

extend(platforms_flows.REGISTER.kind, after="accept", plan=takeover.plan_registered)
extend(unions_flows.RECONCILE.kind, after="read", plan=comparing.plan_reading)
extend(unions_flows.RECONCILE.kind, after="compare", plan=comparing.plan_comparing)
extend(unions_flows.MEND.kind, after="check", plan=mending.plan_written_off)
extend(unions_flows.MEND.kind, after="leave", plan=mending.plan_released)
extend(unions_flows.MEND.kind, after="place", plan=mending.plan_placed)

__all__ = [
    "applications",
    "building",
    "carrying",
    "comparing",
    "contracts",
    "keeping",
    "mending",
    "orders",
    "plans",
    "reading",
    "reclaiming",
    "record",
    "takeover",
]
