package translate;

import anthropic.Request;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * A web search, or the fetching of a page, that Anthropic's servers would run for the client, and that nobody
 * runs here. The backend would make up the results of a request that is for nothing else; so the client is
 * told that there are none.
 *
 * @param tool  {@code web_search} or {@code web_fetch}
 * @param input an object, as the model would have written it: {@code {"query":Q}} or {@code {"url":U}}
 */
record ServerSearch(String tool, Json input) {
    private static final String SEARCH = "web_search";
    private static final String FETCH = "web_fetch";
    private static final int MAX_QUERY = 400; // characters
    /** As Claude Code asks: "Perform a web search for the query: weather in Berlin". */
    private static final String BEFORE_QUERY = "perform a web search for the query:";
    /** As in "Summarize https://example.com/news". */
    private static final Pattern URL = Pattern.compile("https?://[^\\s\"'<>]+");

    /** {@return whether the backend is to search the web for the client; where that is not sure, for nothing else} */
    static boolean isHosted(Request request, Dialect dialect) {
        if (WebSearch.isRunHere(dialect)) return false;
        if (dialect.hostsWebSearch()) return true;
        return dialect.mayHostWebSearch() && of(request).filter(ServerSearch::isOfWeb).isPresent();
    }

    /** {@return whether it is not about a page whose address is known} */
    boolean isOfWeb() { return tool.equals(SEARCH); }

    /** {@return the search, where it is one that a backend runs if it can} */
    Optional<ServerSearch> ifHosted(Dialect dialect) {
        boolean isSearching = dialect.hostsWebSearch() || dialect.mayHostWebSearch();
        boolean isHosted = isSearching && !WebSearch.isRunHere(dialect);
        return Optional.of(this).filter(search -> isHosted && isOfWeb());
    }

    /**
     * {@return the search that a request is for: the only tool, or one that must be called} Beside tools that
     * the client runs, a search that need not be called is left out by {@link Tools}.
     */
    static Optional<ServerSearch> of(Request request) {
        List<Json> tools = request.objects(request.json(), "tools");
        Json choice = request.get("tool_choice");
        if (tools.isEmpty() || choice.get("type").is("none")) return Optional.empty();
        return wanted(tools, choice).map(tool -> new ServerSearch(tool, input(tool, request)));
    }

    /**
     * {@return the web search that the user's last words ask for, where the request is for nothing else} The
     * reply must not come from the model's memory.
     */
    static Optional<ServerSearch> demanded(Request request) {
        boolean isForced = request.get("tool_choice").get("type").is("tool");
        boolean isAsked = isForced || isClaudeCodes(lastUserText(request).strip());
        return of(request).filter(search -> isAsked && search.isOfWeb());
    }

    private static boolean isClaudeCodes(String text) {
        return text.regionMatches(true, 0, BEFORE_QUERY, 0, BEFORE_QUERY.length());
    }

    /** {@return which of the two a request is for} */
    private static Optional<String> wanted(List<Json> tools, Json choice) {
        if (choice.get("type").is("tool")) {
            String name = choice.get("name").text();
            List<Json> chosen = tools.stream().filter(tool -> tool.get("name").text().equals(name)).toList();
            Optional<String> forced = amongServerTools(chosen);
            if (forced.isPresent()) return forced;
        }
        boolean mustCall = choice.get("type").is("any");
        return amongServerTools(tools).filter(tool -> tool.equals(SEARCH) || mustCall);
    }

    /** {@return the search or else the fetch among the tools, if Anthropic's servers run them all} */
    private static Optional<String> amongServerTools(List<Json> tools) {
        for (Json tool : tools) {
            if (!ToolKind.isServer(tool)) return Optional.empty();
        }
        return Stream.of(SEARCH, FETCH)
                .filter(kind -> tools.stream().anyMatch(tool -> tool.get("type").begins(kind)))
                .findFirst();
    }

    private static Json input(String tool, Request request) {
        String text = lastUserText(request);
        if (tool.equals(SEARCH)) return object("query", query(text));
        Matcher url = URL.matcher(text);
        return object("url", url.find() ? url.group() : "");
    }

    private static String query(String text) {
        String whole = text.strip();
        String query = isClaudeCodes(whole) ? whole.substring(BEFORE_QUERY.length()).strip() : whole;
        return query.substring(0, Math.min(query.length(), MAX_QUERY));
    }

    private static Json object(String member, String value) {
        return JsonParser.parse(new JsonWriter().object().field(member, value).endObject().toBytes());
    }

    /** {@return the last text that the user wrote, and not the client for him} */
    private static String lastUserText(Request request) {
        Json last = Json.NULL;
        for (Json message : request.get("messages").items()) {
            if (!message.get("role").is("user")) continue;
            if (message.get("content").hasText()) {
                last = message.get("content");
            }
            for (Json block : message.get("content").items()) {
                Json text = block.get("text");
                boolean isUsers = Blocks.isKind(block, "text") && !text.begins("<system-reminder>");
                if (isUsers && text.hasText()) {
                    last = text;
                }
            }
        }
        return last.text();
    }
}
