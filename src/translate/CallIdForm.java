package translate;

import anthropic.Request;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import json.Json;
import json.JsonWriter;

/**
 * What a backend wants the ids of tool calls to look like. Calls that another backend has made may have
 * others: vLLM's have 46 characters, OpenAI takes 40, Mistral wants nine letters and digits.
 *
 * @param length in characters, at most or exactly
 * @param isAlphanumeric whether only letters and digits are taken; else also {@code _} and {@code -}
 */
record CallIdForm(int length, boolean isExact, boolean isAlphanumeric) {
    private static final int USUAL_LENGTH = 40; // OpenAI's, where a refusal speaks of the alphabet alone
    private static final int HASH_LENGTH = 32;

    /** As in {@code messages[2].tool_calls[0].id}, {@code tool_use_id}, {@code toolUseId}, "tool call id". */
    private static final Pattern ID = Pattern.compile(
            "tool[_ ]?(?:call|use)s?[\\W_\\d]{0,12}ids?\\b|\\bcall_id\\b");
    /** As in "maximum length 40", "a length of 9", "at most 64", {@code [a-z]{1,64}}, {@code [a-z]{9}}. */
    private static final Pattern LENGTH = Pattern.compile(
            "(?:length|long|at most|up to|maximum|less than or equal to|<=|长度|超过|\\{\\d,|]\\{(?!\\d,))[^\\d.;]{0,30}?(\\d{1,3})\\b"
            + "|\\b(\\d{1,3}) (?:char|letter|digit|byte|alphanum)");
    /** Says that the length is a limit, as "string too long". */
    private static final Pattern AT_MOST =
            Pattern.compile("too long|max|at most|up to|less than|no more|exceed|longer|<=|\\{\\d,|超过|最");
    /** As in "must be a-z, A-Z, 0-9", "alphanumeric strings", "^[a-zA-Z0-9]{9}$". */
    private static final Pattern ALPHANUMERIC = Pattern.compile(
            "alphanumeric(?!.{0,20}(?:underscore|dash|hyphen))|letters and (?:digits|numbers)"
            + "|a-z, a-z, 0-9(?!, ?[_-])|\\[a-z(?:a-z)?0-9]");
    /** As in "should match pattern '^[a-zA-Z0-9_-]+$'", "contains invalid characters". */
    private static final List<String> ALPHABET = List.of("a-z", "invalid char", "underscore", "hyphen");

    /** {@return the form that a refusal wants, if it is about that} It is read in lower case. */
    static Optional<CallIdForm> in(String refusal) {
        if (!ID.matcher(refusal).find()) return Optional.empty();
        boolean isAlphanumeric = ALPHANUMERIC.matcher(refusal).find();
        OptionalInt length = LENGTH.matcher(refusal).results().mapToInt(CallIdForm::number)
                .filter(number -> number > 0).min();
        if (length.isPresent()) {
            boolean isExact = !AT_MOST.matcher(refusal).find();
            return Optional.of(new CallIdForm(length.getAsInt(), isExact, isAlphanumeric));
        }
        boolean isAboutAlphabet = isAlphanumeric || ALPHABET.stream().anyMatch(refusal::contains);
        if (!isAboutAlphabet) return Optional.empty();
        return Optional.of(new CallIdForm(USUAL_LENGTH, false, isAlphanumeric));
    }

    private static int number(MatchResult found) {
        boolean isAfterWord = found.group(1) != null;
        return Integer.parseInt(found.group(isAfterWord ? 1 : 2));
    }

    /** {@return the id if it has this form, else a hash of it: the same for a call and its result} */
    Json.Str fitted(Json.Str id) {
        String text = id.text();
        boolean isLengthFine = isExact ? text.length() == length : text.length() <= length;
        if (isLengthFine && text.chars().allMatch(this::isTaken)) return id;
        String hash = Request.hash(text).replace("-", "");
        String longer = isExact ? hash.repeat(1 + length / HASH_LENGTH) : hash;
        return JsonWriter.text(longer.substring(0, Math.min(length, longer.length())));
    }

    private boolean isTaken(int c) {
        boolean isPlain = c < 0x80 && Character.isLetterOrDigit(c);
        return isPlain || !isAlphanumeric && "_-".indexOf(c) >= 0;
    }

    /** {@return the form in words, for the log and the status page} */
    String words() {
        String characters = isAlphanumeric ? "letters and digits" : "characters";
        return "%s %d %s".formatted(isExact ? "exactly" : "at most", length, characters);
    }
}
