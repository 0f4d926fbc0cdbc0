package serve;

import config.Secrets;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.logging.Logger;
import json.Json;
import json.JsonWriter;

/**
 * The bodies of one exchange, which {@code --debug} logs; without it, nothing is kept. Keys are masked. An
 * arrow before each body says where it goes: {@code >} from the client, {@code >>} to the backend, {@code <<}
 * from the backend, {@code <} to the client.
 */
final class Transcript {
    private static final int MAX_BYTES = 1024 * 1024; // of each body; looking for keys takes 20 times as much
    private static final Logger LOG = Logger.getLogger("a2o");

    private final boolean isWanted;
    private final String requestId;
    private final Secrets secrets;
    private final ByteArrayOutputStream fromBackend = new ByteArrayOutputStream(0); // in this try
    private final ByteArrayOutputStream toClient = new ByteArrayOutputStream(0);

    Transcript(boolean isWanted, String requestId, Secrets secrets) {
        this.isWanted = isWanted;
        this.requestId = requestId;
        this.secrets = secrets;
    }

    /** Logs what the client has sent, and what the backend is to get. */
    void logRequests(Json anthropic, JsonWriter openai) {
        if (!isWanted) return;
        log(">", anthropic.raw());
        log(">>", openai.toString());
    }

    void addFromBackend(byte[] piece) {
        boolean isKept = isWanted && fromBackend.size() < MAX_BYTES;
        if (isKept) fromBackend.writeBytes(piece);
    }

    void addToClient(JsonWriter piece) {
        boolean isKept = isWanted && toClient.size() < MAX_BYTES;
        if (isKept) toClient.write(piece.buffer(), 0, piece.size());
    }

    void logFromBackend() { logAndClear("<<", fromBackend); }

    void logToClient() { logAndClear("<", toClient); }

    private void logAndClear(String arrow, ByteArrayOutputStream body) {
        if (body.size() == 0) return;
        log(arrow, body.toString(StandardCharsets.UTF_8));
        body.reset();
    }

    private void log(String arrow, String body) {
        int more = body.length() - MAX_BYTES;
        String beginning = more > 0 ? body.substring(0, MAX_BYTES) : body;
        String rest = more > 0 ? " ... and %d characters more".formatted(more) : "";
        LOG.info("%s %s %s%s".formatted(requestId, arrow, secrets.mask(beginning), rest));
    }
}
