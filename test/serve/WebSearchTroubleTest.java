package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static testing.Searching.CUSTOM;
import static testing.Searching.SEARCH;
import static testing.Searching.asked;
import static testing.Searching.calling;
import static testing.Searching.end;
import static testing.Searching.number;
import static testing.Searching.query;
import static testing.Searching.results;
import static testing.Searching.types;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import testing.Backend;
import testing.HeldClock;
import testing.Logged;
import testing.Proxies;
import testing.RandomJson;
import testing.Searching;
import testing.Tree;
import testing.Wire;

/** Searches that fail, that take long, and models that do not stop: the reply goes on, and has an end. */
class WebSearchTroubleTest {
    /** When a ping is due, or a search has taken 20 s. */
    private static final int[] SECONDS = {0, 10, 11, 20, 21, 22, 32, 33, 40, 43, 44, 54, 55, 60};

    private static DynamicTest fails(String name, String code, String told, Backend.Script script) {
        return DynamicTest.dynamicTest(name, () -> {
            try (var setup = new Searching()) {
                setup.service.answers(script);
                for (boolean isStream : new boolean[] {true, false}) {
                    setup.backend.answers(calling("", "web_search", query("a")), Backend.saying("So be it."));
                    Wire.Reply reply = setup.post(asked(isStream, SEARCH, ""));
                    assertEquals(List.of(code), results(reply));
                    assertEquals("server_tool_use web_search_tool_result text", types(reply));
                    assertEquals("end_turn", end(reply, "stop_reason"));
                    assertEquals("0", number(end(reply, "usage"), "server_tool_use.web_search_requests"));
                    setup.backend.take();
                    String said = (String) Tree.at(setup.asked(), "messages.2.content");
                    assertTrue(said.contains(told), said);
                }
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> aServiceThatFailsIsAnErrorInTheResult() {
        String down = "the search service does not answer";
        return Stream.of(
                fails("a page", "unavailable", down, call -> call.reply(200, "text/html", "<html>hello</html>")),
                fails("JSON without a list", "unavailable", down, Searching.found("{\"error\":\"no\"}")),
                fails("half an object", "unavailable", down, Searching.found("{\"results\":[")),
                fails("nothing", "unavailable", down, Searching.found("")),
                fails("an end in mid-reply", "unavailable", down, call -> call.unbounded("application/json").raw("{\"re")),
                fails("what is no gzip", "unavailable", down, call -> {
                    byte[] bytes = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, (byte) 0xff, (byte) 0xff, (byte) 0xff};
                    call.unbounded("application/json").raw(bytes, 0, bytes.length);
                }),
                fails("a reset", "unavailable", down, Backend.Call::reset),
                fails("what is no HTTP", "unavailable", down, call -> call.raw("hello\r\n\r\n")),
                fails("status 403", "unavailable", down, Backend.refusing(403, "no")),
                fails("status 500", "unavailable", down, Backend.refusing(500, "no")),
                fails("a redirect", "unavailable", down, Backend.refusing(302, "no", "location: http://127.0.0.1:1/")),
                fails("status 414", "query_too_long", "use fewer words", Backend.refusing(414, "no")),
                fails("too much", "unavailable", down, call -> call.reply(200, "application/json",
                        "{\"results\":[],\"x\":\"%s\"}".formatted("x".repeat(3_000_000)))),
                fails("status 429", "too_many_requests", "fewer requests", Backend.refusing(429, "no")));
    }

    @Test
    void aServiceThatIsDownIsAnErrorInTheResult() throws Exception {
        try (var backend = new Backend(); var proxy =
                Proxies.before(backend, "--search", "http://127.0.0.1:%d".formatted(Backend.deadPort()))) {
            backend.answers(calling("", "web_search", query("a")), Backend.saying("Done."));
            assertEquals(List.of("unavailable"), results(Wire.post(proxy.port(), asked(true, SEARCH, ""))));
        }
    }

    @Test
    void anEmptyListIsNoError() throws Exception {
        try (var setup = new Searching()) {
            setup.service.answers(Searching.found("{\"results\":[]}"));
            setup.backend.answers(calling("", "web_search", query("a")), Backend.saying("Done."));
            assertEquals(List.of(0), results(setup.post(asked(true, SEARCH, ""))));
            setup.backend.take();
            assertEquals("No pages were found.", Tree.at(setup.asked(), "messages.2.content"));
        }
    }

    @Test
    @ResourceLock("log")
    void theLogSaysWhatSearXngNeeds() throws Exception {
        try (var log = new Logged(); var setup = new Searching()) {
            setup.service.answers(Backend.refusing(403, "Forbidden"));
            setup.backend.answers(calling("", "web_search", query("a")), Backend.saying("Done."));
            setup.post(asked(true, SEARCH, ""));
            assertTrue(log.line("has failed").contains("search.formats"), log.lines().toString());
        }
    }

    @Test
    void aCallThatCannotBeMadeIsNotMade() throws Exception {
        try (var setup = new Searching()) {
            String search = SEARCH.replace("\"max_uses\":8", "\"max_uses\":1");
            setup.backend.answers(calling("", "web_search", query("x".repeat(401)), "web_search", "{}",
                    "web_search", query("a"), "web_search", query("b")), Backend.saying("Done."));
            Wire.Reply reply = setup.post(asked(true, search, ""));
            assertEquals(List.of("query_too_long", "invalid_tool_input", 2, "max_uses_exceeded"), results(reply));
            assertEquals(1, setup.service.requests());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aModelThatNeverStopsSearchingIsStopped(boolean isStream) throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(calling("", "web_search", query("a")));
            Wire.Reply reply = setup.post(asked(isStream, SEARCH.replace(",\"max_uses\":8", ""), ""));
            assertEquals(10, setup.backend.requests());
            assertEquals(9, setup.service.requests());
            List<Object> all = new ArrayList<>(Collections.nCopies(9, 2));
            all.add("max_uses_exceeded");
            assertEquals(all, results(reply));
            assertEquals("pause_turn", end(reply, "stop_reason"));
            for (int i = 0; i < 9; i++) setup.backend.take();
            assertEquals("none", Tree.at(setup.asked(), "tool_choice"), "at last it is told to answer");
            setup.backend.answers(Backend.saying("At last."));
            assertEquals("At last.", setup.post("""
                    {"model":"m","max_tokens":100,"tools":[%s],"messages":[{"role":"user","content":"q"},
                    {"role":"assistant","content":%s}]}""".formatted(SEARCH, RandomJson.write(Searching.blocks(reply)))).said());
            List<?> messages = (List<?>) Tree.at(setup.asked(), "messages");
            assertEquals(21, messages.size());
            assertEquals("tool", Tree.at(messages.getLast(), "role"));
        }
    }

    /** More than a request may hold: the reply ends where the client can go on. */
    @Test
    void aReplyOfTooManyCallsIsPaused() throws Exception {
        try (var setup = new Searching()) {
            String[] calls = IntStream.range(0, 40_000).boxed().flatMap(i -> Stream.of("web_search", "{}"))
                    .toArray(String[]::new);
            setup.backend.answers(calling("", calls));
            Wire.Reply reply = setup.post(asked(false, SEARCH, ""));
            assertEquals(200, reply.status());
            assertEquals("pause_turn", end(reply, "stop_reason"));
            assertEquals(1, setup.backend.requests());
        }
    }

    @Test
    void theSearchesOfAReplyAreBounded() throws Exception {
        try (var setup = new Searching()) {
            String[] calls = IntStream.range(0, 25).boxed().flatMap(i -> Stream.of("web_search", query("q" + i)))
                    .toArray(String[]::new);
            setup.backend.answers(calling("", calls), Backend.saying("Done."));
            Wire.Reply reply = setup.post(asked(true, SEARCH.replace("8", "100"), ""));
            assertEquals(20, setup.service.requests());
            assertEquals(5, Collections.frequency(results(reply), "max_uses_exceeded"));
            assertEquals("end_turn", end(reply, "stop_reason"));
        }
    }

    @Test
    void aSlowServiceIsWaitedForWithPingsAndNotForLong() throws Exception {
        var clock = new HeldClock();
        try (var setup = new Searching(clock); var wire = new Wire(setup.proxy.port())) {
            setup.service.answers(Backend.Call::awaitLeft);
            setup.backend.answers(calling("", "web_search", query("a"), "web_search", query("b"),
                    "web_search", query("c"), "web_search", query("d")), Backend.saying("Done."));
            wire.message(asked(true, SEARCH, ""));
            setup.service.take();
            for (int i = 1; i < SECONDS.length; i++) {
                clock.elapse((SECONDS[i] - SECONDS[i - 1]) * 1_000L);
                boolean isOver = SECONDS[i] == 20 || SECONDS[i] == 40;
                if (isOver) setup.service.take();
            }
            Wire.Reply reply = wire.reply();
            assertEquals(Collections.nCopies(4, "unavailable"), results(reply));
            assertEquals(3, setup.service.requests(), "a minute for all of them");
            assertTrue(reply.body().contains("event: ping"), reply.body());
            assertEquals("message_stop", reply.last().name());
        }
    }

    @Test
    void aClientThatLeavesEndsTheSearch() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/net/tcp")), "only Linux shows who has left");
        var left = new CountDownLatch(1);
        var clock = new HeldClock();
        try (var setup = new Searching(clock)) {
            setup.service.answers(call -> {
                call.awaitLeft();
                left.countDown();
            });
            setup.backend.answers(calling("", "web_search", query("a")), Backend.saying("Done."));
            try (var wire = new Wire(setup.proxy.port())) {
                wire.message(asked(false, SEARCH, ""));
                setup.service.take();
            }
            for (int looks = 0; looks < 8 && left.getCount() > 0; looks++) {
                clock.passes(2_100); // then it is looked who has left; all of it is less than a search may take
                left.await(5, TimeUnit.SECONDS);
            }
            assertEquals(0, left.getCount(), "the search goes on");
            assertEquals(1, setup.backend.requests());
        }
    }

    /** What comes after a search can be asked for again, as long as nothing of it was shown. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFailureAfterTheSearchIsTriedAgain(boolean isStream) throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(calling("Look.", "web_search", query("a")), Backend.refusing(503, "busy"),
                    Backend.saying("Done."));
            Wire.Reply reply = setup.post(asked(isStream, SEARCH, ""));
            assertEquals("text server_tool_use web_search_tool_result text", types(reply));
            assertEquals("14", number(end(reply, "usage"), "input_tokens"));
            assertEquals(1, setup.service.requests());
            setup.backend.take();
            assertEquals(setup.backend.take().text(), setup.backend.take().text());
        }
    }

    @Test
    void aRefusalAfterTheSearchIsMendedAsEver() throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(calling("", "web_search", query("a")),
                    Backend.refusing(400, "Unrecognized request argument supplied: stream_options"),
                    Backend.saying("Done."));
            Wire.Reply reply = setup.post(asked(true, SEARCH, ""));
            assertEquals("server_tool_use web_search_tool_result text", types(reply));
            setup.backend.take();
            setup.backend.take();
            assertNull(Tree.at(setup.asked(), "stream_options"));
        }
    }

    @Test
    void aFailureInTheMiddleOfWhatFollowsIsAnError() throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(calling("", "web_search", query("a")), call -> {
                call.events().data(Backend.chunk("half"));
                call.reset();
            });
            Wire.Reply reply = setup.post(asked(true, SEARCH, ""));
            assertEquals("error", reply.last().name());
            setup.backend.answers(calling("", "web_search", query("a")), Backend.refusing(400, "no such thing"));
            assertEquals(400, setup.post(asked(false, SEARCH, "")).status());
        }
    }

    @Test
    void aReplyThatIsCutInACallEndsAtTheLimit() throws Exception {
        try (var setup = new Searching()) {
            setup.backend.answers(Searching.ending("length", "", "web_search", "{\"query\":\"wea"));
            for (boolean isStream : new boolean[] {true, false}) {
                Wire.Reply reply = setup.post(asked(isStream, SEARCH, ""));
                assertEquals("max_tokens", end(reply, "stop_reason"));
                assertEquals(List.of("invalid_tool_input"), results(reply));
            }
            assertEquals(0, setup.service.requests());
        }
    }

    /** The reply goes on at another backend, which has no service to search with. */
    @Test
    void anotherBackendMayGoOn() throws Exception {
        try (var one = new Backend(); var two = new Backend();
             var service = new Backend().answers(Searching.found(Searching.PAGES));
             var proxy = Proxies.start("--upstream", "one=" + one.url(), "--upstream", "two=" + two.url(),
                     "--map", "*=m@one,two", "--search", Searching.url(service) + "@one")) {
            Backend.Script search = calling("", "web_search", query("a"));
            Backend.Script broken = Backend.refusing(500, "broken");
            one.answers(call -> { // by what is asked: it may be asked for its models, too
                boolean isFirst = call.text().contains("what is new?") && !call.text().contains("tool_calls");
                (isFirst ? search : broken).answer(call);
            });
            two.answers(Backend.saying("Done."));
            Wire.Reply reply = Wire.post(proxy.port(), asked(true, SEARCH + "," + CUSTOM, ""));
            assertEquals("server_tool_use web_search_tool_result text", types(reply));
            assertEquals("1", number(end(reply, "usage"), "server_tool_use.web_search_requests"));
            Backend.Call last = two.take();
            while (last.line().startsWith("GET")) last = two.take();
            String asked = last.text();
            assertTrue(asked.contains("First excerpt"), asked);
            assertFalse(asked.contains("tool_calls"), asked);
        }
    }
}
