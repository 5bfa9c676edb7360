"""The government scenario's people, registering and acting by REST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.stack.caller import Caller, tenant, tlscert
from tests.stack.product import Product

PASSWORD = "Correct-horse-battery-9"


@dataclass
class Department:
    """An organization and the caller who speaks for it."""

    orgcode: str
    caller: Caller

    def agree(self, proposal: str, *, expect: int = 201) -> Any:
        return self.caller.post(
            f"proposals/{proposal}/votes", {"orgcode": self.orgcode, "agree": True, "comment": ""}, expect=expect
        )


class Office:
    """The console's administrator, and whoever has registered."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.administrator = Caller.signed_in(product, *product.login)

    def cloud(self, name: str, tenant_number: int) -> Department:
        organization = {"category": "cloud", "oemtype": "sandbox", **tenant(self.product, tenant_number)}
        return self._registered(name, organization)

    def on_prem(self, name: str, *, ip: str, port: int = 9001, certificate: str = "") -> Department:
        """On a machine of its own; without a certificate, on one of the sandbox's."""
        organization = {
            "category": "on_prem",
            "tlscert": certificate or tlscert(self.product),
            "nodelist": [{"ip": ip, "port": port}],
        }
        return self._registered(name, organization)

    def _registered(self, name: str, organization: dict[str, Any]) -> Department:
        username = name.lower().replace(" ", "-")
        body = {
            "username": username,
            "password": PASSWORD,
            "email": f"{username}@example.gov",
            "organization": {"name": name, **organization},
        }
        asked = Caller(self.product).post("registrations", body, expect=201)
        assert asked["state"] == "pending"
        approved = self.administrator.post(f"registrations/{asked['id']}/approve", expect=200)
        assert approved["state"] == "approved"
        return Department(approved["orgcode"], Caller.signed_in(self.product, username, PASSWORD))

    def union(self, name: str, creator: Department, *others: Department, oemtype: str = "sandbox") -> dict[str, Any]:
        """A union that is built; returns its row."""
        started = propose_union(name, creator, *others, oemtype=oemtype)
        for other in others:
            other.agree(started["proposal"])
        flow = creator.caller.flow(started["flow"])
        assert flow["state"] == "done", flow
        return creator.caller.get(f"unions/{started['unionid'] or unionid_of(creator, name)}")


def propose_union(name: str, creator: Department, *others: Department, oemtype: str = "sandbox") -> dict[str, Any]:
    body = {
        "name": name,
        "oemtype": oemtype,
        "creatororg": creator.orgcode,
        "orgs": [creator.orgcode, *(other.orgcode for other in others)],
    }
    return creator.caller.post("unions", body, expect=202)


def unionid_of(department: Department, name: str) -> str:
    return next(union["unionid"] for union in department.caller.all("unions") if union["name"] == name)


def chain_of(department: Department, unionid: str) -> dict[str, Any]:
    """The one blockchain of a union."""
    (business_chain,) = department.caller.all(f"chains?unionid={unionid}")
    (blockchain,) = business_chain["blockchain"]
    return department.caller.get(f"blockchains/{blockchain['id']}")


def nodes_of(department: Department, blockchain_id: str) -> list[dict[str, Any]]:
    return department.caller.all(f"nodes?blockchain={blockchain_id}")
