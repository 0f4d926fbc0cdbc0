package translate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import json.Json;
import json.JsonWriter;

/**
 * The web searches that a backend has run in one reply, for the blocks that tell the client of them: {@code
 * {"type":"search","query":Q,"sources":[{"type":"url","url":U}]}} becomes a {@code server_tool_use} and its
 * result {@code [{"type":"web_search_result","url":U,"title":U,…}]}. Where a search does not say what it
 * found, the pages that the text cites stand for it, once the text is over.
 *
 * <p>Source: Anthropic, "Web search tool"; OpenAI API reference, "Web search tool call".
 */
final class Searches {
    /** What a request includes so that searches name the pages that they have found. */
    static final String SOURCES = "web_search_call.action.sources";

    private final List<Json> unsourced = new ArrayList<>(); // queries whose results are not known yet
    private final Map<String, Json> titles = new LinkedHashMap<>(); // of the pages that the text cites, by address
    private int count;

    /** {@return how many searches there have been} */
    int count() { return count; }

    /**
     * Takes a call that is over. {@return the search, if its results are known by now} What else was done
     * with pages, as to open one, is not shown.
     */
    Optional<Piece> take(Json call) {
        Json action = call.get("action");
        if (!action.get("type").is("search")) return Optional.empty();
        count++;
        Json query = query(action);
        Json sources = action.get("sources");
        if (call.get("status").is("failed")) return Optional.of(new Piece.Search(query, failure()));
        if (!sources.isNull()) return Optional.of(new Piece.Search(query, results(sources.items())));
        unsourced.add(query);
        return Optional.empty();
    }

    private static Json query(Json action) {
        List<Json> queries = action.get("queries").items();
        Json query = queries.isEmpty() ? action.get("query") : queries.getFirst();
        return query instanceof Json.Str ? query : JsonWriter.text("");
    }

    private static JsonWriter failure() {
        return new JsonWriter().object().field("type", "web_search_tool_result_error")
                .field("error_code", "unavailable").endObject();
    }

    private static JsonWriter results(List<Json> sources) {
        var results = new JsonWriter().array();
        for (Json source : sources) {
            Json url = source.get("url");
            if (url.hasText()) result(results, url, url); // dropped: sources that are no pages
        }
        return results.endArray();
    }

    private static void result(JsonWriter results, Json url, Json title) {
        results.object().field("type", "web_search_result").field("url", url).field("title", title)
                .field("encrypted_content", "").nullField("page_age").endObject();
    }

    /** Takes an annotation of the text: {@code {"type":"url_citation","url":U,"title":T,…}}. */
    void cite(Json annotation) {
        Json citation = annotation.get("url_citation") instanceof Json.Obj inner ? inner : annotation; // as in chat
        Json url = citation.get("url");
        if (!url.hasText()) return;
        Json title = citation.get("title");
        titles.putIfAbsent(url.text(), title.hasText() ? title : url);
    }

    /** A search of which no more is known than that it was asked for, if the text cites what it found. */
    void suppose(Json query) {
        if (titles.isEmpty()) return;
        count++;
        unsourced.add(query);
    }

    /** {@return the searches that did not say what they found; the text is over} */
    List<Piece> atTheEnd() {
        List<Piece> searches = new ArrayList<>();
        for (Json query : unsourced) {
            var results = new JsonWriter().array();
            titles.forEach((url, title) -> result(results, JsonWriter.text(url), title));
            searches.add(new Piece.Search(query, results.endArray()));
        }
        unsourced.clear();
        return searches;
    }
}
