package translate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a backend's refusal teaches about it. A lesson is a guess: what it teaches is tried, and
 * remembered only if the backend takes the request then.
 *
 * <p>Above each lesson stand refusals as vendors say them; a test reads them from here.
 */
final class Lessons {
    /**
     * @param isForOnce whether it goes for this request alone, for only a value or a combination was
     * refused
     */
    record Taught(Trait trait, boolean isForOnce) { }

    private static final String MAX_TOKENS = "max[_ ]?(?:completion|output|new)?[_ ]?tokens";
    private static final String LOW_NUMBER = "\\D{0,24}?(\\d{1,4})(?!\\d)"; // the next number
    private static final String ONCE_AT_MOST = "max_tokens is too large; this once at most "; // A2o's
    private static final long USUAL_LEAST = 16; // OpenAI's
    /** What chat completions want of models that they refuse tools beside reasoning. */
    static final Trait NO_REASONING_BESIDE_TOOLS = new Trait.Efforts(List.of("none"));

    private static final List<Lesson> LESSONS = List.of(
            // A2o: max_tokens is too large; this once at most 5000
            // OpenAI: max_tokens is too large: 128000. This model supports at most 16384 completion tokens
            // Groq: `max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens`
            // DashScope: Range of max_tokens should be [1, 8192]
            new Lesson("the reply may get too long", Wording.of("max_(?:completion_|output_)?tokens")
                    .then("(?:at most|less than or equal to|no more than|maximum\\D{0,100}"
                            + "|\\[\\d{1,9},|<=?|> )[ ']{0,4}(\\d{1,9})"),
                    found -> new Trait.LongestReply(number(found))),

            // OpenAI: Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16
            // DashScope: Range of max_tokens should be [16, 8192]
            // FastAPI: {"loc":["body","max_tokens"],"msg":"Input should be greater than or equal to 16"}
            new Lesson("the reply is too short", Wording.of(MAX_TOKENS)
                    .and("(?:>=|≥|at least|minimum|\\b(?:min|gte|ge)\\b|below|under|between|range"
                            + "|(?:greater|larger|more|higher) than or equal"
                            + "|(?:less|lower|smaller|fewer) than(?! or)"
                            + "|[\\[(](?=\\d{1,4} ?, ?\\d))" + LOW_NUMBER),
                    found -> new Trait.ShortestReply(number(found))),

            // Some: max_tokens must be greater than 1
            new Lesson("the reply is too short, by a number that is itself too low", Wording.of(MAX_TOKENS)
                    .and("(?:(?:greater|larger|more|higher) than(?! or)|above|exceed|> )" + LOW_NUMBER),
                    found -> new Trait.ShortestReply(number(found) + 1)),

            // Some: max_tokens is too small
            new Lesson("the reply is too short, by how much is not said", Wording.of(MAX_TOKENS)
                    .and("too (?:small|low|short)|below (?:the )?minimum"),
                    found -> new Trait.ShortestReply(USUAL_LEAST)),

            // OpenAI: Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens'
            new Lesson("max_tokens has a new name", Wording.of("max_tokens\\b").then("max_completion_tokens"),
                    found -> new Trait.Renamed("max_tokens", "max_completion_tokens")),

            // Azure: Unrecognized request argument supplied: max_tokens
            new Lesson("max_tokens is not known", Wording.of(
                    "un\\w{1,20} (?:request )?(?:parameter|argument)(?: supplied)?\\W{1,8}max_tokens"),
                    found -> new Trait.Renamed("max_tokens", "max_completion_tokens")),

            // Some: unknown field max_completion_tokens
            new Lesson("max_completion_tokens is not known",
                    Wording.of("max_completion_tokens").unless("integer|>=|at least"),
                    found -> new Trait.Renamed("max_tokens", "max_tokens")),

            // OpenAI: Function tools with reasoning_effort are not supported for gpt-5.6
            new Lesson("tools and reasoning exclude each other", Wording.of("tools with reasoning_effort"),
                    found -> NO_REASONING_BESIDE_TOOLS),

            // Ollama: "gemma3:4b" does not support thinking
            new Lesson("the model does not reason", Wording.of("does not support thinking"),
                    found -> new Trait.Omitted("reasoning_effort")),

            // OpenAI: 'reasoning_effort' does not support 'xhigh'. Supported values are: 'low', and 'high'.
            // vLLM: 'loc': ('body', 'reasoning_effort'), 'msg': "Input should be 'low', 'medium' or 'high'"
            new Lesson("the effort has other values", Wording.of("reasoning_effort")
                    .then("(?:values are|one of|should be)([a-z ',:|/\\[\\]]{0,200})"),
                    found -> Trait.Efforts.of(found.group(1))),

            // DeepSeek: The `reasoning_content` in the thinking mode must be passed back to the API.
            // Kimi: thinking is enabled but reasoning_content is missing in assistant tool call message
            new Lesson("the reasoning of earlier turns is missing", Wording.of("reasoning_content")
                    .then("must be passed|is missing|is required"),
                    found -> new Trait.Required("reasoning_content")),

            // Groq: for 'role:assistant' the following must be satisfied: 'reasoning_content' is unsupported
            new Lesson("the reasoning of earlier turns is not wanted", Wording.of("reasoning_content"),
                    found -> new Trait.Omitted("reasoning_content")),

            // Mistral: "loc":["body","messages",3,"assistant","reasoning"],"msg":"Extra inputs"
            new Lesson("some reasoning in messages is not wanted", Wording.of("messages").then("reasoning"),
                    found -> new Trait.Omitted("reasoning_content")),

            // llama-cpp-python: 'AssistantMessage', 'content'), 'msg': 'Input should be a valid string'
            new Lesson("a message has no content", Wording.of("assistant").then("content")
                    .then("valid string|not be (?:null|none|empty)|is required"),
                    found -> Trait.Habit.EMPTY_CONTENT),

            // vLLM, by a model's template: System message must be at the beginning.
            new Lesson("a system message stands between others",
                    Wording.of("system message").then("first|beginning"),
                    found -> Trait.Habit.SYSTEM_FIRST_ONLY),

            // OpenAI: Invalid Value: 'file'. Supported values are: 'text', 'image_url', and 'audio'.
            // DeepSeek: messages[3]: unknown variant `file`, expected `text` or `image_url`
            // llama.cpp: unsupported content[].type
            // llama.cpp: 'input_file' is not supported by llamacpp at this moment
            new Lesson("documents are not read", Wording.of("(?:value|variant|type):? '?file\\b|'input_file'"
                            + "|\\bsupport\\w{0,8} [^.]{0,30}\\bpdf|(?:pdf|file) (?:input|content|part)"
                            + "|unsupported content"),
                    found -> new Trait.Omitted("file")),

            // OpenAI: Invalid content type. image_url is only supported by certain models.
            // OpenRouter: No endpoints found that support image input
            // DeepSeek: messages[3]: unknown variant `image_url`, expected `text`
            // Some: 'input_image' is not supported
            new Lesson("images are not seen", Wording.of("(?:type|variant|value)\\W{1,4}image|'input_image'"
                            + "|\\bsupport\\w{0,8} [^.]{0,30}\\b(?:image|vision)"
                            + "|image(?:s|_url| input)? (?:is|are) (?:not|only) supp"
                            + "|multimodal|unsupported content"),
                    found -> new Trait.Omitted("image_url")));

