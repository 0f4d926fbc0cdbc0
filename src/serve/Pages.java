package serve;

import anthropic.ApiError;
import com.sun.net.httpserver.Headers;
import config.Options;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import json.JsonWriter;
import upstream.Upstreams;

/** Tells those who run the proxy how it does: health, readiness, status, metrics, and a page for browsers. */
final class Pages {
    /** The first of the kinds that a browser accepts: {@code text/html,application/xhtml+xml;q=0.9}. */
    private static final Pattern HTML_FIRST = Pattern.compile("(?i)[^,]*\\b(text/html|xhtml)\\b.*");

    private final Status status;
    private final Drain drain;
    private final Supplier<Upstreams> current;
    private final Messages messages;

    /** {@code messages} knows the requests that are being answered. */
    Pages(Status status, Drain drain, Supplier<Upstreams> current, Messages messages) {
        this.status = status;
        this.drain = drain;
        this.current = current;
        this.messages = messages;
    }

    /** Answers a browser with the page, others as {@link #health}. */
    void home(Client client) throws IOException {
        if (!HTML_FIRST.matcher(client.header("accept", "")).matches()) {
            health(client);
            return;
        }
        Headers headers = client.http().getResponseHeaders();
        headers.set("cache-control", "no-store");
        Thread.ofVirtual().start(() -> current.get().askWindow("", "")); // the page shows it once it is known
        client.answer(200, StatusPage.html(headers));
    }

    void health(Client client) throws IOException {
        headers(client, "application/json");
        client.answer(200, new JsonWriter().object()
                .field("name", "a2o")
                .field("version", Options.VERSION)
                .field("status", "ok").endObject());
    }

    /** @throws ApiError 503 if no request should be sent here now */
    void ready(Client client) throws IOException {
        client.http().getResponseHeaders().set("cache-control", "no-store");
        drain.notePoll();
        Optional<String> whyNot = status.whyNotReady();
        if (whyNot.isPresent()) throw new ApiError(503, whyNot.get());
        health(client);
    }

    void status(Client client) throws IOException {
        headers(client, "application/json");
        client.answer(200, status.json(messages.inFlight(), messages.running()));
    }

    void metrics(Client client) throws IOException {
        headers(client, "text/plain; version=0.0.4; charset=utf-8");
        client.answer(200, status.metrics(messages.inFlight()));
    }

    private static Headers headers(Client client, String contentType) {
        Headers headers = client.http().getResponseHeaders();
        headers.set("cache-control", "no-store");
        headers.set("content-type", contentType);
        return headers;
    }
}
