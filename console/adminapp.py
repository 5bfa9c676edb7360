"""Which site Django's admin is; named in the settings, and so loaded before any model."""

from django.contrib.admin.apps import AdminConfig


class SupportConfig(AdminConfig):
    default_site = "console.adminsite.ConsoleAdminSite"
