"""Pages of this floor."""

from chains.views.chains import BlockchainByNumber, BusinessChainByNumber, ChainCharts, ChainDetail, ChainList
from chains.views.ledger import BlockDetail, BlockList, FindInChain, TransactionDetail, TransactionList
from chains.views.takeover import ConfirmTakeOver, LookAtNetworks, TakeOverDetail

__all__ = [
    "BlockDetail",
    "BlockList",
    "BlockchainByNumber",
    "BusinessChainByNumber",
    "ChainCharts",
    "ChainDetail",
    "ChainList",
    "ConfirmTakeOver",
    "FindInChain",
    "LookAtNetworks",
    "TakeOverDetail",
    "TransactionDetail",
    "TransactionList",
]
