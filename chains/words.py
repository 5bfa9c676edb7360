"""What this floor's audit actions are called on the pages."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

WORDS = {
    "chains.take_over": _("Take over networks"),
    "chains.preview_take_over": _("See which networks can be taken over"),
    "chains.take_over.requested": _("Take-over of networks asked for"),
    "chains.take_over.ended": _("Take-over of networks ended"),
    "chains.business_chain.created": _("Chain built"),
    "chains.business_chain.forgotten": _("Building of a chain taken back"),
    "chains.business_chain.deleted": _("Chain deleted"),
    "chains.blockchain.joined": _("Node built"),
    "chains.node.forgotten": _("Node recorded as gone"),
    "chains.blockchain.quit": _("Node reclaimed"),
    "chains.blockchain.deleted": _("Ledger deleted"),
    "chains.blockchain.reading_asked": _("Reading of a chain asked for"),
}

# What the support site calls models and their fields where these do not say it themselves: see console/adminapp.py.
NAMES = (
    gettext_noop("missing since"),
    gettext_noop("business chains"),
    gettext_noop("blockchain"),
    gettext_noop("blockchains"),
    gettext_noop("extrainfo"),
    gettext_noop("infraspec"),
    gettext_noop("blockspec"),
    gettext_noop("block hash"),
    gettext_noop("block time"),
    gettext_noop("read error"),
    gettext_noop("read failures"),
    gettext_noop("details read at"),
    gettext_noop("next read at"),
    gettext_noop("reader"),
    gettext_noop("node"),
    gettext_noop("nodes"),
    gettext_noop("external id"),
    gettext_noop("blocks"),
    gettext_noop("transaction"),
    gettext_noop("index"),
    gettext_noop("input"),
    gettext_noop("sample"),
    gettext_noop("unit"),
    gettext_noop("take over"),
    gettext_noop("take overs"),
    gettext_noop("take over network"),
    gettext_noop("take over networks"),
    gettext_noop("network ids"),
    gettext_noop("dry run"),
    gettext_noop("left out"),
    gettext_noop("reading"),
    gettext_noop("plan"),
    gettext_noop("requested by"),
)
