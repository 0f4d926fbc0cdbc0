import com.sun.net.httpserver.HttpExchange;
import java.io.FilterInputStream;
import java.io.Flushable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpResponse;
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

    private final HttpExchange http;
    private final String requestId;
    private final Translator translator;
    private final Upstream upstream;
    private final long timeout;
    private final Thread thread = Thread.currentThread();
    private final ReentrantLock lock = new ReentrantLock();
    private final long begun = System.nanoTime();
    private long lastSent = begun;
    private long waitingSince; // nanoseconds; 0 while the upstream is not waited for
    private ApiError verdict; // why the wait for the upstream was ended; null if it was not
    private OutputStream body; // the client's; null until the status is sent
    private boolean over; // nothing more goes to the client
    private int status = 200;

    Exchange(HttpExchange http, String requestId, Translator translator, Upstream upstream, Options options) {
        this.http = http;
        this.requestId = requestId;
        this.translator = translator;
        this.upstream = upstream;
        this.timeout = options.timeout().toNanos();
    }

    private interface Io<T> {
        T run() throws IOException, InterruptedException;
    }

    /** Runs to the end. @throws ApiError if that is to be answered with a status: nothing has been sent yet */
    void run(Json.Writer openai, String clientKey) throws IOException {
        try {
            if (translator.wantsNothing()) {
                translator.end();
                complete();
            } else {
                exchange(openai, clientKey);
            }
        } catch (InterruptedException e) {
            fail(new ApiError(503, "the proxy is stopping"));
        } catch (ApiError e) {
            fail(e);
        }
    }

    private void exchange(Json.Writer openai, String clientKey) throws IOException, InterruptedException {
        waitFor(upstream::acquire);
        try {
            HttpResponse<InputStream> reply = waitFor(() -> upstream.send(openai, clientKey));
            try (InputStream in = new Watched(reply.body())) {
                String type = reply.headers().firstValue("content-type").orElse("");
                if (reply.statusCode() != 200 || type.contains("html")) throw refusal(reply, in);
                if (type.matches("(?i)application/(?!x-?nd|json-|jsonl).*json.*")) {
                    whole(in);
                } else {
                    events(in);
                }
            }
        } finally {
            upstream.release();
        }
    }

    private ApiError refusal(HttpResponse<InputStream> reply, InputStream in) throws IOException {
        int code = reply.statusCode() == 200 ? 502 : reply.statusCode();
        String wait = reply.headers().firstValue("retry-after").filter(text -> text.matches("\\d{1,9}")).orElse("0");
        return ApiError.ofUpstream(code, in.readNBytes(MAX_ERROR_BYTES), translator.context()).retryAfter(Long.parseLong(wait));
    }

    private void whole(InputStream in) throws IOException {
        try {
            translator.chunk(Json.parse(in.readAllBytes()));
        } catch (Json.Malformed e) {
            throw translator.broken("the reply is " + e.getMessage());
        } catch (IOException e) {
            throw translator.broken("the connection broke in mid-reply");
        }
        translator.finish(true);
        complete();
    }

    private void events(InputStream in) throws IOException {
        var events = new Sse(in, this);
        try {
            while (events.next()) {
                if (locked(() -> translator.event(events))) break;
            }
        } catch (IOException e) {
            if (!translator.isFinished()) throw translator.broken("the connection broke in mid-reply");
        } catch (ApiError e) {
            if (e != verdict || !translator.isFinished()) throw e; // what has finished needs no more waiting
        }
        translator.finish(false);
        complete();
        if (!translator.isStopped() && verdict == null) drain(in);
    }

    /** Reads on to the end, so that the connection can serve again; the client has its reply already. */
    private static void drain(InputStream in) {
        try {
            in.readNBytes(MAX_ERROR_BYTES);
        } catch (IOException | ApiError e) {
            // only the connection is lost
        }
    }

    /** Sends what is ready; called before every wait for the upstream. */
    @Override
    public void flush() {
        if (translator.isStream() && translator.ready().size() > 0) locked(this::send);
    }

    private void complete() {
        locked(() -> {
            send();
            over = true;
            body.close();
            return null;
        });
    }

    private Void send() {
        Json.Writer ready = translator.ready();
        try {
            if (body == null) {
                String warnings = String.join(",", translator.warnings());
                if (!warnings.isEmpty()) http.getResponseHeaders().set("x-proxy-warnings", warnings);
                body = translator.isStream() ? Proxy.begin(http, 200, "text/event-stream; charset=utf-8", 0)
                        : Proxy.begin(http, 200, "application/json", ready.size());
            }
            body.write(ready.array(), 0, ready.size());
            body.flush();
        } catch (IOException e) {
            over = true;
            throw new ApiError(499, "the client has left");
        }
        ready.clear();
        lastSent = System.nanoTime();
        return null;
    }

    /** Before the first byte the error is thrown on, to be answered with its status; after it, it is an event. */
    private void fail(ApiError error) {
        locked(() -> {
            status = error.status();
            if (over) return null; // the client has left, or has all it needs
            over = true;
            if (body == null) throw error;
            translator.fail(error, requestId);
            send();
            body.close();
            return null;
        });
    }

    /** Looks after the exchange; called a few times a second with the time in nanoseconds. Never blocks. */
    void tick(long now) {
        if (!lock.tryLock()) return; // it is busy, so it needs no looking after
        try {
            long silence = waitingSince == 0 ? 0 : now - waitingSince;
            if (silence > timeout || silence > LINGER && translator.isFinished()) {
                long seconds = TimeUnit.NANOSECONDS.toSeconds(silence);
                endWait(new ApiError(504, "%s: nothing came for %d seconds".formatted(translator.context().host(), seconds)));
            } else if (silence > 0 && !over && translator.isStream() && now - lastSent > PATIENCE) {
                lastSent = now;
                Thread.ofVirtual().start(() -> locked(this::ping));
            }
        } finally {
            lock.unlock();
        }
    }

    private Void ping() {
        if (over) return null;
        translator.ping();
        try {
            send();
        } catch (ApiError gone) {
            if (waitingSince != 0) endWait(gone);
        }
        return null;
    }

    private void endWait(ApiError reason) {
        verdict = reason;
        thread.interrupt();
    }

    /** Does what may wait for the upstream. @throws ApiError if {@link #tick} ended the wait */
    private <T> T waitFor(Io<T> wait) throws IOException, InterruptedException {
        locked(() -> waitingSince = System.nanoTime());
        try {
            return wait.run();
        } finally {
            locked(() -> {
                waitingSince = 0;
                if (verdict != null) Thread.interrupted(); // it has done its work
                if (verdict != null) throw verdict;
                return null;
            });
        }
    }

    private <T> T locked(Io<T> action) {
        lock.lock();
        try {
            return action.run();
        } catch (IOException | InterruptedException e) {
            throw new ApiError(499, "the client has left"); // all that is done under the lock is sending to it
        } finally {
            lock.unlock();
        }
    }

    /** {@return the log's line about the exchange} */
    String summary() {
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
        return "%s %d %d ms %s".formatted(requestId, status, millis, translator.summary());
    }

    /** The upstream's body, each read of which is a wait. */
    private final class Watched extends FilterInputStream {
        private Watched(InputStream in) { super(in); }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            try {
                return waitFor(() -> in.read(buffer, offset, length));
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }
}
