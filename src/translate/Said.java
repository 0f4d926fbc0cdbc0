package translate;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What a backend says of a request, in plain form: in lower case, with ' for each kind of quotation mark,
 * with names as {@code max_output_tokens} for {@code maxOutputTokens}, and with {@link #REPLY_LIMIT} for each
 * name of the limit of the reply. It is only searched for words, so a long text takes time in proportion to
 * its length.
 */
record Said(String text) {
    /** Stands for each name of the limit of the reply, so that its "max" and "tokens" are not read as words. */
    static final String REPLY_LIMIT = "@reply@";
    static final List<String> REPLY_LIMITS = List.of("maximum output tokens", "max output tokens",
            "maximum completion tokens", "max completion tokens", "max_completion_tokens",
            "max_output_tokens", "max_new_tokens", "maximum new tokens", "max_tokens_to_sample",
            "max_generated_tokens", "maximum_tokens", "maximum tokens", "max_tokens", "max tokens",
            "max-tokens", "output tokens", "completion tokens", "completion_tokens", "output token",
            "tokens for the completion", "max_gen_len", "max_token_count", "tokens_to_generate",
            "num_predict", "maximum output length", "max output length", "max_output_length", "output length");
    private static final String ECHO = "'input':"; // what follows is the client's
    private static final String PLACE = "'loc'"; // begins the next error of a list
    private static final String QUOTES = "\"`“”‘’「」";
    private static final String WIDE = "：，（）［］【】；～";
    private static final String NARROW = ":,()[][];~";

    /** {@return a message, or the JSON that holds it, in plain form} */
    static Said of(String words) {
        String plain = withoutEchoes(plain(words));
        return new Said(plain);
    }

    private static String plain(String words) {
        String said = Escapes.without(words);
        var plain = new StringBuilder(said.length() + 16);
        char before = ' ';
        for (int i = 0; i < said.length(); i++) {
            char c = said.charAt(i);
            boolean isHump = Character.isUpperCase(c) && Character.isLowerCase(before);
            if (isHump) plain.append('_');
            before = c;
            char narrow = narrow(c);
            boolean isRepeated = (narrow == '\'' || narrow == ' ') && !plain.isEmpty()
                    && plain.charAt(plain.length() - 1) == narrow;
            if (!isRepeated) plain.append(narrow);
        }
        return plain.toString().toLowerCase(Locale.ROOT);
    }

    private static char narrow(char c) {
        if (QUOTES.indexOf(c) >= 0) return '\'';
        if (Character.isWhitespace(c)) return ' ';
        int wide = WIDE.indexOf(c);
        return wide < 0 ? c : NARROW.charAt(wide);
    }

    /** As FastAPI says what it got: {@code {"loc":["body","user"],"msg":"Extra inputs","input":"x"}}. */
    private static String withoutEchoes(String said) {
        var without = new StringBuilder();
        int at = 0;
        for (int echo = said.indexOf(ECHO); echo >= 0; echo = said.indexOf(ECHO, at)) {
            without.append(said, at, echo);
            int next = said.indexOf(PLACE, echo);
            at = next < 0 ? said.length() : next;
        }
        return without.append(said, at, said.length()).toString();
    }

    /** {@return this, with one word in the place of each name of the limit of the reply} */
    Said withReplyLimits() {
        String plain = text;
        for (String name : REPLY_LIMITS) plain = plain.replace(name, REPLY_LIMIT);
        return new Said(plain);
    }

    /** {@return this, without some phrases} */
    Said without(List<String> phrases) {
        String rest = text;
        for (String phrase : phrases) rest = rest.replace(phrase, " ");
        return new Said(rest);
    }

    boolean says(String... any) { return says(Arrays.asList(any)); }
    boolean says(List<String> any) { return any.stream().anyMatch(text::contains); }

    /** {@return what comes before any of these words} "Unsupported" does not say "supported". */
    Said before(List<String> words) {
        int first = words.stream().mapToInt(this::wordAt).filter(at -> at >= 0).min().orElse(text.length());
        return new Said(text.substring(0, first));
    }

    private int wordAt(String words) {
        int at = text.indexOf(words);
        while (at >= 0 && isNamePart(text, at - 1)) at = text.indexOf(words, at + 1);
        return at;
    }

    // Names of members

    /** What stands before a name: "Unsupported parameter(s): thinking", "invalid temperature". */
    private static final List<String> BEFORE_NAMES = List.of("argument ", "argument: ", "arguments: ",
            "field ", "field: ", "fields: ", "parameter ", "parameter: ", "parameter(s): ", "parameters: ",
            "params: ", "param ", "property ", "key ", "keys: ", "keys ", "supplied: ", "invalid ",
            "invalid: ", "unknown ", "unknown: ", "unsupported ", "name ", "option ", "setting ",
            "value for ", "参数", "参数 ", "参数: ", "参数:", "字段 ", "字段", "パラメータ ", "range of ", "value of ");
    /** What stands after a name: "temperature must be", "thinking 参数非法". */
    private static final List<String> AFTER_NAMES = List.of(":", "=", " must", " should", " parameter",
            " param", " field", " argument", " option", " is deprecated", " is not supported", " not supported",
            " is unsupported", " does not ", " cannot be", " can't be", " value", " is invalid",
            " has to be", " out of range", " is out of range", " exceeds", " extra inputs", " is disabled",
            " is not implemented", " is not allowed for", " is not permitted", " is not available",
            " is not enabled", " is not a supported", " is not a valid", " is not a known",
            " may not", " 参数", "参数", " 字段", "字段", " 不", "不", " 的", " は",
            " 取值", "取值", " 格式", "格式", " 应", "应", " 必须", "必须", " 超出", "超出");
    /** What stands after the last name of a list: "temperature, top_p and top_k are not supported". */
    private static final List<String> AFTER_LISTS = List.of(" are not ", " aren't ", " are unsupported",
            " are deprecated", " are unknown", " cannot ", " can't ", " may not", " must not");
    private static final List<String> SEPARATORS = List.of(", ", ",", " and ", " or ", "、", "和", " & ");
    private static final int MAX_LISTED = 10; // names in a list before this one

    /**
     * {@return whether a member is named} A name of several words is found anywhere, as {@code top_p},
     * {@code top p} and {@code topP}; a plain word only where it is marked as a name.
     */
    boolean names(String member) {
        if (!member.contains("_")) return isWord(text, member, true);
        return isWord(text, member, false) || isWord(text, member.replace('_', ' '), false);
    }

    private static boolean isWord(String text, String word, boolean mustBeMarked) {
        for (int at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
            int end = at + word.length();
            boolean isWhole = !isNamePart(text, at - 1) && !isNamePart(text, end);
            if (isWhole && (!mustBeMarked || isMarked(text, at, end))) return true;
        }
        return false;
    }

    private static boolean isNamePart(String text, int at) {
        char c = at(text, at);
        return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_';
    }

    private static char at(String text, int at) {
        return at >= 0 && at < text.length() ? text.charAt(at) : ' ';
    }

    private static boolean isMarked(String text, int from, int to) {
        char before = at(text, from - 1);
        char after = at(text, to);
        boolean isQuoted = (before == '\'' || before == '[') && (after == '\'' || after == ']');
        boolean isInPath = before == '.' || after == '.' && isNamePart(text, to + 1);
        boolean isAtEnd = text.startsWith(": ", from - 2) && (to == text.length() || after == '\'');
        if (isQuoted || isInPath || isAtEnd) return true;
        boolean isBeforeWords = AFTER_NAMES.stream().anyMatch(words -> text.startsWith(words, to));
        return isBeforeWords || isListed(text, from) || isInListBefore(text, to);
    }

    /** {@return whether other names follow, and then words of the whole list} */
    private static boolean isInListBefore(String text, int to) {
        int at = to;
        for (int listed = 0; listed < MAX_LISTED; listed++) {
            int end = at;
            if (AFTER_LISTS.stream().anyMatch(words -> text.startsWith(words, end))) return listed > 0;
            int separator = SEPARATORS.stream().filter(words -> text.startsWith(words, end))
                    .mapToInt(String::length).findFirst().orElse(0);
            if (separator == 0) return false;
            at += separator;
            while (isNamePart(text, at) || at(text, at) == '\'') at++;
        }
        return false;
    }

    /** {@return whether words stand before a name, or before a list of names that it is in} */
    private static boolean isListed(String text, int from) {
        int at = from;
        for (int listed = 0; listed < MAX_LISTED; listed++) {
            int end = at;
            if (BEFORE_NAMES.stream().anyMatch(words -> endsAt(text, words, end))) return true;
            int separated = SEPARATORS.stream().filter(words -> endsAt(text, words, end))
                    .mapToInt(String::length).findFirst().orElse(0);
            if (separated == 0) return false;
            at -= separated;
            while (isNamePart(text, at - 1) || at(text, at - 1) == '\'') at--;
        }
        return false;
    }

    private static boolean endsAt(String text, String words, int end) {
        return end >= words.length() && text.startsWith(words, end - words.length());
    }
}
