"""What administrators do in the mapping studio: begin a draft, write in it, and make a platform of it.

A draft takes whatever is typed, so that nothing is lost; whether it is right, the check says. Every change names the
revision that it was made on, so that two windows do not overwrite each other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from console import audit, flows
from console.errors import Conflict, Invalid, Missing
from console.flows import blueprint_named
from console.models import User
from console.policies import require
from console.sentences import told
from console.transactions import joins_transaction, locked_or_missing, use_case
from platforms import reads
from platforms.mapping.apifile import ApiFile
from platforms.mapping.documents import MAX_BYTES
from platforms.mapping.proposal import example_sample, first_mapping, sketch
from platforms.mapping.references import BadReference, TooTangled
from platforms.mapping.samples import parse_samples
from platforms.mapping.template import read_mapping
from platforms.mapping.writing import put, removed
from platforms.models import ApiState, Draft, Platform
from platforms.policies import may_see_platform_details, may_update_platform, may_use_studio
from platforms.presets import preset
from platforms.services import platforms as service
from platforms.standard import OPERATIONS

MAX_DRAFTS = 50  # of one administrator
AT_ONCE = 256 * 1024  # characters of YAML that are read while somebody waits: a quarter of a second
SAMPLES_AS_YAML = 512 * 1024  # characters; more have to be JSON, which is read seventy times faster
TEXTS = ("api_file", "mapping", "samples")
REMEMBERED = (
    "oemtype", "name", "cloudtype", "kernel", "base_url", "on_prem_base_url", "ca_certificate", "is_default",
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What an API file is: read, unreadable and why, or too large to be read while somebody waits."""

    state: str
    document: str = ""
    problems: list[str] = field(default_factory=list)


def reading_of(text: str, *, patient: bool = False) -> Reading:
    """The API file, parsed; a large one only by whoever is patient."""
    if not text.strip():
        return Reading(ApiState.NONE)
    if not patient and len(text) > AT_ONCE and text.lstrip()[:1] != "{":
        return Reading(ApiState.READING)
    try:
        return Reading(ApiState.READY, json.dumps(ApiFile.parse(text).root))
    except Invalid as problem:
        return Reading(ApiState.UNREADABLE, "", problem.errors.get("api_file") or [problem.detail])


# --- beginning --------------------------------------------------------------------------------------------------------


def begin_from_preset(*, actor: User, slug: str, values: Mapping[str, str] | None = None) -> Draft:
    """A draft with a preset's files, and the values of its parameters in them. Invalid names the parameter."""
    require(may_use_studio(actor))
    chosen = preset(slug)
    mapping = chosen.mapping_with(values or {})
    samples = json.dumps(chosen.samples, ensure_ascii=False, indent=2)
    setup = {
        "name": chosen.title,
        "oemtype": chosen.slug,
        "kernel": chosen.kernel,
        "cloudtype": chosen.cloudtype,
        "base_url": chosen.address_with(values or {}),
    }
    texts = {"api_file": chosen.api_file, "mapping": mapping, "samples": samples}
    return _begin(actor, title=chosen.title, preset=slug, setup=setup, **texts)


def begin_from_files(*, actor: User, title: str, api_file: str, mapping: str = "", samples: str = "") -> Draft:
    """A draft with one's own files. Without a mapping, the beginning of one is made from the API file."""
    require(may_use_studio(actor))
    reading = reading_of(api_file)
    if not mapping.strip() and reading.state == ApiState.READY:
        mapping = first_mapping(ApiFile(json.loads(reading.document)))
    return _begin(actor, title=title, api_file=api_file, mapping=mapping, samples=samples)


def begin_from_platform(*, actor: User, oemtype: str, number: int | None = None) -> Draft:
    """A draft with the files of a platform: to become a new version of them, or what was refused, to be mended."""
    require(may_use_studio(actor))
    require(may_see_platform_details(actor))
    platform = reads.platform_named(actor, oemtype)
    version = platform.versions.filter(number=number).first() if number else platform.version
    if version is None:
        raise Missing(_("The platform has no such version."))
    before = service.setup_of(platform)
    setup = {name: getattr(before, name) for name in REMEMBERED if name != "oemtype"}
    return _begin(
        actor,
        title=platform.name,
        platform=platform if may_update_platform(actor, platform) else None,
        setup={"oemtype": platform.oemtype, **setup},
        api_file=version.api_file,
        mapping=version.mapping,
        samples=json.dumps(version.samples, ensure_ascii=False, indent=2) if version.samples else "",
    )


def _begin(actor: User, *, title: str, **given: Any) -> Draft:
    title = " ".join(title.split())
    if not title or len(title) > 200 or not title.isprintable():
        raise Invalid.field("title", _("A name of 1 to 200 characters is needed."))
    _refuse_unfit({name: given[name] for name in TEXTS})
    return _write_first(actor, title, given, reading_of(given["api_file"]))


