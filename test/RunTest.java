import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import testing.Tasks;
import testing.Wire;

/** The program as it is started: three ways to run it, the banner, wrong usage. Needs what build.sh makes of src/. */
@Execution(ExecutionMode.CONCURRENT)
@Order(1)
class RunTest {
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final Pattern BANNER = Pattern.compile("a2o \\S+ listens on http://127\\.0\\.0\\.1:(\\d+)\\b.*");
    private static final List<Process> STARTED = new ArrayList<>();
    private static final List<FutureTask<Integer>> PORTS = new ArrayList<>();
    private static final List<List<String>> WAYS =
            List.of(List.of("-jar", "build/a2o.jar"), List.of("build/A2o.java"), List.of("src/A2o.java"));
    private static final List<String> QUICK = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

    /** What is random in a reply: ids, the nonce of a page, and estimates, which depend on what was asked before. */
    private static final Pattern RANDOM = Pattern.compile("[0-9a-f]{24}|(?<=\"input_tokens\":)\\d+");
    private static final Pattern PING = Pattern.compile("event: ping\ndata: .*\n\n"); // where the machine is slow
    /** Of a reply, translated in both directions; of the proxy itself; and of each kind of refusal. */
    private static final List<Asked> REQUESTS = List.of(
            message("'stream':true,'messages':[{'role':'user','content':'Say hi.'}]"),
            message("'messages':[{'role':'user','content':[{'type':'text','text':'Sag „grün“.'}]}]"),
            message("'stream':true,'thinking':{'type':'enabled','budget_tokens':2048},"
                    + "'messages':[{'role':'user','content':'Think.'}]"),
            message("'stream':true,'messages':[{'role':'user','content':'Use get_weather.'}],"
                    + "'tools':[{'name':'get_weather','input_schema':{'type':'object','required':['city'],"
                    + "'properties':{'city':{'type':'string'}}}}]"),
            message("'messages':[{'role':'user','content':'Weather?'},{'role':'assistant','content':["
                    + "{'type':'tool_use','id':'t1','name':'get_weather','input':{}}]},{'role':'user','content':["
                    + "{'type':'tool_result','tool_use_id':'t1','content':'sunny'}]}]"),
            message("'messages':[{'role':'user','content':'Sunny?'}],'output_config':{'format':{'type':"
                    + "'json_schema','schema':{'type':'object','required':['a'],'properties':{'a':{'enum':[1]}}}}}"),
            message("'messages':[{'role':'user','content':[{'type':'text'}]}]"),
            message("'messages':["),
            new Asked("POST", "/v1/messages/count_tokens",
                    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say hi.\"}]}"),
            new Asked("GET", "/v1/models", ""), new Asked("GET", "/v1/models/none", ""),
            new Asked("GET", "/", ""), new Asked("GET", "/", "", "accept: text/html"),
            new Asked("HEAD", "/health", ""), new Asked("GET", "/ready", ""), new Asked("GET", "/none", ""),
            new Asked("GET", "/v1/messages", ""), new Asked("GET", "/", "", "origin: https://page.test"));

    private record Asked(String method, String path, String body, String... headers) { }

    private record Outcome(int status, String out, String err) { }

    /** {@return a request for a message; quotation marks are written as ' here} */
    private static Asked message(String members) {
        String body = "{'model':'any','max_tokens':3000," + members + "}";
        return new Asked("POST", "/v1/messages", body.replace('\'', '"'));
    }

    /** {@return whether this java can start programs from their source: a bare runtime cannot} */
    private static boolean canCompile() { return ModuleLayer.boot().findModule("jdk.compiler").isPresent(); }

    /** All three start at once: compiling takes its time. */
    @BeforeAll
    static void start() throws IOException {
        for (List<String> way : WAYS) {
            if (way.contains("src/A2o.java") && Runtime.version().feature() < 22) continue;
            if (!way.contains("-jar") && !canCompile()) continue;
            Process process = process(way, "--upstream", "demo", "--port", "0")
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            STARTED.add(process);
            var port = new FutureTask<Integer>(() -> port(process));
            Thread.ofPlatform().daemon().start(port);
            PORTS.add(port);
        }
    }

