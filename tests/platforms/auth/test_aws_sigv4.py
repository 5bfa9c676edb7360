"""Our AWS signature against botocore's own signer, over many requests, and over what really went out."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from platforms.auth.aws_sigv4 import SCHEME, signed
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing, PlatformClient, encode_path_value
from tests.platforms.presets.standin import StandIn

AT = datetime(2026, 11, 24, 7, 30, 5, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
segments = texts.filter(lambda text: text not in ("", ".", ".."))
bodies = st.one_of(
    st.none(),
    st.just({}),
    st.dictionaries(texts, st.one_of(st.none(), st.booleans(), st.integers(), texts, st.lists(texts)), max_size=4),
)
requests = st.builds(
    lambda method, path, query, body, extra: Outgoing(
        method, "/" + "/".join(map(encode_path_value, path)), tuple(query), tuple(extra), body
    ),
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    st.lists(segments, max_size=5),
    st.lists(st.tuples(texts, texts), max_size=5),
    bodies,
    st.lists(st.tuples(st.just("x-amz-meta"), st.sampled_from(["a", " two  words ", "tab"])), max_size=1),
)
addresses = st.sampled_from(
    [
        "https://managedblockchain.us-east-1.amazonaws.com",
        "https://Example.COM:443",
        "http://127.0.0.1:4999",
        "https://gateway.example.com/stage/v 1".replace(" ", "%20"),
    ]
)
credentials = st.builds(
    PartyCredential,
    ak=st.sampled_from(["AKIDEXAMPLE", "AKIA1234567890ABCDEF"]),
    sk=st.text("abcXYZ019/+=", min_size=8, max_size=40),
    token=st.sampled_from(["", "FwoGZXIvYXdzEXAMPLE//token=="]),
)


@functools.cache
def client_to(address: str) -> PlatformClient:
    """Kept, because making a TLS context takes longer than a hundred signatures."""
    return PlatformClient(address, allow_private=True)


def authorization(request: Outgoing) -> str:
    return dict(request.headers)["authorization"]


def botocore_says(request: Outgoing, credential: PartyCredential, at: datetime, service: str, region: str) -> str:
    """What botocore would send as Authorization for the same request."""
    given = {name: value for name, value in request.headers if name == "content-type" or name == "x-amz-meta"}
    theirs = AWSRequest(request.method, request.url, headers=given, data=request.content)
    theirs.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    signer = SigV4Auth(BotoCredentials(credential.ak, credential.sk, credential.token or None), service, region)
    signer._modify_request_before_signing(theirs)
    text = signer.string_to_sign(theirs, signer.canonical_request(theirs))
    signer._inject_signature_to_request(theirs, signer.signature(text, theirs))
    return theirs.headers["Authorization"]


@given(request=requests, address=addresses, credential=credentials)
@settings(max_examples=400, deadline=None)
def test_agrees_with_botocore(request: Outgoing, address: str, credential: PartyCredential) -> None:
    prepared = client_to(address).prepared(request)
    ours = signed(prepared, credential, service="managedblockchain", region="us-east-1", at=AT)
    assert authorization(ours) == botocore_says(ours, credential, AT, "managedblockchain", "us-east-1")


def test_a_changed_byte_changes_the_signature() -> None:
    """So that the comparison above compares something."""
    credential = PartyCredential(ak="AK", sk="secret")
    made = [
        Outgoing("POST", "/networks", (), (), {"Name": "a"}, address="https://x.example"),
        Outgoing("POST", "/networks", (), (), {"Name": "b"}, address="https://x.example"),
        Outgoing("POST", "/networks/", (), (), {"Name": "a"}, address="https://x.example"),
        Outgoing("POST", "/networks", (("a", "1"),), (), {"Name": "a"}, address="https://x.example"),
        Outgoing("POST", "/networks", (), (), {"Name": "a"}, address="https://y.example"),
    ]
    signatures = {authorization(signed(each, credential, service="s", region="r", at=AT)) for each in made}
    assert len(signatures) == len(made)


def test_what_arrives_is_what_was_signed() -> None:
    """Path, query and body as a server finds them on the wire, signed anew by botocore, give the same signature."""
    credential = PartyCredential(ak="AKIDEXAMPLE", sk="s/e+c=ret", token="session")
    with StandIn() as platform:
        platform.on("POST", "/networks/.+", lambda request: {"ok": True})
        client = PlatformClient(platform.address, allow_private=True)
        path = "/networks/" + encode_path_value("税务局 a/b+c%")
        request = Outgoing("POST", path, (("名", "a b+c&d=e"), ("z", "")), (), {"Name": "部门", "n": [1, None]})
        options: dict[str, Any] = {"service": "managedblockchain", "region": "us-east-1"}
        answer = client.send(SCHEME.sign(client.prepared(request), credential, options))
        client.close()
    assert answer.body == {"ok": True}
    (seen,) = platform.seen
    arrived = AWSRequest(
        seen.method,
        f"http://{seen.headers['host']}{seen.target}",
        headers={"content-type": seen.headers["content-type"]},
        data=seen.content,
    )
    arrived.context["timestamp"] = seen.headers["x-amz-date"]
    signer = SigV4Auth(BotoCredentials(credential.ak, credential.sk, credential.token), *options.values())
    signer._modify_request_before_signing(arrived)
    text = signer.string_to_sign(arrived, signer.canonical_request(arrived))
    assert seen.headers["authorization"].endswith(f"Signature={signer.signature(text, arrived)}")