@use_case
def _write_first(actor: User, title: str, given: dict[str, Any], reading: Reading) -> Draft:
    if Draft.objects.visible_to(actor).count() >= MAX_DRAFTS:
        raise Conflict(_("You have %(count)d drafts already; discard some of them first.") % {"count": MAX_DRAFTS})
    draft = Draft(owner=actor, title=title, **given)
    _take_in(draft, reading)
    draft.save()
    audit.record("platforms.draft.begun", actor=actor, target=draft, preset=draft.preset)
    _read_later(actor, draft)
    return draft


# --- writing ----------------------------------------------------------------------------------------------------------


def save_draft(*, actor: User, draft_id: int, revision: int, **changes: Any) -> Draft:
    """Keep what was typed: `title`, the files as texts, `setup`. Conflict when it was changed since that revision."""
    require(may_use_studio(actor))
    _refuse_unfit({name: changes[name] for name in TEXTS if name in changes})
    if "setup" in changes:
        changes["setup"] = {name: each for name, each in changes["setup"].items() if name in REMEMBERED}
    reading = reading_of(changes["api_file"]) if "api_file" in changes else None
    return _write(actor, draft_id, revision, changes, reading)


@use_case
def _write(actor: User, draft_id: int, revision: int, changes: dict[str, Any], reading: Reading | None) -> Draft:
    draft = locked_or_missing(Draft.objects.visible_to(actor), pk=draft_id)
    if draft.revision != revision:
        raise Conflict(_("The draft was changed in another window. Reload the page to go on with what is saved."))
    if all(getattr(draft, name) == each for name, each in changes.items()):
        return draft
    for name, each in changes.items():
        setattr(draft, name, each)
    if reading is not None:
        _take_in(draft, reading)
    draft.revision += 1
    draft.changed_at = timezone.now()
    draft.save()
    if reading is not None:
        _read_later(actor, draft)
    return draft


def sketch_interface(*, actor: User, draft: Draft, revision: int, operation: str, call: str) -> Draft:
    """Write the skeleton of an interface for the chosen operation of the API file into the mapping."""
    _known(operation)
    api = api_of(draft)
    chosen = api.find(call) if api is not None else None
    if api is None or chosen is None:
        raise Invalid.field("call", _("The API file has no such operation."))
    try:
        made = sketch(api, operation, chosen)
    except (BadReference, TooTangled) as problem:
        words = _("The API file cannot be followed: %(problem)s") % {"problem": told(str(problem))}
        raise Invalid.field("call", words) from problem
    text = put(removed(draft.mapping, ("unsupported", operation)), ("interfaces", operation), made)
    return save_draft(actor=actor, draft_id=draft.pk, revision=revision, mapping=text)


def say_unsupported(*, actor: User, draft: Draft, revision: int, operation: str, reason: str) -> Draft:
    """The platform cannot do it, and why: people read it instead of a button."""
    _known(operation)
    reason = " ".join(reason.split())
    if not reason or len(reason) > 500:
        raise Invalid.field("reason", _("A reason of 1 to 500 characters is needed: people read it."))
    text = _without_interface(draft.mapping, operation)
    text = put(text, ("unsupported", operation), reason)
    return save_draft(actor=actor, draft_id=draft.pk, revision=revision, mapping=text)


def take_out(*, actor: User, draft: Draft, revision: int, operation: str) -> Draft:
    """Neither mapped nor unsupported any more."""
    _known(operation)
    text = removed(_without_interface(draft.mapping, operation), ("unsupported", operation))
    return save_draft(actor=actor, draft_id=draft.pk, revision=revision, mapping=text)


def _without_interface(text: str, operation: str) -> str:
    text = removed(text, ("interfaces", operation))
    left = read_mapping(text) if text.strip() else {}
    return text if left.get("interfaces") or "interfaces" not in left else put(text, ("interfaces",), {})


def put_sample(*, actor: User, draft: Draft, revision: int, operation: str, text: str) -> Draft:
    """The sample of one interface, as YAML or JSON; an empty text takes it out."""
    _known(operation)
    if text.strip():
        try:
            made = put(draft.samples, (operation,), parse_samples(text), field="samples")
        except Invalid as problem:
            raise Invalid(
                problem.detail, errors={"sample": problem.errors.get("samples", [problem.detail])}
            ) from problem
    else:
        made = removed(draft.samples, (operation,), field="samples")
    return save_draft(actor=actor, draft_id=draft.pk, revision=revision, samples=made)


