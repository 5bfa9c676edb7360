"""What applications have reported of contracts: a report for each run, and what it found."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from chains.models.contracts import Contract, ContractVersion
from console.models import Flow, User


class ReportState(models.TextChoices):
    RUNNING = "running", _("Being examined")
    DONE = "done", _("Examined")
    FAILED = "failed", _("Failed")


class FindingSeverity(models.TextChoices):
    HIGH = "high", _("High")
    MEDIUM = "medium", _("Medium")
    LOW = "low", _("Low")
    INFO = "info", _("Remark")


WORST_FIRST = tuple(FindingSeverity.values)


class FindingState(models.TextChoices):
    OPEN = "open", _("Open")
    ACCEPTED = "accepted", _("Accepted")


class ScanReportQuerySet(models.QuerySet["ScanReport"]):
    def visible_to(self, user: User) -> ScanReportQuerySet:
        """As their contracts."""
        return self.filter(version__contract__in=Contract.objects.visible_to(user))


class ScanReport(ConcurrentTransitionMixin, models.Model):
    """One run of an application on one version of a contract."""

    version = models.ForeignKey(ContractVersion, on_delete=models.CASCADE, related_name="reports")
    application = models.CharField(_("application"), max_length=40)
    title = models.CharField(max_length=80)  # of the application, which may be gone by now
    application_version = models.CharField(_("version"), max_length=40)
    tool = models.CharField(_("tool"), max_length=200, blank=True)  # as it calls itself, with its version
    state = FSMField(_("state"), default=ReportState.RUNNING, choices=ReportState, protected=True)
    problem = models.TextField(blank=True)  # why it failed
    summary = models.TextField(blank=True)
    checks = models.JSONField(default=list, blank=True)  # what was to be proved, and what became of it
    examined = models.BooleanField(default=True)  # false: there was nothing for it to prove, so nothing is said
    seconds = models.FloatField(_("seconds"), null=True, blank=True)
    flow = models.ForeignKey(Flow, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(_("started"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = ScanReportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="scan_report_state_known", condition=Q(state__in=ReportState.values)),
            models.CheckConstraint(
                name="scan_report_ended_when_final",
                condition=Q(state=ReportState.RUNNING, ended_at=None)
                | (~Q(state=ReportState.RUNNING) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="scan_report_failed_says_why", condition=~Q(state=ReportState.FAILED) | ~Q(problem="")
            ),
            models.UniqueConstraint(
                fields=["version", "application"],
                name="one_scan_at_a_time",
                condition=Q(state=ReportState.RUNNING),
                violation_error_message=_("This application is examining the version already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.version}"

    @transition(state, source=ReportState.RUNNING, target=ReportState.DONE)
    def finish(self) -> None:
        self.ended_at = timezone.now()

    @transition(state, source=ReportState.RUNNING, target=ReportState.FAILED)
    def fail(self, problem: str) -> None:
        self.problem, self.ended_at = problem, timezone.now()


class Finding(ConcurrentTransitionMixin, models.Model):
    """Something that an application has found. Open until somebody accepts it, with a reason."""

    report = models.ForeignKey(ScanReport, on_delete=models.CASCADE, related_name="findings")
    number = models.PositiveIntegerField()
    rule = models.CharField(_("rule"), max_length=100)
    severity = models.CharField(_("severity"), max_length=10, choices=FindingSeverity)
    title = models.CharField(_("title"), max_length=300)
    text = models.TextField(blank=True)
    advice = models.TextField(_("advice"), blank=True)
    counterexample = models.TextField(_("counter-example"), blank=True)
    file = models.CharField(_("file"), max_length=300, blank=True)
    line = models.PositiveIntegerField(_("line"), null=True, blank=True)
    column = models.PositiveIntegerField(_("column"), null=True, blank=True)
    function = models.CharField(_("function"), max_length=300, blank=True)
    state = FSMField(_("state"), default=FindingState.OPEN, choices=FindingState, protected=True)
    reason = models.TextField(_("reason"), blank=True)
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)

    class Meta:
        ordering = ["report", "number"]
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="finding_number_once"),
            models.CheckConstraint(name="finding_state_known", condition=Q(state__in=FindingState.values)),
            models.CheckConstraint(name="finding_severity_known", condition=Q(severity__in=FindingSeverity.values)),
            models.CheckConstraint(
                name="finding_accepted_with_reason",
                condition=Q(state=FindingState.OPEN, reason="", accepted_at=None)
                | (Q(state=FindingState.ACCEPTED, accepted_at__isnull=False) & ~Q(reason="")),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def same(self) -> tuple[str, str, str, int | None, str]:
        """By what it is known again in a later report on the same version."""
        return self.rule, self.title, self.file, self.line, self.function

    @transition(state, source=FindingState.OPEN, target=FindingState.ACCEPTED)
    def accept(self, by: User | None, reason: str) -> None:
        self.accepted_by, self.reason, self.accepted_at = by, reason, timezone.now()

    @transition(state, source=FindingState.ACCEPTED, target=FindingState.OPEN)
    def open_again(self) -> None:
        self.accepted_by, self.reason, self.accepted_at = None, "", None
