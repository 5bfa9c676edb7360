"""What the REST layer takes and gives: shapes only, no writing. The field names are those of tables 1 and 2."""

from unions.api.serializers.organizations import (
    ClaimRequest,
    MachineSerializer,
    MembershipAnswer,
    MembershipRequest,
    OrganizationAnswer,
    OrganizationBrief,
    OrganizationChanges,
    OrganizationRequest,
    ResourceSpaceAnswer,
)
from unions.api.serializers.proposals import (
    ConsoleAnswerRequest,
    ProposalAnswer,
    ProposalSubject,
    VoteAnswer,
    VoteRequest,
    WithdrawalRequest,
)
from unions.api.serializers.registrations import (
    ReasonRequest,
    RegisteredOrganization,
    RegistrationAnswer,
    RegistrationRequest,
    RegistrationRuleRequest,
    RegistrationRuleSerializer,
)
from unions.api.serializers.unions import (
    DeletionRequest,
    MoveRequest,
    RuleRequest,
    StartedProposal,
    UnionAnswer,
    UnionMemberAnswer,
    UnionRequest,
)

__all__ = [
    "ClaimRequest",
    "ConsoleAnswerRequest",
    "DeletionRequest",
    "MachineSerializer",
    "MembershipAnswer",
    "MembershipRequest",
    "MoveRequest",
    "OrganizationAnswer",
    "OrganizationBrief",
    "OrganizationChanges",
    "OrganizationRequest",
    "ProposalAnswer",
    "ProposalSubject",
    "ReasonRequest",
    "RegisteredOrganization",
    "RegistrationAnswer",
    "RegistrationRequest",
    "RegistrationRuleRequest",
    "RegistrationRuleSerializer",
    "ResourceSpaceAnswer",
    "RuleRequest",
    "StartedProposal",
    "UnionAnswer",
    "UnionMemberAnswer",
    "UnionRequest",
    "VoteAnswer",
    "VoteRequest",
    "WithdrawalRequest",
]
