"""The methods that a grant may allow. There are no others: a grant is chosen from these.

Left out are those that act for an account that the node keeps (`eth_sendTransaction`, `eth_accounts`), that rule the
node (`admin_`, `miner_`, `debug_`, `anvil_`, …), and filters that live in one node's memory (`eth_newFilter`), for the
next call may go to another one.
"""

from __future__ import annotations

from chains.models import Preset

SEND = "eth_sendRawTransaction"
READS = (
    "eth_blockNumber",
    "eth_call",
    "eth_chainId",
    "eth_createAccessList",
    "eth_estimateGas",
    "eth_feeHistory",
    "eth_gasPrice",
    "eth_getBalance",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getBlockReceipts",
    "eth_getBlockTransactionCountByHash",
    "eth_getBlockTransactionCountByNumber",
    "eth_getCode",
    "eth_getLogs",
    "eth_getProof",
    "eth_getStorageAt",
    "eth_getTransactionByBlockHashAndIndex",
    "eth_getTransactionByBlockNumberAndIndex",
    "eth_getTransactionByHash",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_maxPriorityFeePerGas",
    "eth_syncing",
    "net_version",
    "web3_clientVersion",
    "web3_sha3",
)
METHODS = (*READS, SEND)
OF_PRESET = {Preset.READ: READS, Preset.READ_AND_SEND: METHODS}
