package upstream;

import config.Options;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import json.JsonWriter;

/**
 * The HTTP client of one backend or search service. It sends requests as they are: it adds no key and retries
 * nothing.
 */
final class Transport {
    static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(8);
    static final String NO_TUNNEL = "Tunnel failed, got: "; // as the JDK says it; then a status
    private static final String MAX_HEAD_BYTES = "65536"; // of a reply; the JDK's default is 384 KB

    static { // read when the first reply is parsed
        System.setProperty("jdk.http.maxHeaderSize", MAX_HEAD_BYTES);
    }

    /** A request's body on its way out, as it is: the JDK's own publisher would copy it. */
    private record Sending(Flow.Subscriber<? super ByteBuffer> reader, AtomicReference<ByteBuffer> body)
            implements Flow.Subscription {
        @Override public void cancel() { }

        @Override
        public void request(long pieces) {
            ByteBuffer all = body.getAndSet(null);
            if (all == null) return; // it was sent by an earlier call
            reader.onNext(all);
            reader.onComplete();
        }
    }

    private final Clock clock;
    private final CompletableFuture<HttpClient> client; // made in the background: it would hold up the start

    /** @throws IOException if the certificates of {@code --ca-cert} cannot be read */
    Transport(Options options, Optional<InetSocketAddress> proxy, URI url, Clock clock) throws IOException {
        this.clock = clock;
        HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
                .proxy(ProxySelector.of(proxy.orElse(null)))
                .connectTimeout(clock.outside(CONNECT_TIMEOUT))
                .executor(executor(url));
        if (options.caCert().isPresent()) {
            builder.sslContext(Tls.trusting(options.caCert().get()));
        } else if (url.getScheme().equals("http")) {
            builder.sslContext(Tls.none());
        }
        this.client = CompletableFuture.supplyAsync(builder::build);
    }

    /**
     * {@return what runs the client's steps} They run on its one thread for input, for none of them blocks or
     * takes long; but those of TLS do.
     */
    private static Executor executor(URI url) {
        return url.getScheme().equals("http") ? Runnable::run : Executors.newVirtualThreadPerTaskExecutor();
    }

    /** Sends a POST with that JSON as its body. The reply may begin to arrive before this returns. */
    Arrivals post(HttpRequest.Builder request, JsonWriter json) {
        var body = new AtomicReference<>(ByteBuffer.wrap(json.buffer(), 0, json.size())); // until it is sent
        request.POST(HttpRequest.BodyPublishers.fromPublisher(
                reader -> reader.onSubscribe(new Sending(reader, body)), json.size()));
        return send(request.build());
    }

    Arrivals get(HttpRequest.Builder request) { return send(request.GET().build()); }

    /**
     * Sends a request.
     *
     * <p>Workaround for JDK 21 to 25: after a malformed reply head, or too many interim replies, the client
     * fails the future and leaves the socket open for ever. {@link HttpClient} says that futures derived from
     * the one of a reply cancel the exchange too, unless they are complete. So this makes one that never
     * completes, and cancels it.
     */
    private Arrivals send(HttpRequest request) {
        var arrivals = new Arrivals(clock);
        var hasHead = new AtomicBoolean();
        CompletableFuture<HttpResponse<Void>> reply = client.join().sendAsync(request, head -> {
            refuseNegativeLength(head);
            hasHead.set(true);
            arrivals.put(new Arrival.Head(head.statusCode(), head.headers()));
            return new Arrivals.Receiver(arrivals);
        });
        CompletableFuture<Void> open = reply.handle((whole, failure) -> new CompletableFuture<Void>())
                .thenCompose(Function.identity());
        arrivals.setRequest(open);
        reply.whenComplete((whole, failure) -> {
            if (failure != null) {
                open.cancel(true);
                arrivals.put(new Arrival.Broken(failure));
            } else if (!hasHead.get()) { // JDK 21 to 25: a proxy's 407 to CONNECT is a reply without a body
                open.cancel(true);
                arrivals.put(new Arrival.Broken(new IOException(NO_TUNNEL + whole.statusCode())));
            }
        });
        return arrivals;
    }

    /** The JDK's client would wait for a body of that length until the connection closes. */
    private static void refuseNegativeLength(HttpResponse.ResponseInfo head) {
        if (head.headers().firstValueAsLong("content-length").orElse(0) < 0) {
            throw new IllegalArgumentException("a content-length below zero");
        }
    }
}
