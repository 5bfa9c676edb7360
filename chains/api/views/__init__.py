"""The REST layer of this floor: each view reads rows and answers; nothing here talks to a platform."""

from chains.api.views.chains import BlockchainDetail, Blockchains, ChainDetail, Chains, Nodes
from chains.api.views.ledger import BlockDetail, Blocks, Ledger, Monitoring, TransactionDetail, Transactions
from chains.api.views.takeover import TakeOverDetail, TakeOverNetworks, TakeOvers

__all__ = [
    "BlockDetail",
    "BlockchainDetail",
    "Blockchains",
    "Blocks",
    "ChainDetail",
    "Chains",
    "Ledger",
    "Monitoring",
    "Nodes",
    "TakeOverDetail",
    "TakeOverNetworks",
    "TakeOvers",
    "TransactionDetail",
    "Transactions",
]
