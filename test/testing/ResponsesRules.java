package testing;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What OpenAI refuses of a request to {@code POST /v1/responses}, in its words where they are known (RESPONSES R.2, R.4),
 * and what it takes but a stateless client must not send. It shares no code with the proxy.
 */
final class ResponsesRules {
    /** An answer in place of a reply. */
    record Refusal(int status, String message, String param, String code) {
        String body() {
            return "{\"error\":{\"message\":%s,\"type\":\"invalid_request_error\",\"param\":%s,\"code\":%s}}".formatted(
                    RandomJson.write(message), RandomJson.write(param), RandomJson.write(code));
        }
    }

    /** A model: the efforts that it takes, none if it does not reason. */
    record Model(List<String> efforts, boolean mayBeSummarized, Predicate<String> isOurs) { }

    private static final class Refused extends RuntimeException {
        private final Refusal refusal;

        private Refused(Refusal refusal) {
            super(refusal.message, null, false, false);
            this.refusal = refusal;
        }
    }

    private static final Set<String> TOP = Set.of("model", "instructions", "input", "max_output_tokens", "stream",
            "stream_options", "store", "include", "reasoning", "tools", "tool_choice", "parallel_tool_calls",
            "max_tool_calls", "text", "temperature", "top_p", "service_tier", "prompt_cache_key", "safety_identifier");
    private static final Map<String, String> MOVED = Map.of("messages", "input", "max_tokens", "max_output_tokens",
            "max_completion_tokens", "max_output_tokens", "response_format", "text.format", "reasoning_effort",
            "reasoning.effort");
    private static final Set<String> INCLUDES = Set.of("reasoning.encrypted_content", "web_search_call.action.sources");
    private static final Map<String, Set<String>> MEMBERS = Map.ofEntries(
            Map.entry("message", Set.of("type", "role", "content", "phase")),
            Map.entry("function_call", Set.of("type", "call_id", "name", "arguments")),
            Map.entry("function_call_output", Set.of("type", "call_id", "output")),
            Map.entry("reasoning", Set.of("type", "summary", "content", "encrypted_content")),
            Map.entry("input_text", Set.of("type", "text")),
            Map.entry("input_image", Set.of("type", "image_url", "detail")),
            Map.entry("input_file", Set.of("type", "file_data", "file_url", "filename")),
            Map.entry("function", Set.of("type", "name", "description", "parameters", "strict")),
            Map.entry("web_search", Set.of("type", "filters", "user_location")));
    private static final Set<String> INPUT_PARTS = Set.of("input_text", "input_image", "input_file");
    private static final String NAME = "[a-zA-Z0-9_-]{1,64}";

    private final Object body;
    private final Model model;

    private ResponsesRules(Object body, Model model) {
        this.body = body;
        this.model = model;
    }

    static Optional<Refusal> refusal(Object body, Model model) {
        try {
            new ResponsesRules(body, model).check();
            return Optional.empty();
        } catch (Refused e) {
            return Optional.of(e.refusal);
        }
    }

    private static void refuse(boolean isWrong, int status, String code, String param, String message) {
        if (isWrong) throw new Refused(new Refusal(status, message, param, code));
    }

    private static void refuse(boolean isWrong, String code, String param, String message) {
        refuse(isWrong, 400, code, param, message);
    }

    /** What OpenAI takes, but says nothing, or keeps a state there: a fault of the proxy. */
    private static void forbid(boolean isWrong, String what) {
        if (isWrong) throw new AssertionError("a stateless client must not send this: " + what);
    }

    private static void unknown(boolean isWrong, String param) {
        refuse(isWrong, "unknown_parameter", param, "Unknown parameter: '%s'.".formatted(param));
    }

    private static void type(boolean isRight, String param, String expected) {
        refuse(!isRight, "invalid_type", param,
                "Invalid type for '%s': expected %s, but got something else instead.".formatted(param, expected));
    }

    private static void value(boolean isRight, String param, Object value) {
        refuse(!isRight, "invalid_value", param, "Invalid value: '%s' for '%s'.".formatted(value, param));
    }

    private static void needed(boolean isThere, String param) {
        refuse(!isThere, "missing_required_parameter", param, "Missing required parameter: '%s'.".formatted(param));
    }

    private static void unsupported(boolean isWrong, String param) {
        refuse(isWrong, "unsupported_parameter", param,
                "Unsupported parameter: '%s' is not supported with this model.".formatted(param));
    }

