package translate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import testing.Tree;

/**
 * How backends refuse what they do not take: the words and the JSON of each vendor, as its documentation and the issues
 * of its users have them, and what is to become of the request.
 */
final class Refusals {
    /**
     * @param change what contents the backend: {@code -name} is dropped, {@code old>new} renamed,
     *        {@code name=value} set (a number: at most); {@code -messages.name} is dropped from all messages,
     *        {@code +messages.name} is in every one of the assistant's; {@code -part} is a content part of that type.
     *        Where nothing helps: words that the client must see
     */
    record Row(String vendor, int status, String body, String change) {
        boolean isAgainst(Object body) {
            boolean hasPart = body.toString().contains("type=" + change.substring(1));
            return change.startsWith("-") && hasPart || !mended(body).equals(body);
        }

        Object mended(Object body) {
            Map<String, Object> mended = new LinkedHashMap<>();
            ((Map<?, ?>) body).forEach((name, value) -> mended.put((String) name, value));
            if (change.contains("messages.")) {
                mended.replace("messages", messages((List<?>) mended.get("messages"), change.split("\\.")[1]));
            } else if (change.startsWith("-")) {
                mended.remove(change.substring(1));
            } else if (change.contains("=")) {
                set(mended, change.split("=")[0], Tree.of(change.split("=")[1]));
            } else if (mended.containsKey(change.split(">")[0])) {
                mended.put(change.split(">")[1], mended.remove(change.split(">")[0]));
            }
            return mended;
        }

        private static void set(Map<String, Object> mended, String name, Object value) {
            boolean isFine = value instanceof Tree.Num most && mended.get(name) instanceof Tree.Num given
                    && Long.parseLong(given.text()) <= Long.parseLong(most.text());
            if (!isFine) mended.put(name, value);
        }

        /** A single space stands for reasoning whose text nobody knows. */
        private List<Object> messages(List<?> messages, String name) {
            List<Object> mended = new ArrayList<>();
            for (Object message : messages) {
                Map<Object, Object> copy = new LinkedHashMap<>((Map<?, ?>) message);
                if (change.startsWith("-")) copy.remove(name);
                if (change.startsWith("+") && "assistant".equals(copy.get("role"))) copy.putIfAbsent(name, " ");
                mended.add(copy);
            }
            return mended;
        }
    }

    private Refusals() { }

