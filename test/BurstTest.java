import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Isolated;

/** A backend that says more than anyone waits for. */
@Isolated("it counts threads")
@Timeout(60)
class BurstTest {
    /** Stops at the fifth stop sequence, which A2o looks for itself; nine hundred chunks of a byte or so come behind. */
    private static final String STOPPED = """
            {"model":"m","max_tokens":9,"stream":true,"stop_sequences":["a","b","c","d","END"],
            "messages":[{"role":"user","content":"hi"}]}""";

    private static Proxy proxy(Backend backend) throws Exception {
        var proxy = new Proxy(Options.of(Options.read(
                new String[] {"--port", "0", "--upstream", backend.url().toString()}, Map.of())));
        proxy.start();
        return proxy;
    }

    private static long waiting() {
        return Thread.getAllStackTraces().values().stream()
                .filter(stack -> List.of(stack).toString().matches(".*Upstream\\S*put\\(.*")).count();
    }

    @Test
    void whatNobodyWaitsForHoldsNoThread() throws Exception {
        try (var backend = new Backend(); var proxy = proxy(backend)) {
            backend.answers(call -> {
                call.raw("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
                String event = "data: " + Backend.chunk("END") + "\n\n";
                var burst = new StringBuilder("%x\r\n%s\r\n".formatted(event.length(), event));
                for (int i = 0; i < 900; i++) burst.append("1\r\n:\r\n");
                call.raw(burst.toString());
                call.isLeft(5000);
            });
            for (int i = 0; i < 20; i++) assertEquals("message_stop", Wire.post(proxy.port(), STOPPED).last().name());
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (waiting() > 0 && System.nanoTime() < until) Thread.onSpinWait();
            assertEquals(0, waiting());
        }
    }
}
