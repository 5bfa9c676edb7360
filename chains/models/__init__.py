"""What is run: business chains, blockchains, nodes, and what the observers read of them."""

from chains.models.applications import ApplicationHealth, ContainerEngine, Installation, InstallationState
from chains.models.chains import Blockchain, BusinessChain, ChainState, Createmode, Node, NodeState
from chains.models.contracts import (
    Contract,
    ContractRule,
    ContractState,
    ContractVersion,
    Severity,
    StopWay,
    UpgradeWay,
    VersionState,
)
from chains.models.gateway import AccessGrant, GrantUse, Preset
from chains.models.history import (
    DroppedTransaction,
    LedgerGap,
    LedgerStatistic,
    LedgerTally,
    Period,
    Reorganisation,
)
from chains.models.ledger import UNREAD_DETAILS, Block, Sample, Transaction, TransactionDetails, TransactionStatus
from chains.models.reports import Finding, FindingSeverity, FindingState, ReportState, ScanReport
from chains.models.retention import RetentionRule
from chains.models.takeover import NetworkVerdict, TakeOver, TakeOverNetwork

__all__ = [
    "UNREAD_DETAILS",
    "AccessGrant",
    "ApplicationHealth",
    "Block",
    "Blockchain",
    "BusinessChain",
    "ChainState",
    "ContainerEngine",
    "Contract",
    "ContractRule",
    "ContractState",
    "ContractVersion",
    "Createmode",
    "DroppedTransaction",
    "Finding",
    "FindingSeverity",
    "FindingState",
    "GrantUse",
    "Installation",
    "InstallationState",
    "LedgerGap",
    "LedgerStatistic",
    "LedgerTally",
    "NetworkVerdict",
    "Node",
    "NodeState",
    "Period",
    "Preset",
    "Reorganisation",
    "ReportState",
    "RetentionRule",
    "Sample",
    "ScanReport",
    "Severity",
    "StopWay",
    "TakeOver",
    "TakeOverNetwork",
    "Transaction",
    "TransactionDetails",
    "TransactionStatus",
    "UpgradeWay",
    "VersionState",
]
