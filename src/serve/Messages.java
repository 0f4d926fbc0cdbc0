package serve;

import anthropic.ApiError;
import anthropic.Ids;
import config.Api;
import config.Options;
import config.Route;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
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
    private static final Logger LOG = Logger.getLogger("a2o");

    private final Clock clock;
    private final Supplier<Upstreams> current;
    private final Gate gate;
    private final Budget budget;
    private final Status status;
    private final Set<Exchange> inFlight = ConcurrentHashMap.newKeySet();

    Messages(Clock clock, Supplier<Upstreams> current, Gate gate, Budget budget, Status status) {
        this.clock = clock;
        this.current = current;
        this.gate = gate;
        this.budget = budget;
        this.status = status;
    }

    /** {@return how many requests for a message are being answered} */
    int inFlight() { return inFlight.size(); }

    /** Ends all that are in flight; clients that listen get an error. */
    void stopAll() { inFlight.forEach(Exchange::stop); }

    /**
     * @throws ApiError if the request is refused before a backend is asked; later errors the client has got
     */
    void answer(Client client, String requestId) throws IOException {
        try (Budget.Share share = budget.share()) {
            Json anthropic = new Body(client, share).read();
            Upstreams upstreams = current.get();
            Options options = upstreams.options();
            ClientHeaders headers = gate.headersForBackend(client.http());
            List<Upstream> inOrder = upstreams.inOrder(options.routes().of(anthropic.get("model").text()));
            var exchange =
                    new Exchange(client, requestId, anthropic, inOrder, options, headers, share, clock);
            inFlight.add(exchange);
            try {
                exchange.run();
            } finally {
                inFlight.remove(exchange);
                Outcome outcome = exchange.outcome(gate.clientName(client.http()));
                status.add(outcome);
                outcome.log(LOG);
            }
        }
    }

    /** Answers with the first backend's count, if it speaks this API; else with an estimate. */
    void countTokens(Client client) throws IOException {
        try (Budget.Share share = budget.share()) {
            Json anthropic = new Body(client, share).read();
            Upstreams upstreams = current.get();
            Options options = upstreams.options();
            Route route = options.routes().of(anthropic.get("model").text());
            Upstream upstream = upstreams.of(route).getFirst();
            Dialect dialect = upstream.dialect(route.model());
            ClientHeaders headers = gate.headersForBackend(client.http());
            Optional<JsonWriter> counted = dialect.api() == Api.MESSAGES
                    ? countedBy(upstream, new NativeConversation(anthropic, options, dialect), headers)
                    : Optional.empty();
            client.answer(200, counted.orElseGet(() -> estimate(anthropic, upstream, options)));
        }
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
        var translator = new Translator(anthropic, options, dialect, () -> 0, calibration, Ids::newId);
        long tokens = translator.inputTokens();
        return new JsonWriter().object()
                .field("input_tokens", tokens).nullField("context_management").endObject();
    }
}
