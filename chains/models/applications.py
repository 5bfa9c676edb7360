"""Installations: which applications of the warehouse are there to be used, and what was last seen of each."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from console.models import Flow, User


class InstallationState(models.TextChoices):
    ABSENT = "absent", _("Not installed")
    INSTALLING = "installing", _("Being installed")
    INSTALLED = "installed", _("Installed")
    UPGRADING = "upgrading", _("Being upgraded")
    REMOVING = "removing", _("Being uninstalled")


IN_USE = (InstallationState.INSTALLED, InstallationState.UPGRADING)


class ApplicationHealth(models.TextChoices):
    UNKNOWN = "unknown", _("Not tried yet")
    UP = "up", _("Works")
    DOWN = "down", _("Does not work")


class Installation(ConcurrentTransitionMixin, models.Model):
    """An application that is installed, or once was; one row for each name, so that its history has a place.

    `manifest` is the one that it was installed by: the warehouse may offer another by now.
    """

    name = models.CharField(_("name"), max_length=40, unique=True)
    version = models.CharField(_("version"), max_length=40)
    digest = models.CharField(max_length=64)  # of the warehouse's folder that it was installed from
    manifest = models.JSONField(default=dict)
    state = FSMField(_("state"), default=InstallationState.ABSENT, choices=InstallationState, protected=True)
    health = models.CharField(_("health"), max_length=10, choices=ApplicationHealth, default=ApplicationHealth.UNKNOWN)
    problem = models.TextField(blank=True)  # why it does not work
    tool_version = models.CharField(_("tool"), max_length=80, blank=True)  # as the tool itself says
    host = models.CharField(_("machine"), max_length=200, blank=True)  # that has tried it last
    checked_at = models.DateTimeField(_("tried"), null=True, blank=True)
    flow = models.ForeignKey(Flow, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    installed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    installed_at = models.DateTimeField(_("installed"), default=timezone.now)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="installation_state_known", condition=Q(state__in=InstallationState.values)),
            models.CheckConstraint(name="installation_health_known", condition=Q(health__in=ApplicationHealth.values)),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return str(self.manifest.get("title") or self.name)

    @property
    def label(self) -> str:
        """Where it lives, beside other versions of it."""
        return f"{self.version}-{self.digest[:8]}"

    @property
    def gives(self) -> list[str]:
        return list(self.manifest.get("gives", []))

    @property
    def is_image(self) -> bool:
        return "image" in self.manifest

    @property
    def usable(self) -> bool:
        return self.state in IN_USE

    @transition(state, source=InstallationState.ABSENT, target=InstallationState.INSTALLING)
    def begin(self, *, version: str, digest: str, manifest: dict[str, Any], by: User) -> None:
        """It is being built."""
        self.version, self.digest, self.manifest, self.installed_by = version, digest, manifest, by
        self.health, self.problem, self.tool_version, self.checked_at = ApplicationHealth.UNKNOWN, "", "", None

    @transition(state, source=InstallationState.INSTALLING, target=InstallationState.ABSENT)
    def give_up(self, problem: str) -> None:
        """It is not there, and why."""
        self.problem = problem

    @transition(state, source=InstallationState.INSTALLING, target=InstallationState.INSTALLED)
    def settle(self) -> None:
        """It is there, and it works."""
        self.installed_at = timezone.now()

    @transition(state, source=InstallationState.INSTALLED, target=InstallationState.UPGRADING)
    def begin_upgrade(self) -> None:
        """Another version is being built beside it."""

    @transition(state, source=InstallationState.UPGRADING, target=InstallationState.INSTALLED)
    def end_upgrade(self, *, version: str = "", digest: str = "", manifest: dict[str, Any] | None = None) -> None:
        """With a version: that is used from now on. Without one: nothing has changed."""
        if manifest is not None:
            self.version, self.digest, self.manifest = version, digest, manifest
            self.installed_at = timezone.now()

    @transition(state, source=InstallationState.INSTALLED, target=InstallationState.REMOVING)
    def begin_removing(self) -> None:
        """Nobody uses it from now on."""

    @transition(state, source=InstallationState.REMOVING, target=InstallationState.ABSENT)
    def remove(self) -> None:
        """Its files are gone."""
        self.health, self.problem = ApplicationHealth.UNKNOWN, ""

    @transition(state, source=InstallationState.REMOVING, target=InstallationState.INSTALLED)
    def keep(self) -> None:
        """It was not removed after all."""


class ContainerEngine(models.Model):
    """The engine for applications that are images, as it was last seen; the settings name it, this remembers it."""

    address = models.CharField(_("address"), max_length=300, unique=True)
    health = models.CharField(_("health"), max_length=10, choices=ApplicationHealth, default=ApplicationHealth.UNKNOWN)
    problem = models.TextField(blank=True)  # why it does not work
    host = models.CharField(_("machine"), max_length=200, blank=True)  # as it calls itself
    version = models.CharField(_("version"), max_length=80, blank=True)
    cpus = models.PositiveIntegerField(default=0)
    memory = models.PositiveBigIntegerField(default=0)  # bytes
    checked_at = models.DateTimeField(_("checked"), default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="container_engine_health_known", condition=Q(health__in=ApplicationHealth.values)
            )
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def memory_gb(self) -> float:
        return round(self.memory / 2**30, 1)
