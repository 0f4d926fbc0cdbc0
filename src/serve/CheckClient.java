package serve;

import anthropic.ListedModel;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Asks proxies of this process, over a socket as clients do; takes the time, and notes what they left out.
 */
final class CheckClient {
    private static final String DROPPED = "dropped_"; // how the names of such warnings begin
    private static final double SECOND = 1e9; // in nanoseconds

    private final HttpClient http = HttpClient.newHttpClient();
    private final String key;
    private final Duration patience; // for a whole reply
    private final Set<String> leftOut = new LinkedHashSet<>();

    CheckClient(String key, Duration patience) {
        this.key = key;
        this.patience = patience;
    }

    CheckReply ask(Proxy proxy, String json) {
        URI url = URI.create("http://127.0.0.1:%d/v1/messages".formatted(proxy.port()));
        HttpRequest request = HttpRequest.newBuilder(url).header("x-api-key", key)
                .POST(HttpRequest.BodyPublishers.ofString(json)).build();
        long start = System.nanoTime();
        var head = new AtomicLong(); // when it came
        CompletableFuture<HttpResponse<String>> sent = http.sendAsync(request, info -> {
            head.set(System.nanoTime());
            noteWarnings(info.headers());
            return HttpResponse.BodySubscribers.ofString(StandardCharsets.UTF_8);
        });
        try {
            HttpResponse<String> reply = sent.orTimeout(patience.toSeconds(), TimeUnit.SECONDS).join();
            double fromHead = (System.nanoTime() - head.get()) / SECOND;
            return CheckReply.of(reply.statusCode(), reply.body(), (head.get() - start) / SECOND, fromHead);
        } catch (CompletionException e) { // too late, or the connection broke
            return CheckReply.missing();
        }
    }

    private void noteWarnings(HttpHeaders headers) {
        for (String warnings : headers.allValues("x-proxy-warnings")) {
            for (String warning : warnings.split(",")) leftOut.add(warning.replace(DROPPED, ""));
        }
    }

    /** {@return the models that the first backend lists for this client's key, if it does in time} */
    List<ListedModel> listed(Proxy proxy) {
        boolean isKeyOurs = proxy.hasAuthKeys(); // then it is none for a backend
        return proxy.firstBackend().models().listed(isKeyOurs ? "" : key, patience);
    }

    /** {@return what backends could not be sent, as the proxies have warned of it} */
    List<String> leftOut() { return List.copyOf(leftOut); }
}
