package translate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import json.Json;
import json.Text;

/**
 * What a refusal teaches that is about tools and their calls: schemas, the number of tools, ids, and the
 * reasoning that must stand before a call. Unlike {@link Lessons} it looks at the tools that were sent.
 *
 * <pre>
 *  Invalid schema for function 'a': …      plain schemas; if it is still refused, without the tool "a"
 *  tools[3].function.parameters: …         the same, by the place of the tool
 * </pre>
 */
final class ToolLessons {
    /** As in {@code tools[0].function.parameters}, {@code 'tools',3}, "schema for function 'x'". */
    private static final Pattern WITHIN = Pattern.compile("\\btools?(?:\\.function)?\\W{1,4}\\d|function_?declarations?"
            + "|invalid_function_parameters|schema for (?:function|tool)|tool_?(?:spec|config)\\W?tools?\\b"
            + "|tools\\.function\\.|input_?schema");
    /** The words for what may be wrong within a schema, as in "array schema missing items". */
    private static final List<String> OF_SCHEMA = List.of("schema", "parameters", "propert", "items", "pattern",
            "regex", "anyof", "any_of", "oneof", "one_of", "allof", "all_of", "enum", "const", "description",
            "format", "type", "required", "name", "exclusive", "$ref", "strict", "参数");
    /** Says by itself that a schema is meant, as llama.cpp's "Pattern must start with '^'". */
    private static final Pattern BAD_SCHEMA = Pattern.compile("schema|pattern must start|grammar|unimplemented keys"
            + "|(?:parse|compile) tools|(?:tool|function).{0,40}parameters|tool.{0,20}definition"
            + "|(?:unsupported|unresolv|invalid|find) ?\\w{0,4} ref\\b|(?:工具|函数).{0,20}(?:参数|定义)");
    /** Says that the schema of the reply is meant, not that of a tool. */
    private static final List<String> OF_RESPONSE = List.of("response_format", "responseformat", "response_schema",
            "responseschema", "text.format", "output_schema", "mime type", "custom grammar");
    /** As in "Invalid schema for response_format 'output': …". */
    private static final List<String> BAD_RESPONSE_SCHEMA = List.of("invalid schema", "invalid json schema",
            "schema is invalid", "schema invalid", "is not permitted", "required to be supplied", "not a valid");
    /** Says that there are too many of something, as "array too long", "at most 128 functions". */
    private static final List<String> TOO_MANY = List.of("array too long", "too many", "number of", "maximum", "max ",
            "limit", "at most", "no more", "more than", "up to", "fewer than", "less than", "exceed", "only",
            "最多", "超过", "上限");
    /** Says that not the tools are too many or too long, but something in them. */
    private static final List<String> NOT_TOOLS = List.of("string too long", "token", "strict", "description",
            "character", "parameters", "properties", "enum", "nesting", "depth", "per minute");
    private static final Pattern TOOLS =
            Pattern.compile("\\btools\\b|\\bfunctions\\b|function_?\\s?declarations|工具|函数");
    private static final List<String> TOO_LONG =
            List.of("too long", "max", "at most", "exceed", "longer", "less than");
    /** Says of a member that it is never taken, as "Extra inputs are not permitted". */
    private static final List<String> NEVER =
            List.of("unsupported", "unknown", "unrecognized", "extra", "not permitted", "not supported");
    private static final Pattern NUMBER = Pattern.compile("(?<![\\w.])\\d{1,5}(?![\\w])");
    /** As in "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`". */
    private static final Pattern THINKING_LOST = Pattern.compile("expected 'thinking'"
            + "|must start with a thinking block|invalid 'signature' in 'thinking'"
            + "|thinking_?blocks?.{0,80}(?:missing|required|must be|cannot be modified)");
    /** The place of a tool in the list, as in {@code tools[0].function_declarations[12]}. */
    private static final Pattern PLACE_OF_DECLARATION =
            Pattern.compile("function_?declarations?\\W{1,3}(\\d{1,4})");
    /** The same, as in {@code tools[3].function}, {@code "tools",3}, {@code tools.3.custom}, "Tool 3 function". */
    private static final Pattern PLACE = Pattern.compile("\\btools?[^\\w(:]{1,4}(\\d{1,4})\\b");
    /** What may stand before a name, as in "function Read: …". */
    private static final Pattern NOUN_BEFORE = Pattern.compile("(?i)(?:tool|function):? $");
    private static final int MOST_BEFORE = 10; // characters of that
    private static final int MAX_LOOKED_AT = 4000; // characters that are searched for names of tools
    private static final int USUAL_DESCRIPTION = 1024; // characters; OpenAI's
    private static final int FEWEST_TOOLS = 8; // that a backend may be taken to have as its limit
    private static final int USUAL_MOST_TOOLS = 128; // where the limit is not named