    @AfterAll
    static void stop() throws InterruptedException {
        for (Process process : STARTED) process.destroy();
        for (Process process : STARTED) {
            process.waitFor(5, TimeUnit.SECONDS);
            process.destroyForcibly();
        }
    }

    private static ProcessBuilder process(List<String> way, String... args) {
        List<String> command = new ArrayList<>(List.of(JAVA));
        command.addAll(QUICK); // a compiler that is used once is not worth compiling well
        command.addAll(way);
        command.addAll(List.of(args));
        var process = new ProcessBuilder(command);
        process.environment().keySet().removeIf(name -> name.matches("A2O_.*|OPENAI_API_KEY|J.*_OPTIONS|CLASSPATH"));
        return process;
    }

    private static int port(Process process) throws IOException {
        BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            Matcher banner = BANNER.matcher(line);
            if (banner.matches()) return Integer.parseInt(banner.group(1));
        }
        return fail("the process has ended without its banner, with status " + process.onExit().join().exitValue());
    }

    /** Runs the jar to its end. */
    private static Outcome run(String... args) throws Exception {
        Process process = process(WAYS.getFirst(), args).start();
        process.getOutputStream().close();
        try {
            if (!process.waitFor(Tasks.WAIT_SECONDS, TimeUnit.SECONDS)) fail("still running: " + String.join(" ", args));
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Outcome(process.exitValue(), out, err);
        } finally {
            process.destroyForcibly();
        }
    }

    private static void assertServes(int way) throws Exception {
        int port = PORTS.get(way).get();
        Wire.Reply hi = Wire.post(port, """
                {"model":"any","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Say hi."}]}""");
        assertEquals(200, hi.status(), hi.body());
        assertEquals("message_stop", hi.last().name());
        assertTrue(hi.said().contains("Say hi."), hi.said());
        Wire.Reply tool = Wire.post(port, """
                {"model":"any","max_tokens":100,"stream":true,
                "messages":[{"role":"user","content":"Use get_weather."}],
                "tools":[{"name":"get_weather","input_schema":{"type":"object"}}]}""");
        assertEquals("message_stop", tool.last().name());
        assertTrue(tool.events().stream().anyMatch(event -> event.text("content_block.type").equals("tool_use")
                && event.text("content_block.name").equals("get_weather")), tool.body());
        assertTrue(tool.body().contains("\"stop_reason\":\"tool_use\""), tool.body());
    }

    @Test
    void theJarServes() throws Exception {
        assertServes(0);
    }

    @Test
    void theOneFileEditionServes() throws Exception {
        assumeTrue(canCompile(), "this java has no compiler");
        assertServes(1);
    }

    @Test
    void theSourcesServe() throws Exception {
        assumeTrue(PORTS.size() == 3, "java FILE takes several files from JDK 22 on, and needs a compiler");
        assertServes(2);
    }

    /** {@return all that is answered, but for what is random and for the date} */
    private static List<String> answers(int way) throws Exception {
        int port = Tasks.outcome(PORTS.get(way));
        List<String> answers = new ArrayList<>();
        for (Asked asked : REQUESTS) {
            byte[] body = asked.body.getBytes(StandardCharsets.UTF_8);
            Wire.Reply reply = Wire.ask(port, asked.method, asked.path, body, asked.headers);
            Map<String, String> headers = new TreeMap<>(reply.headers());
            headers.remove("date");
            String all = "%s %s: %d %s %s".formatted(asked.method, asked.path, reply.status(), headers,
                    PING.matcher(reply.body()).replaceAll(""));
            answers.add(RANDOM.matcher(all).replaceAll("random"));
        }
        return answers;
    }

    @Test
    void allWaysServeTheSameBytes() throws Exception {
        assumeTrue(PORTS.size() > 1, "this java has no compiler");
        List<String> expected = answers(0);
        for (int way = 1; way < PORTS.size(); way++) {
            List<String> actual = answers(way);
            for (int i = 0; i < expected.size(); i++) assertEquals(expected.get(i), actual.get(i));
        }
    }

    @Test
    void versionAndHelpAreAnswered() throws Exception {
        Outcome version = run("--version");
        assertEquals("0 ", version.status + " " + version.err);
        assertTrue(version.out.matches("a2o \\d+\\.\\d+\\.\\d+\\R"), version.out);
        for (String flag : List.of("--help", "-h")) {
            Outcome help = run(flag);
            assertEquals("0 ", help.status + " " + help.err);
            assertTrue(help.out.contains("--upstream [NAME=]URL") && help.out.contains("--timeout SECONDS"), help.out);
        }
    }

    /** Wrong usage is said in one line, then the help of the option it is about, in one or two. */
    private static void assertUsage(String about, String helpOf, String... args) throws Exception {
        Outcome outcome = run(args);
        assertEquals("2 ", outcome.status + " " + outcome.out);
        List<String> lines = outcome.err.lines().toList();
        assertTrue(lines.size() == 2 || lines.size() == 3 && lines.getLast().startsWith(" ".repeat(20)), outcome.err);
        assertTrue(lines.getFirst().startsWith("a2o: ") && lines.getFirst().contains(about), outcome.err);
        assertTrue(lines.get(1).strip().startsWith(helpOf), outcome.err);
    }

    @Test
    void wrongUsageIsExit2WithTheHelpOfThatOption() throws Exception {
        assertUsage("--upstream", "--upstream [NAME=]URL");
        assertUsage("--no-such-option", "try --help", "--upstream", "demo", "--no-such-option");
        assertUsage("--port", "--port N", "--upstream", "demo", "--port", "x1");
        assertUsage("--timeout", "--timeout SECONDS", "--upstream", "demo", "--timeout=0");
        assertUsage("--port", "--port N", "--upstream", "demo", "--port");
    }

    /** {@return the lines that the jar greets with, its address as URL} */
    private static List<String> greeting(String... args) throws Exception {
        Process process = process(WAYS.getFirst(), args).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
            List<String> lines = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                lines.add(out.readLine().replaceAll("http://127\\.0\\.0\\.1:\\d+", "URL")
                        .replaceAll("\\b" + process.pid() + "\\b", "PID"));
            }
            return lines;
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void theGreetingTellsHowToConnect() throws Exception {
        List<String> lines = greeting("--port", "0", "http://h.test/v1", "--model", "it's", "--context", "64k");
        assertEquals("Claude Code:  ANTHROPIC_BASE_URL=URL ANTHROPIC_AUTH_TOKEN='<key of the backend, or any word>' "
                + "ANTHROPIC_MODEL='it'\\''s' CLAUDE_CODE_MAX_CONTEXT_TOKENS=64000 CLAUDE_CODE_AUTO_MODE_SERVER=0 claude",
                lines.get(1));
        assertTrue(lines.get(2).contains("-H 'x-api-key: <key of the backend, or any word>'"), lines.get(2));
        assertEquals("to stop it:   Ctrl-C, or kill PID", lines.get(3));
    }

    @Test
    void anUnknownVariableIsSaidAtTheStart() throws Exception {
        ProcessBuilder builder = process(WAYS.getFirst(), "--port", "0", "--upstream", "demo");
        builder.environment().put("A2O_MODLE", "secret");
        Process process = builder.start();
        try {
            assertEquals("a2o: unknown variable A2O_MODLE; did you mean A2O_MODEL?",
                    process.errorReader(StandardCharsets.UTF_8).readLine());
            assertTrue(BANNER.matcher(process.inputReader(StandardCharsets.UTF_8).readLine()).matches(), "it starts");
        } finally {
            process.destroyForcibly();
        }
    }

    private static String cannotStart(String... args) throws Exception {
        Outcome outcome = run(args);
        assertEquals("1 ", outcome.status + " " + outcome.out);
        assertEquals(1, outcome.err.lines().count(), outcome.err);
        assertTrue(outcome.err.startsWith("a2o: "), outcome.err);
        return outcome.err;
    }

    @Test
    void aBackendThatCannotBeIsExit1InOneLine() throws Exception {
        for (String url : List.of("http://bad host/v1", "ftp://example.test/v1", "localhost:11434")) {
            assertTrue(cannotStart("--port", "0", "--upstream", url).contains("--upstream"), url);
        }
    }

    @Test
    void aPortInUseIsExit1InOneLineThatNamesIt() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = String.valueOf(taken.getLocalPort());
            assertTrue(cannotStart("--upstream", "demo", "--port", port).contains(port));
        }
    }
}
