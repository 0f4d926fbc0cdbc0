package anthropic;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import json.Json;
import json.JsonWriter;

/**
 * Writes the reply to the client, an Anthropic message: either as the events of a stream or as one JSON
 * object. The caller says the same things in the same order both times; blocks come one after the other,
 * never two open at once.
 *
 * <pre>
 *  events:  message_start
 *           ( content_block_start content_block_delta* content_block_stop )*
 *           message_delta message_stop
 *  whole:   {"id":…,"content":[ {"type":…} , … ],"stop_reason":…,"usage":{…}}
 * </pre>
 * Source: Anthropic Messages, "Streaming" and "Create a Message"; every key is written, for some SDKs fail
 * without.
 */
public class MessageWriter {
    /** A block whose value comes in pieces. */
    public enum Block {
        TEXT("text_delta", "text"),
        THINKING("thinking_delta", "thinking"),
        TOOL_USE("input_json_delta", "partial_json");

        private final String delta; // the type of its deltas
        private final String member; // of a delta, that holds the piece

        Block(String delta, String member) {
            this.delta = delta;
            this.member = member;
        }
    }

    private static final int CHARACTERS_A_TOKEN = 4;
    private static final byte[] DELTA_END = ascii("\"}}\n\n");
    /** Ends a tool's block: the model itself has called it, no code of its. */
    private static final byte[] CALLER = ascii(",\"caller\":{\"type\":\"direct\"}");
    private static final byte[] EMPTY_INPUT = ascii("{}");

    private final JsonWriter out = new JsonWriter();
    private final boolean isStream;
    private final String id;
    private final Json model;
    private final LongSupplier inputTokens; // a guess, until the backend has counted
    private byte[] deltaStart = {}; // of the open block's events, up to the piece itself
    private String half = ""; // the first half of a surrogate pair, at the end of the last piece of text
    private long written; // characters of text and input, about
    private String tier = "standard";
    private boolean isStarted;
    private boolean hasToolUse;
    private boolean hasServerTool;
    private long searches; // in the web, that the backend has run
    private Optional<Block> open = Optional.empty();
    private int blocks;

