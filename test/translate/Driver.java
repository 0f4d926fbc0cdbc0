package translate;

import java.util.Optional;
import json.Sse;
import json.SseEvent;

/** Has a conversation read a stream of events, as those do who receive it. */
final class Driver {
    private Driver() { }

    static void read(Sse events, Conversation conversation) {
        read(events, conversation, () -> { });
    }

    /** Reads until nothing more comes or is wanted, and runs {@code afterEach} event but the last. */
    static void read(Sse events, Conversation conversation, Runnable afterEach) {
        while (true) {
            Optional<SseEvent> event = events.next();
            if (event.isEmpty() || conversation.event(event.get())) return;
            afterEach.run();
        }
    }
}
