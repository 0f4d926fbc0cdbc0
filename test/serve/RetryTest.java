package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.Farm;
import testing.HeldClock;
import testing.PatientClock;
import testing.Tasks;
import testing.Wire;

/** What the proxy does by itself before the client has been shown anything: it tries again, or asks the next backend. */
class RetryTest {
    private static final Backend.Script GOOD = Backend.saying("good");
    private static final String PLAIN =
            json("{'model':'m','max_tokens':9,'messages':[{'role':'user','content':'hi'}]}");
    private static final String STREAM = PLAIN.replaceFirst("\\{", "{\"stream\":true,");
    private static final List<String> BOTH = List.of(PLAIN, STREAM);

    /** {@code expected} is the status, then the text said or the error's message, which the backend gave. */
    private record Row(String name, List<String> bodies, int requests, String expected, Backend.Script... scripts) { }

    /** Backends that fail in passing: their scripts are taken in turn, the last one again and again. */
    private static final List<Row> AGAIN = List.of(
            new Row("reset", BOTH, 2, "200 good", Backend.Call::reset, GOOD),
            new Row("reset twice", BOTH, 3, "200 good", Backend.Call::reset, Backend.Call::reset, GOOD),
            new Row("reset for ever", BOTH, 3, "502 127.0.0.1", Backend.Call::reset),
            new Row("closed", BOTH, 2, "200 good", call -> { }, GOOD),
            new Row("closed for ever", BOTH, 3, "502 127.0.0.1", call -> { }),
            new Row("closed within the headers", BOTH, 2, "200 good", call -> call.raw("HTTP/1.1 200 OK\r\nco"), GOOD),
            new Row("502", BOTH, 2, "200 good", Backend.refusing(502, "one"), GOOD),
            new Row("503", BOTH, 2, "200 good", Backend.refusing(503, "one"), GOOD),
            new Row("504", BOTH, 2, "200 good", Backend.refusing(504, "one"), GOOD),
            new Row("529", BOTH, 2, "200 good", Backend.refusing(529, "one"), GOOD),
            new Row("503 twice", BOTH, 3, "200 good", Backend.refusing(503, "one"), Backend.refusing(503, "two"), GOOD),
            new Row("529, reset", BOTH, 3, "200 good", Backend.refusing(529, "one"), Backend.Call::reset, GOOD),
            new Row("503 and more", BOTH, 3, "529 <3>",
                    Backend.refusing(503, "<1>"), Backend.refusing(502, "<2>"), Backend.refusing(529, "<3>")),
            new Row("504 for ever", BOTH, 3, "504 slow", Backend.refusing(504, "slow")),
            new Row("reset, then 503", BOTH, 3, "529 busy", Backend.Call::reset, Backend.refusing(503, "busy")),
            new Row("503, then 400", BOTH, 2, "400 wrong", Backend.refusing(503, "busy"), Backend.refusing(400, "wrong")),
            new Row("503, then 500", BOTH, 2, "500 broken", Backend.refusing(503, "busy"), Backend.refusing(500, "broken")),
            new Row("429 with 0", BOTH, 2, "200 good", Backend.refusing(429, "one", "retry-after: 0"), GOOD),
            new Row("429 with 0 for ever", BOTH, 3, "429 slowly", Backend.refusing(429, "slowly", "retry-after: 0")),
            new Row("503 in a stream", List.of(STREAM), 2, "200 good",
                    failing("{'error':{'code':503,'message':'x'}}"), GOOD),
            new Row("502 in a stream", List.of(STREAM), 2, "200 good",
                    failing("{'error':{'code':502,'message':'x'}}"), GOOD),
            new Row("overload in a stream", List.of(STREAM), 3, "529 full",
                    failing("{'error':{'type':'server_overloaded','message':'it is full'}}")),
            new Row("overload after the role", List.of(STREAM), 2, "200 good", call -> call.events()
                    .write(": wait\n\n").data(Backend.ROLE, json("{'error':{'code':503,'message':'x'}}")).end(), GOOD));

