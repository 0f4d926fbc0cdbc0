package upstream;

import config.Options;
import config.Target;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import json.JsonWriter;

/** The HTTP client of one backend. It sends requests as they are, and knows neither keys nor retries. */
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
            if (all == null) return; // it has been handed over
            reader.onNext(all);
            reader.onComplete();
        }
    }

    private final CompletableFuture<HttpClient> client; // made in the background: it would hold up the start

    /** @throws IOException if the certificates of {@code --ca-cert} cannot be read */
    Transport(Options options, Target target, URI url, Clock clock) throws IOException {
        HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
                .proxy(ProxySelector.of(target.proxy().orElse(null)))
                .connectTimeout(clock.outside(CONNECT_TIMEOUT))
                .executor(Executors.newVirtualThreadPerTaskExecutor()); // no change of threads for each step
        if (options.caCert().isPresent()) {
            builder.sslContext(Tls.trusting(options.caCert().get()));
        } else if (url.getScheme().equals("http")) {
            builder.sslContext(Tls.none());
        }
        this.client = CompletableFuture.supplyAsync(builder::build);
    }

    /** Posts {@code body}; else as {@link #send}. */
    CompletableFuture<?> post(HttpRequest.Builder request, JsonWriter body, Arrivals arrived) {
        var all = new AtomicReference<>(ByteBuffer.wrap(body.buffer(), 0, body.size())); // until it is sent
        request.POST(HttpRequest.BodyPublishers.fromPublisher(
                reader -> reader.onSubscribe(new Sending(reader, all)), body.size()));
        return send(request.build(), arrived);
    }

    CompletableFuture<?> get(HttpRequest.Builder request, Arrivals arrived) {
        return send(request.GET().build(), arrived);
    }

    /**
     * Sends a request; the head of the reply, its bytes and what ends it are put into {@code arrived}.
     *
     * <p>Workaround for JDK 21 to 25: after a malformed reply head, or too many interim replies, the client
     * fails the future and leaves the socket open for ever. {@link HttpClient} says that futures derived from
     * the one of a reply cancel the exchange too, unless they are complete. So this makes one that never
     * completes, and cancels it.
     *
     * @return that future; cancelling it closes the connection
     */
    private CompletableFuture<?> send(HttpRequest request, Arrivals arrived) {
        var hasHead = new AtomicBoolean();
        CompletableFuture<HttpResponse<Void>> reply = client.join().sendAsync(request, head -> {
            refuseNegativeLength(head);
            hasHead.set(true);
            arrived.put(head);
            return HttpResponse.BodySubscribers.fromSubscriber(new Arrivals.Receiving(arrived));
        });
        CompletableFuture<Void> open = reply.handle((whole, failure) -> new CompletableFuture<Void>())
                .thenCompose(Function.identity());
        reply.whenComplete((whole, failure) -> {
            if (failure != null) {
                open.cancel(true);
                arrived.put(failure);
            } else if (!hasHead.get()) { // JDK 21 to 25: a proxy's 407 to CONNECT is a reply without a body
                open.cancel(true);
                arrived.put(new IOException(NO_TUNNEL + whole.statusCode()));
            }
        });
        return open;
    }

    /** The JDK's client would wait for a body of that length until the connection closes. */
    private static void refuseNegativeLength(HttpResponse.ResponseInfo head) {
        if (head.headers().firstValueAsLong("content-length").orElse(0) < 0) {
            throw new IllegalArgumentException("a content-length below zero");
        }
    }
}
