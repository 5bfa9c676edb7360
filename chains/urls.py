"""Pages of this floor."""

from __future__ import annotations

from django.urls import path

from chains import views

app_name = "chains"

urlpatterns = [
    path("chains", views.ChainList.as_view(), name="chain-list"),
    path("chains/by-number/<int:pk>", views.BlockchainByNumber.as_view(), name="chain-by-number"),
    path("business-chains/by-number/<int:pk>", views.BusinessChainByNumber.as_view(), name="business-chain-by-number"),
    path("platforms/<str:oemtype>/take-over", views.LookAtNetworks.as_view(), name="take-over-begin"),
    path("take-overs/<int:take_over_id>", views.TakeOverDetail.as_view(), name="take-over"),
    path("take-overs/<int:take_over_id>/confirm", views.ConfirmTakeOver.as_view(), name="take-over-confirm"),
    path("chains/retention", views.Retention.as_view(), name="retention"),
    path("chains/<str:uid>/retention", views.BlockchainRetention.as_view(), name="chain-retention"),
    path("chains/create", views.ChainOrder.as_view(), name="chain-create"),
    path("chains/create/plan", views.ChainPlan.as_view(), name="chain-plan"),
    path("business-chains/<str:uid>/join", views.JoinChain.as_view(), name="chain-join"),
    path("business-chains/<str:uid>/quit", views.QuitChain.as_view(), name="chain-quit"),
    path("business-chains/<str:uid>/delete", views.DeleteChain.as_view(), name="chain-delete"),
    path("chains/<str:uid>/scale", views.ScaleChain.as_view(), name="chain-scale"),
    path("chains/<str:uid>", views.ChainDetail.as_view(), name="chain-detail"),
    path("chains/<str:uid>/charts", views.ChainCharts.as_view(), name="chain-charts"),
    path("chains/<str:uid>/statistics", views.ChainStatistics.as_view(), name="chain-statistics"),
    path("chains/<str:uid>/reorganisations", views.ReorganisationList.as_view(), name="reorganisation-list"),
    path("chains/<str:uid>/sdk", views.DownloadSdk.as_view(), name="sdk"),
    path("chains/<str:uid>/gateway", views.GrantList.as_view(), name="grant-list"),
    path("chains/<str:uid>/gateway/new", views.GrantCreate.as_view(), name="grant-create"),
    path("chains/<str:uid>/gateway/<int:grant_id>/revoke", views.RevokeGrant.as_view(), name="grant-revoke"),
    path("chains/<str:uid>/find", views.FindInChain.as_view(), name="chain-find"),
    path("chains/<str:uid>/blocks", views.BlockList.as_view(), name="block-list"),
    path("chains/<str:uid>/blocks/<int:height>", views.BlockDetail.as_view(), name="block-detail"),
    path("chains/<str:uid>/transactions", views.TransactionList.as_view(), name="transaction-list"),
    path("chains/<str:uid>/transactions/<str:hash>", views.TransactionDetail.as_view(), name="transaction-detail"),
    path("applications", views.ApplicationList.as_view(), name="application-list"),
    path("applications/by-number/<int:pk>", views.ApplicationByNumber.as_view(), name="application-by-number"),
    path("applications/<str:name>", views.ApplicationDetail.as_view(), name="application-detail"),
    path("applications/<str:name>/install", views.InstallApplication.as_view(), name="application-install"),
    path("applications/<str:name>/upgrade", views.UpgradeApplication.as_view(), name="application-upgrade"),
    path("applications/<str:name>/uninstall", views.UninstallApplication.as_view(), name="application-uninstall"),
    path("applications/<str:name>/try", views.TryApplication.as_view(), name="application-try"),
    path("contracts", views.ContractList.as_view(), name="contract-list"),
    path("contracts/new", views.DeployContract.as_view(), name="contract-create"),
    path("contracts/by-number/<int:pk>", views.ContractByNumber.as_view(), name="contract-by-number"),
    path("contracts/<str:uid>", views.ContractDetail.as_view(), name="contract-detail"),
    path("contracts/<str:uid>/deploy", views.DeployPrepared.as_view(), name="contract-deploy"),
    path("contracts/<str:uid>/upgrade", views.UpgradeContract.as_view(), name="contract-upgrade"),
    path("contracts/<str:uid>/promote", views.PromoteVersion.as_view(), name="contract-promote"),
    path("contracts/<str:uid>/stop", views.StopContract.as_view(), name="contract-stop"),
    path("contracts/<str:uid>/resume", views.ResumeContract.as_view(), name="contract-resume"),
    path("contracts/<str:uid>/delete", views.DeleteContract.as_view(), name="contract-delete"),
    path("contracts/<str:uid>/abi/<int:number>", views.ContractAbi.as_view(), name="contract-abi"),
    path("contracts/<str:uid>/functions/<str:signature>", views.ContractFunction.as_view(), name="contract-function"),
    path("chains/<str:uid>/contracts", views.ChainContracts.as_view(), name="chain-contracts"),
    path("chains/<str:uid>/contract-rule", views.ContractRuleChange.as_view(), name="contract-rule"),
    path("contracts/<str:uid>/scan", views.ScanContract.as_view(), name="contract-scan"),
    path("reports/<int:report_id>", views.ReportDetail.as_view(), name="report-detail"),
    path("findings/<int:finding_id>/accept", views.AcceptFinding.as_view(), name="finding-accept"),
    path("findings/<int:finding_id>/reopen", views.ReopenFinding.as_view(), name="finding-reopen"),
    path(
        "chains/<str:uid>/transactions/<str:hash>/details",
        views.TransactionDetails.as_view(),
        name="transaction-details",
    ),
]
