package anthropic;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * A model as a backend lists it, as far as clients are told of it.
 *
 * @param aliases other names by which the backend serves it
 * @param title its name for people, if the backend gives one
 * @param window the context window in tokens, if the backend gives it
 * @param maxTokens the longest reply in tokens, if the backend gives it
 */
public record ListedModel(String id, List<String> aliases, Optional<String> title, Instant created,
                          OptionalLong window, OptionalLong maxTokens) {
    /**
     * {@return the entry for the model that is asked for as {@code name}} Gemini lists {@code gemini-3} as
     * {@code models/gemini-3}, Ollama {@code qwen3} as {@code qwen3:latest}; OpenRouter serves variants,
     * {@code glm-5:free}, that it may not list. A list of one entry serves all names, as llama.cpp does.
     */
    public static Optional<ListedModel> find(List<ListedModel> listed, String name) {
        for (String spelling : List.of(name, "models/" + name, name + ":latest", withoutVariant(name))) {
            Optional<ListedModel> found =
                    listed.stream().filter(model -> model.isCalled(spelling)).findFirst();
            if (found.isPresent()) return found;
        }
        return listed.size() == 1 ? Optional.of(listed.getFirst()) : Optional.empty();
    }

    /** {@return {@code z-ai/glm-5} for {@code z-ai/glm-5:free}} */
    private static String withoutVariant(String name) {
        int colon = name.lastIndexOf(':');
        boolean isVariant = colon > name.lastIndexOf('/');
        return isVariant ? name.substring(0, colon) : name;
    }

    private boolean isCalled(String name) {
        return Stream.concat(Stream.of(id), aliases.stream()).anyMatch(name::equals);
    }

    /** {@return the context window of the model that is asked for as {@code name}, if it is listed} */
    public static OptionalLong window(List<ListedModel> listed, String name) {
        return find(listed, name).map(ListedModel::window).orElse(OptionalLong.empty());
    }
}
