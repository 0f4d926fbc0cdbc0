package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.ResourceLock;
import testing.Backend;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/**
 * What the proxy learns from a backend that refuses a request: it mends the request, sends it again, and knows it the
 * next time. The backends are strict, and refuse in the words of the vendors ({@link Refusals}) until they are content.
 */
class DowngradeTest {
    private static final Backend.Script FINE = Backend.saying("fine");
    private static final Logger LOG = Logger.getLogger("a2o"); // held, or its level would be lost

    // What is mended, and how

    @TestFactory
    Stream<DynamicTest> whatIsRefusedIsMendedAndKnownTheNextTime() {
        return Refusals.ROWS.stream().map(row -> DynamicTest.dynamicTest(row.vendor() + " " + row.change(), () -> {
            try (var strict = new Strict()) {
                Object asked = strict.bodies(Strict.REQUEST).getFirst();
                assertTrue(row.isAgainst(asked), "nothing to refuse: " + asked);
                Object mended = row.mended(asked);
                assertFalse(row.isAgainst(mended), mended.toString());
                strict.refuses(FINE, row);
                assertEquals(List.of(asked, mended), strict.bodies(Strict.REQUEST));
                assertEquals(List.of(mended), strict.bodies(Strict.REQUEST), "learned");
                Object other = Strict.with(asked, "model", "m2");
                Object otherMended = Strict.with(mended, "model", "m2");
                assertEquals(List.of(other, otherMended), strict.bodies(Strict.REQUEST.replace("m1", "m2")));
                assertEquals(List.of(mended), strict.bodies(Strict.REQUEST), "still known");
            }
        }));
    }

    @Test
    void aWholeReplyIsMendedFor() throws Exception {
        try (var strict = new Strict(Refusals.TEMPERATURE)) {
            String plain = Strict.REQUEST.replace("\"stream\":true,", "");
            assertEquals(2, strict.bodies(plain).size());
            assertNull(Tree.at(strict.bodies(plain).getFirst(), "temperature"));
        }
    }

    private static final List<String> OF_WHOLE_REPLIES = List.of("Requests with max_tokens > 4096 must have stream=true",
            "For non-streaming requests, max_tokens must be at most 4096",
            "max_tokens must be less than or equal to 4096 when stream is false");

    /** What a backend takes only as a stream says nothing of streams: they get the length that they ask for. */
    @TestFactory
    Stream<DynamicTest> aLimitOfWholeRepliesLeavesStreamsAsTheyAre() {
        String whole = "{\"model\":\"m1\",\"max_tokens\":32000,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
        String stream = whole.replace("\"messages\"", "\"stream\":true,\"messages\"");
        return OF_WHOLE_REPLIES.stream().map(words -> DynamicTest.dynamicTest(words, () -> {
            try (var strict = new Strict()) {
                strict.backend().answers(call -> {
                    boolean isTooLong = !call.text().contains("\"stream\":true") && call.text().contains("32000");
                    if (isTooLong) Backend.refusing(400, words).answer(call); else FINE.answer(call);
                });
                assertEquals(2, strict.bodies(whole).size());
                List<Object> streamed = strict.bodies(stream);
                assertEquals(1, streamed.size());
                assertTrue(streamed.getFirst().toString().contains("32000"), streamed.toString());
            }
        }));
    }

    /** It is answered whole, and the next one is streamed again. */
    @Test
    void aFaultOfOneStreamTeachesNothingOfTheNext() throws Exception {
        String stream = "{\"model\":\"m1\",\"max_tokens\":100,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
        try (var strict = new Strict()) {
            strict.backend().answers(Backend.refusing(500, "the stream is not available"), FINE);
            List<Object> bodies = strict.bodies(stream);
            assertEquals(2, bodies.size());
            assertNull(Tree.at(bodies.getLast(), "stream"));
            List<Object> next = strict.bodies(stream);
            assertEquals(List.of(bodies.getFirst()), next);
        }
    }