    /** Those of the Responses API come first: by another API, more of a request may be taken. */
    static final List<Lesson> ALL = Stream.concat(ResponsesLessons.LESSONS.stream(), LESSONS.stream()).toList();

    /** Members that a request can do without, the likeliest to be refused first. */
    static final Map<String, Pattern> OPTIONAL = named("temperature", "top_p", "reasoning_effort",
            "reasoning", "thinking", "enable_thinking", "chat_template_kwargs", "top_k", "tool_stream",
            "stream_options", "parallel_tool_calls", "response_format", "tool_choice", "store",
            "service_tier", "prompt_cache_key", "stop", "user", "reasoning_details", "thinking_blocks",
            "extra_content", "cache_control", "session_id", "include", "safety_identifier",
            "max_tool_calls", "text");

    /** Words without which a text is no refusal: "not permitted", "unsupported", "must be at least 2". */
    private static final Pattern REFUSAL = Pattern.compile("not |n't|\\bun[a-z]|\\bno |only|extra|invalid"
            + "|must|should|required|missing|too |deprecated|minimum|at least|below|than|>=");
    /**
     * Says that the backend never takes something, rather than that this value or this combination is
     * wrong.
     */
    private static final Pattern NEVER = Pattern.compile("support|unknown|unrecogni|unavailable|unexpected"
            + "|extra |not (?:permitted|allowed)|\\bonly |cannot find|deprecated");
    /**
     * The refusal is about something within a message or a tool: {@code
     * "loc":["body","messages",0,"name"]}.
     */
    private static final Pattern WITHIN = Pattern.compile("'body', ?'messages'|invalid schema");
    private static final Pattern QUOTES = Pattern.compile("[\\\\\"`]+");
    private static final String ECHO = "'input':"; // what follows is the client's

    private Lessons() { }

    /** {@return a refusal that teaches to ask once for a reply of so many tokens} */
    static String onceAtMost(long tokens) { return ONCE_AT_MOST + tokens; }

    /** {@return what the words of a refusal teach, the likeliest first} */
    static List<Taught> of(String refusal) {
        String said = plain(refusal);
        if (!REFUSAL.matcher(said).find()) return List.of();
        List<Taught> taught = new ArrayList<>();
        boolean isLength = said.contains(ONCE_AT_MOST);
        for (Lesson lesson : ALL) {
            boolean isForOnce = isLength || lesson.isForOnce();
            lesson.in(said).ifPresent(trait -> taught.add(new Taught(trait, isForOnce)));
        }
        if (WITHIN.matcher(said).find()) return taught;
        boolean isAlways = NEVER.matcher(said).find();
        OPTIONAL.forEach((name, words) -> {
            if (words.matcher(said).find()) taught.add(new Taught(new Trait.Omitted(name), !isAlways));
        });
        return taught;
    }

    /** {@return the backend's own words, in lower case, with one kind of quotation marks} */
    static String plain(String refusal) {
        String said = QUOTES.matcher(refusal.toLowerCase(Locale.ROOT)).replaceAll("'");
        int echo = said.indexOf(ECHO);
        return echo < 0 ? said : said.substring(0, echo);
    }

    private static long number(MatchResult found) { return Long.parseLong(found.group(1)); }

    /** {@return for each member how a refusal names it} */
    private static Map<String, Pattern> named(String... members) {
        Map<String, Pattern> named = new LinkedHashMap<>();
        for (String member : members) named.put(member, Pattern.compile(naming(member)));
        return named;
    }

    /**
     * {@return a pattern} A name with an underscore is found anywhere; a plain word only where it is
     * marked as a name: {@code 'stop'}, {@code unknown field stop}, {@code stop: …}.
     */
    private static String naming(String member) {
        if (member.contains("_")) return member;
        return ("'%1$s'|(?:argument|field|parameter|property|supplied|invalid|unknown):? %1$s\\b"
                + "|\\b%1$s(?:: | must be )|: %1$s'").formatted(member);
    }
}
