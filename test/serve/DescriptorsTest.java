package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import testing.Wire;

/** The jar with few file descriptors, and more clients than there are. Needs what build.sh makes of src/. */
class DescriptorsTest {
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final Pattern BANNER = Pattern.compile("a2o \\S+ listens on http://127\\.0\\.0\\.1:(\\d+)\\b.*");
    private static final int DESCRIPTORS = 100;

    private static String line(BufferedReader lines, Pattern pattern) throws IOException {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Matcher matcher = pattern.matcher(line);
            if (matcher.matches()) return matcher.group(1);
        }
        throw new AssertionError("no line like " + pattern);
    }

    /** {@return the text of the line in the log that says why no more clients are served} */
    private static String crowded(boolean othersAreServed, String... options) throws IOException {
        assumeTrue(Files.exists(Path.of("/proc/self/limits")), "the limit cannot be read here");
        String command = "ulimit -n %d && exec %s %s -XX:+UseSerialGC -jar build/a2o.jar --port 0 --upstream demo 2>&1"
                .formatted(DESCRIPTORS, JAVA, String.join(" ", options));
        Process process = new ProcessBuilder("sh", "-c", command).start();
        List<Socket> crowd = new ArrayList<>();
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            int port = Integer.parseInt(line(lines, BANNER));
            try (var kept = new Wire(port)) {
                assertEquals(200, kept.head("GET", "/health", "content-length: 0").reply().status());
                for (int i = 0; i < DESCRIPTORS; i++) crowd.add(new Socket("127.0.0.1", port));
                String why = line(lines, Pattern.compile(".*((?:all \\d+ connections|file descriptors) are .*)"));
                assertTrue(process.isAlive());
                if (othersAreServed) kept.head("GET", "/health", "content-length: 0").reply();
                return why;
            }
        } finally {
            for (Socket one : crowd) one.close();
            process.destroyForcibly();
        }
    }

    @Test
    void thereAreNoMoreConnectionsThanDescriptorsAndTheLogSaysSo() throws Exception {
        assertTrue(crowded(true).startsWith("all 26 connections are in use"), "half of those that are not A2o's own");
    }

    /** Then the JDK's server has eyes for those alone that it cannot accept. */
    @Test
    void descriptorsThatAreUsedUpAreInTheLog() throws Exception {
        String why = crowded(false, "-Djdk.httpserver.maxConnections=1000");
        assertTrue(why.startsWith("file descriptors are used up"), why);
    }
}
