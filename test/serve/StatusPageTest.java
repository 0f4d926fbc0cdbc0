package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static testing.Inspect.HTML;
import static testing.Inspect.ask;
import static testing.Inspect.get;
import static testing.Inspect.seasoned;
import static testing.Inspect.status;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Tasks;
import testing.Wire;

/** The page for browsers; in a real one, if there is one. */
class StatusPageTest {
    @Test
    void browsersGetThePageAndOthersJson() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            Wire.Reply page = get(proxy, "/", HTML);
            assertEquals(200, page.status());
            assertEquals("text/html; charset=utf-8", page.headers().get("content-type"));
            for (String accept : List.of("*/*", "application/json, text/html", "text/plain", "")) {
                Wire.Reply json = accept.isEmpty() ? get(proxy, "/") : get(proxy, "/", "accept: " + accept);
                assertEquals("application/json", json.headers().get("content-type"));
                assertEquals("a2o", json.text("name"));
            }
            assertEquals(200, Wire.ask(proxy.port(), "HEAD", "/", new byte[0]).status());
            assertEquals(200, Wire.ask(proxy.port(), "HEAD", "/", new byte[0], HTML).status());
            assertEquals(405, Wire.ask(proxy.port(), "POST", "/status.json", new byte[0]).status());
            assertEquals("application/json", get(proxy, "/health", HTML).headers().get("content-type"));
        }
    }

    @Test
    void thePageAsksNobodyElse() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend)) {
            Wire.Reply page = get(proxy, "/", HTML);
            Matcher policy = Pattern.compile("default-src 'none'; style-src 'nonce-(\\w{24})'; "
                    + "script-src 'nonce-\\1'; connect-src 'self'; img-src data:; base-uri 'none'; "
                    + "form-action 'none'; frame-ancestors 'none'")
                    .matcher(page.headers().get("content-security-policy"));
            assertTrue(policy.matches(), page.headers().toString());
            assertEquals(2, page.body().split("nonce=\"%s\">".formatted(policy.group(1)), -1).length - 1);
            assertFalse(get(proxy, "/", HTML).body().contains(policy.group(1)), "a nonce is used once");
            for (String no : List.of("://", "\"//", "src=", "@import", "url(", "innerHTML", "eval", " style=")) {
                assertFalse(page.body().contains(no), no);
            }
        }
    }

    /** Waits until the page tells to set this, besides the address. */
    private static void awaitVariables(Proxy proxy, String expected) throws Exception {
        Tasks.await(() -> status(proxy).text("variables").equals(expected), "the page does not tell " + expected);
    }

    @Test
    void thePageTellsHowToConnect() throws Exception {
        String list = "{\"data\":[{\"id\":\"m\",\"max_model_len\":65536}]}";
        try (var backend = new Backend().answers(call -> call.reply(200, "application/json", list));
                Proxy proxy = Proxies.before(backend, "--model", "m", "--upstream-key", "KEY-MARK")) {
            String before = "ANTHROPIC_AUTH_TOKEN=any ANTHROPIC_MODEL=m CLAUDE_CODE_AUTO_MODE_SERVER=0";
            assertEquals(before, status(proxy).text("variables"));
            assertEquals(0, backend.requests(), "nobody looks");
            get(proxy, "/", HTML);
            String after = before.replace("CLAUDE", "CLAUDE_CODE_MAX_CONTEXT_TOKENS=65536 CLAUDE");
            awaitVariables(proxy, after); // with the window that the backend lists
            assertEquals("Bearer KEY-MARK", backend.take().headers().get("authorization"));
        }
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, "--context", "64k", "--auth-key", "s3cret")) {
            assertEquals("ANTHROPIC_AUTH_TOKEN='<key of --auth-key>' CLAUDE_CODE_MAX_CONTEXT_TOKENS=64000 "
                    + "CLAUDE_CODE_AUTO_MODE_SERVER=0",
                    get(proxy, "/status.json", "x-api-key: s3cret").text("variables"));
        }
    }

    @Test
    void aListThatWantsAKeyIsAskedForWithTheFirstThatIsGood() throws Exception {
        String list = "{\"data\":[{\"id\":\"m\",\"max_model_len\":65536}]}";
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, "--model", "m")) {
            backend.answers(call -> {
                boolean isKnown = "Bearer good".equals(call.headers().get("authorization"));
                if (!isKnown) {
                    Backend.refusing(401, "who are you").answer(call);
                } else if (call.line().startsWith("GET")) {
                    call.reply(200, "application/json", list);
                } else {
                    Backend.saying("hi").answer(call);
                }
            });
            assertEquals(OptionalLong.empty(), proxy.askWindow("m", ""));
            assertEquals(401, ask(proxy, "m", false, "x-api-key: bad").status());
            assertEquals(200, ask(proxy, "m", false, "x-api-key: good").status());
            String expected = "ANTHROPIC_AUTH_TOKEN='<key of the backend, or any word>' ANTHROPIC_MODEL=m "
                    + "CLAUDE_CODE_MAX_CONTEXT_TOKENS=65536 CLAUDE_CODE_AUTO_MODE_SERVER=0";
            awaitVariables(proxy, expected);
            assertEquals(200, ask(proxy, "m", false, "x-api-key: good").status());
            assertEquals(5, backend.requests(), "two lists, and three messages");
        }
    }

    private static String chromium() {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .flatMap(folder -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable).map(Path::toString).findFirst().orElse("");
    }

    /** {@return the page as it is when its script has run} */
    private static String shown(String chromium, Path profile, int port) throws Exception {
        Process process = new ProcessBuilder(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--user-data-dir=" + profile, "--virtual-time-budget=5000", "--dump-dom",
                "http://127.0.0.1:%d/".formatted(port))
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            String shown = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), "chromium is still running");
            return shown;
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    @Test
    void aBrowserShowsTheExchanges() throws Exception {
        String chromium = chromium();
        assumeTrue(!chromium.isEmpty(), "no chromium here");
        Path profile = Files.createTempDirectory("a2o-test");
        try (var backend = new Backend(); Proxy proxy = seasoned(backend)) {
            ask(proxy, "<img src=x onerror=document.title=1><b>", false);
            Wire.Reply status = status(proxy, 6);
            String shown = shown(chromium, profile, proxy.port());
            for (int i = 0; i < 6; i++) {
                String id = status.text("last.%d.id".formatted(i));
                assertEquals(2, shown.split(">%s<".formatted(id), -1).length, "one cell with " + id + " in " + shown);
            }
            assertEquals(7, shown.split("<tr>", -1).length - 1, "six rows and the head's");
            assertTrue(shown.contains(">ready</p>"), shown);
            assertTrue(shown.contains("<p class=\"good\">ready, errors: 4</p>"), shown);
            assertTrue(Pattern.compile(">last error: 529 at [^<]*: 127[.\\d]+:\\d+: out of order</p>").matcher(shown).find(),
                    shown);
            assertTrue(shown.contains("<div class=\"\">requests<b class=\"\">6</b></div>"), shown);
            assertTrue(shown.contains("<td class=\"bad\" data-name=\"end\">overloaded_error</td>"), shown);
            assertTrue(shown.contains("&lt;img src=x onerror=document.title=1&gt;&lt;b&gt;</td>"), "a name is text");
            assertTrue(shown.contains("<title>A2o</title>"), "a name is not run");
            String line = "ANTHROPIC_BASE_URL=http://127.0.0.1:%d ANTHROPIC_AUTH_TOKEN='&lt;key of the backend, or any word&gt;' "
                    + "CLAUDE_CODE_AUTO_MODE_SERVER=0 claude";
            assertTrue(shown.contains(line.formatted(proxy.port())), shown);
            var plot = Pattern.compile("<div id=\"first\"><h2>Time to first token: .*?<path d=\"M");
            assertTrue(plot.matcher(shown).find(), shown);
        } finally {
            new ProcessBuilder("rm", "-rf", profile.toString()).start().waitFor(); // some of it may vanish meanwhile
        }
    }
}
