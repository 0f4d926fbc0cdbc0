package translate;

import anthropic.Request;
import anthropic.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import json.Json;
import json.JsonWriter;

/**
 * Content blocks one by one: the text of a block, and the parts of a message that it becomes. It does not
 * read tool calls and their results; they have places of their own in every API.
 *
 * <p>Source: Anthropic Messages, "Content blocks"; SPEC A.3.1.
 */
final class Blocks {
    /** What stands for the result of a call that was not executed. */
    static final Json.Str NO_RESULT = JsonWriter.text("(no result: the call was not executed)");
    /** What stands for the result of a call that printed nothing. */
    static final Json.Str NO_OUTPUT = JsonWriter.text("(no output)");

    private static final Json TYPE = JsonWriter.text("type");
    private static final Json TEXT = JsonWriter.text("text");
    private static final Json.Str NO_IMAGE = JsonWriter.text("[image omitted: this model cannot see images]");
    private static final Json.Str OLDER_IMAGE =
            JsonWriter.text("[image omitted: this model sees only so many images, and there are newer ones]");
    private static final Json.Str REFUSED_IMAGE =
            JsonWriter.text("[image omitted: the backend refused it; it may be damaged or too large]");
    private static final Json.Str REFUSED_DOCUMENT =
            JsonWriter.text("[document omitted: the backend refused it; it may be damaged or locked]");
    private static final Json.Str NO_DOCUMENT =
            JsonWriter.text("[document omitted: this model cannot read documents]");
    private static final Json.Str UNTITLED = JsonWriter.text("document.pdf");
    /** The beginning of a result that calls itself an error, as in "Error: no such file". */
    private static final Pattern ERROR = Pattern.compile("(?i)\\s*(error|<tool_use_error)");
    private static final List<String> WITHOUT_TEXT =
            List.of("tool_use", "tool_result", "thinking", "redacted_thinking");
    /** Members that are worth reading in blocks of unknown types. */
    private static final Set<String> READABLE =
            Set.of("text", "title", "url", "stdout", "stderr", "error_code", "tool_name", "content");

    private final Request request;
    private final Dialect dialect;
    private final Set<String> warnings;
    private final Optional<WebSearch> search; // that A2o runs
    private final boolean areCacheMarksKept;
    private final Set<Json> tooMany; // blocks of images: the oldest, where the backend takes only so many

    /**
     * @param model    the backend's name for it
     * @param warnings takes codes of what was left out
     */
    Blocks(Request request, Dialect dialect, String model, Set<String> warnings) {
        this.request = request;
        this.dialect = dialect;
        this.warnings = warnings;
        this.search = WebSearch.of(request, dialect);
        this.tooMany = Attachments.tooMany(request, dialect);
        this.areCacheMarksKept = keepsCacheMarks(dialect, model);
    }

    /** {@return whether marks for prompt caches are sent; models of other vendors may refuse them} */
    static boolean keepsCacheMarks(Dialect dialect, String model) {
        String name = model.toLowerCase(Locale.ROOT);
        return dialect.takes("cache_control") && (name.contains("claude") || name.contains("gemini"));
    }

    /** {@return the mark of a block for prompt caches, if the backend is to get it; else NULL} */
    Json mark(Json block) {
        return areCacheMarksKept ? block.get("cache_control") : Json.NULL;
    }

    /** {@return the mark of a tool result, or else the last in its content; NULL if there is none to send} */
    Json markOfResult(Json result) {
        Json mark = mark(result);
        if (!areCacheMarksKept || !mark.isNull()) return mark;
        return of(result, "content").stream().map(this::mark).filter(found -> !found.isNull())
                .reduce(Json.NULL, (earlier, later) -> later);
    }

    /** {@return the blocks of a message, tool result, source or system prompt; a string is one text block} */
    static List<Json> of(Json parent, String name) {
        Json content = parent.get(name);
        return content instanceof Json.Str text ? List.of(textBlock(text)) : content.items();
    }

    /** {@return {@code {"type":"text","text":T}}, at the place of T, so that errors can name it} */
    private static Json textBlock(Json.Str text) {
        return new Json.Obj(text.source(), text.from(), text.to(), new Json[] {TYPE, TEXT, TEXT, text});
    }

    static boolean isKind(Json block, String type) {
        return block.get("type").is(type);
    }

