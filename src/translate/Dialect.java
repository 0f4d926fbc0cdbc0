package translate;

import config.Target;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What a backend takes for a model, where that differs from plain chat completions: data, from the row of the backend's
 * host, changed by what its own refusals have taught (SPEC, "Learned downgrades").
 *
 * <p>A rule says what a member of the request is called there; nothing, if it is to be left out. That goes also for
 * {@code reasoning_content} in messages, and for parts of type {@code image_url} and {@code file}. Further rules:
 * {@code system=in-place} where system messages may stand in mid-conversation, {@code efforts} with the values of
 * reasoning_effort, {@code effort.E} with the one to send for E, {@code key} with the header that the key goes in,
 * {@code no_content} with what stands for the content of a message that has none, {@code forced=alone} where a tool is
 * forced by sending no other, {@code prefill=repeated} where a reply begins with what the request had begun of it,
 * {@code limit} with the highest max_tokens, {@code least} with the lowest, {@code over} with the
 * highest of those that are too low, {@code reasoning_content=required} in every
 * message of the assistant's, and {@code once} where all that is for one request alone.
 */
public record Dialect(Target target, Map<String, String> rules) {
    /**
     * Rules by the end of the host's name, or by the port where a local server listens unless told otherwise: what is
     * sure. Source: the vendors' API references, November 2026; by port Ollama, LM Studio, llama.cpp, vLLM, SGLang.
     */
    private static final String HOSTS = """
            api.openai.com max_tokens=max_completion_tokens system=in-place thinking= reasoning_content= store=store \
                service_tier=service_tier prompt_cache_key=prompt_cache_key
            .azure.com max_tokens=max_completion_tokens system=in-place thinking= reasoning_content= key=api-key
            openrouter.ai system=in-place thinking= reasoning_effort=reasoning top_k=top_k cache_control=cache_control
            api.groq.com thinking= reasoning_content=
            api.mistral.ai thinking= reasoning_content= user= stream_options= efforts=none,high
            generativelanguage.googleapis.com thinking= reasoning_content= user= parallel_tool_calls=
            api.deepseek.com effort.medium=high effort.xhigh=high
            api.moonshot.ai,api.moonshot.cn effort.medium=high effort.xhigh=max prompt_cache_key=prompt_cache_key
            api.z.ai,open.bigmodel.cn effort.medium=high effort.xhigh=max tool_stream=tool_stream
            .aliyuncs.com thinking=enable_thinking reasoning_effort= top_k=top_k
            :11434 thinking= efforts=none,low,medium,high forced=alone
            :1234 thinking= efforts=none,low,medium,high forced=alone top_k=top_k
            :9931,:8080,:8000,:30000 thinking=chat_template_kwargs top_k=top_k
            """;
    private static final Map<String, String> GENERIC = Map.of("store", "", "service_tier", "", "system", "wrapped",
            "prompt_cache_key", "", "top_k", "", "tool_stream", "", "cache_control", "", "key", "authorization");
    /** What is learned of a backend that says it is llama.cpp. */
    public static final Map<String, String> LLAMA = Map.of("forced", "alone", "prefill", "repeated");
    private static final List<String> EFFORTS = List.of("none", "minimal", "low", "medium", "high", "xhigh", "max");

    private static final Pattern REFUSAL = Pattern.compile("not |n't|\\bun[a-z]|\\bno |only|extra|invalid|must"
            + "|should|required|missing|too |deprecated|minimum|at least|below|than|>=");
    /** What says that the backend never takes something, rather than that this value or combination is wrong. */
    private static final Pattern LACK = Pattern.compile("support|unknown|unrecogni|unavailable|unexpected|extra "
            + "|not (permitted|allowed)|\\bonly |cannot find|deprecated");
    /** Says that max_tokens is meant, by any of its names and anywhere in the words. */
    private static final String OF_MAX_TOKENS = "^(?=.*max[_ ]?(?:completion|output|new)?[_ ]?tokens).*?";
    private static final String A_SMALL_NUMBER = "\\D{0,24}?(\\d{1,4})(?!\\d)";
    /** The lowest number, as in "integer below minimum value. Expected a value >= 16", "must be at least 2". */
    private static final String LEAST = OF_MAX_TOKENS + "(?:>=|≥|at least|minimum|\\b(?:min|gte|ge)\\b|below"
            + "|under|between|(?:greater|larger|more|higher) than or equal|(?:less|lower|smaller|fewer) than(?! or)"
            + "|range|[\\[(](?=\\d{1,4} ?, ?\\d))" + A_SMALL_NUMBER;
    /** The highest of those that are too low, as in "must be greater than 1". */
    private static final String OVER = OF_MAX_TOKENS
            + "(?:(?:greater|larger|more|higher) than(?! or)|above|exceed|> )" + A_SMALL_NUMBER;
    private static final String TOO_LOW = OF_MAX_TOKENS
            + "(?:too (?:small|low|short)|below (?:the )?minimum)";
    private static final String USUAL_LEAST = "16"; // OpenAI's