    /** The effort that was asked for, what the backend takes, and the nearest: downwards first, then upwards. */
    private static final String[][] EFFORTS = {
            {"xhigh", "'low', 'medium', and 'high'", "high"}, {"max", "'none', 'low', 'high', and 'xhigh'", "xhigh"},
            {"medium", "'low' and 'high'", "low"}, {"xhigh", "'minimal' and 'low'", "low"},
            {"max", "'medium'", "medium"},
            {"low", "'medium' and 'high'", "medium"}, {"low", "'high' and 'max'", "high"},
            {"low", "'none', 'minimal', and 'high'", "minimal"}, {"none", "'low', 'medium', and 'high'", "low"},
            {"none", "'minimal', 'low', 'medium', and 'high'", "minimal"}};

    @TestFactory
    Stream<DynamicTest> anEffortBecomesTheNearestThatIsSupported() {
        return Stream.of(EFFORTS).map(row -> DynamicTest.dynamicTest(String.join(" ", row), () -> {
            try (var strict = new Strict()) {
                String effort = Strict.json("{'output_config':{'effort':'%s'},").formatted(row[0]);
                String request = Strict.SMALL.replaceFirst("\\{", effort);
                strict.refuses(FINE, Refusals.effort(row[0], row[1], row[2]));
                List<Object> bodies = strict.bodies(request);
                List<Object> sent = bodies.stream().map(body -> Tree.at(body, "reasoning_effort")).toList();
                assertEquals(List.of(row[0], row[2]), sent);
                assertEquals(row[2], Tree.at(strict.bodies(request).getFirst(), "reasoning_effort"));
            }
        }));
    }

    /** From gpt-5.6 on they are refused even where no effort is stated. */
    @Test
    void functionToolsSwitchTheEffortOffThatWasNotStated() throws Exception {
        String request = Strict.REQUEST.replaceFirst("\"thinking\":\\{.*?},", "")
                .replaceFirst("\"output_config\":\\{.*?},", "");
        try (var strict = new Strict(Refusals.FUNCTION_TOOLS)) {
            List<Object> bodies = strict.bodies(request);
            assertNull(Tree.at(bodies.getFirst(), "reasoning_effort"));
            Object mended = Strict.with(bodies.getFirst(), "reasoning_effort", "none");
            assertEquals(List.of(mended), bodies.subList(1, bodies.size()));
            assertEquals(List.of(bodies.getLast()), strict.bodies(request));
        }
    }

    /** Ollama's words are about its own switch, which the effort turns on, not about {@code thinking}. */
    @Test
    void aModelThatDoesNotThinkGetsNoEffort() throws Exception {
        try (var strict = new Strict(Refusals.OLLAMA_THINKING)) {
            assertNull(Tree.at(strict.bodies(Strict.REQUEST).getLast(), "reasoning_effort"));
            assertEquals(1, strict.bodies(Strict.REQUEST).size());
        }
    }

    @Test
    void theNameOfTheLimitIsLearnedBothWays() throws Exception {
        try (var strict = new Strict()) {
            for (Refusals.Row row : Refusals.LIMIT_NAMES) {
                strict.refuses(FINE, row);
                List<Object> bodies = strict.bodies(Strict.REQUEST);
                assertEquals(2, bodies.size(), row.vendor());
                assertEquals(bodies.getLast(), row.mended(bodies.getFirst()));
                assertEquals(List.of(bodies.getLast()), strict.bodies(Strict.REQUEST));
            }
        }
    }

    @Test
    void aLimitThatIsLearnedIsAMaximum() throws Exception {
        try (var strict = new Strict(Refusals.RENAMED, Refusals.LIMITED)) {
            assertEquals(3, strict.bodies(Strict.REQUEST).size());
            for (int[] row : new int[][] {{128_000, 16_384}, {16_385, 16_384}, {16_384, 16_384}, {100, 100}}) {
                List<Object> bodies = strict.bodies(Strict.REQUEST.replace("128000", "" + row[0]));
                assertEquals(1, bodies.size());
                assertEquals(new Tree.Num("" + row[1]), Tree.at(bodies.getFirst(), "max_completion_tokens"));
            }
        }
    }

