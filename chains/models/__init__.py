"""What is run: business chains, blockchains, nodes, and what the observers read of them."""

from chains.models.chains import Blockchain, BusinessChain, ChainState, Createmode, Node, NodeState
from chains.models.ledger import Block, Sample, Transaction, TransactionStatus
from chains.models.takeover import NetworkVerdict, TakeOver, TakeOverNetwork

__all__ = [
    "Block",
    "Blockchain",
    "BusinessChain",
    "ChainState",
    "Createmode",
    "NetworkVerdict",
    "Node",
    "NodeState",
    "Sample",
    "TakeOver",
    "TakeOverNetwork",
    "Transaction",
    "TransactionStatus",
]
