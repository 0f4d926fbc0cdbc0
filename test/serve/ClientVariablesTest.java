package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import config.CommandLine;
import config.Options;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.HeldClock;
import testing.Proxies;
import testing.Tasks;

/** What Claude Code is told by its environment, and where that comes from. */
class ClientVariablesTest {
    private static final String URL = "http://127.0.0.1:1";

    private static Options options(String... args) {
        List<String> all = new ArrayList<>(List.of(args));
        if (!all.contains("--upstream")) all.addAll(List.of("--upstream", "http://backend.test"));
        return Options.of(CommandLine.read(all.toArray(String[]::new), Map.of()));
    }

    /** {@return what becomes of an environment, for a window of 5,000 tokens} */
    private static Map<String, String> changed(Map<String, String> environment, String... args) {
        Map<String, String> changed = new HashMap<>(environment);
        ClientVariables.putInto(changed, options(args), URL, OptionalLong.of(5000));
        return changed;
    }

    /** {@return the key that the client presents} */
    private static String token(Map<String, String> environment, String... args) {
        Map<String, String> changed = changed(environment, args);
        assertFalse(changed.containsKey("ANTHROPIC_API_KEY"), "Claude Code would ask about it and check it");
        assertEquals(URL, changed.get("ANTHROPIC_BASE_URL"));
        return changed.get("ANTHROPIC_AUTH_TOKEN");
    }

    @Test
    void aKeyOfTheUsersGoesOnAsTheToken() {
        assertEquals("any", token(Map.of()));
        assertEquals("key", token(Map.of("ANTHROPIC_API_KEY", "key")));
        assertEquals("token", token(Map.of("ANTHROPIC_AUTH_TOKEN", "token")));
        assertEquals("token", token(Map.of("ANTHROPIC_AUTH_TOKEN", "token", "ANTHROPIC_API_KEY", "key")));
        assertEquals("key", token(Map.of("ANTHROPIC_AUTH_TOKEN", " ", "ANTHROPIC_API_KEY", "key")));
        assertEquals("own", token(Map.of("ANTHROPIC_API_KEY", "key"), "--auth-key", "own"));
        assertEquals("own", token(Map.of("ANTHROPIC_AUTH_TOKEN", "token"), "--auth-key", "own"));
        assertEquals("any", token(Map.of("ANTHROPIC_BASE_URL", "https://elsewhere.test")));
    }

    @Test
    void keysOfAnthropicsGoOnOnlyToAnthropic() {
        assertEquals("any", token(Map.of("ANTHROPIC_API_KEY", "sk-ant-api03-x")));
        assertEquals("any", token(Map.of("ANTHROPIC_AUTH_TOKEN", "sk-ant-oat01-x")));
        assertEquals("key", token(Map.of("ANTHROPIC_AUTH_TOKEN", "sk-ant-oat01-x", "ANTHROPIC_API_KEY", "key")));
        assertEquals("sk-ant-api03-x", token(Map.of("ANTHROPIC_API_KEY", "sk-ant-api03-x"), "--upstream",
                "https://api.anthropic.com/v1"));
    }

    /** Without a token, Claude Code sends the one of its login. */
    @Test
    void aLoginGoesOnToAnthropic() {
        String[] anthropic = {"--upstream", "https://api.anthropic.com/v1/messages"};
        assertNull(token(Map.of(), anthropic));
        assertNull(token(Map.of("ANTHROPIC_AUTH_TOKEN", " "), anthropic));
        assertEquals("any", token(Map.of(), "--upstream", "https://api.anthropic.com/v1/messages", "--upstream-key", "k"));
    }

    @Test
    void whatTheUserHasSetForTheClientIsKept() {
        Map<String, String> chosen = Map.of("ANTHROPIC_MODEL", "mine", "CLAUDE_CODE_MAX_CONTEXT_TOKENS", "7",
                "CLAUDE_CODE_AUTO_MODE_SERVER", "1", "CLAUDE_CODE_MAX_OUTPUT_TOKENS", "8", "PATH", "/bin");
        Map<String, String> changed = changed(chosen, "--model", "qwen3.8");
        chosen.forEach((name, value) -> assertEquals(value, changed.get(name), name));
        Map<String, String> blank = Map.of("ANTHROPIC_MODEL", "", "CLAUDE_CODE_MAX_CONTEXT_TOKENS", " ");
        assertEquals("qwen3.8 5000 0", modelWindowAndMode(changed(blank, "--model", "qwen3.8")));
    }

    private static String modelWindowAndMode(Map<String, String> environment) {
        return environment.get("ANTHROPIC_MODEL") + " " + environment.get("CLAUDE_CODE_MAX_CONTEXT_TOKENS") + " "
                + environment.get("CLAUDE_CODE_AUTO_MODE_SERVER");
    }

