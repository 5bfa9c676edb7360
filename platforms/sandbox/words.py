"""What the mapping tells users, for the catalogue of translations. Nothing imports it."""

from django.utils.translation import gettext_noop

REASONS = (
    gettext_noop("The sandbox has no contract service: deploy with any Ethereum tool at a member's own node."),
    gettext_noop(
        "The sandbox has no contract service: contracts are changed with any Ethereum tool at a member's own node."
    ),
    gettext_noop(
        "The sandbox has no contract service: a contract on an Ethereum chain cannot be removed from outside."
    ),
)
