"""python_sdk.py: A2o with Anthropic's Python SDK, run by run.mjs in the environment where that is installed."""
import asyncio
import json
import os
import signal
import traceback
import urllib.request

import anthropic
from anthropic import beta_async_tool, beta_tool
from pydantic import BaseModel

MOCK = os.environ["MOCK_URL"]
TEXT = "Hello, wörld 😀, from the mock."
DEADLINE_SECONDS = 30
WEATHER = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
NOW = {"name": "now", "input_schema": {"type": "object", "properties": {}}}

options = dict(api_key="a-key", base_url=os.environ["A2O_URL"], max_retries=0, timeout=DEADLINE_SECONDS)
client = anthropic.Anthropic(**options)


def check(name):
    """Runs the function as one check, against a mock that has seen nothing, and prints its line."""
    def run(body):
        urllib.request.urlopen(urllib.request.Request(MOCK + "/seen", method="DELETE")).close()
        signal.alarm(DEADLINE_SECONDS)
        try:
            body()
            print(f"ok    {os.environ['CLIENT']}  {name}", flush=True)
        except Exception as e:
            traceback.print_exc()
            print(f"FAIL  {os.environ['CLIENT']}  {name}: {type(e).__name__}: {' '.join(str(e).split())[:600]}", flush=True)
        signal.alarm(0)
    return run


def late(*_):
    raise TimeoutError(f"not done in {DEADLINE_SECONDS} s")


signal.signal(signal.SIGALRM, late)


def seen():
    """The chat requests that the mock got since the check began."""
    with urllib.request.urlopen(MOCK + "/seen") as reply:
        return json.load(reply)


def equal(actual, expected):
    assert actual == expected, f"{actual!r} instead of {expected!r}"


def failure(body):
    """The error that the function must end with."""
    try:
        value = body()
    except anthropic.AnthropicError as e:
        return e
    raise AssertionError(f"no error, but {value!r:.200}")


def ask(model, **more):
    return dict(model=model, max_tokens=1000, messages=[{"role": "user", "content": "Do it."}], **more)


def final(body):
    with client.messages.stream(**body) as stream:
        return stream.get_final_message()


def texts(message):
    return "".join(block.text for block in message.content if block.type == "text")


@check("create")
def _():
    message = client.messages.create(**ask("text", system="Be short."))
    equal(texts(message), TEXT)
    equal((message.model, message.stop_reason), ("text", "end_turn"))
    equal((message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens), (20, 80, 10))
    assert message._request_id.startswith("req_")
    equal(seen()[0]["headers"]["authorization"], "Bearer a-key")
    equal(client.messages.create(**ask("length")).stop_reason, "max_tokens")


@check("stream")
def _():
    with client.messages.stream(**ask("reasoning")) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(pieces) > 5
    equal("".join(pieces), TEXT)
    equal([block.type for block in message.content], ["thinking", "text"])
    equal((message.content[0].thinking, texts(message)), ("Let me think, ünd more. ", TEXT))
    equal((message.stop_reason, message.usage.input_tokens, message.usage.output_tokens), ("end_turn", 20, 10))


@check("calls, streamed and not")
def _():
    for send in (lambda body: client.messages.create(**body), final):
        for model, tool, inputs in (("tool", WEATHER, [{"city": 'Köln "am" Rhein\n'}]), ("noargs", NOW, [{}]),
                                    ("parallel", WEATHER, [{"city": "Oslo"}, {"city": "Rome"}])):
            message = send(ask(model, tools=[tool]))
            equal([block.input for block in message.content if block.type == "tool_use"], inputs)
            equal(message.stop_reason, "tool_use")


@check("thinking goes back in the next turn")
def _():
    first = ask("tool", tools=[WEATHER], thinking={"type": "enabled", "budget_tokens": 2000})
    for send in (lambda body: client.messages.create(**body), final):
        reply = send(first)
        result = {"type": "tool_result", "tool_use_id": reply.content[2].id, "content": "sunny"}
        again = [*first["messages"], {"role": "assistant", "content": reply.content}, {"role": "user", "content": [result]}]
        equal(texts(send({**first, "messages": again})), "The tools said: sunny")
        equal(seen()[-1]["body"]["messages"][1]["reasoning_content"], "A tool will know. ")


