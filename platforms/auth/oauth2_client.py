"""OAuth 2.0 client credentials (RFC 6749, section 4.4): `{kind: oauth2-client, tokenPath: /oauth2/token, scope: …}`.

The client's id and secret are the credential's `username` and `password` (or `ak` and `sk`). The token's address is
the platform's own, or the declared `tokenAddress`; `clientAuth: body` sends id and secret in the form, for servers
that do not take the Basic header; `parameters` adds what a vendor wants besides (`audience` and the like).
"""

from __future__ import annotations

from urllib.parse import quote_plus, urlencode

from django.utils.translation import gettext_noop

from console.errors import PlatformRefused, PlatformUnavailable
from console.sentences import kept
from platforms.auth.base import Options, Surroundings, Token
from platforms.auth.basic import basic_pair
from platforms.auth.secrets import secret_of, with_secrets
from platforms.drivers.base import PartyCredential
from platforms.http import Incoming, Outgoing

FORM = "application/x-www-form-urlencoded"
ANSWERED = kept(gettext_noop("the token endpoint answered %(status)s"))
REFUSED = kept(gettext_noop("the token endpoint refused: %(words)s"))
NO_TOKEN = gettext_noop("the token endpoint's answer holds no bearer token")


class Oauth2Client:
    uses_tls_identity = False

    def fetch(self, credential: PartyCredential, options: Options, around: Surroundings) -> Token:
        """Ask the token endpoint."""
        who, secret = secret_of(credential, "username"), secret_of(credential, "password")
        form = {"grant_type": "client_credentials", **(options.get("parameters") or {})}
        if options.get("scope"):
            form["scope"] = options["scope"]
        headers = [("content-type", FORM)]
        if options.get("clientAuth", "basic") == "body":
            form |= {"client_id": who, "client_secret": secret}
        else:
            headers.append(basic_pair(quote_plus(who), quote_plus(secret)))  # section 2.3.1 encodes both first
        request = Outgoing("POST", options["tokenPath"], (), tuple(headers), urlencode(form).encode(), idempotent=True)
        return _token(around.send(with_secrets(request, secret, *(value for _name, value in headers[1:]))))

    def show(self, request: Outgoing, token: str, options: Options) -> Outgoing:
        return request.with_headers(("authorization", f"Bearer {token}"))


def _token(answer: Incoming) -> Token:
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.status == 429 or answer.status >= 500:
        raise PlatformUnavailable(ANSWERED % {"status": answer.status})
    if answer.status != 200:
        told = str(body.get("error_description") or body.get("error") or answer.status)
        raise PlatformRefused(REFUSED % {"words": told[:200]}, code="login_failed")
    text, kind = body.get("access_token"), str(body.get("token_type", "bearer"))
    if not isinstance(text, str) or not text or kind.lower() != "bearer":
        raise PlatformRefused(NO_TOKEN, code="login_failed")
    seconds = body.get("expires_in")
    if isinstance(seconds, str) and seconds.isdecimal() and len(seconds) < 10:  # as Azure writes it
        seconds = int(seconds)
    return Token(text, float(seconds) if isinstance(seconds, int | float) else None)


SCHEME = Oauth2Client()
