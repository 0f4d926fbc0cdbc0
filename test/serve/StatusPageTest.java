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
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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
            for (String no : List.of("://", "\"//", "src=", "@import", "url(", "innerHTML", "eval", " style=", ".style")) {
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

    /** A browser sends what its user types as a password, and sends it along whatever page makes it ask. */
    @Test
    void aKeyMayBeSentAsAPasswordForThePageAlone() throws Exception {
        String good = basic("anna:s3cret-0123456789");
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, "--auth-key", "anna=s3cret-0123456789")) {
            for (String path : List.of("/", "/status.json")) {
                Wire.Reply asked = get(proxy, path, HTML);
                assertEquals(401, asked.status());
                assertEquals("Basic realm=\"a2o: a key as password\"", asked.headers().get("www-authenticate"));
                Wire.Reply wrong = get(proxy, path, HTML, basic("anna:wrong"));
                assertEquals(401, wrong.status());
                assertTrue(wrong.body().contains("the key that was sent is not one of this proxy's"), wrong.body());
                assertEquals(401, get(proxy, path, HTML, "authorization: Basic ?").status());
                assertEquals(200, get(proxy, path, HTML, good).status());
                assertEquals(403, get(proxy, path, HTML, good, "origin: https://evil.example").status());
            }
            for (String path : List.of("/metrics", "/v1/models")) assertEquals(401, get(proxy, path, good).status());
            Wire.Reply message = ask(proxy, "m", false, good);
            assertEquals(401, message.status());
            assertFalse(message.headers().containsKey("www-authenticate"), "SDKs do not ask for passwords");
        }
    }

    private static String basic(String pair) {
        return "authorization: Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
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
            String table = shown.substring(shown.indexOf("<section id=\"last\""), shown.indexOf("<script"));
            assertEquals(6, table.split("<td class=\"time\"", -1).length - 1, table);
            String host = backend.url().getAuthority();
            assertTrue(table.contains("<td class=\"why bad\" colspan=\"12\">" + host + ": out of order</td>"), table);
            assertTrue(table.contains(">529 overloaded_error</td>"), table);
            assertTrue(table.contains("&lt;img src=x onerror=document.title=1&gt;&lt;b&gt;</td>"), "a name is text");
            assertTrue(shown.contains("<title>A2o</title>"), "a name is not run");
            assertTrue(shown.contains(">ready</p>"), shown);
            assertTrue(shown.contains("<span class=\"pill good\">ready</span><span class=\"number dim\">errors: 4</span>"), shown);
            var lastError = Pattern.compile("<p class=\"\">last error 529, \\d+ \\w+ ago, at [^<]*: <span class=\"bad\">out of order</span>");
            assertTrue(lastError.matcher(shown).find(), shown);
            assertTrue(shown.contains("<small class=\"\">requests</small><b class=\"\" title=\"6\">6</b>"), shown);
            assertTrue(shown.contains("<p class=\"dim\">counted for good: 21 prompt tokens in 3 replies, "), shown);
            assertTrue(shown.contains("<td class=\"\" data-at=\"" + host + "\">good</td><td class=\"at\">" + host + "</td><td class=\"number\" title=\"3\">3</td>"), shown);
            var plot = Pattern.compile("<div id=\"first\"><p class=\"number\"><b class=\"\">[\\d.]+ m?s</b><span class=\"\"> last, "
                    + "median [\\d.]+ m?s, p95 [\\d.]+ m?s</span></p><div class=\"chart\">.*?<rect .*?<small class=\"\">4 requests</small>");
            assertTrue(plot.matcher(shown).find(), shown);
        } finally {
            new ProcessBuilder("rm", "-rf", profile.toString()).start().waitFor(); // some of it may vanish meanwhile
        }
    }

    private static final Pattern LINE = Pattern.compile("<code class=\"\">(.*?)</code>");

    /** What the page lets one copy is run by a shell as it is; {@code claude} is a script that tells what it was given. */
    @Test
    void anEmptyPageSaysWhatToTryAndThatWorks(@TempDir Path folder) throws Exception {
        String chromium = chromium();
        assumeTrue(!chromium.isEmpty(), "no chromium here");
        try (var backend = new Backend(); Proxy proxy = Proxies.before(backend, "--model", "it's $HOME")) {
            String shown = shown(chromium, folder.resolve("profile"), proxy.port());
            assertTrue(shown.contains("<details id=\"connect\" open=\"\">"), shown);
            assertTrue(shown.contains("<p id=\"empty\">No request has come yet."), shown);
            assertTrue(shown.contains("<section id=\"last\" hidden=\"\">"), shown);
            List<String> lines = LINE.matcher(shown).results().map(line -> line.group(1).replace("&lt;", "<")
                    .replace("&gt;", ">").replace("&amp;", "&")).toList();
            assertEquals(3, lines.size(), shown);
            Path claude = Files.writeString(folder.resolve("claude"),
                    "#!/bin/sh\necho \"$ANTHROPIC_BASE_URL $ANTHROPIC_AUTH_TOKEN $ANTHROPIC_MODEL\"\n");
            assertTrue(claude.toFile().setExecutable(true));
            String url = "http://127.0.0.1:" + proxy.port();
            assertEquals(url + " any it's $HOME\n", sh(lines.get(0), folder, Map.of()));
            assertEquals(url + " mine it's $HOME\n", sh(lines.get(0), folder, Map.of("ANTHROPIC_AUTH_TOKEN", "mine")));
            assertEquals(url + " any it's $HOME\n", sh(lines.get(1) + "; claude", folder, Map.of()));
            assertTrue(lines.get(2).startsWith("curl " + url + "/v1/messages -H x-api-key:\"${ANTHROPIC_AUTH_TOKEN:-any}\" -d '{"), lines.get(2));
            boolean isCurlThere = !sh("command -v curl", folder, Map.of()).isEmpty();
            if (isCurlThere) assertTrue(sh(lines.get(2), folder, Map.of("NO_PROXY", "*")).contains("Hello there"));
        }
    }

    /** {@return what a shell prints that finds the programs of that folder first} */
    private static String sh(String command, Path folder, Map<String, String> variables) throws Exception {
        var builder = new ProcessBuilder("/bin/sh", "-c", command);
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> name.startsWith("ANTHROPIC_") || name.toLowerCase(Locale.ROOT).endsWith("_proxy"));
        environment.put("PATH", folder + File.pathSeparator + environment.get("PATH"));
        environment.putAll(variables);
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), "still running");
        return said;
    }
}
