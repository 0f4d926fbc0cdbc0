package config;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A value and the backends that it is for: {@code KEY@local}, {@code KEY@local,cloud}, or {@code KEY}, which
 * is for all. Only names that an {@code --upstream} has make an address: {@code @} may belong to the value.
 *
 * @param names the names of the backends; none if it is for all
 */
record Addressed(String value, List<String> names) {
    /** The name of a backend: local, or, gpu-2. */
    static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_-]{0,30}");
    /** What can only be meant for names, once one of them is known: local, or. */
    private static final Pattern NAMES = Pattern.compile("[\\w, -]+");

    /** Takes the value apart. {@code known} are the names that there are. */
    static Addressed of(Option option, String text, List<String> known) {
        int at = text.lastIndexOf('@');
        if (known.isEmpty() || at < 0) return new Addressed(text, List.of());
        String rest = text.substring(at + 1);
        List<String> names = Stream.of(rest.split(",", -1)).map(String::strip).distinct().toList();
        if (known.containsAll(names)) return new Addressed(text.substring(0, at), names);
        boolean isOneKnown = NAMES.matcher(rest).matches() && names.stream().anyMatch(known::contains);
        boolean areNames = isOneKnown || names.stream().allMatch(name -> NAME.matcher(name).matches());
        if (!areNames) return new Addressed(text, List.of());
        String meant = names.stream().filter(name -> !known.contains(name))
                .flatMap(name -> Spelling.nearest(name, known).stream()).findFirst()
                .map("; did you mean %s?"::formatted).orElse(".");
        String unknown = ": no --upstream has the name behind the last @; there are: %s%s "
                + "Where that @ belongs to the value, another one and a name must follow";
        throw new UsageError(option, unknown.formatted(String.join(", ", known), meant));
    }

    boolean isForAll() { return names.isEmpty(); }

    /** {@return true if it names the backend} */
    private boolean isFor(Optional<String> name) { return name.filter(names::contains).isPresent(); }

    /** {@return true if the backend is one of those that it is for} */
    boolean reaches(Optional<String> name) { return isForAll() || isFor(name); }

    /** {@return the last value that names the backend} */
    static Optional<String> own(List<Addressed> values, Optional<String> name) {
        return values.stream().filter(each -> each.isFor(name)).map(Addressed::value)
                .reduce((earlier, later) -> later);
    }

    /** {@return the last value that names the backend, else the last one that is for all} */
    static Optional<String> last(List<Addressed> values, Optional<String> name) {
        return own(values, name).or(() -> values.stream().filter(Addressed::isForAll).map(Addressed::value)
                .reduce((earlier, later) -> later));
    }
}
