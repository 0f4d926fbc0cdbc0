package json;

import java.util.Optional;

/** The events of a reply, one after the other. */
public interface Events {
    /**
     * {@return the next event, none at the end; blocks until the event is whole}
     *
     * @throws Endless if it is too long
     */
    Optional<SseEvent> next();
}
