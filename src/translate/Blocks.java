package translate;

import anthropic.Request;
import anthropic.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import json.Json;
import json.JsonWriter;

/**
 * Content blocks one by one: what each says in text, and what parts of a message become of it. Calls, their results and
 * reasoning are not written here, for they stand in places of their own.
 */
final class Blocks {
    private static final Json TYPE = JsonWriter.text("type");
    private static final Json TEXT = JsonWriter.text("text");
    private static final Json.Str NO_IMAGE = JsonWriter.text("[image omitted: this model cannot see images]");
    private static final Json.Str NO_DOCUMENT = JsonWriter.text("[document omitted: this model cannot read documents]");
    private static final Json.Str UNTITLED = JsonWriter.text("document.pdf");
    /** Members of blocks of unknown kinds that hold something to read. */
    private static final Set<String> READABLE =
            Set.of("text", "title", "url", "stdout", "stderr", "error_code", "tool_name", "content");

    private final Request request;
    private final Dialect dialect;
    private final Set<String> warnings;
    private final boolean areCacheMarksKept;

    /** @param model the backend's name for it */
    Blocks(Request request, Dialect dialect, String model, Set<String> warnings) {
        this.request = request;
        this.dialect = dialect;
        this.warnings = warnings;
        this.areCacheMarksKept = dialect.takes("cache_control") && knowsCacheMarks(model);
    }

    private static boolean knowsCacheMarks(String model) {
        String name = model.toLowerCase(Locale.ROOT);
        return name.contains("claude") || name.contains("gemini");
    }

    /** {@return the blocks of a message, tool result, source or system prompt; a plain string is one block of text} */
    static List<Json> of(Json parent, String name) {
        Json content = parent.get(name);
        return content instanceof Json.Str text ? List.of(textBlock(text)) : content.items();
    }

    /** {@return a block that stands where its text does, so that an error names the place} */
    private static Json textBlock(Json.Str text) {
        return new Json.Obj(text.source(), text.from(), text.to(), new Json[] {TYPE, TEXT, TEXT, text});
    }

    static boolean isKind(Json block, String type) { return block.get("type").is(type); }

    /** {@return one string of them all} */
    static Json.Str joined(List<Json.Str> texts, String separator) {
        if (texts.size() == 1) return texts.getFirst();
        return JsonWriter.text(texts.stream().flatMap(text -> Stream.of(separator, text)).skip(1).toArray());
    }

    /** {@return whether an assistant's message has text, a call, or reasoning that the backend wants back} */
    boolean isAnySaid(Json message) {
        for (Json block : of(message, "content")) {
            boolean isSaid = isKind(block, "tool_use") || thought(block).isPresent() || text(block).isPresent();
            if (isSaid) return true;
        }
        return false;
    }

    /** {@return the text of a {@code thinking} block, if the backend wants it back} */
    Optional<Json.Str> thought(Json block) {
        if (!isKind(block, "thinking") || !dialect.takes("reasoning_content")) return Optional.empty();
        return present(block.get("thinking"));
    }

    private static Optional<Json.Str> present(Json text) {
        return text.hasText() ? Optional.of((Json.Str) text) : Optional.empty();
    }

    /** {@return a {@code text} block of the user's or of the system prompt; with its mark, if marks are kept} */
    Part.Text marked(Json block) {
        Json.Str text = request.text(block, "text");
        return areCacheMarksKept ? new Part.Text(text, block.get("cache_control")) : new Part.Text(text);
    }

    /** {@return what becomes of a block on the user's side; nothing, if it has no text and is no image or document} */
    List<Part> parts(Json block) {
        if (isKind(block, "image")) return List.of(image(block));
        if (isKind(block, "document")) return document(block);
        Optional<Json.Str> text = text(block);
        return text.isPresent() ? List.of(new Part.Text(text.get())) : List.of();
    }

    /** {@code {"type":"image","source":S}}. Source: Anthropic Messages, "Vision". */
    private Part image(Json block) {
        return isTaken("image_url") ? new Part.Image(url(block)) : new Part.Text(NO_IMAGE);
    }

    /** {@return whether the backend takes a kind of part; where it does not, the client is told} */
    private boolean isTaken(String kind) {
        boolean isTaken = dialect.takes(kind);
        if (!isTaken) warnings.add("dropped_" + kind);
        return isTaken;
    }

