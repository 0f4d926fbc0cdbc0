package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.Proxies;
import testing.RandomJson;
import testing.Tree;
import testing.Wire;

/**
 * Requests for a reply of a token or two, with which clients try out a name of a model. Backends refuse them in one of
 * two ways: a reply that cannot be finished within so few is none, or so low a number is not taken.
 */
class SmallLimitTest {
    private static final String ASKED =
            "{\"model\":\"m\",\"max_tokens\":%s,\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String OPENAI =
            "{\"error\":{\"message\":%s,\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}";

    private static String openai(String message) {
        return OPENAI.formatted(RandomJson.write(message));
    }

    private static long asked(Backend.Call call) {
        return Long.parseLong(((Tree.Num) Tree.at(Tree.of(call.text()), "max_tokens")).text());
    }

    // Numbers that are too low

    private static DynamicTest raised(int least, String body) {
        return DynamicTest.dynamicTest(least + ": " + body, () -> {
            try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
                backend.answers(call -> {
                    boolean isTooLow = asked(call) < least;
                    if (isTooLow) call.reply(400, "application/json", body);
                    else Backend.saying("h").answer(call);
                });
                for (String stream : List.of("true", "false")) {
                    Wire.Reply reply = Wire.post(proxy.port(), ASKED.formatted(1, stream));
                    assertEquals(200, reply.status(), reply.body());
                    assertEquals("h", reply.said());
                }
                assertEquals(200, Wire.post(proxy.port(), ASKED.formatted(5000, "true")).status());
                List<Long> numbers = new ArrayList<>();
                while (numbers.size() < backend.requests()) numbers.add(asked(backend.take()));
                assertEquals(List.of(1L, (long) least, (long) least, 5000L), numbers);
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> aNumberThatIsTooLowIsRaisedAndThatIsKnownTheNextTime() {
        return Stream.of(
                raised(16, openai("Invalid 'max_tokens': integer below minimum value. Expected a value >= 16, but got 1"
                        + " instead.")),
                raised(16, openai("Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16,"
                        + " but got 1 instead.")),
                raised(16, openai("max_output_tokens is below the minimum value 16")),
                raised(16, openai("max_completion_tokens: minimum value 16")),
                raised(2, openai("max_tokens must be at least 2")),
                raised(2, openai("max_tokens must be greater than 1")),
                raised(2, openai("`max_tokens` must be > 1, got 1")), raised(16, openai("max_tokens should be >= 16")),
                raised(4, openai("max_tokens must be greater than or equal to 4")),
                raised(8, openai("max_new_tokens cannot be less than 8")),
                raised(10, openai("max_tokens (1) is less than the minimum of 10 for this model")),
                raised(16, openai("'max_tokens' must be between 16 and 8192")),
                raised(16, openai("Range of max_tokens should be [16, 8192]")),
                raised(16, openai("max_tokens: 1 is not in [16, 8192]")),
                raised(16, openai("the valid range of max_tokens is 16 to 8192")),
                raised(16, openai("max_tokens must not be under 16")),
                raised(12, openai("max_tokens: value 1 violates ge=12")),
                raised(16, openai("max_tokens is too small")), raised(5, openai("Minimum for max_tokens is 5, not 1")),
                raised(20, "{\"error\":{\"message\":\"Expected a value >= 20, but got 1 instead\",\"type\":"
                        + "\"invalid_request_error\",\"param\":\"max_tokens\",\"code\":\"integer_below_min_value\"}}"),
                raised(16, "{\"detail\":[{\"type\":\"greater_than_equal\",\"loc\":[\"body\",\"max_tokens\"],\"msg\":"
                        + "\"Input should be greater than or equal to 16\",\"input\":1,\"ctx\":{\"ge\":16}}]}"),
                raised(2, "{\"detail\":[{\"type\":\"greater_than\",\"loc\":[\"body\",\"max_tokens\"],\"msg\":"
                        + "\"Input should be greater than 1\",\"input\":1,\"ctx\":{\"gt\":1}}]}"),
                raised(3, "{\"object\":\"error\",\"message\":\"max_tokens must be at least 3, got 1.\",\"code\":400}"));
    }

    @Test
    void aNumberThatIsTooHighIsStillLowered() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            backend.answers(call -> {
                boolean isFine = asked(call) >= 16 && asked(call) <= 8192;
                if (isFine) Backend.saying("h").answer(call);
                else call.reply(400, "application/json", openai("the valid range of max_tokens is [16, 8192]"));
            });
            assertEquals(200, Wire.post(proxy.port(), ASKED.formatted(32000, "true")).status());
            assertEquals(200, Wire.post(proxy.port(), ASKED.formatted(1, "true")).status());
            List<Long> numbers = new ArrayList<>();
            while (numbers.size() < backend.requests()) numbers.add(asked(backend.take()));
            assertEquals(List.of(32000L, 8192L, 1L, 16L), numbers);
        }
    }

    @Test
    void whatIsNotAboutTheLengthStaysAnError() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            for (String words : List.of("max_tokens must be at least 1, got -500.", "n must be at least 16",
                    "the token limit of this minute was reached", "temperature must be greater than 1")) {
                backend.answers(call -> call.reply(400, "application/json", openai(words)));
                int before = backend.requests();
                Wire.Reply reply = Wire.post(proxy.port(), ASKED.formatted(100, "true"));
                assertEquals(400, reply.status(), reply.body());
                assertTrue(reply.body().contains(words), reply.body());
                assertEquals(1, backend.requests() - before, words);
            }
        }
    }

    // Replies that could not be finished

    private static final List<String> UNFINISHED = List.of(
            "Could not finish the message because max_tokens or model output limit was reached. Please try again with"
                    + " higher max_tokens.",
            "litellm.BadRequestError: OpenAIException - Could not finish the message because max_tokens or model output"
                    + " limit was reached. Please try again with higher max_tokens.. Received Model Group=x",
            "The reply reached max_completion_tokens before any output", "Model output limit was reached",
            "Unable to complete the message within max_output_tokens");

    private static Stream<DynamicTest> unfinished(String how, Script script) {
        return UNFINISHED.stream().map(words -> DynamicTest.dynamicTest(how + ": " + words, () -> {
            try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
                backend.answers(script.of(openai(words)));
                Wire.Reply whole = Wire.post(proxy.port(), ASKED.formatted(1, "false"));
                assertEquals(200, whole.status(), whole.body());
                assertEquals("[]", String.valueOf(Tree.at(whole.json(), "content")));
                assertEquals("max_tokens", whole.text("stop_reason"));
                Wire.Reply stream = Wire.post(proxy.port(), ASKED.formatted(1, "true"));
                assertEquals("message_start message_delta message_stop", stream.names());
                assertEquals("max_tokens", stream.events().get(1).text("delta.stop_reason"));
                assertEquals(2, backend.requests());
            }
        }));
    }

    private interface Script {
        Backend.Script of(String error);
    }

    @TestFactory
    Stream<DynamicTest> aReplyThatWasNotFinishedIsAnEmptyOne() {
        return Stream.of(
                unfinished("status 400", error -> call -> call.reply(400, "application/json", error)),
                unfinished("status 422", error -> call -> call.reply(422, "application/json", error)),
                unfinished("status 200", error -> call -> call.reply(200, "application/json", error)),
                unfinished("an event", error -> call -> call.events().data(Backend.ROLE, error).end()))
                .flatMap(tests -> tests);
    }

    @Test
    void afterSomeTextTheReplyEndsThere() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            backend.answers(call -> call.events()
                    .data(Backend.ROLE, Backend.chunk("Half an"), openai(UNFINISHED.getFirst())).end());
            Wire.Reply reply = Wire.post(proxy.port(), ASKED.formatted(50, "true"));
            assertEquals("Half an", reply.said());
            assertEquals("max_tokens", reply.events().get(reply.events().size() - 2).text("delta.stop_reason"));
            assertEquals("message_stop", reply.last().name());
        }
    }

    /** First the number is too low, then the reply does not fit in it. */
    @Test
    void bothMayComeTogether() throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            backend.answers(call -> call.reply(400, "application/json", openai(asked(call) < 16
                    ? "max_tokens must be at least 16" : UNFINISHED.getFirst())));
            for (int requests : new int[] {2, 3}) { // it is learned
                assertEquals(200, Wire.post(proxy.port(), ASKED.formatted(1, "false")).status());
                assertEquals(requests, backend.requests());
            }
        }
    }
}
