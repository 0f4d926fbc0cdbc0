package serve;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import testing.Backend;
import testing.Legal;
import testing.PatientClock;
import testing.Proxies;
import testing.Sockets;
import testing.Tasks;
import testing.Tree;
import testing.Wire;

/**
 * Many exchanges at once, with a backend that fails in every way and clients that leave: see {@link SoakPlan}. Each
 * client must see what fits the last answer that the backend gave for it. {@code -Dsoak=N} is the number of exchanges,
 * {@code -Dsoak.seed=S} makes others of them.
 */
@Order(2)
@ResourceLock("log")
class SoakTest {
    private static final int EXCHANGES = Integer.getInteger("soak", 300);
    private static final long SEED = Long.getLong("soak.seed", 1);
    private static final int CLIENTS = 50; // at a time
    private static final int MAX_SECONDS = 300 + EXCHANGES / 5; // for all
    private static final long MAX_WAIT_MILLIS = 5_000; // before another try, and after finish_reason
    private static final int MAX_SHOWN = 5;
    private static final String STALE = "the connection broke before a reply came";
    private static final int MAX_ASKED = 3;
    private static final Pattern MARKER = Pattern.compile("I am \\((\\d+)\\)");
    private static final Map<Integer, String> TYPES = Map.of(400, "invalid_request_error", 401, "authentication_error",
            404, "not_found_error", 413, "request_too_large", 429, "rate_limit_error", 500, "api_error",
            502, "api_error", 504, "timeout_error", 529, "overloaded_error");
    private static final Logger LOG = Logger.getLogger("a2o"); // held, or its filter would be lost

    private static final String UNASKED = "never came to the backend";
    private static final List<SoakPlan> PLANS =
            IntStream.range(0, EXCHANGES).mapToObj(number -> new SoakPlan(SEED, number)).toList();
    private static final Queue<SoakPlan> TO_DO = new ConcurrentLinkedQueue<>(PLANS);
    private static final Queue<Throwable> FAILURES = new ConcurrentLinkedQueue<>();
    private static final Queue<Throwable> BUGS = new ConcurrentLinkedQueue<>(); // that the proxy has logged
    private static final Set<String> IDS = ConcurrentHashMap.newKeySet();
    private static final Map<String, Integer> TALLY = new ConcurrentHashMap<>(); // each exchange counts once
    private static final AtomicInteger MIGHT_RECOVER = new AtomicInteger();
    private static final Semaphore IDLE = new Semaphore(Integer.MAX_VALUE); // a permit less for each busy connection
    private static final AtomicLong SLOWEST = new AtomicLong();
    private static int unfinished;
    private static Backend backend;
    private static Proxy proxy;
    private static Proxy responsesProxy; // asks by the Responses API

    @BeforeAll
    static void soak() throws Exception {
        backend = new Backend().answers(SoakTest::answer);
        LOG.setLevel(Level.WARNING);
        LOG.setFilter(entry -> entry.getThrown() == null || !BUGS.add(entry.getThrown()));
        proxy = Proxies.before(new PatientClock(MAX_WAIT_MILLIS), backend, "--max-connections", "" + CLIENTS);
        responsesProxy = Proxies.start(new PatientClock(MAX_WAIT_MILLIS), "--max-connections", "" + CLIENTS,
                "--upstream", backend.url().toString().replace("/chat/completions", "/responses"));
        long begun = System.nanoTime();
        unfinished = (int) atOnce(SoakTest::client, MAX_SECONDS).stream().filter(Future::isCancelled).count();
        System.out.printf("soak: %d exchanges of seed %d in %.1f s, the slowest in %.1f s, %d might recover: %s%n",
                EXCHANGES, SEED, (System.nanoTime() - begun) / 1e9, SLOWEST.get() / 1e9, MIGHT_RECOVER.get(),
                new TreeMap<>(TALLY));
    }

    @AfterAll
    static void end() throws IOException {
        LOG.setFilter(null);
        proxy.close();
        responsesProxy.close();
        backend.close(); // which fails if a script has
    }

    private static <T> List<Future<T>> atOnce(Callable<T> client, int seconds) throws InterruptedException {
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
        try {
            return clients.invokeAll(Collections.nCopies(CLIENTS, client), seconds, TimeUnit.SECONDS);
        } finally {
            clients.shutdownNow();
        }
    }

    private static void answer(Backend.Call call) throws Exception {
        IDLE.acquire();
        try {
            var marker = MARKER.matcher(call.text());
            assertTrue(marker.find(), call::text);
            SoakPlan plan = PLANS.get(Integer.parseInt(marker.group(1)));
            plan.answer(plan.asked.incrementAndGet()).send(call);
        } finally {
            IDLE.release();
        }
    }

    /** Does one exchange after the other, over one connection as long as that can be. */
    private static Void client() throws IOException {
        SoakPlan plan = TO_DO.poll();
        while (plan != null) {
            boolean isResponses = plan.isResponses;
            try (var wire = new Wire((isResponses ? responsesProxy : proxy).port())) {
                boolean stays = true;
                for (; stays && plan != null && plan.isResponses == isResponses; plan = TO_DO.poll()) {
                    stays = exchange(plan, wire);
                }
            }
        }
        return null;
    }

