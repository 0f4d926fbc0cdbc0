package translate;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The ciphertexts of reasoning that one backend could not open, by their hashes: they stay in the client's
 * history, and sent again would be refused on every turn. The oldest are forgotten when there are too many.
 * Safe for use by many threads.
 */
final class UnopenedReasoning {
    private static final int MAX_KEPT = 10_000;

    private final Set<Integer> hashes = Collections.synchronizedSet(Collections.newSetFromMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Boolean> eldest) { return size() > MAX_KEPT; }
    }));

    void add(String encrypted) { hashes.add(encrypted.hashCode()); }
    boolean contains(String encrypted) { return hashes.contains(encrypted.hashCode()); }
}
