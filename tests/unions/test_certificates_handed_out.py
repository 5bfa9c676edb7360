"""An organization's certificates: for its members only, never with a key, and written down."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.test import Client

from console.models import AuditEntry, User
from platforms.models import Platform
from tests.rest import assert_problem, client
from tests.unions.cast import auditor, departments

pytestmark = pytest.mark.django_db(transaction=True)


def test_members_get_their_certificates_without_the_key(platform: Platform, root: User) -> None:
    cast = departments(platform, root)
    door = f"/api/v1/organizations/{cast.social.orgcode}/certificates"
    number = AuditEntry.objects.count()
    assert_problem(client().get(door), 401)
    for stranger in (cast.alice, cast.dan, root, auditor()):
        assert_problem(client(stranger).get(door), 403)
    assert_problem(client(cast.carol).get("/api/v1/organizations/none/certificates"), 404)
    assert AuditEntry.objects.count() == number

    answer = client(cast.carol).get(door)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert "PRIVATE" not in answer.content.decode()
    (shown,) = answer.json()["certificates"]
    read = x509.load_pem_x509_certificate(shown["pem"].encode())
    assert (shown["kind"], shown["subject"]) == ("client", "CN=department")
    assert shown["fingerprint"] == read.fingerprint(hashes.SHA256()).hex()
    assert shown["serial"] == f"{read.serial_number:x}"
    entry = AuditEntry.objects.get(action="unions.certificates.downloaded")
    assert (entry.actor, entry.data["fingerprints"]) == (cast.carol, [shown["fingerprint"]])

    page = f"/organizations/{cast.social.orgcode}"
    mine, theirs = Client(), Client()
    mine.force_login(cast.carol)
    theirs.force_login(root)
    assert f"{page}/certificates.pem" in mine.get(page).content.decode()
    assert f"{page}/certificates.pem" not in theirs.get(page).content.decode()
    assert theirs.get(f"{page}/certificates.pem").status_code == 403
    file = mine.get(f"{page}/certificates.pem")
    assert file.content.decode() == shown["pem"]
    assert "attachment" in file["Content-Disposition"]

    in_the_cloud = client(cast.alice).get(f"/api/v1/organizations/{cast.tax.orgcode}/certificates")
    assert in_the_cloud.json() == {"orgcode": cast.tax.orgcode, "certificates": []}
