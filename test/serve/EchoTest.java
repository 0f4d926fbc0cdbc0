package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import testing.Backend;
import testing.Logged;
import testing.Proxies;
import testing.Wire;

/** A backend that repeats what it was sent, in whatever it says: no secret gets to a client, a log or a page. */
@ResourceLock("log")
class EchoTest {
    private static final String UPSTREAM_KEY = "sk-upstream/5ecre7-0001";
    private static final String HEADER = "header-5ecre7-0002";
    private static final String QUERY = "query/5ecre7-0003";
    private static final String AUTH_KEY = "auth-5ecre7-0004";
    private static final String EXTRA = "extra-5ecre7-0005";
    private static final String CLIENT_KEY = "client-5ecre7-0006";
    private static final List<String> ALL = List.of(UPSTREAM_KEY, HEADER, QUERY, AUTH_KEY, EXTRA, CLIENT_KEY);
    private static final String PLAIN =
            "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String STREAM = PLAIN.replaceFirst("\\{", "{\"stream\":true,");
    private static final int SOME = 4; // of the ways to say something, for each way to write it but the first

    private Logged log;

    @BeforeEach
    void keepTheLog() {
        log = new Logged();
    }

    @AfterEach
    void leaveTheLog() {
        log.close();
    }

    /** {@return the secrets in one text, as they are and as they may be written} */
    private static List<String> spellings() {
        String plain = String.join(" ", ALL);
        List<String> base64 = ALL.stream().map(secret -> Base64.getEncoder()
                .encodeToString(("user:" + secret).getBytes(StandardCharsets.UTF_8))).toList();
        return List.of(plain, plain.replace("/", "\\/"), plain.replace("-", "\\u002d"),
                URLEncoder.encode(plain, StandardCharsets.UTF_8), plain.toUpperCase(), String.join(" ", base64));
    }

    /** {@return backends that say {@code text}, which is fit for JSON, in every place that is passed on} */
    private static List<Backend.Script> echoes(String text) {
        String error = "{\"error\":{\"message\":\"no: %s\",\"type\":\"%s\",\"code\":\"%s\"}}".formatted(text, text, text);
        String refusal = "{\"error\":{\"message\":\"Unsupported parameter: 'temperature' is not supported: %s\"}}";
        String failed = "{\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"%s\"}]}".formatted(text);
        List<Backend.Script> echoes = new ArrayList<>(List.of(
                call -> call.events().data(error).end(),
                call -> call.events().data(Backend.ROLE, Backend.chunk("Hello"), error).end(),
                call -> call.events().write("event: error\ndata: " + text + "\n\n").end(),
                call -> call.events("x-request-id: " + text.replaceAll("[^ -~]", ""), "x-ratelimit-limit-requests: " + text)
                        .data(Backend.chunk("Hello"), Backend.FINISH, "[DONE]").end(),
                call -> call.events().data(failed, "[DONE]").end(),
                call -> call.reply(200, "application/json", error),
                call -> call.reply(200, "application/json", "\"" + text + "\""),
                call -> call.reply(200, "text/html", "<html><title>" + text + "</title>" + text + "</html>"),
                call -> call.reply(400, "application/json", refusal.formatted(text)),
                call -> call.reply(400, "application/json", "{\"detail\":[{\"msg\":\"" + text + "\"}]}"),
                call -> call.reply(404, "application/json", "{\"error\":\"no model " + text + "\"}"),
                call -> call.reply(413, "text/plain", "context length exceeds: " + text),
                call -> call.reply(400, "text/plain", "x".repeat(190) + text),
                call -> call.reply(400, "text/html", "<style>" + "x".repeat(8100) + "</style>" + text)));
        for (int status : new int[] {302, 400, 401, 403, 402, 409, 422, 429, 500, 503}) {
            echoes.add(call -> call.reply(status, "application/json", error, "retry-after: 9"));
            echoes.add(call -> call.reply(status, "text/plain", text, "retry-after: 9"));
        }
        return echoes;
    }

    private static void assertHoldsNone(String text, String what) {
        for (String piece : List.of("5ecre7", "5ECRE7")) {
            assertFalse(text.contains(piece), () -> what + ": " + text);
        }
        for (String secret : ALL) {
            String base64 = Base64.getEncoder().encodeToString(("user:" + secret).getBytes(StandardCharsets.UTF_8));
            assertFalse(text.contains(base64.substring(8, 20)), () -> what + ": " + text);
        }
    }

    private void assertNothingLeaks(String[] args, String key) throws Exception {
        try (var backend = new Backend()) {
            List<String> all = new ArrayList<>(List.of(args));
            all.replaceAll(arg -> arg.replace("BACKEND", backend.url().toString()));
            try (Proxy proxy = Proxies.start(all.toArray(String[]::new))) {
                for (String spelling : spellings()) {
                    int most = spelling.equals(spellings().getFirst()) ? Integer.MAX_VALUE : SOME;
                    for (Backend.Script echo : echoes(spelling).stream().limit(most).toList()) {
                        backend.answers(echo);
                        for (String body : List.of(PLAIN, STREAM, PLAIN.replace("\"m\"", "\"" + key + "\""))) {
                            Wire.Reply reply = Wire.post(proxy.port(), body, "x-api-key: " + key);
                            String said = body.contains(key) ? "" : reply.headers() + reply.body();
                            assertHoldsNone(said, "a reply");
                        }
                    }
                }
                for (String path : List.of("/status.json", "/metrics", "/", "/ready", "/v1/nothing", "/v1/messages")) {
                    Wire.Reply page = Wire.ask(proxy.port(), "GET", path, new byte[0], "x-api-key: " + key);
                    assertHoldsNone(page.body(), path);
                }
            }
        }
        assertTrue(log.lines().size() > 100, "the log was not kept");
        log.lines().forEach(line -> assertHoldsNone(line, "the log"));
        assertEquals(List.of(), log.lines("\tat "), "no stacks");
    }

    @Test
    void noSecretOfTheOperatorsLeaks() throws Exception {
        String[] args = {"--upstream", "BACKEND?api-version=1&key=" + URLEncoder.encode(QUERY, StandardCharsets.UTF_8),
                "--upstream-key", UPSTREAM_KEY, "--header", "x-b: " + HEADER, "--header", "authorization: Bearer "
                + CLIENT_KEY, "--auth-key", AUTH_KEY, "--extra-body", "{\"user_key\":\"%s\"}".formatted(EXTRA)};
        assertNothingLeaks(args, AUTH_KEY);
    }

    @Test
    void norWhenAllIsLogged() throws Exception {
        String[] args = {"--debug", "--upstream", "BACKEND?" + URLEncoder.encode(QUERY, StandardCharsets.UTF_8),
                "--upstream-key", UPSTREAM_KEY, "--header", "cookie: a=" + HEADER + "; b=" + CLIENT_KEY,
                "--auth-key", AUTH_KEY, "--extra-body", "{\"api_key\":\"%s\"}".formatted(EXTRA)};
        assertNothingLeaks(args, AUTH_KEY);
    }

    @Test
    void norTheClientsOwnKey() throws Exception {
        String[] args = {"--debug", "--upstream", "BACKEND?key=" + QUERY, "--header", "x-b: " + HEADER, "--header",
                "x-c: " + AUTH_KEY, "--header", "x-d: " + UPSTREAM_KEY, "--extra-body", "{\"secret\":\"" + EXTRA + "\"}"};
        assertNothingLeaks(args, CLIENT_KEY);
    }
}
