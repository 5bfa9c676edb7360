"""Pages of this floor."""

from chains.views.applications import (
    AcceptFinding,
    ApplicationByNumber,
    ApplicationDetail,
    ApplicationList,
    InstallApplication,
    ReopenFinding,
    ReportDetail,
    ScanContract,
    TryApplication,
    UninstallApplication,
    UpgradeApplication,
)
from chains.views.chains import (
    BlockchainByNumber,
    BusinessChainByNumber,
    ChainCharts,
    ChainDetail,
    ChainList,
    ChainStatistics,
)
from chains.views.gateway import DownloadSdk, GrantCreate, GrantList, RevokeGrant
from chains.views.ledger import (
    BlockDetail,
    BlockList,
    FindInChain,
    ReorganisationList,
    TransactionDetail,
    TransactionList,
)
from chains.views.orders import ChainOrder, ChainPlan, DeleteChain, JoinChain, QuitChain, ScaleChain
from chains.views.takeover import ConfirmTakeOver, LookAtNetworks, TakeOverDetail

__all__ = [
    "AcceptFinding",
    "ApplicationByNumber",
    "ApplicationDetail",
    "ApplicationList",
    "BlockDetail",
    "BlockList",
    "BlockchainByNumber",
    "BusinessChainByNumber",
    "ChainCharts",
    "ChainDetail",
    "ChainList",
    "ChainOrder",
    "ChainPlan",
    "ChainStatistics",
    "ConfirmTakeOver",
    "DeleteChain",
    "DownloadSdk",
    "FindInChain",
    "GrantCreate",
    "GrantList",
    "InstallApplication",
    "JoinChain",
    "LookAtNetworks",
    "QuitChain",
    "ReopenFinding",
    "ReorganisationList",
    "ReportDetail",
    "RevokeGrant",
    "ScaleChain",
    "ScanContract",
    "TakeOverDetail",
    "TransactionDetail",
    "TransactionList",
    "TryApplication",
    "UninstallApplication",
    "UpgradeApplication",
]
