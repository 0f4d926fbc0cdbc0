package translate;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a backend's refusal teaches about it. A lesson is a guess: what it teaches is tried, and
 * remembered only if the backend takes the request then.
 *
 * <p>Above each lesson stand refusals as vendors say them; a test reads them from here.
 */
final class Lessons {
    private static final String ONCE_AT_MOST = "max_tokens is too large; this once at most "; // A2o's
    private static final long USUAL_LEAST = 16; // OpenAI's
    private static final long SHORT_REPLY = 4096; // tokens; more than most need
    private static final List<Long> SHORTER_REPLIES = List.of(8192L, SHORT_REPLY); // that most models can give

    // Words that several lessons look for

    private static final String[] MISSING = {"must be passed", "missing", "required", "must be provided",
            "must be included", "must include", "must contain", "must have", "must be sent", "must also",
            "not found", "passed back", "carry", "expected", "需要", "缺少", "不能为空", "必须"};
    static final String[] IMAGE_WORDS = {"image", "vision", "visual", "multimodal", "multi-modal",
            "multi_modal", "vlm", "text-only", "text only", "only supports text", "only accepts text", "纯文本",
            "仅支持文本", "只支持文本", "picture", "photo", "图片", "图像", "视觉",
            "多模态", "圖", "画像"};
    private static final String[] EFFORT_WORDS = {"reasoning_effort", "reasoning effort", "reasoning value",
            "thinking level", "thinking_level", "reasoning level", "reasoning.effort", "effort value",
            "effort'", "effort level", "reasoning_level", "thinking_effort", "推理强度", "effort must",
            "effort should", "think value", "reasoning setting"};
    private static final String[] FORMAT_WORDS = {"response_format", "response format", "json_schema",
            "json schema", "mime type", "mime_type", "response_schema", "structured output", "json mode",
            "json_object", "grammar", "guided", "structured_output", "output_format", "output_config",
            "json模式", "json 模式", "结构化输出"};
    private static final String[] TOOL_WORDS = {"tools", "function call", "tool call", "functions", "tool use",
            "工具", "function_call", "tool_use", "tool_call"};
    private static final String[] REPLY_LIMIT = Said.REPLY_LIMITS.toArray(String[]::new);
    private static final String[] SYSTEM_WORDS = {"system role", "role: system", "role 'system", "system message",
            "'system'", "developer instruction", "system instruction", "developer message", "system prompt",
            "developer role", "role: developer", "role 'developer", "'developer'", "role system", "system角色",
            "system 角色", "系统消息", "系统提示", "role=system", "role developer"};
    /** Where no known words say that streams are not taken, it may have been a fault of that one: then for once. */
    private static final String[] STREAM = {" stream", "'stream", "流式"};
    /** Of roles, where only some are taken. */
    private static final String[] ROLES = {"role", "角色", "first message"};
    private static final String[] OTHER_ROLES = {"system", "developer", "'user' or 'assistant'", "user/assistant",
            "user and assistant", "alternate", "'user'", "from user", "message role", "incorrect role",
            "unexpected role", "invalid role", "unknown role", "unsupported role", "不正确"};
    /** Says that one image is bad, of which no other one is to suffer. */
    static final String[] BAD_IMAGE = {"decode", "download", "fetch", "too large", "too small", "too big",
            "corrupt", "pixel", "process image", "process input image", "processing image", "be processed",
            "dimension", "resolution", "base64", "invalid image", "valid image", "not valid", "image is invalid",
            "image format", "format provided", "formats", "media type", "media_type", "mime type: image",
            "mime type image", " mb", " kb", " bytes", "identify", "truncated", "image data", "image url",
            "image type", "load image", "read image", "open image", "image size", "allowed size",
            "maximum size", "width", "height", "aspect", "image exceed", "not match", "policy", "safety",
            "过大", "下载", "解码", "大小", "格式", "解析", "尺寸"};
    /** Says of a model or a backend what it can do. */
    private static final String[] ABILITY = {"support", "accept", "allow", "enabl", "capab", "modal", "vision",
            "vlm", "variant", "only", "text", "unknown", "unexpected", "unrecogni", "invalid content",
            "invalid type", "invalid value", "permitted", "available", "missing data", "mmproj", "have ",
            "not a ", "see ", "view ", "input", "at most 0", "extra ", "不支持", "无法", "没有", "仅", "只", "不是"};
    /** Whose ability it is, or that it is about images in general: "unsupported image" alone may mean one of them. */
    private static final String[] WHOSE = {"model", "endpoint", "provider", "deployment", "input", "images", "vision", "visual",
            "modal", "vlm", "mmproj", "text", "variant", "模型", "输入", "视觉", "多模态", "入力"};
    /** Says that one document is bad. */
    private static final String[] BAD_DOCUMENT = {"password", "encrypted", "corrupt", "not valid", "valid pdf",
            "invalid pdf", "damaged", "pages", "could not process", "be processed", "too large", "decode",
            "base64", "download", " mb", "maximum size", "is empty", "could not read", "parse the",
            "过大", "解析", "页"};

