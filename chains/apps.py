from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChainsConfig(AppConfig):
    name = "chains"
    verbose_name = _("Chains")

    def ready(self) -> None:
        from chains import flows, frame  # noqa: F401 - extends the blueprints of unions
        from chains.reads import chains_on, needed_by_member, used_by
        from chains.services.chains import hand_over
        from platforms.dependants import add_dependants
        from unions import quotas
        from unions.services.placeholders import on_hand_over

        quotas.count_with(used_by)
        quotas.plan_with(needed_by_member)
        on_hand_over(hand_over)
        add_dependants("chains", chains_on)
        frame.hand_in()
