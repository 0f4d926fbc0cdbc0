import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;

/** The backend: sends it requests, no more at a time than allowed. Safe for use by many threads. */
final class Upstream {
    private static final long PATIENCE_SECONDS = 10; // to connect, and to get a place

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(PATIENCE_SECONDS)).build();
    private final Options options;
    private final URI url;
    private final Semaphore places;

    Upstream(Options options, URI url) {
        this.options = options;
        this.url = url;
        this.places = new Semaphore(Math.min(options.maxConnections(), options.maxConnectionsPerHost()), true);
    }

    /** Waits for a place among the requests in flight, and returns true; {@link #release} gives it back. */
    boolean acquire() throws InterruptedException {
        if (places.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) return true;
        throw new ApiError(529, "too many requests in flight (--max-connections)").retryAfter(1);
    }

    void release() { places.release(); }

    /**
     * Sends a request, with the client's key unless there is one for this backend, and waits for the reply's status.
     * Of the client's other headers none is sent on. The reply's body must be closed.
     *
     * @throws ApiError 502 if no reply came
     */
    HttpResponse<InputStream> send(Json.Writer body, String clientKey) throws InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(url).setHeader("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body.array(), 0, body.size()));
        String key = options.upstreamKey().orElse(clientKey);
        try {
            if (!key.isEmpty()) request.setHeader("authorization", "Bearer " + key);
            options.headers().forEach(header -> request.setHeader(header.name(), header.value()));
            return client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (IllegalArgumentException e) {
            throw new ApiError(401, "the key holds characters that no header may hold");
        } catch (IOException e) {
            throw new ApiError(502, "%s: %s".formatted(options.upstreamHost(), reason(e)));
        }
    }

    private String reason(IOException e) {
        return switch (e) {
            case ConnectException no when e.getCause() instanceof UnresolvedAddressException -> "the host is not known";
            case ConnectException no -> "cannot connect to %s; is the backend running?".formatted(url.getAuthority());
            case HttpConnectTimeoutException slow -> "no connection to %s in time".formatted(url.getAuthority());
            case SSLException tls -> "TLS failed: " + tls.getMessage();
            default -> "the connection broke before a reply came";
        };
    }
}
