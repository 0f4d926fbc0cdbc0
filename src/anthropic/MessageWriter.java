package anthropic;

import java.util.function.LongSupplier;
import json.Json;
import json.JsonWriter;

/**
 * Writes the reply to the client, an Anthropic message: either as the events of a stream or as one JSON object. The
 * caller says the same things in the same order both times; blocks come one after the other, never two open at once.
 *
 * <pre>
 *  events:  message_start ( content_block_start content_block_delta* content_block_stop )* message_delta message_stop
 *  whole:   {"id":…,"content":[ {"type":…} , … ],"stop_reason":…,"usage":{…}}
 * </pre>
 * Source: Anthropic Messages, "Streaming" and "Create a Message"; every key is written, for some SDKs fail without.
 */
public final class MessageWriter {
    /** What stands before and after a block's value in a whole message, and before a piece of it in an event. */
    public record Block(String start, String end, String delta) {
        private static final String CALLER = ",'caller':{'type':'direct'}}";
        private static final String INPUT = "{'type':'input_json_delta','partial_json':'";
        public static final Block TEXT = new Block(
                "{'type':'text','text':'", "','citations':null}", "{'type':'text_delta','text':'");
        public static final Block THINKING = new Block("{'type':'thinking','thinking':'", "','signature':%}",
                "{'type':'thinking_delta','estimated_tokens':null,'thinking':'");
        public static final Block REDACTED = new Block("{'type':'redacted_thinking','data':%", "}", "");
        public static final Block TOOL_USE =
                new Block("{'type':'tool_use','id':%,'name':%,'input':", CALLER, INPUT);
        public static final Block SERVER_TOOL_USE =
                new Block("{'type':'server_tool_use','id':%,'name':%,'input':", CALLER, INPUT);
        public static final Block SERVER_TOOL_ERROR = new Block(
                "{'type':%,'tool_use_id':%,'content':{'type':%,'error_code':'unavailable'}", CALLER, "");

        private boolean hasInput() { return delta.equals(INPUT); }
    }

    private static final int CHARACTERS_A_TOKEN = 4;

    private final JsonWriter out = new JsonWriter();
    private final JsonWriter head = new JsonWriter(); // the message up to its content
    private final JsonWriter deltaStart = new JsonWriter(); // of the open block's events, up to the text itself
    private final JsonWriter deltaEnd = new JsonWriter();
    private final boolean events;
    private final LongSupplier inputTokens; // a guess, until the backend has counted
    private long written; // characters of text and input, about
    private String tier = "standard";
    private boolean started;
    private boolean hasToolUse;
    private boolean hasServerTool;
    private Block open;
    private int blocks;

    public MessageWriter(boolean events, String id, Json model, LongSupplier inputTokens) {
        this.events = events;
        this.inputTokens = inputTokens;
        if (events) deltaEnd.put("'}}\n\n");
        head.put("{'id':%,'type':'message','role':'assistant','model':%,'content':[", id, model);
    }

    /** {@return what has been written and not yet been sent; the caller clears it} */
    public JsonWriter out() { return out; }
    public int blocks() { return blocks; }
    /** {@return a guess of the tokens that have been written} */
    public long tokens() { return (written + CHARACTERS_A_TOKEN - 1) / CHARACTERS_A_TOKEN; }
    public boolean hasToolUse() { return hasToolUse; }
    public boolean isOpen(Block kind) { return open == kind; }
    public void setTier(String tier) { this.tier = tier; }

    /** The message's head; later calls do nothing. */
    public void start() {
        if (started) return;
        started = true;
        if (!events) out.put("%", head);
        if (!events) return;
        var usage = new Usage(inputTokens.getAsLong(), 0, 0, 1, 0);
        event("message_start", ",'message':%%", head, rest(stop("", "", ""), usage));
    }

    /** Writes an event, if the reply is one of events. */
    private void event(String type, String pattern, Object... values) {
        if (events) out.put("event: ").utf8(type).put("\ndata: {'type':%", type).put(pattern, values).put("}\n\n");
    }

