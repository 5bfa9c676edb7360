"""Looking at a platform's files before anything is registered: the check and the dry run. Nothing is written."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from console.errors import ConsoleError, Invalid
from console.models import User
from console.policies import require
from platforms.mapping.apifile import ApiFile
from platforms.mapping.check import Report, check_files
from platforms.mapping.dryrun import DryRun, dry_run
from platforms.mapping.samples import read_samples
from platforms.mapping.template import Template
from platforms.policies import may_register_platform


def check(*, actor: User, api_file: str, mapping: str, samples: Any = None) -> Report:
    """What is wrong with the files, what is open, and what is worth knowing."""
    require(may_register_platform(actor))
    return check_files(api_file, mapping, samples)


def run_dry(*, actor: User, api_file: str, mapping: str, operation: str, samples: Any) -> DryRun:
    """What an operation would send, and what comes out of it, with the samples for answers."""
    require(may_register_platform(actor))
    errors: dict[str, list[str]] = {}
    readers = {
        "api_file": lambda: ApiFile.parse(api_file),
        "mapping": lambda: Template.parse(mapping),
        "samples": lambda: read_samples(samples or {}),
    }
    parts: dict[str, Any] = {}
    for name, reader in readers.items():
        try:
            parts[name] = reader()
        except ConsoleError as problem:
            errors |= problem.errors
    if not errors and operation not in parts["samples"]:
        errors["operation"] = [_("There is no sample for this operation.")]
    if errors:
        raise Invalid(_("The files cannot be run."), errors=errors)
    return dry_run(parts["mapping"], parts["api_file"], parts["samples"][operation])