    /** @param model the client's name for it, a string */
    public MessageWriter(boolean isStream, String id, Json model, LongSupplier inputTokens) {
        this.isStream = isStream;
        this.id = id;
        this.model = model;
        this.inputTokens = inputTokens;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** {@return what has been written and not yet been sent; the caller clears it} */
    public JsonWriter out() {
        return out;
    }

    public int blocks() {
        return blocks;
    }

    /** {@return a guess of the tokens that the model has written} */
    public long tokens() {
        return (written + CHARACTERS_A_TOKEN - 1) / CHARACTERS_A_TOKEN;
    }

    public boolean hasToolUse() {
        return hasToolUse;
    }

    public boolean isOpen(Block kind) {
        return open.isPresent() && open.get() == kind;
    }

    public void setTier(String tier) {
        this.tier = tier;
    }

    /** The message's head; later calls do nothing. */
    public void start() {
        if (isStarted) return;
        isStarted = true;
        if (!isStream) {
            head();
            return;
        }
        beginEvent("message_start").name("message");
        head();
        rest(Optional.empty(), new Usage(inputTokens.getAsLong(), 0, 0, 1, 0));
        endEvent();
    }

    /** The client has the message's head already. */
    public void resume() { isStarted = true; }

    /**
     * The message goes on after these blocks, which the client of a stream has already.
     *
     * @param earlier the blocks as JSON
     */
    public void goOn(List<Json> earlier) {
        if (isStream) {
            resume();
        } else {
            start();
            earlier.forEach(out::value);
        }
        blocks = earlier.size();
        hasServerTool = true;
    }

    /** The message up to its content, an array that is open then. */
    private void head() {
        out.object().field("id", id).field("type", "message").field("role", "assistant");
        out.field("model", model);
        out.name("content").array();
    }

    /** The end of the content, and what a message has after it. */
    private void rest(Optional<StopReason> reason, Usage usage) {
        out.endArray().nullField("container").nullField("context_management").nullField("diagnostics");
        stop(reason);
        out.name("usage").object();
        counts(usage);
        out.name("cache_creation").object().field("ephemeral_5m_input_tokens", usage.cacheWrite())
                .field("ephemeral_1h_input_tokens", 0).endObject();
        out.field("service_tier", tier).field("speed", "standard").field("inference_geo", "not_available");
        out.endObject().endObject();
    }

    private void stop(Optional<StopReason> reason) {
        fieldOrNull("stop_reason", reason.map(StopReason::name));
        fieldOrNull("stop_sequence", reason.flatMap(StopReason::stopSequence));
        boolean isRefusal = reason.isPresent() && reason.get().isRefusal();
        if (!isRefusal) {
            out.nullField("stop_details");
            return;
        }
        out.name("stop_details").object().field("type", "refusal").nullField("category");
        fieldOrNull("explanation", reason.get().explanation());
        out.endObject();
    }

    private void fieldOrNull(String name, Optional<String> value) {
        if (value.isPresent()) out.field(name, value.get()); else out.nullField(name);
    }

    private void counts(Usage usage) {
        out.field("input_tokens", usage.input()).field("cache_creation_input_tokens", usage.cacheWrite())
                .field("cache_read_input_tokens", usage.cacheRead()).field("output_tokens", usage.output());
        if (hasServerTool || searches > 0) {
            out.name("server_tool_use").object().field("web_search_requests", searches)
                    .field("web_fetch_requests", 0).endObject();
        } else {
            out.nullField("server_tool_use");
        }
        if (usage.thinking() > 0) {
            out.name("output_tokens_details").object().field("thinking_tokens", usage.thinking()).endObject();
        } else {
            out.nullField("output_tokens_details");
        }
    }

    /** Begins the next block, which is to hold text. */
    public void openText() {
        beginBlock("text");
        out.name("text").openString();
        if (isStream) out.closeString().nullField("citations");
        open(Block.TEXT);
    }

    /** Begins the next block, which is to hold reasoning. */
    public void openThinking() {
        beginBlock("thinking");
        out.name("thinking").openString();
        if (isStream) out.closeString().field("signature", "");
        open(Block.THINKING);
    }

    /** Begins the next block, a call of one of the client's tools. */
    public void openToolUse(String callId, String tool) {
        beginBlock("tool_use");
        out.field("id", callId).field("name", tool).name("input");
        if (isStream) out.ready(EMPTY_INPUT).ready(CALLER);
        open(Block.TOOL_USE);
        hasToolUse = true;
        if (isStream) input(""); // some SDKs fail where no piece comes
    }

    /** A block of reasoning that is not shown, whole. */
    public void redactedThinking(String data) {
        beginBlock("redacted_thinking");
        out.field("data", data);
        endWholeBlock();
    }

    public void setSearches(long count) { searches = count; }

    /** Two blocks: a search in the web, and its results; {@code query} is a string. */
    public void webSearch(String callId, Json query, JsonWriter results) {
        webSearchCall(callId, new JsonWriter().object().field("query", query).endObject());
        webSearchResult(callId, results);
    }

    /** The call of a search in the web; {@code input} is an object. */
    public void webSearchCall(String callId, JsonWriter input) { serverTool(callId, "web_search", input); }

    /** What a search in the web has found, a list of results, or an error. */
    public void webSearchResult(String callId, JsonWriter results) {
        beginBlock("web_search_tool_result");
        out.field("tool_use_id", callId).field("content", results).ready(CALLER);
        endWholeBlock();
    }

    /** Two blocks: a call of a tool of Anthropic's servers, and that its results cannot be had. */
    public void failedServerTool(String callId, String tool, Json input) {
        serverTool(callId, tool, new JsonWriter().value(input));
        String result = tool + "_tool_result";
        beginBlock(result);
        out.field("tool_use_id", callId).name("content").object().field("type", result + "_error")
                .field("error_code", "unavailable").endObject().ready(CALLER);
        endWholeBlock();
    }

    private void serverTool(String callId, String tool, JsonWriter input) {
        start(); // its usage knows of no such tool yet
        hasServerTool = true;
        beginBlock("server_tool_use");
        out.field("id", callId).field("name", tool).name("input");
        if (isStream) {
            out.ready(EMPTY_INPUT).ready(CALLER);
            open(Block.TOOL_USE);
            out.ready(deltaStart).piece(input.toString()).ready(DELTA_END);
            close();
        } else {
            out.value(input).ready(CALLER);
            endWholeBlock();
        }
    }

    private void beginBlock(String type) {
        start();
        if (isStream) beginEvent("content_block_start").field("index", blocks).name("content_block");
        out.object().field("type", type);
        blocks++;
    }

    /** Ends the start of a block, to which pieces will come. */
    private void open(Block kind) {
        open = Optional.of(kind);
        if (!isStream) return;
        out.endObject();
        endEvent();
        var start = new JsonWriter().ascii("event: content_block_delta\ndata: ").object();
        start.field("type", "content_block_delta").field("index", blocks - 1).name("delta").object();
        start.field("type", kind.delta);
        if (kind == Block.THINKING) start.nullField("estimated_tokens");
        deltaStart = start.name(kind.member).openString().toBytes();
    }

    /** Ends a block that has come whole. */
    private void endWholeBlock() {
        out.endObject();
        if (!isStream) return;
        endEvent();
        blockStop();
    }

    /**
     * A piece of the open block's text. Half of a surrogate pair waits for the next piece, which has the
     * other half.
     */
    public void text(Json.Str text) {
        boolean isPlain = half.isEmpty() && !text.mayEndInHalf();
        if (isPlain) plainText(text); else joinedText(half + text.text());
    }

    private void joinedText(String text) {
        boolean endsInHalf = Character.isHighSurrogate(text.charAt(text.length() - 1));
        int end = endsInHalf ? text.length() - 1 : text.length();
        half = text.substring(end);
        if (end > 0) plainText(JsonWriter.text(text.substring(0, end)));
    }

    private void plainText(Json.Str text) {
        written += text.to() - text.from() - 2;
        if (isStream) {
            out.ready(deltaStart).piece(text).ready(DELTA_END);
        } else {
            out.piece(text);
        }
    }

    /** A piece of the open tool call's input, JSON text. */
    public void input(String json) {
        written += json.length();
        if (isStream) {
            out.ready(deltaStart).piece(json).ready(DELTA_END);
        } else {
            out.utf8(json);
        }
    }

    /** Ends the open block, if there is one and it holds no reasoning. */
    public void close() {
        flushHalf();
        if (open.isEmpty()) return;
        if (isStream) {
            blockStop();
        } else if (isOpen(Block.TEXT)) {
            out.closeString().nullField("citations").endObject();
        } else {
            out.ready(CALLER).endObject();
        }
        open = Optional.empty();
    }

    /** Ends the open block of reasoning. */
    public void closeThinking(String signature) {
        flushHalf();
        if (isStream) {
            beginEvent("content_block_delta").field("index", blocks - 1).name("delta").object()
                    .field("type", "signature_delta").field("signature", signature).endObject();
            endEvent();
            blockStop();
        } else {
            out.closeString().field("signature", signature).endObject();
        }
        open = Optional.empty();
    }

    private void flushHalf() {
        if (!half.isEmpty()) plainText(JsonWriter.text(half));
        half = "";
    }

    private void blockStop() {
        beginEvent("content_block_stop").field("index", blocks - 1);
        endEvent();
    }

    /** The message's end. */
    public void finish(StopReason reason, Usage usage) {
        start();
        if (!isStream) {
            rest(Optional.of(reason), usage);
            return;
        }
        beginEvent("message_delta").nullField("context_management");
        out.name("delta").object().nullField("container");
        stop(Optional.of(reason));
        out.endObject().name("usage").object();
        counts(usage);
        out.endObject();
        endEvent();
        beginEvent("message_stop");
        endEvent();
    }

    /** A sign of life; it begins the message. */
    public void ping() {
        start();
        beginEvent("ping");
        endEvent();
    }

    /** The end of a stream that failed, which no client takes for a normal one. */
    public void error(JsonWriter body) {
        out.ascii("event: error\ndata: ").value(body).ascii("\n\n");
    }

    private JsonWriter beginEvent(String type) {
        return out.ascii("event: ").ascii(type).ascii("\ndata: ").object().field("type", type);
    }

    private void endEvent() {
        out.endObject().ascii("\n\n");
    }
}