    /** {@return what a message has after its content} */
    private JsonWriter rest(JsonWriter stop, Usage usage) {
        return new JsonWriter().put("],'container':null,'context_management':null,'diagnostics':null,%,'usage':{%,"
                + "'cache_creation':{'ephemeral_5m_input_tokens':%,'ephemeral_1h_input_tokens':0},'service_tier':%,"
                + "'speed':'standard','inference_geo':'not_available'}}",
                stop, counts(usage), usage.cacheWrite(), tier);
    }

    private static JsonWriter stop(String reason, String sequence, String refusal) {
        String details = reason.equals("refusal") ? "{'type':'refusal','category':null,'explanation':%}" : "null";
        return new JsonWriter().put("'stop_reason':%,'stop_sequence':%,'stop_details':" + details,
                orNull(reason), orNull(sequence), orNull(refusal));
    }

    private static Object orNull(String text) { return text.isEmpty() ? Json.NULL : text; }

    private JsonWriter counts(Usage usage) {
        String details = usage.thinking() > 0 ? "{'thinking_tokens':%}" : "null";
        String none = "{'web_search_requests':0,'web_fetch_requests':0}";
        String searches = hasServerTool ? none : "null";
        return new JsonWriter().put("'input_tokens':%,'cache_creation_input_tokens':%,'cache_read_input_tokens':%,"
                + "'output_tokens':%,'server_tool_use':" + searches + ",'output_tokens_details':" + details,
                usage.input(), usage.cacheWrite(), usage.cacheRead(), usage.output(), usage.thinking());
    }

    /** Begins a block; {@code values} are those of its start, as the id and name of a tool call. */
    public void open(Block kind, Object... values) {
        start();
        open = kind;
        hasToolUse |= kind == Block.TOOL_USE;
        hasServerTool |= kind == Block.SERVER_TOOL_USE;
        var block = new JsonWriter().put(kind.start, values);
        if (!events) out.put(blocks == 0 ? "%" : ",%", block);
        block.put(kind.hasInput() ? "{}" : "").put(kind.end, "");
        event("content_block_start", ",'index':%,'content_block':%", blocks, block);
        String delta = "event: content_block_delta\ndata: {'type':'content_block_delta','index':%,'delta':";
        deltaStart.clear();
        if (events) deltaStart.put(delta + kind.delta, blocks);
        blocks++;
    }

    /** A piece of the open block's text. */
    public void delta(Json.Str text) {
        written += text.to() - text.from() - 2;
        out.raw(deltaStart).inner(text).raw(deltaEnd);
    }

    /** The first piece of the open tool call's input, which is empty: some SDKs fail where none comes. */
    public void beginInput() {
        if (events) input("");
    }

    /** A piece of the open tool call's input, JSON text. */
    public void input(String json) {
        written += json.length();
        out.raw(deltaStart);
        if (events) out.escaped(json); else out.utf8(json);
        out.raw(deltaEnd);
    }

    /** Ends the open block, if any; {@code signature} is that of a thinking block. */
    public void close(String signature) {
        if (open == null) return;
        String signed = ",'index':%,'delta':{'type':'signature_delta','signature':%}";
        if (open == Block.THINKING) event("content_block_delta", signed, blocks - 1, signature);
        event("content_block_stop", ",'index':%", blocks - 1);
        if (!events) out.put(open.end, signature);
        open = null;
    }

    /** The message's end. {@code stopSequence} and {@code refusal} may be empty. */
    public void finish(String stopReason, String stopSequence, String refusal, Usage usage) {
        start();
        JsonWriter stop = stop(stopReason, stopSequence, refusal);
        if (!events) out.put("%", rest(stop, usage));
        String end = ",'context_management':null,'delta':{'container':null,%},'usage':{%}";
        event("message_delta", end, stop, counts(usage));
        event("message_stop", "");
    }
}
