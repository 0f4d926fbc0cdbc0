package upstream;

import config.Options;
import config.SearchSite;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.logging.Logger;
import json.Text;
import translate.FoundPage;
import translate.SearchAnswer;
import translate.SearchFailure;

/**
 * A search service. It is sent the words to search for and the operator's headers, and nothing of the
 * conversation or the client. Safe for use by many threads.
 */
public final class SearchService {
    private static final int MAX_BYTES = 2 * 1024 * 1024; // of an answer
    private static final int MAX_SHOWN = 200; // characters of a reason in the log
    private static final Logger LOG = Logger.getLogger("a2o");

    private final SearchSite site;
    private final Transport transport;
    private final Clock clock;

    /** @throws IOException if the certificates of {@code --ca-cert} cannot be read */
    SearchService(SearchSite site, Options options, Clock clock) throws IOException {
        this.site = site;
        this.transport = new Transport(options, site.proxy(), site.url(""), clock);
        this.clock = clock;
    }

    /** What waits for the next part of a reply; it may have more to do meanwhile. */
    public interface Waiter {
        Optional<Arrival> await(Arrivals reply, long nanos);
    }

    /**
     * Searches. {@return the pages, or why there are none; the log has the reason}
     *
     * @param patience within which the whole answer must have come
     * @param mask     for the log
     */
    public SearchAnswer ask(String words, Duration patience, Waiter waiter, UnaryOperator<String> mask) {
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(site.url(words));
            request.setHeader("accept", "application/json").setHeader("user-agent", "a2o/" + Options.VERSION);
            site.headers().forEach(header -> request.setHeader(header.name(), header.value()));
            Arrivals reply = transport.get(request);
            return answer(ShortReply.read(reply, nanos -> waiter.await(reply, nanos), MAX_BYTES, patience, clock), mask);
        } catch (HttpTimeoutException e) {
            return failed(SearchFailure.UNAVAILABLE, "no answer in %d s".formatted(patience.toSeconds()), mask);
        } catch (InterruptedException e) {
            throw new IllegalStateException("the waiter handles interrupts", e);
        } catch (IOException e) {
            Throwable cause = Optional.ofNullable(e.getCause()).orElse(e);
            return failed(SearchFailure.UNAVAILABLE, cause.getClass().getSimpleName(), mask);
        }
    }

    private SearchAnswer answer(ShortReply reply, UnaryOperator<String> mask) {
        return switch (reply.status()) {
            case 200 -> pages(reply, mask);
            case 403 -> failed(SearchFailure.UNAVAILABLE,
                    "status 403; SearXNG answers so unless json stands under search.formats in its settings.yml", mask);
            case 414 -> failed(SearchFailure.QUERY_TOO_LONG, "status 414", mask);
            case 429 -> failed(SearchFailure.TOO_MANY_REQUESTS, "status 429", mask);
            default -> failed(SearchFailure.UNAVAILABLE, "status " + reply.status(), mask);
        };
    }

    private SearchAnswer pages(ShortReply reply, UnaryOperator<String> mask) {
        Optional<List<FoundPage>> pages = SearchReply.pages(reply.body());
        if (pages.isPresent()) return new SearchAnswer.Found(pages.get());
        return failed(SearchFailure.UNAVAILABLE, "the answer is no JSON with a list of pages", mask);
    }

    private SearchAnswer failed(SearchFailure why, String reason, UnaryOperator<String> mask) {
        String line = "search at %s has failed: %s".formatted(site.label(), reason);
        LOG.info(() -> Text.cut(mask.apply(line), MAX_SHOWN));
        return new SearchAnswer.Failed(why);
    }
}
