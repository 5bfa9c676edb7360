"""How much of ledgers is kept: set for the console or for one chain. What goes by a new rule is confirmed first."""

from __future__ import annotations

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chains.models import Blockchain, RetentionRule
from chains.policies import may_set_retention
from chains.retention import Rule, doomed, rule_of
from console import audit
from console.errors import Invalid
from console.models import User
from console.policies import require
from console.transactions import locked_or_missing, use_case

FEWEST = 256  # blocks: along these a reorganisation is followed back
MOST_DAYS = 36_500
MOST_BLOCKS = 10**12


@use_case
def set_retention(
    *, actor: User, uid: str | None, keep_blocks: int, keep_days: int, confirmed: bool = False
) -> RetentionRule:
    """Keep so many of the newest blocks, and none older than so many days; 0 sets no bound. `uid` None: the console's.

    Raises Missing, NotAllowed, and Invalid, also where blocks would go and nobody has confirmed that.
    """
    chain = _chain(actor, uid)
    require(may_set_retention(actor))
    _refuse_numbers(keep_blocks, keep_days)
    wanted = Rule(keep_blocks, keep_days, "chain" if chain else "console")
    _refuse_unconfirmed(_concerned(chain), wanted, confirmed)
    about = {"keep_blocks": keep_blocks, "keep_days": keep_days, "changed_by": actor, "changed_at": timezone.now()}
    row, _made = RetentionRule.objects.update_or_create(blockchain=chain, defaults=about)
    audit.record(
        "chains.retention.changed", actor=actor, target=chain or row, keep_blocks=keep_blocks, keep_days=keep_days
    )
    return row


@use_case
def drop_retention(*, actor: User, uid: str, confirmed: bool = False) -> None:
    """Let a chain follow the console's rule again; a second time changes nothing."""
    chain = _chain(actor, uid)
    require(may_set_retention(actor))
    own = RetentionRule.objects.filter(blockchain=chain)
    if own.exists():
        _refuse_unconfirmed(_concerned(chain), rule_of(None), confirmed)
        own.delete()
        audit.record("chains.retention.dropped", actor=actor, target=chain)


def _chain(actor: User, uid: str | None) -> Blockchain | None:
    return None if uid is None else locked_or_missing(Blockchain.objects.visible_to(actor), uid=uid)


def _concerned(chain: Blockchain | None) -> QuerySet[Blockchain]:
    rows = Blockchain.objects.order_by()
    return rows.filter(retention_rule=None) if chain is None else rows.filter(pk=chain.pk)


def _refuse_numbers(keep_blocks: int, keep_days: int) -> None:
    if keep_blocks and not FEWEST <= keep_blocks <= MOST_BLOCKS:
        raise Invalid.field("keep_blocks", _("At least %(fewest)s blocks, or 0 for all.") % {"fewest": FEWEST})
    if not 0 <= keep_days <= MOST_DAYS:
        raise Invalid.field("keep_days", _("At most %(most)s days, or 0 for any age.") % {"most": MOST_DAYS})


def _refuse_unconfirmed(rows: QuerySet[Blockchain], rule: Rule, confirmed: bool) -> None:
    if confirmed:
        return
    blocks, chains = doomed(rows, rule)
    if blocks:
        words = ngettext(
            "About %(blocks)s stored blocks of %(chains)s chain go by this rule, with their transactions, and do not "
            "come back. Statistics stay. Confirm that.",
            "About %(blocks)s stored blocks of %(chains)s chains go by this rule, with their transactions, and do not "
            "come back. Statistics stay. Confirm that.",
            chains,
        )
        raise Invalid.field("confirmed", words % {"blocks": intcomma(blocks), "chains": chains}, code="confirm")
