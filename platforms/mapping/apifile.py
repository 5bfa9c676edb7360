"""The platform's original API file: its operations by operationId and by `METHOD /path`. OpenAPI 3.x, Swagger 2.0."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from console.errors import Invalid
from console.sentences import kept
from platforms.mapping.documents import read_document
from platforms.mapping.references import BadReference, Document
from platforms.mapping.remembered import remembered

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
JSON_TYPE = re.compile(r"^(application|text)/([\w.+-]+\+)?json\b|^\*/\*", re.IGNORECASE)
NO_VERSION = gettext_noop("neither OpenAPI 3.0 or 3.1 nor Swagger 2.0")
NO_PATHS = gettext_noop("has no paths")
BAD_PATH = kept(gettext_noop("paths.%(path)s: a path starting with / and an object are expected"))
USED_TWICE = kept(gettext_noop("the operationId %(name)s is used twice"))
BAD_PARAMETER = kept(gettext_noop("%(route)s: a parameter is not an object"))
BAD_PARAMETERS = kept(gettext_noop("%(route)s: parameters is not a list"))
_PARAMETER = re.compile(r"\{([^{}/]+)\}")


@dataclass(frozen=True)
class ApiOperation:
    """One call that the platform offers. `path` still holds its `{parameters}`."""

    id: str
    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    definition: dict[str, Any]

    @property
    def path_parameters(self) -> set[str]:
        return set(_PARAMETER.findall(self.path))

    def parameters_in(self, place: str) -> dict[str, dict[str, Any]]:
        """The parameters of `path`, `query`, `header` … by name."""
        return {str(each.get("name")): each for each in self.parameters if each.get("in") == place}


@dataclass(frozen=True)
class Body:
    """What goes in or comes out: a schema for each media type. No media type: nothing."""

    schemas: dict[str, Any]
    required: bool = False

    @property
    def json_schemas(self) -> list[Any]:
        return [schema for media, schema in self.schemas.items() if JSON_TYPE.match(media)]


class ApiFile(Document):
    """A parsed API file. References resolve within the file only."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document)
        self.version = str(document.get("openapi") or document.get("swagger") or "")
        if not self.version.startswith(("3.0", "3.1", "2.0")):
            raise Invalid.field("api_file", NO_VERSION)
        self.operations: dict[str, ApiOperation] = {}
        self._by_route: dict[str, ApiOperation] = {}
        try:
            self._collect()
        except BadReference as problem:
            raise Invalid.field("api_file", str(problem)) from problem

    @classmethod
    def parse(cls, text: str) -> ApiFile:
        """From YAML or JSON; Invalid names the line. The same text may give the same object."""
        return _parsed(text)

    def counted(self, looks: int) -> ApiFile:
        """The same file, on which so many looks at schemas are counted."""
        own = copy.copy(self)
        own.looks_left = looks
        return own

    @property
    def is_swagger(self) -> bool:
        return self.version == "2.0"

    @property
    def address(self) -> str:
        """Where the file says that the platform is. For people to read: the console never calls it by itself."""
        if self.is_swagger:
            host, base = self.root.get("host"), self.root.get("basePath") or ""
            schemes = self.root.get("schemes")
            scheme = schemes[0] if isinstance(schemes, list) and "https" not in schemes and schemes else "https"
            found: object = f"{scheme}://{host}{base}" if isinstance(host, str) and host else ""
        else:
            servers = self.root.get("servers")
            first = servers[0] if isinstance(servers, list) and servers else None
            found = first.get("url") if isinstance(first, dict) else ""
        return found.rstrip("/") if isinstance(found, str) and found.startswith(("http://", "https://")) else ""

    def find(self, name: str) -> ApiOperation | None:
        """By operationId, or by `METHOD /path` as the file spells it."""
        return self.operations.get(name) or self._by_route.get(" ".join(str(name).split()))

    def request_body(self, operation: ApiOperation) -> Body:
        """What the operation takes."""
        if self.is_swagger:
            return self._swagger_body(operation)
        body = self.resolve(operation.definition.get("requestBody"))
        if not isinstance(body, dict):
            return Body({})
        return Body(self._contents(body), bool(body.get("required")))

    def success_bodies(self, operation: ApiOperation) -> list[Body]:
        """What the operation answers when it succeeds: every 2xx, or the default answer where no 2xx is named."""
        responses = operation.definition.get("responses")
        responses = responses if isinstance(responses, dict) else {}
        chosen = [each for code, each in responses.items() if str(code).upper().startswith("2")]
        chosen = chosen or [each for code, each in responses.items() if str(code) == "default"]
        return [self._response(operation, self.resolve(each)) for each in chosen]

    def _response(self, operation: ApiOperation, response: Any) -> Body:
        if not isinstance(response, dict):
            return Body({})
        if not self.is_swagger:
            return Body(self._contents(response))
        if "schema" not in response:
            return Body({})
        produces = operation.definition.get("produces") or self.root.get("produces") or ["application/json"]
        return Body({str(media): response["schema"] for media in produces})

    def _contents(self, holder: dict[str, Any]) -> dict[str, Any]:
        content = holder.get("content")
        if not isinstance(content, dict):
            return {}
        return {str(media): each.get("schema", {}) if isinstance(each, dict) else {} for media, each in content.items()}

    def _swagger_body(self, operation: ApiOperation) -> Body:
        consumes = [str(each) for each in operation.definition.get("consumes") or self.root.get("consumes") or ()]
        forms = operation.parameters_in("formData")
        if forms:
            media = next((each for each in consumes if not JSON_TYPE.match(each)), "application/x-www-form-urlencoded")
            return Body({media: {"type": "object"}}, any(each.get("required") for each in forms.values()))
        body = next(iter(operation.parameters_in("body").values()), None)
        if body is None:
            return Body({})
        return Body(
            {media: body.get("schema", {}) for media in consumes or ["application/json"]}, bool(body.get("required"))
        )

    def _collect(self) -> None:
        paths = self.root.get("paths")
        if not isinstance(paths, dict) or not paths:
            raise Invalid.field("api_file", NO_PATHS)
        for path, item in paths.items():
            if str(path).startswith("x-"):
                continue
            item = self.resolve(item)
            if not isinstance(item, dict) or not str(path).startswith("/"):
                raise Invalid.field("api_file", BAD_PATH % {"path": path})
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    self._add(str(path), method, item, item[method])

    def _add(self, path: str, method: str, item: dict[str, Any], definition: dict[str, Any]) -> None:
        route = f"{method.upper()} {path}"
        name = str(definition.get("operationId") or route)
        if name in self.operations:
            raise Invalid.field("api_file", USED_TWICE % {"name": name})
        parameters: dict[tuple[str, str], dict[str, Any]] = {}
        for each in (*_list(item.get("parameters"), route), *_list(definition.get("parameters"), route)):
            parameter = self.resolve(each)
            if not isinstance(parameter, dict):
                raise Invalid.field("api_file", BAD_PARAMETER % {"route": route})
            parameters[str(parameter.get("name")), str(parameter.get("in"))] = parameter
        operation = ApiOperation(name, method.upper(), path, tuple(parameters.values()), definition)
        self.operations[name] = self._by_route[route] = operation


def parameter_schema(parameter: dict[str, Any]) -> Any:
    """The schema of a parameter: beside it in Swagger 2.0, inside it in OpenAPI 3."""
    if "schema" in parameter:
        return parameter["schema"]
    content = parameter.get("content")
    if isinstance(content, dict) and content:
        first = next(iter(content.values()))
        return first.get("schema", {}) if isinstance(first, dict) else {}
    return {key: parameter[key] for key in ("type", "format", "enum", "items") if key in parameter}


def _list(value: Any, route: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid.field("api_file", BAD_PARAMETERS % {"route": route})
    return value


@remembered
def _parsed(text: str) -> ApiFile:
    return ApiFile(read_document(text, field="api_file"))