    private static void members(Object object, String kind, String path) {
        for (Object name : ((Map<?, ?>) object).keySet()) {
            unknown(!MEMBERS.get(kind).contains(name), path + "." + name);
        }
    }

    private static List<?> list(Object tree, String path) {
        type(tree == null || tree instanceof List, path, "an array");
        return tree == null ? List.of() : (List<?>) tree;
    }

    private Object at(String path) {
        return Tree.at(body, path);
    }

    private boolean reasons() {
        return !model.efforts.isEmpty();
    }

    private void check() {
        for (Object name : ((Map<?, ?>) body).keySet()) {
            String moved = MOVED.get(name);
            refuse(moved != null, "unsupported_parameter", (String) name, ("Unsupported parameter: '%s'. In the Responses"
                    + " API, this parameter has moved to '%s'. Try again with the new parameter.").formatted(name, moved));
            unknown(!TOP.contains(name), (String) name);
        }
        needed(at("model") instanceof String, "model");
        type(at("instructions") == null || at("instructions") instanceof String, "instructions", "a string");
        forbid(at("instructions") instanceof String text && text.isEmpty(), "empty instructions");
        forbid(!Boolean.FALSE.equals(at("store")), "store is not false");
        limits();
        reasoning();
        format();
        tools();
        input();
    }

