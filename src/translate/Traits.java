package translate;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The traits of a dialect, each by what it is about. What was learned counts before what the host's row says,
 * and what goes for one request alone before both. Immutable. Asked for each block of a history: so each
 * question is one look-up.
 */
final class Traits {
    private final Map<String, Trait> ofHost;
    private final Map<String, Trait> learned;
    private final Map<String, Trait> once;
    private final Map<String, Trait> all; // those that count
    private final Map<Class<?>, Trait> byKind = new HashMap<>(); // one of each

    /** @param ofHost those of the host's row, for the API that is spoken */
    Traits(Map<String, Trait> ofHost) { this(ofHost, Map.of(), Map.of()); }

    private Traits(Map<String, Trait> ofHost, Map<String, Trait> learned, Map<String, Trait> once) {
        this.ofHost = ofHost;
        this.learned = learned;
        this.once = once;
        this.all = new HashMap<>(ofHost);
        all.putAll(learned);
        all.putAll(once);
        all.values().forEach(trait -> byKind.put(trait.getClass(), trait));
    }

    Map<String, Trait> learned() { return learned; }

    Optional<Trait> about(String what) { return Optional.ofNullable(all.get(what)); }
    boolean has(Trait trait) { return trait.equals(all.get(trait.about())); }

    /** {@return the trait of a kind of which there is one at most} */
    <T extends Trait> Optional<T> find(Class<T> kind) { return Optional.ofNullable(kind.cast(byKind.get(kind))); }

    Traits withLearned(Trait trait) { return new Traits(ofHost, with(learned, trait), once); }
    Traits withOnce(Trait trait) { return new Traits(ofHost, learned, with(once, trait)); }
    Traits withHost(Map<String, Trait> other) { return new Traits(other, learned, once); }

    private static Map<String, Trait> with(Map<String, Trait> traits, Trait trait) {
        Map<String, Trait> more = new LinkedHashMap<>(traits);
        more.put(trait.about(), trait);
        return more;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Traits traits && ofHost.equals(traits.ofHost) && learned.equals(traits.learned)
                && once.equals(traits.once);
    }

    @Override public int hashCode() { return all.hashCode(); }
}
