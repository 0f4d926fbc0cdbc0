package serve;

import anthropic.ApiError;
import anthropic.Ids;
import config.Api;
import config.Options;
import config.Route;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Logger;
import json.Json;
import json.JsonWriter;
import translate.Calibration;
import translate.Dialect;
import translate.NativeConversation;
import translate.Translator;
import upstream.ClientHeaders;
import upstream.Clock;
import upstream.ShortReply;
import upstream.Upstream;
import upstream.Upstreams;

/** Answers requests for a message, and knows those in flight. Safe for use by many threads. */
final class Messages {
    private static final Set<Integer> REFUSALS = Set.of(400, 401, 403, 413); // of a request for a count
    private static final int MAX_SHOWN = 20; // of those in flight
    private static final Logger LOG = Logger.getLogger("a2o");

    private final Clock clock;
    private final Budget budget;
    private final Status status;
    private final Map<Exchange, Optional<String>> inFlight = new ConcurrentHashMap<>(); // each client's name

    Messages(Clock clock, Budget budget, Status status) {
        this.clock = clock;
        this.budget = budget;
        this.status = status;
    }

    /** {@return how many requests for a message are being answered} */
    int inFlight() { return inFlight.size(); }

    /** {@return those that are in flight, the oldest {@link #MAX_SHOWN} of them} */
    List<Running> running() {
        List<Running> all = new ArrayList<>();
        inFlight.forEach((exchange, clientName) -> all.add(exchange.running(clientName)));
        return all.stream().sorted(Comparator.comparing(Running::nanos).reversed()).limit(MAX_SHOWN).toList();
    }

    /** Ends all that are in flight; clients that listen get an error. */
    void stopAll() { inFlight.keySet().forEach(Exchange::stop); }

    /**
     * @throws ApiError if the request is refused before a backend is asked; later errors the client has got
     */
    void answer(Client client, String requestId, Serving by) throws IOException {
        try (Budget.Share share = budget.share()) {
            Json anthropic = new Body(client, share).read();
            Upstreams upstreams = by.upstreams();
            Options options = upstreams.options();
            ClientHeaders headers = by.gate().headersForBackend(client.http());
            Route route = options.routes().of(anthropic.get("model").text());
            List<Upstream> inOrder = upstreams.inOrder(route, headers.key());
            var exchange =
                    new Exchange(client, requestId, anthropic, inOrder, options, headers, share, clock);
            Optional<String> clientName = by.gate().clientName(client.http());
            inFlight.put(exchange, clientName);
            try {
                exchange.run();
            } finally {
                inFlight.remove(exchange);
                Outcome outcome = exchange.outcome(clientName);
                status.add(outcome);
                outcome.log(LOG);
            }
        }
    }

    /**
     * Answers with the count of the first backend that can take the request, if it speaks this API; else with
     * an estimate.
     */
    void countTokens(Client client, Serving by) throws IOException {
        try (Budget.Share share = budget.share()) {
            Json anthropic = new Body(client, share).read();
            Upstreams upstreams = by.upstreams();
            Options options = upstreams.options();
            Route route = options.routes().of(anthropic.get("model").text());
            ClientHeaders headers = by.gate().headersForBackend(client.http());
            client.answer(200, count(anthropic, upstreams.of(route), headers, options));
        }
    }

    private static JsonWriter count(Json anthropic, List<Upstream> upstreams, ClientHeaders headers,
                                    Options options) {
        List<Upstream> next = upstreams.subList(1, upstreams.size());
        try {
            return count(anthropic, upstreams.getFirst(), headers, options);
        } catch (ApiError e) {
            boolean mayNextDo = e.isMissingThere() && !next.isEmpty();
            if (!mayNextDo) throw e;
            return count(anthropic, next, headers, options);
        }
    }

    private static JsonWriter count(Json anthropic, Upstream upstream, ClientHeaders headers,
                                    Options options) {
        Dialect dialect = upstream.dialect(options.model(anthropic.get("model").text()));
        Optional<JsonWriter> counted = dialect.api() == Api.MESSAGES
                ? countedBy(upstream, new NativeConversation(anthropic, options, dialect), headers)
                : Optional.empty();
        return counted.orElseGet(() -> estimate(anthropic, upstream, options));
    }

    /**
     * {@return the backend's own answer; none if it does not count tokens, or cannot be asked now}
     *
     * @throws ApiError if it refuses the request
     */
    private static Optional<JsonWriter> countedBy(Upstream upstream, NativeConversation request,
                                                  ClientHeaders headers) {
        Optional<ShortReply> reply = upstream.countTokens(request.request(), headers);
        if (reply.isEmpty()) return Optional.empty();
        int status = reply.get().status();
        byte[] body = reply.get().body();
        if (REFUSALS.contains(status)) throw request.error(status, body);
        return status == 200 ? Optional.of(new JsonWriter().ready(body)) : Optional.empty();
    }

    private static JsonWriter estimate(Json anthropic, Upstream upstream, Options options) {
        String model = options.model(anthropic.get("model").text());
        Dialect dialect = upstream.dialect(model);
        Calibration calibration = upstream.calibration(model);
        var translator = new Translator(anthropic, Optional.empty(), options, dialect, () -> 0,
                calibration, Ids::newId);
        long tokens = translator.inputTokens();
        return new JsonWriter().object()
                .field("input_tokens", tokens).nullField("context_management").endObject();
    }
}