    private ToolLessons() { }

    /** {@return what the words of a refusal teach about tools, the likeliest first} */
    static List<Lesson.Taught> of(String refusal, List<Json> tools) {
        String said = plain(refusal);
        List<Lesson.Taught> taught = new ArrayList<>();
        CallIdForm.in(said).ifPresent(form -> taught.add(always(new Trait.Ids(form))));
        if (THINKING_LOST.matcher(said).find()) taught.add(once(Trait.Habit.THINKING_LOST));
        if (isOfResponse(said)) {
            addResponseSchema(said, taught);
        } else if (!tools.isEmpty()) {
            addTools(refusal, said, tools, taught);
        }
        return taught;
    }

    /** {@return whether a refusal is about something within a tool, where members of the request are not meant} */
    static boolean isWithinTool(String refusal) { return WITHIN.matcher(plain(refusal)).find(); }

    private static String plain(String refusal) { return Said.of(refusal).text(); }

    private static boolean isAny(List<String> words, String said) {
        return words.stream().anyMatch(said::contains);
    }

    /** {@return whether the schema of the reply is meant} A parameter of a tool may be called outputSchema. */
    private static boolean isOfResponse(String said) {
        return isAny(OF_RESPONSE, said) && !WITHIN.matcher(said).find();
    }

    private static Lesson.Taught always(Trait trait) { return new Lesson.Taught(trait, false); }
    private static Lesson.Taught once(Trait trait) { return new Lesson.Taught(trait, true); }

    /** A schema for the reply: it may do if it is not strict, else it is described in the prompt. */
    private static void addResponseSchema(String said, List<Lesson.Taught> taught) {
        if (!isAny(BAD_RESPONSE_SCHEMA, said)) return;
        taught.add(once(new Trait.Omitted("strict")));
        taught.add(once(new Trait.Omitted("response_format")));
    }

    private static void addTools(String refusal, String said, List<Json> tools, List<Lesson.Taught> taught) {
        mostTools(said, tools.size()).ifPresent(most -> taught.add(always(most)));
        if (!isAboutSchema(refusal)) return;
        Optional<Trait> length = longestDescription(said);
        boolean isOfTool = length.isPresent() && !said.contains("properties");
        if (isOfTool) taught.add(always(length.get()));
        boolean isStrictNever = said.contains("strict") && isAny(NEVER, said);
        boolean isOfStrict = said.contains("strict") || said.contains("grammar");
        if (isOfStrict) taught.add(new Lesson.Taught(new Trait.Omitted("strict"), !isStrictNever));
        taught.add(always(Trait.Habit.PLAIN_SCHEMAS));
        length.ifPresent(trait -> taught.add(always(trait)));
        named(refusal, tools).ifPresent(tool -> taught.add(always(Trait.RefusedTool.of(tool))));
    }

    /** {@return whether a refusal is about the schema or the description of a tool} */
    static boolean isAboutSchema(String refusal) {
        String said = plain(refusal);
        if (isOfResponse(said)) return false;
        boolean isWithin = WITHIN.matcher(said).find() && isAny(OF_SCHEMA, said);
        return isWithin || BAD_SCHEMA.matcher(said).find();
    }

