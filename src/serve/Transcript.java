package serve;

import config.Secrets;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.logging.Logger;
import json.Json;
import json.JsonWriter;
import json.Text;

/**
 * The requests and replies of one exchange, which {@code --debug} logs, each on one line: id, direction,
 * method or status, URL, body. Without {@code --debug} nothing is kept. Keys are masked.
 */
final class Transcript {
    private static final int MAX_BYTES = 1024 * 1024; // of each body; looking for keys takes 20 times as much
    private static final int MAX_URL = 500; // characters
    private static final Logger LOG = Logger.getLogger("a2o");

    /** Which way it goes, as the log has it. */
    private enum Direction {
        FROM_CLIENT("from client"), TO_BACKEND("to backend"),
        FROM_BACKEND("from backend"), TO_CLIENT("to client");

        private final String words;

        Direction(String words) { this.words = words; }
    }

    /** {@code what} is the method of a request, the status of a reply. */
    private record Line(String requestId, Direction direction, String what, String url, String body)
            implements LogFields {
        @Override
        public String line() { return String.join(" ", requestId, direction.words, what, url, body); }

        @Override
        public void write(JsonWriter out) {
            out.field("a2o.request.id", requestId).field("a2o.direction", direction.words);
            out.field("url.full", url);
        }
    }

    private final boolean isWanted;
    private final String requestId;
    private final String clientUrl; // where the client has asked
    private final Secrets secrets;
    private final ByteArrayOutputStream fromBackend = new ByteArrayOutputStream(0); // in this try
    private final ByteArrayOutputStream toClient = new ByteArrayOutputStream(0);

    Transcript(boolean isWanted, String requestId, String clientUrl, Secrets secrets) {
        this.isWanted = isWanted;
        this.requestId = requestId;
        this.clientUrl = clientUrl;
        this.secrets = secrets;
    }

    void logFromClient(Json anthropic) {
        if (isWanted) log(Direction.FROM_CLIENT, "POST", clientUrl, anthropic.raw());
    }

    void logToBackend(URI url, JsonWriter request) {
        if (isWanted) log(Direction.TO_BACKEND, "POST", url.toString(), request.toString());
    }

    void addFromBackend(byte[] piece) {
        boolean isKept = isWanted && fromBackend.size() < MAX_BYTES;
        if (isKept) fromBackend.writeBytes(piece);
    }

    void addToClient(JsonWriter piece) {
        boolean isKept = isWanted && toClient.size() < MAX_BYTES;
        if (isKept) toClient.write(piece.buffer(), 0, piece.size());
    }

    /** Logs what has come of a reply. */
    void logFromBackend(int status, URI url) {
        if (isWanted) logAndClear(Direction.FROM_BACKEND, status, url.toString(), fromBackend);
    }

    /** Logs what the client was sent. */
    void logToClient(int status) {
        if (isWanted) logAndClear(Direction.TO_CLIENT, status, clientUrl, toClient);
    }

    private void logAndClear(Direction direction, int status, String url, ByteArrayOutputStream body) {
        log(direction, Integer.toString(status), url, body.toString(StandardCharsets.UTF_8));
        body.reset();
    }

    private void log(Direction direction, String what, String url, String body) {
        int more = body.length() - MAX_BYTES;
        String beginning = more > 0 ? body.substring(0, MAX_BYTES) : body;
        String rest = more > 0 ? " ... and %d characters more".formatted(more) : "";
        String shown = oneLine(secrets.mask(beginning)) + rest;
        new Line(requestId, direction, what, Text.cut(secrets.mask(url), MAX_URL), shown).log(LOG);
    }

    /** {@return the body on one line} In JSON a line's end is but space; elsewhere it is shown as \\n. */
    private static String oneLine(String body) {
        boolean isJson = body.startsWith("{") || body.startsWith("[");
        return Text.printable(body.strip().replace("\r", "").replace("\n", isJson ? " " : "\\n"));
    }
}
