"""Reading what somebody brings as a contract: sources to compile, or an artifact; checked before anything is written.

Compiling takes a second, so it happens here, outside of any transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from chains import abi
from chains.compiling import Diagnostic, compile_sources, runtime_hash_of
from chains.compiling.proxy import clashes, initializer_of
from chains.models import Blockchain, ContractVersion, UpgradeWay
from console.errors import Invalid, Missing
from console.models import User
from unions.models import MemberRole, Organization

Json = dict[str, Any]
SINGLE = "Contract.sol"  # what one source without a name is called
MAX_BYTECODE = 96 * 1024  # bytes of creation code
_CODE = re.compile(r"^(0x)?(?:[0-9a-fA-F]{2})+$")
_NUMBERED = re.compile(r"\)\d+")  # the compiler numbers its types anew each time


@dataclass(frozen=True)
class Draft:
    """A program that is not written down yet."""

    entry: str
    abi: list[Json]
    bytecode: str
    sources: dict[str, str] = field(default_factory=dict)
    compiler: str = ""
    settings: Json = field(default_factory=dict)
    runtime_hash: str = ""
    storage_layout: Json = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()

    def as_fields(self) -> Json:
        """For a row of a version."""
        return {
            "entry": self.entry,
            "abi": self.abi,
            "bytecode": self.bytecode,
            "sources": self.sources,
            "compiler": self.compiler,
            "compiler_settings": self.settings,
            "runtime_hash": self.runtime_hash,
            "storage_layout": self.storage_layout,
        }


def read_program(*, source: Any = None, artifact: Any = None, entry: str = "") -> Draft:
    """The one program that is meant. Raises CompilationFailed and Invalid by field, Busy."""
    if connection.in_atomic_block:
        raise RuntimeError("a contract is compiled outside of any transaction")
    if bool(source) == bool(artifact):
        text = _("Bring either sources or an artifact.")
        raise Invalid(text, errors={"source": [text], "artifact": [text]})
    return _from_sources(_read_sources(source), entry) if source else _from_artifact(artifact, entry)


def compile_only(*, source: Any) -> list[Draft]:
    """Every program of the sources that can be deployed, for whoever is to choose."""
    sources = _read_sources(source)
    made = compile_sources(sources)
    return [_draft(sources, made, program) for program in made.deployable()]


def _from_sources(sources: dict[str, str], entry: str) -> Draft:
    made = compile_sources(sources)
    return _draft(sources, made, made.choose(entry))


def _draft(sources: dict[str, str], made: Any, program: Any) -> Draft:
    return Draft(
        entry=program.entry,
        abi=program.abi,
        bytecode=_read_bytecode(program.bytecode, "source"),
        sources=sources,
        compiler=made.compiler,
        settings=made.settings,
        runtime_hash=program.runtime_hash,
        storage_layout=program.storage_layout,
        warnings=made.warnings,
    )


def _read_sources(source: Any) -> dict[str, str]:
    if isinstance(source, str):
        return {SINGLE: source}
    if isinstance(source, Mapping) and all(isinstance(each, str) for pair in source.items() for each in pair):
        return dict(source)
    raise Invalid.field("source", _("Sources are a text, or an object of file names and texts."))


def _from_artifact(artifact: Any, entry: str) -> Draft:
    """`{abi, bytecode}` as compilers and their tools write it, as an object or as its JSON text."""
    if isinstance(artifact, str):
        try:
            artifact = json.loads(artifact)
        except (ValueError, RecursionError):
            raise Invalid.field("artifact", _("This is not JSON.")) from None
    if not isinstance(artifact, Mapping) or "abi" not in artifact:
        raise Invalid.field("artifact", _("An artifact is an object with abi and bytecode."))
    found = artifact.get("evm")
    evm: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    code = _object(artifact.get("bytecode")) or _object(evm.get("bytecode"))
    runtime = _object(artifact.get("deployedBytecode")) or _object(evm.get("deployedBytecode"))
    name = entry or str(artifact.get("contractName") or "")[:200]
    whole = isinstance(runtime, str) and _CODE.fullmatch(runtime) is not None
    layout = artifact.get("storageLayout")
    return Draft(
        entry=name or _("Artifact"),
        abi=abi.read_abi(artifact["abi"], field="artifact"),
        bytecode=_read_bytecode(code, "artifact"),
        runtime_hash=runtime_hash_of(runtime) if whole and isinstance(runtime, str) else "",
        storage_layout=layout if isinstance(layout, dict) else {},
    )


def _object(code: Any) -> Any:
    return code.get("object") if isinstance(code, Mapping) else code


def _read_bytecode(code: Any, name: str) -> str:
    if isinstance(code, str) and "__$" in code:
        raise Invalid.field(name, _("The bytecode still needs the address of a library: link it first."))
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise Invalid.field(name, _("The bytecode is to be hexadecimal digits."))
    if len(code) > 2 * MAX_BYTECODE:
        raise Invalid.field(name, _("The bytecode has more than %(limit)s KB.") % {"limit": MAX_BYTECODE // 1024})
    return f"0x{code.removeprefix('0x').lower()}"


# --- what a program is given, and what it may be put behind ----------------------------------------------------------


def parameters_of(contract_abi: abi.Abi, way: str) -> Sequence[Json]:
    """Of the constructor; behind a proxy of the function `initialize`, where there is one."""
    if way != UpgradeWay.PROXY:
        return abi.constructor_of(contract_abi).get("inputs", [])
    initializer = initializer_of(contract_abi)
    return initializer.get("inputs", []) if initializer else []


def read_arguments(draft: Draft, way: str, arguments: Any) -> list[Any]:
    """The arguments as they are kept: as JSON, and known to fit."""
    given = arguments if arguments is not None else []
    parameters = parameters_of(draft.abi, way)
    abi.encode_arguments(parameters, given)
    return [given[each.get("name", "")] for each in parameters] if isinstance(given, Mapping) else list(given)


def refuse_unfit_for_proxy(draft: Draft) -> None:
    """A constructor's work would be lost behind a proxy, and a call that the proxy takes for itself as well."""
    if abi.constructor_of(draft.abi).get("inputs"):
        text = _(
            "Behind a proxy a constructor sets nothing: give the contract a function initialize(…) that can be called "
            "once, and a constructor without parameters."
        )
        raise Invalid.field("way", text)
    if clashes(draft.abi):
        raise Invalid.field(
            "way", _("The contract has upgradeToAndCall(address,bytes), which its proxy answers itself.")
        )


