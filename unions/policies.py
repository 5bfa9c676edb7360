"""Who may do what with organizations, unions and proposals; a no comes with its sentence."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from console.models import User
from console.policies import ALLOWED, Verdict, denied, may_administer, not_now
from platforms.models import Cloudtype, Platform
from platforms.observing import ONLY_OBSERVED, Management, management_of
from unions.models import (
    Drift,
    DriftState,
    MemberRole,
    Membership,
    MemberState,
    Organization,
    Proposal,
    ProposalState,
    Registration,
    RegistrationState,
    Union,
    UnionState,
)

SPEAKERS = (MemberRole.ADMINISTRATOR, MemberRole.OPERATOR)


def may_decide_registration(actor: User | AnonymousUser, registration: Registration) -> Verdict:
    """Administrators, once."""
    allowed = may_administer(actor)
    if not allowed:
        return allowed
    if registration.state != RegistrationState.PENDING:
        return not_now(_("This registration has been decided already."))
    return ALLOWED


def may_see_organization_details(actor: User, organization: Organization) -> Verdict:
    """Its own members, administrators and auditors."""
    if actor.is_administrator or actor.is_auditor or _role(actor, organization):
        return ALLOWED
    return denied(_("Only members of the organization see its details."))


def may_download_certificates(actor: User, organization: Organization) -> Verdict:
    """Its own members; nobody on its behalf."""
    if _role(actor, organization):
        return ALLOWED
    return denied(_("Only members of the organization get its certificates."))


def may_manage_organization(actor: User, organization: Organization) -> Verdict:
    """The organization's administrators and the console's."""
    if organization.is_placeholder:
        return denied(_nobody_speaks(organization))
    if organization.is_closed:
        return not_now(_("%(name)s is closed.") % {"name": organization.name})
    if actor.is_administrator or _role(actor, organization) == MemberRole.ADMINISTRATOR:
        return ALLOWED
    return denied(_("Only an administrator of %(name)s may do this.") % {"name": organization.name})


def may_speak_for(actor: User, organization: Organization) -> Verdict:
    """Administrators and operators of the organization, and the console's administrators on its behalf."""
    if organization.is_placeholder:
        return denied(_nobody_speaks(organization))
    if organization.is_closed:
        return not_now(_("%(name)s is closed.") % {"name": organization.name})
    if actor.is_administrator or _role(actor, organization) in SPEAKERS:
        return ALLOWED
    return denied(_("You do not speak for %(name)s.") % {"name": organization.name})


def may_propose_join(actor: User, union: Union, organization: Organization) -> Verdict:
    """Whoever speaks for an organization that is not in the union yet; one that is only observed gets no node."""
    return (
        may_speak_for(actor, organization)
        and _active(union)
        and manages(union.platform, union.network_id)
        and _outside(union, organization)
        and _somebody_answers(union)
    )


def may_propose_quit(actor: User, union: Union, organization: Organization) -> Verdict:
    """Whoever speaks for a member; the last member deletes the union instead."""
    return may_speak_for(actor, organization) and _active(union) and _may_leave(union, organization)


def may_propose_delete(actor: User, union: Union) -> Verdict:
    """Whoever speaks for the creator, or once that has left for the member of longest standing.

    What stands in the way besides, `unions/blockers.py` names to them.
    """
    return may_speak_for(actor, union.acting_creator()) and _active(union)


def may_release_union(actor: User | AnonymousUser, union: Union) -> Verdict:
    """Administrators, where a placeholder keeps the union from being deleted."""
    allowed = may_administer(actor) and _active(union)
    if allowed and not any(each.organization.is_placeholder for each in union.present):
        return not_now(_("No member of this union is a placeholder: it can be deleted."))
    return allowed


def may_propose_claim(actor: User, placeholder: Organization, claimant: Organization) -> Verdict:
    """Whoever speaks for an organization whose resource space is the placeholder's, or may be.

    Where the platform names a tenant, only the organization that the tenant is bound to can be it.
    """
    if placeholder.is_closed:
        return not_now(_("%(name)s is closed.") % {"name": placeholder.name})
    if not placeholder.is_placeholder:
        return not_now(_("%(name)s is a registered organization, not a placeholder.") % {"name": placeholder.name})
    found, own = placeholder.space, claimant.space
    if found.platform is None:
        return not_now(_("Nobody knows on which platform the placeholder is."))
    allowed = may_speak_for(actor, claimant) and fits(found.platform, claimant)
    if allowed and found.tenantid and found.tenantid != own.tenantid:
        words = _("To the platform %(placeholder)s is the tenant %(tenantid)s; the space of %(name)s is another.")
        return not_now(words % {"placeholder": placeholder.name, "tenantid": found.tenantid, "name": claimant.name})
    return allowed


def may_answer_for_console(actor: User, proposal: Proposal) -> Verdict:
    """Administrators, where the members of the unions concerned cannot answer themselves."""
    if not proposal.console_asked:
        return may_administer(actor) and not_now(_("The members decide this; the console is not asked."))
    return may_administer(actor)


def may_propose_rule(actor: User, union: Union, organization: Organization) -> Verdict:
    """Whoever speaks for an active member."""
    return may_speak_for(actor, organization) and _active(union) and _member(union, organization)


def may_cast_vote(actor: User, proposal: Proposal, organization: Organization) -> Verdict:
    """Whoever speaks for an organization that has a say and has not used it."""
    elector = proposal.electors.filter(organization=organization).first()
    if elector is None:
        return denied(_("%(name)s has no say in this proposal.") % {"name": organization.name})
    if elector.lapsed_at is not None:
        return denied(_("%(name)s has left the union; its say has ended.") % {"name": organization.name})
    return may_speak_for(actor, organization)


