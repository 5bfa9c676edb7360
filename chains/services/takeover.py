"""Taking over networks that exist: asked for here, and written down here by the steps of the flow.

One network, one transaction: its union, chains, nodes and placeholders are all there, or nothing of them is. Nothing
is built or changed on the platform.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from chains.models import NetworkVerdict, TakeOver, TakeOverNetwork
from chains.services.chains import FoundChain, record_chain
from console import audit, flows
from console.cleansing import storable
from console.errors import Conflict, Invalid, NotSupported
from console.flows import blueprint_named
from console.models import Flow, User
from console.policies import require
from console.sentences import kept
from console.services.notifications import notify
from console.transactions import joins_transaction, locked_or_missing, use_case
from platforms import reads, standard
from platforms.models import Platform
from platforms.policies import may_operate_platform
from platforms.services.requests import MAX_ID, MAX_NETWORKS, read_network_ids
from unions.matching import KnownBy, members_seen
from unions.models import Organization
from unions.names import key_of, plain_name
from unions.services import existing

TAKE_OVER, PREVIEW = "chains.take_over", "chains.preview_take_over"

Json = dict[str, Any]

NOT_RUNNING = kept(gettext_noop("The platform says that the network is not running (%(state)s)."))
BEING_BUILT = gettext_noop("A union of this network or name is being asked for or built by a flow of this console.")
NO_SUCH = gettext_noop("The platform has no network of this id.")
ID_TOO_LONG = gettext_noop("A chain's id is longer than this console can keep.")
HAS_UNION = kept(gettext_noop("The union %(name)s has it."))
HELD_BACK = gettext_noop("Something has happened with the union since, so it stays.")
NO_MEMBERS = gettext_noop("The platform names no member; one placeholder stands for all of them.")
NO_CHAIN = gettext_noop("The platform names no chain; the union comes without one.")


# --- asking -----------------------------------------------------------------------------------------------------------


@use_case
def request_take_over(*, actor: User, oemtype: str, network_ids: Sequence[str] = (), dry_run: bool = False) -> TakeOver:
    """Promise to read networks of a platform, all that it lists if none are named, and to make unions of them.

    A dry run ends with the preview. Raises Missing, NotAllowed, Conflict (not in service), NotSupported with the
    platform's reason, Invalid naming `network_ids`.
    """
    platform = reads.platform_named(actor, oemtype)
    require(may_operate_platform(actor, platform))
    ids = read_network_ids(network_ids)
    require_readable(platform, ids)
    return start_take_over(actor=actor, platform=platform, network_ids=ids, dry_run=dry_run)


def require_readable(platform: Platform, network_ids: Collection[str]) -> None:
    """NotSupported when the platform cannot list its networks, or show those that are named."""
    listing, reason = platform.capability("list_networks")
    showing, _reason = platform.capability("get_network")
    if not listing and not (network_ids and showing):
        raise NotSupported(reason)


@joins_transaction
def start_take_over(
    *, actor: User | None, platform: Platform, network_ids: Sequence[str], dry_run: bool = False
) -> TakeOver:
    """The request as a row, and the flow that carries it out."""
    take_over = TakeOver.objects.create(
        platform=platform, requested_by=actor, network_ids=list(network_ids), dry_run=dry_run
    )
    audit.record(
        "chains.take_over.requested", actor=actor, target=platform, network_ids=list(network_ids), dry_run=dry_run
    )
    take_over.flow = flows.start(
        blueprint_named(PREVIEW if dry_run else TAKE_OVER),
        subject=platform,
        requested_by=actor,
        arguments={"platform": platform.pk, "take_over": take_over.pk},
        title_values={"name": platform.name},
        answer={"take_over": str(take_over.pk), "oemtype": platform.oemtype, "dry_run": dry_run},
    )
    take_over.save(update_fields=["flow"])
    return take_over


# --- what was read; called by the flow's steps ------------------------------------------------------------------------


@use_case
def record_listing(*, take_over_id: int, found: Iterable[tuple[str, str]]) -> int:
    """The networks (id, name) that are to be read; what is listed already stays. Returns how many there are."""
    take_over = locked_or_missing(TakeOver.objects.all(), pk=take_over_id)
    sound = {each: name for each, name in found if 0 < len(each) <= MAX_ID and each.isprintable()}
    chosen = list(sound.items())[:MAX_NETWORKS]
    TakeOverNetwork.objects.bulk_create(
        [
            TakeOverNetwork(take_over=take_over, network_id=network_id, name=plain_name(storable(name)))
            for network_id, name in chosen
        ],
        ignore_conflicts=True,
    )
    TakeOver.objects.filter(pk=take_over.pk).update(left_out=len(sound) - len(chosen))
    return len(chosen)


@use_case
def record_reading(*, network: int, reading: Json | None, reason: str = "") -> None:
    """What the platform has told of one network. Without a reading: it has none of this id, or why it cannot tell."""
    row = locked_or_missing(TakeOverNetwork.objects.all(), pk=network)
    if reading is not None:
        row.verdict, row.reading = NetworkVerdict.READ, storable(reading)
        row.name = plain_name(str(row.reading["network"]["name"])) or row.name
    elif reason:
        row.verdict, row.reason = NetworkVerdict.UNUSABLE, storable(reason)[:2000]
    else:
        row.verdict, row.reason = NetworkVerdict.UNKNOWN, NO_SUCH
    row.save()


@joins_transaction
def judge(*, take_over_id: int) -> None:
    """Which of the networks can be taken over, and why not the others."""
    take_over = TakeOver.objects.select_related("platform").get(pk=take_over_id)
    building = existing.being_built(take_over.platform)
    for row in take_over.networks.filter(verdict=NetworkVerdict.READ).select_for_update().order_by("pk"):
        _judge(row, take_over.platform, building)
        row.save()


def _judge(row: TakeOverNetwork, platform: Platform, building: tuple[set[str], set[str]]) -> None:
    """Managed, unusable with the reason, or new."""
    info = standard.NetworkInfo.model_validate(row.reading["network"])
    ids, names = building
    if (union := existing.union_of(platform, row.network_id)) is not None:
        row.verdict, row.union, row.reason = NetworkVerdict.MANAGED, union, HAS_UNION % {"name": union.name}
    elif row.network_id in ids or key_of(info.name) in names:
        row.verdict, row.reason = NetworkVerdict.UNUSABLE, BEING_BUILT
    elif info.status not in ("running", "stopped", "unknown"):
        row.verdict, row.reason = NetworkVerdict.UNUSABLE, NOT_RUNNING % {"state": info.status}
    elif any(len(chain["chain_id"]) > MAX_ID for chain in row.reading["chains"]):
        row.verdict, row.reason = NetworkVerdict.UNUSABLE, ID_TOO_LONG
    else:
        row.verdict, row.reason = NetworkVerdict.NEW, ""


@joins_transaction
def preview(*, take_over_id: int) -> None:
    """What would be created of each new network."""
    take_over = TakeOver.objects.select_related("platform").get(pk=take_over_id)
    names: list[str] = []
    for row in take_over.networks.filter(verdict=NetworkVerdict.NEW).select_for_update().order_by("pk"):
        row.plan = plan_of(take_over.platform, row, beside=names)
        names.append(row.plan["name"])
        row.save(update_fields=["plan"])


def plan_of(platform: Platform, row: TakeOverNetwork, *, beside: Collection[str] = ()) -> Json:
    """The union's name and members, the chains, and what the platform does not tell. Reads rows only."""
    reading = row.reading
    info = standard.NetworkInfo.model_validate(reading["network"])
    members = members_seen(platform, info, _nodes(reading))
    return {
        "name": existing.free_name(platform, info.name, row.network_id, beside),
        "members": [asdict(each) for each in members],
        "chains": [
            {"chain_id": chain["chain_id"], "name": chain["name"], "nodes": len(chain["nodes"])}
            for chain in reading["chains"]
        ],
        "missing": [
            *reading["missing"],
            *([] if members else [NO_MEMBERS]),
            *([] if reading["chains"] else [NO_CHAIN]),
        ],
    }


