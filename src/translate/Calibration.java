package translate;

import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What one backend counts of one model's requests, beside what was estimated of them. Its tokenizer has words
 * of its own, and a template around the messages; both cost the same share of a request that is like the last
 * one. So there is a ratio for each size of request: requests of one size are mostly of one session. Newer
 * counts weigh more. It is a cache, as all that is learned about a backend.
 *
 * <p>Safe for use by many threads.
 */
public final class Calibration {
    private static final double LEAST = 0.5; // ratios beyond these are no tokenizer's: the prompt was cut,
    private static final double MOST = 2; //    or what the backend has cached does not count
    private static final double NEWEST = 0.7; // weight of the newest ratio
    private static final double FAR_BELOW = 0.8; // of what is known: some do not count what they have cached
    private static final double DOUBTED = 0.1; // weight of such a ratio
    private static final int ENOUGH = 8; // counts after which an estimate is not made for this alone

    /** The ratios of one way to estimate, by the number of binary digits of the estimate. */
    private static final class Ratios {
        private final NavigableMap<Integer, Double> bySize = new TreeMap<>();
        private OptionalInt newestSize = OptionalInt.empty(); // of the request that taught last
        private int counts;

        private static int size(long estimate) { return Long.SIZE - Long.numberOfLeadingZeros(estimate); }

        private synchronized long scaled(long estimate) {
            return Math.round(estimate * nearest(size(estimate)));
        }

        /** {@return the ratio for requests of that size, else of the nearest size that is known, or 1} */
        private double nearest(int size) {
            Map.Entry<Integer, Double> below = bySize.floorEntry(size);
            Map.Entry<Integer, Double> above = bySize.ceilingEntry(size);
            if (below == null) return above == null ? 1 : above.getValue();
            boolean isAboveNearer = above != null && above.getKey() - size < size - below.getKey();
            return isAboveNearer ? above.getValue() : below.getValue();
        }

        private synchronized void learn(long estimate, long counted) {
            counts++;
            double ratio = (double) counted / estimate;
            boolean isCredible = ratio >= LEAST && ratio <= MOST;
            if (!isCredible) return;
            newestSize = OptionalInt.of(size(estimate));
            bySize.merge(size(estimate), ratio, Ratios::joined);
        }

        private static double joined(double known, double newest) {
            boolean isDoubted = newest < known * FAR_BELOW;
            return known + (newest - known) * (isDoubted ? DOUBTED : NEWEST);
        }

        private synchronized OptionalLong perHundred() {
            if (newestSize.isEmpty()) return OptionalLong.empty();
            return OptionalLong.of(Math.round(bySize.get(newestSize.getAsInt()) * 100));
        }

        private synchronized boolean haveEnough() { return counts >= ENOUGH; }
    }

    /**
     * Sums over the replies that the backend has counted the prompt of.
     *
     * @param estimated the tokens of their prompts as they were estimated, before that was corrected
     * @param counted the same, as the backend has counted them
     */
    public record Sums(long replies, long estimated, long counted) {
        private Sums plus(long oneEstimated, long oneCounted) {
            return new Sums(replies + 1, estimated + oneEstimated, counted + oneCounted);
        }
    }

    private final Ratios ofWhole = new Ratios();
    private final Ratios ofRough = new Ratios();
    private final AtomicReference<Sums> sums = new AtomicReference<>(new Sums(0, 0, 0));

    /** {@return the tokens for an estimate by all bytes} */
    long whole(long estimate) { return ofWhole.scaled(estimate); }
    /** {@return the tokens for an estimate by samples} */
    long rough(long estimate) { return ofRough.scaled(estimate); }

    void learnWhole(long estimate, long counted) { ofWhole.learn(estimate, counted); }
    void learnRough(long estimate, long counted) { ofRough.learn(estimate, counted); }

    void addToSums(long estimated, long counted) { sums.updateAndGet(known -> known.plus(estimated, counted)); }
    public Sums sums() { return sums.get(); }

    /** {@return what the backend counts for a hundred estimated tokens, by its newest count, if there is one} */
    public OptionalLong perHundred() {
        OptionalLong byWhole = ofWhole.perHundred();
        return byWhole.isPresent() ? byWhole : ofRough.perHundred();
    }

    /** {@return whether an estimate by all bytes is worth its time, if only to learn from it} */
    boolean needsWhole() { return !ofWhole.haveEnough(); }
}
