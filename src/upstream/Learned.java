package upstream;

import config.Secrets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import java.util.logging.Logger;
import json.JsonWriter;
import json.Text;
import translate.Calibration;
import translate.Dialect;

/**
 * What one backend takes, as its refusals have taught it, and what it counts, by model. It is a cache: when
 * it is lost, the same refusals and counts teach it again. Safe for use by many threads.
 *
 * <p>What goes for all models is kept until the process ends; what goes for one is forgotten before that only
 * when there are more than {@link #MAX_MODELS} models. A later lesson replaces an earlier one about the same.
 * A lesson for one request alone is not kept.
 */
final class Learned {
    private static final int MAX_MODELS = 1000; // whose names clients choose
    private static final int MAX_SHOWN = 50;
    private static final Logger LOG = Logger.getLogger("a2o");

    private volatile Dialect ofAll; // what goes for models of which no more is known
    private final String host; // for the log
    private final Supplier<Secrets> secrets;
    private final Map<String, Dialect> byModel = new ConcurrentHashMap<>();
    private final Map<String, Calibration> calibrations = new ConcurrentHashMap<>(); // by model
    private final LongAdder times = new LongAdder(); // that something was learned, also what was forgotten

    /** {@code base} is what is known of each model before anything is learned. */
    Learned(Dialect base, String host, Supplier<Secrets> secrets) {
        this.ofAll = base;
        this.host = host;
        this.secrets = secrets;
    }

    Dialect dialect(String model) { return byModel.getOrDefault(model, ofAll); }

    Calibration calibration(String model) {
        if (calibrations.size() > MAX_MODELS) calibrations.clear();
        return calibrations.computeIfAbsent(model, none -> new Calibration());
    }

    /** {@return how often something was learned} */
    long times() { return times.sum(); }

    /** {@return how many rules are known, over all models} */
    long rules() {
        return byModel.values().stream().mapToLong(dialect -> dialect.learnedWords().size()).sum();
    }

    /** Remembers a dialect that has proved right for a model. */
    void learn(String model, Dialect dialect) {
        boolean isNothing = !dialect.hasLearned() || dialect == dialect(model);
        if (isNothing) return;
        if (byModel.size() > MAX_MODELS) byModel.clear();
        Dialect known = dialect(model).withLessonsOf(dialect);
        boolean isKnown = known.equals(byModel.put(model, known));
        if (isKnown) return;
        learnOfAll(known);
        times.increment();
        String line = "learned about %s at %s: %s".formatted(model, host, dialect.learnedWords());
        LOG.info(() -> Text.printable(secrets.get().mask(line)));
    }

    /** Some of what was learned about one model goes for all. */
    private synchronized void learnOfAll(Dialect known) {
        Dialect more = ofAll.withLessonsForAllOf(known);
        if (more == ofAll) return;
        ofAll = more;
        byModel.replaceAll((model, dialect) -> dialect.withLessonsForAllOf(known));
    }

    /** Writes an array with what was learned about each model, or the first {@link #MAX_SHOWN} of them. */
    void write(JsonWriter out) {
        out.array();
        byModel.entrySet().stream().limit(MAX_SHOWN).forEach(known -> {
            out.object().field("model", shown(known.getKey())).name("rules").object();
            known.getValue().learnedWords().forEach((name, value) -> out.field(name, shown(value)));
            out.endObject().endObject();
        });
        out.endArray();
    }

    /**
     * Writes an array with what the backend has counted of each model's requests beside the estimates: sums,
     * and the newest ratio.
     */
    void writeCounted(JsonWriter out) {
        out.array();
        calibrations.entrySet().stream().limit(MAX_SHOWN).forEach(known ->
                known.getValue().perHundred().ifPresent(percent -> {
                    Calibration.Sums sums = known.getValue().sums();
                    out.object().field("model", shown(known.getKey())).field("percent", percent);
                    out.field("replies", sums.replies()).field("estimated", sums.estimated());
                    out.field("counted", sums.counted()).endObject();
                }));
        out.endArray();
    }

    /** {@return the beginning of a text of a client's or a backend's, for a page} */
    private String shown(String text) { return Text.cut(secrets.get().mask(text)); }
}