for thread in (anthropic.omit, False):
    @check("tool runner, " + ("without thread" if thread is False else "with its thread"))
    def _():
        asked = []

        @beta_tool
        def weather(city: str) -> str:
            """Weather of a city."""
            asked.append(city)
            return "rain in " + city

        runner = client.beta.messages.tool_runner(**ask("steps", tools=[weather], system="Be short.", thread=thread))
        equal(texts(runner.until_done()), "The tools said: rain in Oslo | rain in Rome")
        equal(asked, ["Oslo", "Rome"])
        requests = seen()
        equal(len(requests), 3)
        for request in requests:
            equal((request["body"]["messages"][0]["content"], len(request["body"]["tools"])), ("Be short.", 1))


@check("structured output")
def _():
    class City(BaseModel):
        city: str
        people: int

    equal(client.messages.parse(**ask("json", output_format=City)).parsed_output, City(city="Oslo", people=700000))
    equal(seen()[0]["body"]["response_format"]["type"], "json_schema")


@check("count_tokens")
def _():
    messages = ask("text")["messages"]
    few = client.messages.count_tokens(model="text", messages=messages).input_tokens
    more = client.messages.count_tokens(model="text", messages=messages, tools=[WEATHER], system="Be short.").input_tokens
    assert 0 < few < more, (few, more)
    equal(seen(), [])


@check("models: pages, one, unknown")
def _():
    ids = [model.id for model in client.models.list(limit=2)]
    equal(ids, ["claude-mock", "anthropic/text", "anthropic/org/model:tag", "anthropic/ünï code", "anthropic/last"])
    for one in ids:
        equal(client.models.retrieve(one).id, one)
    equal(type(failure(lambda: client.models.retrieve("nobody/knows"))), anthropic.NotFoundError)


for model, error, status, requests in (
        ("error-400", anthropic.BadRequestError, 400, 1), ("error-401", anthropic.AuthenticationError, 401, 1),
        ("error-402", anthropic.PaymentRequiredError, 402, 1), ("quota", anthropic.PaymentRequiredError, 402, 1),
        ("error-403", anthropic.PermissionDeniedError, 403, 1), ("error-404", anthropic.NotFoundError, 404, 1),
        ("error-413", anthropic.ContentTooLargeError, 413, 1), ("error-429", anthropic.RateLimitError, 429, 1),
        ("error-500", anthropic.InternalServerError, 500, 1), ("error-503", anthropic.OverloadedError, 529, 3),
        ("overflow", anthropic.BadRequestError, 400, 1), ("early", anthropic.RateLimitError, 429, 1)):
    @check(f"{model} is {error.__name__}")
    def _():
        for stream in (False, True):
            before = len(seen())
            e = failure(lambda: client.messages.create(**ask(model, stream=stream)))
            equal((type(e), e.status_code), (error, status))
            assert e.request_id.startswith("req_")
            equal(len(seen()), before + requests)


@check("stream that breaks off raises")
def _():
    for model in ("cut", "cut-call", "unfinished", "late"):
        e = failure(lambda: final(ask(model, tools=[WEATHER])))
        assert isinstance(e, anthropic.APIError), (model, e)
        equal(e.body["error"]["type"], "api_error")
        assert isinstance(failure(lambda: list(client.messages.create(**ask(model, stream=True, tools=[WEATHER])))), anthropic.APIError)
    equal(len(seen()), 8)


@check("reply that breaks off raises")
def _():
    assert isinstance(failure(lambda: client.messages.create(**ask("cut"))), anthropic.InternalServerError)


@check("async client")
def _():
    async def run():
        async with anthropic.AsyncAnthropic(**options) as other:
            replies = await asyncio.gather(*(other.messages.create(**ask("text")) for _ in range(20)))
            equal([texts(reply) for reply in replies], [TEXT] * 20)
            equal(len({reply.id for reply in replies}), 20)
            async with other.messages.stream(**ask("reasoning")) as stream:
                equal("".join([text async for text in stream.text_stream]), TEXT)
                equal((await stream.get_final_message()).stop_reason, "end_turn")

            @beta_async_tool
            async def weather(city: str) -> str:
                """Weather of a city."""
                return "rain in " + city

            runner = other.beta.messages.tool_runner(**ask("steps", tools=[weather], stream=True))
            equal(texts(await runner.until_done()), "The tools said: rain in Oslo | rain in Rome")
            try:
                async with other.messages.stream(**ask("cut")) as stream:
                    raise AssertionError(await stream.get_final_message())
            except anthropic.APIError as e:
                equal(e.body["error"]["type"], "api_error")
            async with other.messages.stream(**ask("endless")) as stream:
                async for _ in stream.text_stream:
                    break
    asyncio.run(run())
    assert seen()[-1]["closedEarly"], "the backend does not know that the client has left"
