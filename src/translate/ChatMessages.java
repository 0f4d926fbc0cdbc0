package translate;

import anthropic.Request;
import anthropic.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import json.Json;
import json.JsonWriter;

/**
 * The {@code messages} of a chat completions request: the system prompt, then for each turn of the assistant
 * one message, for each turn of the user the results of the calls before it and one message.
 *
 * <p>Source: OpenAI, "Create chat completion", "messages"; SPEC A.3.
 */
final class ChatMessages {
    private final Request request;
    private final Dialect dialect;
    private final Blocks blocks;
    private final List<Json.Str> aboutTools;
    private final Set<String> warnings;
    private final JsonWriter out;
    private final List<Part> userParts = new ArrayList<>(); // of the next user message
    private int hoisted; // images and documents taken out of the tool results of this turn
    private String prefill = "";

    /**
     * @param model    the backend's name for it
     * @param aboutTools what the system prompt is to tell of the tools
     * @param warnings takes codes of what was left out or mended
     */
    ChatMessages(Request request, Dialect dialect, String model, List<Json.Str> aboutTools, Set<String> warnings,
                 JsonWriter out) {
        this.request = request;
        this.dialect = dialect;
        this.blocks = new Blocks(request, dialect, model, warnings);
        this.aboutTools = aboutTools;
        this.warnings = warnings;
        this.out = out;
    }

    /**
     * Writes the list. After that {@link #prefill} is known.
     *
     * @throws ApiError if the conversation cannot be sent
     */
    void write() {
        out.array();
        writeSystemPrompt();
        Turns.forEach(request, blocks, warnings, this::write);
        out.endArray();
    }

    private void write(Turns.Turn turn) {
        int before = out.size();
        switch (turn) {
            case Turns.AssistantTurn said -> writeAssistantTurn(said);
            case Turns.SearchTurn found -> found.results().forEach(this::writeSearchResult);
            case Turns.UserTurn said -> writeUserTurn(said);
        }
        boolean isNothing = out.size() == before;
        request.refuse("messages", turn.isLast() && isNothing, "content expected in the last one");
    }

    /** {@return the beginning of the reply that the client gave; "" if it gave none} */
    String prefill() {
        return prefill;
    }

    private void writeSystemPrompt() {
        List<Part> parts = new ArrayList<>();
        for (Json block : Blocks.of(request.json(), "system")) {
            Json text = block.get("text");
            if (text.hasText() && !Blocks.isBilling(text)) {
                parts.add(blocks.marked(block));
            }
        }
        aboutTools.forEach(text -> parts.add(new Part.Text(text)));
        boolean hasTools = !request.get("tools").items().isEmpty();
        boolean isToldSchema = !request.schema().isNull() && !dialect.takesFormat(hasTools);
        if (isToldSchema) {
            parts.add(new Part.Text(Blocks.wantedSchema(request.schema())));
        }
        if (parts.isEmpty()) return;
        if (dialect.takesSystem()) {
            writeMessage("system", parts);
        } else {
            userParts.addAll(parts); // the beginning of the user's first message
        }
    }

    private void writeAssistantTurn(Turns.AssistantTurn turn) {
        writeUserMessage(); // the system prompt, if the conversation begins with this turn
        var message = new AssistantMessage(turn, request, dialect, blocks);
        message.write(out);
        prefill = message.prefill();
    }

    /**
     * Writes the results of all calls, in the order of the calls, then everything else as one message. Chat
     * completions want it in this order. System messages stay in place, or become a part of the user's text.
     */
    private void writeUserTurn(Turns.UserTurn turn) {
        hoisted = 0;
        for (Turns.Result result : turn.results()) {
            writeResult(result);
        }
        for (Json message : turn.messages()) {
            if (Turns.isRole(message, "system")) {
                addSystemMessage(message);
            } else {
                addUserMessage(message, turn.strays());
            }
        }
        writeUserMessage();
    }

    private void writeResult(Turns.Result result) {
        Json.Str text = result.block().map(this::resultText).orElse(Blocks.NO_RESULT);
        Json mark = result.block().map(blocks::markOfResult).orElse(Json.NULL);
        writeToolMessage(result.id(), new Part.Text(text, mark));
    }

    private void writeSearchResult(Turns.Result result) {
        writeToolMessage(result.id(), new Part.Text(result.searchText()));
    }

    private void writeToolMessage(Json.Str id, Part.Text text) {
        out.object().field("role", "tool").field("tool_call_id", dialect.callId(id));
        if (text.isPlain()) {
            out.field("content", text.text());
        } else {
            out.name("content").array();
            writePart(text);
            out.endArray();
        }
        out.endObject();
    }

