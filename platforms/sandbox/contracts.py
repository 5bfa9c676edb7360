"""Contracts and transactions: sent with an account that the sandbox keeps for each member, and a book of what was made.

An account's key is worked out from the operator's key, so it is the same after every restart and stands nowhere. A
job signs once and keeps what it has signed: when it is begun anew, it sends the same transaction, which a chain takes
once only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from collections import defaultdict
from pathlib import Path
from typing import Any

from platforms.sandbox.access import find_chain, own_member
from platforms.sandbox.bodies import CreateContract, SendTransaction, UpgradeContract
from platforms.sandbox.chains import Chains
from platforms.sandbox.errors import Conflict, Forbidden, NotFound
from platforms.sandbox.identities import operator_key
from platforms.sandbox.jobs import JobFailed, Jobs, Key, Progress
from platforms.sandbox.kernel import Kernel, KernelFailed
from platforms.sandbox.principals import Principal
from platforms.sandbox.store import Json, Store, now_ms
from platforms.signing import account_of, sign, upgrade_call

ENOUGH = 10**18  # wei; an account that has less is given more
PURSE = hex(10**21)
RECEIPT_SECONDS = 20.0


class Contracts:
    """Deploys, upgrades and strikes out; sends."""

    def __init__(self, store: Store, jobs: Jobs, chains: Chains, folder: Path) -> None:
        self._store, self._jobs, self._chains = store, jobs, chains
        self._secret = operator_key(folder).encode()
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # one at a time: nonces have no gaps
        jobs.register("createContract", self._create, _mark_nothing)
        jobs.register("upgradeContract", self._upgrade, _mark_nothing)
        jobs.register("deleteContract", self._delete, _mark_nothing)
        jobs.register("sendTransaction", self._send_one, _mark_nothing)

    # --- asked by the API -------------------------------------------------------------------------------------------

    def of(self, principal: Principal, chain_id: str) -> list[Json]:
        return list(find_chain(self._store, principal, chain_id).get("contracts", {}).values())

    def create(self, principal: Principal, chain_id: str, body: CreateContract, key: Key) -> Json:
        return self._start("createContract", principal, chain_id, body.external_id, key, name=body.name, data=body.data)

    def upgrade(self, principal: Principal, chain_id: str, contract_id: str, body: UpgradeContract, key: Key) -> Json:
        contract = self._own(principal, chain_id, contract_id, body.external_id)
        about = {"contractId": contract["contractId"], "data": body.data}
        return self._start("upgradeContract", principal, chain_id, body.external_id, key, **about)

    def delete(self, principal: Principal, chain_id: str, contract_id: str, external_id: str | None, key: Key) -> Json:
        contract = self._own(principal, chain_id, contract_id, external_id)
        about = {"contractId": contract["contractId"]}
        return self._start("deleteContract", principal, chain_id, external_id, key, **about)

    def send(self, principal: Principal, chain_id: str, body: SendTransaction, key: Key) -> Json:
        about = {"to": body.to, "data": body.data}
        return self._start("sendTransaction", principal, chain_id, body.external_id, key, **about)

    def _start(
        self, kind: str, principal: Principal, chain_id: str, external_id: str | None, key: Key, **about: Any
    ) -> Json:
        chain = find_chain(self._store, principal, chain_id)
        member = own_member(self._store.networks[chain["networkId"]], principal, external_id)
        if chain["state"] != "RUNNING":
            raise Conflict(f"The chain is {chain['state']}.", code="CHAIN_NOT_READY")
        return self._jobs.start(
            kind,
            principal,
            key,
            subject=["chains", chain_id],
            networkId=chain["networkId"],
            chainId=chain_id,
            memberId=member["memberId"],
            account=account_of(self._key(member["memberId"])),
            sent=[],
            **about,
        )

    def _own(self, principal: Principal, chain_id: str, contract_id: str, external_id: str | None) -> Json:
        chain = find_chain(self._store, principal, chain_id)
        member = own_member(self._store.networks[chain["networkId"]], principal, external_id)
        contract = chain.get("contracts", {}).get(contract_id.lower())
        if contract is None:
            raise NotFound(f"There is no contract {contract_id} in the book.", code="CONTRACT_NOT_FOUND")
        if contract["memberId"] != member["memberId"]:
            raise Forbidden("Only the member that deployed a contract changes it.", code="NOT_DEPLOYER")
        return contract

    # --- the jobs' work ---------------------------------------------------------------------------------------------

    async def _create(self, job: Json, progress: Progress) -> None:
        await progress.stage(20)
        await self._transact(job, 0, to="", data=job["data"])
        await progress.half_way()
        receipt = await self._receipt(job, 0)
        address = self._made(receipt)
        job.update(contractId=address, contractAddress=address, transactionHash=receipt["transactionHash"])
        book = self._store.chains[job["chainId"]].setdefault("contracts", {})
        book[address] = {
            "contractId": address,
            "name": job["name"],
            "chainId": job["chainId"],
            "memberId": job["memberId"],
            "account": job["account"],
            "codeAddress": address,
            "createdAt": now_ms(),
        }

    async def _upgrade(self, job: Json, progress: Progress) -> None:
        await progress.stage(20)
        await self._transact(job, 0, to="", data=job["data"])
        await progress.half_way()
        address = self._made(await self._receipt(job, 0))
        await self._transact(job, 1, to=job["contractId"], data=upgrade_call(address))
        receipt = await self._receipt(job, 1)
        job.update(contractAddress=address, transactionHash=receipt["transactionHash"])
        contract = self._store.chains[job["chainId"]].get("contracts", {}).get(job["contractId"])
        if contract is not None:
            contract["codeAddress"] = address

    async def _delete(self, job: Json, progress: Progress) -> None:
        await progress.half_way()
        self._store.chains[job["chainId"]].get("contracts", {}).pop(job["contractId"], None)

    async def _send_one(self, job: Json, progress: Progress) -> None:
        await progress.stage(20)
        await self._transact(job, 0, to=job["to"], data=job["data"])
        await progress.half_way()
        receipt = await self._receipt(job, 0)
        job.update(transactionHash=receipt["transactionHash"])

    # --- one transaction --------------------------------------------------------------------------------------------

    async def _transact(self, job: Json, number: int, *, to: str, data: str) -> None:
        """Sign, keep, send; what an earlier go has signed is sent once more if the chain does not have it."""
        kernel, chain = self._kernel(job), self._store.chains[job["chainId"]]
        try:
            async with self._turns[f"{job['chainId']} {job['memberId']}"]:
                if number < len(job["sent"]) and await self._stands(kernel, job, number):
                    return
                await self._fill_purse(kernel, job["account"])
                count = await kernel.rpc("eth_getTransactionCount", job["account"], "pending")
                asked = {"from": job["account"], "data": data, **({"to": to} if to else {})}
                gas = int(await kernel.rpc("eth_estimateGas", asked), 16)
                price = int(await kernel.rpc("eth_gasPrice"), 16)
                signed = sign(
                    self._key(job["memberId"]), number=chain["evmChainId"], nonce=int(count, 16), to=to, data=data,
                    gas=gas + gas // 4, gas_price=2 * price,
                )  # fmt: skip
                job["sent"][number:] = [{"hash": signed.hash, "raw": signed.raw, "nonce": signed.nonce}]
                self._store.save()
                await kernel.rpc("eth_sendRawTransaction", signed.raw)
        except KernelFailed as problem:
            raise JobFailed(f"The chain does not take the transaction: {problem}.", "TRANSACTION_REFUSED") from problem

    async def _stands(self, kernel: Kernel, job: Json, number: int) -> bool:
        """Whether the chain has what an earlier go has signed, or takes it now."""
        sent = job["sent"][number]
        if await kernel.rpc("eth_getTransactionByHash", sent["hash"]) is not None:
            return True
        with contextlib.suppress(KernelFailed):  # its place was taken by another transaction: sign anew
            await kernel.rpc("eth_sendRawTransaction", sent["raw"])
            return True
        return False

    async def _receipt(self, job: Json, number: int) -> Json:
        """What became of the transaction; JobFailed when it was reverted, or is not there in time."""
        kernel, sent = self._kernel(job), job["sent"][number]["hash"]
        deadline = asyncio.get_running_loop().time() + RECEIPT_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            with contextlib.suppress(KernelFailed):
                receipt = await kernel.rpc("eth_getTransactionReceipt", sent)
                if receipt is not None:
                    if int(receipt["status"], 16) == 0:
                        raise JobFailed(f"The transaction {sent} was reverted.", "REVERTED")
                    return receipt
            await asyncio.sleep(0.05)
        raise JobFailed(f"The chain does not say what became of {sent}.", "KERNEL_UNAVAILABLE")

    def _made(self, receipt: Json) -> str:
        address = receipt.get("contractAddress")
        if not address:
            raise JobFailed("The transaction made no contract.", "NO_CONTRACT")
        return str(address).lower()

    async def _fill_purse(self, kernel: Kernel, account: str) -> None:
        if int(await kernel.rpc("eth_getBalance", account, "latest"), 16) < ENOUGH:
            await kernel.rpc("anvil_setBalance", account, PURSE)

    def _kernel(self, job: Json) -> Kernel:
        kernel = self._chains.kernels.get(job["chainId"])
        if kernel is None or not kernel.running:
            raise JobFailed("The chain's node is not running at the moment.", "KERNEL_UNAVAILABLE")
        return kernel

    def _key(self, member_id: str) -> str:
        return f"0x{hmac.new(self._secret, f'account {member_id}'.encode(), hashlib.sha256).hexdigest()}"


def _mark_nothing(job: Json) -> None:
    """What was sent stays on the chain; the book knows it once the job has succeeded."""
