package anthropic;

import config.Route;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import json.JsonWriter;

/**
 * Answers {@code GET /v1/models} in Anthropic's shape (SPEC F.2): the models that the backends list, and the
 * names that the options map. It asks no backend.
 *
 * <p>Claude Code shows only names that begin with claude or anthropic, so all others are listed as {@code
 * anthropic/NAME}; {@link Route} takes that off again.
 */
public final class Models {
    private static final String USUAL_LIMIT = "20";
    private static final int MAX_LIMIT = 1000;
    private static final Pattern LIMIT = Pattern.compile("[0-9]{1,9}"); // as 20

    /** A name that clients may ask for; and the entry that a backend lists for it, if one does. */
    private record Entry(String name, Optional<ListedModel> listed, OptionalLong window) {
        /** {@return the name as Claude Code shows it} */
        private String id() { return shown(name); }
    }

    private Models() { }

    /**
     * Answers for one model.
     *
     * @throws ApiError if no client gets a reply by that name
     */
    public static JsonWriter one(Route.Table routes, List<BackendModels> backends, String asked) {
        List<Entry> entries = entries(routes, backends);
        Optional<Entry> known = Stream.of(asked, shown(asked), shown(Route.bare(asked)))
                .flatMap(id -> entries.stream().filter(entry -> entry.id().equals(id)))
                .findFirst();
        Entry entry = known.or(() -> asRoute(routes, backends, asked))
                .orElseThrow(() -> new ApiError(404, "model: " + asked));
        var out = new JsonWriter();
        write(entry, out);
        return out;
    }

    /** {@return the entry for a name that is mapped, or that names a backend and a model which it lists} */
    private static Optional<Entry> asRoute(Route.Table routes, List<BackendModels> backends, String asked) {
        Route route = routes.of(asked);
        boolean isListed = route.targets().size() == 1 && of(route, backends).stream()
                .anyMatch(backend -> backend.lists(route.model()));
        boolean isServed = route.isMapped() || isListed;
        return isServed ? Optional.of(entry(asked, routes, backends)) : Optional.empty();
    }

    /**
     * Answers with a page of the list: what follows {@code after_id}, or what comes before {@code before_id};
     * no more than {@code limit} of it.
     */
    public static JsonWriter page(Route.Table routes, List<BackendModels> backends,
                                  Map<String, String> query) {
        List<Entry> entries = entries(routes, backends);
        List<String> ids = entries.stream().map(Entry::id).toList();
        int limit = limit(query.getOrDefault("limit", USUAL_LIMIT));
        int from = ids.indexOf(query.getOrDefault("after_id", "")) + 1; // 0 where that is not listed
        int to = ids.indexOf(query.getOrDefault("before_id", ""));
        boolean isBackwards = to >= 0;
        if (isBackwards) {
            from = Math.max(from, to - limit);
        } else {
            to = Math.min(ids.size(), from + limit);
        }
        List<Entry> page = from < to ? entries.subList(from, to) : List.of();
        var out = new JsonWriter().object().name("data").array();
        page.forEach(entry -> write(entry, out));
        out.endArray();
        out.field("has_more", isBackwards ? from > 0 : to < ids.size());
        writeText("first_id", page.stream().findFirst().map(Entry::id), out);
        writeText("last_id", page.isEmpty() ? Optional.empty() : Optional.of(page.getLast().id()), out);
        return out.endObject();
    }

    /** {@return all names that clients may ask for: first those that the options map} */
    private static List<Entry> entries(Route.Table routes, List<BackendModels> backends) {
        Map<String, Entry> entries = new LinkedHashMap<>(); // by name
        for (String name : routes.names()) entries.put(name, entry(name, routes, backends));
        boolean isOneServed = routes.hasModelForAll(); // then the backends' other models cannot be had
        if (isOneServed) return List.copyOf(entries.values());
        for (BackendModels backend : backends) {
            for (ListedModel model : backend.models()) {
                String name = name(model.id(), backend, routes, backends);
                entries.putIfAbsent(name,
                        new Entry(name, Optional.of(model), backend.window(model.id())));
            }
        }
        return List.copyOf(entries.values());
    }

    /** {@return the entry for a name of the options: that of the route's first backend which lists a window} */
    private static Entry entry(String name, Route.Table routes, List<BackendModels> backends) {
        Route route = routes.of(name);
        List<BackendModels> asked = of(route, backends);
        Optional<ListedModel> listed = route.isMapped() ? Optional.empty()
                : asked.stream().flatMap(backend -> backend.find(route.model()).stream()).findFirst();
        OptionalLong window = asked.stream().map(backend -> backend.window(route.model()))
                .filter(OptionalLong::isPresent).findFirst().orElse(OptionalLong.empty());
        return new Entry(name, listed, window);
    }

    private static List<BackendModels> of(Route route, List<BackendModels> backends) {
        return route.targets().stream()
                .flatMap(target -> backends.stream().filter(backend -> backend.target().equals(target)))
                .toList();
    }

    /** {@return the name that leads to a backend's model: its own, or local/qwen3 where that leads elsewhere} */
    private static String name(String model, BackendModels backend, Route.Table routes,
                               List<BackendModels> backends) {
        Route route = routes.of(model);
        boolean isTheOnlyOne = backends.stream().filter(other -> other.lists(model)).count() == 1;
        boolean isLedTo = route.model().equals(model) && route.targets().contains(backend.target());
        boolean isPlain = isTheOnlyOne && isLedTo;
        return isPlain ? model : backend.target().nameOf(model).orElse(model);
    }

    private static int limit(String text) {
        if (!LIMIT.matcher(text).matches()) {
            throw new ApiError(400, "limit: a whole number from 1 to %d expected".formatted(MAX_LIMIT));
        }
        return Math.clamp(Long.parseLong(text), 1, MAX_LIMIT);
    }

    private static String shown(String name) {
        boolean isShown = name.startsWith("claude") || name.startsWith("anthropic");
        return isShown ? name : "anthropic/" + name;
    }

    /** Writes one model. Unknown: what is null, and the time of creation where it is 1970. */
    private static void write(Entry entry, JsonWriter out) {
        out.object().field("type", "model").field("id", entry.id());
        out.field("display_name", entry.listed.flatMap(ListedModel::title).orElse(entry.name));
        out.field("created_at", entry.listed.map(ListedModel::created).orElse(Instant.EPOCH).toString());
        out.field("lifecycle", "active").nullField("line").nullField("deprecated_at").nullField("retires_at");
        writeNumber("max_input_tokens", entry.window, out);
        writeNumber("max_tokens", entry.listed.map(ListedModel::maxTokens).orElse(OptionalLong.empty()), out);
        out.nullField("capabilities").endObject();
    }

    private static void writeText(String name, Optional<String> text, JsonWriter out) {
        text.ifPresentOrElse(known -> out.field(name, known), () -> out.nullField(name));
    }

    private static void writeNumber(String name, OptionalLong number, JsonWriter out) {
        number.ifPresentOrElse(known -> out.field(name, known), () -> out.nullField(name));
    }
}
