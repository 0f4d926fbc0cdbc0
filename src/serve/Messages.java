package serve;

import anthropic.ApiError;
import anthropic.Ids;
import config.Options;
import config.Route;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.logging.Logger;
import json.Json;
import json.JsonWriter;
import translate.Dialect;
import translate.Translator;
import upstream.Clock;
import upstream.Upstream;
import upstream.Upstreams;

/** Answers requests for a message, and knows those in flight. Safe for use by many threads. */
final class Messages {
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
            String key = gate.keyForBackend(client.http());
            List<Upstream> inOrder = upstreams.inOrder(options.routes().of(anthropic.get("model").text()));
            var exchange = new Exchange(client, requestId, anthropic, inOrder, options, key, share, clock);
            inFlight.add(exchange);
            try {
                exchange.run();
            } finally {
                inFlight.remove(exchange);
                Outcome outcome = exchange.outcome(gate.clientName(client.http()));
                status.add(outcome);
                LOG.info(outcome::line);
            }
        }
    }

    /** Answers with an estimate; no backend is asked. */
    void countTokens(Client client) throws IOException {
        try (Budget.Share share = budget.share()) {
            Json anthropic = new Body(client, share).read();
            Upstreams upstreams = current.get();
            Options options = upstreams.options();
            Route route = options.routes().of(anthropic.get("model").text());
            Dialect dialect = upstreams.of(route).getFirst().dialect(route.model());
            long tokens = new Translator(anthropic, options, dialect, Ids::newId).inputTokens();
            client.answer(200, new JsonWriter().object()
                    .field("input_tokens", tokens)
                    .nullField("context_management").endObject());
        }
    }
}
