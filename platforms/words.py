"""What the support site calls this floor's models, for the catalogue of translations. Nothing is read from here."""

from django.utils.translation import gettext_noop

# What the support site calls models and their fields where these do not say it themselves: see console/adminapp.py.
NAMES = (
    gettext_noop("platform"),
    gettext_noop("platforms"),
    gettext_noop("capabilities"),
    gettext_noop("health detail"),
    gettext_noop("health at"),
    gettext_noop("registered by"),
    gettext_noop("revision"),
    gettext_noop("platform version"),
    gettext_noop("platform versions"),
    gettext_noop("api file"),
    gettext_noop("mapping"),
    gettext_noop("samples"),
    gettext_noop("created by"),
    gettext_noop("tenant"),
    gettext_noop("tenants"),
    gettext_noop("tenantid"),
    gettext_noop("tenantname"),
    gettext_noop("projectid"),
    gettext_noop("projectname"),
    gettext_noop("read at"),
    gettext_noop("draft"),
    gettext_noop("drafts"),
    gettext_noop("owner"),
    gettext_noop("registration"),
    gettext_noop("api document"),
    gettext_noop("api problems"),
    gettext_noop("setup"),
)
