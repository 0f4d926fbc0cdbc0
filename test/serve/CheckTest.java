package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import config.CommandLine;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
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

/** {@code --check} against backends that lack something; a few times as a process. Needs build/a2o.jar. */
@Execution(ExecutionMode.CONCURRENT)
class CheckTest {
    private static final String JAVA_COMMAND = "\\S*java"; // the one that runs, by its path if that is not the PATH's
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final Pattern ROW = Pattern.compile("(?m)^([a-zA-Z].{14}) (ok|no|\\?| ) +(.*)");
    private static final Pattern NEEDS_NOTHING = Pattern.compile("(?m)^.{15} ok .*"); // such rows fit in 80 columns
    private static final String RUN = JAVA_COMMAND + " -jar build/a2o.jar --upstream ";

    /** What was printed, the rows by their names as {@code ok text}, and the status. */
    private record Table(int status, String out, Map<String, String> rows) {
        private String verdict() { return after("\n\n").strip().replaceAll("\\R\\s*", " | "); }

        /** {@return the rest of the output} */
        private String after(String mark) { return out.substring(out.lastIndexOf(mark) + mark.length()); }

        private void assertRow(String name, String expected) { assertEquals(expected, rows.get(name), out); }
    }

    private static Table check(String... args) throws Exception { return check(Map.of(), args); }

    /** Checks as the command does, in this process: {@code build/a2o.jar} is what the printed command is to start. */
    private static Table check(Map<String, String> variables, String... args) throws Exception {
        var environment = new HashMap<>(variables);
        environment.put("NO_COLOR", "1"); // the tests may run at a terminal
        var out = new ByteArrayOutputStream();
        boolean works;
        try (var printed = new PrintStream(out, true, StandardCharsets.UTF_8)) {
            CommandLine given = CommandLine.read(args, environment);
            works = new Check(given, "java -jar build/a2o.jar", environment, printed).works();
        }
        return table(works ? 0 : 1, out.toString(StandardCharsets.UTF_8));
    }

