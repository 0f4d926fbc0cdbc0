package anthropic;

import config.Options;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import json.Json;
import json.JsonWriter;

/**
 * The list of models, {@code GET /v1/models}: what the backend lists, and the names that the options map, in
 * Anthropic's shape (SPEC F.2). Claude Code shows only names that begin with claude or anthropic, so all
 * others are listed as {@code anthropic/NAME}; {@link Options#model} takes that off again.
 */
public final class Models {
    private static final int MAX_LIMIT = 1000;
    private static final long MAX_SECONDS = 253_402_300_799L; // the end of the year 9999
    /**
     * Where backends' lists say the context window, what is really served before what the model was made for.
     * Source: lists of llama.cpp, LM Studio, vLLM and SGLang, OpenRouter, Groq, Mistral, LiteLLM; November 2026.
     */
    private static final List<List<String>> WINDOW_MEMBERS = List.of(List.of("meta", "n_ctx"),
            List.of("loaded_context_length"), List.of("max_model_len"),
            List.of("top_provider", "context_length"), List.of("context_length"),
            List.of("context_window"), List.of("max_context_length"),
            List.of("max_input_tokens"), List.of("meta", "n_ctx_train"));

    private Models() { }

    /**
     * Answers for one model, or if {@code id} is empty for a page of all.
     *
     * @throws ApiError if there is no such model
     */
    public static JsonWriter answer(Options options, List<Json> listed, String id,
                                     Map<String, String> query) {
        Map<String, Json> known = new LinkedHashMap<>(); // by name; names that the options map first
        options.names().forEach(name -> known.put(name, Json.NULL));
        boolean isAnyServed = options.model().isPresent(); // then the backend's other models cannot be had
        if (!isAnyServed) listed.forEach(model -> known.putIfAbsent(model.get("id").text(), model));
        List<String> names = List.copyOf(known.keySet());
        List<String> ids = names.stream().map(Models::shown).toList();
        if (!id.isEmpty()) {
            int at = Stream.of(id, shown(id), shown(Options.bare(id))).mapToInt(ids::indexOf)
                    .filter(index -> index >= 0).findFirst().orElse(-1);
            if (at < 0 && !options.serves(id)) throw new ApiError(404, "model: " + id);
            String name = at < 0 ? id : names.get(at);
            return model(name, known.getOrDefault(name, Json.NULL), window(options, listed, name));
        }
        int from = ids.indexOf(query.getOrDefault("after_id", "")) + 1;
        int to = ids.indexOf(query.getOrDefault("before_id", ""));
        String limit = query.getOrDefault("limit", "20");
        int most = limit.matches("\\d{1,9}") ? Math.clamp(Long.parseLong(limit), 1, MAX_LIMIT) : 0;
        if (most == 0) {
            throw new ApiError(400, "limit: a whole number from 1 to %d expected".formatted(MAX_LIMIT));
        }
        if (to < 0) to = Math.min(ids.size(), from + most); else from = Math.max(from, to - most);
        boolean more = query.containsKey("before_id") ? from > 0 : to < ids.size();
        Object first = from < to ? ids.get(from) : Json.NULL;
        Object last = from < to ? ids.get(to - 1) : Json.NULL;
        var page = new JsonWriter().put("{'data':[");
        names.subList(from, Math.max(from, to)).forEach(name ->
                page.put("%,", model(name, known.get(name), window(options, listed, name))));
        return page.closeWith(']').put(",'has_more':%,'first_id':%,'last_id':%}", more, first, last);
    }

    private static String shown(String name) {
        return name.matches("(?s)(claude|anthropic).*") ? name : "anthropic/" + name;
    }

    private static JsonWriter model(String name, Json model, long window) {
        Json most = model.get("top_provider").get("max_completion_tokens");
        long seconds = Math.clamp(model.get("created").toLong(0), 0, MAX_SECONDS);
        String created = Instant.ofEpochSecond(seconds).toString();
        return new JsonWriter().put("{'type':'model','id':%,'display_name':%,'created_at':%,",
                shown(name), model.get("name").hasText() ? model.get("name") : name, created)
                .put("'lifecycle':'active','line':null,'deprecated_at':null,'retires_at':null,")
                .put("'max_input_tokens':%,'max_tokens':%,",
                        window > 0 ? window : Json.NULL, most instanceof Json.Num ? most : Json.NULL)
                .put("'capabilities':null}");
    }

    /** {@return the context window in tokens for clients that ask for {@code name}; 0 if it is not known} */
    private static long window(Options options, List<Json> listed, String name) {
        return options.context() > 0 ? options.context() : window(listed, options.model(name));
    }

    /** {@return the context window in tokens that the backend's list says for its model; 0 if it does not} */
    public static long window(List<Json> listed, String name) {
        return entry(listed, name).stream()
                .flatMap(model -> WINDOW_MEMBERS.stream().map(path -> at(model, path)))
                .mapToLong(json -> json.toLong(0)).filter(tokens -> tokens > 0).findFirst().orElse(0);
    }

    private static Json at(Json json, List<String> path) {
        Json found = json;
        for (String member : path) found = found.get(member);
        return found;
    }

    /**
     * {@return the model's entry in the backend's list} Gemini lists {@code gemini-3} as
     * {@code models/gemini-3}, Ollama {@code qwen3} as {@code qwen3:latest}; OpenRouter serves variants,
     * {@code glm-5:free}, that it may not list. If there is only one entry, it is that one: llama.cpp serves its
     * one model by any name.
     */
    private static Optional<Json> entry(List<Json> listed, String name) {
        String withoutVariant = name.replaceFirst(":[^:/]*$", "");
        List<String> spellings = List.of(name, "models/" + name, name + ":latest", withoutVariant);
        Stream<Json> named = spellings.stream().flatMap(spelling -> listed.stream()
                .filter(model -> isCalled(model, spelling)));
        Stream<Json> only = listed.size() == 1 ? listed.stream() : Stream.empty();
        return Stream.concat(named, only).findFirst();
    }

    private static boolean isCalled(Json model, String name) {
        return model.get("id").text().equals(name)
                || model.get("aliases").items().stream().anyMatch(alias -> alias.text().equals(name));
    }
}
