package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import testing.Backend;
import testing.Programs;
import testing.Proxies;
import testing.Tasks;
import testing.Wire;
import upstream.SystemClock;

/** Three instances behind a real nginx and a real HAProxy, set up as the README says: a rolling restart loses nothing. */
@Execution(ExecutionMode.CONCURRENT)
@Order(1)
class BalancerTest {
    private static final int CLIENTS = 40;
    private static final int DRAIN_SECONDS = 30;
    private static final int PIECE_MILLIS = 250; // from one piece of a reply to the next
    private static final String STREAM = """
            {"stream":true,"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""";

    @TempDir
    Path folder;

    private final CountDownLatch end = new CountDownLatch(1);

    /** {@return the lines of that block of the README, with those ports in place of 3578 to 3580 and 8080} */
    private static String lines(String language, List<Integer> instances, int listening) throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        Matcher block = Pattern.compile("(?s)\n```" + language + "\n(.*?)```\n").matcher(readme);
        assertTrue(block.find(), "no block of " + language);
        String lines = block.group(1).replaceAll("\\b8080\\b", "" + listening);
        for (int i = 0; i < instances.size(); i++) {
            String port = "127.0.0.1:" + (3578 + i);
            assertTrue(lines.contains(port), lines);
            lines = lines.replace(port, "127.0.0.1:" + instances.get(i));
        }
        return lines;
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Sends requests until the end, on one connection or each on its own. {@return how many} */
    private int load(int port, boolean isKept, CountDownLatch begun) throws IOException {
        int served = 0;
        while (end.getCount() > 0) {
            try (var wire = new Wire(port)) {
                boolean isOpen = true;
                while (isOpen && end.getCount() > 0) {
                    Wire.Reply reply = wire.message(STREAM).reply();
                    assertEquals("Hello there", reply.said(), reply.body());
                    isOpen = isKept && !"close".equals(reply.headers().get("connection"));
                    served++;
                    begun.countDown();
                }
            }
        }
        return served;
    }

    /** A reply in three pieces, with some time between them. */
    private void speak(Backend.Call call) throws Exception {
        call.events().data(Backend.ROLE, Backend.chunk("Hello"));
        end.await(PIECE_MILLIS, TimeUnit.MILLISECONDS);
        call.data(Backend.chunk(" there"));
        end.await(PIECE_MILLIS, TimeUnit.MILLISECONDS);
        call.data(Backend.FINISH, Backend.USAGE, "[DONE]").end();
    }

    private static boolean answers(int port) {
        try {
            return Wire.post(port, STREAM).status() == 200;
        } catch (IOException e) { // it does not listen yet
            return false;
        }
    }

    /** A balancer before instances at those ports, which listens at that port. */
    private interface Balancer {
        Process start(List<Integer> instances, int listening) throws Exception;
    }

    /** Restarts three instances one after the other, at the same ports, while clients go on asking. */
    private void rollingRestart(Balancer balancer) throws Exception {
        List<Proxy> instances = new ArrayList<>();
        Process process = null;
        try (var backend = new Backend()) {
            backend.answers(this::speak);
            for (int i = 0; i < 3; i++) instances.add(Proxies.before(SystemClock.INSTANCE, backend));
            List<Integer> ports = instances.stream().map(Proxy::port).toList();
            int listening = freePort();
            process = balancer.start(ports, listening);
            Process started = process;
            Tasks.await(() -> answers(listening) || !started.isAlive(), "the balancer does not serve");
            assertTrue(process.isAlive(), () -> said(started));
            var begun = new CountDownLatch(CLIENTS);
            List<FutureTask<Integer>> clients = IntStream.range(0, CLIENTS)
                    .mapToObj(i -> Tasks.ask(() -> load(listening, i % 2 == 0, begun))).toList();
            Tasks.await(() -> begun.getCount() == 0 || clients.stream().anyMatch(FutureTask::isDone), "no load");
            for (int i = 0; i < 3; i++) {
                instances.get(i).drain(DRAIN_SECONDS);
                instances.get(i).close();
                instances.set(i, Proxies.before(SystemClock.INSTANCE, backend, "--port", "" + ports.get(i)));
            }
            end.countDown();
            int served = 0;
            for (FutureTask<Integer> client : clients) served += Tasks.outcome(client);
            assertTrue(served > CLIENTS, "only " + served);
        } finally {
            end.countDown();
            if (process != null) process.destroy();
            instances.forEach(Proxy::close);
        }
    }

    private static String said(Process process) {
        try {
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void nginxLosesNothing() throws Exception {
        assumeTrue(Programs.isThere("nginx"), "nginx is not installed");
        rollingRestart((instances, listening) -> {
            String temporary = IntStream.range(0, 5).mapToObj(i -> List.of("client_body", "proxy", "fastcgi", "uwsgi",
                    "scgi").get(i) + "_temp_path " + folder + "/temporary" + i + ";\n").reduce("", String::concat);
            Path config = Files.writeString(folder.resolve("nginx.conf"), """
                    daemon off;
                    worker_processes 1;
                    pid %1$s/nginx.pid;
                    error_log stderr error;
                    events { worker_connections 1000; }
                    http {
                    access_log off;
                    %2$s%3$s}
                    """.formatted(folder, temporary, lines("nginx", instances, listening)));
            return Programs.start("nginx", "-c", config.toString(), "-p", folder.toString());
        });
    }

    @Test
    void haproxyLosesNothing() throws Exception {
        assumeTrue(Programs.isThere("haproxy"), "HAProxy is not installed");
        rollingRestart((instances, listening) -> {
            Path config = Files.writeString(folder.resolve("haproxy.cfg"), lines("haproxy", instances, listening));
            return Programs.start("haproxy", "-f", config.toString());
        });
    }
}
