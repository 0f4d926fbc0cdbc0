package translate;

import anthropic.ApiError;
import anthropic.Request;
import config.SearchSite;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * The web search of a request that A2o runs itself: a tool of Anthropic's servers, which the model gets as a
 * function. {@code {"type":"web_search_20250305","name":"web_search","max_uses":N,"allowed_domains":D}}
 * becomes {@code {"name":"web_search","description":…,"parameters":{…"query"…}}}.
 *
 * <p>Source: Anthropic, "Web search tool"; OpenAI, "Function calling".
 *
 * @param functionName by which the model calls it, and no tool of the client's
 * @param maxUses      in one reply
 */
record WebSearch(String functionName, long maxUses, DomainFilter domains, Json location) {
    /** The name of the server tool in blocks. */
    static final String NAME = "web_search";
    private static final String OTHER_NAME = "web_search_of_pages"; // where the client has a tool of that name
    private static final Json PARAMETERS = JsonParser.parse("""
            {"type":"object","properties":{"query":{"type":"string","description":"The words to search for."}},\
            "required":["query"]}""");
    private static final int MAX_PAGES = 10; // that are shown of what a search has found

    /** {@return the search of a request, if it has one, and A2o runs it where the backend does not} */
    static Optional<WebSearch> of(Request request, Dialect dialect) {
        if (!isRunHere(dialect)) return Optional.empty();
        List<Json> tools = request.get("tools").items();
        return tools.stream().filter(ToolKind::isWebSearch).findFirst().map(tool -> of(tool, tools));
    }

    /**
     * Refuses limits of a search that cannot be read: it would go on without them.
     *
     * @throws ApiError as Anthropic does
     */
    static void checkLimits(Json tool, Request request) {
        DomainFilter.check(tool, request);
        Json most = tool.get("max_uses");
        boolean isLimit = most.isNull() || most instanceof Json.Num && most.toLong(0) > 0;
        if (!isLimit) throw request.invalid(tool, "max_uses", "an integer > 0 expected");
    }

    /** {@return whether A2o searches for the backend's models} A backend's own search is preferred. */
    static boolean isRunHere(Dialect dialect) {
        Optional<SearchSite> site = dialect.target().search();
        return site.filter(service -> service.isForOne() || !dialect.hostsWebSearch()).isPresent();
    }

    private static WebSearch of(Json tool, List<Json> tools) {
        Set<String> others = tools.stream().filter(each -> each != tool)
                .map(each -> each.get("name").text()).collect(Collectors.toSet());
        String name = Stream.of(NAME, OTHER_NAME).filter(each -> !others.contains(each)).findFirst()
                .orElse(OTHER_NAME + "_");
        return new WebSearch(name, tool.get("max_uses").toLong(Long.MAX_VALUE), DomainFilter.of(tool),
                tool.get("user_location"));
    }

    /** {@return whether a block of a history is a call of it} */
    static boolean isCall(Json block) {
        return block.get("type").is("server_tool_use") && block.get("name").is(NAME);
    }

    /** Writes the members of the function. */
    void writeFunction(JsonWriter out) {
        out.field("name", functionName).field("description", description());
        out.field("parameters", PARAMETERS);
    }

    private String description() {
        String place = Stream.of("city", "region", "country", "timezone")
                .map(part -> location.get(part).text()).filter(part -> !part.isEmpty()).collect(Collectors.joining(", "));
        String user = place.isEmpty() ? "" : " The user's location: %s.".formatted(place);
        return "Searches the web. The result lists pages with titles, URLs and excerpts."
                + domains.description() + user;
    }

    /** {@return the pages to show, the best first} */
    List<FoundPage> shown(List<FoundPage> found) {
        return found.stream().filter(page -> domains.allows(page.url())).limit(MAX_PAGES).toList();
    }
}
