"""What is run: business chains, blockchains, nodes, and what the observers read of them."""

from chains.models.chains import Blockchain, BusinessChain, ChainState, Createmode, Node, NodeState
from chains.models.ledger import Block, Sample, Transaction, TransactionStatus

__all__ = [
    "Block",
    "Blockchain",
    "BusinessChain",
    "ChainState",
    "Createmode",
    "Node",
    "NodeState",
    "Sample",
    "Transaction",
    "TransactionStatus",
]