    /** A value, or two fields together: the next request, whose value may be fine, is sent as it is. */
    @TestFactory
    Stream<DynamicTest> aRefusedValueIsLeftOutOnce() {
        return Stream.of("Invalid 'temperature': decimal above maximum value. Expected a value <= 1, but got 1.5 instead.",
                "'temperature' and 'top_p' cannot both be specified").map(words -> DynamicTest.dynamicTest(words, () -> {
                    String body = "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\"}}";
                    try (var strict = new Strict(new Refusals.Row("some", 400, body.formatted(words), "-temperature"))) {
                        for (int i = 0; i < 2; i++) assertEquals(2, strict.bodies(Strict.REQUEST).size());
                    }
                }));
    }

    /** What a downgrade leaves out is said in a header. */
    @Test
    void whatIsLeftOutIsInTheWarnings() throws Exception {
        try (var strict = new Strict(Refusals.TEMPERATURE)) {
            String warnings = strict.post(Strict.REQUEST).headers().get("x-proxy-warnings");
            assertTrue(warnings.contains("dropped_temperature"), warnings);
        }
    }

    /** A stream may begin before something is learned, and end after it. */
    @Test
    void whatIsLearnedIsNotForgottenWithAnOlderStream() throws Exception {
        var begun = new CountDownLatch(1);
        var learned = new CountDownLatch(1);
        try (var strict = new Strict()) {
            strict.backend().answers(call -> {
                begun.countDown();
                call.events().data(Backend.chunk("slow"));
                Tasks.await(learned);
                call.data(Backend.FINISH, "[DONE]").end();
            });
            FutureTask<Wire.Reply> slow = Tasks.ask(() -> strict.post(Strict.REQUEST));
            strict.backend().take();
            Tasks.await(begun);
            strict.refuses(FINE, Refusals.TEMPERATURE);
            assertEquals(2, strict.bodies(Strict.REQUEST).size());
            learned.countDown();
            assertEquals("message_stop", Tasks.outcome(slow).last().name());
            assertEquals(1, strict.bodies(Strict.REQUEST).size());
        }
    }

    // How far it goes

    @TestFactory
    Stream<DynamicTest> aRefusalOfNothingThatCanBeMendedIsPassedOn() {
        return Refusals.PASSED_ON.stream().map(row -> DynamicTest.dynamicTest(row.change(), () -> {
            try (var strict = new Strict()) {
                strict.refusesAll(row);
                Wire.Reply reply = strict.post(Strict.REQUEST);
                assertEquals(400, reply.status(), reply.body());
                assertTrue(reply.text("error.message").contains(row.change()), reply.body());
                assertEquals(1, strict.backend().requests());
            }
        }));
    }

    @TestFactory
    Stream<DynamicTest> aPromptThatIsTooLongIsNotMended() {
        return Refusals.OVERFLOWS.stream().map(row -> DynamicTest.dynamicTest(row.vendor(), () -> {
            try (var strict = new Strict()) {
                strict.refusesAll(row);
                Wire.Reply reply = strict.post(Strict.REQUEST);
                assertEquals("400 " + row.change(), reply.status() + " " + reply.text("error.message"));
                assertEquals(1, strict.backend().requests());
            }
        }));
    }

    @Test
    void manyRefusalsOneAfterTheOtherAreMendedInOneRequest() throws Exception {
        List<String> members = List.of("temperature", "top_p", "user", "parallel_tool_calls", "thinking",
                "reasoning_effort", "tool_choice", "stream_options");
        try (var strict = new Strict(members.stream().map(Refusals::dropped).toArray(Refusals.Row[]::new))) {
            assertEquals(1 + members.size(), strict.bodies(Strict.REQUEST).size());
            assertEquals(1, strict.bodies(Strict.REQUEST).size());
        }
    }

