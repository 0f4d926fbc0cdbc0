package serve;

import java.util.List;

/**
 * How many times were how long, in the buckets of Prometheus: each counts all that are no longer than its
 * bound.
 */
final class Histogram {
    /** The bounds of the buckets in seconds; one without a bound, which counts all, comes on top. */
    static final List<Double> BOUNDS =
            List.of(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0);
    private static final double SECOND = 1e9; // in nanoseconds

    private final long[] counts = new long[BOUNDS.size()];
    private long count;
    private double sumSeconds;

    void add(long nanos) {
        double seconds = nanos / SECOND;
        for (int i = 0; i < counts.length; i++) {
            if (seconds <= BOUNDS.get(i)) counts[i]++;
        }
        count++;
        sumSeconds += seconds;
    }

    /** {@return how many were no longer than that one of {@link #BOUNDS}} */
    long count(int bound) { return counts[bound]; }

    long count() { return count; }

    double sumSeconds() { return sumSeconds; }
}
