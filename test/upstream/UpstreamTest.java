package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import config.Api;
import config.CommandLine;
import config.Options;
import config.Target;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
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

    private static CompletableFuture<?> send(Upstream upstream, String json, Arrivals arrived) {
        return upstream.send(Api.CHAT, new JsonWriter().put("%", json), "", arrived);
    }

    private static Object next(Arrivals arrived) throws InterruptedException {
        return arrived.poll(WAIT_NANOS);
    }

    /** {@return what comes of the first request that needs no new connection, as the reply before has ended} */
    private static Arrivals sendOnTheSameConnection(Upstream upstream, Backend backend)
            throws Exception {
        for (int i = 0; i < MAX_TRIES; i++) {
            int connections = backend.connections();
            var arrived = new Arrivals(new PatientClock());
            send(upstream, "another", arrived);
            backend.take();
            if (backend.connections() == connections) return arrived;
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
            var unwanted = new Arrivals(new PatientClock());
            CompletableFuture<?> sent = send(upstream, "first", unwanted);
            backend.take();
            backend.answers(call -> {
                Tasks.await(another);
                call.reply(200, "text/plain", "wanted", "connection: close");
            });
            Arrivals wanted = sendOnTheSameConnection(upstream, backend);
            unwanted.stop(sent);
            another.countDown();
            var head = assertInstanceOf(HttpResponse.ResponseInfo.class, next(wanted));
            assertEquals(200, head.statusCode());
            assertEquals("wanted", new String((byte[]) next(wanted), StandardCharsets.UTF_8));
            assertEquals(0, ((byte[]) next(wanted)).length);
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
            var arrived = new Arrivals(new PatientClock());
            CompletableFuture<?> sent = send(upstream(backend), "unwanted", arrived);
            backend.take();
            for (int i = 0; i < pieces; i++) assertNotNull(next(arrived));
            arrived.stop(sent);
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

    private static void arrive(Arrivals.Receiving receiving, Demand demand, int bytes) {
        demand.pieces--;
        receiving.onNext(List.of(ByteBuffer.wrap(new byte[bytes - bytes / 2]), ByteBuffer.wrap(new byte[bytes / 2])));
    }

    @Test
    void aReplyWaitsWhile64KbOfItHaveNotBeenTaken() throws Exception {
        var demand = new Demand();
        var arrived = new Arrivals(new PatientClock());
        var receiving = new Arrivals.Receiving(arrived);
        receiving.onSubscribe(demand);
        assertEquals(4, demand.pieces);
        for (int i = 0; i < 4; i++) arrive(receiving, demand, 16_384);
        assertEquals(0, demand.pieces);
        for (int i = 1; i <= 4; i++) {
            assertEquals(16_384, ((byte[]) next(arrived)).length);
            assertTrue(demand.pieces > 0 && demand.pieces <= i, i + " taken, " + demand.pieces + " requested");
        }
        receiving.onComplete();
        assertEquals(0, ((byte[]) next(arrived)).length);
    }

    @Test
    void smallPiecesWaitForNobody() throws Exception {
        var demand = new Demand();
        var arrived = new Arrivals(new PatientClock());
        var receiving = new Arrivals.Receiving(arrived);
        receiving.onSubscribe(demand);
        for (int i = 0; i < 100; i++) {
            arrive(receiving, demand, i % 10 == 0 ? 0 : 200);
            assertTrue(demand.pieces > 0 && demand.pieces <= 4, i + ": " + demand.pieces);
        }
        for (int i = 0; i < 90; i++) assertEquals(200, ((byte[]) next(arrived)).length);
        assertTrue(arrived.isEmpty());
    }
}
