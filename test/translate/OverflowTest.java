package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import testing.Backend;
import testing.Proxies;
import testing.Tree;
import testing.Wire;

/** A request whose prompt fits into the context window, but not together with the reply that it allows. */
class OverflowTest {
    private static final String ASKED =
            "{\"model\":\"m\",\"max_tokens\":%d,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String REFUSED = """
            {"error":{"message":"This model's maximum context length is 8192 tokens. However, you requested %d tokens \
            (%d in the messages, %d in the completion). Please reduce the length of the messages or completion.",\
            "type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}""";

    private static long limit(Backend.Call call) {
        return Long.parseLong(((Tree.Num) Tree.at(Tree.of(call.text()), "max_tokens")).text());
    }

    /** {@return the limits of the requests for a reply of 4000 tokens, whose prompt is so long} */
    private static List<Long> limits(int prompt, int status) throws Exception {
        try (var backend = new Backend(); var proxy = Proxies.before(backend)) {
            backend.answers(call -> {
                long total = prompt + limit(call);
                boolean isTooMuch = total > 8192;
                if (isTooMuch) {
                    call.reply(400, "application/json", REFUSED.formatted(total, prompt, limit(call)));
                } else {
                    Backend.saying("h").answer(call);
                }
            });
            assertEquals(status, Wire.post(proxy.port(), ASKED.formatted(4000)).status());
            var limits = new ArrayList<Long>();
            while (limits.size() < backend.requests()) limits.add(limit(backend.take()));
            return limits;
        }
    }

    /** The backend may count a little otherwise the next time: 128 tokens of the window stay free. */
    @Test
    void theReplyIsGivenTheRoomThatIsLeft() throws Exception {
        assertEquals(List.of(4000L, 8192L - 5000 - 128), limits(5000, 200));
        assertEquals(List.of(4000L, 1024L), limits(8192 - 128 - 1024, 200));
    }

    @Test
    void aReplyOfLessThanAThousandTokensIsNotWorthATry() throws Exception {
        assertEquals(List.of(4000L), limits(8192 - 128 - 1023, 400));
    }
}
