package translate;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A refusal of one kind, and what it teaches.
 *
 * @param why what the backend dislikes
 * @param says how it says so, in the plain form of {@link Said}
 * @param teaches what to do; of several the likeliest first
 */
record Lesson(String why, Wording says, Function<Said, List<Taught>> teaches) {
    /**
     * @param traits that are tried together
     * @param isForOnce whether they go for this request alone, for only a value or a combination was
     * refused
     */
    record Taught(List<Trait> traits, boolean isForOnce) {
        Taught(Trait trait, boolean isForOnce) { this(List.of(trait), isForOnce); }
    }

    /** @param traits that are tried together */
    Lesson(String why, Wording says, Trait... traits) {
        this(why, says, said -> List.of(new Taught(List.of(traits), false)));
    }

    /** {@return a lesson for the request alone that is refused} */
    static Lesson once(String why, Wording says, Trait trait) {
        return new Lesson(why, says, said -> List.of(new Taught(trait, true)));
    }

    /** {@return for each value what it teaches} */
    static <T> List<Taught> each(List<T> values, Function<T, Trait> trait) {
        return values.stream().map(value -> new Taught(trait.apply(value), false)).toList();
    }

    /** {@return the same, for the request alone that is refused, as the next one may be fine} */
    static <T> List<Taught> eachOnce(List<T> values, Function<T, Trait> trait) {
        return values.stream().map(value -> new Taught(trait.apply(value), true)).toList();
    }

    /** {@return what a refusal teaches, if it is of this kind} */
    Stream<Taught> in(Said refusal) {
        if (!says.isIn(refusal)) return Stream.empty();
        return teaches.apply(refusal).stream();
    }
}
