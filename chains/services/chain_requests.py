"""Reading what somebody wishes as a business chain, checked and planned before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from chains.models import Blockchain, BusinessChain, ChainState, Createmode, Node
from chains.planning import MAX_NODES, Ask, Plan, Space, Wanted, plan_chains
from chains.services import room
from console.errors import Invalid, Missing
from console.models import User
from platforms.models import Platform
from platforms.standard import OPERATIONS
from unions.models import MemberState, Organization, OrganizationState, Union, UnionState
from unions.names import key_of, read_name
from unions.policies import fits
from unions.services.union_requests import chosen_platform

Json = dict[str, Any]
ANEW = "new"  # as the base: on nodes that are built for it
SHOWN_MACHINES = 2
INFRASPEC = ("nodes", "base")


@dataclass(frozen=True)
class Wish:
    """A business chain as it is wished for, in our own rows, and the plan for it."""

    name: str
    platform: Platform
    union: Union | None
    creator: Organization
    members: tuple[Organization, ...]  # the creator first
    plan: Plan


def read_wish(
    *,
    actor: User,
    name: str,
    creatororg: str,
    orgs: Sequence[str],
    createmode: str,
    unionid: str = "",
    oemtype: str = "",
    blockchains: Sequence[Mapping[str, Any]] = (),
    infraspec: Mapping[str, Any] | None = None,
) -> Wish:
    """The wish with its plan. Invalid names every field that is wrong; NotSupported says what the platform cannot."""
    reader = _Reader(actor, unionid, oemtype)
    name = reader.name(name)
    members = reader.members(creatororg, orgs)
    platform, union = reader.place(members, createmode)
    wanted = reader.wanted(blockchains, name, members)
    nodes = reader.nodes(infraspec or {}, members, createmode)
    base = reader.base(infraspec or {}, union, members, createmode)
    if platform is not None:
        reader.fit(platform, members, createmode)
        reader.names_free(platform, union, name, wanted)
    if reader.errors or platform is None:
        raise Invalid(_("The chain has errors."), errors=reader.errors)
    ask = Ask(
        name=name,
        createmode=createmode,
        creator=creatororg,
        spaces=spaces_of(members, base),
        wanted=wanted,
        nodes=nodes,
        network=union.network_id if union else "",
        base=base.uid if base else "",
        refusals=refusals_of(platform),
    )
    return Wish(name, platform, union, members[0], tuple(members), plan_chains(ask))


def spaces_of(members: Sequence[Organization], base: Blockchain | None = None) -> tuple[Space, ...]:
    """The organizations as the planner sees them: how many nodes they may build, and which they have on the base."""
    left = room.left_of(members)
    standing: dict[int, list[str]] = {}
    if base is not None:
        rows = Node.objects.filter(blockchain=base, organization__in=members, state="running").order_by("pk")
        for organization_id, node_id in rows.values_list("organization_id", "external_id"):
            standing.setdefault(organization_id, []).append(node_id)
    return tuple(
        Space(each.orgcode, each.name, _label(each), left[each.pk], tuple(standing.get(each.pk, ())))
        for each in members
    )


def _label(organization: Organization) -> str:
    """What people know the space by: the tenant's name, or the first machines."""
    space = organization.space
    machines = [str(machine) for machine in space.machines.all()]
    more = ["…"] if len(machines) > SHOWN_MACHINES else []
    return space.tenantname or space.tenantid or ", ".join([*machines[:SHOWN_MACHINES], *more])


def refusals_of(platform: Platform) -> dict[str, str]:
    """What the platform cannot do, with the reason that users are told."""
    said = {name: platform.capability(name) for name in OPERATIONS}
    return {name: reason for name, (supported, reason) in said.items() if not supported}


