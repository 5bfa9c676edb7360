"""Pages of this floor."""

from unions.views.organizations import (
    AddMember,
    ClaimPlaceholder,
    CloseOrganization,
    OrganizationByNumber,
    OrganizationChange,
    OrganizationDetail,
    OrganizationList,
    RemoveMember,
)
from unions.views.proposals import (
    AnswerForConsole,
    CastVote,
    Inbox,
    ProposalDetail,
    ProposalList,
    WithdrawProposal,
)
from unions.views.registrations import (
    ApproveRegistration,
    DeleteRule,
    RefuseRegistration,
    RegistrationCreate,
    RegistrationDetail,
    RegistrationFields,
    RegistrationList,
    RuleList,
)
from unions.views.spaces import QuotaChange, SpaceList
from unions.views.unions import (
    ChangeRule,
    DeleteUnion,
    JoinUnion,
    QuitUnion,
    UnionByNumber,
    UnionDetail,
    UnionList,
)
from unions.views.wizard import UnionCreate, UnionSummary

__all__ = [
    "AddMember",
    "AnswerForConsole",
    "ApproveRegistration",
    "CastVote",
    "ChangeRule",
    "ClaimPlaceholder",
    "CloseOrganization",
    "DeleteRule",
    "DeleteUnion",
    "Inbox",
    "JoinUnion",
    "OrganizationByNumber",
    "OrganizationChange",
    "OrganizationDetail",
    "OrganizationList",
    "ProposalDetail",
    "ProposalList",
    "QuitUnion",
    "QuotaChange",
    "RefuseRegistration",
    "RegistrationCreate",
    "RegistrationDetail",
    "RegistrationFields",
    "RegistrationList",
    "RemoveMember",
    "RuleList",
    "SpaceList",
    "UnionByNumber",
    "UnionCreate",
    "UnionDetail",
    "UnionList",
    "UnionSummary",
    "WithdrawProposal",
]