    /** With them Claude Code would go past the proxy. */
    @Test
    void variablesThatChooseAnotherServiceAreTakenAway() {
        Map<String, String> changed = changed(Map.of("CLAUDE_CODE_USE_BEDROCK", "1", "CLAUDE_CODE_USE_VERTEX", "1",
                "CLAUDE_CODE_USE_FOUNDRY", "1", "CLAUDE_CODE_USE_MANTLE", "1", "CLAUDE_CODE_USE_ANTHROPIC_AWS", "1",
                "CLAUDE_CODE_USE_POWERSHELL_TOOL", "1"));
        assertEquals(List.of("CLAUDE_CODE_USE_POWERSHELL_TOOL"),
                changed.keySet().stream().filter(name -> name.startsWith("CLAUDE_CODE_USE")).toList());
    }

    @Test
    void theModelIsTheOneThatClaudeCodesDefaultIsMappedTo() {
        String[][] rows = {{"big", "--model", "big"}, {"big", "--map", "*haiku*=small", "--map", "*=big"},
            {"big", "--map", "*haiku*=small", "--model", "big"}, {"big", "--map", "claude-*=big"},
            {"claude-opus-5-5", "--model", "claude-opus-5-5"}, {"anthropic/x", "--model", "anthropic/x"},
            {"null"}, {"null", "--map", "*haiku*=small"}, // as Claude Code's default is not mapped
            {"null", "--map", "claude-*=big", "--map", "big=small"}}; // as who asks for big would get small
        for (String[] row : rows) {
            String[] args = List.of(row).subList(1, row.length).toArray(String[]::new);
            assertEquals(row[0] + " 5000 0", modelWindowAndMode(changed(Map.of(), args)), String.join(" ", row));
        }
    }

    @Test
    void theUserIsToldTheSameWithoutAKey() {
        assertEquals("ANTHROPIC_AUTH_TOKEN='<key of the backend, or any word>' CLAUDE_CODE_AUTO_MODE_SERVER=0",
                ClientVariables.shown(options(), OptionalLong.empty()));
        assertEquals("ANTHROPIC_AUTH_TOKEN=any ANTHROPIC_MODEL='it'\\''s' CLAUDE_CODE_MAX_CONTEXT_TOKENS=7 "
                + "CLAUDE_CODE_AUTO_MODE_SERVER=0",
                ClientVariables.shown(options("--model", "it's", "--upstream-key", "sk-secret"), OptionalLong.of(7)));
        assertEquals("ANTHROPIC_AUTH_TOKEN='<key of --auth-key>' CLAUDE_CODE_AUTO_MODE_SERVER=0",
                ClientVariables.shown(options("--auth-key", "sk-secret", "--upstream-key", "sk-secret"), OptionalLong.empty()));
        assertEquals("ANTHROPIC_AUTH_TOKEN=any ANTHROPIC_MODEL=m CLAUDE_CODE_AUTO_MODE_SERVER=0",
                ClientVariables.shown(options("--upstream", "demo", "--map", "*=m"), OptionalLong.empty()));
    }

    // ---- the window ----

    private static final String LIST = """
            {"data":[{"id":"a","max_model_len":1000},{"id":"qwen3.8","context_length":2000}]}""";

    private static Backend listing(String list) throws IOException {
        return new Backend().answers(call -> call.reply(200, "application/json", list));
    }

    private static long window(String model, String key, String... args) throws IOException {
        try (Proxy proxy = Proxies.start(new HeldClock(), args)) {
            return proxy.askWindow(model, key).orElse(0);
        }
    }

    @Test
    void theBackendIsAskedWithTheKeyThatItGets() throws Exception {
        try (Backend backend = listing(LIST)) {
            String url = backend.url().toString();
            assertEquals(2000, window("qwen3.8", "mine", "--upstream", url));
            assertEquals("Bearer mine", backend.take().headers().get("authorization"));
            assertEquals(1000, window("a", "mine", "--upstream", url, "--upstream-key", "own"));
            assertEquals("Bearer own", backend.take().headers().get("authorization"));
            assertEquals(0, window("other", "", "--upstream", url));
            assertEquals(3, backend.requests());
            assertEquals(500, window("a", "", "--upstream", url, "--context", "500"));
            assertEquals(3, backend.requests(), "what is said need not be asked");
        }
    }

    @Test
    void ofSeveralBackendsTheFirstThatTellsTheWindowCounts() throws Exception {
        String dead = "http://127.0.0.1:" + Backend.deadPort();
        try (Backend second = listing("{}"); Backend third = listing(LIST); Backend fourth = listing(
                LIST.replace("2000", "9"))) {
            assertEquals(2000, window("qwen3.8", "", "--upstream", dead, "--upstream", second.url().toString(),
                    "--upstream", third.url().toString(), "--upstream", fourth.url().toString()));
        }
    }

    @Test
    void aListThatDoesNotComeIsNotWaitedForLong() throws Exception {
        var clock = new HeldClock();
        try (var backend = new Backend().answers(Backend.Call::awaitLeft);
                Proxy proxy = Proxies.start(clock, "--upstream", backend.url().toString())) {
            FutureTask<OptionalLong> window = Tasks.ask(() -> proxy.askWindow("m", ""));
            backend.take();
            clock.elapse(2_500);
            assertEquals(OptionalLong.empty(), Tasks.outcome(window));
        }
    }
}
