package serve;

import config.Secrets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Logger;
import json.Text;
import translate.Conversation;
import translate.SearchAnswer;
import translate.SearchFailure;
import upstream.Clock;
import upstream.SearchService;
import upstream.Upstream;

/** The searches of one exchange, which the client waits for with pings, and within bounds of time. */
final class SearchRounds {
    private static final Duration EACH = Duration.ofSeconds(20); // to a service's whole answer
    private static final Duration ALL = Duration.ofSeconds(60); // of all searches of an exchange together
    private static final int MAX_SHOWN = 250; // characters of a failure in the log
    private static final Logger LOG = Logger.getLogger("a2o");

    private final String requestId;
    private final ClientStream stream;
    private final Secrets secrets;
    private final Clock clock;
    private final Patience patience;
    private long spentNanos;
    private int asked;
    private int failed;

    SearchRounds(String requestId, ClientStream stream, Patience patience, Secrets secrets, Clock clock) {
        this.requestId = requestId;
        this.stream = stream;
        this.secrets = secrets;
        this.patience = patience;
        this.clock = clock;
    }

    /** {@return how many searches were asked for} */
    int asked() { return asked; }
    /** {@return how many of them have failed} */
    int failed() { return failed; }

    /**
     * Makes the searches that a reply waits for. {@return their answers, in order}
     *
     * @throws ApiError if the client leaves, or the proxy stops
     */
    List<SearchAnswer> run(Conversation conversation, Upstream upstream) {
        List<SearchAnswer> answers = new ArrayList<>();
        for (String words : conversation.searchWords()) {
            SearchAnswer answer = ask(words, conversation, upstream.search().orElseThrow());
            asked++;
            if (answer instanceof SearchAnswer.Failed) failed++;
            answers.add(answer);
        }
        return answers;
    }

    private SearchAnswer ask(String words, Conversation conversation, SearchService service) {
        long left = Math.min(ALL.toNanos() - spentNanos, patience.nanos());
        if (left <= 0) {
            log("a search is not made, for those before it have taken the time");
            return new SearchAnswer.Failed(SearchFailure.UNAVAILABLE);
        }
        long most = Math.min(left, EACH.toNanos());
        long begun = clock.nanos();
        try {
            return service.ask(words, Duration.ofNanos(most),
                    (reply, nanos) -> stream.await(reply::poll, nanos, conversation), this::log);
        } finally {
            spentNanos += clock.nanos() - begun;
        }
    }

    private void log(String failure) {
        String line = Text.cut(requestId + " " + secrets.mask(failure), MAX_SHOWN);
        new LogFields.Note(requestId, line).log(LOG);
    }
}
