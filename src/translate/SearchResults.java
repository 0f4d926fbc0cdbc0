package translate;

import java.util.List;
import json.Json;
import json.JsonWriter;

/**
 * The content of a {@code web_search_tool_result} of A2o's own: pages, or an error. The excerpts are kept for
 * the model in {@code encrypted_content}, which clients do not show, and send back.
 *
 * <pre>
 *  [{"type":"web_search_result","url":U,"title":T,"encrypted_content":"a2o1.excerpt.…","page_age":A},…]
 *  {"type":"web_search_tool_result_error","error_code":C}
 * </pre>
 * Source: Anthropic, "Web search tool", "Response".
 */
final class SearchResults {
    private static final String FIELD = "excerpt";
    private static final String NOTHING = "No pages were found.";

    private SearchResults() { }

    static JsonWriter of(SearchFailure why) {
        return new JsonWriter().object().field("type", "web_search_tool_result_error")
                .field("error_code", why.code()).endObject();
    }

    static JsonWriter of(List<FoundPage> pages) {
        var out = new JsonWriter().array();
        for (FoundPage page : pages) {
            out.object().field("type", "web_search_result");
            out.field("url", page.url()).field("title", page.title());
            var kept = new JsonWriter().object().field(FIELD, page.excerpt()).endObject();
            out.field("encrypted_content", Opaque.signature(FIELD, kept.toBytes()));
            out.name("page_age");
            if (page.age().isPresent()) out.string(page.age().get()); else out.nothing();
            out.endObject();
        }
        return out.endArray();
    }

    /** {@return whether a result in a block holds what only A2o can read} */
    static boolean isOurs(Json result) {
        return result.get("encrypted_content").begins(Opaque.PREFIX);
    }

    /** {@return what the model reads of a {@code web_search_tool_result}} */
    static Json.Str text(Json block) {
        Json content = block.get("content");
        Json error = content.get("error_code");
        if (error.hasText()) return JsonWriter.text(SearchFailure.words(error.text()));
        var text = new StringBuilder();
        for (Json page : content.items()) addPage(page, text);
        return JsonWriter.text(text.toString().isBlank() ? NOTHING : text.toString().strip());
    }

    private static void addPage(Json page, StringBuilder text) {
        text.append(page.get("title").text()).append('\n').append(page.get("url").text());
        Json age = page.get("page_age");
        if (age.hasText()) text.append(" (").append(age.text()).append(')');
        String excerpt = Opaque.of(page.get("encrypted_content")).get(FIELD).text();
        if (!excerpt.isEmpty()) text.append('\n').append(excerpt);
        text.append("\n\n");
    }
}
