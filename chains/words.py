"""What this floor's audit actions are called on the pages."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "chains.business_chain.created": _("Chain built"),
    "chains.business_chain.forgotten": _("Building of a chain taken back"),
    "chains.business_chain.deleted": _("Chain deleted"),
    "chains.blockchain.joined": _("Node built"),
    "chains.blockchain.quit": _("Node reclaimed"),
    "chains.blockchain.deleted": _("Ledger deleted"),
    "chains.blockchain.reading_asked": _("Reading of a chain asked for"),
}
