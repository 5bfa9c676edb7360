from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UnionsConfig(AppConfig):
    name = "unions"
    verbose_name = _("Unions")

    def ready(self) -> None:
        from unions import dependants, flows, frame  # noqa: F401 - registers the blueprints

        frame.hand_in()
        dependants.hand_in()
