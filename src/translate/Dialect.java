package translate;

import config.Target;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a backend takes for a model, where that differs from plain chat completions: the traits in its
 * host's row ({@link Dialects}), and before them those that its own refusals have taught (SPEC, "Learned
 * downgrades"). Immutable.
 *
 * @param ofHost each trait by what it is about, as those in {@code learned}
 * @param isForOnce whether some of {@code learned} goes for one request alone, such as to omit a wrong value
 */
public record Dialect(Target target, Map<String, Trait> ofHost, Map<String, Trait> learned,
                      boolean isForOnce) {
    private static final List<Trait> OF_LLAMA =
            List.of(Trait.Habit.FORCED_TOOL_ALONE, Trait.Habit.BEGUN_REPLY_REPEATED);

    /** {@return what is known of a backend that has not been asked} */
    public static Dialect of(Target target) {
        return new Dialect(target, Dialects.of(target), Map.of(), false);
    }

    // What is learned

    /** {@return the dialects to try after a refusal in these words, the likeliest first} */
    public Stream<Dialect> afterRefusal(String refusal) {
        return Lessons.of(refusal).stream().map(taught -> with(taught.trait(), taught.isForOnce()));
    }

    /** {@return this, and what the name tells that a server gives itself in the header {@code server}} */
    public Dialect servedBy(String server) {
        if (!server.equals("llama.cpp")) return this;
        Dialect known = this;
        for (Trait trait : OF_LLAMA) known = known.with(trait, false);
        return known;
    }

    /** {@return this, and what another dialect of the same backend has learned} */
    public Dialect withLessonsOf(Dialect other) {
        Dialect known = this;
        for (Trait trait : other.learned.values()) known = known.with(trait, other.isForOnce);
        return known;
    }

    private Dialect with(Trait trait, boolean isOnce) {
        if (has(trait)) return this;
        Map<String, Trait> more = new LinkedHashMap<>(learned);
        more.put(trait.about(), trait);
        return new Dialect(target, ofHost, more, isForOnce || isOnce);
    }

    /** {@return what was learned, for the log and the status page: what it is about, and what is so} */
    public Map<String, String> learnedWords() {
        Map<String, String> words = new TreeMap<>();
        for (Trait trait : learned.values()) words.put(trait.about(), trait.value());
        return words;
    }

    private Optional<Trait> about(String what) {
        return Optional.ofNullable(learned.getOrDefault(what, ofHost.get(what)));
    }

    private boolean has(Trait trait) { return about(trait.about()).filter(trait::equals).isPresent(); }

    private <T extends Trait> Optional<T> find(Class<T> kind) {
        return Stream.of(learned, ofHost).flatMap(traits -> traits.values().stream())
                .filter(kind::isInstance).map(kind::cast).findFirst();
    }

    // Members of the request

    /**
     * {@return whether the backend takes a member, or a kind of part in a message} It may have been
     * refused by its usual name, or by the one that it has at this backend.
     */
    boolean takes(String member) { return !isOmitted(member) && !isOmitted(name(member)); }

    private boolean isOmitted(String name) {
        return about(name).filter(Trait.Omitted.class::isInstance).isPresent();
    }

    /** {@return what a member is called at this backend, if it takes it} */
    String name(String member) {
        return about(member).filter(Trait.Named.class::isInstance).map(Trait.Named.class::cast)
                .map(Trait.Named::wireName).orElse(member);
    }

    /** {@return whether all messages of the assistant's must have the member} */
    boolean requires(String member) { return has(new Trait.Required(member)); }

    // Values of members

    Trait.Thinking thinking() { return find(Trait.Thinking.class).orElse(Trait.Thinking.OBJECT); }
    Trait.EffortForm effortForm() { return find(Trait.EffortForm.class).orElse(Trait.EffortForm.STRING); }

    /** {@return the effort to send for the one that is asked for, if any} */
    Optional<String> effort(Optional<String> asked) {
        Map<String, String> instead = find(Trait.EffortsInstead.class)
                .map(Trait.EffortsInstead::byAsked).orElse(Map.of());
        Optional<String> wanted = asked.map(effort -> instead.getOrDefault(effort, effort));
        Optional<Trait.Efforts> efforts = find(Trait.Efforts.class);
        return efforts.isEmpty() ? wanted : efforts.get().nearest(wanted);
    }

    /** {@return the number of tokens to ask for, where the client asks for so many} */
    long replyTokens(long asked) {
        long longest = find(Trait.LongestReply.class).map(Trait.LongestReply::tokens).orElse(asked);
        long shortest = find(Trait.ShortestReply.class).map(Trait.ShortestReply::tokens).orElse(0L);
        return Math.max(Math.min(asked, longest), shortest);
    }

    // Ways to say something

    boolean takesSystemInPlace() { return has(Trait.Habit.SYSTEM_IN_PLACE); }
    boolean forcesToolAlone() { return has(Trait.Habit.FORCED_TOOL_ALONE); }
    boolean refusesNullContent() { return has(Trait.Habit.EMPTY_CONTENT); }
    boolean repeatsBegunReply() { return has(Trait.Habit.BEGUN_REPLY_REPEATED); }
    /** {@return whether the key goes as {@code api-key: K}, not as {@code authorization: Bearer K}} */
    public boolean takesApiKeyHeader() { return has(Trait.Habit.API_KEY_HEADER); }
}