def refuse_other_layout(current: ContractVersion, draft: Draft) -> None:
    """Behind the same proxy the data stay, so everything that the old version kept is to be where it was."""
    old, new = current.storage_layout.get("storage"), draft.storage_layout.get("storage")
    if not old or new is None:
        return
    places = {_place(each): each.get("label") for each in new}
    moved = [each["label"] for each in old if _place(each) not in places]
    if moved:
        text = _(
            "The data behind the proxy stay, but this version keeps them elsewhere: %(names)s. Leave what is there in "
            "its order and add new variables at the end."
        )
        raise Invalid.field("source", text % {"names": ", ".join(moved[:10])}, code="storage_layout")


def _place(each: Json) -> tuple[Any, ...]:
    return each.get("label"), each.get("slot"), each.get("offset"), _NUMBERED.sub(")", str(each.get("type")))


# --- who and where ----------------------------------------------------------------------------------------------------


def visible_blockchain(actor: User, uid: str) -> Blockchain:
    rows = Blockchain.objects.visible_to(actor).select_related("business_chain__platform", "business_chain__union")
    row = rows.filter(uid=uid).first()
    if row is None:
        raise Missing(_("There is no such chain."))
    return row


def acting_organization(actor: User, blockchain: Blockchain, orgcode: str) -> Organization:
    """The organization that is named; else the only one on the chain that the actor speaks for."""
    if orgcode:
        named = Organization.objects.visible_to(actor).select_related("space").filter(orgcode=orgcode).first()
        if named is None:
            raise Invalid.field("orgcode", _("There is no organization of this code."))
        return named
    own = speaking_organizations(actor, blockchain)
    if len(own) != 1:
        raise Invalid.field("orgcode", _("Name the organization for which this is done."))
    return own[0]


def speaking_organizations(actor: User, blockchain: Blockchain) -> list[Organization]:
    """Those on the chain that the actor speaks for, by membership."""
    rows = Organization.objects.of_user(actor, MemberRole.ADMINISTRATOR, MemberRole.OPERATOR)
    return list(rows.filter(blockchains=blockchain).select_related("space").order_by("name"))
