package translate;

import anthropic.Request;
import anthropic.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import json.Json;
import json.JsonWriter;

/**
 * The conversation as input items of the Responses API: messages, calls, outputs and reasoning. No item has
 * an id, and what an item says does not depend on the turns after it: the same history always gives the
 * same bytes, so that the backend finds them in its cache.
 *
 * <p>Source: OpenAI API reference, "Create a model response", input.
 */
final class ResponsesInput {
    private final Request request;
    private final Dialect dialect;
    private final String place;
    private final Set<String> warnings;
    private final Blocks blocks;
    private final JsonWriter out;
    private final List<Part> parts = new ArrayList<>(); // of the next user message
    private int hoisted; // images and documents taken out of the results of this turn
    private String prefill = ""; // of the last turn

    /**
     * @param place    which backend and model this is, as envelopes say it
     * @param warnings takes codes of what was left out or mended
     */
    ResponsesInput(Request request, Dialect dialect, String model, String place, Set<String> warnings, JsonWriter out) {
        this.request = request;
        this.dialect = dialect;
        this.place = place;
        this.warnings = warnings;
        this.blocks = new Blocks(request, dialect, model, warnings);
        this.out = out;
    }

    /** Writes the items. {@return the beginning of the reply, which the client gave, as it is sent; "" if it gave none} */
    String write() {
        out.array();
        Turns.forEach(request, blocks, warnings, this::write);
        out.endArray();
        return prefill;
    }

    private void write(Turns.Turn turn) {
        int before = out.size();
        switch (turn) {
            case Turns.AssistantTurn assistant ->
                    prefill = new AssistantItems(assistant, request, dialect, blocks, place, out).write();
            case Turns.SearchTurn search -> search.results().forEach(this::writeSearchOutput);
            case Turns.UserTurn user -> userTurn(user);
        }
        boolean isNothing = out.size() == before;
        request.refuse("messages", turn.isLast() && isNothing, "content expected in the last one");
    }

    /**
     * What the user's side says: the outputs of all calls, in the order of the calls, then everything else
     * as one message. System messages stay in place, or become a part of the user's text.
     */
    private void userTurn(Turns.UserTurn turn) {
        hoisted = 0;
        for (Turns.Result result : turn.results()) writeOutput(result);
        for (Json message : turn.messages()) {
            if (Turns.isRole(message, "system")) {
                systemMessage(message);
                continue;
            }
            for (Json block : Blocks.of(message, "content")) addBlock(block, turn);
        }
        writeMessage();
    }

    /**
     * {@code {"type":"tool_result","tool_use_id":I,"content":C}} becomes
     * {@code {"type":"function_call_output","call_id":I,"output":C}}.
     */
    private void writeOutput(Turns.Result result) {
        writeOutput(result, result.block().map(this::resultParts).orElse(List.of(new Part.Text(Blocks.NO_RESULT))));
    }

    private void writeSearchOutput(Turns.Result result) {
        writeOutput(result, List.of(new Part.Text(result.searchText())));
    }

    private void writeOutput(Turns.Result result, List<Part> said) {
        out.object().field("type", "function_call_output");
        out.field("call_id", AssistantItems.callId(dialect.callId(result.id()))).name("output");
        content(said);
        out.endObject();
    }

    /** {@return the parts of a {@code tool_result}: one text where all is text; at least one} */
    private List<Part> resultParts(Json result) {
        request.optional(result, "content", Shape.STRING_OR_ARRAY);
        request.objects(result, "content");
        List<Part> found = new ArrayList<>();
        for (Json block : Blocks.of(result, "content")) found.addAll(blocks.parts(block));
        Json id = AssistantItems.callId(dialect.callId(request.text(result, "tool_use_id")));
        if (!dialect.takesFilesInOutputs()) found = hoisted(found, id);
        if (found.isEmpty()) found.add(new Part.Text(Blocks.NO_OUTPUT));
        if (isAllText(found)) found = new ArrayList<>(List.of(new Part.Text(joined(found, "\n"))));
        if (result.get("is_error") == Json.TRUE) markError(found);
        return found;
    }

