"""The rules of OpenAPI 3.1 that a document of ours must keep, and a client that is made from it."""

import json
import re
import subprocess
import urllib.parse

import jsonschema

from api import Api
from stack import BIN

METHODS = ("get", "put", "post", "delete")
VERSION = {"type": "object", "required": ["title", "version"]}
REFERENCE = {"type": "object", "required": ["$ref"], "additionalProperties": False,
             "properties": {"$ref": {"pattern": "^#/components/(schemas|parameters|responses)/[A-Za-z0-9._-]+$"}}}
CONTENT = {"type": "object", "minProperties": 1, "additionalProperties": {
    "type": "object", "required": ["schema"], "additionalProperties": False, "properties": {"schema": {"type": "object"}}}}
PARAMETER = {"type": "object", "required": ["name", "in", "schema"], "additionalProperties": False, "properties": {
    "name": {"type": "string"}, "in": {"enum": ["path", "query", "header", "cookie"]}, "required": {"type": "boolean"},
    "description": {"type": "string"}, "schema": {"type": "object"}},
    "if": {"properties": {"in": {"const": "path"}}}, "then": {"required": ["required"], "properties": {"required": {"const": True}}}}
HEADERS = {"type": "object", "additionalProperties": {"type": "object", "required": ["schema"]}}
RESPONSE = {"type": "object", "required": ["description"], "additionalProperties": False,
            "properties": {"description": {"type": "string"}, "headers": HEADERS, "content": CONTENT}}
OPERATION = {"type": "object", "required": ["operationId", "responses"], "additionalProperties": False, "properties": {
    "operationId": {"pattern": "^[a-z][a-z_]*$"}, "summary": {"type": "string", "minLength": 1},
    "security": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}},
    "parameters": {"type": "array", "uniqueItems": True, "items": {"oneOf": [PARAMETER, REFERENCE]}},
    "requestBody": {"type": "object", "required": ["content"], "additionalProperties": False,
                    "properties": {"required": {"type": "boolean"}, "content": CONTENT}},
    "responses": {"type": "object", "minProperties": 1, "additionalProperties": False, "patternProperties": {
        "^([1-5](\\d\\d|XX)|default)$": {"oneOf": [RESPONSE, REFERENCE]}}}}}
