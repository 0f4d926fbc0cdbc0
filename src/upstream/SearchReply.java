package upstream;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import translate.FoundPage;

/**
 * Reads the answer of a search service.
 *
 * <pre>
 *  SearXNG  {"results":[{"url":U,"title":T,"content":E,"publishedDate":A},…]}
 *  Brave    {"web":{"results":[{"url":U,"title":T,"description":E,"age":A},…]}}
 *  others   the first list with objects that have an address and a title, the outermost first
 * </pre>
 * Source: SearXNG, "Search API"; Brave Search API, "Web search"; November 2026.
 */
final class SearchReply {
    private static final int MAX_PAGES = 50; // that are read
    private static final int MAX_URL = 2000; // characters; longer ones are left out
    private static final int MAX_TITLE = 300;
    private static final int MAX_EXCERPT = 600;
    private static final int MAX_AGE = 60;

    private static final List<List<String>> USUAL_PLACES =
            List.of(List.of("web", "results"), List.of("results"));
    private static final List<String> ADDRESSES = List.of("url", "link", "href");
    private static final List<String> TITLES = List.of("title", "name");
    private static final List<String> EXCERPTS =
            List.of("content", "description", "snippet", "excerpt", "text", "body", "summary");
    private static final List<String> AGES =
            List.of("publishedDate", "page_age", "age", "published_date", "published", "date");

    /** A tag that marks words found, as {@code <strong>} and {@code </b>}. */
    private static final Pattern TAG = Pattern.compile("</?[a-zA-Z][^<>]{0,80}>");
    /** Spaces, and what has no place in a line: control characters, and those that turn its direction. */
    private static final Pattern SPACES = Pattern.compile("[\\s\\p{Cc}\\u202a-\\u202e\\u2066-\\u2069]+");
    private static final Map<String, String> ENTITIES = Map.of("&quot;", "\"", "&#x27;", "'", "&#39;", "'",
            "&lt;", "<", "&gt;", ">", "&nbsp;", " ");
    private static final String AMPERSAND = "&amp;";

    private SearchReply() { }

    /** {@return the pages, the best first; nothing if it is not the answer to a search} */
    static Optional<List<FoundPage>> pages(byte[] body) {
        try {
            return list(JsonParser.parse(body)).map(SearchReply::read);
        } catch (Json.Malformed e) { // a web page, or plain text
            return Optional.empty();
        }
    }

    private static Optional<Json> list(Json answer) {
        for (List<String> place : USUAL_PLACES) {
            Json found = answer;
            for (String member : place) found = found.get(member);
            if (found instanceof Json.Arr) return Optional.of(found); // also an empty one
        }
        return outermost(answer);
    }

    /** {@return the first list that has pages in it} */
    private static Optional<Json> outermost(Json answer) {
        Queue<Json> next = new ArrayDeque<>(List.of(answer));
        while (!next.isEmpty()) {
            Json json = next.remove();
            boolean arePages = json.items().stream().anyMatch(SearchReply::isPage);
            if (arePages) return Optional.of(json);
            next.addAll(json.items());
            Json[] members = json.parts();
            for (int i = 1; i < members.length; i += 2) next.add(members[i]);
        }
        return Optional.empty();
    }

    private static boolean isPage(Json item) {
        String url = first(item, ADDRESSES);
        boolean isUsable = isWeb(url) && url.length() <= MAX_URL && url.equals(onOneLine(url));
        return isUsable && !first(item, TITLES).isEmpty();
    }

    private static boolean isWeb(String url) {
        return Stream.of("http://", "https://")
                .anyMatch(scheme -> url.regionMatches(true, 0, scheme, 0, scheme.length()));
    }

    private static String first(Json item, List<String> members) {
        return members.stream().map(member -> item.get(member).text()).filter(text -> !text.isBlank())
                .findFirst().orElse("");
    }

    private static List<FoundPage> read(Json list) {
        List<FoundPage> pages = new ArrayList<>();
        Set<String> urls = new HashSet<>();
        for (Json item : list.items()) {
            boolean isRead = pages.size() < MAX_PAGES && isPage(item) && urls.add(first(item, ADDRESSES));
            if (!isRead) continue;
            Optional<String> age =
                    Optional.of(plain(first(item, AGES), MAX_AGE)).filter(text -> !text.isEmpty());
            pages.add(new FoundPage(first(item, ADDRESSES), plain(first(item, TITLES), MAX_TITLE), age,
                    plain(first(item, EXCERPTS), MAX_EXCERPT)));
        }
        return pages;
    }

    /** {@return the text on one line, without marks of HTML} */
    private static String plain(String text, int most) {
        String plain = TAG.matcher(beginning(text, 2 * most)).replaceAll("");
        for (Map.Entry<String, String> entity : ENTITIES.entrySet()) {
            plain = plain.replace(entity.getKey(), entity.getValue());
        }
        plain = plain.replace(AMPERSAND, "&");
        return beginning(onOneLine(plain), most);
    }

    private static String onOneLine(String text) { return SPACES.matcher(text).replaceAll(" ").strip(); }

    private static String beginning(String text, int most) {
        if (text.length() <= most) return text;
        boolean isHalf = Character.isHighSurrogate(text.charAt(most - 1));
        return text.substring(0, isHalf ? most - 1 : most);
    }
}