    /** {@return the parts with labels for images and documents, which go into the next user message} */
    private List<Part> hoisted(List<Part> found, Json id) {
        List<Part> kept = new ArrayList<>();
        for (Part part : found) {
            if (part instanceof Part.Text) {
                kept.add(part);
                continue;
            }
            String label = (part instanceof Part.Document ? "document " : "image ") + ++hoisted;
            kept.add(new Part.Text(JsonWriter.text("[", label, ": see next message]")));
            parts.add(new Part.Text(JsonWriter.text("[", label, " from tool call ", id, "]")));
            parts.add(part);
        }
        return kept;
    }

    /** Says in the first text that this is an error, unless that says so itself. */
    private static void markError(List<Part> found) {
        for (int i = 0; i < found.size(); i++) {
            if (!(found.get(i) instanceof Part.Text part)) continue;
            found.set(i, new Part.Text(Blocks.errorText(part.text())));
            return;
        }
        found.addFirst(new Part.Text(JsonWriter.text("Error:")));
    }

    private void systemMessage(Json message) {
        List<Json.Str> said = Blocks.of(message, "content").stream().flatMap(block -> blocks.text(block).stream()).toList();
        if (said.isEmpty()) return;
        Json.Str text = Blocks.joined(said, "\n\n");
        if (dialect.takesSystemInPlace()) {
            writeMessage();
            out.object().field("type", "message").field("role", dialect.systemRole()).field("content", text).endObject();
        } else {
            parts.add(new Part.Text(JsonWriter.text("<system-reminder>\n", text, "\n</system-reminder>")));
        }
    }

    private void addBlock(Json block, Turns.UserTurn turn) {
        if (Blocks.isKind(block, "container_upload")) {
            throw request.missing(block, "type", "uploaded files are not available");
        }
        if (turn.strays().contains(block)) {
            addStray(block);
        } else {
            parts.addAll(blocks.parts(block));
        }
    }

    /** Adds the result of a call that is not there, as something that the user says. */
    private void addStray(Json block) {
        warnings.add("unknown_tool_result");
        List<Part> said = resultParts(block);
        String title = "[result of unknown call %s]".formatted(block.get("tool_use_id").text());
        if (said.getFirst() instanceof Part.Text first) {
            said.set(0, new Part.Text(JsonWriter.text(title, "\n", first.text())));
        } else {
            said.addFirst(new Part.Text(JsonWriter.text(title)));
        }
        parts.addAll(said);
    }

    /** Writes the parts gathered, if there are any, as one message of the user. */
    private void writeMessage() {
        if (parts.isEmpty()) return;
        out.object().field("type", "message").field("role", "user").name("content");
        content(parts);
        out.endObject();
        parts.clear();
    }

    /** Writes one string where all parts are text, which every server takes; else a list of parts. */
    private void content(List<Part> all) {
        if (isAllText(all)) {
            out.value(joined(all, "\n\n"));
            return;
        }
        out.array();
        all.forEach(this::part);
        out.endArray();
    }

    private static boolean isAllText(List<Part> all) { return all.stream().allMatch(Part.Text.class::isInstance); }

    private static Json.Str joined(List<Part> texts, String separator) {
        return Blocks.joined(texts.stream().map(part -> ((Part.Text) part).text()).toList(), separator);
    }

    /** Source: OpenAI API reference, "Input text", "Input image", "Input file". */
    private void part(Part part) {
        out.object();
        switch (part) {
            case Part.Text text -> out.field("type", "input_text").field("text", text.text());
            case Part.Image image ->
                    out.field("type", "input_image").field("detail", "auto").field("image_url", image.url());
            case Part.Document document -> file(document);
        }
        out.endObject();
    }

    private void file(Part.Document document) {
        out.field("type", "input_file");
        if (document.url().begins("data:")) {
            out.field("filename", document.name()).field("file_data", document.url());
        } else {
            out.field("file_url", document.url());
        }
    }
}