ITEM = {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": {m: OPERATION for m in METHODS}}
NAMES = {"propertyNames": {"pattern": "^[A-Za-z0-9._-]+$"}}
DOCUMENT = {"type": "object", "required": ["openapi", "info", "paths", "components"], "additionalProperties": False, "properties": {
    "openapi": {"pattern": "^3\\.1\\.\\d+$"}, "info": VERSION,
    "jsonSchemaDialect": {"const": "https://json-schema.org/draft/2020-12/schema"},
    "servers": {"type": "array", "items": {"type": "object", "required": ["url"]}},
    "paths": {"type": "object", "additionalProperties": False, "patternProperties": {"^/": ITEM}},
    "webhooks": {"type": "object", "additionalProperties": ITEM},
    "components": {"type": "object", "additionalProperties": False, "properties": {
        "schemas": {**NAMES, "additionalProperties": {"type": "object"}}, "parameters": {**NAMES, "additionalProperties": PARAMETER},
        "responses": {**NAMES, "additionalProperties": RESPONSE},
        "securitySchemes": {"additionalProperties": {"type": "object", "required": ["type", "scheme"]}}}}}}


def everything(value):
    """All objects within."""
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(one)


class Document:
    def __init__(self):
        self.tree = json.loads(subprocess.run([BIN / "ctibus", "schema", "--format", "openapi"], check=True, stdout=subprocess.PIPE).stdout)
        self.operations = {o["operationId"]: (method.upper(), path, o) for path, item in self.tree["paths"].items()
                           for method, o in item.items()}
        self.validators = {}

    def at(self, reference):
        place = self.tree
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        return place

    def resolved(self, value):
        return self.at(value["$ref"]) if "$ref" in value else value

    def parameters(self, operation):
        return [self.resolved(p) for p in operation.get("parameters", ())]

    def fault(self, schema, body):
        """What is wrong with a body, in words, or None."""
        key = json.dumps(schema)
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator({**schema, "components": self.tree["components"]})
        error = jsonschema.exceptions.best_match(self.validators[key].iter_errors(body))
        return error and f"{'/'.join(map(str, error.absolute_path))}: {error.message[:400]} in {str(body)[:600]}"

    def faults(self):
        """The rules of OpenAPI 3.1: of its form, of names that must be there or be different, of schemas."""
        for error in jsonschema.Draft202012Validator(DOCUMENT).iter_errors(self.tree):
            yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for one in everything(self.tree):
            if isinstance(one.get("$ref"), str):
                try:
                    self.at(one["$ref"])
                except KeyError:
                    yield f"{one['$ref']} is not there"
        for schema in self.tree["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        seen, shapes = set(), set()
        for path, item in [*self.tree["paths"].items(), *self.tree["webhooks"].items()]:
            shape = re.sub(r"\{\w+\}", "{}", path)
            if shape in shapes:
                yield f"{path} is there under two names"
            shapes.add(shape)
            for operation in item.values():
                yield from self.faults_of(path, operation, seen)

    def faults_of(self, path, operation, seen):
        if operation["operationId"] in seen:
            yield f"{operation['operationId']} is there twice"
        seen.add(operation["operationId"])
        parameters = self.parameters(operation)
        names = [(p["in"], p["name"]) for p in parameters]
        if len(set(names)) != len(names):
            yield f"{path}: a parameter is there twice: {names}"
        if {n for where, n in names if where == "path"} != set(re.findall(r"\{(\w+)\}", path)):
            yield f"{path}: not the parameters of the path: {names}"
        for need in operation.get("security", ()):
            if not need.keys() <= self.tree["components"]["securitySchemes"].keys():
                yield f"{path}: no such security: {need}"
        bodies = operation.get("requestBody", {}).get("content", {}).values()
        for schema in [one["schema"] for one in (*parameters, *bodies)]:
            jsonschema.Draft202012Validator.check_schema(schema)


class Checked:
    """A client with a method for each operation of the document; each request and each answer is as the document says."""

    def __init__(self, document, port, token):
        self.document = document
        self.api = Api(port, token)
        self.called = {}  # operation -> statuses
        for name, (method, path, operation) in document.operations.items():
            setattr(self, name, self.function(name, method, path, operation))

    def function(self, name, method, path, operation):
        parameters = {p["name"]: p for p in self.document.parameters(operation)}
        body_schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")

        def call(body=None, *, may_be_wrong=False, **given):
            given = {k.rstrip("_"): v for k, v in given.items()}
            needed = {n for n, p in parameters.items() if p.get("required")}
            assert may_be_wrong or needed <= given.keys() <= parameters.keys(), (name, needed, given)
            if body is not None:
                assert body_schema and (may_be_wrong or not self.document.fault(body_schema, body)), (name, body)
            url, query, headers = path, {}, {}
            for key, value in given.items():
                where = parameters[key]["in"] if key in parameters else "query"
                if where == "path":
                    url = url.replace("{" + key + "}", urllib.parse.quote(value, safe=""))
                elif where == "query":
                    query[key] = value
                else:
                    headers[key] = value
            answer = self.api.ask(method, url, body, headers, **query)
            self.called.setdefault(name, []).append(answer.status)
            self.check(name, operation, answer)
            return answer
        return call

    def check(self, name, operation, answer):
        assert str(answer.status) in operation["responses"], (name, answer.status, answer.raw)
        response = self.document.resolved(operation["responses"][str(answer.status)])
        assert (not answer.raw) == ("content" not in response), (name, answer.status, answer.raw)
        for header in response.get("headers", ()):
            assert header in answer.headers, (name, header)
        if answer.raw:
            kind = answer.headers["Content-Type"].split(";")[0]
            fault = self.document.fault(response["content"][kind]["schema"], answer.json)
            assert not fault, f"{name}: {fault}"