def _nodes(reading: Json) -> list[standard.NodeInfo]:
    found = [*reading["nodes"], *(node for chain in reading["chains"] for node in chain["nodes"])]
    return [standard.NodeInfo.model_validate(node) for node in found]


# --- creating ---------------------------------------------------------------------------------------------------------


@use_case
def create_from(*, network: int, actor: User | None) -> bool:
    """One network's union with everything in it, all in this transaction; False when the flow was stopped.

    Judged again: somebody else may have taken it over since. One at a time for each platform.
    """
    row = TakeOverNetwork.objects.select_related("take_over").get(pk=network)
    if not _goes_on(row.take_over):
        return False
    platform = locked_or_missing(Platform.objects.official(), pk=row.take_over.platform_id)
    row = locked_or_missing(TakeOverNetwork.objects.select_related("take_over"), pk=network)
    if row.verdict != NetworkVerdict.NEW:
        return True
    _judge(row, platform, existing.being_built(platform))
    if row.verdict == NetworkVerdict.NEW:
        _create(row, platform, actor)
    row.save()
    return True


def _goes_on(take_over: TakeOver) -> bool:
    """Whether its flow is wanted still; held so that nobody stops it while one network is being written down."""
    flow = Flow.objects.select_for_update().filter(pk=take_over.flow_id).first()
    return flow is not None and not flow.is_final and not flow.undoing


