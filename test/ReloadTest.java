import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import config.CommandLine;
import config.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import serve.Proxy;
import testing.Backend;
import testing.Logged;
import testing.PatientClock;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** A file of options that changes while A2o runs. The test looks at it itself, so that no time passes. */
@ResourceLock("log")
class ReloadTest {
    private static final String PLAIN = """
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""";

    @TempDir
    private Path folder;
    private Backend one;
    private Backend two;
    private Logged log;
    private Proxy proxy;
    private Reload reload;

    @BeforeEach
    void start() throws IOException {
        one = new Backend().answers(Backend.saying("from one"));
        two = new Backend().answers(Backend.saying("from two"));
        log = new Logged();
    }

    @AfterEach
    void stop() throws IOException {
        proxy.close();
        log.close();
        one.close();
        two.close();
    }

    private Path file() { return folder.resolve("options"); }

    private void write(String... lines) throws IOException { Files.write(file(), List.of(lines)); }

    private void serve(String... lines) throws IOException {
        write(lines);
        CommandLine given = CommandLine.read(new String[] {"@" + file(), "--port", "0"}, Map.of());
        proxy = new Proxy(Options.of(given), new PatientClock());
        proxy.start();
        reload = new Reload(given, proxy);
    }

    /** Writes the file, and looks at it as often as it takes. */
    private void change(String... lines) throws IOException {
        write(lines);
        reload.look();
        reload.look();
    }

    private String upstream(Backend backend) { return "--upstream " + backend.url(); }

    private Wire.Reply post(String... headers) throws IOException {
        return Wire.post(proxy.port(), PLAIN, headers);
    }

    @Test
    void anotherBackendIsAskedFromThenOn() throws Exception {
        serve(upstream(one));
        assertEquals("from one", post().said());
        change(upstream(two), "--map m=other");
        assertEquals("from two", post().said());
        assertTrue(two.take().text().contains("\"model\":\"other\""));
        assertEquals(List.of(file() + ": changed, and taken over"), log.lines(file() + ": changed"));
        reload.look();
        assertEquals(1, log.lines(file() + ": changed").size(), "once");
    }

    @Test
    void aStreamIsNotCut() throws Exception {
        var isOpen = new CountDownLatch(1);
        var isChanged = new CountDownLatch(1);
        one.answers(call -> {
            call.events().data(Backend.ROLE, Backend.chunk("first"));
            isOpen.countDown();
            Tasks.await(isChanged);
            call.data(Backend.chunk(" last"), Backend.FINISH, Backend.USAGE, "[DONE]").end();
        });
        serve(upstream(one));
        var stream = Tasks.ask(() -> Wire.post(proxy.port(), PLAIN.replaceFirst("\\{", "{\"stream\":true,")));
        Tasks.await(isOpen);
        change(upstream(two));
        assertEquals("from two", post().said());
        isChanged.countDown();
        assertEquals("first last", Tasks.outcome(stream).said());
        assertTrue(Tasks.outcome(stream).names().endsWith("message_stop"));
    }

    @Test
    void aKeyThatIsTakenOutIsRefusedFromThenOn() throws Exception {
        serve(upstream(one), "--auth-key anna=correct-horse", "--auth-key bert=battery-staple");
        assertEquals(200, post("x-api-key: correct-horse").status());
        change(upstream(one), "--auth-key bert=battery-staple", "--auth-key carl=third-key-4");
        assertEquals(401, post("x-api-key: correct-horse").status());
        assertEquals(200, post("x-api-key: battery-staple").status());
        assertEquals(200, post("x-api-key: third-key-4").status());
        assertEquals("a (key) b (key)", proxy.secrets().mask("a third-key-4 b correct-horse"), "new and old");
    }

    @Test
    void aMistakeLeavesThingsAsTheyAreAndIsSaid() throws Exception {
        serve(upstream(one));
        change(upstream(two), "--prot 5");
        assertEquals("from one", post().said());
        change(upstream(two), "--map nonsense");
        change("# nothing");
        Files.delete(file());
        reload.look();
        reload.look();
        assertEquals("from one", post().said());
        String changed = file() + ": changed, but not taken over: ";
        assertEquals(List.of(
                changed + "@" + file() + ", line 2: unknown option --prot; did you mean --port?",
                changed + "@" + file() + ", line 2: --map: PATTERN=MODEL expected, not 'nonsense'",
                changed + "--upstream is required, as http://localhost:11434/v1 for Ollama",
                changed + "the file of options " + file() + " cannot be read, or is not UTF-8"), log.lines(file() + ": changed"));
        change(upstream(two));
        assertEquals("from two", post().said());
    }

    @Test
    void whatCannotChangeIsSaid() throws Exception {
        serve(upstream(one), "--host 127.0.0.1");
        change(upstream(two), "--host 0.0.0.0", "--workers 3");
        assertEquals("from two", post().said());
        assertEquals(List.of(file() + ": --host cannot change while a2o runs; start it anew",
                file() + ": --workers cannot change while a2o runs; start it anew"), log.lines(file() + ": --"));
    }

    @Test
    void aFileThatIsBeingWrittenIsWaitedFor() throws Exception {
        serve(upstream(one));
        write(upstream(two));
        reload.look();
        assertEquals("from one", post().said());
        write(upstream(two), "--model m2");
        reload.look();
        assertEquals("from one", post().said());
        reload.look();
        assertEquals("from two", post().said());
        assertTrue(two.take().text().contains("\"model\":\"m2\""));
    }

    /** What was learned about it, and how it does. */
    @Test
    void aBackendThatStaysKeepsItsState() throws Exception {
        one.answers(Backend.refusing(400, "why"));
        serve(upstream(one));
        assertEquals(400, post().status());
        change(upstream(one), upstream(two), "--auth-key anna=correct-horse");
        Wire.Reply status = Wire.ask(proxy.port(), "GET", "/status.json", new byte[0], "x-api-key: correct-horse");
        assertEquals(new Tree.Num("1"), Tree.at(status.json(), "upstreams.0.errors"), status.body());
        assertEquals(new Tree.Num("0"), Tree.at(status.json(), "upstreams.1.errors"));
    }
}
