"""What only native platforms have: nodes that the console runs itself."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console.api.views import StartsWork
from platforms.api.serializers import StartedUpgrade
from platforms.services.upgrades import upgrade_nodes


class UpgradeNodes(StartsWork, APIView):
    """The nodes of a native platform."""

    @extend_schema(operation_id="upgrade_nodes", tags=["platforms"], request=None, responses={202: StartedUpgrade})
    def post(self, request: Request, oemtype: str) -> Response:
        """Bring every node of a native platform to the image that the settings name, one after the other.

        A node that does not come up gets its old image back, and the flow stops; so it does where a chain makes no
        blocks. For administrators.
        """

        def start() -> dict[str, str]:
            flow = upgrade_nodes(actor=request.user, oemtype=oemtype)  # type: ignore[arg-type]
            return {"flow": str(flow.pk), "oemtype": oemtype}

        return self.start(request, start)