    /** As what was tried may have had nothing to do with it. */
    @Test
    void nothingIsKeptOfRepairsThatDidNotHelp() throws Exception {
        try (var strict = new Strict()) {
            Refusals.Row other = Refusals.PASSED_ON.getFirst();
            strict.backend().answers(call -> {
                boolean hasIt = Refusals.TEMPERATURE.isAgainst(Tree.of(call.text()));
                call.reply(400, "application/json", hasIt ? Refusals.TEMPERATURE.body() : other.body());
            });
            assertEquals(400, strict.post(Strict.REQUEST).status());
            for (int i = 0; i < 2; i++) strict.backend().take();
            strict.backend().answers(FINE);
            assertTrue(strict.bodies(Strict.REQUEST).getFirst().toString().contains("temperature"));
        }
    }

    /** One that names several is mended at once; a value that is wrong beside one that is never taken costs nothing later. */
    @Test
    void severalInOneRefusalAreMendedAtOnce() throws Exception {
        String words = "{\"message\":\"Validation: Unsupported parameter(s): thinking, reasoning_effort, top_p\"}";
        var row = new Refusals.Row("NIM", 400, words, "-thinking");
        try (var strict = new Strict(row)) {
            List<Object> bodies = strict.bodies(Strict.REQUEST);
            assertEquals(2, bodies.size());
            for (String name : List.of("thinking", "reasoning_effort", "top_p")) assertNull(Tree.at(bodies.getLast(), name));
            assertEquals(1, strict.bodies(Strict.REQUEST).size());
        }
    }

    @Test
    void whatIsRefusedThoughItIsGoneIsPassedOn() throws Exception {
        try (var strict = new Strict()) {
            Refusals.Row row = Refusals.TEMPERATURE;
            strict.refusesAll(row);
            for (int requests = 2; requests <= 4; requests += 2) { // what did not help is not remembered
                Wire.Reply reply = strict.post(Strict.REQUEST);
                assertEquals(400, reply.status(), reply.body());
                assertTrue(reply.text("error.message").contains("'temperature'"), reply.body());
                assertEquals(requests, strict.backend().requests());
            }
        }
    }

    /** All are on their way before the first is refused, so most are refused for what has been learned by then. */
    @Test
    void requestsThatLearnTheSameAtOnceAllGoWell() throws Exception {
        int clients = 20;
        var allHere = new CountDownLatch(clients);
        try (var strict = new Strict()) {
            strict.backend().answers(call -> {
                allHere.countDown();
                Tasks.await(allHere);
                boolean isRefused = Refusals.TEMPERATURE.isAgainst(Tree.of(call.text()));
                if (isRefused) call.reply(400, "application/json", Refusals.TEMPERATURE.body());
                else Backend.saying("fine").answer(call);
            });
            List<FutureTask<Wire.Reply>> replies = IntStream.range(0, clients)
                    .mapToObj(i -> Tasks.ask(() -> strict.post(Strict.REQUEST))).toList();
            for (FutureTask<Wire.Reply> reply : replies) assertEquals(200, Tasks.outcome(reply).status());
            assertEquals(2 * clients, strict.backend().requests());
        }
    }

    @Test
    @ResourceLock("log")
    void whatIsLearnedIsLoggedOnce() throws Exception {
        Queue<String> logged = new ConcurrentLinkedQueue<>();
        var handler = new Handler() {
            @Override
            public void publish(LogRecord entry) {
                String message = new SimpleFormatter().formatMessage(entry);
                if (message.contains("parallel_tool_calls")) logged.add(entry.getLevel() + " " + message);
            }

            @Override
            public void flush() { }

            @Override
            public void close() { }
        };
        Level before = LOG.getLevel();
        LOG.setLevel(Level.INFO);
        LOG.addHandler(handler);
        try (var strict = new Strict(Refusals.dropped("parallel_tool_calls"))) {
            for (int i = 0; i < 3; i++) strict.bodies(Strict.REQUEST);
            logged.removeIf(line -> !line.contains(strict.backend().url().getAuthority())); // another test's
        } finally {
            LOG.removeHandler(handler);
            LOG.setLevel(before);
        }
        assertEquals(1, logged.size(), logged.toString());
        assertTrue(logged.element().startsWith("INFO "), logged.element());
        assertFalse(logged.element().contains("sunny"), logged.element()); // no prompts
    }
}
