"""The REST layer of this floor: each view reads rows or calls a service; only the gateway's talks to a node."""

from chains.api.views.applications import (
    AcceptFinding,
    ApplicationDetail,
    Applications,
    ContractReports,
    InstallApplication,
    ReopenFinding,
    ReportDetail,
    ScanContract,
    TryApplication,
    UninstallApplication,
    UpgradeApplication,
)
from chains.api.views.chains import BlockchainDetail, Blockchains, ChainDetail, Chains, Nodes
from chains.api.views.downloads import Sdk
from chains.api.views.gateway import AccessGrantDetail, AccessGrants, Gateway
from chains.api.views.ledger import (
    BlockDetail,
    Blocks,
    Ledger,
    Monitoring,
    Reorganisations,
    Statistics,
    TransactionDetail,
    TransactionDetails,
    Transactions,
)
from chains.api.views.orders import JoinChain, PlanChain, QuitChain, ScaleBlockchain
from chains.api.views.takeover import TakeOverDetail, TakeOverNetworks, TakeOvers

__all__ = [
    "AcceptFinding",
    "AccessGrantDetail",
    "AccessGrants",
    "ApplicationDetail",
    "Applications",
    "BlockDetail",
    "BlockchainDetail",
    "Blockchains",
    "Blocks",
    "ChainDetail",
    "Chains",
    "ContractReports",
    "Gateway",
    "InstallApplication",
    "JoinChain",
    "Ledger",
    "Monitoring",
    "Nodes",
    "PlanChain",
    "QuitChain",
    "ReopenFinding",
    "Reorganisations",
    "ReportDetail",
    "ScaleBlockchain",
    "ScanContract",
    "Sdk",
    "Statistics",
    "TakeOverDetail",
    "TakeOverNetworks",
    "TakeOvers",
    "TransactionDetail",
    "TransactionDetails",
    "Transactions",
    "TryApplication",
    "UninstallApplication",
    "UpgradeApplication",
]
