"""The support view: it shows, it does not edit, and its button is a service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chains.models import Block, Blockchain, BusinessChain, Node, Sample, Transaction
from chains.services.chains import read_soon
from console.errors import NotAllowed
from console.models import AuditEntry, User
from tests.chains.ledger_plane import Ledger
from tests.unions.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
MODELS = [BusinessChain, Blockchain, Node, Block, Transaction, Sample]


@pytest.fixture
def support(cast: Cast) -> Client:
    User.objects.filter(pk=cast.root.pk).update(is_staff=True, is_superuser=True)
    made = Client()
    made.force_login(User.objects.get(pk=cast.root.pk))
    return made


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_shown_and_cannot_be_changed(
    support: Client, chain: MakeChain, observe: Callable[..., int], model: type
) -> None:
    row, ledger = chain()
    ledger.mine(3, transactions=1)
    observe(row)
    name = model._meta.model_name
    listed = support.get(reverse(f"admin:chains_{name}_changelist"))
    assert listed.status_code == 200
    first = model.objects.first()
    assert support.get(reverse(f"admin:chains_{name}_change", args=[first.pk])).status_code == 200
    assert support.get(reverse(f"admin:chains_{name}_add")).status_code == 403
    assert support.post(reverse(f"admin:chains_{name}_delete", args=[first.pk]), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=first.pk).exists()


def test_a_chain_can_be_read_at_once(support: Client, chain: MakeChain) -> None:
    row, _ledger = chain()
    Blockchain.objects.update(next_read_at=timezone.now() + timedelta(hours=1))
    answer = support.post(
        reverse("admin:chains_blockchain_changelist"), {"action": "read_now", "_selected_action": [row.pk]}
    )
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.next_read_at <= timezone.now()
    assert AuditEntry.objects.filter(action="chains.blockchain.reading_asked").count() == 1


def test_only_administrators_ask_for_a_reading(chain: MakeChain, cast: Cast) -> None:
    row, _ledger = chain()
    later = timezone.now() + timedelta(hours=1)
    Blockchain.objects.update(next_read_at=later)
    with pytest.raises(NotAllowed):
        read_soon(actor=cast.alice, blockchain_ids=[row.pk])
    row.refresh_from_db()
    assert row.next_read_at == later
    assert not AuditEntry.objects.filter(action="chains.blockchain.reading_asked").exists()
