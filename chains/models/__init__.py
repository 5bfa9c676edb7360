"""What is run: business chains, blockchains, nodes, and what the observers read of them."""

from chains.models.chains import Blockchain, BusinessChain, ChainState, Createmode, Node, NodeState
from chains.models.gateway import AccessGrant, GrantUse, Preset
from chains.models.ledger import Block, Sample, Transaction, TransactionStatus
from chains.models.takeover import NetworkVerdict, TakeOver, TakeOverNetwork

__all__ = [
    "AccessGrant",
    "Block",
    "Blockchain",
    "BusinessChain",
    "ChainState",
    "Createmode",
    "GrantUse",
    "NetworkVerdict",
    "Node",
    "NodeState",
    "Preset",
    "Sample",
    "TakeOver",
    "TakeOverNetwork",
    "Transaction",
    "TransactionStatus",
]
