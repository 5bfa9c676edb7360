"""An organization's certificates as a file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from console.views.base import Page
from unions.services.certificates import hand_out_certificates


class DownloadCertificates(Page):
    """The PEM texts one after the other, the client certificate first; never a key."""

    def get(self, request: HttpRequest, orgcode: str) -> HttpResponse:
        found = hand_out_certificates(actor=self.actor, orgcode=orgcode)
        answer = HttpResponse("".join(each.pem for each in found), content_type="application/x-pem-file")
        answer["Content-Disposition"] = f'attachment; filename="{orgcode}-certificates.pem"'
        answer["Cache-Control"] = "no-store"
        return answer
