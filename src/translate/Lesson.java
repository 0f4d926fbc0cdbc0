package translate;

import java.util.Optional;
import java.util.function.Function;
import java.util.regex.MatchResult;

/**
 * A refusal of one kind, and what it teaches.
 *
 * @param why what the backend dislikes
 * @param says how it says so, in lower case, with ' for each kind of quotation mark
 * @param teaches what to do, from the last piece of the wording
 * @param isForOnce whether to do it for this request alone
 */
record Lesson(String why, Wording says, Function<MatchResult, Trait> teaches, boolean isForOnce) {
    Lesson(String why, Wording says, Function<MatchResult, Trait> teaches) { this(why, says, teaches, false); }

    /** {@return what a refusal teaches, if it is of this kind} */
    Optional<Trait> in(String refusal) { return says.in(refusal).map(teaches); }
}
