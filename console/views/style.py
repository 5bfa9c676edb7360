"""Every component on one page, for those who write templates; only in debug."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone
from django.views.generic import TemplateView

from console.forms import PasswordForm, ProfileForm, TokenForm
from console.models import StepState
from console.policies import ALLOWED, denied
from console.templatetags.shell import COLOURS
from console.views.base import Page


class StyleGuide(Page, TemplateView):
    """What there is to build pages with."""

    template_name = "console/style.html"
    public = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = timezone.now()
        wrong = PasswordForm({"old_password": "", "new_password": "abc", "again": "abd"})
        steps = [
            SimpleNamespace(
                state=state,
                get_state_display=lambda state=state: state.label,
                title_text=f"A step that is {state.value}",
                tries=index,
                started_at=now - timedelta(seconds=90 - index) if index % 2 else None,
                ended_at=now if index % 2 else None,
                due_at=now + timedelta(seconds=20),
                error={"detail": "The platform answered 503."} if state == StepState.FAILED else None,
                undo_error={"detail": "Node n-1 is still there."} if state == StepState.FAILED else None,
            )
            for index, state in enumerate(StepState)
        ]
        return super().get_context_data(**kwargs) | {
            "colours": COLOURS,
            "forms": [ProfileForm(), TokenForm(), wrong],
            "allowed": ALLOWED,
            "refused": denied("Only administrators of the console may do this."),
            "steps": steps,
            "moment": now - timedelta(minutes=7),
            "points": [[1700000000 + 60 * i, 40 + (i * 37) % 23, 20 + (i * 17) % 31] for i in range(60)],
        }
