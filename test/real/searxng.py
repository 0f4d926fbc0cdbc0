"""Tries --search with a real SearXNG: searxng.py JAVA JAR CHECKOUT, a checkout of its repository (it is on no package index).

Its requirements are installed once, outside the tree. It searches pages that this program serves, so that nothing leaves the
machine; the model is scripted: it searches, and then says what it was given.
"""
import http.client
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "a2o-searxng"
SECONDS = 120
SETTINGS = """
use_default_settings: {engines: {keep_only: []}}
server: {secret_key: "only-for-this-test-0123456789abcdef", port: %d, bind_address: "127.0.0.1", limiter: false}
search: {formats: [%s]}
engines:
  - {name: pages, engine: json_engine, shortcut: p, paging: false, enable_http: true, categories: [general], disabled: false,
     search_url: "http://127.0.0.1:%d/?q={query}", results_query: items, url_query: url, title_query: title, content_query: text}
"""
java, jar, checkout = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
running, failures = [], []


def serve(answer):
    """Starts a server that answers each request with JSON; returns its port."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.do_POST()

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            reply = json.dumps(answer(self.path, body)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def pages(path, body):
    words = urllib.parse.parse_qs(urllib.parse.urlparse(path).query).get("q", [""])[0]
    return {"items": [{"url": f"https://pages.test/{i}", "title": f"{words} {i}", "text": f"excerpt {i}"} for i in range(3)]}


def model(path, body):
    last = json.loads(body)["messages"][-1]
    if last["role"] == "tool":
        message = {"role": "assistant", "content": last["content"]}
    else:
        call = {"name": "web_search", "arguments": json.dumps({"query": last["content"]})}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": call}]}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request(method, path, body and json.dumps(body))
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


def start(port, command, **options):
    """Starts a program, and returns when it listens."""
    running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options))
    for _ in range(SECONDS * 4):
        try:
            ask(port, "GET", "/")
            return
        except OSError:
            time.sleep(0.25)
    raise SystemExit(f"{command[0]} does not listen")


def free():
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        return server.server_address[1]


def search(formats):
    """Has the model search by a SearXNG of those formats; returns the blocks of the reply."""
    searxng, a2o = free(), free()
    settings = pathlib.Path(tempfile.mkdtemp()) / "settings.yml"
    settings.write_text(SETTINGS % (searxng, formats, serve(pages)))
    start(searxng, [CACHE / "bin/python", "-m", "searx.webapp"], cwd=checkout, env={**os.environ, "SEARXNG_SETTINGS_PATH": str(settings)})
    start(a2o, [java, "-jar", jar, "--port", str(a2o), "--upstream", f"http://127.0.0.1:{serve(model)}/v1", "--search",
                f"http://127.0.0.1:{searxng}"])
    status, reply = ask(a2o, "POST", "/v1/messages", {
        "model": "m", "max_tokens": 100, "tools": [{"type": "web_search_20250305", "name": "web_search"}],
        "messages": [{"role": "user", "content": "blue whales"}]})
    return json.loads(reply).get("content", [])


def check(name, expected, actual):
    print("ok  " if expected == actual else "FAIL", name, "" if expected == actual else f": {actual}")
    if expected != actual:
        failures.append(name)


if not (CACHE / "done").exists():
    subprocess.run([sys.executable, "-m", "venv", CACHE], check=True)
    subprocess.run([CACHE / "bin/pip", "install", "-q", "-r", checkout / "requirements.txt"], check=True)
    (CACHE / "done").touch()
try:
    found = search("html, json")
    check("blocks", ["server_tool_use", "web_search_tool_result", "text"], [block["type"] for block in found])
    check("pages", [f"https://pages.test/{i}" for i in range(3)], [page["url"] for page in found[1]["content"]])
    check("what the model reads", "blue whales 0\nhttps://pages.test/0\nexcerpt 0", found[2]["text"].split("\n\n")[0])
    refused = search("html")
    check("without json among the formats", "unavailable", refused[1]["content"].get("error_code"))
finally:
    for process in running:
        process.terminate()
print(f"{4 - len(failures)} passed, {len(failures)} failed")
sys.exit(bool(failures))
