"""AWS Signature Version 4: `{kind: aws-sigv4, service: managedblockchain, region: us-east-1}`.

Written from AWS's own description ("Create a signed AWS API request", IAM user guide: canonical request, string to
sign, derived key). The tests compare it with botocore's signer. A session token, when the credential has one in
`token`, is sent and signed with the rest. S3's two exceptions (path encoded once, content hash header) are not here.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from platforms.auth.base import Options
from platforms.auth.secrets import secret_of
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing

ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNED_BESIDES_AMZ = ("content-type", "host")


class AwsSigV4:
    uses_tls_identity = False

    def sign(self, request: Outgoing, credential: PartyCredential, options: Options) -> Outgoing:
        return signed(request, credential, service=options["service"], region=options["region"], at=datetime.now(UTC))


def signed(request: Outgoing, credential: PartyCredential, *, service: str, region: str, at: datetime) -> Outgoing:
    """The request with its date, session token and signature."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    dated = request.with_headers(("x-amz-date", stamp))
    if credential.token:
        dated = dated.with_headers(("x-amz-security-token", credential.token.strip()))
    headers = _headers_to_sign(dated)
    names = ";".join(sorted(headers))
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join((ALGORITHM, stamp, scope, _digest(_canonical(dated, headers, names).encode())))
    key = _signing_key(secret_of(credential, "sk"), stamp[:8], region, service)
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    who = f"{ALGORITHM} Credential={secret_of(credential, 'ak')}/{scope}"
    return dated.with_headers(("authorization", f"{who}, SignedHeaders={names}, Signature={signature}"))


def _canonical(request: Outgoing, headers: dict[str, str], names: str) -> str:
    pairs = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in request.query)
    return "\n".join(
        (
            request.method,
            quote(urlsplit(request.url).path or "/", safe="/~"),  # once more: every service but S3 wants it so
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            _digest(request.content or b""),
        )
    )


def _headers_to_sign(request: Outgoing) -> dict[str, str]:
    found = {"host": request.host}
    for name, value in request.headers:
        lower = name.lower()
        if lower in _SIGNED_BESIDES_AMZ or lower.startswith("x-amz-"):
            found[lower] = " ".join(value.split())
    return found


def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


SCHEME = AwsSigV4()
