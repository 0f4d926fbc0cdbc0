package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import config.Options;
import config.Target;
import config.UsageError;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import serve.Proxy;
import testing.Backend;
import testing.Logged;
import testing.Proxies;
import testing.Wire;
import translate.Dialect;

/** Which keys a backend gets, whose refusal is whose, and that a key of Anthropic's goes to nobody else. */
@ResourceLock("log")
class CredentialsTest {
    private static final String PLAIN =
            "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final List<String> ANTHROPICS = List.of("sk-ant-oat01-0123456789", "sk-ant-api03-0123456789",
            "SK-ANT-api03-0123456789", "Sk-Ant-x", "  sk-ant-api03-0123456789", "\tsk-ant-0123456789 ");

    private Logged log;

    @BeforeEach
    void keepTheLog() {
        log = new Logged();
    }

    @AfterEach
    void leaveTheLog() {
        log.close();
    }

    private static String url(Backend backend) { return backend.url().toString(); }

    /** Fails if there is any key in what the backend was sent. */
    private static void assertNoKey(Backend.Call call) {
        for (String name : List.of("authorization", "x-api-key", "api-key")) {
            assertFalse(call.headers().containsKey(name), () -> call.headers().toString());
        }
        String all = call.line() + call.headers() + call.text();
        assertFalse(all.toLowerCase().replace("%2d", "-").contains("sk-ant-"), all);
    }

    private void assertSaidOnce(String what) {
        List<String> lines = log.lines("sk-ant-");
        assertEquals(1, lines.size(), lines::toString);
        assertTrue(lines.getFirst().contains(what), lines.getFirst());
        assertEquals(List.of(), log.lines("0123456789"));
        log.clear();
    }

    @Test
    void theClientsKeyOfAnthropicsIsNotSentOn() throws Exception {
        for (String key : ANTHROPICS) {
            for (String header : List.of("x-api-key: " + key, "authorization: Bearer " + key)) {
                try (var backend = new Backend(); Proxy proxy = Proxies.start("--upstream", url(backend))) {
                    for (int i = 0; i < 3; i++) {
                        assertEquals(200, Wire.post(proxy.port(), PLAIN, header).status());
                        assertNoKey(backend.take());
                    }
                    assertEquals(200, Wire.ask(proxy.port(), "GET", "/v1/models", new byte[0], header).status());
                    assertNoKey(backend.take());
                    assertSaidOnce("the client's key is not sent to 127.0.0.1:" + backend.url().getPort());
                }
            }
        }
    }

    @Test
    void anotherKeyOfTheClientsIsSentAfterIt() throws Exception {
        try (var backend = new Backend(); Proxy proxy = Proxies.start("--upstream", url(backend))) {
            Wire.post(proxy.port(), PLAIN, "x-api-key: sk-ant-api03-x");
            assertNoKey(backend.take());
            for (String key : List.of("sk-other", "sk-antelope", "ask-ant-1", "my-sk-ant")) {
                Wire.post(proxy.port(), PLAIN, "x-api-key: " + key);
                assertEquals("Bearer " + key, backend.take().headers().get("authorization"));
            }
        }
    }

    private void assertOursIsNotSent(String what, Map<String, String> environment, String... args) throws Exception {
        try (var backend = new Backend()) {
            List<String> all = new ArrayList<>(List.of(args));
            if (!all.contains("--upstream")) all.addAll(List.of("--upstream", url(backend)));
            all.replaceAll(arg -> arg.replace("BACKEND", url(backend)));
            try (Proxy proxy = Proxies.start(environment, all.toArray(String[]::new))) {
                for (int i = 0; i < 2; i++) {
                    assertEquals(200, Wire.post(proxy.port(), PLAIN, "x-api-key: of-the-client").status());
                    assertNoKey(backend.take());
                }
            }
            assertSaidOnce(what);
        }
    }

    @Test
    void theOperatorsKeyOfAnthropicsIsNotSentOn() throws Exception {
        assertOursIsNotSent("a2o's key is", Map.of(), "--upstream-key", "sk-ant-api03-0123456789");
        assertOursIsNotSent("a2o's key is", Map.of("A2O_UPSTREAM_KEY", " Sk-Ant-api03-0123456789\n"));
        String basic = Base64.getEncoder().encodeToString("me:sk-ant-0123456789".getBytes(StandardCharsets.UTF_8));
        for (String value : List.of("Bearer sk-ant-oat01-0123456789", "bearer  SK-ANT-0123456789",
                "sk-ant-0123456789", "Basic " + basic)) {
            assertOursIsNotSent("the header AuthoriZation is", Map.of(), "--header", "AuthoriZation: " + value);
        }
        assertOursIsNotSent("the key in its URL is", Map.of(), "--upstream-key", "", "--header", "authorization: x",
                "--header", "authorization: sk-ant-0123456789", "--upstream", "BACKEND?key=sk%2Dant-0123456789&a=b");
    }

    @Test
    void openaiApiKeyIsHeldBackToo() throws Exception {
        try (var backend = new Backend()) {
            Map<String, String> environment = Map.of("OPENAI_API_KEY", "sk-ant-0123456789",
                    "HTTP_PROXY", "http://127.0.0.1:" + backend.url().getPort());
            try (Proxy proxy = Proxies.start(environment, "--upstream", "http://api.openai.com/v1")) {
                assertEquals(200, Wire.post(proxy.port(), PLAIN).status());
                assertNoKey(backend.take());
                assertSaidOnce("a2o's key is not sent to api.openai.com");
            }
        }
    }

    @Test
    void aParameterThatIsNoKeyStays() throws Exception {
        try (var backend = new Backend();
                Proxy proxy = Proxies.start("--upstream", url(backend) + "?a=b%2F&key=sk-ant-1&c")) {
            Wire.post(proxy.port(), PLAIN);
            assertEquals("POST /v1/chat/completions?a=b%2F&c HTTP/1.1", backend.take().line());
        }
    }

    /** {@code http} and a proxy on the way, so that a name leads to a backend of the test's. */
    @Test
    void itGoesToAnthropicsHostsAlone() throws Exception {
        Map<String, Boolean> hosts = Map.of("api.anthropic.com", true, "API.Anthropic.COM", true, "api.anthropic.com.",
                true, "eu.api.anthropic.com", true, "api.anthropic.com.evil.test", false, "evil-anthropic.com", false,
                "xanthropic.com", false, "api.anthropic.co", false, "anthropic.com.test", false);
        try (var backend = new Backend()) {
            Map<String, String> environment = Map.of("HTTP_PROXY", "http://127.0.0.1:" + backend.url().getPort());
            for (Map.Entry<String, Boolean> host : hosts.entrySet()) {
                try (Proxy proxy = Proxies.start(environment, "--upstream", "http://" + host.getKey() + "/v1")) {
                    assertEquals(200, Wire.post(proxy.port(), PLAIN, "x-api-key: sk-ant-api03-x").status());
                    Backend.Call call = backend.take();
                    assertTrue(call.line().contains(host.getKey()), call.line());
                    String sent = host.getValue() ? "Bearer sk-ant-api03-x" : null;
                    assertEquals(sent, call.headers().get("authorization"), host.getKey());
                }
            }
        }
    }

    @Test
    void whereItCannotBeLeftOutItIsRefusedAtTheStart() {
        for (String[] args : new String[][] {{"--upstream", "http://a.test/sk-ant-0123456789/v1"},
                {"--upstream", "http://a.test/v1", "--extra-body", "{\"api_key\":\"sk-ant-0123456789\"}"}}) {
            var wrong = assertThrows(UsageError.class, () -> Proxies.options(Map.of(), args));
            assertTrue(wrong.getMessage().contains("goes to Anthropic's hosts alone"), wrong.getMessage());
            assertFalse(wrong.getMessage().contains("0123456789"), wrong.getMessage());
        }
    }

    @Test
    void aClientIsToldThatItsKeyWasNotSent() throws Exception {
        try (var backend = new Backend().answers(Backend.refusing(401, "no key given"));
                Proxy proxy = Proxies.start("--upstream", url(backend))) {
            Wire.Reply reply = Wire.post(proxy.port(), PLAIN, "x-api-key: sk-ant-api03-0123456789");
            assertEquals(401, reply.status());
            assertEquals("127.0.0.1:%d: no key given; the client's key was not sent, for it begins with sk-ant-"
                    .formatted(backend.url().getPort()), reply.text("error.message"));
            assertEquals("127.0.0.1:%d: no key given".formatted(backend.url().getPort()),
                    Wire.post(proxy.port(), PLAIN, "x-api-key: another").text("error.message"));
        }
    }

    /** {@return the status of a request whose key the backend refuses} */
    private static int refused(int status, String... args) throws Exception {
        try (var backend = new Backend().answers(Backend.refusing(status, "no such key"))) {
            String[] all = List.of(args).stream().map(arg -> arg.replace("BACKEND", url(backend))).toArray(String[]::new);
            try (Proxy proxy = Proxies.start(all)) {
                Wire.Reply reply = Wire.post(proxy.port(), PLAIN, "x-api-key: of-the-client");
                String ours = "127.0.0.1:%d: backend rejected the proxy's credentials".formatted(backend.url().getPort());
                assertEquals(reply.status() == 500, reply.text("error.message").equals(ours), reply.body());
                assertEquals(reply.status() == 500 ? "false" : null, reply.headers().get("x-should-retry"));
                return reply.status();
            }
        }
    }

    @Test
    void aRefusedKeyOfTheOperatorsIsNotTheClients() throws Exception {
        for (int status : new int[] {401, 403}) {
            assertEquals(500, refused(status, "--upstream", "BACKEND", "--upstream-key", "k"));
            for (String name : List.of("Authorization", "api-key", "X-API-Key", "Ocp-Apim-Subscription-Key", "Cookie",
                    "cf-access-client-secret", "x-auth")) {
                assertEquals(500, refused(status, "--upstream", "BACKEND", "--header", name + ": v"), name);
            }
            for (String name : List.of("api-key", "key", "token", "code", "sig", "subscription_key")) {
                assertEquals(500, refused(status, "--upstream", "BACKEND?a=b&" + name + "=v"), name);
            }
        }
    }

    @Test
    void aRefusedKeyOfTheClientsIsItsOwn() throws Exception {
        for (int status : new int[] {401, 403}) {
            assertEquals(status, refused(status, "--upstream", "BACKEND"));
            assertEquals(status, refused(status, "--upstream", "BACKEND?api-version=2024-10-21", "--header",
                    "HTTP-Referer: https://example.org", "--header", "x-title: mine"));
        }
    }

    private static void assertTold(String expected, String... args) {
        Options options = Proxies.options(Map.of(), args);
        Target target = options.upstreams().getFirst();
        assertEquals(expected, new Credentials(options, target, Dialect.of(target)).description(), String.join(" ", args));
    }

    @Test
    void itIsSaidWhoseKeyABackendGets() {
        String why = "it begins with sk-ant-, and such keys go to Anthropic alone";
        String theirs = "the client's key unless it begins with sk-ant-";
        assertTold("needs no key", "--upstream", "demo");
        assertTold("gets " + theirs, "--upstream", "http://a.test/v1");
        assertTold("gets the client's key", "--upstream", "https://api.anthropic.com/v1");
        assertTold("gets a2o's key", "--upstream", "http://a.test/v1", "--upstream-key", "k");
        assertTold("gets no key", "--upstream", "http://a.test/v1", "--auth-key", "k");
        assertTold("gets a2o's header Authorization", "--upstream", "http://a.test/v1", "--header", "Authorization: k");
        assertTold("gets a2o's header x-key and " + theirs, "--upstream", "http://a.test/v1", "--header", "x-key: k");
        assertTold("gets a2o's key in its URL and " + theirs, "--upstream", "http://a.test/v1?key=k");
        assertTold("gets a2o's header api-key", "--upstream", "https://a.openai.azure.com/openai/v1",
                "--header", "api-key: k");
        assertTold("gets no key, and not a2o's key: " + why, "--upstream", "http://a.test/v1", "--upstream-key",
                "sk-ant-1");
        assertTold("gets a2o's key", "--upstream", "https://api.anthropic.com/v1", "--upstream-key", "sk-ant-1");
        assertTold("gets a2o's key, and not a2o's header x-a: " + why, "--upstream", "http://a.test/v1",
                "--upstream-key", "k", "--header", "x-a: sk-ant-1");
    }
}
