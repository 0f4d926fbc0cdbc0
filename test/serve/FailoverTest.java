package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import config.UsageError;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.Farm;
import testing.HeldClock;
import testing.Proxies;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/** Several backends, in order of preference: which of them is asked, and with which key. No time passes meanwhile. */
class FailoverTest {
    private static final String PLAIN =
            json("{'model':'m','max_tokens':9,'messages':[{'role':'user','content':'hi'}]}");
    private static final String STREAM = PLAIN.replaceFirst("\\{", "{\"stream\":true,");

    private static String json(String quoted) {
        return quoted.replace('\'', '"');
    }

    /** {@return the URL of a port that nobody listens on} */
    private static String deadUrl() throws IOException {
        return "http://127.0.0.1:%d/v1".formatted(Backend.deadPort());
    }

    /** @param expected the status, then the text that was said or stands in the error's message */
    private static void assertReply(String expected, Wire.Reply reply) {
        String[] parts = expected.split(" ", 2);
        assertEquals(parts[0], String.valueOf(reply.status()), reply.body());
        String text = reply.status() == 200 ? reply.said() : reply.text("error.message");
        assertTrue(text.contains(parts[1]), text);
    }

    // Which backend is asked

    @Test
    void theFirstIsAskedWhileItWorks() throws Exception {
        try (var farm = new Farm(2)) {
            for (String body : List.of(PLAIN, STREAM, PLAIN)) assertReply("200 from 0", farm.post(body));
            assertEquals(List.of(3, 0), farm.requests());
        }
    }

    /** What a backend may do that another one makes good. */
    private static final Map<String, Backend.Script> FAILURES = Map.of(
            "500", Backend.refusing(500, "why"), "501", Backend.refusing(501, "why"), "502", Backend.refusing(502, "why"),
            "503", Backend.refusing(503, "why"), "504", Backend.refusing(504, "why"), "529", Backend.refusing(529, "why"),
            "429", Backend.refusing(429, "why"), "429 with a second", Backend.refusing(429, "why", "retry-after: 1"),
            "429 with a day", Backend.refusing(429, "why", "retry-after: 86400"));

    @TestFactory
    Stream<DynamicTest> theNextIsAskedAtOnceAndGoesOnBeingAsked() {
        return FAILURES.entrySet().stream().map(row -> DynamicTest.dynamicTest(row.getKey(), () -> {
            try (var farm = new Farm(2)) {
                farm.get(0).answers(row.getValue());
                assertReply("200 from 1", farm.post(STREAM, "x-api-key: K"));
                assertEquals(List.of(1, 1), farm.requests());
                assertReply("200 from 1", farm.post(PLAIN, "x-api-key: K"));
                assertEquals(List.of(1, 2), farm.requests());
            }
        }));
    }

    @Test
    void theNextGetsTheSameRequest() throws Exception {
        try (var farm = new Farm(2)) {
            farm.get(0).answers(Backend.refusing(503, "why"));
            assertReply("200 from 1", farm.post(STREAM, "x-api-key: K"));
            Backend.Call first = farm.get(0).take();
            Backend.Call second = farm.get(1).take();
            assertEquals(first.line() + first.text(), second.line() + second.text());
            assertEquals("Bearer K", second.headers().get("authorization"));
        }
    }

    @Test
    void aBackendThatIsNotThereIsPassedOver() throws Exception {
        try (var backend = new Backend();
                Proxy proxy = Proxies.start("--upstream", deadUrl(), "--upstream", backend.url().toString())) {
            for (int i = 0; i < 3; i++) assertReply("200 Hello there", Wire.post(proxy.port(), STREAM));
            assertEquals(3, backend.requests());
        }
    }

    @Test
    void aBackendThatIsNotThereIsSaidToBeSoAtOnce() throws Exception {
        try (Proxy proxy = Proxies.start("--upstream", deadUrl())) {
            assertReply("502 cannot connect", Wire.post(proxy.port(), STREAM));
        }
    }

    @Test
    void theThirdIsAskedWhenTwoFail() throws Exception {
        try (var farm = new Farm(3)) {
            farm.get(0).answers(Backend.refusing(503, "one"));
            farm.get(1).answers(Backend.refusing(429, "two"));
            for (int i = 0; i < 2; i++) assertReply("200 from 2", farm.post(STREAM));
            assertEquals(List.of(1, 1, 2), farm.requests());
        }
    }