    // What errors look like

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }

    private static Row openai(String param, String code, String message, String change) {
        String body = "{\"error\":{\"message\":%s,\"type\":\"invalid_request_error\",\"param\":%s,\"code\":%s}}";
        return new Row("OpenAI", 400, body.formatted(quoted(message), quoted(param), quoted(code)), change);
    }

    private static Row azure(String message, String change) { // also OpenAI's older models
        String body = "{\"error\":{\"message\":%s,\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}";
        return new Row("Azure", 400, body.formatted(quoted(message)), change);
    }

    /** Groq, Kimi, DeepSeek, Together, DashScope and others say little beside the message. */
    private static Row plain(String vendor, String message, String change) {
        String body = "{\"error\":{\"message\":%s,\"type\":\"invalid_request_error\"}}";
        return new Row(vendor, 400, body.formatted(quoted(message)), change);
    }

    private static Row vllm(String message, String change) {
        String body = "{\"error\":{\"message\":%s,\"type\":\"BadRequestError\",\"param\":null,\"code\":400}}";
        return new Row("vLLM", 400, body.formatted(quoted(message)), change);
    }

    /** @param loc the rest of the place, after "body" */
    private static Row mistral(String loc, String input, String change) {
        String body = """
                {"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body",%s],
                "msg":"Extra inputs are not permitted","input":%s}]},
                "type":"invalid_request_error","param":null,"code":null}""";
        return new Row("Mistral", 422, body.formatted(loc, input), change);
    }

    private static Row fastapi(String loc, String change) {
        String body = """
                {"detail":[{"type":"extra_forbidden","loc":["body",%s],
                "msg":"Extra inputs are not permitted","input":1}]}""";
        return new Row("FastAPI", 422, body.formatted(loc), change);
    }

    private static Row gemini(String message, String change) {
        String body = "[{\"error\":{\"code\":400,\"message\":%1$s,\"status\":\"INVALID_ARGUMENT\",\"details\":[{"
                + "\"@type\":\"type.googleapis.com/google.rpc.BadRequest\","
                + "\"fieldViolations\":[{\"description\":%1$s}]}]}}]";
        return new Row("Gemini", 400, body.formatted(quoted(message)), change);
    }

    /** The provider's own error is a text in the router's. */
    private static Row openrouter(Row inner) {
        String body = "{\"error\":{\"message\":\"Provider returned error\",\"code\":400,\"metadata\":{\"raw\":%s,"
                + "\"provider_name\":\"Some\"}},\"user_id\":\"org_1\"}";
        return new Row("OpenRouter", 400, body.formatted(quoted(inner.body)), inner.change);
    }

    private static Row flat(String vendor, String pattern, String message, String change) {
        return new Row(vendor, 400, pattern.formatted(quoted(message)), change);
    }

    static Row dropped(String name) {
        return openai(name, "unsupported_parameter", "Unsupported parameter: '%s' is not supported with this model."
                .formatted(name), "-" + name);
    }

    static Row effort(String asked, String supported, String expected) {
        return openai("reasoning_effort", "unsupported_value", "Unsupported value: 'reasoning_effort' does not "
                + "support '%s' with this model. Supported values are: %s.".formatted(asked, supported),
                "reasoning_effort=\"%s\"".formatted(expected));
    }

    // What they refuse

    static final Row TEMPERATURE = openai("temperature", "unsupported_value", "Unsupported value: 'temperature' "
            + "does not support 0.5 with this model. Only the default (1) value is supported.", "-temperature");
    static final Row FUNCTION_TOOLS = openai("reasoning_effort", "", "Function tools with reasoning_effort are not "
            + "supported for gpt-5.6 in /v1/chat/completions. To use function tools, use /v1/responses or set "
            + "reasoning_effort to 'none'.", "reasoning_effort=\"none\"");
    static final Row OLLAMA_THINKING = azure("\"gemma3:4b\" does not support thinking", "-reasoning_effort");
    static final Row RENAMED = openai("max_tokens", "unsupported_parameter", "Unsupported parameter: 'max_tokens' "
            + "is not supported with this model. Use 'max_completion_tokens' instead.",
                    "max_tokens>max_completion_tokens");

    /** One after the other: each is refused what the one before it wanted. */
    static final List<Row> LIMIT_NAMES = List.of(RENAMED,
            plain("some", "unknown field max_completion_tokens",
                    "max_completion_tokens>max_tokens"),
            openrouter(RENAMED),
            mistral("\"max_completion_tokens\"", "128000", "max_completion_tokens>max_tokens"));

    /** After {@link #RENAMED}. */
    static final Row LIMITED = openai("max_tokens", "invalid_value", "max_tokens is too large: 128000. This model "
            + "supports at most 16384 completion tokens, whereas you provided 128000.", "max_completion_tokens=16384");

    private static final String FLAT = "{\"message\":%s,\"type\":\"invalid_request_error\",\"param\":"
            + "\"validation_error\",\"code\":\"wrong_api_format\"}";
    private static final String ERROR_TEXT = "{\"error\":%s}";
    private static final String OLD_VLLM =
            "{\"object\":\"error\",\"message\":%s,\"type\":\"BadRequestError\",\"param\":null,\"code\":400}";

    static final List<Row> ROWS = List.of(
            RENAMED, openrouter(RENAMED),
            TEMPERATURE, dropped("temperature"), openrouter(TEMPERATURE),
            plain("Kimi", "invalid temperature: only 1 is allowed for this model", "-temperature"),
            dropped("top_p"), plain("Kimi", "invalid top_p: only 0.95 is allowed for this model", "-top_p"),
            dropped("reasoning_effort"),
            azure("Unrecognized request argument supplied: reasoning_effort",
                    "-reasoning_effort"),
            plain("Groq", "`reasoning_effort` is not supported with this model", "-reasoning_effort"),
            effort("xhigh", "'low', 'medium', and 'high'", "high"),
            flat("vLLM of old", OLD_VLLM, "[{'type': 'literal_error', 'loc': ('body', 'reasoning_effort'), 'msg': "
                    + "\"Input should be 'low', 'medium' or 'high'\", 'input': 'xhigh'}]", "reasoning_effort=\"high\""),
            FUNCTION_TOOLS,
            openai("thinking", "unknown_parameter", "Unknown parameter: 'thinking'.", "-thinking"),
            azure("Unrecognized request argument supplied: thinking", "-thinking"),
            plain("Groq", "property 'thinking' is unsupported", "-thinking"),
            plain("Fireworks", "Extra inputs are not permitted, field: 'thinking', value: {'type': 'enabled'}",
                    "-thinking"),
            mistral("\"thinking\"", "{\"type\":\"enabled\"}", "-thinking"),
            mistral("\"stream_options\"", "{\"include_usage\":true}", "-stream_options"),
            fastapi("\"stream_options\"", "-stream_options"),
            azure("Unrecognized request argument supplied: stream_options", "-stream_options"),
            vllm("[{'type': 'extra_forbidden', 'loc': ('body', 'parallel_tool_calls'), 'msg': 'Extra inputs are not "
                    + "permitted', 'input': False}]", "-parallel_tool_calls"),
            dropped("parallel_tool_calls"),
            gemini("Invalid JSON payload received. Unknown name \"parallel_tool_calls\": Cannot find field.",
                    "-parallel_tool_calls"),
            gemini("Invalid JSON payload received. Unknown name \"user\": Cannot find field.", "-user"),
            mistral("\"user\"", "\"u\"", "-user"), azure("Unrecognized request argument supplied: user", "-user"),
            plain("DeepSeek", "Thinking mode does not support this tool_choice", "-tool_choice"),
            plain("DashScope", "<400> InternalError.Algo.InvalidParameter: The tool_choice parameter does not "
                    + "support being set to required or object in thinking mode", "-tool_choice"),
            flat("LM Studio", ERROR_TEXT, "tool_choice is not supported", "-tool_choice"),
            openai("max_tokens", "invalid_value", "max_tokens is too large: 128000. This model supports at most 16384 "
                    + "completion tokens, whereas you provided 128000.", "max_tokens=16384"),
            plain("Groq", "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` "
                    + "is less than the `context_window` for this model", "max_tokens=8192"),
            plain("DashScope", "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]",
                    "max_tokens=8192"),
            plain("DeepSeek", "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
                    "max_tokens=8192"),
            mistral("\"messages\",3,\"assistant\",\"reasoning_content\"", "\"Hm.\"", "-messages.reasoning_content"),
            plain("Groq", "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : "
                    + "property 'reasoning_content' is unsupported)]", "-messages.reasoning_content"),
            flat("Cerebras", FLAT, "messages.2.assistant.reasoning_content: property 'messages.2.assistant."
                    + "reasoning_content' is unsupported", "-messages.reasoning_content"),
            plain("DeepSeek", "The `reasoning_content` in the thinking mode must be passed back to the API.",
                    "+messages.reasoning_content"),
            plain("Kimi", "thinking is enabled but reasoning_content is missing in assistant tool call message at "
                    + "index 2", "+messages.reasoning_content"));

    static final List<Row> FORMATS = List.of(
            plain("DeepSeek", "This response_format type is unavailable now", "-response_format"),
            openai("response_format", "", "Invalid parameter: 'response_format' of type 'json_schema' is not "
                    + "supported with this model. Learn more about supported models at the Structured Outputs guide: "
                    + "https://platform.openai.com/docs/guides/structured-outputs", "-response_format"),
            mistral("\"response_format\"", "{}", "-response_format"));

    static final List<Row> IMAGES = List.of(
            openai("messages.[0].content.[1].type", "", "Invalid content type. image_url is only supported by certain "
                    + "models.", "-image_url"),
            openrouter(openai("messages.[0].content.[1].type", "", "Invalid content type. image_url is only "
                    + "supported by certain models.", "-image_url")),
            new Row("OpenRouter 404", 404, "{\"error\":{\"message\":\"No endpoints found that support image input\","
                    + "\"code\":404}}", "-image_url"),
            plain("DeepSeek", "Failed to deserialize the JSON body into the target type: messages[3]: unknown variant "
                    + "`image_url`, expected `text` at line 1 column 200", "-image_url"),
            flat("LM Studio", ERROR_TEXT, "this model does not support image input", "-image_url"));

    static final List<Row> DOCUMENTS = List.of(
            openai("messages[3].content[0].type", "invalid_value", "Invalid Value: 'file'. Supported values are: "
                    + "'text', 'image_url', 'input_audio', 'refusal', and 'audio'.", "-file"),
            plain("DashScope", "Invalid value: file. Supported values are: 'text','image_url','video_url' and 'video'.",
                    "-file"),
            vllm("Unknown part type: file", "-file"), plain("llama.cpp", "unsupported content[].type", "-file"),
            plain("DeepSeek", "Failed to deserialize the JSON body into the target type: messages[3]: unknown variant "
                    + "`file`, expected `text` or `image_url` at line 1 column 200", "-file"));

    /** They name nothing that was sent, or what cannot be left out. */
    static final List<Row> PASSED_ON = List.of(
            vllm("No user query found in messages.", "No user query"),
            openai("service_tier", "unknown_parameter", "Unknown parameter: 'service_tier'.", "service_tier"),
            openai("store", "unknown_parameter", "Unknown parameter: 'store'.", "store"),
            openai("tools", "unsupported_parameter", "Unsupported parameter: 'tools' is not supported with this model.",
                    "'tools'"),
            azure("registry.ollama.ai/library/gemma:latest does not support tools", "does not support tools"),
            openai("messages.[3].role", "", "An assistant message with 'tool_calls' must be followed by tool messages "
                    + "responding to each 'tool_call_id'.", "must be followed"),
            flat("GLM", "{\"error\":{\"code\":\"1210\",\"message\":%s}}",
                    "Invalid API parameter, please check the documentation.", "check the documentation"),
            plain("prose", "the user's text is not allowed: stop, or use another model at a lower temperature",
                    "not allowed"),
            mistral("\"messages\",0,\"user\",\"name\"", "\"top_p, temperature, user, stop\"", "Extra inputs"),
            new Row("FastAPI", 422, "{\"detail\":[{\"type\":\"missing\",\"loc\":[\"body\",\"messages\",0,\"name\"],"
                    + "\"msg\":\"Field required\"}]}", "Field required"));

    private static final String TOO_LONG = "prompt is too long: 9000 tokens > 8192 maximum";
    static final List<Row> OVERFLOWS = List.of(
            openai("messages", "context_length_exceeded", "This model's maximum context length is 8192 tokens. "
                    + "However, your messages resulted in 9000 tokens. Please reduce the length of the messages.",
                    TOO_LONG),
            vllm("This model's maximum context length is 8192 tokens. However, your request has 9000 input tokens. "
                    + "Please reduce the length of the input messages.", TOO_LONG),
            new Row("llama.cpp", 400, "{\"error\":{\"code\":400,\"message\":\"the request exceeds the available "
                    + "context size. try increasing the context size or enable context shift\",\"type\":"
                    + "\"exceed_context_size_error\",\"n_prompt_tokens\":9000,\"n_ctx\":8192}}", TOO_LONG),
            openrouter(plain("Anthropic", TOO_LONG, TOO_LONG)));
}
