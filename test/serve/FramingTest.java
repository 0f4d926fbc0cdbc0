package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Wire;

/**
 * Where one request ends and the next begins: whatever may be read in two ways gets one answer at most, and then the
 * connection is closed, so that no balancer before the proxy takes one client's answer for another's.
 */
class FramingTest {
    private static final String BODY = """
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""";
    private static final String SMUGGLED = "XGET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";

    private static String head(String line, String... headers) {
        return line + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + String.join("", headers) + "\r\n";
    }

    private static String chunk(String data) {
        return "%x\r\n%s\r\n".formatted(data.length(), data);
    }

    private static String answers(Proxy proxy, String sent) throws IOException {
        return Wire.all(proxy.port(), sent.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Fails unless there is one answer, with such a status, and the connection is closed after it. */
    private static void assertOneAnswer(Proxy proxy, String sent, String status) throws IOException {
        String answers = answers(proxy, sent);
        String what = sent.replaceAll("[^ -~\n]", "?") + "\n->\n" + answers;
        assertEquals(2, answers.split("HTTP/1\\.1 \\d", -1).length, what);
        assertTrue(answers.matches("(?s)HTTP/1\\.1 (" + status + ") .*"), what);
        assertTrue(answers.matches("(?is).*\r\nconnection: close\r\n.*"), what);
    }

    @Test
    void aTrailerIsNotTakenForARequest() throws Exception {
        try (var backend = new Backend(); var open = Proxies.before(backend, "--allow-origin", "https://x.test");
                var locked = Proxies.before(backend, "--auth-key", "k")) {
            String body = chunk(BODY) + "0\r\n" + SMUGGLED;
            for (Proxy proxy : List.of(open, locked)) {
                for (String line : List.of("POST /v1/messages", "POST /v1/messages/count_tokens", "GET /health",
                        "HEAD /health", "GET /v1/models", "GET /", "POST /nope", "DELETE /v1/messages")) {
                    assertOneAnswer(proxy, head(line, CHUNKED) + body, "200|40[0145]");
                }
            }
            assertOneAnswer(open, head("GET /", CHUNKED, "Origin: http://evil.test\r\n") + body, "403");
            assertOneAnswer(open, head("OPTIONS /v1/messages", CHUNKED, "Origin: https://x.test\r\n") + body, "204");
            assertOneAnswer(open, head("POST /v1/messages", CHUNKED, "Content-Encoding: gzip\r\n") + body, "400");
        }
    }

    @Test
    void aChunkedBodyIsServedAndTheConnectionThenClosed() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            for (String chunks : List.of(chunk(BODY), chunk(BODY.substring(0, 5)) + chunk(BODY.substring(5)),
                    "%x;a=b\r\n%s\r\n".formatted(BODY.length(), BODY))) {
                String sent = head("POST /v1/messages", CHUNKED) + chunks + "0\r\n\r\n" + head("GET /health");
                assertOneAnswer(proxy, sent, "200");
            }
        }
    }

