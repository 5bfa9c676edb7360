"""Pages of this floor."""

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
    "JoinChain",
    "LookAtNetworks",
    "QuitChain",
    "ReorganisationList",
    "RevokeGrant",
    "ScaleChain",
    "TakeOverDetail",
    "TransactionDetail",
    "TransactionList",
]
