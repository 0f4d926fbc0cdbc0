package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Tasks;
import testing.Wire;

/**
 * The jar with little memory, and clients that would have more of it than there is: it goes on, and serves others.
 * Needs what build.sh makes of src/.
 */
@Order(2)
class MemoryTest {
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final Pattern BANNER = Pattern.compile("a2o \\S+ listens on http://127\\.0\\.0\\.1:(\\d+)\\b.*");
    private static final String HEAD = "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    private static final String BODY = """
            {"model":"m","max_tokens":9,"stream":%s,"messages":[{"role":"user","content":"%s"}]}""";
    private static final Backend.Script BY_PROMPT = call -> {
        if (call.text().contains("endless")) {
            String word = Backend.chunk("x".repeat(1000));
            call.events();
            while (true) call.data(word); // until the proxy leaves
        } else if (call.text().contains("blanks")) {
            String blanks = " \n".repeat(32 * 1024);
            call.unbounded("application/json");
            for (int i = 0; i < 2000; i++) call.write(blanks); // twice the heap
            call.write(Backend.completion("after the blanks"));
        } else {
            Backend.saying("served").answer(call);
        }
    };

    private static Backend backend;
    private static Process process;
    private static int port;

    @BeforeAll
    static void start() throws IOException {
        backend = new Backend().answers(BY_PROMPT);
        process = new ProcessBuilder(JAVA, "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar",
                "build/a2o.jar", "--port", "0", "--upstream", backend.url().toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
        for (String line = out.readLine(); line != null && port == 0; line = out.readLine()) {
            Matcher banner = BANNER.matcher(line);
            if (banner.matches()) port = Integer.parseInt(banner.group(1));
        }
        if (port == 0) fail("the process has ended without its banner");
    }

    @AfterAll
    static void stop() throws IOException {
        process.destroyForcibly();
        backend.close();
    }

    /** Sends that on so many connections, which stay open, and asks then whether others are served. */
    private static void assertServedBeside(int crowd, byte[]... sent) throws Exception {
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < crowd; i++) {
                var socket = new Socket("127.0.0.1", port);
                sockets.add(socket);
                Tasks.begin(() -> send(socket, sent)); // which may take until the connection is closed
            }
            String request = BODY.formatted(false, "y".repeat(10_000));
            for (int i = 0; i < 5; i++) {
                assertEquals(200, Wire.ask(port, "GET", "/health", new byte[0]).status());
                Tasks.await(() -> Wire.post(port, request).status() == 200, "no message is answered");
            }
        } finally {
            for (Socket socket : sockets) socket.close();
        }
        assertTrue(process.isAlive());
    }

    private static void send(Socket socket, byte[]... sent) throws IOException {
        try {
            for (byte[] piece : sent) socket.getOutputStream().write(piece);
        } catch (SocketException e) {
            // as it should be: the proxy wants no more of it
        }
    }

    private static byte[] bytes(String ascii) {
        return ascii.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] packed(String text) throws IOException {
        var packed = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(packed)) {
            out.write(bytes(text));
        }
        return packed.toByteArray();
    }

    @Test
    void bodiesThatAreAnnouncedAndDoNotCome() throws Exception {
        assertServedBeside(200, bytes(HEAD + "Content-Length: 2000000\r\n\r\n{\"a\":\""));
    }

    @Test
    void bodiesThatStopInTheMiddle() throws Exception {
        assertServedBeside(100, bytes(HEAD + "Content-Length: 2000000\r\n\r\n{\"a\":\""), bytes("x".repeat(1_900_000)));
    }

    @Test
    void headsThatDoNotEnd() throws Exception {
        assertServedBeside(200, bytes(HEAD + "X: " + "a".repeat(340_000)));
        assertServedBeside(100, bytes(HEAD + "X: " + "a".repeat(60_000)));
    }

    @Test
    void bodiesThatUnpackToMuch() throws Exception {
        for (String many : List.of("[],", "0,", "{\"a\":0},", "\"\",")) {
            byte[] bomb = packed("[" + many.repeat(30_000_000 / many.length()) + "0]");
            String head = HEAD + "Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n".formatted(bomb.length);
            assertServedBeside(10, bytes(head), bomb);
        }
    }

    @Test
    void bodiesOfTheLongestKind() throws Exception {
        String long32 = BODY.formatted(false, "x".repeat(33_000_000));
        assertServedBeside(10, bytes(HEAD + "Content-Length: %d\r\n\r\n".formatted(long32.length())), bytes(long32));
    }

    @Test
    void streamsThatNobodyReads() throws Exception {
        String endless = BODY.formatted(true, "endless");
        assertServedBeside(80, bytes(HEAD + "Content-Length: %d\r\n\r\n%s".formatted(endless.length(), endless)));
    }

    @Test
    void blanksBeforeAReply() throws Exception {
        for (boolean isStream : List.of(false, true)) {
            Wire.Reply reply = Wire.post(port, BODY.formatted(isStream, "blanks"));
            assertEquals(200, reply.status());
            assertTrue(reply.body().contains("after the blanks"), reply.body());
        }
    }
}