    static final Wording IMAGES_UNSEEN = Wording.of(IMAGE_WORDS).not(BAD_IMAGE).and(ABILITY).and(WHOSE);
    static final Wording DOCUMENTS_UNREAD = Wording.of("value: 'file", "value 'file", "variant 'file",
            "variant: 'file", "type: 'file", "type 'file", "type: file", "value: file", "pdf", "file input",
            "file content", "file part", "'input_file'", "unsupported content", "document", "文件", "文档")
            .not(BAD_DOCUMENT);

    /** What chat completions want of models that they refuse tools beside reasoning. */
    static final Trait NO_REASONING_BESIDE_TOOLS = Trait.Habit.NO_EFFORT_WITH_TOOLS;

    private static final List<Lesson> LESSONS = List.of(
            // Fireworks: Requests with max_tokens > 4096 must have stream=true
            // DashScope: This model only support stream mode, please enable the stream parameter to access
            // DashScope: parameter.enable_thinking must be set to false for non-streaming calls
            new Lesson("replies come only as streams", Wording.of("stream=true", "stream = true", "'stream' must",
                    "only support stream", "only supports stream", "requires stream", "must be streamed",
                    "non-stream", "stream must be", "set stream to true", "streaming is required", "must stream",
                    "streaming is strongly recommended", "only available in stream", "仅支持流式", "只支持流式",
                    "stream mode", "use stream", "enable stream", "streaming mode", "streaming enabled",
                    "stream: true", "不支持非流式")
                    .not("does not support stream", "not support stream", "use in streaming mode"),
                    Trait.Habit.ALWAYS_STREAMED),

            // Some: This model does not support streaming
            new Lesson("replies come only whole", Wording.of("not support stream", "streaming is not",
                    "streaming not supported", "stream is not supported", "'stream' is not", "不支持流式",
                    "stream must be false", "'stream' does not support true", "without stream", "stream=false",
                    "unsupported value: 'stream'", "stream to false", "unsupported for streaming",
                    "in streaming mode", "verified to stream", "only non-stream", "only supports non-stream",
                    "支持非流式"),
                    Trait.Habit.NEVER_STREAMED),

            // A2o: max_tokens is too large; this once at most 5000
            new Lesson("the reply has no room beside the prompt", Wording.of(ONCE_AT_MOST), said ->
                    Lesson.eachOnce(ReplyBounds.in(said).most(), Trait.LongestReply::new)),

            // OpenAI: max_tokens is too large: 128000. This model supports at most 16384 completion tokens
            // Groq: `max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens`
            // DashScope: Range of max_tokens should be [1, 8192]
            // Gemini: maxOutputTokens value of 32000 but the supported range is from 1 (inclusive) to 8193 (exclusive)
            new Lesson("the reply may get too long", Wording.of(REPLY_LIMIT).not(ONCE_AT_MOST), said ->
                    longestReply(said)),

            // OpenAI: Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16
            // FastAPI: {"loc":["body","max_tokens"],"msg":"Input should be greater than or equal to 16"}
            // Some: max_tokens must be greater than 1
            new Lesson("the reply is too short", Wording.of(REPLY_LIMIT), said ->
                    Lesson.each(ReplyBounds.in(said.withReplyLimits()).least(), Trait.ShortestReply::new)),

            // Some: max_tokens is too small
            new Lesson("the reply is too short, by how much is not said", Wording.of(REPLY_LIMIT)
                    .and("too small", "too low", "too short", "below minimum", "below the minimum"),
                    new Trait.ShortestReply(USUAL_LEAST)),

            // vLLM of old: max_tokens must be at least 1, got -500.
            new Lesson("the reply has no room", Wording.of(REPLY_LIMIT).and("got -", "got: -", "but is -"), said ->
                    Lesson.eachOnce(List.of(SHORT_REPLY), Trait.LongestReply::new)),

            // OpenAI: Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens'
            new Lesson("max_tokens has a new name", Wording.of("max_completion_tokens")
                    .and("max_tokens'", "max_tokens ", "max_tokens,", "max_tokens;", "max_tokens. "),
                    new Trait.Renamed("max_tokens", "max_completion_tokens")),

            // Azure: Unrecognized request argument supplied: max_tokens
            new Lesson("max_tokens is not known", Wording.of("max_tokens").and("unrecogni", "unsupported",
                    "unknown", "unexpected", "not permitted", "not supported", "extraneous", "deprecated")
                    .not("max_completion_tokens"),
                    new Trait.Renamed("max_tokens", "max_completion_tokens")),

            // Some: unknown field max_completion_tokens
            new Lesson("max_completion_tokens is not known",
                    Wording.of("max_completion_tokens").not("integer", ">=", "at least"),
                    new Trait.Renamed("max_tokens", "max_tokens")),

            // GLM: max_tokens参数非法。请检查文档。
            new Lesson("the reply may get too long, by how much is not said", Wording.of(REPLY_LIMIT)
                    .and("large", "high", "too big", "too long", "invalid", "exceed", "limit", "'lte'", "'max'",
                            "range", "illegal", "非法", "超", "过大", "有误").not(ONCE_AT_MOST), said ->
                    Lesson.eachOnce(SHORTER_REPLIES, Trait.LongestReply::new)),

            // OpenAI: Function tools with reasoning_effort are not supported for gpt-5.6
            new Lesson("tools and reasoning exclude each other", Wording.of("tools with reasoning_effort"),
                    NO_REASONING_BESIDE_TOOLS),

            // Gemini: Budget 0 is invalid. This model only works in thinking mode.
            // OpenRouter: Reasoning is mandatory for this endpoint and cannot be disabled.
            new Lesson("the model always reasons", Wording.of("thinking", "reasoning", "budget", "思考")
                    .and("mandatory", "cannot be disabled", "can't be disabled", "only works in thinking",
                            "cannot disable", "can't disable", "budget 0", "cannot be turned off", "always",
                            "only thinking mode", "must be enabled", "not be disabled", "only support enabled",
                            "required to be enabled", "disabling", "disabled' is not", "does not support disabl",
                            "不能关闭", "无法关闭", "不支持关闭", "unable to disable", "to be disabled", "off is not",
                            "disabled is not", "only enabled", "type=enabled", "only supports thinking", "to true",
                            "to false", "'none'", "thinking_budget", "disabled", "false", "必须开启", "关闭", "仅支持思考",
                            "只支持思考"),
                    Trait.Habit.ALWAYS_REASONS),

            // Ollama: "gemma3:4b" does not support thinking
            new Lesson("the model does not reason", Wording.of("does not support thinking",
                    "does not support reasoning", "doesn't support thinking", "doesn't support reasoning",
                    "thinking is not supported", "reasoning is not supported", "not a reasoning model",
                    "thinking not supported", "不支持思考", "不支持推理"),
                    new Trait.Omitted("reasoning_effort"), new Trait.Omitted("thinking")),

            // OpenAI: 'reasoning_effort' does not support 'xhigh'. Supported values are: 'low', and 'high'.
            // vLLM: 'loc': ('body', 'reasoning_effort'), 'msg': "Input should be 'low', 'medium' or 'high'"
            // Copilot: reasoning_effort "xhigh" is not supported by model gpt-5.2; supported values: [low medium]
            new Lesson("the effort has other values", Wording.of(EFFORT_WORDS), said ->
                    Lesson.each(Trait.Efforts.in(said.text()), Trait.Efforts::new)),

            // Gemini: Thinking level is not supported for this model.
            new Lesson("the effort is not taken", Wording.of(EFFORT_WORDS).not("messages"),
                    new Trait.Omitted("reasoning_effort")),

            // Gemini, of an effort as tokens: The thinking budget (52428) is invalid. Choose a value between …
            Lesson.once("the effort stands for too large a budget", Wording.of("thinking budget",
                    "thinking_budget", "budget_tokens", "reasoning budget")
                    .and("invalid", "between", "range", "greater", "less", "exceed", "large"),
                    new Trait.Omitted("reasoning_effort")),

            // DeepSeek: The `reasoning_content` in the thinking mode must be passed back to the API.
            // Kimi: thinking is enabled but reasoning_content is missing in assistant tool call message
            new Lesson("the reasoning of earlier turns is missing", Wording.of("reasoning_content").and(MISSING),
                    new Trait.Required("reasoning_content")),

            // Groq: for 'role:assistant' the following must be satisfied: 'reasoning_content' is unsupported
            new Lesson("the reasoning of earlier turns is not wanted", Wording.of("reasoning_content"),
                    new Trait.Omitted("reasoning_content")),

            // The same words may mean the contrary. Some: no reasoning_content in message 2
            new Lesson("the reasoning of earlier turns is wanted after all", Wording.of("reasoning_content"),
                    new Trait.Required("reasoning_content")),

            // Mistral: "loc":["body","messages",3,"assistant","reasoning"],"msg":"Extra inputs"
            new Lesson("some reasoning in messages is not wanted", Wording.of("messages").and("reasoning"),
                    new Trait.Omitted("reasoning_content")),

            // OpenAI: Invalid Value: 'file'. Supported values are: 'text', 'image_url', and 'audio'.
            // DeepSeek: messages[3]: unknown variant `file`, expected `text` or `image_url`
            // llama.cpp: unsupported content[].type
            // llama.cpp: 'input_file' is not supported by llamacpp at this moment
            new Lesson("documents are not read", DOCUMENTS_UNREAD, new Trait.Omitted("file")),

            // OpenAI: Invalid content type. image_url is only supported by certain models.
            // OpenRouter: No endpoints found that support image input
            // DeepSeek: messages[3]: unknown variant `image_url`, expected `text`
            // Some: 'input_image' is not supported
            new Lesson("images are not seen", IMAGES_UNSEEN, new Trait.Omitted("image_url")),

            // Kimi: message at position 1 with role 'assistant' must not be empty
            // llama-cpp-python: 'AssistantMessage', 'content'), 'msg': 'Input should be a valid string'
            // Cloudflare: Type mismatch of '/messages/1/content', 'null' not in 'string'
            // Mistral: Assistant message must have either content or tool_calls, but not none.
            // NIM: can only concatenate str (not "NoneType") to str
            // TGI, by a model's template: tried to use + operator on unsupported types string and none
            new Lesson("a message has no content", Wording.of("content", "nonetype", "none_type",
                    "must not be empty", "cannot be empty", "+ operator", "properties of null")
                    .and("string", "null", "none", "empty", "required", "missing", "must have", "must be set",
                            "不能为空", "必填"),
                    Trait.Habit.EMPTY_CONTENT),

            // Go: cannot unmarshal array into Go struct field Message.messages.content of type string
            // GLM: messages.content.type 参数非法，取值范围 ['text']
            // NIM: can only concatenate str (not "list") to str
            new Lesson("content is text alone", Wording.of("content", "concatenate", "+ operator")
                    .and("type", "string", "text", "array", "list"), said ->
                    Lesson.each(List.of("image_url", "file"), Trait.Omitted::new)),

            // vLLM, by a model's template: System message must be at the beginning.
            new Lesson("a system message stands between others", Wording.of(SYSTEM_WORDS).and("first", "beginning",
                    "start", "leading", "only one", "multiple", "more than one", "开头", "第一"),
                    Trait.Habit.SYSTEM_FIRST_ONLY),

            // MiniMax: invalid params, invalid message role: system (2013)
            // Gemini: Developer instruction is not enabled for models/gemma-3-27b-it
            new Lesson("there are no system messages", Wording.of(SYSTEM_WORDS),
                    Trait.Habit.SYSTEM_NEVER),

            // GLM: Incorrect role information
            // llama.cpp, by a model's template: Only user, assistant and tool roles are supported, got system.
            // Gemma's template: Conversation roles must alternate user/assistant/user/assistant/...
            new Lesson("only some roles are taken", Wording.of(ROLES).and(OTHER_ROLES),
                    Trait.Habit.SYSTEM_NEVER),

            // Gemini: Function calling with a response mime type: 'application/json' is unsupported
            // llama.cpp: Cannot use custom grammar constraints with tools.
            new Lesson("tools and an output format exclude each other", Wording.of(FORMAT_WORDS).and(TOOL_WORDS),
                    Trait.Habit.NO_FORMAT_WITH_TOOLS),

            // Moonshot: response_format.type `json_schema` is not supported
            // Mistral: Json schema response format is not supported for this model
            new Lesson("the output format is not taken", Wording.of(FORMAT_WORDS)
                    .not("function '", "tools[", "tool '", "tools.", "'tools'"),
                    new Trait.Omitted("response_format")),

            // Go: cannot unmarshal object into Go struct field ChatCompletionRequest.tool_choice of type string
            new Lesson("no tool can be named as the one to call", Wording.of("tool_choice", "tool choice",
                    "string, but is object")
                    .and("object", "string", "required", "function", "type", ".tool"),
                    Trait.Habit.FORCED_TOOL_ALONE),

            // vLLM: "auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set
            // llama.cpp: tools param requires --jinja flag
            new Lesson("no tools can be called", Wording.of("enable-auto-tool-choice", "tool-call-parser",
                    "tools param requires"),
                    new Trait.Omitted("tools")),

            // LiteLLM, of Bedrock: The model returned these errors: reasoning: Extra inputs are not permitted
            new Lesson("reasoning cannot be asked for", Wording.of("reasoning:", "reasoning'").and("extra inputs",
                    "unsupported", "unrecogni", "unknown", "not permitted").not("reasoning_content", "'messages"),
                    new Trait.Omitted("reasoning_effort")),

            // Some: please use streaming requests
            new Lesson("a stream is wanted, in other words", Wording.of(STREAM).and("only", "must", "need", "please",
                    "use ", "enable", "仅", "只", "请", "需"),
                    Trait.Habit.ALWAYS_STREAMED),

            // Some: {"detail":"Streaming responses are disabled"}
            Lesson.once("no stream is wanted, in other words", Wording.of(STREAM).and("support", "implement",
                    "available", "allowed", "disabled", "enabled", "permitted", "不支持", "不可用", "暂无")
                    .not("stream_options", "stream options"),
                    Trait.Habit.NEVER_STREAMED));