    /** {@return whether a block is a call of a function: of a tool of the client's, or of A2o's search} */
    boolean isCall(Json block) { return isKind(block, "tool_use") || isSearchCall(block); }

    /** {@return whether a block is a call of the search that A2o runs} */
    boolean isSearchCall(Json block) { return search.isPresent() && WebSearch.isCall(block); }

    boolean hasSearch() { return search.isPresent(); }

    /** {@return the name of the function that a block calls} */
    Json.Str function(Json call) {
        if (isSearchCall(call)) return JsonWriter.text(search.orElseThrow().functionName());
        return ToolNames.shortName(request.text(call, "name"));
    }

    static Json.Str joined(List<Json.Str> texts, String separator) {
        if (texts.size() == 1) return texts.getFirst();
        return JsonWriter.text(texts.stream().flatMap(text -> Stream.of(separator, text)).skip(1).toArray());
    }

    /** {@return whether a system prompt's text is Claude Code's billing header, which changes and spoils caches} */
    static boolean isBilling(Json text) {
        return text.begins("x-anthropic-billing-header:");
    }

    /** {@return what asks the model for JSON by a schema, where the backend has no member for that} */
    static Json.Str wantedSchema(Json schema) {
        return JsonWriter.text("Answer with JSON alone, by this schema:\n", schema.raw());
    }

    /** {@return the text of a tool result with {@code "is_error":true}, which says so, as no API has a member for it} */
    static Json.Str errorText(Json.Str text) {
        boolean callsItselfError = ERROR.matcher(text.text()).lookingAt();
        return callsItselfError ? text : JsonWriter.text("Error: ", text);
    }

    /** {@return whether an assistant's message has text, a call, or reasoning that the backend wants back} */
    boolean isAnySaid(Json message) {
        for (Json block : of(message, "content")) {
            boolean isSaid = isCall(block) || text(block).isPresent() || thought(block).isPresent();
            if (isSaid) return true;
        }
        return false;
    }

    /** {@return the text of a {@code thinking} block, if the backend wants it back} */
    Optional<Json.Str> thought(Json block) {
        if (!isKind(block, "thinking") || !dialect.takes("reasoning_content")) return Optional.empty();
        if (Envelope.isOfResponses(Opaque.field(block.get("signature")))) return Optional.empty();
        return present(block.get("thinking"));
    }

    private static Optional<Json.Str> present(Json text) {
        return text.hasText() ? Optional.of((Json.Str) text) : Optional.empty();
    }

    /** {@return the part for a text block of the user or the system prompt} */
    Part.Text marked(Json block) {
        Json.Str text = request.text(block, "text");
        return new Part.Text(text, mark(block));
    }

    /** {@return the parts that a block of the user or of a tool result becomes} */
    List<Part> parts(Json block) {
        if (isKind(block, "image")) return List.of(image(block));
        if (isKind(block, "document")) return document(block);
        Optional<Json.Str> text = text(block);
        return text.isPresent() ? List.of(new Part.Text(text.get())) : List.of();
    }

    /** {@return the part for {@code {"type":"image","source":S}}} Source: Anthropic, "Vision". */
    private Part image(Json block) {
        if (!isTaken("image_url")) return new Part.Text(NO_IMAGE);
        if (isRefused(block, "image_url")) return new Part.Text(REFUSED_IMAGE);
        if (!tooMany.contains(block)) return new Part.Image(url(block));
        warnings.add("dropped_image_url");
        return new Part.Text(OLDER_IMAGE);
    }

    /** {@return whether the backend has refused this very image or document; that is a warning} */
    private boolean isRefused(Json block, String kind) {
        boolean isRefused = dialect.refusesFile(new Attachment(block, 0));
        if (isRefused) warnings.add("dropped_" + kind);
        return isRefused;
    }

    /** {@return whether the backend takes parts of a kind; if not, that is a warning} */
    private boolean isTaken(String kind) {
        if (dialect.takes(kind)) return true;
        warnings.add("dropped_" + kind);
        return false;
    }