    /** What another try would not change, or the client must know of. */
    private static final List<Row> ONCE = List.of(
            new Row("500", BOTH, 1, "500 why", Backend.refusing(500, "why"), GOOD),
            new Row("400", BOTH, 1, "400 why", Backend.refusing(400, "why"), GOOD),
            new Row("401", BOTH, 1, "401 why", Backend.refusing(401, "why"), GOOD),
            new Row("403", BOTH, 1, "403 why", Backend.refusing(403, "why"), GOOD),
            new Row("404", BOTH, 1, "404 why", Backend.refusing(404, "why"), GOOD),
            new Row("unpaid", BOTH, 1, "402 Insufficient Balance", Backend.refusing(429, "Insufficient Balance"), GOOD),
            new Row("429", BOTH, 1, "429 why", Backend.refusing(429, "why"), GOOD),
            new Row("429 with 6", BOTH, 1, "429 why", Backend.refusing(429, "why", "retry-after: 6"), GOOD),
            new Row("429 with a day", BOTH, 1, "429 why", Backend.refusing(429, "why", "retry-after: 86400"), GOOD),
            new Row("429 in a stream", List.of(STREAM), 1, "429 x",
                    failing("{'error':{'code':429,'message':'x'}}"), GOOD),
            new Row("400 in a stream", List.of(STREAM), 1, "400 x",
                    failing("{'error':{'code':400,'message':'x'}}"), GOOD));

    private static String json(String quoted) {
        return quoted.replace('\'', '"');
    }

    /** {@return a script of a stream that begins with that error} */
    private static Backend.Script failing(String error) {
        return call -> call.events().data(json(error)).end();
    }

    /** @param expected the status, then the text that was said or stands in the error's message */
    private static void assertReply(String expected, Wire.Reply reply) {
        String[] parts = expected.split(" ", 2);
        assertEquals(parts[0], String.valueOf(reply.status()), reply.body());
        String text = reply.status() == 200 ? reply.said() : reply.text("error.message");
        assertTrue(text.contains(parts[1]), text);
    }

    // Trying again

    private static Stream<DynamicTest> tests(List<Row> rows) {
        return rows.stream().map(row -> DynamicTest.dynamicTest(row.name, () -> prove(row)));
    }

