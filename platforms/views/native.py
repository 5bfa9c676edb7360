"""Pages about platforms without a management plane."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from console.models import Flow, User
from console.policies import Verdict
from console.views.base import ActionView, ServiceFormView
from platforms.forms import NativeRegisterForm
from platforms.models import Platform, PlatformKind
from platforms.policies import may_register_platform, may_upgrade_nodes
from platforms.services import platforms as service
from platforms.services.upgrades import outdated_nodes, upgrade_nodes


class NativeRegister(ServiceFormView):
    """A new native platform: no files, no address."""

    form_class = NativeRegisterForm
    template_name = "platforms/native_register.html"
    success_message = _("The registration has begun.")

    def allowed(self) -> Verdict:
        return may_register_platform(self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"images": settings.EVM_IMAGES}

    def perform(self, form: NativeRegisterForm) -> service.Started:
        given = {"oemtype": form.cleaned_data["oemtype"], "kind": PlatformKind.EVM, **form.setup()}
        return service.register_platform(actor=self.actor, **given)

    def get_success_url(self) -> str:
        return reverse("platforms:platform-detail", args=[self.result.platform.oemtype])


class NodesUpgrade(ActionView):
    """The button that brings all nodes to the image of the settings."""

    success_message = _("The upgrade has begun: one node after the other.")

    def perform(self) -> Flow:
        return upgrade_nodes(actor=self.actor, oemtype=self.kwargs["oemtype"])

    def get_success_url(self) -> str:
        return reverse("platforms:platform-detail", args=[self.kwargs["oemtype"]])


def native_facts(actor: User, platform: Platform) -> dict[str, Any]:
    """How a native platform's nodes are run, as the settings say; empty for others."""
    if platform.kind != PlatformKind.EVM:
        return {}
    return {
        "outdated": outdated_nodes(platform).count(),
        "may_upgrade": may_upgrade_nodes(actor, platform),
        "image": settings.EVM_IMAGES.get(platform.kernel, ""),
        "seconds": settings.EVM_BLOCK_SECONDS,
        "memory": settings.EVM_NODE_MEMORY.get(platform.kernel, 0),
        "cpus": settings.EVM_NODE_CPUS.get(platform.kernel, 0),
        "p2p_port": settings.EVM_P2P_PORT,
        "rpc_port": settings.EVM_RPC_PORT,
    }
