package serve;

import java.util.Optional;
import json.JsonWriter;

/**
 * A request that was refused before a backend was asked: its entry in the log.
 *
 * @param client the name of the client, if its key has one
 * @param why without secrets, and short
 */
record Refused(String requestId, Optional<String> client, Asked asked, int status, String type, String why)
        implements LogFields {
    /**
     * What was asked for.
     *
     * @param path without secrets, and short
     * @param address the IP address of the client, or of the proxy in front of A2o
     */
    record Asked(String method, String path, String address) { }

    /**
     * {@return the entry for the log} As in {@code req_1 of anna 400 refused: POST /v1/messages from 10.0.0.7:
     * messages: Field required}.
     */
    @Override
    public String line() {
        String whose = client.map(" of "::concat).orElse("");
        return "%s%s %d refused: %s %s from %s: %s"
                .formatted(requestId, whose, status, asked.method, asked.path, asked.address, why);
    }

    @Override
    public void write(JsonWriter out) {
        out.field("a2o.request.id", requestId);
        client.ifPresent(name -> out.field("a2o.client.name", name));
        out.field("client.address", asked.address);
        out.field("http.request.method", asked.method).field("url.path", asked.path);
        out.field("http.response.status_code", status).field("error.type", type);
        out.field("a2o.error.message", why);
    }
}