    private void limits() {
        if (at("max_output_tokens") instanceof Tree.Num number) {
            refuse(Long.parseLong(number.text()) < 16, "integer_below_min_value", "max_output_tokens",
                    "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got %s instead."
                            .formatted(number.text()));
        }
        for (String name : List.of("prompt_cache_key", "safety_identifier")) {
            refuse(at(name) instanceof String key && key.length() > 64, "string_above_max_length", name,
                    "Invalid '%s': string too long. Expected a string with maximum length 64.".formatted(name));
        }
        Object options = at("stream_options");
        refuse(options != null && !Boolean.TRUE.equals(at("stream")), null, "stream_options",
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
        if (options != null) {
            for (Object name : ((Map<?, ?>) options).keySet()) {
                unknown(!name.equals("include_obfuscation"), "stream_options." + name);
            }
        }
        Object tier = at("service_tier");
        value(tier == null || List.of("default", "fast").contains(tier), "service_tier", tier);
    }

    private void reasoning() {
        Object effort = at("reasoning.effort");
        Object summary = at("reasoning.summary");
        List<?> include = list(at("include"), "include");
        for (Object each : include) value(INCLUDES.contains(each), "include[0]", each);
        forbid(include.isEmpty() && at("include") != null, "an empty include");
        unsupported(effort != null && !reasons(), "reasoning.effort");
        unsupported(summary != null && !reasons(), "reasoning.summary");
        refuse(effort != null && !model.efforts.contains(effort), "unsupported_value", "reasoning.effort",
                "Unsupported value: '%s' is not supported with the '%s' model. Supported values are: %s.".formatted(
                        effort, at("model"), quoted(model.efforts)));
        value(summary == null || summary.equals("auto"), "reasoning.summary", summary);
        refuse(summary != null && !model.mayBeSummarized, "unsupported_value", "reasoning.summary",
                "Your organization must be verified to generate reasoning summaries. Please go to the organization"
                        + " settings and click on Verify Organization.");
        refuse(!reasons() && include.contains("reasoning.encrypted_content"), null, "include",
                "Encrypted content is not supported with this model.");
        boolean isFixed = reasons() && !"none".equals(effort);
        for (String name : List.of("temperature", "top_p")) unsupported(isFixed && at(name) != null, name);
    }

    private static String quoted(List<String> words) {
        if (words.size() < 2) return String.join("", words);
        return "'" + String.join("', '", words.subList(0, words.size() - 1)) + "', and '" + words.getLast() + "'";
    }

    private void format() {
        Object format = at("text.format");
        if (format == null) return;
        value("json_schema".equals(Tree.at(format, "type")), "text.format.type", Tree.at(format, "type"));
        for (Object name : ((Map<?, ?>) format).keySet()) {
            unknown(!Set.of("type", "name", "schema", "strict").contains(name), "text.format." + name);
        }
        needed(Tree.at(format, "name") instanceof String, "text.format.name");
        needed(Tree.at(format, "schema") instanceof Map, "text.format.schema");
        if (Boolean.TRUE.equals(Tree.at(format, "strict"))) strict(Tree.at(format, "schema"), "text.format.schema");
    }

    /** As OpenAI wants strict schemas: nothing optional, nothing else allowed. */
    private static void strict(Object schema, String path) {
        if (!(schema instanceof Map<?, ?> map)) return;
        if (map.get("properties") instanceof Map<?, ?> properties) {
            boolean isClosed = Boolean.FALSE.equals(map.get("additionalProperties"));
            refuse(!isClosed, "invalid_json_schema", path, "'additionalProperties' is required to be supplied and to be false.");
            boolean isWhole = new HashSet<Object>(list(map.get("required"), path)).equals(properties.keySet());
            refuse(!isWhole, "invalid_json_schema", path, "'required' must include every key in properties.");
        }
        map.values().forEach(inner -> strict(inner, path));
    }

    private void tools() {
        List<?> tools = list(at("tools"), "tools");
        forbid(tools.isEmpty() && at("tools") != null, "an empty list of tools");
        Set<Object> names = new HashSet<>();
        for (int i = 0; i < tools.size(); i++) tool(tools.get(i), "tools[%d]".formatted(i), names);
        Object choice = at("tool_choice");
        if (choice == null) return;
        refuse(tools.isEmpty(), null, "tool_choice", "Tool choice must be specified with 'tools' parameter.");
        if (choice instanceof String word) {
            value(Set.of("none", "auto", "required").contains(word), "tool_choice", word);
            return;
        }
        value("function".equals(Tree.at(choice, "type")), "tool_choice.type", Tree.at(choice, "type"));
        needed(Tree.at(choice, "name") instanceof String, "tool_choice.name");
        refuse(!names.contains(Tree.at(choice, "name")), null, "tool_choice",
                "Tool choice 'function' not found in 'tools' parameter.");
    }

    private void tool(Object tool, String path, Set<Object> names) {
        String kind = String.valueOf(Tree.at(tool, "type"));
        value(Set.of("function", "web_search").contains(kind), path + ".type", kind);
        if (kind.equals("web_search")) {
            search(tool, path);
            return;
        }
        needed(Tree.at(tool, "name") instanceof String, path + ".name");
        members(tool, kind, path);
        String name = (String) Tree.at(tool, "name");
        value(name.matches(NAME), path + ".name", name);
        refuse(!names.add(name), null, path, "Duplicate tool name: '%s'.".formatted(name));
        Object schema = Tree.at(tool, "parameters");
        needed(schema instanceof Map, path + ".parameters");
        refuse(!"object".equals(Tree.at(schema, "type")), "invalid_function_parameters", path + ".parameters",
                "Invalid schema for function '%s': schema must be a JSON Schema of 'type: \"object\"'.".formatted(name));
        refuse(!(Tree.at(schema, "properties") instanceof Map), "invalid_function_parameters", path + ".parameters",
                "Invalid schema for function '%s': object schema missing properties.".formatted(name));
        forbid(!(Tree.at(tool, "strict") instanceof Boolean), path + " without strict, which may become strict");
        if (Boolean.TRUE.equals(Tree.at(tool, "strict"))) strict(schema, path + ".parameters");
    }

    private void search(Object tool, String path) {
        members(tool, "web_search", path);
        for (Object domain : list(Tree.at(tool, "filters.allowed_domains"), path)) {
            boolean isBare = !String.valueOf(domain).matches(".*(:|/).*");
            refuse(!isBare, "invalid_value", path, "'%s' is not a domain.".formatted(domain));
        }
        refuse("minimal".equals(at("reasoning.effort")), null, "tools",
                "The following tools cannot be used with reasoning.effort 'minimal': web_search.");
    }

    private void input() {
        needed(at("input") != null, "input");
        List<?> items = list(at("input"), "input");
        refuse(items.isEmpty(), "empty_array", "input", "Invalid 'input': empty array. Expected an array with minimum length 1.");
        Set<Object> open = new LinkedHashSet<>();
        Set<Object> answered = new HashSet<>();
        for (int i = 0; i < items.size(); i++) {
            String path = "input[%d]".formatted(i);
            String kind = String.valueOf(Tree.at(items.get(i), "type"));
            value(Set.of("message", "function_call", "function_call_output", "reasoning").contains(kind), path, kind);
            forbid(Tree.at(items.get(i), "id") != null, path + ".id");
            members(items.get(i), kind, path);
            switch (kind) {
                case "message" -> message(items.get(i), path);
                case "function_call" -> call(items.get(i), path, open, answered);
                case "function_call_output" -> output(items.get(i), path, open, answered);
                default -> reasoning(items, i, path);
            }
            boolean isBetween = kind.equals("message") && !open.isEmpty() && !isOfAssistant(items.get(i));
            forbid(isBetween, path + " between a call and its output");
        }
        refuse(!open.isEmpty(), null, "input",
                "No tool output found for function call %s.".formatted(open.stream().findFirst().orElse("")));
    }

    private static boolean isOfAssistant(Object item) {
        return "assistant".equals(Tree.at(item, "role")) || "function_call".equals(Tree.at(item, "type"));
    }

    private static void message(Object item, String path) {
        Object role = Tree.at(item, "role");
        value(role != null && Set.of("user", "assistant", "system").contains(role), path + ".role", role);
        Object phase = Tree.at(item, "phase");
        value(phase == null || role.equals("assistant") && Set.of("commentary", "final_answer").contains(phase),
                path + ".phase", phase);
        content(Tree.at(item, "content"), path + ".content", role.equals("user"));
    }

    private static void content(Object content, String path, boolean mayBeParts) {
        needed(content != null, path);
        forbid("".equals(content) || List.of().equals(content), path + " is empty");
        if (content instanceof String) return;
        type(content instanceof List, path, "a string or an array");
        value(mayBeParts, path + "[0].type", "input_text");
        List<?> parts = (List<?>) content;
        for (int i = 0; i < parts.size(); i++) part(parts.get(i), "%s[%d]".formatted(path, i));
        forbid(parts.stream().allMatch(part -> "input_text".equals(Tree.at(part, "type"))), path + " is all text, in parts");
    }

    private static void part(Object part, String path) {
        String kind = String.valueOf(Tree.at(part, "type"));
        value(INPUT_PARTS.contains(kind), path + ".type", kind);
        members(part, kind, path);
        switch (kind) {
            case "input_text" -> type(Tree.at(part, "text") instanceof String, path + ".text", "a string");
            case "input_image" -> {
                type(Tree.at(part, "image_url") instanceof String, path + ".image_url", "an image URL");
                needed("auto".equals(Tree.at(part, "detail")), path + ".detail");
                value(((String) Tree.at(part, "image_url")).matches("(?s)https?://.*|data:image/\\w+;base64,.*"),
                        path + ".image_url", "");
            }
            default -> {
                boolean isData = Tree.at(part, "file_data") instanceof String;
                value(isData != Tree.at(part, "file_url") instanceof String, path, "file_data and file_url");
                needed(!isData || Tree.at(part, "filename") instanceof String, path + ".filename");
            }
        }
    }

    private static void call(Object item, String path, Set<Object> open, Set<Object> answered) {
        for (String name : List.of("call_id", "name", "arguments")) {
            type(Tree.at(item, name) instanceof String, path + "." + name, "a string");
        }
        String id = (String) Tree.at(item, "call_id");
        value(!id.isEmpty() && id.length() <= 64, path + ".call_id", id);
        value(((String) Tree.at(item, "name")).matches(NAME), path + ".name", Tree.at(item, "name"));
        forbid(!(Tree.of((String) Tree.at(item, "arguments")) instanceof Map), path + ".arguments is no object");
        boolean isNew = !answered.contains(id) && open.add(id);
        refuse(!isNew, null, "input", "Duplicate function call with call_id %s.".formatted(id));
    }

    private static void output(Object item, String path, Set<Object> open, Set<Object> answered) {
        Object id = Tree.at(item, "call_id");
        forbid(answered.contains(id), path + " answers a call again");
        refuse(!open.remove(id), null, "input",
                "No tool call found for function call output with call_id %s.".formatted(id));
        answered.add(id);
        content(Tree.at(item, "output"), path + ".output", true);
    }

    private void reasoning(List<?> items, int i, String path) {
        needed(List.of().equals(Tree.at(items.get(i), "summary")), path + ".summary");
        Object encrypted = Tree.at(items.get(i), "encrypted_content");
        forbid(!(encrypted instanceof String), path + " without encrypted_content says nothing");
        refuse(!model.isOurs.test((String) encrypted), "invalid_encrypted_content", null,
                "The encrypted content gAAA...xxx= could not be verified. Reason: Encrypted content could not be decrypted"
                        + " or parsed.");
        int next = i + 1;
        while (next < items.size() && "reasoning".equals(Tree.at(items.get(next), "type"))) next++;
        boolean isFollowed = next < items.size() && isOfAssistant(items.get(next));
        refuse(!isFollowed, null, "input",
                "Item '%s' of type 'reasoning' was provided without its required following item.".formatted(path));
    }
}
