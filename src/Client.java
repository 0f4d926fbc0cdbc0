import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;

/**
 * The client of one request: what it sends and what it is sent. It notes what the thread waits for the client to do
 * and since when, so that {@link Clients} can cut it; only that, {@link #cut} and {@link #lateness} are for other
 * threads. It decides whether the connection can serve again.
 */
final class Client {
    private static final int PIECE_BYTES = 8192; // the server keeps a buffer of twice the largest piece
    private static final long HEAD_NANOS = TimeUnit.SECONDS.toNanos(1); // in which a head comes as a rule
    private static final long BYTES_A_SECOND = 64 * 1024; // of a body that is not late

    /** As {@code 600} or {@code 600.0}. */
    private static final Pattern SECONDS = Pattern.compile("\\d{1,7}(\\.\\d{1,9})?");

    /** What the thread waits for the client to do. */
    enum Wait { NOTHING, SENDS_HEAD, SENDS_BODY, READS }

    /** Why a request is ended before its time: its client is too slow or has left, or the proxy stops. */
    enum Cut { TOO_SLOW, HAS_LEFT, STOPS }

    private final Thread thread = Thread.currentThread();
    private final Clients clients;
    private final ReentrantLock lock = new ReentrantLock();
    private boolean isOver; // the thread serves another; by the lock
    private volatile Optional<Cut> cut = Optional.empty();
    private volatile Wait wait = Wait.NOTHING;
    private volatile long since; // when the wait began, by the clock
    private volatile long bodySince; // when the first bytes of the body were waited for
    private volatile long bodyBytes; // that have come
    private boolean readsHead;
    private volatile HttpExchange http; // null until the head has been read
    private boolean wasSeen; // in the table of sockets; the ticker's, as the next
    private int misses; // since then, one after the other
    private OutputStream answer; // null until the status is sent
    private boolean saysClose; // the answer, to the client
    private boolean mustClose; // the connection, after the exchange

    Client(Clients clients) {
        this.clients = clients;
        this.since = clients.now();
    }

    /** The thread reads the head from here on. */
    void readsHead() {
        readsHead = true;
        await(Wait.SENDS_HEAD);
    }

    private void hasReadHead() {
        await(Wait.NOTHING);
        if (readsHead) clients.hasReadHead();
        readsHead = false;
    }

    /** The head has been read. */
    void begin(HttpExchange http) {
        hasReadHead();
        this.http = http;
        mustClose = http.getRequestHeaders().containsKey("transfer-encoding"); // the server leaves a trailer unread
    }

    HttpExchange http() { return http; }
    /** {@return the first of the request's headers of that name} */
    String header(String name, String otherwise) {
        return Objects.requireNonNullElse(http.getRequestHeaders().getFirst(name), otherwise);
    }

    /** {@return for how many seconds, from the beginning, it waits for a whole reply, as Anthropic's SDKs say it} */
    OptionalLong patienceSeconds() {
        String said = header("x-stainless-timeout", header("x-stainless-read-timeout", ""));
        if (!SECONDS.matcher(said).matches()) return OptionalLong.empty();
        long seconds = (long) Double.parseDouble(said);
        return seconds == 0 ? OptionalLong.empty() : OptionalLong.of(seconds);
    }

    Thread thread() { return thread; }
    Wait awaited() { return wait; }
    boolean isAnswered() { return http.getResponseCode() >= 0; }

    /** {@return since when, in nanoseconds, the thread has waited for the client} */
    long waited(long now) { return wait == Wait.NOTHING ? 0 : now - since; }

    /** {@return for how long, in nanoseconds, the thread has been busy with other things than the client} */
    long untouched(long now) { return wait == Wait.NOTHING ? now - since : 0; }

    /** {@return whether the client has closed the connection} To be asked by one thread, with one table after the other. */
    boolean hasLeft(SocketTable table) {
        HttpExchange begun = http;
        if (begun == null) return false;
        SocketTable.State state = table.state(begun.getLocalAddress(), begun.getRemoteAddress());
        if (state == SocketTable.State.OPEN) wasSeen = true;
        misses = state == SocketTable.State.UNKNOWN ? misses + 1 : 0;
        boolean isGone = wasSeen && misses > 1; // the table may skip one while it changes
        return isGone || state == SocketTable.State.CLOSED;
    }

    /** {@return whether its request is answered, or just comes; one that does not send its head is not waited for} */
    boolean isServed(long now) { return wait != Wait.SENDS_HEAD || now - since < HEAD_NANOS; }

