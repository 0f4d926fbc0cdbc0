import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import testing.Backend;
import testing.Tasks;
import testing.Wire;

/** {@code -- COMMAND}: clients, which are small shell scripts here, on a proxy of their own. Needs build/a2o.jar. */
@Execution(ExecutionMode.CONCURRENT)
class CommandTest {
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final String URL = "http://127\\.0\\.0\\.1:(\\d+)";

    @TempDir
    Path temporary;

    private record Outcome(int status, List<String> out, String err) { }

    /** The jar with the built-in backend, and its client. */
    private final class Run implements AutoCloseable {
        private final Process process;
        private final BufferedReader out;

        private Run(Map<String, String> environment, List<String> options, String... command) throws IOException {
            assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no shell here");
            List<String> words = new ArrayList<>(List.of(JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                    "-Djava.io.tmpdir=" + temporary, "-jar", "build/a2o.jar"));
            if (!options.contains("--upstream")) words.addAll(List.of("--upstream", "demo"));
            words.addAll(options);
            words.add("--");
            words.addAll(List.of(command));
            var builder = new ProcessBuilder(words);
            builder.environment().keySet().removeIf(name ->
                    name.matches("A2O_.*|ANTHROPIC_.*|CLAUDE.*|OPENAI_API_KEY|J.*_OPTIONS|CLASSPATH|(?i).*_proxy"));
            builder.environment().putAll(environment);
            process = builder.start();
            out = process.inputReader(StandardCharsets.UTF_8);
        }

        private void signal(String name) throws Exception {
            String command = "kill -%s %d".formatted(name, process.pid());
            assertEquals(0, new ProcessBuilder("sh", "-c", command).inheritIO().start().waitFor());
        }

        /** {@return the port of the proxy, which the client is the first to say} */
        private int port() throws IOException {
            Matcher url = Pattern.compile(URL).matcher(String.valueOf(out.readLine()));
            return url.matches() ? Integer.parseInt(url.group(1)) : fail("no URL was said");
        }

        private Outcome outcome() throws Exception {
            process.getOutputStream().close();
            assertTrue(process.waitFor(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), "still running");
            String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Outcome(process.exitValue(), out.lines().toList(), err.strip());
        }

