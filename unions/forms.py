"""Forms: they read what a person typed and say what is wrong with its shape; whether it is allowed, services say."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from console.forms import SecretInput, SecretText
from platforms.models import Platform
from unions.models import Category, MemberRole, Organization, Rule
from unions.quotas import MAX_QUOTA

MAX_CERTIFICATE = 64 * 1024  # bytes
PORT = re.compile(r"\s*[0-9]{1,9}\s*")  # as typed; how large it may be, the service says


def read_machines(text: str) -> list[dict[str, Any]]:
    """`ip:port`, one a line, as `[{ip, port}]`; ValidationError names the lines that are none."""
    machines, errors = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        ip, colon, port = line.strip().rpartition(":")
        if not colon or not ip or not PORT.fullmatch(port):
            errors.append(_("Line %(number)d: write address:port, for example 10.0.0.5:9001.") % {"number": number})
            continue
        machines.append({"ip": ip.strip().strip("[]"), "port": int(port)})
    if errors:
        raise forms.ValidationError(errors)
    return machines


def machine_lines(machines: Any) -> str:
    """Machines as the form shows them."""
    return "\n".join(f"[{m.ip}]:{m.port}" if ":" in m.ip else f"{m.ip}:{m.port}" for m in machines)


class CredentialFields(forms.Form):
    """What opens a resource space; shared by registering and by changing an organization."""

    ak = forms.CharField(label=_("Access key (AK)"), max_length=500, required=False, widget=SecretInput())
    sk = forms.CharField(label=_("Secret key (SK)"), max_length=500, required=False, widget=SecretInput())
    token = forms.CharField(
        label=_("Token"),
        max_length=10000,
        required=False,
        widget=SecretInput(),
        help_text=_("Only if your platform gave you one instead of a key pair."),
    )
    nodelist = forms.CharField(
        label=_("Machines"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "placeholder": "10.0.0.5:9001\n10.0.0.6:9001"}),
        help_text=_("One machine on each line: address:port."),
        error_messages={"required": _("List at least one machine.")},
    )
    tlscert = forms.CharField(
        label=_("TLS certificate"),
        required=False,
        strip=False,
        widget=SecretText(
            attrs={
                "rows": 6,
                "spellcheck": "false",
                "placeholder": "-----BEGIN CERTIFICATE-----",
                "autocomplete": "off",
            }
        ),
        help_text=_("Paste the PEM text: the certificate, its private key and the authority. Or choose a file below."),
    )
    tlscert_file = forms.FileField(
        label=_("Certificate file"),
        required=False,
        help_text=_("A .pem file; used if the field above is empty."),
        widget=forms.FileInput(attrs={"accept": ".pem,.crt,.cer,.key,text/plain"}),
    )

    def clean_nodelist(self) -> list[dict[str, Any]]:
        return read_machines(self.cleaned_data["nodelist"])

    def clean_tlscert_file(self) -> str:
        upload: UploadedFile | None = self.cleaned_data["tlscert_file"]
        if upload is None:
            return ""
        if upload.size is not None and upload.size > MAX_CERTIFICATE:
            raise forms.ValidationError(_("This file is too large for a certificate: at most 64 KiB."))
        try:
            return upload.read().decode("ascii")
        except UnicodeDecodeError:
            raise forms.ValidationError(_("This is not PEM text; convert the file to PEM first.")) from None

    def certificate(self) -> str:
        """The PEM text from whichever of the two fields was used."""
        return str(self.cleaned_data.get("tlscert", "").strip() or self.cleaned_data.get("tlscert_file", ""))


class RegistrationForm(CredentialFields):
    """The public sign-up: an account, an organization, and where its nodes will run."""

    username = forms.CharField(
        label=_("User name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 8 characters, not only digits, not a common word."),
    )
    name = forms.CharField(
        label=_("Name of the organization"),
        max_length=200,
        help_text=_("As other organizations know it, for example “Tax Bureau”."),
    )
    category = forms.ChoiceField(
        label=_("Where do your chains run?"),
        choices=[
            (Category.CLOUD, _("In the cloud: a tenant of a blockchain platform")),
            (Category.ON_PREM, _("On our own machines")),
        ],
        widget=forms.RadioSelect,
        initial=Category.CLOUD,
    )
    oemtype = forms.ChoiceField(label=_("Platform"), required=False)
    tenantid = forms.CharField(
        label=_("Tenant id"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Your platform shows it in your account; its name is looked up for you."),
        error_messages={"required": _("Give the id of your tenant.")},
    )
    projectid = forms.CharField(label=_("Project id"), max_length=100, required=False)

    ACCOUNT = ("username", "email", "password")
    ORGANIZATION = ("name", "category")
    TENANT = ("tenantid", "projectid", "ak", "sk", "token")
    CLOUD = ("oemtype", *TENANT)
    ON_PREM = ("nodelist", "tlscert", "tlscert_file")

    def __init__(self, *args: Any, with_account: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not with_account:
            for name in self.ACCOUNT:
                del self.fields[name]
        for name in ("tenantid",) if self.chosen_category == Category.CLOUD else ("nodelist",):
            self.fields[name].required = True
        platforms = list(Platform.objects.official().order_by("-is_default", "name"))
        self.fields["oemtype"].choices = [(each.oemtype, each.name) for each in platforms]  # type: ignore[attr-defined]
        chosen = str(self["oemtype"].value() or "")
        self.platform = next(
            (each for each in platforms if each.oemtype == chosen), platforms[0] if platforms else None
        )
        for name, words in self.asked_for.items():
            if name in self.TENANT:
                self.fields[name].help_text = gettext(words)
        for name in self.TENANT:  # another platform may be chosen while somebody types
            self.fields[name].widget.attrs["hx-preserve"] = "true"

    @property
    def asked_for(self) -> dict[str, str]:
        """What the chosen platform's mapping says an organization types, by field; empty where it does not say."""
        return dict(self.platform.organization_fields) if self.platform is not None else {}

    @property
    def tenant_fields(self) -> list[forms.BoundField]:
        """What the platform asks of a tenant: all where it does not say."""
        return [self[name] for name in self.TENANT if name not in self.aside]

    @property
    def other_fields(self) -> list[forms.BoundField]:
        """What the platform does not ask for."""
        return [self[name] for name in self.TENANT if name in self.aside]

    @property
    def has_others(self) -> bool:
        """Whether something is in them that has to be looked at."""
        return any(each.errors or each.value() for each in self.other_fields)

    @property
    def aside(self) -> set[str]:
        asked = self.asked_for
        return {name for name in self.TENANT if asked and name not in asked and not self.fields[name].required}

    @property
    def account_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.ACCOUNT if name in self.fields]

    @property
    def chosen_category(self) -> str:
        """Which set of fields to show."""
        chosen = str(self["category"].value() or Category.CLOUD)
        return chosen if chosen in Category.values else str(Category.CLOUD)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        on_prem = cleaned.get("category") == Category.ON_PREM
        if on_prem and not self.certificate() and "tlscert_file" not in self.errors:
            self.add_error("tlscert", _("Give the certificate that opens your machines."))
        return cleaned

    def clean_nodelist(self) -> list[dict[str, Any]]:
        """Machines only count on-prem; the form keeps them while somebody looks at the other category."""
        return [] if self.chosen_category == Category.CLOUD else super().clean_nodelist()

    def organization(self) -> dict[str, Any]:
        """The fields of table 1 that belong to the chosen category."""
        data = self.cleaned_data
        asked: dict[str, Any] = {"name": data["name"], "category": data["category"]}
        if data["category"] == Category.CLOUD:
            return asked | {name: data[name] for name in self.CLOUD if data[name]}
        return asked | {"nodelist": data["nodelist"], "tlscert": self.certificate()}