def _create(row: TakeOverNetwork, platform: Platform, actor: User | None) -> None:
    row.plan = plan_of(platform, row)
    info = standard.NetworkInfo.model_validate(row.reading["network"])
    members = members_seen(platform, info, _nodes(row.reading))
    row.union = existing.write_union(
        actor=actor, platform=platform, network_id=row.network_id, name=row.plan["name"], members=members
    )
    places = list(row.union.members.select_related("organization").order_by("pk"))
    codes = [each.organization.orgcode for each in places]
    orgcodes = {
        member_id: code for member, code in zip(members, codes, strict=False) for member_id in member.member_ids
    }
    row.plan["members"] = [{**asdict(member), "orgcode": code} for member, code in zip(members, codes, strict=False)]
    found = [_found(chain, row.reading["nodes"], orgcodes) for chain in row.reading["chains"]]
    if found:
        record_chain(actor=actor, union_id=row.union.pk, found=found)
    existing.announce(row.union, actor=actor)
    row.verdict = NetworkVerdict.CREATED


def _found(chain: Json, others: list[Json], orgcodes: dict[str, str]) -> FoundChain:
    """A chain with its nodes; where the platform names its members by id, only those are in it."""
    named = {orgcodes[each] for each in chain["members"] if each in orgcodes}
    nodes = [*chain["nodes"], *others]
    return FoundChain(
        external_id=chain["chain_id"],
        name=plain_name(chain["name"]) or chain["chain_id"],
        extrainfo=chain["extrainfo"],
        blockspec=chain["blockspec"],
        nodes=tuple(standard.NodeInfo.model_validate(node) for node in nodes),
        orgcodes=tuple(sorted(named)),
    )


@use_case
def record_refused(*, network: int, reason: str) -> None:
    """It could not be written down; nothing of it is there."""
    row = locked_or_missing(TakeOverNetwork.objects.all(), pk=network)
    if row.verdict == NetworkVerdict.NEW:
        row.verdict, row.reason = NetworkVerdict.UNUSABLE, reason[:2000]
        row.save()


@use_case
def take_back(*, network: int, actor: User | None) -> None:
    """The flow is taken back: the union is forgotten, unless something has happened with it since."""
    row = locked_or_missing(TakeOverNetwork.objects.all(), pk=network)
    if row.verdict != NetworkVerdict.CREATED or row.union_id is None:
        return
    union_id = row.union_id
    if existing.take_back_union(union_id=union_id, actor=actor):
        row.verdict, row.union = NetworkVerdict.TAKEN_BACK, None
    else:
        row.reason = HELD_BACK
    row.save()


@joins_transaction
def report(*, take_over_id: int, actor: User | None) -> Json:
    """The end: what became of the networks, for whoever asked."""
    take_over = TakeOver.objects.select_related("platform").get(pk=take_over_id)
    verdicts = list(take_over.networks.values_list("verdict", flat=True))
    created = verdicts.count(NetworkVerdict.CREATED)
    if actor is not None:
        notify(
            [actor],
            kind="platform",
            title=gettext_noop("%(created)s of %(count)s networks of %(name)s were taken over"),
            parameters={"created": str(created), "count": str(len(verdicts)), "name": take_over.platform.name},
            link=f"/take-overs/{take_over.pk}",
            subject=take_over.platform,
        )
    audit.record(
        "chains.take_over.ended", actor=actor, target=take_over.platform, created=created, networks=len(verdicts)
    )
    return {"created": created, "networks": len(verdicts)}


@use_case
def carry_out(*, actor: User, take_over_id: int, network_ids: Sequence[str]) -> TakeOver:
    """Take over networks that a preview has shown. Invalid when one of them is not among those that can be."""
    shown = locked_or_missing(TakeOver.objects.select_related("platform"), pk=take_over_id)
    require(may_operate_platform(actor, shown.platform))
    ids = read_network_ids(list(network_ids))
    if not ids:
        raise Invalid.field("network_ids", _("Choose at least one network."))
    able = set(shown.networks.filter(verdict=NetworkVerdict.NEW).values_list("network_id", flat=True))
    if not able.issuperset(ids):
        raise Conflict.field("network_ids", _("Only networks that the preview has shown as possible can be chosen."))
    return start_take_over(actor=actor, platform=shown.platform, network_ids=ids)


def names_of(organizations: Iterable[str]) -> dict[str, str]:
    """Orgcode -> name."""
    return dict(Organization.objects.filter(orgcode__in=list(organizations)).values_list("orgcode", "name"))


def known_words(member: Json) -> str:
    """By what a member was recognized, in words."""
    return str(KnownBy(member["known_by"]).label)
