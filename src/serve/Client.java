package serve;

import anthropic.ApiError;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import json.JsonWriter;

/**
 * The client of one request: reads its body, sends the answer, and decides whether the connection can serve
 * another request. Used by the thread that serves the request alone, except for {@link #cut}.
 */
final class Client {
    private static final int MAX_PIECE_BYTES = 8192; // the server keeps a buffer twice as large

    /** As {@code 600} or {@code 600.0}. */
    private static final Pattern SECONDS = Pattern.compile("\\d{1,7}(\\.\\d{1,9})?");

    /** A body that is read from the client, whose thread records how long that takes. */
    private static final class BodyStream extends FilterInputStream {
        private final ClientThread thread;

        private BodyStream(InputStream body, ClientThread thread) {
            super(body);
            this.thread = thread;
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            thread.await(ClientThread.Wait.SEND_BODY);
            int read = super.read(bytes, from, length);
            thread.await(ClientThread.Wait.NOTHING);
            if (read > 0) thread.addBodyBytes(read);
            return read;
        }
    }

    private final HttpExchange http;
    private final ClientThread thread;
    private final BooleanSupplier isDraining;
    private boolean hasSaidClose; // the answer's head
    private boolean mustClose; // the connection, after the exchange

    /** {@code isDraining} says whether the proxy is being stopped: then no connection is kept. */
    Client(HttpExchange http, ClientThread thread, BooleanSupplier isDraining) {
        this.http = http;
        this.thread = thread;
        this.isDraining = isDraining;
        // The server does not read trailers (JDK 21 to 25): it would take them for the next request.
        this.mustClose = http.getRequestHeaders().containsKey("transfer-encoding");
        thread.startRequest(new ConnectionWatch(http));
    }

    HttpExchange http() { return http; }

    /** {@return the first of the request's headers of that name} */
    String header(String name, String otherwise) {
        return Objects.requireNonNullElse(http.getRequestHeaders().getFirst(name), otherwise);
    }

    /**
     * {@return the client's timeout in seconds, as Anthropic's SDKs send it}: later answers are of no use.
     */
    OptionalLong timeoutSeconds() {
        String sent = header("x-stainless-timeout", header("x-stainless-read-timeout", ""));
        if (!SECONDS.matcher(sent).matches()) return OptionalLong.empty();
        long seconds = (long) Double.parseDouble(sent);
        return seconds == 0 ? OptionalLong.empty() : OptionalLong.of(seconds);
    }

    /** Has the connection closed after the answer. */
    void closeAfter() { mustClose = true; }

    /** {@return the path that it has asked for, and the query} */
    String url() { return http.getRequestURI().toString(); }
    /** {@return the status that was sent; -1 if none was} */
    int status() { return http.getResponseCode(); }
    /** {@return whether a status has been sent} */
    boolean isAnswered() { return http.getResponseCode() >= 0; }
    /** {@return whether the request was ended early} */
    boolean isCut() { return thread.isCut(); }
    boolean isCut(ClientThread.Cut why) { return thread.isCut(why); }
    /** Ends the request early, from another thread. */
    void cut(ClientThread.Cut why) { thread.cut(why); }

    /** {@return the body as it arrives}: to be read to its end, or not at all. */
    InputStream body() {
        thread.startBody();
        return new BodyStream(http.getRequestBody(), thread);
    }

    /** Answers with JSON, unless the headers say that it is something else. */
    void answer(int status, JsonWriter json) throws IOException {
        begin(status, json.size());
        send(json, true);
    }

    /** Answers with an error, unless a status has been sent already. */
    void answer(ApiError error, String requestId) throws IOException {
        if (isAnswered()) return;
        Headers headers = http.getResponseHeaders();
        if (error.isFinal()) headers.set("x-should-retry", "false");
        if (error.retrySeconds() > 0) headers.set("retry-after", Long.toString(error.retrySeconds()));
        answer(error.status(), error.body(requestId));
    }

    /** Answers without a body. */
    void answer(int status) throws IOException { sendHead(status, -1); }

    /** Sends the head of an answer: of a stream if the length is 0, else of JSON or what the headers say. */
    void begin(int status, long length) throws IOException {
        String contentType = length == 0 ? "text/event-stream; charset=utf-8" : "application/json";
        http.getResponseHeaders().putIfAbsent("content-type", List.of(contentType));
        if (length == 0) http.getResponseHeaders().set("cache-control", "no-cache");
        sendHead(status, http.getRequestMethod().equals("HEAD") ? -1 : length);
    }

    /** Sends the head; a length of -1 means that there is no body, 0 that the length is not known. */
    private void sendHead(int status, long length) throws IOException {
        hasSaidClose = mustClose || isDraining.getAsBoolean();
        if (hasSaidClose) http.getResponseHeaders().set("connection", "close");
        thread.await(ClientThread.Wait.READ);
        try {
            http.sendResponseHeaders(status, length);
        } catch (IOException | IndexOutOfBoundsException e) {
            throw failure(e);
        } finally {
            thread.await(ClientThread.Wait.NOTHING);
        }
    }

    /** {@return what to throw}: the server throws IndexOutOfBounds for a negative size of a chunk. */
    private IOException failure(Exception e) {
        mustClose = true;
        return new IOException(e);
    }

    /** Sends a piece of the answer's body. */
    void send(JsonWriter piece, boolean isLast) throws IOException {
        thread.await(ClientThread.Wait.READ);
        try {
            OutputStream answer = http.getResponseBody();
            boolean hasBody = !http.getRequestMethod().equals("HEAD");
            for (int at = 0; hasBody && at < piece.size(); at += MAX_PIECE_BYTES) {
                answer.write(piece.buffer(), at, Math.min(MAX_PIECE_BYTES, piece.size() - at));
            }
            if (isLast) answer.close(); else answer.flush();
        } catch (IOException | IndexOutOfBoundsException e) {
            throw failure(e);
        } finally {
            thread.await(ClientThread.Wait.NOTHING);
        }
    }

    /**
     * Ends the exchange.
     *
     * @throws IOException if the connection must be closed. To throw is the only way to have the server close
     *         it and forget it: {@code HttpExchange.close} leaves it in the server's sets for ever.
     */
    void end() throws IOException {
        boolean wasAnswered = isAnswered();
        thread.await(ClientThread.Wait.READ);
        try {
            http.close();
        } catch (IndexOutOfBoundsException e) {
            throw failure(e);
        } finally {
            thread.await(ClientThread.Wait.NOTHING);
        }
        boolean mustCloseUnasked = isDraining.getAsBoolean() && !hasSaidClose;
        if (mustClose || mustCloseUnasked || !wasAnswered) throw new IOException("the connection is closed");
    }
}
