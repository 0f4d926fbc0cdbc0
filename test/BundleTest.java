import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import testing.Tasks;
import testing.Wire;

/**
 * The bundle, A2o with a Java of its own. Needs build/bundle/a2o; {@code ./build.sh packages} tries it with its cache, its
 * archive and as a Debian package.
 */
@Execution(ExecutionMode.CONCURRENT)
class BundleTest {
    private static final Path BUNDLE = Path.of("build/bundle/a2o").toAbsolutePath();
    private static final Pattern BANNER = Pattern.compile("a2o \\S+ listens on http://127\\.0\\.0\\.1:(\\d+)\\b.*");

    /** {@return the bundle's program with these arguments, in an empty environment} */
    private static Process start(String... arguments) throws Exception {
        assumeTrue(Files.exists(BUNDLE), "this JDK cannot make a bundle");
        var builder = new ProcessBuilder(BUNDLE.resolve("a2o").toString());
        builder.command().addAll(List.of(arguments));
        builder.environment().clear();
        return builder.directory(Path.of("/").toFile()).start();
    }

    @Test
    void itHasTheModulesThatTheJarNeeds() throws Exception {
        Optional<ToolProvider> jdeps = ToolProvider.findFirst("jdeps");
        assumeTrue(jdeps.isPresent(), "this java has no jdeps");
        var out = new StringWriter();
        var lines = new PrintWriter(out);
        assertEquals(0, jdeps.get().run(lines, lines, "--print-module-deps", "build/a2o.jar"), out.toString());
        String build = Files.readString(Path.of("build.sh"));
        assertTrue(build.contains("\nMODULES=" + out.toString().strip() + " "), out.toString());
    }

    @Test
    void itServesAndStopsWithoutAnotherJava() throws Exception {
        Process process = start("--upstream", "demo", "--port", "0");
        try {
            String line = process.inputReader(StandardCharsets.UTF_8).readLine();
            Matcher banner = BANNER.matcher(String.valueOf(line));
            assertTrue(banner.matches(), line);
            Wire.Reply hi = Wire.post(Integer.parseInt(banner.group(1)), """
                    {"model":"any","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Say hi."}]}""");
            assertEquals("message_stop", hi.last().name());
            process.destroy();
            assertTrue(process.waitFor(Tasks.WAIT_SECONDS, TimeUnit.SECONDS), "still running");
            assertEquals(0, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
    }
}
