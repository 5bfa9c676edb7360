"""Pages of this floor."""

from __future__ import annotations

from django.urls import path

from unions import views

app_name = "unions"

urlpatterns = [
    path("register", views.RegistrationCreate.as_view(), name="registration-create"),
    path("register/fields", views.RegistrationFields.as_view(), name="registration-fields"),
    path("registrations", views.RegistrationList.as_view(), name="registration-list"),
    path("registrations/<int:registration_id>", views.RegistrationDetail.as_view(), name="registration-detail"),
    path(
        "registrations/<int:registration_id>/approve",
        views.ApproveRegistration.as_view(),
        name="registration-approve",
    ),
    path("registrations/<int:registration_id>/refuse", views.RefuseRegistration.as_view(), name="registration-refuse"),
    path("registration-rules", views.RuleList.as_view(), name="rule-list"),
    path("registration-rules/<int:rule_id>/delete", views.DeleteRule.as_view(), name="rule-delete"),
    path("organizations", views.OrganizationList.as_view(), name="organization-list"),
    path("organizations/number/<int:pk>", views.OrganizationByNumber.as_view(), name="organization-by-number"),
    path("organizations/<str:orgcode>", views.OrganizationDetail.as_view(), name="organization-detail"),
    path(
        "organizations/<str:orgcode>/certificates.pem",
        views.DownloadCertificates.as_view(),
        name="organization-certificates",
    ),
    path("organizations/<str:orgcode>/claim", views.ClaimPlaceholder.as_view(), name="organization-claim"),
    path("organizations/<str:orgcode>/change", views.OrganizationChange.as_view(), name="organization-change"),
    path("organizations/<str:orgcode>/close", views.CloseOrganization.as_view(), name="organization-close"),
    path("organizations/<str:orgcode>/members", views.AddMember.as_view(), name="member-add"),
    path("organizations/<str:orgcode>/members/remove", views.RemoveMember.as_view(), name="member-remove"),
    path("resource-spaces", views.SpaceList.as_view(), name="space-list"),
    path("resource-spaces/<str:orgcode>/quota", views.QuotaChange.as_view(), name="quota-change"),
    path("unions", views.UnionList.as_view(), name="union-list"),
    path("unions/new", views.UnionCreate.as_view(), name="union-create"),
    path("unions/new/summary", views.UnionSummary.as_view(), name="union-summary"),
    path("unions/number/<int:pk>", views.UnionByNumber.as_view(), name="union-by-number"),
    path("unions/<str:unionid>", views.UnionDetail.as_view(), name="union-detail"),
    path("unions/<str:unionid>/join", views.JoinUnion.as_view(), name="union-join"),
    path("unions/<str:unionid>/quit", views.QuitUnion.as_view(), name="union-quit"),
    path("unions/<str:unionid>/delete", views.DeleteUnion.as_view(), name="union-delete"),
    path("unions/<str:unionid>/upgrade-nodes", views.UpgradeUnionNodes.as_view(), name="union-nodes-upgrade"),
    path("unions/<str:unionid>/release", views.ReleaseUnion.as_view(), name="union-release"),
    path("unions/<str:unionid>/rule", views.ChangeRule.as_view(), name="union-rule"),
    path("drifts", views.DriftList.as_view(), name="drift-list"),
    path("drifts/<int:drift_id>", views.DriftDetail.as_view(), name="drift-detail"),
    path("drifts/<int:drift_id>/mend", views.MendDrift.as_view(), name="drift-mend"),
    path("drifts/<int:drift_id>/ignore", views.IgnoreDrift.as_view(), name="drift-ignore"),
    path("drifts/<int:drift_id>/reopen", views.ReopenDrift.as_view(), name="drift-reopen"),
    path("platforms/<str:oemtype>/compare", views.ComparePlatform.as_view(), name="platform-compare"),
    path("unions/<str:unionid>/compare", views.CompareUnion.as_view(), name="union-compare"),
    path("inbox", views.Inbox.as_view(), name="inbox"),
    path("proposals", views.ProposalList.as_view(), name="proposal-list"),
    path("proposals/<int:proposal_id>", views.ProposalDetail.as_view(), name="proposal-detail"),
    path("proposals/<int:proposal_id>/vote", views.CastVote.as_view(), name="proposal-vote"),
    path("proposals/<int:proposal_id>/console-answer", views.AnswerForConsole.as_view(), name="console-answer"),
    path("proposals/<int:proposal_id>/withdraw", views.WithdrawProposal.as_view(), name="proposal-withdraw"),
]
