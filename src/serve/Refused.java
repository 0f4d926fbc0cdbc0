package serve;

import java.util.Optional;
import json.JsonWriter;

/**
 * A request that was refused before a backend was asked: its entry in the log.
 *
 * @param client the name of the client, if its key has one
 * @param why without secrets, and short
 */
record Refused(String requestId, Optional<String> client, int status, String type, String why)
        implements LogFields {
    @Override
    public String line() {
        String whose = client.map(" of "::concat).orElse("");
        return requestId + whose + " " + status + " refused: " + why;
    }

    @Override
    public void write(JsonWriter out) {
        out.field("a2o.request.id", requestId);
        client.ifPresent(name -> out.field("a2o.client.name", name));
        out.field("http.response.status_code", status).field("error.type", type);
        out.field("a2o.error.message", why);
    }
}
