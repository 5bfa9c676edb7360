from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ChainsConfig(AppConfig):
    name = "chains"
    verbose_name = _("Chains")

    def ready(self) -> None:
        from chains import flows, frame  # noqa: F401 - extends the blueprints of unions
        from chains.blockers import idle_machines, organization_blockers
        from chains.reads import chains_on, needed_by_member, used_by
        from chains.services import endings
        from chains.services.chains import hand_over
        from chains.storage import leave_room
        from console.blockers import add_teller
        from platforms.dependants import Ending, add_dependants, add_ending
        from unions import quotas
        from unions.blockers import find_idle_machines_with
        from unions.services.endings import on_release
        from unions.services.placeholders import on_hand_over

        quotas.count_with(used_by)
        quotas.plan_with(needed_by_member)
        on_hand_over(hand_over)
        on_release(endings.release_chains_of)
        add_teller("organization", organization_blockers)
        find_idle_machines_with(idle_machines)
        add_dependants("chains", chains_on)
        add_ending("chains", Ending(endings.under_way, endings.hand_over, endings.release))
        frame.hand_in()
        post_migrate.connect(leave_room, sender=self)
