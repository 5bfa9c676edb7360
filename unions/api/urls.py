"""Addresses of this floor under `/api/v1/`, without a trailing slash."""

from __future__ import annotations

from django.urls import path

from unions.api import views

urlpatterns = [
    path("registrations", views.Registrations.as_view()),
    path("registrations/<int:registration_id>", views.RegistrationDetail.as_view()),
    path("registrations/<int:registration_id>/approve", views.ApproveRegistration.as_view()),
    path("registrations/<int:registration_id>/refuse", views.RefuseRegistration.as_view()),
    path("registration-rules", views.RegistrationRules.as_view()),
    path("registration-rules/<int:rule_id>", views.RegistrationRuleDetail.as_view()),
    path("organizations", views.Organizations.as_view()),
    path("organizations/<str:orgcode>", views.OrganizationDetail.as_view()),
    path("organizations/<str:orgcode>/certificates", views.Certificates.as_view()),
    path("organizations/<str:orgcode>/claim", views.ClaimPlaceholder.as_view()),
    path("organizations/<str:orgcode>/members", views.Members.as_view()),
    path("organizations/<str:orgcode>/members/<str:username>", views.MemberDetail.as_view()),
    path("resource-spaces", views.ResourceSpaces.as_view()),
    path("resource-spaces/<str:orgcode>", views.ResourceSpaceDetail.as_view()),
    path("drifts", views.Drifts.as_view()),
    path("drifts/<int:drift_id>", views.DriftDetail.as_view()),
    path("drifts/<int:drift_id>/mend", views.MendDrift.as_view()),
    path("drifts/<int:drift_id>/ignore", views.IgnoreDrift.as_view()),
    path("drifts/<int:drift_id>/reopen", views.ReopenDrift.as_view()),
    path("platforms/<str:oemtype>/reconcile", views.ComparePlatform.as_view()),
    path("unions/<str:unionid>/reconcile", views.CompareUnion.as_view()),
    path("unions", views.Unions.as_view()),
    path("unions/<str:unionid>", views.UnionDetail.as_view()),
    path("unions/<str:unionid>/join", views.JoinUnion.as_view()),
    path("unions/<str:unionid>/quit", views.QuitUnion.as_view()),
    path("unions/<str:unionid>/release", views.ReleaseUnion.as_view()),
    path("unions/<str:unionid>/upgrade-nodes", views.UpgradeUnionNodes.as_view()),
    path("unions/<str:unionid>/rule", views.UnionRule.as_view()),
    path("proposals", views.Proposals.as_view()),
    path("proposals/<int:proposal_id>", views.ProposalDetail.as_view()),
    path("proposals/<int:proposal_id>/votes", views.Votes.as_view()),
    path("proposals/<int:proposal_id>/console-answer", views.AnswerForConsole.as_view()),
    path("proposals/<int:proposal_id>/withdraw", views.WithdrawProposal.as_view()),
]
