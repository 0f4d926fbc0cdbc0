/**
 * Writes the reply to the client, an Anthropic message: either as the events of a stream or as one JSON object. The
 * caller says the same things in the same order both times; blocks come one after the other, never two open at once.
 *
 * <pre>
 *  events:  message_start ( content_block_start content_block_delta* content_block_stop )* message_delta message_stop
 *  whole:   {"id":…,"content":[ {"type":…} , … ],"stop_reason":…,"usage":{…}}
 * </pre>
 * Source: Anthropic Messages, "Streaming" and "Create a Message"; every key is written, since some SDKs fail on a missing one.
 */
final class MessageWriter {
    /** How a block of each kind begins, goes on and ends, as events and in a whole message. */
    enum Block {
        TEXT("{'type':'text','text':'','citations':null}", "{'type':'text_delta','text':'", "'}}",
                "{'type':'text','text':'", "','citations':null}"),
        THINKING("{'type':'thinking','thinking':'','signature':''}", "{'type':'thinking_delta','thinking':'", "','estimated_tokens':null}}",
                "{'type':'thinking','thinking':'", "','signature':%}"),
        TOOL_USE("{'type':'tool_use','id':%,'name':%,'input':{},'caller':{'type':'direct'}}", "{'type':'input_json_delta','partial_json':'", "'}}",
                "{'type':'tool_use','id':%,'name':%,'input':", ",'caller':{'type':'direct'}}");

        private final String start;
        private final String delta;
        private final String deltaEnd;
        private final String whole;
        private final String wholeEnd;

        Block(String start, String delta, String deltaEnd, String whole, String wholeEnd) {
            this.start = start;
            this.delta = delta;
            this.deltaEnd = deltaEnd;
            this.whole = whole;
            this.wholeEnd = wholeEnd;
        }
    }

    /** Counts of tokens; input, cacheWrite and cacheRead do not overlap, thinking is part of output. */
    record Usage(long input, long cacheWrite, long cacheRead, long output, long thinking, String tier) { }

    private final Json.Writer out = new Json.Writer(4096);
    private final boolean events;
    private final String id;
    private final Json model;
    private final Json.Writer deltaStart = new Json.Writer(160); // of the open block's events, up to the text itself
    private final Json.Writer deltaEnd = new Json.Writer(64);
    private boolean started;
    private Block open;
    private int blocks;

    MessageWriter(boolean events, String id, Json model) {
        this.events = events;
        this.id = id;
        this.model = model;
    }

    /** {@return what has been written and not yet been sent; the caller clears it} */
    Json.Writer out() {
        return out;
    }

    int blocks() {
        return blocks;
    }

    boolean isOpen(Block kind) {
        return open == kind;
    }

    /** The message's head; later calls do nothing. */
    void start() {
        if (started) return;
        started = true;
        if (events) out.put("event: message_start\ndata: {'type':'message_start','message':");
        out.put("{'id':%,'type':'message','role':'assistant','model':%,'content':[", id, model);
        if (events) {
            rest("", "", "", new Usage(0, 0, 0, 1, 0, "standard"));
            out.put("}\n\n");
        }
    }

    /** What a whole message has after its content. */
    private void rest(String stopReason, String stopSequence, String refusal, Usage usage) {
        out.put("],'container':null,'context_management':null,'diagnostics':null,");
        stop(stopReason, stopSequence, refusal);
        usage(usage);
        out.put(",'cache_creation':{'ephemeral_5m_input_tokens':%,'ephemeral_1h_input_tokens':0},'service_tier':%,'speed':'standard',"
                + "'inference_geo':'not_available'}}", usage.cacheWrite, usage.tier);
    }

    private void stop(String reason, String sequence, String refusal) {
        out.put("'stop_reason':%,'stop_sequence':%,'stop_details':", orNull(reason), orNull(sequence));
        out.put(reason.equals("refusal") ? "{'type':'refusal','category':null,'explanation':%}" : "%", orNull(refusal));
    }

    private static Object orNull(String text) {
        return text.isEmpty() ? Json.Word.NULL : text;
    }

    private void usage(Usage usage) {
        out.put(",'usage':{'input_tokens':%,'cache_creation_input_tokens':%,'cache_read_input_tokens':%,'output_tokens':%,'output_tokens_details':",
                usage.input, usage.cacheWrite, usage.cacheRead, usage.output);
        out.put(usage.thinking > 0 ? "{'thinking_tokens':%}" : "null", usage.thinking).put(",'server_tool_use':null");
    }

    /** Begins a block; {@code values} are the id and name of a tool call. */
    void open(Block kind, Object... values) {
        start();
        open = kind;
        if (events) {
            event("content_block_start").put(",'index':%,'content_block':", blocks).put(kind.start, values).put("}\n\n");
            deltaStart.clear();
            deltaStart.put("event: content_block_delta\ndata: {'type':'content_block_delta','index':%,'delta':", blocks).put(kind.delta);
            deltaEnd.clear();
            deltaEnd.put(kind.deltaEnd).put("\n\n");
        } else {
            out.put(blocks == 0 ? "" : ",").put(kind.whole, values);
        }
        blocks++;
    }

    /** A piece of the open block's text. */
    void delta(Json.Str text) {
        if (events) out.raw(deltaStart);
        out.inner(text);
        if (events) out.raw(deltaEnd);
    }

    /** A piece of the open tool call's input, JSON text. */
    void input(String json) {
        if (events) {
            out.raw(deltaStart).escaped(json).raw(deltaEnd);
        } else {
            out.utf8(json);
        }
    }

    /** Ends the open block, if any; {@code signature} is that of a thinking block. */
    void close(String signature) {
        if (open == null) return;
        boolean signed = open == Block.THINKING;
        if (events) {
            if (signed) event("content_block_delta").put(",'index':%,'delta':{'type':'signature_delta','signature':%}}\n\n", blocks - 1, signature);
            event("content_block_stop").put(",'index':%}\n\n", blocks - 1);
        } else {
            out.put(open.wholeEnd, signature);
        }
        open = null;
    }

    /** The message's end. {@code stopSequence} and {@code refusal} may be empty. */
    void finish(String stopReason, String stopSequence, String refusal, Usage usage) {
        start();
        if (events) {
            event("message_delta").put(",'context_management':null,'delta':{'container':null,");
            stop(stopReason, stopSequence, refusal);
            out.raw('}');
            usage(usage);
            out.put("}}\n\n");
            event("message_stop").put("}\n\n");
        } else {
            rest(stopReason, stopSequence, refusal, usage);
        }
    }

    private Json.Writer event(String type) {
        return out.put("event: ").utf8(type).put("\ndata: {'type':%", type);
    }
}
