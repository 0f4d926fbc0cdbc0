package translate;

import anthropic.Request;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * A web search, or the fetching of a page, that Anthropic's servers would run for the client, and that nobody
 * runs here. Where a request is for nothing else, the backend would make up the results; so the client is
 * told instead that they cannot be had.
 *
 * @param tool  {@code web_search} or {@code web_fetch}
 * @param input what the model would have called the tool with, by the user's words, an object
 */
record ServerSearch(String tool, Json input) {
    private static final String SEARCH = "web_search";
    private static final String FETCH = "web_fetch";
    private static final int MAX_QUERY = 400; // characters
    /** As Claude Code asks: "Perform a web search for the query: weather in Berlin". */
    private static final Pattern QUERY = Pattern.compile("(?is)^\\s*perform a web search for the query:\\s*");
    private static final Pattern URL = Pattern.compile("https?://[^\\s\"'<>]+");

    /** {@return whether it is not about a page whose address is known} */
    boolean isOfWeb() { return tool.equals(SEARCH); }

    /**
     * {@return the search that a request is for: it is the only tool, or must be called} Beside tools that
     * the client runs, a search that need not be is left out ({@link Tools}).
     */
    static Optional<ServerSearch> of(Request request) {
        Json choice = request.get("tool_choice");
        List<Json> tools = request.objects(request.json(), "tools");
        boolean isOnly = tools.stream().allMatch(Tools::isServer);
        if (choice.get("type").is("none")) return Optional.empty();
        if (choice.get("type").is("tool")) {
            Optional<ServerSearch> named = named(tools, choice.get("name").text(), request);
            if (named.isPresent()) return named;
        }
        if (!isOnly) return Optional.empty();
        Optional<ServerSearch> search = first(tools, SEARCH, request);
        return choice.get("type").is("any") ? search.or(() -> first(tools, FETCH, request)) : search;
    }

    private static Optional<ServerSearch> named(List<Json> tools, String name, Request request) {
        List<Json> named = tools.stream().filter(tool -> tool.get("name").text().equals(name)).toList();
        if (!named.stream().allMatch(Tools::isServer)) return Optional.empty();
        return first(named, SEARCH, request).or(() -> first(named, FETCH, request));
    }

    private static Optional<ServerSearch> first(List<Json> tools, String kind, Request request) {
        boolean isThere = tools.stream().anyMatch(tool -> tool.get("type").text().startsWith(kind));
        if (!isThere) return Optional.empty();
        String words = words(request);
        return Optional.of(new ServerSearch(kind, kind.equals(SEARCH) ? query(words) : url(words)));
    }

    private static Json query(String words) {
        String query = QUERY.matcher(words).replaceFirst("").strip();
        return input("query", query.length() <= MAX_QUERY ? query : query.substring(0, MAX_QUERY));
    }

    private static Json url(String words) {
        Matcher found = URL.matcher(words);
        return input("url", found.find() ? found.group() : "");
    }

    private static Json input(String member, String value) {
        return JsonParser.parse(new JsonWriter().object().field(member, value).endObject().toBytes());
    }

    /** {@return the last text of the user's own} */
    private static String words(Request request) {
        Json last = Json.NULL;
        for (Json message : request.get("messages").items()) {
            if (!message.get("role").is("user")) continue;
            Json content = message.get("content");
            if (content.hasText()) last = content;
            for (Json block : content.items()) {
                boolean isText = block.get("type").is("text") && block.get("text").hasText();
                if (isText && !block.get("text").begins("<system-reminder>")) last = block.get("text");
            }
        }
        return last.text();
    }
}
