"""Sends requests to one platform as one of its parties, by the scheme that its mapping names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.utils.translation import gettext_noop

from console.errors import ConsoleError, PlatformRefused
from console.sentences import kept
from platforms.auth.base import Options, Scheme, Surroundings, Token, TokenScheme, fetches_token, scheme_for
from platforms.auth.secrets import filled, with_secrets
from platforms.auth.tokens import TokenKeeper
from platforms.drivers.base import PartyCredential
from platforms.http import Incoming, Outgoing, PlatformClient
from platforms.mapping.apifile import ApiFile
from platforms.mapping.template import Template
from platforms.mapping.values import holds

ClientOf = Callable[[str, str], PlatformClient]  # by the address's name and the TLS identity
ClientTo = Callable[[str], PlatformClient]  # by the TLS identity
Told = Callable[[str], None]
UNAUTHORIZED = {"status": [401]}
REFUSED_LOGIN = kept(gettext_noop("Signing in to the platform failed. %(problem)s"))


class Authenticator:
    """One for each driver, so tokens end with the driver. Safe to use from several threads."""

    def __init__(self, template: Template, api: ApiFile, client_of: ClientOf) -> None:
        self._template, self._api, self._client_of = template, api, client_of
        self._tokens = TokenKeeper()

    def send(
        self, request: Outgoing, party: PartyCredential, options: Options, told: Told, to: ClientTo | None = None
    ) -> Incoming:
        """The platform's answer to the request, signed as `party`. `told` hears of the calls made for a token.

        A request that is answered 401 is sent once more with a new token: refused at the door, it did nothing.
        `to` gives the client by its TLS identity where the request goes elsewhere than to the scheme's address.
        """
        scheme = scheme_for(options["kind"])
        identity = party.tlscert if scheme.uses_tls_identity else ""
        client = to(identity) if to is not None else self._client_of(options.get("address", "default"), identity)
        prepared = client.prepared(filled(request, party))
        if not fetches_token(scheme):
            return client.send(_guarded(cast(Scheme, scheme).sign(prepared, party, options), party))
        token, fresh = self._token(scheme, party, options, told)
        answer = client.send(_guarded(scheme.show(prepared, token, options), party, token))
        if fresh or not holds(options.get("renewWhen", UNAUTHORIZED), _document(answer)):
            return answer
        token, _fresh = self._token(scheme, party, options, told, stale=token)
        return client.send(_guarded(scheme.show(prepared, token, options), party, token))

    def _token(
        self, scheme: TokenScheme, party: PartyCredential, options: Options, told: Told, stale: str = ""
    ) -> tuple[str, bool]:
        """The party's token, and whether it was fetched just now."""
        client = self._client_of(options.get("tokenAddress") or options.get("address", "default"), "")

        def send(request: Outgoing) -> Incoming:
            answer = client.send(request)
            told(f"{request.method} {request.path} → {answer.status} (signing in)")
            return answer

        def fetch() -> Token:
            try:
                return scheme.fetch(party, options, Surroundings(self._template, self._api, send))
            except PlatformRefused as problem:
                raise _refused_login(problem) from problem

        # The options are the template's own object and live as long as this does.
        return self._tokens.token((party, id(options)), fetch, lifetime=options.get("lifetime"), stale=stale)


def _guarded(signed: Outgoing, party: PartyCredential, token: str = "") -> Outgoing:
    """The signed request, remembering every secret on it, so that none comes back into a record."""
    shown = (value for name, value in signed.headers if name.lower() == "authorization")
    return with_secrets(signed, party.sk, party.token, party.password, token, *shown)


def _refused_login(problem: ConsoleError) -> PlatformRefused:
    if problem.code in ("mapping_failed", "credential_incomplete"):
        return PlatformRefused(problem.detail, code=problem.code, note=problem.note)
    return PlatformRefused(REFUSED_LOGIN % {"problem": problem.detail}, code="login_failed", note=problem.note)


def _document(answer: Incoming) -> dict[str, Any]:
    return {"status": answer.status, "headers": answer.headers, "body": answer.body}
