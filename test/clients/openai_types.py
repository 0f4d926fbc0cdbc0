"""
openai_types.py: the requests of test/responses/requests, which A2o makes for the Responses API, against the types of
OpenAI's Python package, run by run.mjs in the environment where that is installed. Members unknown there are errors.
"""
import glob
import json
import os

import typing_extensions
from openai.types.responses import ResponseInputItemParam, ToolParam, response_create_params
from pydantic import ConfigDict, TypeAdapter, ValidationError

REQUESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../responses/requests/*.openai.json")
STREAMED = response_create_params.ResponseCreateParamsStreaming
WHOLE = response_create_params.ResponseCreateParamsNonStreaming
NOT_OPENAI = {"reasoning-text-goes-back-to-a-local-server", "extra-body-merged-last"}  # members of other backends
checked = set()


def forbid_unknown(kind):
    """Makes every type of dictionary within a type refuse members that it does not name."""
    if id(kind) in checked:
        return
    checked.add(id(kind))
    parts = typing_extensions.get_args(kind)
    if typing_extensions.is_typeddict(kind):
        kind.__pydantic_config__ = ConfigDict(extra="forbid")
        parts = typing_extensions.get_type_hints(kind, include_extras=True).values()
    for part in parts:
        forbid_unknown(part)


def read_all(value):
    """Goes through lists that are validated only as they are read."""
    if isinstance(value, dict):
        value = value.values()
    elif isinstance(value, (str, int, float)) or value is None:
        return
    for part in value:
        read_all(part)


def check(kind, value):
    read_all(kind.validate_python(value))


for each in (STREAMED, WHOLE, ToolParam, ResponseInputItemParam):
    forbid_unknown(each)
streamed, whole, tool, item = map(TypeAdapter, (STREAMED, WHOLE, ToolParam, ResponseInputItemParam))

wrong = []
for path in sorted(glob.glob(REQUESTS)):
    name = os.path.basename(path).removesuffix(".openai.json")
    if name in NOT_OPENAI:
        continue
    with open(path, encoding="utf-8") as file:
        request = json.load(file)
    for part in request["input"]:
        if part["type"] == "reasoning":
            part["id"] = ""  # the types want one; OpenAI does not, and A2o sends none
    try:
        check(streamed if request.get("stream") else whole, request)
        for part in request["input"]:
            check(item, part)
        for part in request.get("tools", []):
            check(tool, part)
    except ValidationError as e:
        wrong.append(f"{name}: {'; '.join('.'.join(map(str, error['loc'])) + ' ' + error['msg'] for error in e.errors())[:600]}")
for line in wrong:
    print(f"FAIL  {os.environ['CLIENT']}  {line}", flush=True)
if not wrong:
    print(f"ok    {os.environ['CLIENT']}  requests have the shape of OpenAI's types", flush=True)
