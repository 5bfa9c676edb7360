"""The REST layer of this floor: each view parses, calls a service, answers."""

from unions.api.views.certificates import Certificates
from unions.api.views.drifts import (
    ComparePlatform,
    CompareUnion,
    DriftDetail,
    Drifts,
    IgnoreDrift,
    MendDrift,
    ReopenDrift,
)
from unions.api.views.organizations import (
    ClaimPlaceholder,
    MemberDetail,
    Members,
    OrganizationDetail,
    Organizations,
    ResourceSpaceDetail,
    ResourceSpaces,
)
from unions.api.views.proposals import AnswerForConsole, ProposalDetail, Proposals, Votes, WithdrawProposal
from unions.api.views.registrations import (
    ApproveRegistration,
    RefuseRegistration,
    RegistrationDetail,
    RegistrationRuleDetail,
    RegistrationRules,
    Registrations,
)
from unions.api.views.unions import (
    JoinUnion,
    QuitUnion,
    ReleaseUnion,
    UnionDetail,
    UnionRule,
    Unions,
    UpgradeUnionNodes,
)

__all__ = [
    "AnswerForConsole",
    "ApproveRegistration",
    "Certificates",
    "ClaimPlaceholder",
    "ComparePlatform",
    "CompareUnion",
    "DriftDetail",
    "Drifts",
    "IgnoreDrift",
    "JoinUnion",
    "MemberDetail",
    "Members",
    "MendDrift",
    "OrganizationDetail",
    "Organizations",
    "ProposalDetail",
    "Proposals",
    "QuitUnion",
    "RefuseRegistration",
    "RegistrationDetail",
    "RegistrationRuleDetail",
    "RegistrationRules",
    "Registrations",
    "ReleaseUnion",
    "ReopenDrift",
    "ResourceSpaceDetail",
    "ResourceSpaces",
    "UnionDetail",
    "UnionRule",
    "Unions",
    "UpgradeUnionNodes",
    "Votes",
    "WithdrawProposal",
]
