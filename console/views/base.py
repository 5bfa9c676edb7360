"""What the pages of every floor have in common: lists that can be narrowed, forms whose service has the last word.

A page and its live part are one template: asked by htmx, a view returns the partial that the page includes.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import AccessMixin
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views import View
from django.views.generic import DetailView, FormView, ListView

from console.errors import Blocked, ConsoleError
from console.models import User
from console.policies import ALLOWED, Verdict, require
from console.sentences import told


class Page(AccessMixin, View):
    """Signed in, unless `public`."""

    public = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.public and not request.user.is_authenticated:
            return self.handle_no_permission()
        return super().dispatch(request, *args, **kwargs)

    @property
    def actor(self) -> User:
        return self.request.user  # type: ignore[return-value]


class LivePart:
    """Answers htmx with the partial alone."""

    partial_name = ""
    template_name: str | None
    request: HttpRequest

    @property
    def asked_by_htmx(self) -> bool:
        """Whether only the live part is wanted."""
        htmx = getattr(self.request, "htmx", None)
        return bool(self.partial_name and htmx and not htmx.boosted)

    def get_template_names(self) -> list[str]:
        return [self.partial_name if self.asked_by_htmx else self.template_name or ""]


class ListPage(LivePart, Page, ListView):
    """A list, paged, narrowed by exact filters and by words."""

    paginate_by = 25
    filters: ClassVar[dict[str, type[models.TextChoices]]] = {}
    search_in: ClassVar[tuple[str, ...]] = ()

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that the address asks for; unknown values of a filter are ignored."""
        for name, choices in self.filters.items():
            value = self.request.GET.get(name, "")
            if value in choices.values:
                rows = rows.filter(**{name: value})
        for word in self.request.GET.get("q", "").split()[:8]:
            condition = Q()
            for field in self.search_in:
                condition |= Q(**{f"{field}__icontains": word})
            rows = rows.filter(condition)
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        chosen = {name: self.request.GET.get(name, "") for name in ("q", "platform", *self.filters)}
        query = self.request.GET.copy()
        query.pop("page", None)
        return context | {
            "chosen": chosen,
            "choices": {name: choices.choices for name, choices in self.filters.items()},
            "narrowed": any(chosen.values()),
            "query": query.urlencode(),
        }


class DetailPage(LivePart, Page, DetailView):
    """One object."""


class Succeeding:
    """Where to go, and what to say, once a service has done its work."""

    success_message: Any = ""
    success_url: Any = None
    request: HttpRequest
    result: Any = None

    def get_success_url(self) -> str:
        return str(self.success_url)

    def done(self, result: Any) -> HttpResponse:
        if self.success_message:
            messages.success(self.request, str(self.success_message))
        return HttpResponseRedirect(self.get_success_url())


class ServiceFormView(Succeeding, Page, FormView):
    """A form whose input goes to one service; what the service refuses comes back at the field."""

    def allowed(self) -> Verdict:
        """Whether the form is shown at all; the service judges again."""
        return ALLOWED

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated or self.public:
            self.setup(request, *args, **kwargs)
            require(self.allowed())
        return super().dispatch(request, *args, **kwargs)

    def came_from(self) -> str:
        """Where "Cancel" leads on pages that stand on base_form.html, and success too, unless it is told otherwise."""
        return str(self.success_url or "")

    def get_success_url(self) -> str:
        return self.came_from()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"back": self.came_from()}

    def perform(self, form: Any) -> Any:
        """Call the service."""
        raise NotImplementedError

    def form_valid(self, form: forms.BaseForm) -> HttpResponse:
        try:
            self.result = self.perform(form)
        except ConsoleError as problem:
            if problem.status in (403, 404):
                raise
            put_into(form, problem)
            return self.form_invalid(form)
        return self.done(self.result)

    def form_invalid(self, form: forms.BaseForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


def put_into(form: forms.BaseForm, problem: ConsoleError) -> None:
    """Show the errors of a service at the fields they name; what has no field stands above the form."""
    if isinstance(problem, Blocked):
        form.blockers = problem.blockers  # type: ignore[attr-defined]
        form.add_error(None, told(problem.headline))
        return
    placed = False
    for path, texts in problem.errors.items():
        parts = [part for part in path.split(".") if part in form.fields]
        name = parts[-1] if parts else None
        for text in texts:
            form.add_error(name, _located(path, told(text)))
        placed = True
    if not placed:
        form.add_error(None, told(problem.detail))


def _located(path: str, text: str) -> str:
    """An error about an element of a list says which one, counted from one."""
    number = next((part for part in path.split(".") if part.isdigit()), None)
    return f"{int(number) + 1}. {text}" if number is not None else text


class ActionView(Succeeding, Page):
    """A button: POST calls one service; what it refuses is said on the page that it leads back to."""

    http_method_names = ["post"]

    def perform(self) -> Any:
        """Call the service."""
        raise NotImplementedError

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.result = self.perform()
        except ConsoleError as problem:
            if problem.status in (403, 404):
                raise
            messages.error(request, told(problem.detail))
            return HttpResponseRedirect(self.get_success_url())
        return self.done(self.result)