    @Test
    void aBrokenChunkEndsTheConnection() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            for (String chunk : List.of("FFFFFFFF\r\n", "80000000\r\n", "FFFFFFFFFFFF\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n",
                    "1 \r\n", "\r\n", "zz\r\n", "1\r\n{XX", "1;" + "a".repeat(5000) + "\r\n", "100000000\r\n")) {
                for (String line : List.of("POST /v1/messages", "GET /health", "HEAD /health")) {
                    String sent = head(line, CHUNKED) + chunk + SMUGGLED.repeat(3);
                    assertOneAnswer(proxy, sent, "200|400");
                }
            }
        }
    }

    @Test
    void whatFollowsACompressedBodyIsNotARequest() throws Exception {
        var packed = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(packed)) {
            out.write(BODY.getBytes(StandardCharsets.UTF_8));
        }
        String gzip = packed.toString(StandardCharsets.ISO_8859_1);
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            for (String rest : List.of(SMUGGLED, SMUGGLED.repeat(500))) {
                String length = "Content-Length: %d\r\n".formatted(gzip.length() + rest.length());
                String sent = head("POST /v1/messages", "Content-Encoding: gzip\r\n", length) + gzip + rest;
                String answers = answers(proxy, sent + head("GET /health", "Connection: close\r\n"));
                assertTrue(answers.matches("(?s)HTTP/1\\.1 200 .*"), answers);
                assertFalse(answers.matches("(?s).*HTTP/1\\.1 [345].*"), answers);
            }
            assertOneAnswer(proxy, head("POST /v1/messages", "Content-Encoding: gzip\r\n", CHUNKED) + chunk(gzip)
                    + "0\r\n" + SMUGGLED, "200|400");
        }
    }

    @Test
    void oddlyFramedRequestsAreRefusedAndTheConnectionClosed() throws Exception {
        String post = "POST /v1/messages HTTP/1.1\r\n";
        String host = "Host: 127.0.0.1\r\n";
        List<String> odd = List.of(
                post + host + "Content-Length: +2\r\n\r\n{}",
                post + host + "Content-Length: -0\r\n\r\n",
                post + host + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
                post + host + "Content-Length: 2, 2\r\n\r\n{}",
                post + host + "Content-Length: 0x2\r\n\r\n{}",
                post + host + "Content-Length: \r\n\r\n{}",
                post + host + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                post + host + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                post + host + "Transfer-Encoding: identity\r\n\r\n{}",
                post + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                post + host + "X-A: b\u0000c\r\nContent-Length: 2\r\n\r\n{}",
                post + host + "X-A: b\u000bc\r\nContent-Length: 2\r\n\r\n{}",
                post + host + "X-A: b\u007f\r\nContent-Length: 2\r\n\r\n{}",
                post + host + "X A: b\r\nContent-Length: 2\r\n\r\n{}",
                post + host + "X-A : b\r\nContent-Length: 2\r\n\r\n{}",
                post + host + "no colon\r\nContent-Length: 2\r\n\r\n{}",
                post + "Content-Length: 2\r\n\r\n{}",
                post + "Host:\r\nContent-Length: 2\r\n\r\n{}",
                post + host + host + "Content-Length: 2\r\n\r\n{}",
                "POST /v1/messages HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                "GET /health HTTP/1.2\r\n" + host + "\r\n",
                "GET /health HTTP/2.0\r\n" + host + "\r\n",
                "GET /health http/1.1\r\n" + host + "\r\n",
                "GET /health FTP/1.1\r\n" + host + "\r\n",
                "GET /health \r\n" + host + "\r\n",
                "G\u0001T /health HTTP/1.1\r\n" + host + "\r\n",
                "G(T /health HTTP/1.1\r\n" + host + "\r\n");
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            for (String request : odd) {
                String answers = answers(proxy, request + head("GET /health").repeat(2));
                String what = request.replaceAll("[^ -~\n]", "?") + "\n->\n" + answers;
                assertEquals(2, answers.split("HTTP/1\\.1 \\d", -1).length, what);
                assertTrue(answers.matches("(?s)HTTP/1\\.1 (400|403|501|505) .*"), what);
                assertFalse(answers.contains("\"ok\""), what);
            }
            assertEquals(0, backend.requests());
        }
    }

    @Test
    void whatIsCleanlyReadKeepsTheConnection() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            String post = head("POST /v1/messages", "Content-Length: %d\r\n".formatted(BODY.length())) + BODY;
            String get = head("GET /health");
            String last = head("GET /health", "Connection: close\r\n");
            String answers = answers(proxy, post + get + post + head("POST /nope", "Content-Length: 3\r\n") + "abc" + last);
            assertEquals(6, answers.split("HTTP/1\\.1 \\d", -1).length, answers);
        }
    }

    @Test
    void anOldClientNeedsNoHost() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            String answer = answers(proxy, "GET /health HTTP/1.0\r\n\r\n");
            assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
        }
    }
}
