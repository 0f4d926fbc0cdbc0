package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Wire;

/** Web pages: only those of the origins that the user allows may ask, and read the answer (SPEC A.1). */
class CorsTest {
    private static final String HI = """
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""";

    @Test
    void aPageOfAnAllowedOriginMayAskAndReadTheAnswer() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend, "--allow-origin", "https://a.test")) {
            Wire.Reply reply = Wire.post(proxy.port(), HI, "Origin: https://a.test");
            assertEquals(200, reply.status());
            assertEquals("https://a.test", reply.headers().get("access-control-allow-origin"));
            assertEquals("*", reply.headers().get("access-control-expose-headers"));
            assertEquals("origin", reply.headers().get("vary"));
        }
    }

    @Test
    void itsPreflightNeedsNoKey() throws Exception {
        try (var backend = new Backend();
                var proxy = Proxies.before(backend, "--allow-origin", "https://a.test", "--auth-key", "K")) {
            Wire.Reply reply = Wire.ask(proxy.port(), "OPTIONS", "/v1/messages", new byte[0], "Origin: https://a.test",
                    "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-api-key, content-type");
            assertEquals(204, reply.status());
            assertEquals("https://a.test", reply.headers().get("access-control-allow-origin"));
            assertEquals("x-api-key, content-type", reply.headers().get("access-control-allow-headers"));
            assertEquals("GET, POST", reply.headers().get("access-control-allow-methods"));
            assertEquals(401, Wire.post(proxy.port(), HI, "Origin: https://a.test").status(), "what follows does need one");
            assertEquals(0, backend.requests());
        }
    }

    @Test
    void otherPagesMayNot() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend, "--allow-origin", "https://a.test")) {
            for (String origin : new String[] {"https://b.test", "http://a.test", "https://a.test.evil.test", "null"}) {
                Wire.Reply reply = Wire.post(proxy.port(), HI, "Origin: " + origin);
                assertEquals(403, reply.status(), origin);
                assertNull(reply.headers().get("access-control-allow-origin"), origin);
            }
            assertEquals(0, backend.requests());
        }
    }

    @Test
    void withoutTheOptionNoPageMay() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            assertEquals(403, Wire.post(proxy.port(), HI, "Origin: https://a.test").status());
            assertNull(Wire.post(proxy.port(), HI).headers().get("access-control-allow-origin"));
        }
    }
}
