package config;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * What becomes of a request for a model, by the options alone.
 *
 * @param targets   the backends to ask, in order
 * @param model     the name of the model that they are asked for
 * @param isMapped  true if {@code --map} or {@code --model} chose the model: the name is served, whatever
 *                  models the backends list
 */
public record Route(List<Target> targets, String model, boolean isMapped) {
    /** What A2o's list of models puts before a name, so that Claude Code shows it: anthropic/qwen3. */
    private static final String LISTED = "anthropic/";
    /** What Claude Code 2.1.330 asks for where no model is chosen. */
    private static final String CLAUDE_CODES_DEFAULT = "claude-opus-5-5";

    /** An entry of {@code --map}: requests for names that fit the pattern are for {@code model}. */
    record Mapping(Glob pattern, String model, List<Target> targets) {
        /**
         * {@return the entry that is written as {@code PATTERN=MODEL}, for all backends, or as {@code
         * PATTERN=MODEL@NAME,NAME}, for those} The last equals sign is the one.
         */
        static Mapping of(String text, List<Target> all) {
            int equals = text.lastIndexOf('=');
            boolean isPair = equals > 0 && equals < text.length() - 1;
            String wrong = ": PATTERN=MODEL expected, not '%s'";
            if (!isPair) throw new UsageError(Option.MAP, wrong.formatted(text));
            List<String> known = all.stream().flatMap(target -> target.name().stream()).toList();
            Addressed model = Addressed.of(Option.MAP, text.substring(equals + 1), known);
            if (model.value().isEmpty()) throw new UsageError(Option.MAP, wrong.formatted(text));
            List<Target> targets = model.isForAll() ? all : named(model.names(), all);
            return new Mapping(new Glob(text.substring(0, equals)), model.value(), targets);
        }

        private static List<Target> named(List<String> names, List<Target> all) {
            return names.stream().flatMap(name -> all.stream().filter(target -> target.isNamed(name))).toList();
        }

        /** {@return true if the pattern is about names of that backend's models alone, as NAME/*} */
        private boolean isAbout(Target target) {
            return target.name().filter(name -> pattern.text().startsWith(name + "/")).isPresent();
        }
    }

    /** {@return the window in tokens by {@code --context}, of the backend that is asked first} */
    public OptionalLong context() { return targets.getFirst().context(); }

    /**
     * All routes: {@code --map} in order, then {@code --model}, then the client's own name for the model. A
     * name such as {@code local/qwen3} is for the backend of that name, unless a pattern of {@code --map}
     * begins with {@code local/}, or {@code --model} is given.
     */
    public static final class Table {
        private final List<Target> targets;
        private final List<Mapping> mappings;
        private final Optional<String> modelForAll;

        Table(List<Target> targets, List<Mapping> mappings, Optional<String> modelForAll) {
            this.targets = List.copyOf(targets);
            this.mappings = List.copyOf(mappings);
            this.modelForAll = modelForAll;
        }

        /** {@return the route of a request for that model} */
        public Route of(String asked) {
            Optional<Mapping> mapping = mapping(asked);
            Optional<Target> named = modelForAll.isEmpty() ? named(asked) : Optional.empty();
            boolean isNameMapped = mapping.isPresent() && named.filter(mapping.get()::isAbout).isPresent();
            if (named.isPresent() && !isNameMapped) {
                return new Route(List.of(named.get()), named.get().withoutName(bare(asked)), false);
            }
            if (mapping.isPresent()) return new Route(mapping.get().targets, mapping.get().model, true);
            return new Route(targets, modelForAll.orElse(bare(asked)), modelForAll.isPresent());
        }

        /** {@return the first --map whose pattern fits the name, with or without additions} */
        private Optional<Mapping> mapping(String asked) {
            if (mappings.isEmpty()) return Optional.empty();
            List<String> names = List.of(asked, withoutListed(asked), bare(asked));
            return mappings.stream().filter(mapping -> names.stream().anyMatch(mapping.pattern::fits))
                    .findFirst();
        }

        /** {@return the backend that a name such as local/qwen3 is for} */
        private Optional<Target> named(String asked) {
            String name = bare(asked);
            for (Target target : targets) {
                if (!target.withoutName(name).equals(name)) return Optional.of(target);
            }
            return Optional.empty();
        }

        /** {@return one of the models that --map or --model choose} */
        public Optional<String> sampleModel() {
            return Stream.concat(modelForAll.stream(), mappings.stream().map(Mapping::model)).findFirst();
        }

        /** {@return true if all names that no --map fits lead to one model, so that no other can be had} */
        public boolean hasModelForAll() { return modelForAll.isPresent(); }

        /** {@return the names that are routes of their own: those that are mapped, and the model for all} */
        public List<String> names() {
            Stream<String> mapped = mappings.stream().map(Mapping::pattern)
                    .filter(Glob::isName).map(Glob::text);
            return Stream.concat(mapped, modelForAll.stream()).toList();
        }

        /**
         * {@return the model that Claude Code should ask for where its user has not chosen one} That is the
         * model which Claude Code's default is mapped to, by its own name: Claude Code takes no window for
         * the name of its default. None if the default is not mapped, or if that name leads elsewhere.
         */
        public Optional<String> mainModel() {
            Route route = of(CLAUDE_CODES_DEFAULT);
            if (!route.isMapped) return Optional.empty();
            Stream<String> ofOne = route.targets.getFirst().nameOf(route.model).stream();
            return Stream.concat(Stream.of(route.model), ofOne).filter(name -> leadsTo(route, name)).findFirst();
        }

        private boolean leadsTo(Route route, String name) {
            Route own = of(name);
            return own.model.equals(route.model) && own.targets.equals(route.targets);
        }

        /** {@return the route of the main model; where there is none, one whose model has no name} */
        public Route main() { return of(mainModel().orElse("")); }
    }

    /** {@return the name without what A2o's list puts before it, and Claude Code at its end, as [1m]} */
    public static String bare(String asked) {
        String name = withoutListed(asked);
        int bracket = name.lastIndexOf('[');
        return bracket >= 0 && name.endsWith("]") ? name.substring(0, bracket) : name;
    }

    /** {@return the name as the backend has it} OpenRouter's own names may begin with anthropic/claude. */
    private static String withoutListed(String asked) {
        if (!asked.startsWith(LISTED)) return asked;
        String name = asked.substring(LISTED.length());
        boolean isBackends = name.startsWith("claude") || name.startsWith("anthropic");
        return isBackends ? asked : name;
    }
}
