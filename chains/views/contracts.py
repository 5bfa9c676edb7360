"""Pages of contracts: all of them, one of them, deploying and upgrading, its functions, and the rules for them."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from chains import abi
from chains import contract_reads as reads
from chains.contract_forms import (
    CommentForm,
    ContractForm,
    ContractRuleForm,
    DeleteContractForm,
    FunctionForm,
    ProgramForm,
)
from chains.models import (
    Blockchain,
    ChainState,
    Contract,
    ContractRule,
    ContractState,
    UpgradeWay,
    VersionState,
)
from chains.policies import (
    may_call_contract,
    may_delete_contract,
    may_deploy_contract,
    may_deploy_prepared,
    may_propose_contract_rule,
    may_resume_contract,
    may_send_to_contract,
    may_stop_contract,
    may_upgrade_contract,
)
from chains.services import contract_calls, contracts
from chains.services.contract_requests import compile_only, read_program
from chains.services.contract_rules import VERBS, propose_contract_rule
from chains.views.chains import OfBlockchain
from console.errors import ConsoleError, Invalid, Missing
from console.models import Flow, User
from console.policies import Verdict, denied
from console.views.base import DetailPage, ListPage, Page, ServiceFormView, put_into
from unions.models import MemberRole, Organization, Proposal
from unions.policies import supports
from unions.reads import found

LIVE_SECONDS = 3
ON_CHAIN = 5  # shown on a chain's page
Json = dict[str, Any]


def places_of(actor: User) -> list[tuple[Blockchain, Organization]]:
    """Where the actor may deploy, and for whom."""
    mine = Organization.objects.of_user(actor, MemberRole.ADMINISTRATOR, MemberRole.OPERATOR).order_by("name")
    rows = Blockchain.objects.live().filter(organizations__in=mine).distinct().order_by("name")
    rows = rows.select_related("business_chain__platform", "business_chain__union").prefetch_related("organizations")
    pairs = [
        (chain, organization)
        for chain in rows
        for organization in mine
        if organization in chain.organizations.all() and may_deploy_contract(actor, chain, organization)
    ]
    return [each for each in pairs if supports(each[0].business_chain.platform, "deploy_contract")]


def may_deploy_any(actor: User, blockchain: Blockchain | None = None) -> Verdict:
    """Yes if anywhere, or on this chain; else a reason."""
    if blockchain is not None:
        if not (verdict := supports(blockchain.business_chain.platform, "deploy_contract")):
            return verdict
        own = Organization.objects.of_user(actor, MemberRole.ADMINISTRATOR, MemberRole.OPERATOR)
        organization = own.filter(blockchains=blockchain).first()
        if organization is not None:
            return may_deploy_contract(actor, blockchain, organization)
    elif places_of(actor):
        return Verdict(True)
    return denied(_("You speak for no organization on a chain that contracts can be deployed on."))


def on_chain(actor: User, blockchain: Blockchain) -> Json:
    """For the page of a chain: its contracts, the rules for them, and what the reader can do."""
    rule = ContractRule.of(blockchain)
    own = Organization.objects.of_user(actor, MemberRole.ADMINISTRATOR, MemberRole.OPERATOR)
    speaker = own.filter(blockchains=blockchain).first()
    may_change = (
        may_propose_contract_rule(actor, blockchain.business_chain, speaker)
        if speaker
        else denied(_("You speak for no organization that has a say here."))
    )
    titles = {"deploy": _("Deploying"), "upgrade": _("Upgrading"), "stop": _("Stopping"), "delete": _("Deleting")}
    return {
        "contracts": reads.contracts(actor).there().filter(blockchain=blockchain).order_by("-pk")[:ON_CHAIN],
        "contract_rule": {
            "votes": [titles[verb] for verb in VERBS if rule.demands_vote(verb)],
            "severity": rule.blocking_severity,
            "severity_title": rule.get_blocking_severity_display().lower(),
        },
        "may_deploy_contract": may_deploy_any(actor, blockchain),
        "may_change_rule": may_change,
    }


class ChainContracts(OfBlockchain, TemplateView):
    """A chain's contracts; asked for by the chain's page."""

    template_name = "chains/contracts/_of_chain.html"

    def get_context_data(self, **kwargs: Any) -> Json:
        about = {"blockchain": self.blockchain, **on_chain(self.actor, self.blockchain)}
        return super().get_context_data(**kwargs) | about


class ContractList(ListPage):
    """Contracts on one's chains."""

    template_name = "chains/contracts/list.html"
    filters = {"state": ContractState, "way": UpgradeWay}
    search_in = ("name", "uid", "address", "owner__name", "blockchain__name")

    def get_queryset(self) -> QuerySet[Contract]:
        rows = self.narrowed(reads.contracts(self.actor)).order_by("name", "pk")
        if self.blockchain is not None:
            rows = rows.filter(blockchain=self.blockchain)
        chosen = self.request.GET.get("state") in ContractState.values
        gone = Q(state=ContractState.DELETED) | Q(blockchain__state=ChainState.DELETED)
        return rows if chosen else rows.exclude(gone)

    @cached_property
    def blockchain(self) -> Blockchain | None:
        return Blockchain.objects.visible_to(self.actor).filter(uid=self.request.GET.get("chain", "")).first()

    def get_context_data(self, **kwargs: Any) -> Json:
        context = super().get_context_data(**kwargs)
        return context | {
            "blockchain": self.blockchain,
            "may_deploy": may_deploy_any(self.actor, self.blockchain),
            "narrowed": context["narrowed"] or self.blockchain is not None,
        }