    /** Those of the Responses API come first: by another API, more of a request may be taken. */
    static final List<Lesson> ALL = Stream.concat(ResponsesLessons.LESSONS.stream(), LESSONS.stream()).toList();

    /** Words without which a text is no refusal: "not permitted", "unsupported", "must be at least 2". */
    private static final List<String> REFUSALS = List.of("not ", "n't", "unsup", "unknown", "unrec", "unexp",
            "unav", "unable", "unmarshal", "undefined", "no ", "only", "extra", "invalid", "must", "should",
            "require", "missing", "too ", "deprecated", "minimum", "at least", "at most", "below", "than", ">=", "<=",
            "exceed", "range", "mandatory", "empty", "mismatch", "incorrect", "incompatible", "cannot",
            "conflict", "disallow", "reject", "refus", "forbid", "removed", "please", "disabled", "fail", "illegal", "limit", "bad ", "error", "max",
            "非法", "不", "无效", "错误", "只", "仅", "取值", "有误", "超", "未知", "必须");

    private Lessons() { }

    /** {@return the limits on the reply} One of whole replies goes for the request alone: it is none of streams. */
    private static List<Lesson.Taught> longestReply(Said said) {
        List<Long> most = ReplyBounds.in(said.withReplyLimits()).most();
        boolean isOfWholeReplies = said.says("stream");
        return isOfWholeReplies ? Lesson.eachOnce(most, Trait.LongestReply::new)
                : Lesson.each(most, Trait.LongestReply::new);
    }

    /** {@return a refusal that teaches to ask once for a reply of so many tokens} */
    static String onceAtMost(long tokens) { return ONCE_AT_MOST + tokens; }

    static boolean isRoom(String refusal) { return refusal.startsWith(ONCE_AT_MOST); }

    /** {@return what the words of a refusal teach, the likeliest first} */
    static List<Lesson.Taught> of(String refusal) {
        Said said = Said.of(refusal);
        if (!said.says(REFUSALS)) return List.of();
        List<Lesson.Taught> members = MemberLessons.in(said);
        boolean areListed = !members.isEmpty() && members.getFirst().traits().size() > 1;
        List<Lesson.Taught> taught = new ArrayList<>();
        if (areListed) taught.add(members.getFirst());
        ALL.stream().flatMap(lesson -> lesson.in(said)).forEach(taught::add);
        taught.addAll(members);
        return taught;
    }
}