    /** 500 is not tried again by itself, so that the numbers are exact. */
    @Test
    void whenAllFailTheClientSeesTheLastError() throws Exception {
        for (String body : List.of(PLAIN, STREAM)) {
            try (var farm = new Farm(2)) {
                farm.get(0).answers(Backend.refusing(500, "the first's words"));
                farm.get(1).answers(Backend.refusing(500, "the last's words"));
                assertReply("500 the last's words", farm.post(body));
                assertEquals(List.of(1, 1), farm.requests());
            }
        }
        try (var farm = new Farm(2)) {
            farm.get(0).answers(Backend.refusing(500, "the first's words"));
            farm.get(1).answers(Backend.refusing(429, "the last's words", "retry-after: 7"));
            Wire.Reply reply = farm.post(PLAIN);
            assertReply("429 the last's words", reply);
            assertEquals("7", reply.headers().get("retry-after"));
            assertEquals(List.of(1, 1), farm.requests());
        }
        try (Proxy proxy = Proxies.start("--upstream", deadUrl(), "--upstream", deadUrl())) {
            assertReply("502 127.0.0.1", Wire.post(proxy.port(), PLAIN));
        }
    }

    /** No error is made up here: with all of them set aside, at least one is asked. */
    @Test
    void aFarmThatHasFailedIsStillAsked() throws Exception {
        try (var farm = new Farm(2)) {
            for (int i = 0; i < 2; i++) farm.get(i).answers(Backend.refusing(500, "why"));
            assertReply("500 why", farm.post(PLAIN));
            for (int i = 0; i < 2; i++) farm.works(i);
            assertReply("200 from", farm.post(PLAIN));
        }
    }

    @Test
    void anErrorOfTheRequestIsNotTakenToAnother() throws Exception {
        try (var farm = new Farm(2)) {
            for (int status : new int[] {400, 401, 404}) {
                farm.get(0).answers(Backend.refusing(status, "why"));
                assertReply(status + " why", farm.post(STREAM, "x-api-key: K"));
            }
            farm.works(0);
            assertReply("200 from 0", farm.post(STREAM));
            assertEquals(List.of(4, 0), farm.requests());
        }
    }

    /** What one backend does not take, another one may. */
    @Test
    void whatIsLearnedOfOneIsNotHeldAgainstAnother() throws Exception {
        String request = PLAIN.replaceFirst("\\{", "{\"temperature\":0.5,");
        String refusal = "Unsupported parameter: 'temperature' is not supported with this model.";
        try (var farm = new Farm(2)) {
            farm.get(0).answers(call -> call.reply(400, "application/json", "{\"error\":\"%s\"}".formatted(refusal)),
                    Backend.saying("from 0"), Backend.refusing(500, "why"));
            assertReply("200 from 0", farm.post(request));
            assertReply("200 from 1", farm.post(request));
            List<Object> seen = new ArrayList<>();
            for (int i = 0; i < 3; i++) seen.add(Tree.at(Tree.of(farm.get(0).take().text()), "temperature"));
            seen.add(Tree.at(Tree.of(farm.get(1).take().text()), "temperature"));
            assertEquals(Arrays.asList(new Tree.Num("0.5"), null, null, new Tree.Num("0.5")), seen);
        }
    }

    @Test
    void nothingIsSentTwiceAfterTheFirstWord() throws Exception {
        var read = new CountDownLatch(1);
        try (var farm = new Farm(2); var wire = new Wire(farm.proxy.port())) {
            farm.get(0).answers(call -> {
                call.events().data(Backend.chunk("half"));
                Tasks.await(read);
            });
            wire.message(STREAM).until("half");
            read.countDown();
            Wire.Reply reply = wire.reply();
            assertEquals("error", reply.last().name());
            assertEquals("half", reply.said());
            assertEquals(List.of(1, 0), farm.requests());
        }
    }

    @Test
    void theLimitsOfABackendThatFailedAreNotThoseOfTheReply() throws Exception {
        try (var farm = new Farm(2)) {
            farm.get(0).answers(Backend.refusing(429, "why", "x-ratelimit-remaining-tokens: 0"));
            Wire.Reply reply = farm.post(PLAIN);
            assertReply("200 from 1", reply);
            assertNull(reply.headers().get("anthropic-ratelimit-tokens-remaining"));
        }
    }

    @Test
    void aBackendWithoutCreditIsNotTheLast() throws Exception {
        try (var farm = new Farm(2)) {
            farm.get(0).answers(call -> call.reply(429, "application/json",
                    "{\"error\":{\"message\":\"You exceeded your current quota\",\"code\":\"insufficient_quota\"}}"));
            assertReply("200 from 1", farm.post(PLAIN));
        }
    }

