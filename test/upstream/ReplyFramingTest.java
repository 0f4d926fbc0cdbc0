package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import serve.Proxy;
import testing.Backend;
import testing.PatientClock;
import testing.Proxies;
import testing.Tasks;
import testing.Wire;

/** Good replies that come in another frame than their headers say, or with another status: none of them is lost. */
class ReplyFramingTest {
    private static final String PLAIN =
            "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String STREAM = PLAIN.replaceFirst("\\{", "{\"stream\":true,");
    private static final List<String> CHUNKS =
            List.of(Backend.ROLE, Backend.chunk("Hello"), Backend.chunk(" there"), Backend.FINISH, Backend.USAGE);
    private static final List<String> TYPES = List.of("text/event-stream", "application/json", "text/plain",
            "text/html; charset=utf-8", "application/x-ndjson", "application/octet-stream", "");

    private static Backend backend;
    private static Proxy proxy;

    @BeforeAll
    static void start() throws IOException {
        backend = new Backend();
        proxy = Proxies.before(PatientClock.withoutPauses(), backend);
    }

    @AfterAll
    static void stop() throws IOException {
        proxy.close();
        backend.close();
    }

    /** Bodies that say "Hello there". */
    private static Map<String, String> bodies() {
        String whole = Backend.completion("Hello there").strip();
        String pretty = "{\n  \"id\": \"c1\",\n  \"choices\": [\n    {\n      \"index\": 0,\n      \"message\": {\r\n"
                + "        \"role\": \"assistant\",\n        \"content\": \"Hello there\"\n      },\n"
                + "      \"finish_reason\": \"stop\"\n    }\n  ],\n\n  \"usage\": {\"prompt_tokens\": 7}\n}\n";
        String events = String.join("", CHUNKS.stream().map("data: %s\n\n"::formatted).toList());
        Map<String, String> bodies = new LinkedHashMap<>();
        bodies.put("events", events + "data: [DONE]\n\n");
        bodies.put("events after comments", ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" + events);
        bodies.put("events after a mark and blank lines", "\uFEFF\n\n" + events);
        bodies.put("events after a line that is none", "connected\n\n" + events);
        bodies.put("a whole reply", whole);
        bodies.put("a whole reply, indented", pretty);
        bodies.put("a whole reply after blank lines", "\n\n\r\n   " + pretty);
        bodies.put("a whole reply after comments", ": OPENROUTER PROCESSING\n\n" + pretty);
        bodies.put("a whole reply after a mark", "\uFEFF" + whole);
        bodies.put("a whole reply as an event", "data: " + whole.replace("\n", "\ndata: ") + "\n\ndata: [DONE]\n\n");
        bodies.put("a line for each chunk", String.join("\n", CHUNKS) + "\n");
        bodies.put("a line for each chunk, and the end", String.join("\r\n", CHUNKS) + "\r\n[DONE]\r\n");
        bodies.put("chunks without lines", String.join("", CHUNKS));
        bodies.put("an array of chunks", "[" + String.join(",\n", CHUNKS) + "]\n");
        return bodies;
    }

    private static byte[] gzip(String text) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return out.toByteArray();
    }

    private static Backend.Script sending(int status, String type, byte[] body, String... headers) {
        List<String> head = new ArrayList<>(List.of("HTTP/1.1 %d As told".formatted(status)));
        if (!type.isEmpty()) head.add("content-type: " + type);
        head.addAll(List.of(headers));
        head.add("content-length: " + body.length);
        return call -> {
            call.raw(String.join("\r\n", head) + "\r\n\r\n");
            call.raw(body, 0, body.length).keep();
        };
    }

    /** Asks for a whole reply and for a stream. */
    private static void assertSaysHello(Backend.Script script, String what) throws IOException {
        for (String request : List.of(PLAIN, STREAM)) {
            backend.answers(script);
            Wire.Reply reply = Wire.post(proxy.port(), request);
            assertEquals(200, reply.status(), () -> what + ": " + reply.body());
            assertEquals("Hello there", reply.said(), what);
            if (request.equals(STREAM)) assertEquals("message_stop", reply.last().name(), what);
        }
    }

    @TestFactory
    Stream<DynamicTest> whateverTheTypeIs() {
        return bodies().entrySet().stream().map(body -> DynamicTest.dynamicTest(body.getKey(), () -> {
            byte[] bytes = body.getValue().getBytes(StandardCharsets.UTF_8);
            for (String type : TYPES) assertSaysHello(sending(200, type, bytes), type);
            for (int status : new int[] {201, 202, 203, 206, 226}) {
                assertSaysHello(sending(status, "application/json", bytes), "status " + status);
            }
            byte[] compressed = gzip(body.getValue());
            assertSaysHello(sending(200, "application/json", compressed), "gzip that is not said");
            assertSaysHello(sending(200, "text/event-stream", compressed, "content-encoding: gzip"), "gzip");
            assertSaysHello(sending(200, "text/event-stream", bytes, "content-encoding: gzip"), "not gzip");
        }));
    }

    /** The first word is with the client before the backend says the second. */
    private static void assertComesAtOnce(String type, Backend.Script first, Backend.Script second) throws Exception {
        var seen = new CountDownLatch(1);
        backend.answers(call -> {
            call.raw("HTTP/1.1 200 OK\r\nconnection: close\r\n%s\r\n\r\n".formatted(type));
            first.answer(call);
            Tasks.await(seen);
            second.answer(call);
        });
        try (var wire = new Wire(proxy.port())) {
            wire.message(STREAM).until("Hello");
            seen.countDown();
            assertEquals("Hello there", wire.reply().said());
        }
    }

    @Test
    void aStreamStaysOneInWhateverFrame() throws Exception {
        String event = "data: %s\n\n";
        for (String type : List.of("application/json", "text/plain")) {
            assertComesAtOnce("content-type: " + type, call -> call.raw(event.formatted(CHUNKS.get(1))),
                    call -> call.raw(event.formatted(CHUNKS.get(2)) + event.formatted(Backend.FINISH)));
            assertComesAtOnce("content-type: " + type, call -> call.raw(CHUNKS.get(1) + "\n"),
                    call -> call.raw(CHUNKS.get(2) + "\n" + Backend.FINISH));
            assertComesAtOnce("content-type: " + type, call -> call.raw("[" + CHUNKS.get(1)),
                    call -> call.raw("," + CHUNKS.get(2) + "," + Backend.FINISH + "]"));
        }
    }

    @Test
    void aCompressedStreamStaysOne() throws Exception {
        for (String header : List.of("content-encoding: gzip", "x-a: b")) {
            var out = new ByteArrayOutputStream();
            var gzip = new GZIPOutputStream(out, 512, true);
            assertComesAtOnce(header, call -> send(call, out, gzip, CHUNKS.get(0), CHUNKS.get(1)),
                    call -> send(call, out, gzip, CHUNKS.get(2), Backend.FINISH));
        }
    }

    private static void send(Backend.Call call, ByteArrayOutputStream out, GZIPOutputStream gzip, String... chunks)
            throws IOException {
        for (String chunk : chunks) gzip.write("data: %s\n\n".formatted(chunk).getBytes(StandardCharsets.UTF_8));
        gzip.flush();
        call.raw(out.toByteArray(), 0, out.size());
        out.reset();
    }

    /** @param expected the status and the message, without the backend's name */
    private static void assertError(String expected, Backend.Script script) throws IOException {
        for (String request : List.of(PLAIN, STREAM)) {
            backend.answers(script);
            Wire.Reply reply = Wire.post(proxy.port(), request);
            String message = reply.text("error.message").replace("127.0.0.1:%d: ".formatted(backend.url().getPort()), "");
            assertEquals(expected, reply.status() + " " + message);
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void errorsAreReadTheSameWay() throws Exception {
        String error = "{\n \"error\": {\n  \"message\": \"why\"\n }\n}";
        for (String type : TYPES) {
            for (int status : new int[] {400, 429, 500}) {
                String expected = status + " why";
                assertError(expected, sending(status, type, utf8(error)));
                assertError(expected, sending(status, type, gzip(error), "content-encoding: gzip"));
                assertError(expected, sending(status, type, gzip(error)));
                assertError(expected, sending(status, type, utf8("\uFEFF\n" + error)));
                assertError(expected, sending(status, type, utf8("event: error\ndata: {\"error\":\"why\"}\n\n")));
                assertError(expected, sending(status, type, utf8("why\n")));
            }
            assertError("429 why", sending(200, type, utf8("{\"error\":{\"code\":429,\"message\":\"why\"}}")));
            assertError("429 why", sending(201, type, gzip("{\n\"error\":{\"code\":429,\n\"message\":\"why\"}}")));
            assertError("502 why", sending(200, type, utf8("why\n")));
            String page = "502 a web page came, not a reply; is --upstream right? its path often ends in /v1. The page: Why";
            assertError(page, sending(200, type, utf8("\n<html><h1>Why</h1></html>")));
            assertError(page, sending(201, type, gzip("<html><h1>Why</h1></html>")));
            assertError("500 status 500", sending(500, type, new byte[0]));
            assertError("429 status 429", sending(429, type, new byte[] {0x1b, 1, 2, 3}, "content-encoding: br"));
        }
    }

    @Test
    void whatIsNoReplyIsAnError() throws Exception {
        assertError("502 the reply is empty", sending(200, "application/json", new byte[0]));
        assertError("502 the reply is empty", sending(201, "text/event-stream", utf8(": hi\n\n")));
        assertError("502 the reply is empty", call -> call.raw("HTTP/1.1 204 None\r\n\r\n").keep());
        assertError("502 the backend returned no choices", sending(200, "text/plain", utf8("{}")));
        assertError("502 the reply holds no object", sending(200, "application/json", utf8("[]")));
        assertError("502 the reply is neither text nor gzip, but br",
                sending(200, "application/json", new byte[] {0x1b, 1, 2, 3}, "content-encoding: br"));
        backend.answers(sending(200, "text/plain", utf8("{\"choices\":[")));
        String message = Wire.post(proxy.port(), STREAM).text("error.message");
        assertTrue(message.contains("the reply is not valid JSON at byte 12: "), message);
    }

    /** Compressed with gzip: truncated in its head, before the first byte of text, in the middle; not gzip after its head. */
    @Test
    void aDamagedCompressedReplyIsNamedAsThat() throws Exception {
        String damaged = "502 the compressed reply is truncated or damaged";
        for (String body : List.of(Backend.completion("Hello there"), "data: " + CHUNKS.get(1) + "\n\n")) {
            byte[] whole = gzip(body);
            byte[] spoilt = whole.clone();
            Arrays.fill(spoilt, 10, spoilt.length, (byte) 0xFF);
            byte[] spoiltHead = whole.clone();
            Arrays.fill(spoiltHead, 2, spoilt.length, (byte) 0xFF);
            List<byte[]> bodies = List.of(Arrays.copyOf(whole, 4), Arrays.copyOf(whole, 12),
                    Arrays.copyOf(whole, whole.length / 2), spoilt, spoiltHead);
            for (byte[] sent : bodies) assertError(damaged, sending(200, "", sent, "content-encoding: gzip"));
            assertError("429 status 429", sending(429, "", spoilt, "content-encoding: gzip"));
        }
    }

    /** Some servers never write the end of what they compress. */
    @Test
    void aReplyThatIsWholeNeedsNoEndOfItsCompression() throws Exception {
        var out = new ByteArrayOutputStream();
        var unended = new GZIPOutputStream(out, 512, true);
        unended.write(utf8(Backend.completion("Hello there")));
        unended.flush();
        assertSaysHello(sending(200, "application/json", out.toByteArray(), "content-encoding: gzip"), "no end");
    }

    @Test
    void aListOfModelsIsReadTheSameWay() throws Exception {
        String list = "\n{\n \"data\": [{\"id\": \"claude-x\"}]\n}";
        for (byte[] body : List.of(utf8(list), gzip(list))) {
            var other = new Backend().answers(sending(200, "text/plain", body));
            try (other; Proxy before = Proxies.before(other)) {
                Wire.Reply models = Wire.ask(before.port(), "GET", "/v1/models", new byte[0]);
                assertEquals("claude-x", models.text("data.0.id"));
            }
        }
    }

    /** Half of a reply is none, in whatever frame: chunks without an end, or JSON that breaks off. */
    @Test
    void halfAReplyIsAnError() throws Exception {
        String half = String.join("\n", CHUNKS.subList(0, 2));
        for (String type : TYPES.subList(0, 2)) {
            for (String body : List.of(half, CHUNKS.get(1), "[" + half + "]", "data: " + CHUNKS.get(1) + "\n\n")) {
                backend.answers(sending(200, type, utf8(body)));
                Wire.Reply plain = Wire.post(proxy.port(), PLAIN);
                assertEquals("502 127.0.0.1:%d: the stream ended early".formatted(backend.url().getPort()),
                        plain.status() + " " + plain.text("error.message"), body);
            }
        }
    }
}
