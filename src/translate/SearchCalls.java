package translate;

import anthropic.MessageWriter;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/** The calls of the web search in one round of a reply: their arguments as they come, then their results. */
final class SearchCalls {
    private static final int MAX_QUERY = 400; // characters

    /** @param refusal why no service is asked */
    private record Call(String id, String query, Optional<SearchFailure> refusal) { }

    private final WebSearch search;
    private final List<Call> calls = new ArrayList<>();
    private final StringBuilder input = new StringBuilder(); // of the open call
    private Optional<String> open = Optional.empty(); // its id
    private SearchCounts counts;

    /** @param counts of the rounds before */
    SearchCalls(WebSearch search, SearchCounts counts) {
        this.search = search;
        this.counts = counts;
    }

    boolean isEmpty() { return calls.isEmpty(); }
    boolean isOpen() { return open.isPresent(); }
    SearchCounts counts() { return counts; }
    /** {@return whether a call by that name is one of a search} */
    boolean isFor(String tool) { return tool.equals(search.functionName()); }

    void open(String id) { open = Optional.of(id); }
    void addInput(String json) { input.append(json); }

    /** Ends the open call, and writes its block. */
    void close(MessageWriter message) {
        String id = open.orElseThrow();
        Json given = parsed(input.toString());
        String query = given.get("query").text().strip();
        Optional<SearchFailure> refusal = refusal(query);
        if (refusal.isEmpty()) counts = counts.plusAsked();
        calls.add(new Call(id, query, refusal));
        message.webSearchCall(id, new JsonWriter().object().field("query", query).endObject());
        open = Optional.empty();
        input.setLength(0);
    }

    private static Json parsed(String json) {
        try {
            return JsonParser.parse(json);
        } catch (Json.Malformed e) { // the reply was cut
            return Json.NULL;
        }
    }

    private Optional<SearchFailure> refusal(String query) {
        if (query.isEmpty()) return Optional.of(SearchFailure.INVALID_INPUT);
        if (query.length() > MAX_QUERY) return Optional.of(SearchFailure.QUERY_TOO_LONG);
        boolean isAllowed = counts.allowSearch(search.maxUses()) && counts.allowRound();
        return isAllowed ? Optional.empty() : Optional.of(SearchFailure.MAX_USES_EXCEEDED);
    }

    /** {@return what the service is to be asked for} */
    List<String> words() {
        return calls.stream().filter(call -> call.refusal.isEmpty())
                .map(call -> search.domains().words(call.query)).toList();
    }

    /** Writes the results of all calls. {@code answers} are those to {@link #words}, in the same order. */
    void answer(List<SearchAnswer> answers, MessageWriter message) {
        Iterator<SearchAnswer> next = answers.iterator();
        int found = 0;
        for (Call call : calls) {
            SearchAnswer answer = call.refusal.<SearchAnswer>map(SearchAnswer.Failed::new)
                    .orElseGet(next::next);
            message.webSearchResult(call.id, switch (answer) {
                case SearchAnswer.Found(List<FoundPage> pages) -> SearchResults.of(search.shown(pages));
                case SearchAnswer.Failed(SearchFailure why) -> SearchResults.of(why);
            });
            if (answer instanceof SearchAnswer.Found) found++;
        }
        counts = counts.plusRound(found);
        message.setSearches(counts.found());
        calls.clear();
    }
}
