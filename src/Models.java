import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The list of models, {@code GET /v1/models}: what the backend lists, and the names that the options map, in
 * Anthropic's shape (SPEC F.2). Claude Code shows only names that begin with claude or anthropic, so all others are
 * listed as {@code anthropic/NAME}; {@link Options#model} takes that off again.
 */
final class Models {
    private static final int MAX_LIMIT = 1000;
    private static final long MAX_SECONDS = 253_402_300_799L; // the end of the year 9999

    private Models() { }

    /** Answers for one model, or if {@code id} is empty for a page of all. @throws ApiError if there is no such one */
    static Json.Writer answer(Options options, List<Json> listed, String id, Map<String, String> query) {
        Map<String, Json> known = new LinkedHashMap<>(); // by name; names that the options map first
        options.names().forEach(name -> known.put(name, Json.NULL));
        listed.forEach(model -> known.putIfAbsent(model.get("id").text(), model));
        List<String> ids = known.keySet().stream().map(Models::shown).toList();
        List<Json.Writer> all = known.entrySet().stream()
                .map(each -> model(each.getKey(), each.getValue(), options.context())).toList();
        if (!id.isEmpty()) {
            int at = Math.max(ids.indexOf(id), ids.indexOf(shown(id)));
            if (at < 0) throw new ApiError(404, "model: " + id);
            return all.get(at);
        }
        int from = ids.indexOf(query.getOrDefault("after_id", "")) + 1;
        int to = ids.indexOf(query.getOrDefault("before_id", ""));
        String limit = query.getOrDefault("limit", "20");
        int most = limit.matches("\\d{1,9}") ? Math.clamp(Long.parseLong(limit), 1, MAX_LIMIT) : 0;
        if (most == 0) throw new ApiError(400, "limit: a whole number from 1 to %d expected".formatted(MAX_LIMIT));
        if (to < 0) to = Math.min(ids.size(), from + most); else from = Math.max(from, to - most);
        boolean more = query.containsKey("before_id") ? from > 0 : to < ids.size();
        Object first = from < to ? ids.get(from) : Json.NULL;
        Object last = from < to ? ids.get(to - 1) : Json.NULL;
        var page = new Json.Writer().put("{'data':[");
        all.subList(from, Math.max(from, to)).forEach(model -> page.put("%,", model));
        return page.closeWith(']').put(",'has_more':%,'first_id':%,'last_id':%}", more, first, last);
    }

    private static String shown(String name) {
        return name.matches("(claude|anthropic).*") ? name : "anthropic/" + name;
    }

    private static Json.Writer model(String name, Json model, long context) {
        long window = Stream.of(model.get("max_model_len"), model.get("context_length"), model.get("context_window"),
                        model.get("max_context_length"), model.get("meta").get("n_ctx"),
                        model.get("meta").get("n_ctx_train"))
                .mapToLong(json -> json.toLong(0)).filter(tokens -> tokens > 0).findFirst().orElse(context);
        Json most = model.get("top_provider").get("max_completion_tokens");
        String created = Instant.ofEpochSecond(Math.clamp(model.get("created").toLong(0), 0, MAX_SECONDS)).toString();
        return new Json.Writer().put("{'type':'model','id':%,'display_name':%,'created_at':%,'lifecycle':'active',",
                shown(name), model.get("name").hasText() ? model.get("name") : name, created)
                .put("'line':null,'deprecated_at':null,'retires_at':null,'max_input_tokens':%,'max_tokens':%,",
                        window > 0 ? window : Json.NULL, most instanceof Json.Num ? most : Json.NULL)
                .put("'capabilities':null}");
    }
}
