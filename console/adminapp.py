"""Which site Django's admin is, and what it calls things; named in the settings, and so loaded before any model."""

from django.apps import apps
from django.contrib.admin.apps import AdminConfig
from django.db import models
from django.utils.translation import gettext_lazy, override


class SupportConfig(AdminConfig):
    default_site = "console.adminsite.ConsoleAdminSite"

    def ready(self) -> None:
        super().ready()
        for model in apps.get_models():
            if not model.__module__.startswith("django."):
                name_in_the_reader_s_language(model)


def name_in_the_reader_s_language(model: type[models.Model]) -> None:
    """The names that Django makes for models and fields are English; as msgids they are found in the catalogue.

    Each app's `words.py` lists them. Migrations do not see this: they keep what is written in the class.
    """
    meta = model._meta
    with override("en"):
        meta.verbose_name_plural = gettext_lazy(str(meta.verbose_name_plural))
        meta.verbose_name = gettext_lazy(str(meta.verbose_name))
    for field in [*meta.local_fields, *meta.local_many_to_many]:
        if type(field.verbose_name) is str:
            field.verbose_name = gettext_lazy(field.verbose_name)
