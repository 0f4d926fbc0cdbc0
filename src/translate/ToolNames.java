package translate;

import anthropic.Request;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import json.Json;
import json.JsonWriter;

/**
 * The names of the request's tools: shortened as backends need them, and looked up by what a model calls
 * them. Models misspell names, and backends leave pieces of the model's own format on them. An unknown name
 * is passed on unchanged: the client answers it with an error that the model reads. Not thread-safe.
 */
final class ToolNames {
    /** The address of a call, as in {@code <|channel|>commentary to=functions.Bash} of gpt-oss. */
    private static final Pattern ADDRESS = Pattern.compile("^.*\\bto=|^print\\(", Pattern.DOTALL);
    /** Namespaces that models put before names, as in {@code functions.Bash} and {@code default_api:Bash}. */
    private static final Pattern NAMESPACE = Pattern.compile(
            "^(?:(?:functions?|tools?|tool_(?:use|call)s?|default_api|namespace)(?:[.:/]|::))+");
    /** What stands before a name and is no part of it, as the line break in {@code "\nBash"}. */
    private static final Pattern DIRT_BEFORE = Pattern.compile("^[^\\p{L}\\p{N}_-]+");
    /**
     * A name and what stands after it, as in {@code Bash<|channel|>commentary}, {@code Bash:0}, {@code
     * Bash()}.
     */
    private static final Pattern DIRT_AFTER = Pattern.compile(
            "^([\\p{L}\\p{N}_-]+)(?:[.:/#]\\d+)?(?:$|[^\\p{L}\\p{N}_.:/-].*|[.:/]+$)", Pattern.DOTALL);
    private static final int MAX_SENT = 64; // characters of a function's name; Anthropic allows 128
    private static final int HASH_LENGTH = 8;
    private static final int QUOTES = 2;
    private static final int MAX_LENGTH = 1000; // characters of a name that is looked at closely

    private final Map<String, String> asSent = new HashMap<>(); // the client's name by the one sent
    private final Map<String, String> inLowerCase = new HashMap<>();

    /** @param function that stands for none of the tools by its own name */
    ToolNames(List<Json> tools, Optional<String> function) {
        for (Json tool : tools) {
            Json name = tool.get("name");
            if (name instanceof Json.Str text && text.hasText()) add(text);
        }
        function.ifPresent(name -> add(JsonWriter.text(name)));
    }

    private void add(Json.Str name) {
        String sent = shortName(name).text();
        asSent.putIfAbsent(sent, name.text());
        inLowerCase.putIfAbsent(sent.toLowerCase(Locale.ROOT), name.text());
    }

    /** {@return the name as it is sent; if it is too long for OpenAI, its beginning and a hash of it} */
    static Json.Str shortName(Json.Str name) {
        int bytes = name.to() - name.from() - QUOTES;
        if (bytes <= MAX_SENT || name.text().length() <= MAX_SENT) return name; // bytes are the quicker test
        String hash = Request.hash(name.text()).substring(0, HASH_LENGTH);
        return JsonWriter.text(name.text().substring(0, MAX_SENT - HASH_LENGTH - 1) + "_" + hash);
    }

    /** {@return the client's name for the tool that the model called} */
    String declared(String called) {
        return find(called).or(() -> find(withoutDirt(called))).orElse(called);
    }

    private Optional<String> find(String name) {
        String exact = asSent.get(name);
        return Optional.ofNullable(exact != null ? exact : inLowerCase.get(name.toLowerCase(Locale.ROOT)));
    }

    private static String withoutDirt(String called) {
        if (called.length() > MAX_LENGTH) return called;
        String name = ADDRESS.matcher(called).replaceFirst("");
        name = DIRT_BEFORE.matcher(name).replaceFirst("");
        name = NAMESPACE.matcher(name).replaceFirst("");
        name = DIRT_BEFORE.matcher(name).replaceFirst("");
        Matcher clean = DIRT_AFTER.matcher(name);
        return clean.matches() ? clean.group(1) : name;
    }
}