def may_withdraw_proposal(actor: User, proposal: Proposal) -> Verdict:
    """Whoever speaks for the organization that asked, while it is open."""
    if proposal.state != ProposalState.OPEN:
        return not_now(_("This proposal has been decided already."))
    return may_speak_for(actor, proposal.proposer)


def may_compare_union(actor: User, union: Union) -> Verdict:
    """Administrators, and whoever speaks for a member, while the union is there."""
    if union.state != UnionState.ACTIVE:
        return _active(union)
    if actor.is_administrator or any(_role(actor, member.organization) in SPEAKERS for member in union.present):
        return ALLOWED
    return denied(_("Only administrators, and who speaks for a member, may do this."))


def may_mend_drift(actor: User, drift: Drift) -> Verdict:
    """Administrators, while it is open."""
    return may_administer(actor) and _open(drift)


def may_propose_mend(actor: User, drift: Drift) -> Verdict:
    """Administrators, and whoever speaks for a member of the union; while it is open and nothing else goes on."""
    members = [member.organization for member in drift.union.present] if drift.union else []
    if not (actor.is_administrator or any(_role(actor, each) in SPEAKERS for each in members)):
        return denied(_("Only administrators, and who speaks for a member, may do this."))
    if drift.union is not None:
        return _open(drift) and _active(drift.union) and _at_rest(drift.union)
    return _open(drift)


def may_write_off(drift: Drift) -> Verdict:
    """A whole union is given up only while nothing else is being asked."""
    return _quiet(drift.union) if drift.union is not None else ALLOWED


def _open(drift: Drift) -> Verdict:
    if drift.state == DriftState.OPEN:
        return ALLOWED
    return not_now(_("This difference is not open: %(state)s.") % {"state": drift.get_state_display()})


def fits(platform: Platform, organization: Organization) -> Verdict:
    """Nodes can be built where the resource space is: on the tenant's platform, or on one that takes machines."""
    if organization.space.platform_id not in (None, platform.pk):
        return not_now(_("Its resource space is on another platform."))
    if platform.cloudtype not in (Cloudtype.BOTH, organization.category):
        return not_now(_("The platform takes no organizations of this category."))
    return ALLOWED


def manages(platform: Platform, network_id: str) -> Verdict:
    """Whether the console may build and remove nodes there, or only reads."""
    if management_of(platform, network_id) == Management.OBSERVED:
        return not_now(_(ONLY_OBSERVED))
    return ALLOWED


def supports(platform: Platform, operation: str) -> Verdict:
    """What the platform declared when it was registered, with its reason."""
    supported, reason = platform.capability(operation)
    return ALLOWED if supported else not_now(reason)


def brings_chain(platform: Platform) -> Verdict:
    """Whether a union's network comes with a chain: the platform builds one, or lists those that came by themselves."""
    return ALLOWED if supports(platform, "list_chains") else supports(platform, "create_chain")


def _role(actor: User, organization: Organization) -> str:
    membership = Membership.objects.filter(user=actor, organization=organization).first()
    return membership.role if membership else ""


def _nobody_speaks(placeholder: Organization) -> str:
    words = _("%(name)s is a placeholder: nobody speaks for it until the rightful organization has claimed it.")
    return words % {"name": placeholder.name}


def _somebody_answers(union: Union) -> Verdict:
    """A union whose members are all placeholders cannot agree to anything."""
    if any(not each.organization.is_placeholder for each in union.present):
        return ALLOWED
    return not_now(_("Every member of this union is a placeholder; one has to be claimed before anybody can answer."))


def _active(union: Union) -> Verdict:
    if union.state == UnionState.ACTIVE:
        return ALLOWED
    return not_now(_("The union is %(state)s.") % {"state": union.get_state_display().lower()})


def _at_rest(union: Union) -> Verdict:
    """Nothing on the union is being carried out."""
    busy = Proposal.objects.under_way().filter(union=union, state=ProposalState.CARRIED).first()
    if busy is None:
        return ALLOWED
    text = _("A proposal on this union is being carried out (%(proposal)s); wait until that has ended.")
    return not_now(text % {"proposal": busy})


def _quiet(union: Union) -> Verdict:
    """Nothing else on the union is being asked or carried out."""
    busy = Proposal.objects.under_way().filter(union=union).first()
    if busy is None:
        return ALLOWED
    words = {"proposal": busy}
    if busy.state == ProposalState.OPEN:
        text = _("A proposal on this union is open (%(proposal)s); it must be decided or withdrawn first.")
    else:
        text = _("A proposal on this union is being carried out (%(proposal)s); wait until that has ended.")
    return not_now(text % words)


def _outside(union: Union, organization: Organization) -> Verdict:
    if any(each.organization_id == organization.pk for each in union.present):
        return not_now(_("%(name)s is a member already.") % {"name": organization.name})
    return ALLOWED


def _member(union: Union, organization: Organization) -> Verdict:
    if organization.pk in _active_members(union):
        return ALLOWED
    return not_now(_("%(name)s is not a member of this union.") % {"name": organization.name})


def _active_members(union: Union) -> list[int]:
    return [each.organization_id for each in union.present if each.state == MemberState.ACTIVE]


def _may_leave(union: Union, organization: Organization) -> Verdict:
    if not (member := _member(union, organization)):
        return member
    if len(_active_members(union)) == 1:
        return not_now(_("The last member cannot quit; delete the union instead."))
    return ALLOWED