class OrganizationForm(CredentialFields):
    """Change an organization; an empty credential keeps the one there is."""

    name = forms.CharField(label=_("Name"), max_length=200)
    projectid = forms.CharField(label=_("Project id"), max_length=100, required=False)

    CLOUD = ("projectid", "ak", "sk", "token")
    ON_PREM = ("nodelist", "tlscert", "tlscert_file")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        away = self.ON_PREM if organization.category == Category.CLOUD else self.CLOUD
        for name in away:
            del self.fields[name]
        for name in ("ak", "sk", "token", "tlscert"):
            if name in self.fields:
                self.fields[name].help_text = _("Leave empty to keep the one that is stored.")
        self.order_fields(["name", *self.CLOUD, *self.ON_PREM])

    def changes(self) -> dict[str, Any]:
        """Only what differs from what is stored; credentials only if something was typed."""
        data, space = self.cleaned_data, self.organization.space
        changes: dict[str, Any] = {}
        if data["name"] != self.organization.name:
            changes["name"] = data["name"]
        if self.organization.category == Category.CLOUD:
            if data["projectid"] != space.projectid:
                changes["projectid"] = data["projectid"]
            return changes | {name: data[name] for name in ("ak", "sk", "token") if data[name]}
        if data["nodelist"] != [{"ip": m.ip, "port": m.port} for m in space.machines.all()]:
            changes["nodelist"] = data["nodelist"]
        if self.certificate():
            changes["tlscert"] = self.certificate()
        return changes

    def clean_nodelist(self) -> list[dict[str, Any]]:
        return super().clean_nodelist() if "nodelist" in self.fields else []

    def clean_tlscert_file(self) -> str:
        return super().clean_tlscert_file() if "tlscert_file" in self.fields else ""