    /** Runs the command itself. It prints nothing but the table. */
    private static Table run(String... args) throws Exception {
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
            return table(process.exitValue(), out);
        } finally {
            process.destroyForcibly();
        }
    }

    private static Table table(int status, String out) {
        assertTrue(out.matches("[ -~\\s]*"), "no colours: " + out);
        NEEDS_NOTHING.matcher(out).results().map(MatchResult::group)
                .forEach(row -> assertTrue(row.length() <= 80, row));
        Map<String, String> rows = new LinkedHashMap<>();
        for (MatchResult row : ROW.matcher(out).results().toList()) {
            rows.put(row.group(1).strip(), (row.group(2) + " " + row.group(3)).strip());
        }
        return new Table(status, out, rows);
    }

    /** Checks a backend that can do all but what it {@code lacks}. */
    private static Table checkLacking(String... lacks) throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of(lacks)))) {
            return check("--upstream", backend.url().toString());
        }
    }

    private static Table runLacking(String... lacks) throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of(lacks)))) {
            return run("--upstream", backend.url().toString());
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
        } else if (text.contains("weather in Paris") && lacks.contains("search")) {
            call.data(Backend.chunk("It rains."));
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
        Table table = runLacking();
        Map<String, String> rows = new LinkedHashMap<>(table.rows);
        assertTrue(rows.remove("token counts").matches("ok 3; the first after \\d\\.\\d s, then \\d+/s"), table.out);
        assertTrue(rows.remove("model errors").matches("ok 404: .*the model does no\\.\\.\\."), table.out);
        Map<String, String> expected = new LinkedHashMap<>();
        assertTrue(rows.remove("connection").matches("ok it answers, after \\d+\\.\\d s"), table.out);
        expected.put("key", "ok accepted, or not needed");
        expected.put("model", "ok 2 listed; m'1");
        expected.put("plain reply", "ok OK.");
        expected.put("streamed reply", "ok 1, 2, and so on.");
        expected.put("tool call", "ok calls 1: {\"city\":\"Paris\"}");
        expected.put("parallel calls", "ok calls 2: {\"city\":\"Paris\"}{\"city\":\"Rome\"}");
        expected.put("tool result", "ok 17 degrees.");
        expected.put("reasoning", "ok reasoning: 17*23391");
        expected.put("image", "ok Red.");
        expected.put("JSON schema", "ok {\"city\":\"Paris\"}");
        expected.put("stop sequence", "ok 1, 2, 3, 4, 5, 6,");
        expected.put("api", "chat");
        assertEquals(expected, rows);
        assertTrue(table.verdict().matches("Claude Code works \\| " + RUN + "http://127\\.0\\.0\\.1:\\d+/v1/chat/completions "
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
            assertTrue(table.verdict().contains("A2O_SEARCH_HEADER='X-Key: ...' "), table.verdict());
            assertTrue(table.verdict().contains("--search '" + Searching.url(service) + "&q={query}' -- claude"), table.verdict());
            service.answers(Backend.refusing(500, "no"));
            table = check("--upstream", backend.url().toString(), "--search", Searching.url(service));
            assertTrue(table.rows.get("web search").matches("no .*search unavailable.* -> mend --search, or look .*"), table.out);
            assertEquals(0, table.status);
        }
    }

    /** Then nothing is known of the service; one that finds nothing works, but may be set up wrongly. */
    @Test
    void aSearchThatTheModelDoesNotCallIsNoFailureOfTheService() throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of("search")));
             var service = new Backend().answers(Searching.found("{\"results\":[]}"))) {
            Table table = check("--upstream", backend.url().toString(), "--search", Searching.url(service));
            assertEquals("? the model did not call it, so nothing was searched for -> run --check again, or take a model "
                    + "that calls tools more readily", table.rows.get("web search"), table.out);
            assertEquals(0, service.requests());
            backend.answers(call -> answer(call, Set.of()));
            table = check("--upstream", backend.url().toString(), "--search", Searching.url(service));
            assertTrue(table.rows.get("web search").matches("no 0 pages; .* -> mend --search, or look .*"), table.out);
            assertEquals(1, service.requests());
            backend.answers(call -> {
                if (call.text().contains("weather in Paris")) Backend.refusing(500, "boom").answer(call);
                else answer(call, Set.of());
            });
            table = check("--upstream", backend.url().toString(), "--search", Searching.url(service));
            assertTrue(table.rows.get("web search").matches("no 500: .*boom -> the backend's own log says why"), table.out);
        }
    }

    @Test
    void whatClaudeCodeCanDoWithoutIsNamedWithWhatToDo() throws Exception {
        Table table = checkLacking("usage", "images", "reasoning", "errors", "list");
        table.assertRow("model", "ok 0 listed; any");
        String counts = "\\? not in the stream; the first after \\S+ s, then \\d+/s -> nothing to do: A2o estimates them";
        assertTrue(table.rows.get("token counts").matches(counts), table.out);
        assertTrue(table.rows.get("reasoning").matches("\\? .* -> to see thoughts, take a model that reasons, .*"), table.out);
        assertTrue(table.rows.get("image").matches("\\? .* -> for screenshots, take a model that sees .*"), table.out);
        table.assertRow("model errors", "? 1, 2, and so on. -> look at the name twice: with a wrong one it answers too");
        table.assertRow("left out", "image_url");
        String verdict = "Claude Code works without token counts, reasoning, image, model errors | ";
        assertTrue(table.verdict().startsWith(verdict), table.verdict());
        assertEquals(0, table.status);
    }

    @Test
    void withoutToolsClaudeCodeWillNotWork() throws Exception {
        Table table = runLacking("tools", "images");
        table.assertRow("tool call", "no 1, 2, and so on. -> start the server with its tool flags (llama.cpp: --jinja; vLLM: "
                + "--enable-auto-tool-choice --tool-call-parser NAME; SGLang: --tool-call-parser NAME), "
                + "or take a model that calls tools");
        assertFalse(table.rows.containsKey("parallel calls"), table.out);
        table.assertRow("tool result", "ok 17 degrees.");
        assertEquals("Claude Code will not work: no tool call", table.verdict());
        assertEquals(1, table.status);
    }

    /** A2o's own estimate of "1, 2, and so on." is four tokens: a character and three more, divided by four. */
    @Test
    void countsOfTheBackendsAreFoundThoughAnEstimateWouldBeTheSame() throws Exception {
        try (var backend = new Backend().answers(call -> {
            if (call.text().contains("Count from 1 to 30")) {
                call.events().data(Backend.ROLE, Backend.chunk("1, 2, and so on."), Backend.FINISH);
                call.data("{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":4}}", "[DONE]").end();
            } else {
                answer(call, Set.of());
            }
        })) {
            Table table = check("--upstream", backend.url().toString());
            assertTrue(table.rows.get("token counts").startsWith("ok 4; "), table.out);
        }
    }

    @Test
    void aStopSequenceIsThereOnlyIfTheClientIsToldOfIt() throws Exception {
        try (var backend = new Backend().answers(call -> {
            if (call.text().contains("Count from 1 to 9")) Backend.saying("1, 2, 3, 4, 5, 6").answer(call);
            else answer(call, Set.of());
        })) {
            Table table = check("--upstream", backend.url().toString());
            table.assertRow("stop sequence", "? 1, 2, 3, 4, 5, 6 -> run --check again: the model may count otherwise then");
        }
    }

    /** Asserts that the last row is that one, with this in it and then what to do. */
    private static void assertFails(String row, String text, String advice, Table table) {
        assertEquals(row, List.copyOf(table.rows.keySet()).getLast(), table.out);
        String shown = table.rows.get(row);
        assertTrue(shown.startsWith("no ") && shown.contains(text) && shown.endsWith(" -> " + advice), table.out);
        assertEquals("Claude Code will not work: no " + row, table.verdict());
        assertEquals(1, table.status);
    }

    @Test
    void theFirstRowThatFailsSaysWhatToDoAndIsTheLast() throws Exception {
        String dead = "http://127.0.0.1:" + Backend.deadPort();
        String mend = "start the backend, or mend --upstream";
        assertFails("connection", "cannot connect", mend, check("--upstream", dead));
        try (var backend = new Backend().answers(Backend.refusing(401, "no such key"))) {
            String url = backend.url().toString();
            String give = "give the right one as A2O_UPSTREAM_KEY";
            assertFails("key", "no such key", give, check("--upstream", url));
            Table table = check("--upstream", url, "--upstream-key", "sk-secret");
            assertFails("key", "backend rejected the proxy's credentials", give, table);
            assertFalse(table.out.contains("sk-secret"), table.out);
        }
        try (var backend = new Backend().answers(call -> call.reply(404, "text/plain", "404 page not found"))) {
            assertFails("model", "404 page not found", "mend --upstream, whose path often ends in /v1, or give the model's name as --model",
                    check("--upstream", backend.url().toString()));
        }
        try (var backend = new Backend().answers(call -> call.reply(200, "text/html", "<h1>Welcome</h1>"))) {
            assertFails("connection", "Welcome", mend, check("--upstream", backend.url().toString()));
        }
        try (var backend = new Backend().answers(Backend.refusing(500, "out of memory"))) {
            Table table = run("--upstream", backend.url().toString());
            assertFails("plain reply", "out of memory", "the backend's own log says why", table);
            table.assertRow("key", "? not known yet -> see 'plain reply'");
            table.assertRow("model", "? not known yet -> see 'plain reply'");
        }
        try (var backend = new Backend().answers(call -> answer(call, Set.of()))) {
            backend.answers(call -> {
                if (call.line().startsWith("GET")) answer(call, Set.of());
                else Backend.refusing(404, "no such model").answer(call);
            });
            assertFails("model", "no such model", "--model can be one of: m'1, m2", check(backend.url().toString(), "--model", "gpt"));
        }
    }

    @Test
    void whatMayPassIsNoLackOfTheBackend() throws Exception {
        Map<Integer, String> advices = Map.of(429, "try again later: a limit of the account is reached",
                402, "pay for the account, or try again later");
        for (var advice : advices.entrySet()) {
            try (var backend = new Backend().answers(Backend.refusing(advice.getKey(), "not now", "retry-after: 70"))) {
                String url = backend.url().toString();
                Table table = check("--upstream", url);
                table.assertRow("plain reply", "? %d: %s: not now -> %s".formatted(
                        advice.getKey(), backend.url().getAuthority(), advice.getValue()));
                assertEquals("Claude Code could not be tried; try again later", table.verdict());
                assertEquals(1, table.status);
            }
        }
        try (var backend = new Backend().answers(call -> {
            if (call.text().contains("Paris. ") || call.text().contains("for Paris.")) {
                Backend.refusing(429, "too many", "retry-after: 70").answer(call);
            } else {
                answer(call, Set.of());
            }
        })) {
            Table table = check("--upstream", backend.url().toString());
            assertTrue(table.rows.get("tool call").matches("\\? 429: .*too many -> try again later: .*"), table.out);
            assertTrue(table.verdict().startsWith("Claude Code works; not sure: tool call | "), table.out);
            assertEquals(0, table.status);
        }
    }

    @Test
    void keyAndModelAreNotSureWhereTheListIsRefused() throws Exception {
        for (int status : List.of(401, 404)) {
            try (var backend = new Backend().answers(call -> {
                if (call.line().startsWith("GET")) Backend.refusing(status, "no").answer(call);
                else answer(call, Set.of());
            })) {
                Table table = check(backend.url().toString(), "--model", "big");
                String key = status == 401 ? "? the list of models answers 401 -> look whether the key may list models"
                        : "ok accepted, or not needed";
                table.assertRow("key", key);
                table.assertRow("model", ("? big; the list of models answers %d -> give the model's name as --model, "
                        + "and look at it twice: it cannot be compared").formatted(status));
                String unsure = status == 401 ? "key, model" : "model";
                assertTrue(table.verdict().startsWith("Claude Code works; not sure: " + unsure + " | "), table.out);
            }
        }
    }

    @Test
    void aModelThatIsNotListedIsCompared() throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of()))) {
            Table table = check(backend.url().toString(), "--model", "m22");
            table.assertRow("model", "? m22 is not among the 2 listed -> is --model m2 meant?");
        }
    }

    @Test
    void theRightPathIsFoundAndNamed() throws Exception {
        try (var backend = new Backend().answers(call -> {
            String path = call.line().split(" ")[1];
            boolean isApi = List.of("/api/v1/models", "/api/v1/chat/completions").contains(path);
            if (isApi) answer(call, Set.of()); else call.reply(404, "text/plain", "404 page not found");
        })) {
            String root = "http://" + backend.url().getAuthority();
            for (String wrong : List.of("", "/api", "/api/v1/models", "/api/v1/chat")) {
                Table table = check(root + wrong);
                assertFails("connection", "404", "the API is at %s/api/v1: give that as --upstream".formatted(root), table);
            }
        }
    }

    private static final String MESSAGE = """
            {"type":"message","id":"m","role":"assistant","model":"m","content":[{"type":"text","text":"OK."}],
            "stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":2}}""";

    @Test
    void aBackendThatSpeaksTheClientsApiNeedsNoProxy() throws Exception {
        try (var backend = new Backend().answers(call -> {
            if (call.line().contains(" /v1/messages ")) call.reply(200, "application/json", MESSAGE);
            else answer(call, Set.of());
        })) {
            String root = "http://" + backend.url().getAuthority();
            check(root).assertRow("Anthropic API", "spoken at %s/v1/messages: give that as --upstream, ".formatted(root)
                    + "and all is passed on as it is, or without A2o ANTHROPIC_BASE_URL=" + root);
        }
        try (var backend = new Backend().answers(call -> {
            if (call.line().contains(" /anthropic/v1/messages ")) call.reply(200, "application/json", MESSAGE);
            else call.reply(404, "text/plain", "404 page not found");
        })) {
            String root = "http://" + backend.url().getAuthority();
            assertFails("connection", "404", "Anthropic's own API is spoken at %s/anthropic/v1/messages: give that as --upstream, "
                    .formatted(root) + "and all is passed on as it is, or without A2o ANTHROPIC_BASE_URL=" + root + "/anthropic",
                    check(root));
        }
    }

    @Test
    void theModelIsTheOneThatClientsGet() throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of()))) {
            String url = backend.url() + "?api-version=1";
            Table table = check("--upstream", url, "--model", "big", "--upstream-key", "sk-secret", "--port", "1");
            table.assertRow("model", "? big is not among the 2 listed -> --model can be one of: m'1, m2");
            assertTrue(table.verdict().matches("Claude Code works; not sure: model \\| A2O_UPSTREAM_KEY=\\.\\.\\. " + RUN
                    + "'http://127\\.0\\.0\\.1:\\d+/v1/chat/completions\\?api-version=1' --model big -- claude"
                    + " \\| with what is secret in place of the dots"), table.verdict());
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
            String url = backend.url().toString();
            Table table = check("--upstream", url, "--context=64000", "--header", "x-a: s3cret",
                    "--extra-body", "{\"a\":\"it's\"}", "--header=x-b: 2", "--log-file", "/dev/null");
            assertTrue(table.verdict().matches("Claude Code works \\| A2O_HEADER=\"\\$\\(printf '%s\\\\n' 'x-a: \\.\\.\\.' 'x-b: \\.\\.\\.'\\)\" "
                    + RUN + "\\S+ --model 'm'\\\\''1' --context 64000 --extra-body '\\{\"a\":\"it'\\\\''s\"}' -- claude"
                    + " \\| with what is secret in place of the dots"), table.verdict());
            table = check(Map.of("A2O_UPSTREAM", url, "A2O_UPSTREAM_KEY", "s3cret-0123456789", "A2O_MODEL", "m2"),
                    "--header", "user-agent: me");
            assertTrue(table.verdict().matches("Claude Code works \\| " + RUN + "\\S+ --model m2 --header 'user-agent: me' -- claude"
                    + " \\| with A2O_UPSTREAM_KEY set as now"), table.verdict());
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
    void eachBackendIsCheckedAndNamed() throws Exception {
        String dead = "127.0.0.1:" + Backend.deadPort();
        try (var backend = new Backend().answers(call -> answer(call, Set.of("images")));
                var full = new Backend().answers(Backend.refusing(500, "out of memory"))) {
            String host = full.url().getAuthority();
            Table table = check("--upstream", "good=" + backend.url(), "--upstream", full.url().toString());
            assertTrue(table.out.contains("\na2o 0.1.0 tries " + full.url() + ", which gets the client's key"), table.out);
            assertTrue(table.out.startsWith("a2o 0.1.0 tries good at " + backend.url() + ", which gets"), table.out);
            assertTrue(table.verdict().matches("good: Claude Code works without image \\| %s: Claude Code will not work: no plain reply \\| "
                    .formatted(host) + RUN + "'good=\\S+' --upstream \\S+ --model 'm'\\\\''1' -- claude"), table.verdict());
            assertEquals(0, table.status);
            table = check("--upstream", "http://" + dead, "--upstream", backend.url().toString(),
                    "--upstream-key", "first-key", "--upstream-key", "second-key");
            String key = "";
            for (int i = backend.requests(); i > 0; i--) key = backend.take().headers().get("authorization");
            assertEquals("Bearer second-key", key);
            assertTrue(table.verdict().startsWith(dead + ": Claude Code will not work: no connection | "
                    + backend.url().getAuthority() + ": Claude Code works without image | A2O_UPSTREAM_KEY="
                    + "\"$(printf '%s\\n' ... ...)\" "), table.verdict());
            assertEquals(0, table.status, "the second one is asked where the first is down");
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
            String rest = " --upstream 'local=%s' --upstream 'or=%s' --map '*haiku*=s@local' --map '*=m2@or,local' --context 64k@local"
                    .formatted(one.url(), two.url());
            String end = " -- claude | with what is secret in place of the dots";
            String secrets = "A2O_UPSTREAM_KEY=...@or A2O_HEADER='x-a: ...@or' ";
            assertTrue(table.verdict().startsWith("or: Claude Code works | local: Claude Code works | " + secrets), table.verdict());
            assertTrue(table.verdict().endsWith("build/a2o.jar" + rest + end), table.verdict());
            List<String> more = new ArrayList<>(args);
            more.addAll(List.of("--upstream-key", "s3cret-two@local"));
            Table ofTwoKeys = check(more.toArray(new String[0]));
            assertTrue(ofTwoKeys.verdict().contains(" | A2O_UPSTREAM_KEY=\"$(printf '%s\\n' ...@or ...@local)\" A2O_HEADER="),
                    ofTwoKeys.verdict());
            Path file = Files.createTempFile("a2o", ".options");
            Files.writeString(file, "--upstream %s%n--upstream-key s3cret-key%n".formatted(one.url()));
            assertTrue(check("@" + file, "--model", "m2").verdict().matches("Claude Code works \\| \\S*java -jar build/a2o.jar "
                    + "@%s --model m2 -- claude".formatted(file)));
            Files.delete(file);
        }
    }

    @Test
    void theBuiltInBackendCanBeChecked() throws Exception {
        Table table = run("--upstream", "demo");
        assertTrue(table.rows.get("tool call").startsWith("ok "), table.out);
        assertTrue(table.verdict().endsWith("java -jar build/a2o.jar --upstream demo --model demo -- claude"), table.out);
        assertEquals("ok 1 listed; demo", table.rows.get("model"));
        assertTrue(table.rows.get("token counts").startsWith("ok 18; "), table.out);
        assertEquals(0, table.status);
    }

    @Test
    void theCommandStartsA2oAsItWasStarted() throws Exception {
        try (var backend = new Backend().answers(call -> answer(call, Set.of()))) {
            Path folder = Files.createTempDirectory("a2o check");
            Path program = Files.copy(Path.of("build/a2o.jar"), folder.resolve("a2o")); // as ./build.sh dist makes one
            assertTrue(program.toFile().setExecutable(true));
            String url = backend.url().toString();
            String command = command(List.of("-jar", program.toString(), "--check", url), "");
            assertTrue(command.startsWith("'" + program + "' --upstream http://"), command);
            command = command(List.of("-jar", program.toString(), "--check", url), folder.toString());
            assertTrue(command.startsWith("a2o --upstream http://"), command);
            command = command(List.of("-jar", "build/a2o.jar", "--check", url), Path.of(JAVA).getParent().toString());
            assertTrue(command.startsWith("java -jar build/a2o.jar --upstream http://"), command);
            Files.delete(program);
            Files.delete(folder);
        }
    }

    /** {@return the command that a check by Java with these words prints, with only that folder on the PATH} */
    private static String command(List<String> words, String path) throws Exception {
        List<String> all = new ArrayList<>(List.of(JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        all.addAll(words);
        var builder = new ProcessBuilder(all);
        builder.environment().put("PATH", path);
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
            return lines.stream().filter(line -> line.endsWith(" -- claude")).findFirst().orElseThrow().strip();
        } finally {
            process.destroyForcibly();
        }
    }

    /** A terminal is what script(1) makes; it may not be there. */
    @Test
    void aTerminalGetsColoursUnlessItsUserWantsNone() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "no script(1) here");
        String command = JAVA + " -XX:TieredStopAtLevel=1 -jar build/a2o.jar --check http://127.0.0.1:" + Backend.deadPort();
        assertTrue(atTerminal(command, Map.of("TERM", "xterm")).contains("\nconnection      \033[31mno \033[0m 502"));
        assertFalse(atTerminal(command, Map.of("TERM", "xterm", "NO_COLOR", "1")).contains("\033"));
    }

    private static String atTerminal(String command, Map<String, String> variables) throws Exception {
        var builder = new ProcessBuilder("/usr/bin/script", "-qec", command, "/dev/null").redirectInput(Path.of("/dev/null").toFile());
        builder.environment().putAll(variables);
        Process process = builder.start();
        try {
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }
}
