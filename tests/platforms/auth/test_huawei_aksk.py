"""Our Huawei signature against the signer of the vendor's published SDK, over many requests, and over the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import urlsplit

from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given, settings

from platforms.auth.huawei_aksk import SCHEME, signed
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing, PlatformClient, encode_path_value
from tests.platforms.auth.test_aws_sigv4 import addresses, authorization, client_to, credentials, requests
from tests.platforms.presets.standin import StandIn

AT = datetime(2026, 11, 24, 7, 30, 5, tzinfo=UTC)
SIGNED = ("content-type", "host", "x-project-id", "x-sdk-date", "x-security-token")


def vendor_says(
    method: str,
    path: str,
    query: list[tuple[str, str]],
    headers: dict[str, str],
    content: bytes | None,
    ak: str,
    sk: str,
) -> str:
    """What the vendor's SDK would send as Authorization."""
    request = SdkRequest(
        method=method,
        schema="https",
        host=headers["host"],
        resource_path=path,
        query_params=list(query),
        header_params={
            name.title() if name == "content-type" else name: value for name, value in headers.items() if name in SIGNED
        },
        body=content,
    )
    return Signer(SimpleNamespace(ak=ak, sk=sk)).sign(request).header_params["Authorization"]


@given(request=requests, address=addresses, credential=credentials)
@settings(max_examples=400, deadline=None)
def test_agrees_with_the_vendors_sdk(request: Outgoing, address: str, credential: PartyCredential) -> None:
    ours = signed(client_to(address).prepared(request), credential, project="0a1b2c", at=AT)
    headers = {name.lower(): value for name, value in ours.headers} | {"host": ours.host}
    path = urlsplit(ours.url).path
    theirs = vendor_says(ours.method, path, list(ours.query), headers, ours.content, credential.ak, credential.sk)
    assert authorization(ours) == theirs


def test_what_arrives_is_what_was_signed() -> None:
    credential = PartyCredential(ak="AKIDEXAMPLE", sk="s/e+c=ret", token="temporary")
    with StandIn() as platform:
        platform.on("POST", "/v2/.+", lambda request: {"ok": True})
        client = PlatformClient(platform.address, allow_private=True)
        path = "/v2/0a1b/blockchains/" + encode_path_value("链 1~2")
        request = Outgoing("POST", path, (("b", "2 3"), ("a", "é&")), (), {"name": "部门"})
        client.send(SCHEME.sign(client.prepared(request), credential, {}))
        client.close()
    (seen,) = platform.seen
    theirs = vendor_says(
        seen.method, seen.path, list(seen.query.items()), seen.headers, seen.content, credential.ak, credential.sk
    )
    assert seen.headers["authorization"] == theirs
    assert seen.headers["x-security-token"] == "temporary"