    private static void prove(Row row) throws Exception {
        for (String body : row.bodies) {
            try (var farm = new Farm(PatientClock.withoutPauses(), 1)) {
                farm.get(0).answers(row.scripts);
                assertReply(row.expected, farm.post(body, "x-api-key: K"));
                assertEquals(row.requests, farm.get(0).requests(), "requests");
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> whatFailsInPassingIsTriedTwiceMore() {
        return tests(AGAIN);
    }

    @TestFactory
    Stream<DynamicTest> whatAnotherTryWouldNotChangeIsPassedOnAtOnce() {
        return tests(ONCE);
    }

    @Test
    void theSameRequestIsSentAgain() throws Exception {
        try (var farm = new Farm(1, "--header", "x-title: t")) {
            farm.get(0).answers(Backend.refusing(503, "busy"), Backend.Call::reset, GOOD);
            assertReply("200 good", farm.post(STREAM, "x-api-key: K"));
            String first = whole(farm.get(0).take());
            for (int i = 0; i < 2; i++) assertEquals(first, whole(farm.get(0).take()));
        }
    }

    private static String whole(Backend.Call call) {
        return call.line() + call.headers() + call.text();
    }

    @Test
    void aRateLimitOfSomeSecondsIsWaitedFor() throws Exception {
        for (int seconds : new int[] {1, 5}) {
            var clock = new HeldClock();
            try (var farm = new Farm(clock, 1)) {
                farm.get(0).answers(Backend.refusing(429, "slowly", "retry-after: " + seconds), GOOD);
                FutureTask<Wire.Reply> reply = Tasks.ask(() -> farm.post(PLAIN));
                clock.awaitWait(seconds * 1000);
                assertEquals(1, farm.get(0).requests());
                clock.passes(seconds * 1000);
                assertReply("200 good", Tasks.outcome(reply));
                assertEquals(2, farm.get(0).requests());
            }
        }
    }

    /** The JDK's server does not tell of a client that has left until something is written to it. */
    @Test
    @Disabled("nothing is written before the reply, so nobody knows that the client has left")
    void aClientThatLeavesEndsTheWait() throws Exception {
        try (var farm = new Farm(new PatientClock(), 1); var next = new Farm(new PatientClock(), 1)) {
            farm.get(0).answers(Backend.refusing(429, "slowly", "retry-after: 1"), GOOD);
            try (var wire = new Wire(farm.proxy.port())) {
                wire.message(STREAM);
                farm.get(0).take();
            }
            next.get(0).answers(Backend.refusing(429, "slowly", "retry-after: 2"), GOOD);
            assertReply("200 good", next.post(STREAM)); // the clock: twice the time of the wait
            assertEquals(1, farm.get(0).requests());
        }
    }

    @Test
    void aReplyThatBreaksAfterItsFirstWordIsNotAskedForAgain() throws Exception {
        List<Backend.Script> ends = List.of(call -> { }, Backend.Call::reset,
                call -> call.data(json("{'error':{'code':503,'message':'x'}}")).end());
        for (Backend.Script end : ends) {
            var read = new CountDownLatch(1);
            try (var farm = new Farm(2); var wire = new Wire(farm.proxy.port())) {
                farm.get(0).answers(call -> {
                    call.events().data(Backend.chunk("half"));
                    Tasks.await(read);
                    end.answer(call);
                }, GOOD);
                wire.message(STREAM).until("half");
                read.countDown();
                Wire.Reply reply = wire.reply();
                assertEquals("half", reply.said());
                assertEquals("error", reply.last().name());
                assertEquals(List.of(1, 0), farm.requests());
            }
        }
    }

    @Test
    void aBackendThatSaysNothingInTimeIsNotAskedAgain() throws Exception {
        var clock = new HeldClock();
        var over = new CountDownLatch(1);
        try (var farm = new Farm(clock, 1, "--timeout", "7")) {
            farm.get(0).answers(call -> Tasks.await(over), GOOD);
            FutureTask<Wire.Reply> reply = Tasks.ask(() -> farm.post(STREAM));
            farm.get(0).take();
            clock.elapse(7_000);
            assertReply("504 127.0.0.1", Tasks.outcome(reply));
            assertEquals(1, farm.get(0).requests());
            over.countDown();
        }
    }

    /** What a reply may linger after its finish_reason says nothing of the next backend's silence. */
    @Test
    void aReplyThatFinishedBadlyLeavesTheNextBackendItsTime() throws Exception {
        var clock = new HeldClock();
        String bad = json("{'choices':[{'index':0,'delta':{},'finish_reason':'insufficient_system_resource'}]}");
        try (var farm = new Farm(clock, 2)) {
            farm.get(0).answers(call -> {
                call.events().data(bad);
                clock.awaitWait(5_000); // it lingers
                call.data("[DONE]").end();
            });
            farm.get(1).answers(call -> {
                clock.awaitWait(300_000);
                clock.passes(299_000);
                clock.awaitWait(1_000);
                Backend.saying("from 1").answer(call);
            });
            assertReply("200 from 1", farm.post(PLAIN));
            assertEquals(List.of(1, 1), farm.requests());
        }
    }

    @Test
    void theTimeToWaitIsPassedOnUpToAMinute() throws Exception {
        try (var farm = new Farm(1)) {
            for (String[] pair : new String[][] {{"6", "6"}, {"60", "60"}, {"61", "60"}, {"86400", "60"}}) {
                for (int status : new int[] {429, 500}) {
                    farm.get(0).answers(Backend.refusing(status, "why", "retry-after: " + pair[0]));
                    assertEquals(pair[1], farm.post(STREAM).headers().get("retry-after"), status + " " + pair[0]);
                }
            }
            farm.get(0).answers(Backend.refusing(429, "why"));
            assertNull(farm.post(STREAM).headers().get("retry-after"));
        }
    }
}
