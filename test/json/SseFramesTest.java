package json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The bytes of each event, wherever the pieces of the stream end. */
class SseFramesTest {
    private static final byte[] NONE = {};

    private static String text(byte[] bytes) { return new String(bytes, StandardCharsets.UTF_8); }

    /** {@return frame and data of each event, of a stream that comes in pieces of that many bytes} */
    private static List<String> read(String stream, int size) {
        byte[] all = stream.getBytes(StandardCharsets.UTF_8);
        var pieces = new ArrayDeque<byte[]>();
        for (int at = 0; at < all.length; at += size) {
            pieces.add(Arrays.copyOfRange(all, at, Math.min(all.length, at + size)));
        }
        var frames = new SseFrames(() -> Objects.requireNonNullElse(pieces.poll(), NONE));
        List<String> found = new ArrayList<>();
        for (Optional<SseEvent> event = frames.next(); event.isPresent(); event = frames.next()) {
            found.add(text(event.get().frame()) + "|" + text(event.get().data()));
        }
        return found;
    }

    @Test
    void eventsKeepTheirBytes() {
        String stream = "event: a\ndata: {\"é\":1}\n\n: comment\n\ndata: 1\r\ndata:  2\r\n\r\n\nid: 7\nretry: 1\ndata:x\n\n";
        List<String> expected = List.of("event: a\ndata: {\"é\":1}\n\n|{\"é\":1}", ": comment\n\n|",
                "data: 1\r\ndata:  2\r\n\r\n|1\n2", "\n|", "id: 7\nretry: 1\ndata:x\n\n|x");
        for (int size = 1; size <= stream.length() + 1; size++) assertEquals(expected, read(stream, size));
    }

    @Test
    void whatTheStreamBreaksOffIsDropped() {
        for (String rest : List.of("data: {\"a\":", "data: 1\n", "event: b", ":")) {
            assertEquals(List.of("data: 0\n\n|0"), read("data: 0\n\n" + rest, 3), rest);
        }
        assertTrue(read("", 1).isEmpty());
    }

    @Test
    void anErrorIsOneByItsName() {
        var bytes = new ArrayDeque<>(List.of("event: error\ndata: {}\n\n".getBytes(StandardCharsets.UTF_8)));
        var frames = new SseFrames(() -> Objects.requireNonNullElse(bytes.poll(), NONE));
        assertTrue(frames.next().orElseThrow().isError());
    }
}
