package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import testing.Backend;
import testing.ResponsesModel;
import testing.Searching;
import testing.Tasks;

/** {@code --check} against backends that lack something. Needs build/a2o.jar. */
@Execution(ExecutionMode.CONCURRENT)
class CheckTest {
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final Pattern ROW = Pattern.compile("(?m)^(\\S.{14}) (ok |no |\\? )? ?(.*(?:\\R {20}.*)*)");

    /** What was printed, the rows by their names as {@code ok text}, and the status. */
    private record Table(int status, String out, Map<String, String> rows) {
        private String verdict() {
            return out.substring(out.indexOf("Claude Code ")).strip().replaceAll("\\R\\s*", " | ");
        }
    }

    private static Table check(String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar",
                "build/a2o.jar", "--check"));
        command.addAll(List.of(args));
        var builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name ->
                name.matches("A2O_.*|ANTHROPIC_.*|OPENAI_API_KEY|J.*_OPTIONS|CLASSPATH|(?i).*_proxy"));
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), "still running");
            assertEquals("", new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
            assertTrue(out.matches("[ -~\\s]*"), "no colours: " + out);
            String table = out.substring(0, out.indexOf("Claude Code ")).replaceFirst(".*\\R\\R", "");
            assertTrue(table.lines().allMatch(line -> line.length() <= 80), out);
            Map<String, String> rows = new LinkedHashMap<>();
            for (MatchResult row : ROW.matcher(table).results().toList()) {
                rows.put(row.group(1).strip(), (row.group(2) == null ? "" : row.group(2).strip() + " ")
                        + row.group(3).replaceAll("\\s+", " ").strip());
            }
            return new Table(process.exitValue(), out, rows);
        } finally {
            process.destroyForcibly();
        }
    }

    /** Checks a backend that can do all but what it {@code lacks}. */
    private static Table checkLacking(String... lacks) throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of(lacks)))) {
            return check("--upstream", backend.url().toString());
        }
    }

    private static final String CALL = """
            {"choices":[{"index":0,"delta":{"tool_calls":[{"index":%d,"id":"c%d","function":{"name":"get_weather",
            "arguments":"{\\"city\\":\\"%s\\"}"}}]}}]}""".replace("\n", "");

    private static void answer(Backend.Call call, Set<String> lacks) throws Exception {
        String text = call.text();
        if (call.line().startsWith("GET")) {
            String list = "{\"data\":[{\"id\":\"m'1\"},{\"id\":\"m2\"}]}";
            call.reply(200, "application/json", lacks.contains("list") ? "[]" : list);
        } else if (text.contains("\"model\":\"unknown\"") && !lacks.contains("errors")) {
            Backend.refusing(404, "the model does not exist").answer(call);
        } else if (lacks.contains("images") && text.contains("image_url")) {
            Backend.refusing(400, "this model does not support image input").answer(call);
        } else if (!text.contains("\"stream\":true")) {
            call.reply(200, "application/json", Backend.completion("OK."));
        } else {
            call.events().data(Backend.ROLE);
            stream(call, text, lacks);
            call.data(Backend.FINISH);
            if (!lacks.contains("usage")) call.data(Backend.USAGE);
            call.data("[DONE]").end();
        }
    }

    private static void stream(Backend.Call call, String text, Set<String> lacks) throws Exception {
        if (text.contains("\"role\":\"tool\"")) {
            call.data(Backend.chunk("17 degrees."));
        } else if (text.contains("weather in Paris") && !lacks.contains("tools")) {
            call.data(CALL.formatted(0, 0, "").replace("get_weather", "web_search").replace("city", "query")
                    .replace("\\\"\\\"", "\\\"weather\\\""));
        } else if (text.contains("\"tools\"") && !lacks.contains("tools")) {
            call.data(CALL.formatted(0, 0, "Paris"));
            if (text.contains("Rome")) call.data(CALL.formatted(1, 1, "Rome"));
        } else if (text.contains("17 times 23") && !lacks.contains("reasoning")) {
            call.data("{\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":\"17*23\"}}]}", Backend.chunk("391"));
        } else if (text.contains("image_url")) {
            call.data(Backend.chunk("Red."));
        } else if (text.contains("response_format")) {
            call.data(Backend.chunk("{\\\"city\\\":\\\"Paris\\\"}"));
        } else if (text.contains("Count from 1 to 9")) {
            call.data(Backend.chunk("1, 2, 3, 4, 5, 6, "), Backend.chunk("7, 8, 9"));
        } else {
            call.data(Backend.chunk("1, 2,"), Backend.chunk(" and so on."));
        }
    }

    @Test
    void aBackendThatCanDoAllIsOkInEachRow() throws Exception {
        Table table = checkLacking();
        Map<String, String> rows = new LinkedHashMap<>(table.rows);
        assertTrue(rows.remove("token counts").matches("ok 3; the first after \\d\\.\\d s, then \\d+/s"), table.out);
        assertTrue(rows.remove("model errors").matches("ok 404: .*the model does not e.*"), table.out);
        Map<String, String> expected = new LinkedHashMap<>();
        expected.put("connection", "ok it answers");
        expected.put("key", "ok accepted, or not needed");
        expected.put("model", "ok 2 listed; m'1");
        expected.put("plain reply", "ok OK.");
        expected.put("api", "chat");
        expected.put("streamed reply", "ok 1, 2, and so on.");
        expected.put("tool call", "ok calls 1: {\"city\":\"Paris\"}");
        expected.put("parallel calls", "ok calls 2: {\"city\":\"Paris\"}{\"city\":\"Rome\"}");
        expected.put("tool result", "ok 17 degrees.");
        expected.put("reasoning", "ok reasoning: 17*23391");
        expected.put("image", "ok Red.");
        expected.put("JSON schema", "ok {\"city\":\"Paris\"}");
        expected.put("stop sequence", "ok 1, 2, 3, 4, 5, 6,");
        assertEquals(expected, rows);
        assertTrue(table.verdict().matches("Claude Code works \\| a2o --upstream 'http://127\\.0\\.0\\.1:\\d+/v1/chat/completions' "
                + "--model 'm'\\\\''1' -- claude"), table.verdict());
        assertEquals(0, table.status);
    }

    @Test
    void aSearchServiceIsTriedByTheModel() throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of()));
             var service = new Backend().answers(Searching.found(Searching.PAGES))) {
            Table table = check("--upstream", backend.url().toString(), "--search", Searching.url(service),
                    "--search-header", "X-Key: 0123456789abcdef");
            assertEquals("ok 2 pages; 17 degrees.", table.rows.get("web search").replace("{\"query\":\"weather\"}", ""));
            assertTrue(table.verdict().contains("--search '" + Searching.url(service) + "&q={query}' --search-header 'X-Key: ...'"),
                    table.verdict());
            service.answers(Backend.refusing(500, "no"));
            table = check("--upstream", backend.url().toString(), "--search", Searching.url(service));
            assertTrue(table.rows.get("web search").startsWith("no "), table.out);
            assertTrue(table.rows.get("web search").contains("search unavailable"), table.out);
            assertEquals(0, table.status);
        }
    }

    @Test
    void whatClaudeCodeCanDoWithoutIsNamed() throws Exception {
        Table table = checkLacking("usage", "images", "reasoning", "errors", "list");
        assertEquals("ok 0 listed; any", table.rows.get("model"));
        assertTrue(table.rows.get("token counts").startsWith("? not in the stream; "), table.out);
        assertTrue(table.rows.get("reasoning").startsWith("? "), table.out);
        assertTrue(table.rows.get("image").startsWith("? "), table.out);
        assertEquals("? 1, 2, and so on.", table.rows.get("model errors"));
        assertEquals("image_url", table.rows.get("left out"));
        String verdict = "Claude Code works without token counts, reasoning, image, model errors | a2o ";
        assertTrue(table.verdict().startsWith(verdict), table.verdict());
        assertEquals(0, table.status);
    }

    @Test
    void withoutToolsClaudeCodeWillNotWork() throws Exception {
        Table table = checkLacking("tools", "images");
        assertEquals("no 1, 2, and so on.", table.rows.get("tool call"));
        assertEquals("ok 17 degrees.", table.rows.get("tool result"));
        assertEquals("Claude Code will not work: no tool call", table.verdict());
        assertEquals(1, table.status);
    }

    /** Asserts that the last row is that one, with this in it, and says what to do. */
    private static void assertFails(String row, String text, Table table) {
        assertEquals(row, List.copyOf(table.rows.keySet()).getLast(), table.out);
        assertTrue(table.rows.get(row).startsWith("no ") && table.rows.get(row).contains(text), table.out);
        assertEquals("Claude Code will not work: no " + row, table.verdict());
        assertEquals(1, table.status);
    }

    @Test
    void theFirstRowThatFailsSaysWhatToDoAndIsTheLast() throws Exception {
        String dead = "http://127.0.0.1:" + Backend.deadPort();
        assertFails("connection", "does it run? is --upstream right?", check("--upstream", dead));
        try (var backend = new Backend().answers(Backend.refusing(401, "no such key"))) {
            String url = backend.url().toString();
            assertFails("key", "no such key; give the right one as A2O_UPSTREAM_KEY", check("--upstream", url));
            Table table = check("--upstream", url, "--upstream-key", "sk-secret");
            assertFails("key", "give the right one as A2O_UPSTREAM_KEY", table);
            assertFalse(table.out.contains("sk-secret"), table.out);
        }
        try (var backend = new Backend().answers(call -> call.reply(404, "text/plain", "404 page not found"))) {
            assertFails("model", "is --upstream right?", check("--upstream", backend.url().toString()));
        }
        try (var backend = new Backend().answers(call -> call.reply(200, "text/html", "<h1>Welcome</h1>"))) {
            assertFails("connection", "Welcome", check("--upstream", backend.url().toString()));
        }
        try (var backend = new Backend().answers(Backend.refusing(500, "out of memory"))) {
            assertFails("plain reply", "out of memory", check("--upstream", backend.url().toString()));
        }
    }

    @Test
    void theModelIsTheOneThatClientsGet() throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of()))) {
            String url = backend.url() + "?api-version=1";
            Table table = check("--upstream", url, "--model", "big", "--upstream-key", "sk-secret", "--port", "1");
            assertEquals("ok 2 listed; big", table.rows.get("model"));
            assertTrue(table.verdict().matches("Claude Code works \\| A2O_UPSTREAM_KEY=\\.\\.\\. a2o --upstream "
                    + "'http://127\\.0\\.0\\.1:\\d+/v1/chat/completions\\?\\.\\.\\.' --model 'big' -- claude"), table.verdict());
            assertFalse(table.out.contains("sk-secret"), table.out);
            for (Backend.Call call = backend.take(); !call.text().contains("unknown"); call = backend.take()) {
                boolean isAsked = call.line().startsWith("GET") || call.text().contains("\"model\":\"big\"");
                assertTrue(isAsked, call.text());
            }
            assertEquals("ok 2 listed; m2", check("--upstream", url, "--map", "*=m2").rows.get("model"));
        }
    }

    @Test
    void theApiThatRefusalsHaveTaughtIsNamed() throws Exception {
        var model = new ResponsesModel().says("text OK.");
        try (var backend = new Backend().answers(call -> {
            if (call.line().startsWith("GET")) call.reply(200, "application/json", "{\"data\":[{\"id\":\"m1\"}]}");
            else model.answer(call);
        })) {
            String base = backend.url().toString().replace("/chat/completions", "");
            Table table = check("--upstream", base);
            assertEquals("responses, for it refuses requests by the other one", table.rows.get("api"), table.out);
            assertEquals("responses", check("--upstream", base + "/responses").rows.get("api"));
        }
    }

    /** Clients wait no longer than three seconds for it; this is not a client. */
    @Test
    void aListOfModelsThatIsSlowIsWaitedFor() throws Exception {
        try (var backend = new Backend().answers(call -> {
            if (call.line().startsWith("GET")) assertFalse(call.isLeft(3_000), "it is not waited for");
            answer(call, Set.of());
        })) {
            assertEquals("ok 2 listed; m'1", check("--upstream", backend.url().toString()).rows.get("model"));
        }
    }

    @Test
    void theCommandHasTheOtherOptionsButNoSecret() throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of()))) {
            Table table = check("--upstream", backend.url().toString(), "--context=64000", "--header", "x-a: s3cret",
                    "--extra-body", "{\"a\":\"it's\"}", "--header=x-b: 2", "--log-file", "/dev/null");
            assertTrue(table.verdict().endsWith(" --model 'm'\\''1' --context '64000' --header 'x-a: ...'"
                    + " --header 'x-b: ...' --extra-body '{\"a\":\"it'\\''s\"}' -- claude"), table.verdict());
        }
    }

    @Test
    void whatTheBackendRepeatsOfASecretIsNotPrinted() throws Exception {
        try (var backend = new Backend()) {
            backend.answers(call -> Backend.refusing(500, "no: " + call.headers().get("x-a") + " " + call.text()
                    .replaceAll(".*api_key\":\"(.*?)\".*", "$1")).answer(call));
            Table table = check("--upstream", backend.url().toString(), "--header", "x-a: s3cret-0123456789",
                    "--extra-body", "{\"api_key\":\"extra-0123456789\"}");
            assertTrue(table.out.contains("no: (key) (key)"), table.out);
            assertFalse(table.out.contains("0123456789"), table.out);
        }
    }

    @Test
    void theLastErrorOfEachBackendIsPrintedAndWhen() throws Exception {
        String dead = "127.0.0.1:" + Backend.deadPort();
        String time = "at \\d\\d:\\d\\d:\\d\\d: ";
        Table table = check("--upstream", "http://" + dead);
        String cannot = dead + ": cannot connect; is the backend running\\?";
        assertTrue(table.rows.get("last error").matches("502 " + time + cannot), table.out);
        try (var backend = new Backend().answers(call -> answer(call, Set.of()));
                var full = new Backend().answers(Backend.refusing(500, "out of memory"))) {
            table = check("--upstream", backend.url().toString(), "--upstream", full.url().toString());
            String host = full.url().getAuthority();
            assertTrue(table.rows.get("last error").matches("500 " + time + host + ": out of memory"), table.out);
            assertEquals("? %s: 500: %s: out of memory".formatted(host, host), table.rows.get("next backend"));
            assertTrue(table.verdict().startsWith("Claude Code works without next backend | "), table.verdict());
            assertEquals(0, table.status);
            table = check("--upstream", "http://" + dead, "--upstream", backend.url().toString(),
                    "--upstream-key", "first-key", "--upstream-key", "second-key");
            assertEquals("ok %s: OK.".formatted(backend.url().getAuthority()), table.rows.get("next backend"));
            String key = "";
            for (int i = backend.requests(); i > 0; i--) key = backend.take().headers().get("authorization");
            assertEquals("Bearer second-key", key);
            assertEquals("Claude Code will not work: no connection", table.verdict());
        }
    }

    @Test
    void itIsSaidWhoseKeyTheBackendGets() throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of()))) {
            String url = backend.url().toString();
            String first = check("--upstream", url, "--upstream-key", "sk-ant-0123456789").out.lines().findFirst().get();
            assertTrue(first.endsWith(", which gets no key, and not a2o's key: it begins with sk-ant-, and such keys go to"
                    + " Anthropic alone"), first);
            first = check("--upstream", url, "--header", "authorization: Bearer k").out.lines().findFirst().get();
            assertTrue(first.endsWith(", which gets a2o's header authorization"), first);
        }
    }

    @Test
    void theCommandIsForAllBackendsAndTheirRoutes() throws Exception {
        try (var one = new Backend().answers(call -> answer(call, Set.of()));
             var two = new Backend().answers(call -> answer(call, Set.of()))) {
            List<String> args = List.of("--upstream", "local=" + one.url(), "--upstream", "or=" + two.url(), "--map", "*haiku*=s@local",
                    "--map", "*=m2@or,local", "--upstream-key", "s3cret-key@or", "--context", "64k@local", "--header", "x-a: b@or");
            Table table = check(args.toArray(new String[0]));
            String rest = " 'local=%s' --upstream 'or=%s' --map '*haiku*=s@local' --map '*=m2@or,local' --context '64k@local'"
                    .formatted(one.url(), two.url()) + " --header 'x-a: ...@or' -- claude";
            assertEquals("Claude Code works | A2O_UPSTREAM_KEY=...@or a2o --upstream" + rest, table.verdict());
            List<String> more = new ArrayList<>(args);
            more.addAll(List.of("--upstream-key", "s3cret-two@local"));
            assertEquals("Claude Code works | a2o --upstream-key '...@or' --upstream-key '...@local' --upstream" + rest,
                    check(more.toArray(new String[0])).verdict());
            Path file = Files.createTempFile("a2o", ".options");
            Files.writeString(file, "--upstream %s%n--upstream-key s3cret-key%n".formatted(one.url()));
            assertEquals("Claude Code works | a2o '@%s' -- claude".formatted(file), check("@" + file).verdict());
            Files.delete(file);
        }
    }

    @Test
    void theBuiltInBackendCanBeChecked() throws Exception {
        Table table = check("--upstream", "demo");
        assertTrue(table.rows.get("tool call").startsWith("ok "), table.out);
        assertTrue(table.verdict().endsWith("a2o --upstream 'demo' --model 'demo' -- claude"), table.out);
        assertEquals("ok 1 listed; demo", table.rows.get("model"));
        assertTrue(table.rows.get("token counts").startsWith("ok 18; "), table.out);
        assertEquals(0, table.status);
    }
}
