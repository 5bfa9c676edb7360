"""Accounts: administrators make and disable them and give roles; everybody keeps their own.

Hashing a password takes a good part of a second, so it is done before the transaction begins.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from console import audit
from console.blockers import require_unblocked
from console.errors import Conflict, Invalid
from console.models import ConsoleRole, User
from console.policies import may_administer, require
from console.transactions import locked_or_missing, use_case


def create_user(
    *,
    actor: User,
    username: str,
    password: str,
    email: str = "",
    name: str = "",
    console_role: str = ConsoleRole.NONE,
    language: str = "",
) -> User:
    """A new account, by an administrator."""
    require(may_administer(actor))
    user = User(username=username, email=email, first_name=name, console_role=console_role, language=language)
    _check_password(password, user, field="password")
    user.password = make_password(password)
    return _create_user(actor=actor, user=user)


@use_case
def _create_user(*, actor: User, user: User) -> User:
    _check(user)
    user.save(force_insert=True)
    audit.record("console.user.created", actor=actor, target=user, email=user.email, console_role=user.console_role)
    return user


@use_case
def set_role(*, actor: User, user_id: int, console_role: str) -> User:
    """Make a user an administrator, an auditor, or neither."""
    require(may_administer(actor))
    if console_role not in ConsoleRole.values:
        raise Invalid.field("console_role", _("There is no such role."))
    user = _locked(user_id)
    if user.console_role == console_role:
        return user
    before, user.console_role = user.console_role, console_role
    _keep_an_administrator(user)
    user.save(update_fields=["console_role"])
    audit.record("console.user.role_set", actor=actor, target=user, before=before, after=console_role)
    return user


@use_case
def disable_user(*, actor: User, user_id: int) -> User:
    """Close an account: its sessions and tokens open no door any more. What it did stays on record.

    Blocked while something depends on this very person, and then what is named.
    """
    require(may_administer(actor))
    user = _locked(user_id)
    if user.pk == actor.pk:
        raise Conflict(_("You cannot disable yourself; ask another administrator."))
    if user.is_active:
        require_unblocked("user", user)
        user.is_active = False
        _keep_an_administrator(user)
        user.save(update_fields=["is_active"])
        audit.record("console.user.disabled", actor=actor, target=user)
    return user


@use_case
def enable_user(*, actor: User, user_id: int) -> User:
    """Open a closed account again."""
    require(may_administer(actor))
    user = _locked(user_id)
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        audit.record("console.user.enabled", actor=actor, target=user)
    return user


def reset_password(*, actor: User, user_id: int, new_password: str) -> User:
    """Give a user who has lost the password a new one, by an administrator."""
    require(may_administer(actor))
    user = User.objects.filter(pk=user_id).first()
    _check_password(new_password, user, field="new_password")
    return _store_password(
        actor=actor, user_id=user_id, encoded=make_password(new_password), action="console.user.password_reset"
    )


def change_password(*, actor: User, old_password: str, new_password: str) -> User:
    """One's own password; the old one proves who asks, and proves it once."""
    proven = actor.password
    if not check_password(old_password, proven):
        raise _not_the_password()
    _check_password(new_password, actor, field="new_password")
    encoded = make_password(new_password)
    return _store_password(
        actor=actor, user_id=actor.pk, encoded=encoded, action="console.user.password_changed", instead_of=proven
    )


def _not_the_password() -> Invalid:
    return Invalid.field("old_password", _("This is not your password."))


@use_case
def _store_password(*, actor: User, user_id: int, encoded: str, action: str, instead_of: str | None = None) -> User:
    user = _locked(user_id)
    if instead_of not in (None, user.password):
        raise _not_the_password()  # any more: hashing takes long, and somebody else was faster
    user.password = encoded
    user.save(update_fields=["password"])
    audit.record(action, actor=actor, target=user)
    return user


@use_case
def update_profile(*, actor: User, name: str, email: str, language: str) -> User:
    """One's own name, e-mail address and language."""
    user = _locked(actor.pk)
    user.first_name, user.last_name, user.email, user.language = name.strip(), "", email.strip(), language
    _check(user)
    user.save(update_fields=["first_name", "last_name", "email", "language"])
    audit.record("console.user.profile_updated", actor=actor, target=user, email=user.email, language=language)
    return user


@use_case
def set_language(*, actor: User, language: str) -> User:
    """The language in which the console speaks to a user; empty: whatever the browser asks for."""
    if language and language not in dict(settings.LANGUAGES):
        raise Invalid.field("language", _("The console does not speak this language."))
    user = _locked(actor.pk)
    if user.language != language:
        user.language = language
        user.save(update_fields=["language"])
        audit.record("console.user.language_set", actor=actor, target=user, language=language)
    return user


def _locked(user_id: int) -> User:
    return locked_or_missing(User.objects.all(), pk=user_id)


def _keep_an_administrator(user: User) -> None:
    """Refuse a change after which nobody could administer the console."""
    if user.is_administrator:
        return
    administrators = Q(console_role=ConsoleRole.ADMINISTRATOR) | Q(is_superuser=True)
    others = User.objects.select_for_update().filter(administrators, is_active=True).exclude(pk=user.pk)
    if not others.order_by("pk"):
        raise Conflict(_("This is the last administrator; make another one first."))


def _check(user: User) -> None:
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as problem:
        fields = {"name" if name == "first_name" else name: texts for name, texts in problem.message_dict.items()}
        raise Invalid(_("The request has errors."), errors=fields) from problem


def _check_password(password: str, user: User | None, *, field: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise Invalid(problem.messages[0], errors={field: problem.messages}) from problem
