package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Tasks;
import testing.Wire;

/** Instances behind a balancer are restarted one after the other, and no client loses a request. */
@Order(2)
class RestartTest {
    private static final int PIECE_MILLIS = 50; // from the begin of a reply to its end
    private static final String BODY = """
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""";
    private static final String STREAM = BODY.replaceFirst("\\{", "{\"stream\":true,");

    /** An instance, and whether it was ready when last asked. */
    private static final class Instance {
        private final Proxy proxy;
        private final int port;
        private final CountDownLatch polled = new CountDownLatch(1);
        private volatile boolean isReady = true;

        private Instance(Proxy proxy) {
            this.proxy = proxy;
            this.port = proxy.port();
        }
    }

    /**
     * Passes connections on, bytes as they are, to instances that say they are ready: HTTP is nothing to it, and a
     * client's connection stays with the instance that it began with.
     */
    private static final class Balancer implements AutoCloseable {
        private final ServerSocket server = new ServerSocket(0, 200, InetAddress.getByName("127.0.0.1"));
        private final List<Instance> instances = new CopyOnWriteArrayList<>();
        private final AtomicInteger next = new AtomicInteger();

        private Balancer() throws IOException {
            Thread.ofVirtual().start(this::accept);
        }

        private void accept() {
            try {
                while (true) {
                    Socket client = server.accept();
                    Thread.ofVirtual().start(() -> serve(client));
                }
            } catch (IOException closed) {
                // the end of the test
            }
        }

        private void serve(Socket client) {
            try (client; Socket instance = connected()) {
                client.setTcpNoDelay(true);
                instance.setTcpNoDelay(true);
                Thread.ofVirtual().start(() -> pass(client, instance));
                pass(instance, client);
            } catch (IOException e) {
                // the client sees that its connection is closed
            }
        }

        /** {@return a connection to one that is ready, or seemed so: the next, where that one takes none any more} */
        private Socket connected() throws IOException {
            for (int tries = 1; ; tries++) {
                List<Instance> ready = instances.stream().filter(instance -> instance.isReady).toList();
                Instance one = ready.get(Math.floorMod(next.getAndIncrement(), ready.size()));
                try {
                    return new Socket("127.0.0.1", one.port);
                } catch (IOException e) {
                    if (tries > ready.size()) throw e;
                }
            }
        }

        private static void pass(Socket from, Socket to) {
            try {
                from.getInputStream().transferTo(to.getOutputStream());
            } catch (IOException e) {
                // as an end
            }
        }

        /** Asks an instance a few times a second whether it is ready, until it says no. */
        private void watch(Instance instance, CountDownLatch end) throws InterruptedException {
            Tasks.begin(() -> {
                while (instance.isReady && !end.await(200, TimeUnit.MILLISECONDS)) {
                    int status = Wire.ask(instance.port, "GET", "/ready", new byte[0]).status();
                    instance.isReady = status == 200;
                    instance.polled.countDown();
                }
            });
            Tasks.await(instance.polled);
            instances.add(instance);
        }

        @Override
        public void close() throws IOException { server.close(); }
    }

    /** A reply that takes a moment, so that at any time some are in flight, and the processor is not only busy with them. */
    private static void speak(Backend.Call call, CountDownLatch end) throws Exception {
        if (!call.text().contains("\"stream\":true")) {
            end.await(PIECE_MILLIS, TimeUnit.MILLISECONDS);
            call.reply(200, "application/json", Backend.completion("Hello there"));
            return;
        }
        call.events().data(Backend.ROLE, Backend.chunk("Hello"));
        end.await(PIECE_MILLIS, TimeUnit.MILLISECONDS);
        call.data(Backend.chunk(" there"), Backend.FINISH, Backend.USAGE, "[DONE]").end();
    }

    private static Instance instance(Backend backend) throws Exception {
        return new Instance(Proxies.before(backend));
    }

    /** Sends requests on one connection until it is told that it is closed, then on the next. {@return how many} */
    private static int load(Balancer balancer, CountDownLatch begun, CountDownLatch end) throws IOException {
        int served = 0;
        while (end.getCount() > 0) {
            try (var wire = new Wire(balancer.server.getLocalPort())) {
                boolean isKept = true;
                while (isKept && end.getCount() > 0) {
                    Wire.Reply reply = wire.message(served % 2 == 0 ? BODY : STREAM).reply();
                    assertEquals("Hello there", reply.said());
                    isKept = !"close".equals(reply.headers().get("connection"));
                    served++;
                    begun.countDown();
                }
            }
        }
        return served;
    }

    @Test
    void aRollingRestartLosesNothing() throws Exception {
        var begun = new CountDownLatch(100);
        var end = new CountDownLatch(1);
        try (var backend = new Backend(); var balancer = new Balancer()) {
            backend.answers(call -> speak(call, end));
            for (int i = 0; i < 2; i++) balancer.watch(instance(backend), end);
            List<FutureTask<Integer>> clients =
                    IntStream.range(0, 8).mapToObj(i -> Tasks.ask(() -> load(balancer, begun, end))).toList();
            Tasks.await(begun);
            for (Instance old : List.copyOf(balancer.instances)) {
                balancer.watch(instance(backend), end);
                old.proxy.drain(Tasks.WAIT_SECONDS);
                old.proxy.close();
            }
            end.countDown();
            int served = 0;
            for (FutureTask<Integer> client : clients) served += Tasks.outcome(client);
            assertTrue(served > 100, "only " + served);
        }
    }
}
