"""The OpenAPI document: complete, without a warning, readable offline under our own policy."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from apps.core.errors import ProductError

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return dict(Client().get("/api/schema/").json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_it_is_valid_and_complete() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_every_operation_says_how_it_can_be_refused(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        answers = operation["responses"]
        refusals = {status for status in answers if status[0] in "45"}
        assert "503" in refusals, (path, method)
        if any(operation.get("security", [])):
            assert {"401", "403"} <= refusals, (path, method)
        if "{" in path:
            assert "404" in refusals, (path, method)
        if method != "get":
            assert {"409", "422"} <= refusals, (path, method)
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= refusals, (path, method)
        assert operation["summary"] or operation["description"], (path, method)


def test_it_names_both_ways_to_sign_in(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "coinsphere_session")


def test_it_is_not_sent_twice() -> None:
    tag = Client().get("/api/schema/")["ETag"]
    again = Client().get("/api/schema/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_for_people_needs_nobody_else_and_no_inline_script() -> None:
    answer = Client().get(reverse("core:docs"))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)
    assert "'unsafe" not in answer["Content-Security-Policy"]
    assert "/api/schema/" in text


def test_every_code_is_documented() -> None:
    text = Client().get("/api/docs/problems").content.decode()
    codes = {kind.code for kind in kinds(ProductError)} | {"parse_error", "server_error"}
    assert len(codes) > 8
    for code in codes:
        assert f'id="{code}"' in text


def kinds(kind: type[ProductError]) -> list[type[ProductError]]:
    below = kind.__subclasses__()
    return below + [deeper for one in below for deeper in kinds(one)]