    /**
     * {@return the address of an image or PDF}
     * Of {@code {"type":"url","url":U}} it is {@code U},
     * of {@code {"type":"base64","media_type":M,"data":D}} it is {@code data:M;base64,D}.
     */
    private Json.Str url(Json block) {
        Json source = request.required(block, "source", Shape.OBJECT);
        return switch (request.text(source, "type").text()) {
            case "url" -> request.text(source, "url");
            case "base64" -> JsonWriter.text("data:", request.text(source, "media_type"), ";base64,",
                    request.text(source, "data"));
            default -> throw request.missing(source, "type", "base64 or url expected"); // no files
        };
    }

    /**
     * {@return the parts for {@code {"type":"document","source":S,"title":T,"context":C}}}
     * A PDF remains a document. Text becomes an element with the title and the context, and after it come the
     * images in it.
     *
     * <p>Source: Anthropic, "PDF support", "Citations".
     */
    private List<Part> document(Json block) {
        Json source = request.required(block, "source", Shape.OBJECT);
        Json title = request.optional(block, "title", Shape.STRING);
        Json context = request.optional(block, "context", Shape.STRING);
        if (isKind(source, "text")) return textDocument(source, "data", title, context);
        if (isKind(source, "content")) return textDocument(source, "content", title, context);
        if (!isTaken("file")) return List.of(new Part.Text(NO_DOCUMENT));
        if (isRefused(block, "file")) return List.of(new Part.Text(REFUSED_DOCUMENT));
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
        List<Part> parts = new ArrayList<>();
        parts.add(new Part.Text(documentElement(title, context, joined(texts, "\n"))));
        parts.addAll(images);
        return parts;
    }

    /** {@return {@code <document title="TITLE">CONTEXT TEXT</document>}, with line breaks between} */
    private static Json.Str documentElement(Json title, Json context, Json.Str text) {
        List<Object> pieces = new ArrayList<>();
        if (title.hasText()) {
            pieces.addAll(List.of("<document title=\"", title, "\">\n"));
        } else {
            pieces.add("<document>\n");
        }
        if (context.hasText()) {
            pieces.addAll(List.of(context, "\n\n"));
        }
        pieces.addAll(List.of(text, "\n</document>"));
        return JsonWriter.text(pieces.toArray());
    }

    /**
     * {@return the text of a block, or the text that stands for it where there can be only text} Blocks
     * without a counterpart in OpenAI's APIs are folded into text by the members that they have, not by their
     * type: server tools and their results, summaries, and new types.
     */
    Optional<Json.Str> text(Json block) {
        if (isSearchCall(block)) return Optional.empty(); // a call, and not text
        if (isKind(block, "text")) return present(request.text(block, "text"));
        if (isWithoutText(block.get("type"))) return Optional.empty();
        return switch (block.get("type").text()) {
            case "tool_reference" -> Optional.of(toolReference(block));
            case "search_result" -> Optional.of(searchResult(block));
            default -> folded(block); // unknown: its readable members
        };
    }

    private static boolean isWithoutText(Json type) {
        for (String other : WITHOUT_TEXT) {
            if (type.is(other)) return true;
        }
        return false;
    }

    private Json.Str toolReference(Json block) {
        Json.Str name = ToolNames.shortName(request.text(block, "tool_name"));
        return JsonWriter.text("[tool available: ", name, "]");
    }

    private static Json.Str searchResult(Json block) {
        return JsonWriter.text("<search_result title=\"", block.get("title").text(),
                "\" source=\"", block.get("source").text(), "\">\n",
                readable(block.get("content")), "\n</search_result>");
    }

    private Optional<Json.Str> folded(Json block) {
        if (block.get("input") instanceof Json.Obj input) {
            String name = block.get("name").text();
            return Optional.of(JsonWriter.text("[", name, " called with ", input.raw(), "]"));
        }
        if (block.get("text").hasText()) return present(block.get("text"));
        boolean isOurSearch = block.get("content").items().stream().anyMatch(SearchResults::isOurs);
        if (isOurSearch) return Optional.of(SearchResults.text(block));
        String found = readable(block);
        if (found.isEmpty()) {
            warnings.add("dropped_block");
            return Optional.empty();
        }
        return Optional.of(JsonWriter.text("[", block.get("type").text(), "]\n", found));
    }

    /** {@return the readable members of a block, depth first, a line each} */
    private static String readable(Json json) {
        List<String> found = new ArrayList<>();
        addReadable(json, found);
        return String.join("\n", found);
    }

    private static void addReadable(Json json, List<String> found) {
        for (Json item : json.items()) {
            addReadable(item, found);
        }
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
