package serve;

import java.time.Duration;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * How many times were how long, in the buckets of Prometheus: each counts all that are no longer than its
 * bound. One without a bound, which counts all, comes on top. It is not for several threads.
 */
final class Histogram {
    private static final double SECOND = 1e9; // in nanoseconds
    private static final double[] USUAL =
            {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600};
    /** Bounds in seconds for the time that one token takes. */
    static final List<Double> OF_TOKENS =
            List.of(0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5);

    private final List<Double> bounds;
    private final long[] counts; // of those that fit into no smaller bucket
    private long count;
    private double sumSeconds;

    Histogram(List<Double> bounds) {
        this.bounds = bounds;
        this.counts = new long[bounds.size()];
    }

    /** {@return bounds in seconds up to that time, which is the last of them} */
    static List<Double> boundsTo(Duration longest) {
        double last = longest.toMillis() / 1000.0;
        Stream<Double> shorter = DoubleStream.of(USUAL).filter(bound -> bound < last).boxed();
        return Stream.concat(shorter, Stream.of(last)).toList();
    }

    void add(long nanos) {
        double seconds = nanos / SECOND;
        int bucket = 0;
        while (bucket < counts.length && seconds > bounds.get(bucket)) bucket++;
        if (bucket < counts.length) counts[bucket]++;
        count++;
        sumSeconds += seconds;
    }

    List<Double> bounds() { return bounds; }

    /** {@return how many fit into the bucket of that number, and into no smaller one} */
    long count(int bucket) { return counts[bucket]; }

    long count() { return count; }

    double sumSeconds() { return sumSeconds; }
}
