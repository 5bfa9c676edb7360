"""Addresses of this floor under `/api/v1/`, without a trailing slash."""

from __future__ import annotations

from django.urls import path

from chains.api import views

urlpatterns = [
    path("chains", views.Chains.as_view()),
    path("chains/plan", views.PlanChain.as_view()),
    path("chains/<str:uid>", views.ChainDetail.as_view()),
    path("chains/<str:uid>/join", views.JoinChain.as_view()),
    path("chains/<str:uid>/quit", views.QuitChain.as_view()),
    path("blockchains", views.Blockchains.as_view()),
    path("blockchains/<str:uid>", views.BlockchainDetail.as_view()),
    path("blockchains/<str:uid>/scale", views.ScaleBlockchain.as_view()),
    path("blockchains/<str:uid>/ledger", views.Ledger.as_view()),
    path("blockchains/<str:uid>/blocks", views.Blocks.as_view()),
    path("blockchains/<str:uid>/blocks/<int:height>", views.BlockDetail.as_view()),
    path("blockchains/<str:uid>/transactions", views.Transactions.as_view()),
    path("blockchains/<str:uid>/transactions/<str:hash>", views.TransactionDetail.as_view()),
    path("blockchains/<str:uid>/transactions/<str:hash>/details", views.TransactionDetails.as_view()),
    path("blockchains/<str:uid>/statistics", views.Statistics.as_view()),
    path("blockchains/<str:uid>/reorganisations", views.Reorganisations.as_view()),
    path("blockchains/<str:uid>/monitoring", views.Monitoring.as_view()),
    path("blockchains/<str:uid>/sdk", views.Sdk.as_view()),
    path("gateway/<str:uid>/rpc", views.Gateway.as_view(), name="api-gateway"),
    path("access-grants", views.AccessGrants.as_view()),
    path("access-grants/<int:grant_id>", views.AccessGrantDetail.as_view()),
    path("platforms/<str:oemtype>/take-over", views.TakeOverNetworks.as_view()),
    path("platforms/<str:oemtype>/take-overs", views.TakeOvers.as_view()),
    path("take-overs/<int:take_over_id>", views.TakeOverDetail.as_view()),
    path("applications", views.Applications.as_view()),
    path("applications/<str:name>", views.ApplicationDetail.as_view()),
    path("applications/<str:name>/install", views.InstallApplication.as_view()),
    path("applications/<str:name>/upgrade", views.UpgradeApplication.as_view()),
    path("applications/<str:name>/uninstall", views.UninstallApplication.as_view()),
    path("applications/<str:name>/try", views.TryApplication.as_view()),
    path("contracts/<str:uid>/scan", views.ScanContract.as_view()),
    path("contracts/<str:uid>/reports", views.ContractReports.as_view()),
    path("reports/<int:report_id>", views.ReportDetail.as_view()),
    path("findings/<int:finding_id>/accept", views.AcceptFinding.as_view()),
    path("findings/<int:finding_id>/reopen", views.ReopenFinding.as_view()),
    path("nodes", views.Nodes.as_view()),
]