    /**
     * {@return the address of an image or PDF}
     * {@code {"type":"url","url":U}} has one, {@code {"type":"base64","media_type":M,"data":D}} becomes
     * {@code data:M;base64,D}.
     */
    private Json.Str url(Json block) {
        Json source = request.required(block, "source", Shape.OBJECT);
        return switch (request.text(source, "type").text()) {
            case "url" -> request.text(source, "url");
            case "base64" -> JsonWriter.text("data:", request.text(source, "media_type"), ";base64,",
                    request.text(source, "data"));
            default -> throw request.invalid(source, "type", "base64 or url expected"); // no files here
        };
    }

    /**
     * {@code {"type":"document","source":S,"title":T,"context":C}}: a PDF remains a document, text becomes a
     * {@code <document>} element, followed by the images that stand in it.
     *
     * <p>Source: Anthropic Messages, "PDF support", "Citations".
     */
    private List<Part> document(Json block) {
        Json source = request.required(block, "source", Shape.OBJECT);
        Json title = request.optional(block, "title", Shape.STRING);
        Json context = request.optional(block, "context", Shape.STRING);
        if (isKind(source, "text")) return textDocument(source, "data", title, context);
        if (isKind(source, "content")) return textDocument(source, "content", title, context);
        if (!isTaken("file")) return List.of(new Part.Text(NO_DOCUMENT));
        return List.of(new Part.Document(present(title).orElse(UNTITLED), url(block)));
    }

    private List<Part> textDocument(Json source, String member, Json title, Json context) {
        request.required(source, member, Shape.STRING_OR_ARRAY);
        List<Json.Str> texts = new ArrayList<>();
        List<Part> images = new ArrayList<>();
        for (Json inner : of(source, member)) {
            for (Part part : parts(inner)) {
                if (part instanceof Part.Text text) {
                    texts.add(text.text());
                } else {
                    images.add(part);
                }
            }
        }
        var element = new JsonWriter().openString().piece("<document");
        present(title).ifPresent(name -> element.piece(" title=\"").piece(name).piece("\""));
        element.piece(">\n");
        present(context).ifPresent(about -> element.piece(about).piece("\n\n"));
        element.piece(joined(texts, "\n")).piece("\n</document>").closeString();
        List<Part> parts = new ArrayList<>();
        parts.add(new Part.Text(new Json.Str(element.buffer(), 0, element.size())));
        parts.addAll(images);
        return parts;
    }

    /**
     * {@return the text that stands for a block where only text can stand} Blocks without a counterpart (server tools
     * and their results, summaries, whatever comes next) are folded by what they hold, not by kind.
     */
    Optional<Json.Str> text(Json block) {
        if (isKind(block, "text")) return present(request.text(block, "text"));
        return switch (block.get("type").text()) {
            case "thinking", "redacted_thinking", "tool_use", "tool_result" -> Optional.empty(); // have their own places
            case "tool_reference" -> Optional.of(
                    JsonWriter.text("[tool available: ", ToolNames.shortName(request.text(block, "tool_name")), "]"));
            case "search_result" -> Optional.of(searchResult(block));
            default -> folded(block); // unknown: what there is to read in it
        };
    }

    private static Json.Str searchResult(Json block) {
        return JsonWriter.text("<search_result title=\"", block.get("title").text(),
                "\" source=\"", block.get("source").text(), "\">\n",
                readable(block.get("content")), "\n</search_result>");
    }

    private Optional<Json.Str> folded(Json block) {
        Json input = block.get("input");
        if (input instanceof Json.Obj) {
            return Optional.of(JsonWriter.text("[", block.get("name").text(), " called with ", input.raw(), "]"));
        }
        if (block.get("text").hasText()) return present(block.get("text"));
        String found = readable(block);
        if (found.isEmpty()) {
            warnings.add("dropped_block");
            return Optional.empty();
        }
        return Optional.of(JsonWriter.text("[", block.get("type").text(), "]\n", found));
    }

    /** {@return what there is to read in a block, depth first, a line each} */
    private static String readable(Json json) {
        List<String> found = new ArrayList<>();
        addReadable(json, found);
        return String.join("\n", found);
    }

    private static void addReadable(Json json, List<String> found) {
        for (Json item : json.items()) addReadable(item, found);
        Json[] members = json.parts();
        for (int i = 0; i < members.length; i += 2) {
            Json value = members[i + 1];
            boolean isReadable = value.hasText() && READABLE.contains(members[i].text());
            if (isReadable) {
                found.add(value.text());
            } else {
                addReadable(value, found);
            }
        }
    }
}
