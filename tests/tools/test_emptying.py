"""What tests have committed is gone before the next one; what the set-up left in the database stays."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import TransactionTestCase

from console import audit
from console.models import AuditEntry, User
from platforms.models import Platform, PlatformKind, PlatformVersion
from tests.tools import emptying

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_written_is_gone_and_what_stood_there_stays() -> None:
    standing = set(Permission.objects.values_list("pk", "content_type"))
    with transaction.atomic():
        audit.record("console.test", actor=User.objects.create_user("alice"))
    assert emptying.empty()
    assert not User.objects.exists()
    assert not AuditEntry.objects.exists()
    assert standing
    assert set(Permission.objects.values_list("pk", "content_type")) == standing


def test_a_row_that_stood_there_and_is_gone_is_noticed_and_made_anew() -> None:
    ContentType.objects.get_for_model(User).delete()
    assert not emptying.empty()
    TransactionTestCase(methodName="__init__")._fixture_teardown()
    assert emptying.empty()
    assert Permission.objects.filter(content_type=ContentType.objects.get_for_model(User)).exists()


def test_rows_that_hold_each_other_go_together() -> None:
    """References are looked at when all is deleted, so no order of tables is needed."""
    platform = Platform.objects.create(oemtype="testbed", name="Testbed", kind=PlatformKind.MAPPED)
    platform.version = PlatformVersion.objects.create(platform=platform, number=1, api_file="{}", mapping="{}")
    platform.save()
    assert emptying.empty()
    assert not Platform.objects.exists()
    assert not PlatformVersion.objects.exists()