        @Override
        public void close() {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private Outcome run(Map<String, String> environment, List<String> options, String script) throws Exception {
        try (var run = new Run(environment, options, "sh", "-c", script)) {
            return run.outcome();
        }
    }

    /** The variables that a client looks at, and one that is not for it. */
    private static final String SHOW = "env | grep -E '^(ANTHROPIC_|CLAUDE_CODE_|A2O_|NO_PROXY|no_proxy)' | sort";

    /** {@return what the client finds in its environment, but for the port} */
    private Map<String, String> shown(Map<String, String> environment, String... options) throws Exception {
        Outcome outcome = run(environment, List.of(options), SHOW);
        assertEquals("0 ", outcome.status + " " + outcome.err);
        Map<String, String> shown = new LinkedHashMap<>();
        for (String line : outcome.out) {
            String[] pair = line.split("=", 2);
            assertEquals(2, pair.length, "no banner: " + outcome.out);
            shown.put(pair[0], pair[1].replaceFirst(URL, "URL"));
        }
        assertEquals("URL", shown.remove("ANTHROPIC_BASE_URL"));
        return shown;
    }

    @Test
    void theClientFindsTheProxyInItsEnvironment() throws Exception {
        assertEquals(Map.of("ANTHROPIC_AUTH_TOKEN", "any", "CLAUDE_CODE_AUTO_MODE_SERVER", "0",
                "NO_PROXY", "127.0.0.1", "no_proxy", "127.0.0.1"), shown(Map.of("A2O_UPSTREAM_KEY", "secret")));
        assertEquals(Map.of("ANTHROPIC_AUTH_TOKEN", "mine", "ANTHROPIC_MODEL", "qwen3.8", "NO_PROXY", "x.org,127.0.0.1",
                "CLAUDE_CODE_MAX_CONTEXT_TOKENS", "65536", "CLAUDE_CODE_AUTO_MODE_SERVER", "0",
                "no_proxy", "x.org,127.0.0.1"), shown(Map.of("NO_PROXY", "x.org", "ANTHROPIC_API_KEY", "mine",
                "CLAUDE_CODE_USE_BEDROCK", "1"), "--model", "qwen3.8", "--context", "65536"));
        assertEquals("*", shown(Map.of("NO_PROXY", "*")).get("NO_PROXY"));
    }

    @Test
    void theWindowIsTheOneThatTheBackendLists() throws Exception {
        String list = "{\"data\":[{\"id\":\"a\",\"max_model_len\":1000},{\"id\":\"b\",\"meta\":{\"n_ctx\":2000}}]}";
        try (Backend backend = new Backend().answers(call -> call.reply(200, "application/json", list))) {
            Tasks.await(() -> { // on a busy machine the list may come too late
                Map<String, String> shown = shown(Map.of("ANTHROPIC_API_KEY", "mine"), "--upstream",
                        backend.url().toString(), "--map", "*=b");
                assertEquals("b", shown.get("ANTHROPIC_MODEL"));
                return "2000".equals(shown.get("CLAUDE_CODE_MAX_CONTEXT_TOKENS"));
            }, "the window is not told");
            Backend.Call call = backend.take();
            assertEquals("GET /v1/models HTTP/1.1", call.line());
            assertEquals("Bearer mine", call.headers().get("authorization"));
        }
    }

    /** {@return what {@code ./build.sh run} says that is called elsewhere} */
    private Outcome buildRun(Path folder, String... words) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no shell here");
        List<String> command = new ArrayList<>(List.of("sh", Path.of("build.sh").toAbsolutePath().toString(), "run"));
        command.addAll(List.of(words));
        var builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().keySet().removeIf(name -> name.matches("A2O_.*|J.*_OPTIONS|CLASSPATH"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            assertTrue(process.waitFor(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), "still running");
            String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Outcome(process.exitValue(), process.inputReader().lines().toList(), err.strip());
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void buildShRunsTheCommandInTheCallersDirectory() throws Exception {
        Path folder = Files.createDirectory(temporary.resolve("my project")).toRealPath();
        Outcome outcome = buildRun(folder, "--log-file", "a2o.log", "--", "pwd", "-P");
        assertEquals(new Outcome(0, List.of(folder.toString()), ""), outcome);
        assertTrue(Files.exists(folder.resolve("a2o.log")), "the option's file is there too");
        Files.writeString(folder.resolve("none.pem"), "no certificate");
        Outcome found = buildRun(folder, "http://127.0.0.1:1", "--ca-cert", "none.pem");
        assertTrue(found.err.contains("none.pem cannot be read: java.security.cert.CertificateException"), found.err);
    }

    @Test
    void theClientsStatusIsPassedOn() throws Exception {
        Outcome failed = run(Map.of(), List.of(), "echo said; echo told >&2; exit 3");
        assertEquals(List.of("said"), failed.out);
        Matcher told = Pattern.compile("told\\Ra2o: sh ended with status 3; log: (.*)").matcher(failed.err);
        assertTrue(told.matches(), failed.err);
        assertTrue(Files.exists(Path.of(told.group(1))), "the log is where it is said to be");
        assertEquals(128 + 9, run(Map.of(), List.of(), "kill -9 $$").status);
    }

    @Test
    void aClientThatCannotBeRunIs127InOneLine() throws Exception {
        try (var run = new Run(Map.of(), List.of(), "no-such-client-at-all", "x")) {
            String err = "a2o: cannot run no-such-client-at-all: is it installed, on the PATH, and executable?";
            assertEquals(new Outcome(127, List.of(), err), run.outcome());
        }
    }

    @Test
    void claudeCodeThatIsNotInstalledIsSaidWithHowToInstallIt() throws Exception {
        try (var run = new Run(Map.of("PATH", temporary.toString()), List.of(), "claude")) {
            assertEquals(new Outcome(127, List.of(), "a2o: cannot run claude: is it installed, on the PATH, and executable? "
                    + "To install it: npm install -g @anthropic-ai/claude-code"), run.outcome());
        }
    }

    @Test
    void onWindowsACommandIsFoundByTheEndingsOfProgramsThere() throws Exception {
        Path empty = Files.createDirectory(temporary.resolve("empty")), npm = Files.createDirectory(temporary.resolve("npm"));
        Path claude = Files.createFile(npm.resolve("claude.cmd"));
        String path = empty + File.pathSeparator + npm;
        assertEquals(List.of(claude.toString(), "-p", "Say hi."),
                WindowsProgram.found(List.of("claude", "-p", "Say hi."), path, ".exe;.cmd"));
        for (String other : List.of("claude.cmd", "codex")) {
            assertEquals(List.of(other), WindowsProgram.found(List.of(other), path, ".exe;.cmd"));
        }
    }

    @Test
    void theLogGoesToAFileAndNeverOverTheClientsScreen() throws Exception {
        Path log = temporary.resolve("a%2o.log");
        String script = "echo $ANTHROPIC_BASE_URL; read line; exit 0";
        try (var run = new Run(Map.of(), List.of("--debug", "--log-file", log.toString()), "sh", "-c", script)) {
            assertEquals(200, Wire.post(run.port(), """
                    {"model":"any","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""").status());
            Tasks.await(() -> Files.readString(log).contains(" 200 any "), "no log");
            assertEquals(new Outcome(0, List.of(), ""), run.outcome());
        }
        assertEquals(2, Files.readString(log).split(" 200 any -> any ", -1).length, "said once");
    }

    /** The log of a client that ended well is of no use, and many runs would fill the disk. */
    @Test
    void aTemporaryLogIsThereNoLongerThanItIsOfUse() throws Exception {
        Outcome well = run(Map.of(), List.of(), "ls " + temporary + "/a2o-*.log");
        assertEquals(0, well.status, well.err);
        assertFalse(Files.exists(Path.of(well.out.getFirst())), "it was there while the client ran");
        run(Map.of(), List.of(), "exit 3");
        try (Stream<Path> logs = Files.list(temporary)) {
            assertEquals(1, logs.filter(file -> file.toString().endsWith(".log")).count());
        }
    }

    @Test
    void twoDoNotWriteIntoOneLog() throws Exception {
        String log = temporary.resolve("a2o.log").toString();
        try (var first = new Run(Map.of(), List.of("--log-file", log), "sh", "-c", "echo $ANTHROPIC_BASE_URL; read line; exit 0")) {
            first.port();
            Outcome second = run(Map.of(), List.of("--log-file", log), "echo ran");
            String said = "a2o: another a2o writes to %s; give each a --log-file of its own".formatted(log);
            assertEquals(new Outcome(1, List.of(), said), second);
            assertEquals(0, first.outcome().status);
        }
    }

    @Test
    void aProxyThatCannotStartRunsNothing() throws Exception {
        Outcome outcome = run(Map.of(), List.of("--log-file", temporary + "/none/x.log"), "echo ran");
        assertEquals("1 []", outcome.status + " " + outcome.out);
        assertTrue(outcome.err.startsWith("a2o: ") && outcome.err.contains("x.log"), outcome.err);
    }

    @Test
    void sigtermIsPassedOnEachTime() throws Exception {
        assumeTrue(ProcessHandle.current().supportsNormalTermination(), "no signals here");
        String script = "n=; trap 'n=x$n; echo got $n; [ $n != xx ] || exit 7' TERM; echo ready; "
                + "while [ ${#i} -lt 2000 ]; do i=.$i; sleep 0.05; done";
        try (var run = new Run(Map.of(), List.of(), "sh", "-c", script)) {
            for (String said : List.of("ready", "got x", "got xx")) {
                assertEquals(said, run.out.readLine());
                if (!said.equals("got xx")) run.signal("TERM");
            }
            assertEquals(7, run.outcome().status);
        }
    }

    /** As a terminal sends it, the client has got the signal too; this one goes on nevertheless. */
    @Test
    void sigintDoesNotEndTheProxyBeforeTheClientEnds() throws Exception {
        assumeTrue(ProcessHandle.current().supportsNormalTermination(), "no signals here");
        Path self = Path.of("/proc/self/status");
        String status = Files.exists(self) ? Files.readString(self) : "";
        Matcher ignored = Pattern.compile("(?m)^SigIgn:\\s*([0-9a-f]+)$").matcher(status);
        boolean isIgnored = ignored.find() && (Long.parseUnsignedLong(ignored.group(1), 16) & 2) != 0;
        assumeFalse(isIgnored, "SIGINT is ignored here");
        String script = "trap '' INT; echo $ANTHROPIC_BASE_URL; read line; echo \"read $line\"; exit 4";
        try (var run = new Run(Map.of(), List.of(), "sh", "-c", script)) {
            int port = run.port();
            run.signal("INT");
            assertFalse(run.process.waitFor(300, TimeUnit.MILLISECONDS), "the signal has ended it");
            assertEquals(200, Wire.ask(port, "GET", "/health", new byte[0]).status());
            run.process.outputWriter().append("this\n").flush();
            Outcome outcome = run.outcome();
            assertEquals("4 [read this]", outcome.status + " " + outcome.out);
        }
    }
}