    /**
     * {@return the content of the {@code tool} message for
     * {@code {"type":"tool_result","tool_use_id":I,"content":C,"is_error":E}}}
     * It is the texts in C, each on a line of its own. There can be no image or PDF in it: that goes into the
     * user message that follows, with a label in both places.
     *
     * <p>Source: Anthropic Messages, "tool_result"; OpenAI chat completions, "tool message".
     */
    private Json.Str resultText(Json result) {
        request.optional(result, "content", Shape.STRING_OR_ARRAY);
        request.objects(result, "content");
        List<Part> parts = new ArrayList<>();
        for (Json block : Blocks.of(result, "content")) {
            parts.addAll(blocks.parts(block));
        }
        List<Json.Str> texts = new ArrayList<>();
        for (Part part : parts) {
            texts.add(switch (part) {
                case Part.Text text -> text.text();
                case Part.Image image -> hoist("image", image, result);
                case Part.Document document -> hoist("document", document, result);
            });
        }
        Json.Str text = texts.isEmpty() ? Blocks.NO_OUTPUT : Blocks.joined(texts, "\n");
        return result.get("is_error") == Json.TRUE ? Blocks.errorText(text) : text;
    }

    /** Adds the part to the user's message. {@return the text that stands for it in the result} */
    private Json.Str hoist(String kind, Part part, Json result) {
        hoisted++;
        String label = kind + " " + hoisted;
        Json.Str id = dialect.callId(request.text(result, "tool_use_id"));
        userParts.add(new Part.Text(JsonWriter.text("[", label, " from tool call ", id, "]")));
        userParts.add(part);
        return JsonWriter.text("[", label, ": see next message]");
    }

    private void addUserMessage(Json message, Set<Json> strays) {
        for (Json block : Blocks.of(message, "content")) {
            if (strays.contains(block)) {
                addStrayResult(block);
            } else {
                addUserBlock(block);
            }
        }
    }

    private void addUserBlock(Json block) {
        if (Blocks.isKind(block, "container_upload")) {
            throw request.missing(block, "type", "uploaded files are not available");
        }
        List<Part> parts = blocks.parts(block);
        Json mark = blocks.mark(block);
        boolean isMarked = !parts.isEmpty() && !mark.isNull();
        if (!isMarked) {
            userParts.addAll(parts);
            return;
        }
        userParts.addAll(parts.subList(0, parts.size() - 1));
        userParts.add(parts.getLast().marked(mark));
    }

    private void addStrayResult(Json block) {
        warnings.add("unknown_tool_result");
        int before = userParts.size(); // then images and documents of the result are added
        Json.Str text = resultText(block);
        Json.Str id = request.text(block, "tool_use_id");
        userParts.add(before, new Part.Text(JsonWriter.text("[result of unknown call ", id, "]\n", text)));
    }

    private void addSystemMessage(Json message) {
        List<Part.Text> parts = new ArrayList<>();
        for (Json block : Blocks.of(message, "content")) {
            blocks.text(block).ifPresent(text -> parts.add(new Part.Text(text, blocks.mark(block))));
        }
        if (parts.isEmpty()) return;
        if (dialect.takesSystemInPlace()) {
            writeUserMessage();
            writeMessage("system", parts);
        } else {
            Json.Str text = Blocks.joined(parts.stream().map(Part.Text::text).toList(), "\n\n");
            Json.Str reminder = JsonWriter.text("<system-reminder>\n", text, "\n</system-reminder>");
            userParts.add(new Part.Text(reminder, parts.getLast().cacheControl()));
        }
    }

    /** Writes the parts that were gathered, if any, as one message of the user. */
    private void writeUserMessage() {
        if (userParts.isEmpty()) return;
        writeMessage("user", userParts);
        userParts.clear();
    }

    private void writeMessage(String role, List<? extends Part> parts) {
        out.object().field("role", role).name("content");
        writeContent(parts);
        out.endObject();
    }

    /** Texts alone become a string, as some backends read a list as several messages. */
    private void writeContent(List<? extends Part> parts) {
        List<Json.Str> texts = new ArrayList<>(parts.size());
        for (Part part : parts) {
            if (part instanceof Part.Text text && text.isPlain()) texts.add(text.text());
        }
        if (texts.size() == parts.size()) {
            out.value(Blocks.joined(texts, "\n\n"));
        } else {
            out.array();
            parts.forEach(this::writePart);
            out.endArray();
        }
    }

    /** Source: OpenAI chat completions, "content parts"; OpenRouter, "Prompt caching". */
    private void writePart(Part part) {
        out.object();
        switch (part) {
            case Part.Text text -> {
                out.field("type", "text").field("text", text.text());
            }
            case Part.Image image -> {
                out.field("type", "image_url");
                out.name("image_url").object().field("url", image.url()).endObject();
            }
            case Part.Document document -> {
                out.field("type", "file");
                out.name("file").object();
                out.field("filename", document.name()).field("file_data", document.url());
                out.endObject();
            }
        }
        if (!part.cacheControl().isNull()) out.field("cache_control", part.cacheControl());
        out.endObject();
    }
}
