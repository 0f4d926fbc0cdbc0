package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import config.Api;
import config.CommandLine;
import config.Options;
import config.Target;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import json.JsonWriter;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.PatientClock;
import testing.Tasks;

/** Requests to a backend and what comes of them, without the exchange that is usually around them. */
class UpstreamTest {
    private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(Tasks.WAIT_SECONDS);
    private static final int MAX_TRIES = 1000;

    private static Upstream upstream(Backend backend) throws Exception {
        String[] args = {"--upstream", backend.url().toString()};
        Options options = Options.of(CommandLine.read(args, Map.of()));
        Target target = options.upstreams().getFirst();
        return new Upstream(options, target, new Places(10, new PatientClock()), new PatientClock());
    }

    private static Arrivals send(Upstream upstream, String text) {
        return upstream.send(Api.CHAT, new JsonWriter().string(text), ClientHeaders.of(""));
    }

    private static Arrival next(Arrivals arrivals) throws InterruptedException {
        return arrivals.poll(WAIT_NANOS).orElseThrow();
    }

    private static byte[] nextBytes(Arrivals arrivals) throws InterruptedException {
        return assertInstanceOf(Arrival.Piece.class, next(arrivals)).bytes();
    }

    /** {@return what comes of the first request that needs no new connection, as the reply before has ended} */
    private static Arrivals sendOnTheSameConnection(Upstream upstream, Backend backend)
            throws Exception {
        for (int i = 0; i < MAX_TRIES; i++) {
            int connections = backend.connections();
            Arrivals another = send(upstream, "another");
            backend.take();
            if (backend.connections() == connections) return another;
        }
        throw new AssertionError("the first connection is not used again");
    }

    /**
     * A reply has ended and its connection serves another request before anybody has read the reply. When
     * it is not wanted any more, the connection must stay open.
     */
    @Test
    void aReplyThatIsNotWantedDoesNotEndTheNextOneOnItsConnection() throws Exception {
        var another = new CountDownLatch(1);
        try (var backend = new Backend()) {
            Upstream upstream = upstream(backend);
            backend.answers(call -> call.reply(200, "text/plain", "unwanted"));
            Arrivals unwanted = send(upstream, "first");
            backend.take();
            backend.answers(call -> {
                Tasks.await(another);
                call.reply(200, "text/plain", "wanted", "connection: close");
            });
            Arrivals wanted = sendOnTheSameConnection(upstream, backend);
            unwanted.close();
            another.countDown();
            assertEquals(200, assertInstanceOf(Arrival.Head.class, next(wanted)).status());
            assertEquals("wanted", new String(nextBytes(wanted), StandardCharsets.UTF_8));
            assertInstanceOf(Arrival.End.class, next(wanted));
        }
    }

    private static void assertIsStopped(Backend.Script begin, int pieces) throws Exception {
        var left = new CountDownLatch(1);
        try (var backend = new Backend()) {
            backend.answers(call -> {
                begin.answer(call);
                call.awaitLeft();
                left.countDown();
            });
            Arrivals unwanted = send(upstream(backend), "unwanted");
            backend.take();
            for (int i = 0; i < pieces; i++) next(unwanted);
            unwanted.close();
            Tasks.await(left);
        }
    }

    @Test
    void aRequestIsStoppedBeforeItsReply() throws Exception {
        assertIsStopped(call -> { }, 0);
    }

    @Test
    void aReplyIsStoppedWhereNothingComes() throws Exception {
        assertIsStopped(call -> call.events().data("{}"), 2);
        assertIsStopped(call -> call.unbounded("text/plain").write("some of it"), 2);
        assertIsStopped(call -> call.raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"), 2);
    }

    @Test
    void aReplyIsStoppedWhereMuchComes() throws Exception {
        assertIsStopped(call -> {
            call.events();
            try {
                while (true) call.data("x".repeat(100_000));
            } catch (IOException closed) {
                // as it should be
            }
        }, 1);
    }

    /** How many pieces a reply may still send. */
    private static final class Demand implements Flow.Subscription {
        private long pieces;

        @Override
        public void request(long more) {
            pieces += more;
        }

        @Override
        public void cancel() { }
    }

    private static void arrive(Arrivals.Receiver receiver, Demand demand, int bytes) {
        demand.pieces--;
        receiver.onNext(List.of(ByteBuffer.wrap(new byte[bytes - bytes / 2]), ByteBuffer.wrap(new byte[bytes / 2])));
    }

    @Test
    void aReplyWaitsWhile64KbOfItHaveNotBeenTaken() throws Exception {
        var demand = new Demand();
        var arrived = new Arrivals(new PatientClock());
        var receiver = new Arrivals.Receiver(arrived);
        receiver.onSubscribe(demand);
        assertEquals(4, demand.pieces);
        for (int i = 0; i < 4; i++) arrive(receiver, demand, 16_384);
        assertEquals(0, demand.pieces);
        for (int i = 1; i <= 4; i++) {
            assertEquals(16_384, nextBytes(arrived).length);
            assertTrue(demand.pieces > 0 && demand.pieces <= i, i + " taken, " + demand.pieces + " requested");
        }
        receiver.onComplete();
        assertInstanceOf(Arrival.End.class, next(arrived));
    }

    @Test
    void smallPiecesWaitForNobody() throws Exception {
        var demand = new Demand();
        var arrived = new Arrivals(new PatientClock());
        var receiver = new Arrivals.Receiver(arrived);
        receiver.onSubscribe(demand);
        for (int i = 0; i < 100; i++) {
            arrive(receiver, demand, i % 10 == 0 ? 0 : 200);
            assertTrue(demand.pieces > 0 && demand.pieces <= 4, i + ": " + demand.pieces);
        }
        for (int i = 0; i < 90; i++) assertEquals(200, nextBytes(arrived).length);
        assertTrue(arrived.isEmpty());
    }
}
