package anthropic;

import config.Target;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The models that one backend lists; none if it lists none. */
public record BackendModels(Target target, List<ListedModel> models) {
    boolean lists(String id) { return models.stream().anyMatch(model -> model.id().equals(id)); }

    Optional<ListedModel> find(String name) { return ListedModel.find(models, name); }

    /** {@return the context window of a model in tokens: by --context, else as the backend lists it} */
    OptionalLong window(String model) {
        OptionalLong given = target.context();
        return given.isPresent() ? given : ListedModel.window(models, model);
    }
}