def put_example(*, actor: User, draft: Draft, revision: int, operation: str) -> Draft:
    """A sample made from the API file's schemas, for a first look."""
    _known(operation)
    api = api_of(draft)
    interfaces = read_mapping(draft.mapping).get("interfaces") if draft.mapping.strip() else None
    interface = interfaces.get(operation) if isinstance(interfaces, dict) else None
    steps = interface.get("steps") if isinstance(interface, dict) else None
    if api is None or not isinstance(steps, list):
        raise Conflict(_("An example needs the API file and the operation's steps in the mapping."))
    made = put(draft.samples, (operation,), example_sample(api, operation, steps), field="samples")
    return save_draft(actor=actor, draft_id=draft.pk, revision=revision, samples=made)


def api_of(draft: Draft) -> ApiFile | None:
    """The API file, where it could be read."""
    return ApiFile(json.loads(draft.api_document)) if draft.api_document else None


@use_case
def discard_draft(*, actor: User, draft_id: int) -> None:
    """Throw a draft away."""
    draft = locked_or_missing(Draft.objects.visible_to(actor), pk=draft_id)
    require(may_use_studio(actor))
    audit.record("platforms.draft.discarded", actor=actor, target=draft, title=draft.title)
    draft.delete()


# --- reading a large file ---------------------------------------------------------------------------------------------


def digest_of(draft: Draft) -> str:
    """Of the API file's text."""
    return hashlib.sha256(draft.api_file.encode("utf-8", "replace")).hexdigest()


@use_case
def record_reading(*, draft_id: int, digest: str, reading: Reading) -> bool:
    """What came out of reading the API file; nothing, when the draft is gone or holds another file by now."""
    draft = Draft.objects.select_for_update().filter(pk=draft_id).first()
    if draft is None or digest_of(draft) != digest:
        return False
    _take_in(draft, reading)
    if not draft.mapping.strip() and reading.document:
        draft.mapping = first_mapping(ApiFile(json.loads(reading.document)))  # what somebody types meanwhile counts
    draft.save()
    return True


def _take_in(draft: Draft, reading: Reading) -> None:
    draft.api_state, draft.api_document, draft.api_problems = reading.state, reading.document, reading.problems


@joins_transaction
def _read_later(actor: User, draft: Draft) -> None:
    if draft.api_state == ApiState.READING:
        flows.start(
            blueprint_named("platforms.read_draft"),
            subject=draft,
            requested_by=actor,
            arguments={"draft": draft.pk, "digest": digest_of(draft)},
            title_values={"name": draft.title},
        )


# --- the end of a draft -----------------------------------------------------------------------------------------------


def register_from_draft(*, actor: User, draft: Draft, **setup: Any) -> service.Started:
    """Register a platform with the draft's files. The draft stays until the platform is official."""
    files = {"api_file": draft.api_file, "mapping": draft.mapping, "samples": samples_of(draft)}
    started = service.register_platform(actor=actor, **setup, **files)
    _note_registration(actor, draft.pk, started.platform)
    return started


@use_case
def _note_registration(actor: User, draft_id: int, platform: Platform) -> None:
    Draft.objects.visible_to(actor).filter(pk=draft_id).update(registration=platform, changed_at=timezone.now())


def make_version(*, actor: User, draft: Draft) -> Platform:
    """Make the draft's files a new version of its platform's, which is checked first. The draft has served."""
    if draft.platform is None:
        raise Conflict(_("This draft belongs to no platform; register one."))
    files = {"api_file": draft.api_file, "mapping": draft.mapping, "samples": samples_of(draft)}
    platform = service.update_platform(actor=actor, oemtype=draft.platform.oemtype, **files)
    _forget(actor, draft.pk)
    return platform


@use_case
def _forget(actor: User, draft_id: int) -> None:
    Draft.objects.visible_to(actor).filter(pk=draft_id).delete()


# --- what is taken ----------------------------------------------------------------------------------------------------


def samples_of(draft: Draft) -> dict[str, Any]:
    """The samples as plain JSON; Invalid names the line."""
    return parse_samples(draft.samples)


def _known(operation: str) -> None:
    if operation not in OPERATIONS:
        raise Missing(_("The standard interface has no operation “%(name)s”.") % {"name": operation})


def _refuse_unfit(texts: dict[str, str]) -> None:
    errors: dict[str, list[str]] = {}
    for name, text in texts.items():
        if "\x00" in text:
            errors[name] = [_("This file is not UTF-8 text.")]
        elif len(text.encode("utf-8", "replace")) > MAX_BYTES:
            errors[name] = [_("This file is larger than 2 MB.")]
        elif name == "samples" and len(text) > SAMPLES_AS_YAML and text.lstrip()[:1] != "{":
            errors[name] = [_("Samples larger than 512 kB have to be JSON, which is read faster.")]
    if errors:
        raise Invalid(_("The files cannot be saved."), errors=errors)
