"""What this floor's audit actions and kinds of flows are called on the pages."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "unions.create": _("Create a union"),
    "unions.join": _("Join a union"),
    "unions.quit": _("Quit a union"),
    "unions.delete": _("Delete a union"),
    "unions.registration.opened": _("Registration asked for"),
    "unions.registration.approved": _("Registration approved"),
    "unions.registration.refused": _("Registration refused"),
    "unions.registration_rule.created": _("Rule for approval added"),
    "unions.registration_rule.deleted": _("Rule for approval deleted"),
    "unions.organization.updated": _("Organization changed"),
    "unions.member.added": _("Person added to an organization"),
    "unions.member.removed": _("Person removed from an organization"),
    "unions.proposal.create_proposed": _("New union proposed"),
    "unions.proposal.join_proposed": _("Joining proposed"),
    "unions.proposal.quit_proposed": _("Quitting declared"),
    "unions.proposal.delete_proposed": _("Deletion declared"),
    "unions.proposal.voted": _("Answer given"),
    "unions.proposal.carried": _("Agreed to"),
    "unions.proposal.refused": _("Proposal refused"),
    "unions.proposal.withdrawn": _("Proposal taken back"),
    "unions.proposal.expired": _("Proposal expired"),
    "unions.proposal.taken_back": _("Failed after the vote, taken back"),
    "unions.proposal.say_given": _("New member given a say"),
    "unions.proposal.say_lapsed": _("Say of a former member ended"),
    "unions.union.created": _("Union opened"),
    "unions.union.joined": _("Member has joined"),
    "unions.union.quit": _("Member has left"),
    "unions.union.deleted": _("Union deleted"),
}
