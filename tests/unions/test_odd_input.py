"""Input that is odd rather than wrong: other spellings of what is there, names over two lines, strange certificates."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from platforms.models import Platform
from tests.rest import assert_problem, client
from tests.unions.cast import PASSWORD, cloud, on_prem
from tests.unions.conftest import pem_bundle
from unions.addresses import normalized
from unions.models import Registration
from unions.names import MAX_KEY, key_of

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/registrations"
EC_KEY = bytes.fromhex("06072a8648ce3d0201")  # id-ecPublicKey, RFC 5480
P256 = bytes.fromhex("06082a8648ce3d030107")  # secp256r1, RFC 5480


def register(organization: dict[str, Any], username: str = "one") -> Any:
    body = {"username": username, "password": PASSWORD, "email": f"{username}@gov.example"}
    return client().post(URL, {**body, "organization": organization}, format="json")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("127.0.0.11", "::ffff:127.0.0.11"),
        ("::1", "0:0:0:0:0:0:0:1"),
        ("node.example.org", "NODE.example.org"),
        ("node.example.org", "node.example.org."),
    ],
)
def test_another_spelling_of_a_machine_is_the_same_machine(platform: Platform, first: str, second: str) -> None:
    assert normalized(first) == normalized(second)
    machine = lambda ip: [{"ip": ip, "port": 9001}]  # noqa: E731
    assert register(on_prem("One", nodelist=machine(first))).status_code == 201
    assert_problem(register(on_prem("Two", nodelist=machine(second)), "two"), 409, "organization.nodelist.0")
    assert Registration.objects.count() == 1


@pytest.mark.parametrize("name", ["Tax\nBureau", "Tax\x07Bureau", "Tax\u2028Bureau", " ", "x" * 201])
def test_names_are_one_line(platform: Platform, name: str) -> None:
    assert_problem(register(cloud(name, "t-1")), 422, "organization.name")
    assert not Registration.objects.exists()


def test_spaces_do_not_make_another_name(platform: Platform) -> None:
    assert register(cloud("Tax  Bureau", "t-1")).status_code == 201
    assert Registration.objects.get().organization_name == "Tax Bureau"
    assert_problem(register(cloud("Tax Bureau", "t-2"), "two"), 409, "organization.name")


@pytest.mark.parametrize(
    ("first", "second"),
    [("Bürgeramt", "BÜRGERAMT"), ("Straße", "STRASSE"), ("ОТДЕЛ", "отдел"), ("Ｔａｘ Bureau", "tax bureau")],
)
def test_the_case_of_every_alphabet_makes_no_other_name(platform: Platform, first: str, second: str) -> None:
    assert key_of(first) == key_of(second)
    assert register(cloud(first, "t-1")).status_code == 201
    assert_problem(register(cloud(second, "t-2"), "two"), 409, "organization.name")
    assert Registration.objects.count() == 1


@pytest.mark.parametrize("name", ["Tax Bureau", "ß" * 200, "ﷺ" * 200, "部门" * 100])
def test_a_key_is_short_and_its_own(name: str) -> None:
    assert 0 < len(key_of(name)) <= MAX_KEY
    assert key_of(name) != key_of(name + "x")
    assert key_of(key_of("Tax  Bureau")) == "tax bureau"


def _spoilt(part: bytes, instead: bytes) -> str:
    """A bundle whose certificate has some bytes of its DER exchanged."""
    assert len(part) == len(instead)
    bundle = pem_bundle()
    certificate = x509.load_pem_x509_certificate(bundle.encode()).public_bytes(serialization.Encoding.DER)
    assert part in certificate
    body = base64.encodebytes(certificate.replace(part, instead)).decode()
    key = bundle[bundle.index("-----BEGIN PRIVATE") :]
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n{key}"


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        (EC_KEY, EC_KEY[:-1] + b"\x7f"),  # a kind of key that nobody knows
        (P256, P256[:-1] + b"\x63"),  # a curve that nobody knows
        (b"department", b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe"),  # a subject that is no text
    ],
)
def test_strange_certificates_are_refused_in_words(platform: Platform, part: bytes, instead: bytes) -> None:
    assert_problem(register(on_prem("One", tlscert=_spoilt(part, instead))), 422, "organization.tlscert")
    assert not Registration.objects.exists()
