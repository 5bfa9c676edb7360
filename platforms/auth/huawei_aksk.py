"""Huawei Cloud's AK/SK signature, SDK-HMAC-SHA256: `{kind: huawei-aksk}`, with `project` where a sub-project is meant.

Written from the vendor's description ("AK/SK signing algorithm", API gateway developer guide). The tests compare it
with the signer of the vendor's published SDK. A temporary credential's security token stands in `token`.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlsplit

from platforms.auth.base import Options
from platforms.auth.secrets import secret_of
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing

ALGORITHM = "SDK-HMAC-SHA256"
_SIGNED = ("content-type", "host", "x-project-id", "x-sdk-date", "x-security-token")


class HuaweiAkSk:
    uses_tls_identity = False

    def sign(self, request: Outgoing, credential: PartyCredential, options: Options) -> Outgoing:
        return signed(request, credential, project=options.get("project", ""), at=datetime.now(UTC))


def signed(request: Outgoing, credential: PartyCredential, *, project: str = "", at: datetime) -> Outgoing:
    """The request with its date, its project, its security token and its signature."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    extra = (("x-project-id", project), ("x-security-token", credential.token.strip()))
    dated = request.with_headers(("x-sdk-date", stamp), *(pair for pair in extra if pair[1]))
    headers = {name.lower(): value.strip() for name, value in dated.headers if name.lower() in _SIGNED}
    headers["host"] = dated.host
    names = ";".join(sorted(headers))
    digest = hashlib.sha256(_canonical(dated, headers, names).encode()).hexdigest()
    text = f"{ALGORITHM}\n{stamp}\n{digest}"
    signature = hmac.new(secret_of(credential, "sk").encode(), text.encode(), hashlib.sha256).hexdigest()
    who = f"{ALGORITHM} Access={secret_of(credential, 'ak')}"
    return dated.with_headers(("authorization", f"{who}, SignedHeaders={names}, Signature={signature}"))


def _canonical(request: Outgoing, headers: dict[str, str], names: str) -> str:
    path = "/".join(quote(part, safe="") for part in unquote(urlsplit(request.url).path).split("/"))
    return "\n".join(
        (
            request.method,
            path if path.endswith("/") else path + "/",
            "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(request.query)),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            hashlib.sha256(request.content or b"").hexdigest(),
        )
    )


SCHEME = HuaweiAkSk()