    /** {@return whether the connection may be used again} */
    private static boolean exchange(SoakPlan plan, Wire wire) {
        long begun = System.nanoTime();
        try {
            wire.message(plan.request());
            if (plan.leave != SoakPlan.Leave.NEVER) {
                if (plan.leave != SoakPlan.Leave.AT_ONCE) wire.begin();
                count("left");
                return false;
            }
            check(plan, wire.reply());
            SLOWEST.accumulateAndGet(System.nanoTime() - begun, Math::max);
            return plan.number % 4 > 0;
        } catch (Exception | AssertionError e) {
            FAILURES.add(new AssertionError("-Dsoak.seed=%d: %s, %s".formatted(SEED, e.getMessage(), plan), e));
            return false;
        }
    }

    private static void count(String what) {
        TALLY.merge(what, 1, Integer::sum);
    }

    private static void check(SoakPlan plan, Wire.Reply reply) {
        int asked = plan.asked.get();
        boolean isStale = asked < MAX_ASKED && reply.body().contains(STALE); // a kept connection had just been closed
        SoakPlan.Outcome outcome = isStale ? SoakPlan.UNASKED : plan.answer(asked).outcome();
        assertTrue(IDS.add(reply.headers().get("request-id")), "an id of another request");
        boolean isStream = reply.headers().get("content-type").equals("text/event-stream; charset=utf-8");
        boolean failed = reply.status() != 200 || reply.body().contains("event: error\n");
        assertTrue(failed ? outcome.failed() : outcome.whole(), reply::toString);
        assertEquals(plan.stream && reply.status() == 200, isStream, reply::toString);
        if (!failed) {
            String said = isStream ? Legal.stream(reply.body(), false) : Legal.message(reply.body());
            assertEquals(plan.said, said);
            String id = isStream ? reply.events().getFirst().text("message.id") : reply.text("id");
            assertTrue(IDS.add(id), "an id of another message");
        } else if (isStream) {
            assertTrue(outcome.shown(), () -> "an event where a status could be: " + reply);
            assertTrue(plan.said.startsWith(Legal.stream(reply.body(), true)), reply::toString);
            checkError(plan, outcome, reply, reply.last().data());
        } else {
            assertEquals(outcome.status(), reply.status(), reply::toString);
            assertEquals("application/json", reply.headers().get("content-type"));
            String wait = outcome.retryAfter() > 0 ? "" + outcome.retryAfter() : null;
            assertEquals(wait, reply.headers().get("retry-after"));
            checkError(plan, outcome, reply, reply.json());
        }
        boolean again = plan.answer(1).outcome().mayBeRetried();
        assertTrue(asked <= (again ? MAX_ASKED : 1) * (plan.answer(1).length() == 0 ? 2 : 1), reply::toString);
        if (again && plan.times < MAX_ASKED) MIGHT_RECOVER.incrementAndGet();
        String good = asked > plan.times ? "recovered from " + plan.fault : "whole";
        count(!failed ? good : isStream ? "error event" : asked == 0 ? UNASKED : "error status");
    }

    private static void checkError(SoakPlan plan, SoakPlan.Outcome outcome, Wire.Reply reply, Object error) {
        assertEquals("error", Tree.at(error, "type"));
        assertEquals(TYPES.get(outcome.status()), Tree.at(error, "error.type"), reply::toString);
        assertEquals(reply.headers().get("request-id"), Tree.at(error, "request_id"));
        String message = (String) Tree.at(error, "error.message");
        assertEquals(outcome.told(), message.contains(plan.marker()), message);
    }

    @Test
    void everyExchangeEndsAsItMust() {
        assertAll(FAILURES.stream().limit(MAX_SHOWN).map(failure -> () -> {
            throw failure;
        }));
        assertEquals(0, FAILURES.size());
    }

    /** Also where a connection was taken that the backend closed just then: the proxy asks again. */
    @Test
    void theBackendIsAsked() {
        assertEquals(0, TALLY.getOrDefault(UNASKED, 0), TALLY::toString);
    }

    @Test
    void noneHangs() {
        assertEquals(0, unfinished, "clients that were not done");
        assertEquals(EXCHANGES, FAILURES.size() + TALLY.values().stream().mapToInt(count -> count).sum());
    }

    @Test
    void noneLeavesTheBackendBusy() throws Exception {
        assertTrue(IDLE.tryAcquire(Integer.MAX_VALUE, Tasks.WAIT_SECONDS, TimeUnit.SECONDS), "the backend still answers somebody");
        IDLE.release(Integer.MAX_VALUE);
    }

    @Test
    void noneMeetsABugOfTheProxy() {
        assertEquals(List.of(), List.copyOf(BUGS));
    }

    /** As many exchanges as may be in flight, none of which is answered before all are there. */
    @Test
    void noneKeepsAPlaceAmongTheRequestsInFlight() throws Exception {
        var allHere = new CountDownLatch(CLIENTS);
        backend.answers(call -> {
            allHere.countDown();
            Tasks.await(allHere);
            Backend.saying("all is well").answer(call);
        });
        String request = new SoakPlan(SEED, 0).request();
        for (Future<Wire.Reply> reply : atOnce(() -> Wire.post(proxy.port(), request), MAX_SECONDS)) {
            assertEquals("all is well", reply.get().said());
        }
    }

    /** Connections that nobody uses are closed after four seconds; of all others none may be left. */
    @Test
    void noneLeavesASocketOpen() throws Exception {
        assumeTrue(Sockets.canBeCounted(), "no /proc here");
        Tasks.await(() -> Sockets.to(backend.url().getPort()) == 0, "a socket to the backend is left open");
    }

    @Test
    void someRecover() {
        assertTrue(TALLY.containsKey("recovered from STATUS"), TALLY::toString);
    }
}
