"""A token from a login step, shown in a header until it runs out.

```yaml
auth:
  kind: login
  steps:
  - {id: login, op: login, body: {email: {$secret: username}, password: {$secret: password}}}
  result: {token: {$from: $.steps.login.body.data.token}}   # and `seconds`, or `until` (a time), if the answer says it
  lifetime: 3600          # where the answer does not say for how long
  header: Authorization
  prefix: 'JWT '
```

The steps are those of an interface, run by the same interpreter; they may stand on another address (`tokenAddress`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_noop

from console.errors import PlatformRefused
from platforms.auth.base import Options, Surroundings, Token
from platforms.auth.secrets import filled
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing
from platforms.mapping.interpreter import Wait, run
from platforms.mapping.template import Interface


class Login:
    uses_tls_identity = False

    def fetch(self, credential: PartyCredential, options: Options, around: Surroundings) -> Token:
        """Run the login steps as this party."""
        interface = Interface("auth", tuple(options["steps"]), options["result"])
        steps = run(around.template, around.api, interface, {}, key="")
        try:
            event = next(steps)
            while not isinstance(event, Wait):
                # Signing in twice harms nobody, so a lost answer is no unknown outcome.
                request = replace(event.request, idempotent=True)
                event = steps.send(around.send(filled(request, credential)))
        except StopIteration as end:
            return _token(end.value)
        raise PlatformRefused(gettext_noop("a login cannot wait"), code="mapping_failed")

    def show(self, request: Outgoing, token: str, options: Options) -> Outgoing:
        name = options.get("header", "Authorization")
        return request.with_headers((name, options.get("prefix", "") + token))


def _token(result: dict[str, Any]) -> Token:
    text = result.get("token")
    if not isinstance(text, str) or not text:
        raise PlatformRefused(gettext_noop("the platform's answer to the login holds no token"), code="login_failed")
    if result.get("until") is not None:
        left = datetime.fromisoformat(str(result["until"])) - datetime.now(UTC)
        return Token(text, left.total_seconds())
    seconds = result.get("seconds")
    return Token(text, None if seconds is None else float(seconds))


SCHEME = Login()
