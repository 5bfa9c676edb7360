"""How many of those asked must agree."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Rule(models.TextChoices):
    EVERYONE = "everyone", _("Everyone agrees")
    MAJORITY = "majority", _("More than half agree")
    THRESHOLD = "threshold", _("A share agrees")


def rule_is_whole() -> models.Q:
    """A threshold has its share, in percent; the other rules have none."""
    share = models.Q(rule=Rule.THRESHOLD, threshold__gte=1, threshold__lte=100)
    return share | (~models.Q(rule=Rule.THRESHOLD) & models.Q(rule__in=Rule.values, threshold=None))