class QuotaForm(forms.Form):
    """What a resource space may hold."""

    nodes = forms.IntegerField(
        label=_("Nodes"), required=False, min_value=0, max_value=MAX_QUOTA, help_text=_("Empty: no limit.")
    )
    chains = forms.IntegerField(
        label=_("Chains to take part in"),
        required=False,
        min_value=0,
        max_value=MAX_QUOTA,
        help_text=_("Empty: no limit."),
    )


class MemberForm(forms.Form):
    """Take a person in."""

    username = forms.CharField(label=_("User name"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=MemberRole.choices, initial=MemberRole.OPERATOR)


class ReasonForm(forms.Form):
    """Why a registration is refused; the applicant reads it."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The applicant reads this."),
    )


class IgnoreForm(forms.Form):
    """Why a difference may stay as it is."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Whoever looks at it later reads this."),
    )


class RuleForm(forms.Form):
    """A rule for automatic approval."""

    name = forms.CharField(label=_("Name of the rule"), max_length=100)
    category = forms.ChoiceField(label=_("Category"), required=False)
    oemtype = forms.ChoiceField(label=_("Platform"), required=False)
    email_domain = forms.CharField(
        label=_("E-mail domain"),
        required=False,
        max_length=200,
        help_text=_("For example tax.example.gov; empty means any."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        platforms = Platform.objects.official().order_by("name")
        self.fields["category"].choices = [("", _("Any")), *Category.choices]  # type: ignore[attr-defined]
        self.fields["oemtype"].choices = [  # type: ignore[attr-defined]
            ("", _("Any")),
            *((each.oemtype, each.name) for each in platforms),
        ]


class RuleFields(forms.Form):
    """How many members must agree."""

    rule = forms.ChoiceField(
        label=_("How many members must agree"),
        choices=Rule.choices,
        initial=Rule.EVERYONE,
        required=False,
        widget=forms.RadioSelect,
        help_text=_("To what members are asked later: who may join, and another rule."),
    )
    threshold = forms.IntegerField(
        label=_("Share of the members, in percent"),
        required=False,
        min_value=1,
        max_value=100,
        widget=forms.NumberInput(attrs={"placeholder": "60"}),
        help_text=_("Only for “A share agrees”: for example 60, then 3 of 5 members must agree."),
    )

    def clean_rule(self) -> str:
        return str(self.cleaned_data["rule"] or Rule.EVERYONE)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "rule" in cleaned and cleaned["rule"] != Rule.THRESHOLD:
            cleaned["threshold"] = None
            self.errors.pop("threshold", None)
        elif cleaned.get("threshold") is None and "threshold" not in self.errors:
            self.add_error("threshold", _("Say how many percent."))
        return cleaned


class UnionForm(RuleFields):
    """What a union shall be. `speaks_for` are the organizations that the person may create it for."""

    name = forms.CharField(
        label=_("Name of the union"),
        max_length=200,
        help_text=_("What the work is about, for example “Building permits”."),
    )
    creatororg = forms.ChoiceField(label=_("On behalf of"))
    oemtype = forms.ChoiceField(label=_("Platform"), widget=forms.RadioSelect, required=False)
    orgs = forms.MultipleChoiceField(
        label=_("Organizations to invite"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    network_id = forms.CharField(
        label=_("Network that exists already"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Its id on the platform, if the union shall be made of one that your organization is in."),
    )
    comment = forms.CharField(
        label=_("Message to those invited"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, speaks_for: Any, platforms: Any, invitable: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["creatororg"].choices = [(o.orgcode, o.name) for o in speaks_for]  # type: ignore[attr-defined]
        self.fields["oemtype"].choices = [(p.oemtype, p.name) for p in platforms]  # type: ignore[attr-defined]
        self.fields["orgs"].choices = [(o.orgcode, o.name) for o in invitable]  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        return str(self.cleaned_data["name"]).strip()

    def clean_orgs(self) -> list[str]:
        return [code for code in self.cleaned_data["orgs"] if code != self.data.get("creatororg")]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "orgs" in cleaned and not cleaned["orgs"] and not cleaned.get("network_id"):
            self.add_error("orgs", _("Invite at least one organization."))
        return cleaned


class MoveForm(forms.Form):
    """Which organization joins or quits, and a word to those who decide."""

    orgcode = forms.ChoiceField(label=_("Organization"))
    comment = forms.CharField(
        label=_("Message"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, organizations: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["orgcode"].choices = [(o.orgcode, o.name) for o in organizations]  # type: ignore[attr-defined]


class RuleChangeForm(RuleFields, MoveForm):
    """Another rule, which member proposes it, and a word to the others."""

    field_order = ("orgcode", "rule", "threshold", "comment")


class WithdrawalForm(forms.Form):
    """Why a proposal is taken back."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Those asked read it; it may be left out."),
    )


class TypedName(forms.Form):
    """What cannot be taken back takes the name of the thing, typed."""

    confirmation = forms.CharField(
        label=_("Name of the union"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name
        self.fields["confirmation"].help_text = _("Type “%(name)s”, to make sure that it is the right one.") % {
            "name": name
        }

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"]).strip()
        if typed != self.name:
            raise forms.ValidationError(_("Type the name exactly as it is written: %(name)s") % {"name": self.name})
        return typed


class CloseForm(TypedName):
    """End an organization, with its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirmation"].label = _("Name of the organization")


class QuitForm(TypedName, MoveForm):
    """Which organization quits, with the union's name."""


class DeleteUnionForm(TypedName):
    """Delete a union, with its name."""

    comment = forms.CharField(
        label=_("Message"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class ReleaseUnionForm(TypedName):
    """Let go of a union, with its name and the reason."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Its members read it, and it stays on record."),
    )


class ClaimForm(forms.Form):
    """Which organization the placeholder stands for."""

    orgcode = forms.ChoiceField(label=_("Your organization"))
    comment = forms.CharField(
        label=_("Message to those who decide"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("How they can tell that it is yours."),
    )

    def __init__(self, *args: Any, organizations: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["orgcode"].choices = [(each.orgcode, each.name) for each in organizations]  # type: ignore[attr-defined]


class ConsoleAnswerForm(forms.Form):
    """The console's answer; the button that was pressed is the answer."""

    agree = forms.TypedChoiceField(
        choices=[("yes", _("Agree")), ("no", _("Refuse"))], coerce=lambda word: word == "yes"
    )
    comment = forms.CharField(
        label=_("Comment"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class VoteForm(ConsoleAnswerForm):
    """An organization's answer."""

    orgcode = forms.CharField(max_length=40)
