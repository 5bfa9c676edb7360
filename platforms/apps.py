from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlatformsConfig(AppConfig):
    name = "platforms"
    verbose_name = _("Platforms")

    def ready(self) -> None:
        from platforms import flows, frame  # noqa: F401 - registers the blueprints
        from platforms.auth import oauth2_client  # noqa: F401 - declares sentences, which every process has to know
        from platforms.drivers import mapped  # noqa: F401 - as well
        from platforms.drivers.evm import words as evm_words  # noqa: F401 - as well
        from platforms.hosts import words  # noqa: F401 - as well

        frame.hand_in()