class _Reader:
    """Reads one wish field by field and collects what is wrong, so that the user hears it all at once."""

    def __init__(self, actor: User, unionid: str, oemtype: str) -> None:
        self.actor, self.unionid, self.oemtype = actor, unionid, oemtype
        self.errors: dict[str, list[str]] = {}

    def wrong(self, field: str, text: str) -> None:
        self.errors.setdefault(field, []).append(text)

    def name(self, value: Any, field: str = "name") -> str:
        try:
            return read_name(value, field=field)
        except Invalid as problem:
            self.errors.update({name: list(texts) for name, texts in problem.errors.items()})
            return ""

    def members(self, creatororg: str, orgs: Sequence[str]) -> list[Organization]:
        """Creator first. Unknown codes and placeholders, for whom nobody speaks, are refused."""
        codes = list(dict.fromkeys([creatororg, *orgs]))
        rows = Organization.objects.select_related("space").prefetch_related("space__machines")
        rows = rows.filter(orgcode__in=codes).exclude(state=OrganizationState.CLOSED)
        found = {each.orgcode: each for each in rows}
        if creatororg not in found:
            self.wrong("creatororg", _("There is no organization of this code."))
        if unknown := [code for code in codes[1:] if code not in found]:
            self.wrong("orgs", _("Unknown organizations: %(codes)s.") % {"codes": ", ".join(map(str, unknown))})
        members = [found[code] for code in codes if code in found]
        if silent := [each.name for each in members if each.is_placeholder]:
            words = _("Nobody speaks for a placeholder, so it cannot be invited: %(names)s.")
            self.wrong("orgs", words % {"names": _(", ").join(silent)})
        return members

    # --- where ------------------------------------------------------------------------------------------------------

    def place(self, members: list[Organization], createmode: str) -> tuple[Platform | None, Union | None]:
        """The union that is named, or the only one that all of them are in; else the platform alone."""
        union = self._named_union() if self.unionid else self._only_union(members, createmode)
        if union is None:
            platform = chosen_platform(self.oemtype)
            if platform is None:
                self.wrong("oemtype", _("No platform is registered under “%(oemtype)s”.") % {"oemtype": self.oemtype})
            return platform, None
        if self.oemtype and self.oemtype != union.platform.oemtype:
            self.wrong("oemtype", _("The union is on another platform: %(name)s.") % {"name": union.platform.name})
        inside = set(union.members.filter(state=MemberState.ACTIVE).values_list("organization_id", flat=True))
        if outside := [each.name for each in members if each.pk not in inside]:
            text = _("Not members of the union: %(names)s.") % {"names": _(", ").join(outside)}
            self.wrong("orgs" if members[0].pk in inside else "creatororg", text)
        return union.platform, union

    def _named_union(self) -> Union | None:
        union = Union.objects.visible_to(self.actor).select_related("platform").filter(unionid=self.unionid).first()
        if union is None:
            self.wrong("unionid", _("There is no union of this id."))
        elif union.state != UnionState.ACTIVE:
            self.wrong("unionid", _("The union is %(state)s.") % {"state": union.get_state_display().lower()})
        return union

    def _only_union(self, members: list[Organization], createmode: str) -> Union | None:
        if createmode == Createmode.PRIVATE or len(members) < 2:
            return None
        inside = Q(members__organization__in=members, members__state=MemberState.ACTIVE)
        rows = Union.objects.filter(state=UnionState.ACTIVE).select_related("platform")
        if self.oemtype:
            rows = rows.filter(platform__oemtype=self.oemtype)
        shared = rows.annotate(number=Count("members", filter=inside)).filter(number=len(members))
        unions = list(shared.order_by("pk")[:2])
        if len(unions) > 1:
            self.wrong("unionid", _("These organizations share several unions: name the one that is meant."))
        return unions[0] if len(unions) == 1 else None

    def fit(self, platform: Platform, members: list[Organization], createmode: str) -> None:
        """Nodes can be built where they are to stand: in every space, or in the creator's for a private chain."""
        for each in members[:1] if createmode == Createmode.PRIVATE else members:
            if not each.is_placeholder and not (verdict := fits(platform, each)):
                self.wrong("creatororg" if each == members[0] else "orgs", f"{each.name}: {verdict.reason}")

    def names_free(self, platform: Platform, union: Union | None, name: str, wanted: Sequence[Wanted]) -> None:
        """Neither the chain nor one of its ledgers is called like another in the same network."""
        beside = BusinessChain.objects.filter(platform=platform, union=union).exclude(state=ChainState.DELETED)
        if key_of(name) in {key_of(each) for each in beside.values_list("name", flat=True)}:
            self.wrong("name", _("There is a chain of this name already."))
        taken = Blockchain.objects.live().filter(business_chain__in=beside).values_list("name", flat=True)
        keys = {key_of(each) for each in taken}
        if union is not None and (twice := [each.name for each in wanted if key_of(each.name) in keys]):
            self.wrong("blockchains", _("The union has a ledger of this name already: %(name)s.") % {"name": twice[0]})

    # --- what -------------------------------------------------------------------------------------------------------

    def wanted(
        self, blockchains: Sequence[Mapping[str, Any]], name: str, members: list[Organization]
    ) -> tuple[Wanted, ...]:
        """The ledgers; one for all when none is named."""
        everyone = tuple(each.orgcode for each in members)
        if not blockchains:
            return (Wanted(name, everyone),)
        return tuple(
            Wanted(
                self.name(each.get("name"), "blockchains"),
                tuple(each.get("orgs") or everyone),
                dict(each.get("blockspec") or {}),
            )
            for each in blockchains
        )

    def nodes(self, infraspec: Mapping[str, Any], members: list[Organization], createmode: str) -> dict[str, int]:
        """How many nodes each shall have: one number for all, or a number for each."""
        if unknown := sorted(set(infraspec) - set(INFRASPEC)):
            self.wrong("infraspec", _("Unknown: %(names)s. There are nodes and base.") % {"names": ", ".join(unknown)})
        asked = infraspec.get("nodes")
        if asked is None:
            return {}
        if _is_number(asked):
            owners = members[:1] if createmode == Createmode.PRIVATE else members
            return {each.orgcode: asked for each in owners}
        if isinstance(asked, dict) and all(_is_number(number) for number in asked.values()):
            return {str(orgcode): number for orgcode, number in asked.items()}
        text = _("nodes: a whole number from 1 to %(most)s, or one for each organization.") % {"most": MAX_NODES}
        self.wrong("infraspec", text)
        return {}

    def base(
        self, infraspec: Mapping[str, Any], union: Union | None, members: list[Organization], createmode: str
    ) -> Blockchain | None:
        """The chain whose nodes are shared: the one that is named, or the one on which most members have nodes."""
        asked = infraspec.get("base")
        if asked is not None and not isinstance(asked, str):
            self.wrong("infraspec", _("base: the id of a blockchain, or “new”."))
        if not isinstance(asked, str | None) or asked == ANEW:
            return None
        if not asked and createmode != Createmode.MULTI_SUBCHAIN:
            return None
        rows = Blockchain.objects.live().filter(business_chain__union=union) if union else Blockchain.objects.none()
        rows = rows.filter(business_chain__createmode=Createmode.MULTI_SUBCHAIN)
        if asked:
            return self._named_base(rows.filter(uid=asked).first(), asked)
        if union is None or not union.platform.capability("create_subchain")[0]:
            return None
        own = Q(nodes__organization__in=members, nodes__state="running")
        found = rows.annotate(number=Count("nodes__organization", filter=own, distinct=True)).filter(number__gt=0)
        return found.order_by("-number", "pk").first()

    def _named_base(self, found: Blockchain | None, asked: str) -> Blockchain | None:
        if found is None:
            text = _("base: the union has no running chain “%(id)s” whose nodes may be shared.")
            self.wrong("infraspec", text % {"id": asked[:60]})
        return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def visible_chain(actor: User, uid: str) -> BusinessChain:
    """The business chain by its public id; Missing when the actor sees neither it nor the union that it is in."""
    visible = Q(pk__in=BusinessChain.objects.visible_to(actor).values("pk"))
    unions = Union.objects.of_user(actor).values("pk")
    rows = BusinessChain.objects.filter(visible | Q(union__in=unions)).select_related("platform", "union", "creator")
    chain = rows.filter(uid=uid).first()
    if chain is None:
        raise Missing()
    return chain
