package serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Tasks;
import testing.Wire;

/** A backend that says more than anyone waits for. */
class BurstTest {
    /** Stops at the fifth stop sequence, which A2o looks for itself; nine hundred chunks of a byte or so come behind. */
    private static final String STOPPED = """
            {"model":"m","max_tokens":9,"stream":true,"stop_sequences":["a","b","c","d","END"],
            "messages":[{"role":"user","content":"hi"}]}""";

    /** The JDK's client reads on where nobody waits for more, or the connection would stay open. */
    @Test
    void whatNobodyWaitsForHoldsNothingUp() throws Exception {
        int requests = 20;
        var left = new CountDownLatch(requests);
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            backend.answers(call -> {
                call.raw("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
                String event = "data: " + Backend.chunk("END") + "\n\n";
                var burst = new StringBuilder("%x\r\n%s\r\n".formatted(event.length(), event));
                for (int i = 0; i < 900; i++) burst.append("1\r\n:\r\n");
                call.raw(burst.toString());
                call.awaitLeft();
                left.countDown();
            });
            for (int i = 0; i < requests; i++) {
                assertEquals("message_stop", Wire.post(proxy.port(), STOPPED).last().name());
            }
            Tasks.await(left);
        }
    }
}
