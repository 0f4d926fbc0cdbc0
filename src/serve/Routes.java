package serve;

import anthropic.ApiError;
import anthropic.BackendModels;
import anthropic.Models;
import com.sun.net.httpserver.HttpExchange;
import config.Options;
import config.Parameter;
import java.io.IOException;
import java.net.URI;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import json.JsonWriter;
import upstream.Upstream;
import upstream.Upstreams;

/**
 * Answers each request by its method and path. A path may be as any client's base URL makes it: with or
 * without {@code /v1}, with {@code /anthropic} before it, with a slash too many.
 */
final class Routes {
    private static final Set<String> BASES = Set.of("anthropic", "v1"); // http://localhost:3578/anthropic/v1
    private static final Set<String> API = Set.of("/messages", "/messages/count_tokens", "/models");
    private static final String MODELS = "/v1/models";
    private static final String VERSION = "/v1";

    private final Messages messages;
    private final Pages pages;

    Routes(Messages messages, Pages pages) {
        this.messages = messages;
        this.pages = pages;
    }

    /** {@return the path as A2o knows it, encoded: {@code /v1/messages} for {@code //anthropic/messages/}} */
    static String path(URI asked) {
        boolean isReadAsHost = asked.getScheme() == null && asked.getRawAuthority() != null; // //v1/messages
        String whole = isReadAsHost ? "/" + asked.getRawAuthority() + asked.getRawPath() : asked.getRawPath();
        boolean isUsual = whole.startsWith(VERSION) && API.contains(whole.substring(VERSION.length()));
        if (isUsual) return whole;
        String path = Arrays.stream(whole.split("/")).filter(segment -> !segment.isEmpty())
                .dropWhile(BASES::contains).collect(Collectors.joining("/", "/", ""));
        boolean isApi = API.contains(path) || path.startsWith("/models/");
        return isApi ? VERSION + path : path;
    }

    /** {@return the name of the model that is asked about, decoded; "" if it is the list of all} */
    static String modelId(String path) {
        String decoded = URI.create(path).getPath();
        return decoded.length() > MODELS.length() ? decoded.substring(MODELS.length() + 1) : "";
    }

    /** @throws ApiError if there is nothing at that path, or it has no such method */
    void answer(Client client, Endpoint endpoint, String requestId, Serving by) throws IOException {
        checkMethod(client.http(), endpoint);
        switch (endpoint) {
            case MESSAGES -> messages.answer(client, requestId, by);
            case COUNT_TOKENS -> messages.countTokens(client, by);
            case MODELS -> client.answer(200, models(client.http(), by));
            case HOME -> pages.home(client);
            case HELLO, HEALTH -> pages.health(client);
            case READY -> pages.ready(client);
            case STATUS -> pages.status(client);
            case METRICS -> pages.metrics(client);
        }
    }

    private static void checkMethod(HttpExchange http, Endpoint endpoint) {
        String method = http.getRequestMethod();
        if (endpoint.methods().contains(method)) return;
        String allowed = String.join(", ", endpoint.methods());
        http.getResponseHeaders().set("allow", allowed);
        throw new ApiError(405, "%s is not allowed here; use %s".formatted(method, allowed));
    }

    /** Lists all backends' models; with {@code --model} that one alone, as the backends list it. */
    private JsonWriter models(HttpExchange http, Serving by) {
        Upstreams upstreams = by.upstreams();
        Options options = upstreams.options();
        boolean isOneServed = options.routes().hasModelForAll(); // then no other model can be had
        boolean isListNeeded = !isOneServed || options.routes().main().context().isEmpty();
        List<BackendModels> listed = upstreams.all().stream().map(Upstream::unlisted).toList();
        if (isListNeeded) listed = upstreams.askModels(by.gate().keyForBackend(http));
        String id = modelId(path(http.getRequestURI()));
        if (!id.isEmpty()) return Models.one(options.routes(), listed, id);
        return Models.page(options.routes(), listed, query(http.getRequestURI()));
    }

    private static Map<String, String> query(URI asked) {
        Map<String, String> query = new HashMap<>();
        for (Parameter parameter : Parameter.all(Objects.requireNonNullElse(asked.getRawQuery(), ""))) {
            query.put(parameter.name(), parameter.value());
        }
        return query;
    }
}
