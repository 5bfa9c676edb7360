"""Networks and their members: who founds one, who is invited, who joins and leaves, who may end it."""

from __future__ import annotations

from platforms.sandbox.access import find_member, find_network, invitation_for, sees_network
from platforms.sandbox.bodies import CreateNetwork, Invitation, Invitee, JoinNetwork, Member
from platforms.sandbox.chains import Chains
from platforms.sandbox.errors import BadRequest, Conflict, Forbidden, NotFound
from platforms.sandbox.jobs import Jobs, Key, Progress
from platforms.sandbox.principals import Keyring, Principal
from platforms.sandbox.store import Json, Store, new_id, now_ms


class Networks:
    """Changes networks through jobs; reads them at once."""

    def __init__(self, store: Store, jobs: Jobs, keyring: Keyring, chains: Chains) -> None:
        self._store, self._jobs, self._keyring, self._chains = store, jobs, keyring, chains
        jobs.register("createNetwork", self._found, self._mark_network_failed)
        jobs.register("deleteNetwork", self._end, self._mark_network_failed)
        jobs.register("joinNetwork", self._admit, self._mark_member_failed)
        jobs.register("quitNetwork", self._let_go, self._mark_member_failed)

    def visible(self, principal: Principal) -> list[Json]:
        return [network for network in self._store.networks.values() if sees_network(principal, network)]

    def create(self, principal: Principal, body: CreateNetwork, key: Key) -> Json:
        """The job that founds a network; the caller is its creator and first member."""
        member = self._new_member(principal, body.member)
        network = {
            "networkId": new_id("net"),
            "name": body.name,
            "description": body.description,
            "engine": body.engine,
            "state": "CREATING",
            "creator": principal.id,
            "creatorMemberId": member["memberId"],
            "createdAt": now_ms(),
            "members": {member["memberId"]: member},
            "invitations": {},
        }
        for invitee in body.invite:
            self._add_invitation(network, invitee.external_id, invitee)
        self._store.networks[network["networkId"]] = network
        return self._jobs.start(
            "createNetwork",
            principal,
            key,
            subject=["networks", network["networkId"]],
            networkId=network["networkId"],
            memberId=member["memberId"],
        )

    def delete(self, principal: Principal, network_id: str, key: Key) -> Json:
        """The job that ends a network; its creator only, and only when every other member has left."""
        network = find_network(self._store, principal, network_id)
        principal.must_be_member()
        if network["creator"] != principal.id:
            raise Forbidden("Only the creator of a network deletes it.", code="NOT_CREATOR")
        others = [each["externalId"] for each in network["members"].values() if not _is_creator(network, each)]
        if others:
            text = f"Members are left who must quit first: {', '.join(others)}."
            raise Conflict(text, code="MEMBERS_LEFT")
        self._jobs.must_be_free("deleteNetwork", "networkId", network_id)
        network["state"] = "DELETING"
        return self._jobs.start("deleteNetwork", principal, key, subject=["networks", network_id], networkId=network_id)

    def invite(self, principal: Principal, network_id: str, external_id: str, body: Invitation) -> Json:
        """Say who may join. Said twice, it counts once; the creator invites, or the operator for it."""
        network = find_network(self._store, principal, network_id)
        if not principal.is_operator and network["creator"] != principal.id:
            raise Forbidden("Only the creator of a network invites.", code="NOT_CREATOR")
        invitation = self._add_invitation(network, external_id, body)
        self._store.save()
        return invitation

    def join(self, principal: Principal, network_id: str, body: JoinNetwork, key: Key) -> Json:
        """The job that makes the caller a member, with its own credential and by invitation."""
        principal.must_be_member()
        network = find_network(self._store, principal, network_id)
        external_id = body.member.external_id
        if network["state"] != "ACTIVE":
            raise Conflict(f"The network is {network['state']}.", code="NETWORK_NOT_READY")
        if any(external_id == each["externalId"] for each in network["members"].values()):
            raise Conflict(f"{external_id} is a member already.", code="ALREADY_MEMBER")
        invitation_for(network, principal, external_id)
        member = self._new_member(principal, body.member)
        network["members"][member["memberId"]] = member
        network["invitations"][external_id]["state"] = "ACCEPTED"
        return self._jobs.start(
            "joinNetwork",
            principal,
            key,
            subject=["members", network_id, member["memberId"]],
            networkId=network_id,
            memberId=member["memberId"],
        )

    def quit(self, principal: Principal, network_id: str, reference: str, key: Key) -> Json:
        """The job by which a member leaves; all its nodes are reclaimed."""
        network = find_network(self._store, principal, network_id)
        member = find_member(network, reference)
        principal.must_be_member()
        if member["principal"] != principal.id:
            raise Forbidden("A member leaves with its own credential.", code="NOT_YOUR_MEMBER")
        self._jobs.must_be_free("quitNetwork", "memberId", member["memberId"])
        member["state"] = "LEAVING"
        return self._jobs.start(
            "quitNetwork",
            principal,
            key,
            subject=["members", network_id, member["memberId"]],
            networkId=network_id,
            memberId=member["memberId"],
        )

    # --- the jobs' work ---------------------------------------------------------------------------------------------

    async def _found(self, job: Json, progress: Progress) -> None:
        network = self._store.networks[job["networkId"]]
        await progress.stage(10)
        await progress.half_way()
        network["members"][job["memberId"]]["state"] = "ACTIVE"
        network["state"] = "ACTIVE"

    async def _admit(self, job: Json, progress: Progress) -> None:
        await progress.stage(10)
        await progress.half_way()
        self._store.networks[job["networkId"]]["members"][job["memberId"]]["state"] = "ACTIVE"

    async def _let_go(self, job: Json, progress: Progress) -> None:
        self._jobs.cancel_about("memberId", job["memberId"], but=job["jobId"])
        await progress.stage(10)
        self._chains.reclaim_nodes(job["networkId"], job["memberId"])
        await progress.half_way()
        network = self._store.networks.get(job["networkId"])
        member = network["members"].pop(job["memberId"], None) if network else None
        if network and member:
            network["invitations"].pop(member["externalId"], None)

    async def _end(self, job: Json, progress: Progress) -> None:
        self._jobs.cancel_about("networkId", job["networkId"], but=job["jobId"])
        await progress.stage(10)
        for chain in self._chains.chains_of(job["networkId"]):
            await self._chains.remove(chain["chainId"])
        await progress.half_way()
        self._store.networks.pop(job["networkId"], None)

    def _mark_network_failed(self, job: Json) -> None:
        if job["networkId"] in self._store.networks:
            self._store.networks[job["networkId"]]["state"] = "FAILED"

    def _mark_member_failed(self, job: Json) -> None:
        member = self._store.networks.get(job["networkId"], {}).get("members", {}).get(job["memberId"])
        if member is not None:
            member["state"] = "FAILED"

    # --- small things -----------------------------------------------------------------------------------------------

    def _new_member(self, principal: Principal, body: Member) -> Json:
        principal.must_be_member()
        if principal.kind == "CLOUD":
            if body.tenant_id not in ("", principal.tenant_id):
                raise Forbidden("The key belongs to another tenant.", code="TENANT_MISMATCH")
            if body.hosts:
                raise BadRequest("member.hosts: a cloud tenant's nodes are built in its tenant space.")
        elif body.tenant_id:
            raise BadRequest("member.tenantId: an on-prem organization has no tenant.")
        elif not body.hosts:
            raise BadRequest("member.hosts: an on-prem organization says where its nodes are built.")
        return {
            "memberId": new_id("mem"),
            "externalId": body.external_id,
            "displayName": body.display_name,
            "kind": principal.kind,
            "tenantId": principal.tenant_id,
            "hosts": [host.model_dump() for host in body.hosts],
            "principal": principal.id,
            "state": "JOINING",
            "joinedAt": now_ms(),
        }

    def _add_invitation(self, network: Json, external_id: str, body: Invitation | Invitee) -> Json:
        if body.tenant_id and not self._keyring.knows(body.tenant_id):
            raise NotFound(f"There is no tenant {body.tenant_id}.", code="TENANT_NOT_FOUND")
        joined = any(external_id == each["externalId"] for each in network["members"].values())
        network["invitations"][external_id] = {
            "externalId": external_id,
            "displayName": body.display_name,
            "tenantId": body.tenant_id,
            "state": "ACCEPTED" if joined else "PENDING",
        }
        return network["invitations"][external_id]


def _is_creator(network: Json, member: Json) -> bool:
    return member["memberId"] == network["creatorMemberId"]