    /** {@return the limit on the number of tools that a refusal names, if it is lower than their number} */
    private static Optional<Trait> mostTools(String said, int sent) {
        boolean isOfNumber = TOOLS.matcher(said).find() && isAny(TOO_MANY, said);
        boolean isOther = isAny(NOT_TOOLS, said) || isOfOneTool(said);
        if (!isOfNumber || isOther) return Optional.empty();
        List<Integer> named = numbers(said).filter(number -> number != sent).toList();
        Stream<Integer> bounds = ReplyBounds.in(new Said(said)).most().stream().map(Long::intValue);
        Stream<Integer> others =
                named.stream().filter(number -> number >= FEWEST_TOOLS).sorted(Comparator.reverseOrder());
        Stream<Integer> usual = named.isEmpty() ? Stream.of(USUAL_MOST_TOOLS) : Stream.empty();
        return Stream.of(bounds, others, usual).flatMap(each -> each).filter(number -> number < sent)
                .findFirst().map(Trait.MostTools::new);
    }

    /** As in {@code tools.3.name}; in {@code tools[0].function_declarations} stand all functions. */
    private static boolean isOfOneTool(String said) {
        if (PLACE_OF_DECLARATION.matcher(said).find()) return true;
        return PLACE.matcher(said).find() && !said.contains("declarations");
    }

    private static Optional<Trait> longestDescription(String said) {
        boolean isTooLong = said.contains("description") && isAny(TOO_LONG, said);
        if (!isTooLong) return Optional.empty();
        int longest = numbers(said).filter(number -> number >= USUAL_DESCRIPTION / 4).min(Integer::compare)
                .orElse(USUAL_DESCRIPTION);
        return Optional.of(new Trait.LongestDescription(longest));
    }

    private static Stream<Integer> numbers(String said) {
        return NUMBER.matcher(said).results().map(MatchResult::group).map(Integer::valueOf);
    }

    /**
     * {@return the tool that a refusal is about, by its name or by its place in the list}
     * In {@code tools[0].function_declarations[12]}, all functions are one tool.
     */
    static Optional<Json> named(String refusal, List<Json> tools) {
        String text = Text.cut(refusal, MAX_LOOKED_AT);
        Optional<Json> byName = tools.stream().filter(tool -> isNamed(text, sentName(tool))).findFirst();
        if (byName.isPresent()) return byName;
        String said = plain(text);
        Matcher declaration = PLACE_OF_DECLARATION.matcher(said);
        if (declaration.find()) return at(declaration.group(1), tools);
        Matcher place = PLACE.matcher(said);
        return place.find() ? at(place.group(1), tools) : Optional.empty();
    }

    private static Optional<Json> at(String place, List<Json> tools) {
        return tools.stream().skip(Integer.parseInt(place)).findFirst();
    }

    private static String sentName(Json tool) {
        return tool.get("name") instanceof Json.Str name ? ToolNames.shortName(name).text() : "";
    }

    /** {@return whether a text names a tool, as a word of its own that is marked as a name, or looks like one} */
    private static boolean isNamed(String text, String name) {
        if (name.isEmpty()) return false;
        int from = text.indexOf(name);
        while (from >= 0) {
            int to = from + name.length();
            boolean isWord = !isOfName(text, from - 1) && !isOfName(text, to);
            boolean isMarked = name.indexOf('_') > 0 || isQuote(text, to) || isAfterNoun(text, from);
            if (isWord && isMarked) return true;
            from = text.indexOf(name, to);
        }
        return false;
    }

    private static boolean isOfName(String text, int at) {
        if (at < 0 || at >= text.length()) return false;
        char c = text.charAt(at);
        return Character.isLetterOrDigit(c) || c == '_' || c == '-';
    }

    private static boolean isQuote(String text, int at) {
        return at < text.length() && "'`\"\\".indexOf(text.charAt(at)) >= 0;
    }

    private static boolean isAfterNoun(String text, int at) {
        return NOUN_BEFORE.matcher(text.substring(Math.max(0, at - MOST_BEFORE), at)).find();
    }
}
