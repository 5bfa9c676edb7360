from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UnionsConfig(AppConfig):
    name = "unions"
    verbose_name = _("Unions")

    def ready(self) -> None:
        from platforms.hosts.spaces import find_spaces_by
        from unions import blockers, dependants, flows, frame, spaces  # noqa: F401 - registers the blueprints

        frame.hand_in()
        dependants.hand_in()
        blockers.hand_in()
        find_spaces_by(spaces.machines_of)