    /** {@return by how much longer the body takes than it should, in nanoseconds} */
    long lateness(long now) {
        return now - bodySince - TimeUnit.SECONDS.toNanos(1) * bodyBytes / BYTES_A_SECOND;
    }

    void await(Wait what) {
        wait = Wait.NOTHING;
        since = clients.now();
        wait = what;
    }

    /** Ends what the thread waits for, from another thread; if that is the client, the connection is closed. */
    void cut(Cut why) {
        lock.lock();
        try {
            if (isOver || cut.isPresent()) return;
            cut = Optional.of(why);
            thread.interrupt();
        } finally {
            lock.unlock();
        }
    }

    boolean isCut() { return cut.isPresent(); }
    boolean isCut(Cut why) { return cut.equals(Optional.of(why)); }

    /** The connection serves no other request. */
    void closeAfter() { mustClose = true; }

    /** {@return the body as it comes} To be read to its end, or to be left alone. */
    InputStream body() {
        bodySince = clients.now();
        return new FilterInputStream(http.getRequestBody()) {
            @Override
            public int read() throws IOException {
                var one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] bytes, int from, int length) throws IOException {
                await(Wait.SENDS_BODY);
                int read = super.read(bytes, from, length);
                await(Wait.NOTHING);
                if (read > 0) bodyBytes += read;
                return read;
            }
        };
    }

    /** Answers with JSON, or whatever the headers say it is. */
    void answer(int status, Json.Writer json) throws IOException {
        begin(status, json.size());
        send(json, true);
    }

    void answer(ApiError error, String requestId) throws IOException {
        if (isAnswered()) return; // too late: the status has been sent
        Headers headers = http.getResponseHeaders();
        if (error.isFinal()) headers.set("x-should-retry", "false");
        if (error.retrySeconds() > 0) headers.set("retry-after", Long.toString(error.retrySeconds()));
        answer(error.status(), error.body(requestId));
    }

    /** Sends status and headers, and no body. */
    void answer(int status) throws IOException { sendHead(status, -1); }

    /** Sends status and headers: of JSON, unless it is said to be other, or, if the length is 0, of a stream. */
    void begin(int status, long length) throws IOException {
        String contentType = length == 0 ? "text/event-stream; charset=utf-8" : "application/json";
        http.getResponseHeaders().putIfAbsent("content-type", List.of(contentType));
        if (length == 0) http.getResponseHeaders().set("cache-control", "no-cache");
        sendHead(status, http.getRequestMethod().equals("HEAD") ? -1 : length);
    }

    /** Sends the head; a length of -1 means that no body follows, 0 that its length is not known. */
    private void sendHead(int status, long length) throws IOException {
        saysClose = mustClose || clients.isDraining();
        if (saysClose) http.getResponseHeaders().set("connection", "close");
        await(Wait.READS);
        try {
            http.sendResponseHeaders(status, length);
            answer = http.getResponseBody();
        } catch (IOException | IndexOutOfBoundsException e) {
            throw broken(e);
        } finally {
            await(Wait.NOTHING);
        }
    }

    /** {@return what to throw} The server throws IndexOutOfBounds where a chunk of the request has a length below zero. */
    private IOException broken(Exception e) {
        mustClose = true;
        return new IOException(e);
    }

    /** Sends a piece of the body, or, if so, its last. */
    void send(Json.Writer piece, boolean isLast) throws IOException {
        await(Wait.READS);
        try {
            boolean hasBody = !http.getRequestMethod().equals("HEAD");
            for (int at = 0; hasBody && at < piece.size(); at += PIECE_BYTES) {
                answer.write(piece.array(), at, Math.min(PIECE_BYTES, piece.size() - at));
            }
            if (isLast) answer.close(); else answer.flush();
        } catch (IOException | IndexOutOfBoundsException e) {
            throw broken(e);
        } finally {
            await(Wait.NOTHING);
        }
    }

    /**
     * Ends the exchange.
     *
     * @throws IOException if the connection must be closed: so the server is told, and it cleans up after itself
     */
    void end() throws IOException {
        await(Wait.READS);
        boolean isUnanswered = !isAnswered();
        try {
            http.close();
        } catch (IndexOutOfBoundsException e) {
            throw broken(e);
        } finally {
            await(Wait.NOTHING);
        }
        boolean isUnsaid = clients.isDraining() && !saysClose;
        if (mustClose || isUnanswered || isUnsaid) throw new IOException("the connection is closed");
    }

    /** The thread serves another client from here on. */
    void leave() {
        hasReadHead();
        lock.lock();
        try {
            isOver = true;
            Thread.interrupted(); // a cut that came too late
        } finally {
            lock.unlock();
        }
    }
}
