package config;

import java.util.Optional;
import java.util.stream.Stream;

/** An API by which a backend can be asked: one of OpenAI's, or the one that clients speak. */
public enum Api {
    CHAT("/chat/completions", "chat"),
    RESPONSES("/responses", "responses"),
    MESSAGES("/messages", "messages");

    private final String path; // below the base
    private final String word;

    Api(String path, String word) {
        this.path = path;
        this.word = word;
    }

    /** {@return the API that the path of a URL names} */
    static Optional<Api> atTheEndOf(String path) {
        return Stream.of(values()).filter(api -> path.endsWith(api.path)).findFirst();
    }

    String path() { return path; }
    /** {@return its name for the log and the status page} */
    public String word() { return word; }
}
