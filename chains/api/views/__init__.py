"""The REST layer of this floor: each view reads rows or calls a service; only the gateway's talks to a node."""

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
    Transactions,
)
from chains.api.views.orders import JoinChain, PlanChain, QuitChain, ScaleBlockchain
from chains.api.views.takeover import TakeOverDetail, TakeOverNetworks, TakeOvers

__all__ = [
    "AccessGrantDetail",
    "AccessGrants",
    "BlockDetail",
    "BlockchainDetail",
    "Blockchains",
    "Blocks",
    "ChainDetail",
    "Chains",
    "Gateway",
    "JoinChain",
    "Ledger",
    "Monitoring",
    "Nodes",
    "PlanChain",
    "QuitChain",
    "Reorganisations",
    "ScaleBlockchain",
    "Sdk",
    "Statistics",
    "TakeOverDetail",
    "TakeOverNetworks",
    "TakeOvers",
    "TransactionDetail",
    "Transactions",
]
