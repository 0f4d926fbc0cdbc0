import com.sun.net.httpserver.HttpExchange;
import java.io.FilterInputStream;
import java.io.Flushable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One request for a message and its reply. The thread that runs it blocks on the upstream; meanwhile {@link #tick},
 * called from another, ends a silence that is too long and keeps the client informed. The lock guards the translator,
 * the client's connection and the verdict.
 *
 * <p>Nothing is sent, not even the status, before the upstream has said something that means a reply, or
 * {@link #PATIENCE} has passed: until then an error still gets a status of its own, after that it is an event.
 */
final class Exchange implements Flushable {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(10); // also between two pings
    private static final long LINGER = TimeUnit.SECONDS.toNanos(5); // for usage and the end, after finish_reason
    private static final int MAX_ERROR_BYTES = 64 * 1024;
    private static final int MAX_DRAIN_BYTES = 64 * 1024;

    private final HttpExchange http;
    private final String requestId;
    private final Translator translator;
    private final Upstream upstream;
    private final long timeout;
    private final Thread thread = Thread.currentThread();
    private final ReentrantLock lock = new ReentrantLock();
    private final long begun = System.nanoTime();
    private OutputStream body; // the client's; null until the status is sent
    private long lastSent = begun;
    private boolean over; // nothing more goes to the client
    private ApiError verdict; // why the wait for the upstream was ended; null if it was not
    private long waitingSince; // nanoseconds; 0 while the upstream is not waited for
    private int status;

    Exchange(HttpExchange http, String requestId, Translator translator, Upstream upstream, Options options) {
        this.http = http;
        this.requestId = requestId;
        this.translator = translator;
        this.upstream = upstream;
        this.timeout = options.timeout().toNanos();
    }

    /** Runs to the end. @throws ApiError if that is to be answered with a status: nothing has been sent yet */
    void run(Json.Writer openai, String clientKey) throws IOException {
        try {
            if (translator.wantsNothing()) {
                translator.end();
                complete();
                return;
            }
            waiting();
            try {
                upstream.acquire();
            } finally {
                arrived();
            }
            try {
                exchange(openai, clientKey);
            } finally {
                upstream.release();
            }
        } catch (InterruptedException e) {
            fail(verdict == null ? new ApiError(503, "the proxy is stopping") : verdict);
        } catch (ApiError e) {
            fail(e);
        }
    }

    private void exchange(Json.Writer openai, String clientKey) throws IOException, InterruptedException {
        HttpResponse<InputStream> reply;
        waiting();
        try {
            reply = upstream.send(openai, clientKey);
        } finally {
            arrived();
        }
        try (InputStream in = new Watched(reply.body())) {
            String type = reply.headers().firstValue("content-type").orElse("").toLowerCase(Locale.ROOT);
            if (reply.statusCode() != 200 || type.contains("html")) throw refusal(reply, in);
            if (type.contains("json") && !type.contains("stream") && !type.contains("ndjson") && !type.contains("jsonl")) {
                whole(in);
            } else {
                events(in);
            }
        }
    }

    private ApiError refusal(HttpResponse<InputStream> reply, InputStream in) throws IOException {
        int status = reply.statusCode() == 200 ? 502 : reply.statusCode();
        long wait = reply.headers().firstValue("retry-after").filter(text -> text.matches("\\d{1,9}")).map(Long::parseLong).orElse(0L);
        return ApiError.ofUpstream(status, in.readNBytes(MAX_ERROR_BYTES), translator.errorContext()).withRetryAfter(wait);
    }

    private void whole(InputStream in) throws IOException {
        byte[] reply;
        try {
            reply = in.readAllBytes();
        } catch (IOException e) {
            throw cut();
        }
        try {
            translator.chunk(Json.parse(reply));
        } catch (Json.Malformed e) {
            throw new ApiError(502, "%s: the reply is %s".formatted(translator.errorContext().host(), e.getMessage()));
        }
        translator.finish(true);
        complete();
    }

    private ApiError cut() {
        return verdict != null ? verdict : new ApiError(502, "%s: the connection broke in mid-reply".formatted(translator.errorContext().host()));
    }

    private void events(InputStream in) throws IOException {
        var events = new Sse(in, this);
        try {
            for (boolean more = true; more && events.next(); ) {
                lock.lock();
                try {
                    more = !translator.event(events);
                } finally {
                    lock.unlock();
                }
            }
        } catch (IOException e) {
            if (!translator.isFinished()) throw cut();
        } catch (ApiError e) {
            if (e != verdict || !translator.isFinished()) throw e; // what has finished needs no more waiting
        }
        translator.finish(false);
        complete();
        if (!translator.isStopped() && verdict == null) in.readNBytes(MAX_DRAIN_BYTES); // to the end, so that the connection can serve again
    }

    /** Sends what is ready; called before every wait for the upstream. */
    @Override
    public void flush() throws IOException {
        lock.lock();
        try {
            if (translator.isStream() && translator.ready().size() > 0) send();
        } finally {
            lock.unlock();
        }
    }

    private void complete() throws IOException {
        lock.lock();
        try {
            send();
            over = true;
            body.close();
        } finally {
            lock.unlock();
        }
    }

    private void send() {
        try {
            Json.Writer ready = translator.ready();
            if (body == null) {
                status = 200;
                translator.warnings().stream().reduce((a, b) -> a + "," + b).ifPresent(codes -> http.getResponseHeaders().set("x-proxy-warnings", codes));
                body = translator.isStream() ? Proxy.begin(http, 200, "text/event-stream; charset=utf-8", 0)
                        : Proxy.begin(http, 200, "application/json", ready.size());
            }
            body.write(ready.array(), 0, ready.size());
            body.flush();
            ready.clear();
            lastSent = System.nanoTime();
        } catch (IOException e) {
            over = true;
            throw new ApiError(499, "the client has left");
        }
    }

    /** Before the first byte the error is thrown on, to be answered with its status; after it, it is an event. */
    private void fail(ApiError error) throws IOException {
        lock.lock();
        try {
            Thread.interrupted(); // it has done its work: the wait is over
            status = error.status();
            if (body == null && !over) {
                over = true;
                throw error;
            }
            if (over) return; // the client has left, or has all it needs
            over = true;
            translator.fail(error, requestId);
            send();
            body.close();
        } finally {
            lock.unlock();
        }
    }

    /** Looks after the exchange; called a few times a second with the time in nanoseconds. Never blocks. */
    void tick(long now) {
        if (!lock.tryLock()) return; // it is busy, so it needs no looking after
        try {
            long silence = waitingSince == 0 ? 0 : now - waitingSince;
            if (silence > timeout || silence > LINGER && translator.isFinished()) {
                endWait(new ApiError(504, "%s: nothing came for %d seconds".formatted(translator.errorContext().host(), TimeUnit.NANOSECONDS.toSeconds(silence))));
            } else if (silence > 0 && !over && translator.isStream() && now - lastSent > PATIENCE) {
                lastSent = now;
                Thread.ofVirtual().start(this::ping);
            }
        } finally {
            lock.unlock();
        }
    }

    private void endWait(ApiError reason) {
        verdict = reason;
        thread.interrupt();
    }

    private void ping() {
        lock.lock();
        try {
            if (over) return;
            translator.start();
            translator.ready().put("event: ping\ndata: {'type':'ping'}\n\n");
            send();
        } catch (ApiError gone) {
            if (waitingSince != 0) endWait(gone);
        } finally {
            lock.unlock();
        }
    }

    private void waiting() {
        lock.lock();
        waitingSince = System.nanoTime();
        lock.unlock();
    }

    /** The wait is over. @throws ApiError if it was ended by {@link #tick} */
    private void arrived() {
        lock.lock();
        try {
            waitingSince = 0;
            if (verdict != null) {
                Thread.interrupted();
                throw verdict;
            }
        } finally {
            lock.unlock();
        }
    }

    /** {@return the log's line about the exchange} */
    String summary() {
        return "%s %s %d %d ms".formatted(requestId, translator.summary(), status, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun));
    }

    /** The upstream's body, each read of which is a wait. */
    private final class Watched extends FilterInputStream {
        private Watched(InputStream in) {
            super(in);
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            waiting();
            try {
                return in.read(buffer, offset, length);
            } finally {
                arrived();
            }
        }
    }
}
