package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Pair;
import testing.Tree;
import testing.Wire;

/** Estimates beside a backend that counts a third more: from its first counts on, clients are told what it counts. */
class HonestTokensTest {
    private static final double MORE = 1.3;
    private static final double MOST_OFF = 0.03;
    private static final String TEXT = "The agent reads src/main.java, edits it and runs \\\"make test\\\"; nothing fails.\\n";

    /** As in {@code "input_tokens":25}. */
    private static final Pattern INPUT_TOKENS = Pattern.compile("\"input_tokens\":(\\d+)");

    private static String request(int paragraphs, boolean isStream) {
        return "{\"model\":\"m\",\"max_tokens\":9,\"stream\":%b,\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}"
                .formatted(isStream, TEXT.repeat(paragraphs));
    }

    /** {@return what the backend counts for a request: some tokens for each byte of its text, and a template} */
    private static long counted(int paragraphs) { return Math.round(MORE * 20 * paragraphs) + 40; }

    private static Backend.Script counting(long tokens) {
        String usage = "\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":3}".formatted(tokens);
        return call -> {
            if (!call.text().contains("\"stream\":true")) {
                String said = Backend.completion("yes").replaceAll("\"usage\":\\{[^}]*}", usage);
                call.reply(200, "application/json", said);
                return;
            }
            call.events().data(Backend.chunk("yes"), Backend.FINISH, "{\"choices\":[]," + usage + "}", "[DONE]").end();
        };
    }

    private static long countTokens(Pair pair, int paragraphs) throws Exception {
        byte[] body = request(paragraphs, false).getBytes(StandardCharsets.UTF_8);
        return number(Wire.ask(pair.port(), "POST", "/v1/messages/count_tokens", body).body());
    }

    /** {@return the first count of a request's tokens in what the client got} */
    private static long number(String body) {
        Matcher found = INPUT_TOKENS.matcher(body);
        assertTrue(found.find(), body);
        return Long.parseLong(found.group(1));
    }

    private static void assertNear(long expected, long told) {
        assertTrue(Math.abs(told - expected) <= expected * MOST_OFF, told + " for " + expected);
    }

    @Test
    void aSessionThatGrowsIsCountedAsTheBackendCounts() throws Exception {
        try (var pair = new Pair()) {
            long atFirst = countTokens(pair, 300);
            assertTrue(atFirst < counted(300) * (1 - MOST_OFF), atFirst + " needs no calibration");
            for (int paragraphs : List.of(250, 260, 300, 420, 600, 900, 1500, 2500, 4000)) {
                pair.backend.answers(counting(counted(paragraphs)));
                if (paragraphs > 260) assertNear(counted(paragraphs), countTokens(pair, paragraphs));
                long told = number(pair.post(request(paragraphs, true)).body());
                if (paragraphs > 260) assertNear(counted(paragraphs), told);
            }
        }
    }

    @Test
    void whatIsNotCountedTeachesNothing() throws Exception {
        try (var pair = new Pair()) {
            long before = countTokens(pair, 300);
            pair.backend.answers(counting(0));
            for (int i = 0; i < 3; i++) assertEquals(200, pair.post(request(300, i == 1)).status());
            assertEquals(before, countTokens(pair, 300));
        }
    }

    /** Ollama counted so for long: of the prompt only what it had not in its cache. */
    @Test
    void whatIsCountedWithoutTheCacheTeachesLittle() throws Exception {
        try (var pair = new Pair()) {
            pair.backend.answers(counting(counted(300)), counting(counted(300) * 6 / 10), counting(counted(300) / 50), counting(1),
                    counting(counted(300) * 100));
            for (int i = 0; i < 5; i++) pair.post(request(300, false));
            long told = countTokens(pair, 300);
            assertTrue(told > counted(300) * 0.95 && told < counted(300) * 1.01, told + " for " + counted(300));
        }
    }

    @Test
    void thePageSaysWhatTheBackendCounts() throws Exception {
        try (var pair = new Pair()) {
            long estimate = countTokens(pair, 300);
            assertEquals(List.of(), Tree.at(pair.ask("GET", "/status.json").json(), "upstreams.0.counted"));
            pair.backend.answers(counting(counted(300)));
            pair.post(request(300, false));
            Object counted = Tree.at(pair.ask("GET", "/status.json").json(), "upstreams.0.counted.0");
            assertEquals("m", Tree.at(counted, "model"));
            assertEquals(new Tree.Num("" + Math.round(100.0 * counted(300) / estimate)), Tree.at(counted, "percent"));
        }
    }

    @Test
    void anOverflowIsToldInTheBackendsMeasure() throws Exception {
        try (var pair = new Pair("--context", "1000")) {
            pair.backend.answers(counting(counted(300)));
            assertEquals(200, pair.post(request(300, false)).status());
            pair.backend.answers(Backend.refusing(400, "the prompt exceeds the context window"));
            String told = pair.post(request(300, false)).text("error.message");
            assertEquals("prompt is too long: %d tokens > 1000 maximum".formatted(countTokens(pair, 300)), told);
            assertNear(counted(300), countTokens(pair, 300));
        }
    }
}
