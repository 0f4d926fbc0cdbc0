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
 * @param isForOnce whether to do it for this request alone, as the next one may be fine
 */
record Lesson(String why, Wording says, Function<Said, List<Trait>> teaches, boolean isForOnce) {
    /**
     * @param traits that are tried together
     * @param isForOnce whether they go for this request alone, for only a value or a combination was
     * refused
     */
    record Taught(List<Trait> traits, boolean isForOnce) {
        Taught(Trait trait, boolean isForOnce) { this(List.of(trait), isForOnce); }
    }

    Lesson(String why, Wording says, Function<Said, List<Trait>> teaches) { this(why, says, teaches, false); }
    Lesson(String why, Wording says, Trait trait) { this(why, says, said -> List.of(trait), false); }

    /** {@return a lesson for the request alone that is refused} */
    static Lesson once(String why, Wording says, Trait trait) {
        return new Lesson(why, says, said -> List.of(trait), true);
    }

    /** {@return for each value what it teaches} */
    static <T> List<Trait> each(List<T> values, Function<T, Trait> trait) {
        return values.stream().map(trait).toList();
    }

    /** {@return what a refusal teaches, if it is of this kind} */
    Stream<Taught> in(Said refusal) {
        if (!says.isIn(refusal)) return Stream.empty();
        return teaches.apply(refusal).stream().map(trait -> new Taught(trait, isForOnce));
    }
}
