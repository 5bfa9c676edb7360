"""Who decides: organizations and their spaces, unions, proposals and votes."""

from unions.models.drifts import Drift, DriftKind, DriftState
from unions.models.organizations import (
    Category,
    Machine,
    MemberRole,
    Membership,
    Organization,
    OrganizationState,
    Reservation,
    ResourceSpace,
    SpaceKind,
)
from unions.models.proposals import Elector, Proposal, ProposalKind, ProposalState, Vote
from unions.models.registrations import Registration, RegistrationRule, RegistrationState
from unions.models.rules import Rule
from unions.models.unions import LIVE_MEMBER_STATES, MemberState, Union, UnionMember, UnionState

__all__ = [
    "LIVE_MEMBER_STATES",
    "Category",
    "Drift",
    "DriftKind",
    "DriftState",
    "Elector",
    "Machine",
    "MemberRole",
    "MemberState",
    "Membership",
    "Organization",
    "OrganizationState",
    "Proposal",
    "ProposalKind",
    "ProposalState",
    "Registration",
    "RegistrationRule",
    "RegistrationState",
    "Reservation",
    "ResourceSpace",
    "Rule",
    "SpaceKind",
    "Union",
    "UnionMember",
    "UnionState",
    "Vote",
]