class ContractDetail(DetailPage):
    """One contract, live while something is done with it."""

    template_name = "chains/contracts/detail.html"
    partial_name = "chains/contracts/_live.html"
    context_object_name = "contract"

    def get_object(self, queryset: Any = None) -> Contract:
        return found(reads.contract_details(self.actor), uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> Json:
        contract: Contract = self.object
        versions = list(contract.versions.all())
        current = next((each for each in versions if each.state == VersionState.RUNNING), None)
        shown = current or (versions[0] if versions else None)
        proposal = Proposal.objects.under_way().filter(subject_key=contract.subject_key).first()
        context = super().get_context_data(**kwargs) | {
            "current": current,
            "shown": shown,
            "versions": versions,
            "waiting": next((each for each in versions[:1] if each.state in contracts.OPEN_VERSIONS), None),
            "proposal": proposal,
            "plainly": contract_calls.plainly(contract),
            "live": LIVE_SECONDS if proposal else False,
        }
        return context if self.asked_by_htmx else context | self._below(contract, shown)

    def _below(self, contract: Contract, shown: Any) -> Json:
        functions = list(abi.entries(shown.abi, "function")) if shown else []
        flows = Flow.objects.filter(subject_type="chains.contract", subject_id=str(contract.pk))
        return {
            "reads": [_row(each) for each in functions if abi.reads_only(each)],
            "writes": [_row(each) for each in functions if not abi.reads_only(each)],
            "events": [abi.signature_of(each) for each in abi.entries(shown.abi, "event")] if shown else [],
            "sent": flows.filter(kind="chains.contract_send").order_by("-created_at")[:5],
            "may_deploy": may_deploy_prepared(self.actor, contract),
            "may_upgrade": may_upgrade_contract(self.actor, contract),
            "may_stop": may_stop_contract(self.actor, contract),
            "may_resume": may_resume_contract(self.actor, contract),
            "may_delete": may_delete_contract(self.actor, contract),
        }


def _row(function: Json) -> Json:
    return {"signature": abi.signature_of(function), "name": function["name"]}


class ContractByNumber(Page):
    """From a row's number, as the audit log keeps it, to the contract's page."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return redirect("chains:contract-detail", found(Contract.objects.visible_to(self.actor), pk=pk).uid)


class ContractAbi(Page):
    """The ABI as a file."""

    def get(self, request: HttpRequest, uid: str, number: int) -> HttpResponse:
        contract = found(reads.contract_details(self.actor), uid=uid)
        version = found(contract.versions.all(), number=number)
        text = json.dumps(version.abi, indent=1, ensure_ascii=False)
        answer = HttpResponse(text, content_type="application/json")
        answer["Content-Disposition"] = f'attachment; filename="{uid}-{number}.abi.json"'
        return answer


# --- deploying --------------------------------------------------------------------------------------------------------


class _Program(ServiceFormView):
    """Two halves of one page: what is compiled, and then what it is given."""

    form_class: Any = ProgramForm
    template_name = "chains/contracts/program.html"
    upgrade = False

    def way(self, form: Any) -> str:
        raise NotImplementedError

    def form_valid(self, form: Any) -> HttpResponse:
        brings = form.program()
        try:
            draft = read_program(**brings)
        except ConsoleError as problem:
            self._offer(form, brings, problem)
            return self._again(form, problem)
        form.show(draft, UpgradeWay.NEW_VERSION if self._takes_none(form) else self.way(form))
        if self._takes_none(form):
            form.ask_for([])
        if self.request.POST.get("do") not in ("deploy", "prepare"):
            return self.render_to_response(self.get_context_data(form=form))
        try:
            self.result = self.perform(form)
        except ConsoleError as problem:
            if problem.status in (403, 404):
                raise
            return self._again(form, problem)
        return self.done(self.result)

    def _takes_none(self, form: Any) -> bool:
        return self.upgrade and self.way(form) == UpgradeWay.PROXY

    def _offer(self, form: Any, brings: Json, problem: ConsoleError) -> None:
        """Where the sources hold several contracts, say which."""
        if "entry" in problem.errors and brings.get("source"):
            form.choices = [each.entry for each in compile_only(source=brings["source"])]

    def _again(self, form: Any, problem: ConsoleError) -> HttpResponse:
        if isinstance(problem, Invalid):
            problem.errors = {_place(form, name): texts for name, texts in problem.errors.items()}
        put_into(form, problem)
        return self.form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> Json:
        return super().get_context_data(**kwargs) | {"upgrade": self.upgrade}

    def get_success_url(self) -> str:
        if isinstance(self.result, Proposal):
            return reverse("unions:proposal-detail", args=[self.result.pk])
        return reverse("chains:contract-detail", args=[self.result.contract.uid])


def _place(form: Any, name: str) -> str:
    """The field of the page for what a service calls otherwise."""
    first, _dot, rest = name.partition(".")
    if first == "arguments":
        return f"argument_{rest.split('.')[0]}" if rest else name
    return {"artifact": "uploads", "blockchain": "place", "orgcode": "place"}.get(first, name)


class DeployContract(_Program):
    """A new contract."""

    form_class = ContractForm

    @cached_property
    def places(self) -> list[tuple[str, str]]:
        return [(f"{chain.uid} {each.orgcode}", f"{chain.name} · {each.name}") for chain, each in places_of(self.actor)]

    def allowed(self) -> Verdict:
        return may_deploy_any(self.actor)

    def get_form_kwargs(self) -> Json:
        return super().get_form_kwargs() | {"places": self.places}

    def get_initial(self) -> Json:
        wanted = self.request.GET.get("chain", "")
        place = next((value for value, _words in self.places if value.startswith(f"{wanted} ")), "")
        return {"place": place, "way": UpgradeWay.NEW_VERSION}

    def way(self, form: Any) -> str:
        return str(form.cleaned_data["way"])

    def perform(self, form: Any) -> Any:
        wanted = {"name": form.cleaned_data["name"], "way": self.way(form), "arguments": form.arguments()}
        made = contracts.prepare_contract(actor=self.actor, **form.where(), **form.program(), **wanted)
        if self.request.POST.get("do") == "prepare":
            self.success_message = _("The contract is prepared. Have it examined, then deploy it.")
            return made
        self.success_message = _("The contract is being deployed.")
        return contracts.propose_deployment(
            actor=self.actor, uid=made.contract.uid, comment=form.cleaned_data["comment"]
        )

    def came_from(self) -> str:
        return reverse("chains:contract-list")


class _OfContract:
    """A page about the contract in the address."""

    actor: User
    kwargs: Json

    @cached_property
    def contract(self) -> Contract:
        return contracts.visible_contract(self.actor, self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> Json:
        return super().get_context_data(**kwargs) | {"contract": self.contract}  # type: ignore[misc]

    def came_from(self) -> str:
        return reverse("chains:contract-detail", args=[self.kwargs["uid"]])


class UpgradeContract(_OfContract, _Program):
    """Another version of a contract."""

    upgrade = True

    def allowed(self) -> Verdict:
        return may_upgrade_contract(self.actor, self.contract)

    def way(self, form: Any) -> str:
        return self.contract.way

    def get_context_data(self, **kwargs: Any) -> Json:
        return super().get_context_data(**kwargs) | {"plainly": contract_calls.plainly(self.contract)}

    def perform(self, form: Any) -> Any:
        made = contracts.prepare_version(
            actor=self.actor, uid=self.contract.uid, arguments=form.arguments(), **form.program()
        )
        if self.request.POST.get("do") == "prepare":
            self.success_message = _("The version is prepared. Have it examined, then put it in force.")
            return made
        self.success_message = _("The contract is being upgraded.")
        return contracts.propose_upgrade(actor=self.actor, uid=self.contract.uid, comment=form.cleaned_data["comment"])


# --- what takes one confirmation --------------------------------------------------------------------------------------


class _ContractMove(_OfContract, ServiceFormView):
    form_class: Any = CommentForm
    template_name = "chains/contracts/move.html"
    move = ""
    verdict: Any = None
    service: Any = None

    def allowed(self) -> Verdict:
        return type(self).verdict(self.actor, self.contract)

    def get_context_data(self, **kwargs: Any) -> Json:
        version = self.contract.version
        pauses = contracts.pauses(self.contract)
        asked = self.contract.state != ContractState.PREPARED and ContractRule.of(
            self.contract.blockchain
        ).demands_vote({"resume": "stop", "promote": "upgrade"}.get(self.move, self.move))
        return super().get_context_data(**kwargs) | {
            "move": self.move,
            "version": version,
            "latest": self.contract.latest,
            "pauses": pauses,
            "asked": asked,
            "plainly": contract_calls.plainly(self.contract),
        }

    def perform(self, form: forms.Form) -> Proposal:
        comment = form.cleaned_data["comment"]
        return type(self).service(actor=self.actor, uid=self.contract.uid, comment=comment)

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.result.pk])


class DeployPrepared(_ContractMove):
    """Bring to the chain what is prepared."""

    move, verdict, service = "deploy", may_deploy_prepared, contracts.propose_deployment
    success_message = gettext_lazy("The contract is being deployed.")


class PromoteVersion(_ContractMove):
    """Put in force the version that is prepared."""

    move, verdict, service = "promote", may_upgrade_contract, contracts.propose_upgrade
    success_message = gettext_lazy("The contract is being upgraded.")


class StopContract(_ContractMove):
    move, verdict, service = "stop", may_stop_contract, contracts.propose_stop
    success_message = gettext_lazy("The contract is being stopped.")


class ResumeContract(_ContractMove):
    move, verdict, service = "resume", may_resume_contract, contracts.propose_resumption
    success_message = gettext_lazy("The contract is being let run again.")


class DeleteContract(_ContractMove):
    """Delete, after typing the contract's name."""

    form_class = DeleteContractForm
    move, verdict, service = "delete", may_delete_contract, contracts.propose_deletion
    success_message = gettext_lazy("The contract is being deleted.")

    def get_form_kwargs(self) -> Json:
        return super().get_form_kwargs() | {"name": self.contract.name}


# --- functions --------------------------------------------------------------------------------------------------------


class ContractFunction(_OfContract, ServiceFormView):
    """One function: called, or sent, from a form made of the ABI."""

    form_class = FunctionForm
    template_name = "chains/contracts/function.html"

    @cached_property
    def function(self) -> Json:
        version = self.contract.version
        entry = abi.function_of(version.abi, self.kwargs["signature"]) if version else None
        if entry is None:
            raise Missing()
        return entry

    @cached_property
    def reads(self) -> bool:
        return abi.reads_only(self.function)

    @cached_property
    def organizations(self) -> list[Organization]:
        if not self.reads:
            return contract_calls.senders_of(self.actor, self.contract)
        own = Organization.objects.of_user(self.actor).filter(blockchains=self.contract.blockchain)
        return list(own.order_by("name")) or [self.contract.owner]

    def allowed(self) -> Verdict:
        if not self.organizations:
            return denied(_("You speak for no organization on this chain."))
        if self.reads:
            return may_call_contract(self.actor, self.contract, self.organizations[0])
        verdict = may_send_to_contract(self.actor, self.contract, self.organizations[0])
        return verdict and supports(self.contract.blockchain.business_chain.platform, "send_transaction")

    def get_form_kwargs(self) -> Json:
        return super().get_form_kwargs() | {"function": self.function, "organizations": self.organizations}

    def get_context_data(self, **kwargs: Any) -> Json:
        about = {"function": self.function, "signature": abi.signature_of(self.function), "reads": self.reads}
        return super().get_context_data(**kwargs) | about

    def form_valid(self, form: Any) -> HttpResponse:
        wanted = {"function": abi.signature_of(self.function), "arguments": form.arguments()}
        about = {"actor": self.actor, "uid": self.contract.uid, "orgcode": form.cleaned_data["orgcode"], **wanted}
        try:
            if self.reads:
                called = contract_calls.call_contract(**about)
                return self.render_to_response(self.get_context_data(form=form, called=called))
            self.result = contract_calls.send_to_contract(**about)
        except ConsoleError as problem:
            if problem.status in (403, 404):
                raise
            problem.errors = {_place(form, name): texts for name, texts in problem.errors.items()}
            put_into(form, problem)
            return self.form_invalid(form)
        return redirect("console:flow-detail", self.result.pk)


# --- rules ------------------------------------------------------------------------------------------------------------


class ContractRuleChange(OfBlockchain, ServiceFormView):
    """Propose other rules for contracts."""

    form_class = ContractRuleForm
    template_name = "chains/contracts/rule.html"
    success_message = gettext_lazy("Those who have a say have been asked.")

    @cached_property
    def organizations(self) -> list[Organization]:
        chain = self.blockchain.business_chain
        mine = Organization.objects.of_user(self.actor, MemberRole.ADMINISTRATOR, MemberRole.OPERATOR).order_by("name")
        return [each for each in mine if may_propose_contract_rule(self.actor, chain, each)]

    def allowed(self) -> Verdict:
        if self.organizations:
            return Verdict(True)
        return denied(_("You speak for no organization that has a say here."))

    def get_form_kwargs(self) -> Json:
        return super().get_form_kwargs() | {"organizations": self.organizations}

    def get_initial(self) -> Json:
        rule = ContractRule.of(self.blockchain)
        votes = [verb for verb in VERBS if rule.demands_vote(verb)]
        return {"votes": votes, "blocking_severity": rule.blocking_severity}

    def get_context_data(self, **kwargs: Any) -> Json:
        return super().get_context_data(**kwargs) | {"blockchain": self.blockchain}

    def perform(self, form: forms.Form) -> Proposal:
        return propose_contract_rule(actor=self.actor, chain=self.blockchain.business_chain.uid, **form.cleaned_data)

    def came_from(self) -> str:
        return reverse("chains:chain-detail", args=[self.blockchain.uid])

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.result.pk])