    /** Set aside for a second, then for two, up to a minute; what is asked meanwhile does not make it longer. */
    @Test
    void aBackendThatFailedIsTriedAgainAfterATimeThatGrows() throws Exception {
        var clock = new HeldClock();
        try (var farm = new Farm(clock, 2)) {
            farm.get(0).answers(Backend.refusing(500, "why"));
            int asked = 0;
            for (int seconds : new int[] {1, 2, 4, 8, 16, 32, 60, 60}) {
                assertReply("200 from 1", farm.post(PLAIN));
                assertEquals(++asked, farm.get(0).requests());
                clock.passes(seconds * 1000 - 1);
                assertReply("200 from 1", farm.post(PLAIN));
                assertEquals(asked, farm.get(0).requests());
                clock.passes(1);
            }
            farm.works(0);
            assertReply("200 from 0", farm.post(PLAIN));
            farm.get(0).answers(Backend.refusing(500, "why"));
            assertReply("200 from 1", farm.post(PLAIN));
            clock.passes(1000); // it begins anew
            farm.works(0);
            assertReply("200 from 0", farm.post(PLAIN));
        }
    }

    // Keys

    @Test
    void eachKeyIsForTheUpstreamOfTheSamePlace() throws Exception {
        try (var farm = new Farm(2, "--upstream-key", "K0", "--upstream-key", "K1")) {
            farm.get(0).answers(Backend.refusing(503, "why"));
            assertReply("200 from 1", farm.post(PLAIN, "x-api-key: CLIENT"));
            for (int i = 0; i < 2; i++) assertEquals("Bearer K" + i, farm.get(i).take().headers().get("authorization"));
        }
    }

    @Test
    void oneKeyIsForAllAndNoneLeavesTheClients() throws Exception {
        for (String[] args : new String[][] {{"--upstream-key", "OWN"}, {}}) {
            try (var farm = new Farm(2, args)) {
                farm.get(0).answers(Backend.refusing(503, "why"));
                assertReply("200 from 1", farm.post(PLAIN, "x-api-key: CLIENT"));
                String expected = "Bearer " + (args.length == 0 ? "CLIENT" : "OWN");
                for (int i = 0; i < 2; i++) assertEquals(expected, farm.get(i).take().headers().get("authorization"));
            }
        }
        try (var farm = new Farm(1)) {
            farm.post(PLAIN);
            assertNull(farm.get(0).take().headers().get("authorization"));
        }
    }

    /** Each of the keys is kept from the client, whichever backend quotes it. */
    @Test
    void noKeyOfTheProxyIsShownToTheClient() throws Exception {
        try (var farm = new Farm(2, "--upstream-key", "SECRET0", "--upstream-key", "SECRET1")) {
            farm.get(0).answers(Backend.refusing(500, "SECRET0 is wrong"));
            farm.get(1).answers(Backend.refusing(500, "SECRET1 is wrong"));
            Wire.Reply reply = farm.post(PLAIN);
            assertReply("500 is wrong", reply);
            assertFalse(reply.body().contains("SECRET"), reply.body());
        }
    }

    @Test
    void anotherNumberOfKeysIsAWrongUsage() {
        for (int[] numbers : new int[][] {{1, 2}, {2, 3}, {3, 2}}) {
            List<String> words = new ArrayList<>();
            for (int i = 0; i < numbers[0]; i++) words.addAll(List.of("--upstream", "http://backend.test/v1"));
            for (int i = 0; i < numbers[1]; i++) words.addAll(List.of("--upstream-key", "K" + i));
            String[] args = words.toArray(new String[0]);
            UsageError wrong =
                    assertThrows(UsageError.class, () -> Proxies.options(Map.of(), args), words.toString());
            assertEquals(2, wrong.exitStatus());
            assertTrue(wrong.getMessage().startsWith("a2o: --upstream-key"), wrong.getMessage());
            assertFalse(wrong.getMessage().contains("K0"), wrong.getMessage());
        }
    }

    @Test
    void theEnvironmentGivesUpstreamsAndKeysOneALine() throws Exception {
        try (var one = new Backend().answers(Backend.refusing(503, "why")); var two = new Backend()) {
            Map<String, String> environment =
                    Map.of("A2O_UPSTREAM", one.url() + "\n" + two.url(), "A2O_UPSTREAM_KEY", "K0\nK1");
            try (Proxy proxy = Proxies.start(environment)) {
                assertReply("200 Hello there", Wire.post(proxy.port(), PLAIN));
                assertEquals("Bearer K0", one.take().headers().get("authorization"));
                assertEquals("Bearer K1", two.take().headers().get("authorization"));
            }
        }
    }
}