    private static final Map<String, String> ONCE = Map.of("once", "");
    /** Words of a refusal, the rule that they teach, and its value, or $1 for what the pattern's group has. */
    private static final List<List<String>> LESSONS = List.of(
            List.of("max_(?:completion_)?tokens.*?(?:at most|less than or equal to|no more than|maximum\\D*"
                    + "|\\[\\d+,|<=?|> )[ ']*(\\d{1,9})", "limit", "$1"),
            List.of(LEAST, "least", "$1"),
            List.of(OVER, "over", "$1"),
            List.of(TOO_LOW, "least", USUAL_LEAST),
            List.of("max_tokens\\b.*max_completion_tokens|un\\w+ (?:parameter|argument)\\W+max_tokens", "max_tokens",
                    "max_completion_tokens"),
            List.of("max_completion_tokens(?!.*(?:integer|>=|at least))", "max_tokens", "max_tokens"),
            List.of("tools with reasoning_effort", "efforts", "none"),
            List.of("does not support thinking", "reasoning_effort", ""),
            List.of("reasoning_effort.*?(?:values are|one of|should be)([a-z ',:|/\\[\\]]*)", "efforts", "$1"),
            List.of("reasoning_content.*(?:must be passed|is missing|is required)", "reasoning_content", "required"),
            List.of("reasoning_content|messages.*reasoning", "reasoning_content", ""),
            List.of("assistant.*content.*(?:valid string|not be (?:null|none|empty)|is required)", "no_content", "''"),
            List.of("system message.*(?:first|beginning)", "system", "wrapped"),
            List.of("(?:value|variant|type):? '?file\\b|\\bsupport\\w* [^.]{0,30}\\bpdf"
                    + "|(?:pdf|file) (?:input|content|part)|unsupported content", "file", ""),
            List.of("(?:type|variant|value)\\W{1,4}image|\\bsupport\\w* [^.]{0,30}\\b(?:image|vision)"
                    + "|image(?:s|_url| input)? (?:is|are) (?:not|only) supp|multimodal|unsupported content",
                    "image_url", ""));
    private static final List<String> OPTIONAL = List.of("temperature", "top_p", "reasoning_effort", "reasoning",
            "thinking", "enable_thinking", "chat_template_kwargs", "top_k", "tool_stream", "stream_options",
            "parallel_tool_calls", "response_format", "tool_choice", "store", "service_tier", "prompt_cache_key",
            "stop", "user", "reasoning_details", "extra_content");
    private static final String NAMED = "(?s).*('%1$s'|(argument|field|parameter|property|supplied|invalid|unknown):?"
            + " %1$s\\b|\\b%1$s(: | must be )|: %1$s').*";

    public static Dialect of(Target target) {
        Map<String, String> rules = new HashMap<>(GENERIC);
        for (String row : HOSTS.split("\n")) {
            String[] words = row.split(" +");
            boolean isIt = Stream.of(words[0].split(","))
                    .anyMatch(end -> target.host().endsWith(end) || target.address().endsWith(end));
            for (int i = 1; isIt && i < words.length; i++) {
                rules.put(words[i].replaceFirst("=.*", ""), words[i].replaceFirst(".*=", ""));
            }
        }
        return new Dialect(target, rules);
    }

    /** {@return what the member is called at this backend; "" if it is to be left out} */
    String name(String member) {
        String name = rules.getOrDefault(member, member);
        return rules.getOrDefault(name, name); // it may be the new name that was refused
    }

    boolean takes(String member) { return !name(member).isEmpty(); }
    public boolean is(String rule, String value) { return value.equals(rules.get(rule)); }
    /** {@return the highest number of tokens to ask for} */
    long limit() { return Long.parseLong(rules.getOrDefault("limit", "999999999")); }

    /** {@return the lowest number of tokens to ask for} */
    long least() {
        long over = Long.parseLong(rules.getOrDefault("over", "0"));
        return Math.max(over + 1, Long.parseLong(rules.getOrDefault("least", "1")));
    }

    /** {@return the effort to ask for: the next lower one that the backend knows, else the next higher; "" for none} */
    String effort(String asked) {
        String wanted = rules.getOrDefault("effort." + asked, asked);
        String known = rules.getOrDefault("efforts", "");
        int at = EFFORTS.indexOf(wanted);
        if (known.equals("none")) return known;
        if (known.isEmpty() || at < 0) return wanted;
        List<String> words = List.of(known.split("[^a-z]+"));
        return IntStream.concat(IntStream.rangeClosed(-at, 0).map(i -> -i), IntStream.range(at, EFFORTS.size()))
                .mapToObj(EFFORTS::get).filter(words::contains)
                .filter(effort -> !effort.equals("none") || wanted.equals("none")).findFirst().orElse("");
    }

    public Dialect with(Map<String, String> taught) {
        Map<String, String> changed = new HashMap<>(rules);
        changed.putAll(taught);
        return new Dialect(target, changed);
    }

    /** {@return what may be taken instead, after a refusal in these words; the likeliest first} */
    public Stream<Dialect> lessons(String refusal) {
        String said = refusal.toLowerCase(Locale.ROOT).replaceAll("[\\\\\"`]+", "'").replaceAll("(?s)'input':.*", "");
        if (!REFUSAL.matcher(said).find()) return Stream.empty();
        Stream<Dialect> known = LESSONS.stream().flatMap(lesson -> Pattern.compile(lesson.get(0), Pattern.DOTALL)
                .matcher(said).results().limit(1).map(found -> with(Map.of(lesson.get(1),
                        lesson.get(2).equals("$1") ? found.group(1) : lesson.get(2)))));
        boolean isMessages = said.matches("(?s).*('body', ?'messages'|invalid schema).*");
        Stream<Dialect> named = OPTIONAL.stream().filter(name -> !isMessages && (said.matches(NAMED.formatted(name))
                || name.contains("_") && said.contains(name))).map(name -> with(Map.of(name, "")))
                .map(dialect -> LACK.matcher(said).find() ? dialect : dialect.with(ONCE));
        return Stream.concat(said.contains("this once") ? known.map(dialect -> dialect.with(ONCE)) : known, named);
    }
}
