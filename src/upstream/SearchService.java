package upstream;

import anthropic.ApiError;
import config.Options;
import config.SearchSite;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import translate.FoundPage;
import translate.SearchAnswer;
import translate.SearchFailure;

/**
 * A search service. It is sent the words to search for and the operator's headers, and nothing of the
 * conversation or the client. Safe for use by many threads.
 */
public final class SearchService {
    private static final int MAX_BYTES = 2 * 1024 * 1024; // of an answer
    private static final String FORBIDDEN =
            "status 403; SearXNG answers so unless json is one of search.formats in its settings.yml";

    private final SearchSite site;
    private final Transport transport;
    private final Clock clock;
    private final AtomicLong asked = new AtomicLong();

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

    /** {@return how many searches it was asked for} */
    public long asked() { return asked.get(); }

    /**
     * Searches. {@return the pages, or why there are none}
     *
     * @param patience within which the whole answer must have come
     * @param log      takes the reason of a failure, in which there may be a secret
     * @throws ApiError if the waiter does
     */
    public SearchAnswer ask(String words, Duration patience, Waiter waiter, Consumer<String> log) {
        asked.incrementAndGet();
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(site.url(words));
            request.setHeader("accept", "application/json").setHeader("user-agent", "a2o/" + Options.VERSION);
            site.headers().forEach(header -> request.setHeader(header.name(), header.value()));
            Arrivals reply = transport.get(request);
            Arrival.Wait wait = nanos -> waiter.await(reply, nanos);
            return answer(ShortReply.read(reply, wait, MAX_BYTES, patience, clock), log);
        } catch (HttpTimeoutException e) {
            String why = "no answer in %d s".formatted(patience.toSeconds());
            return failed(SearchFailure.UNAVAILABLE, why, log);
        } catch (ApiError e) {
            if (e.origin() == ApiError.Origin.PROXY) throw e; // of the waiter's: the client has left
            return failed(SearchFailure.UNAVAILABLE, e.getMessage(), log);
        } catch (InterruptedException e) {
            throw new IllegalStateException("the waiter handles interrupts", e);
        } catch (IOException e) {
            Throwable cause = Optional.ofNullable(e.getCause()).orElse(e);
            return failed(SearchFailure.UNAVAILABLE, cause.getClass().getSimpleName(), log);
        }
    }

    private SearchAnswer answer(ShortReply reply, Consumer<String> log) {
        return switch (reply.status()) {
            case 200 -> pages(reply, log);
            case 403 -> failed(SearchFailure.UNAVAILABLE, FORBIDDEN, log);
            case 414 -> failed(SearchFailure.QUERY_TOO_LONG, "status 414", log);
            case 429 -> failed(SearchFailure.TOO_MANY_REQUESTS, "status 429", log);
            default -> failed(SearchFailure.UNAVAILABLE, "status " + reply.status(), log);
        };
    }

    private SearchAnswer pages(ShortReply reply, Consumer<String> log) {
        Optional<List<FoundPage>> pages = SearchReply.pages(reply.body());
        if (pages.isPresent()) return new SearchAnswer.Found(pages.get());
        return failed(SearchFailure.UNAVAILABLE, "the answer is no JSON with a list of pages", log);
    }

    private SearchAnswer failed(SearchFailure why, String reason, Consumer<String> log) {
        log.accept("search at %s has failed: %s".formatted(site.label(), reason));
        return new SearchAnswer.Failed(why);
    }
}
