"""Pages of this floor."""

from chains.views.chains import BlockchainByNumber, BusinessChainByNumber, ChainCharts, ChainDetail, ChainList
from chains.views.ledger import BlockDetail, BlockList, FindInChain, TransactionDetail, TransactionList

__all__ = [
    "BlockDetail",
    "BlockList",
    "BlockchainByNumber",
    "BusinessChainByNumber",
    "ChainCharts",
    "ChainDetail",
    "ChainList",
    "FindInChain",
    "TransactionDetail",
    "TransactionList",
]
