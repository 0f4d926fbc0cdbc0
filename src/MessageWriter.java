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
final class MessageWriter {
    /** How a block begins and goes on as events, and how it stands in a whole message. */
    record Block(String start, String delta, String deltaEnd, String whole, String wholeEnd) {
        static final Block TEXT = new Block("{'type':'text','text':'','citations':null}",
                "{'type':'text_delta','text':'", "'}}\n\n", "{'type':'text','text':'", "','citations':null}");
        static final Block THINKING = new Block("{'type':'thinking','thinking':'','signature':''}",
                "{'type':'thinking_delta','thinking':'", "','estimated_tokens':null}}\n\n",
                "{'type':'thinking','thinking':'", "','signature':%}");
        static final Block TOOL_USE = new Block(
                "{'type':'tool_use','id':%,'name':%,'input':{},'caller':{'type':'direct'}}",
                "{'type':'input_json_delta','partial_json':'", "'}}\n\n",
                "{'type':'tool_use','id':%,'name':%,'input':", ",'caller':{'type':'direct'}}");
    }

    /** Counts of tokens: input, cacheWrite and cacheRead do not overlap, thinking is part of output. */
    record Usage(long input, long cacheWrite, long cacheRead, long output, long thinking) { }

    private final Json.Writer out = new Json.Writer();
    private final Json.Writer deltaStart = new Json.Writer(); // of the open block's events, up to the text itself
    private final Json.Writer deltaEnd = new Json.Writer();
    private final boolean events;
    private final String id;
    private final Json model;
    private String tier = "standard";
    private boolean started;
    private boolean hasToolUse;
    private Block open;
    private int blocks;

    MessageWriter(boolean events, String id, Json model) {
        this.events = events;
        this.id = id;
        this.model = model;
    }

    /** {@return what has been written and not yet been sent; the caller clears it} */
    Json.Writer out() { return out; }
    int blocks() { return blocks; }
    boolean hasToolUse() { return hasToolUse; }
    boolean isOpen(Block kind) { return open == kind; }
    void setTier(String tier) { this.tier = tier; }

    /** The message's head; later calls do nothing. */
    void start() {
        if (started) return;
        started = true;
        if (events) out.put("event: message_start\ndata: {'type':'message_start','message':");
        out.put("{'id':%,'type':'message','role':'assistant','model':%,'content':[", id, model);
        if (!events) return;
        rest("", "", "", new Usage(0, 0, 0, 1, 0));
        out.put("}\n\n");
    }

    /** What a message has after its content. */
    private void rest(String stopReason, String stopSequence, String refusal, Usage usage) {
        out.put("],'container':null,'context_management':null,'diagnostics':null,");
        stop(stopReason, stopSequence, refusal);
        usage(usage);
        out.put(",'cache_creation':{'ephemeral_5m_input_tokens':%,'ephemeral_1h_input_tokens':0},", usage.cacheWrite);
        out.put("'service_tier':%,'speed':'standard','inference_geo':'not_available'}}", tier);
    }

    private void stop(String reason, String sequence, String refusal) {
        out.put("'stop_reason':%,'stop_sequence':%,'stop_details':", orNull(reason), orNull(sequence));
        out.put(reason.equals("refusal") ? "{'type':'refusal','category':null,'explanation':%}" : "%", orNull(refusal));
    }

    private static Object orNull(String text) { return text.isEmpty() ? Json.NULL : text; }

    private void usage(Usage usage) {
        out.put(",'usage':{'input_tokens':%,'cache_creation_input_tokens':%,", usage.input, usage.cacheWrite);
        out.put("'cache_read_input_tokens':%,'output_tokens':%,'output_tokens_details':", usage.cacheRead, usage.output);
        out.put(usage.thinking > 0 ? "{'thinking_tokens':%}" : "null", usage.thinking).put(",'server_tool_use':null");
    }

    /** Begins a block; {@code values} are the id and name of a tool call. */
    void open(Block kind, Object... values) {
        start();
        open = kind;
        hasToolUse |= kind == Block.TOOL_USE;
        deltaStart.clear();
        deltaEnd.clear();
        if (events) {
            event("content_block_start", ",'index':%,'content_block':", blocks).put(kind.start, values).put("}\n\n");
            deltaStart.put("event: content_block_delta\ndata: {'type':'content_block_delta','index':%,'delta':", blocks);
            deltaStart.put(kind.delta);
            deltaEnd.put(kind.deltaEnd);
        } else {
            out.put(blocks == 0 ? "" : ",").put(kind.whole, values);
        }
        blocks++;
    }

    /** A piece of the open block's text. */
    void delta(Json.Str text) { out.put("%", deltaStart).inner(text).put("%", deltaEnd); }

    /** A piece of the open tool call's input, JSON text. */
    void input(String json) {
        out.put("%", deltaStart);
        if (events) out.escaped(json); else out.utf8(json);
        out.put("%", deltaEnd);
    }

    /** Ends the open block, if any; {@code signature} is that of a thinking block. */
    void close(String signature) {
        boolean signed = open == Block.THINKING && events;
        String delta = ",'index':%,'delta':{'type':'signature_delta','signature':%}}\n\n";
        if (signed) event("content_block_delta", delta, blocks - 1, signature);
        if (open != null && events) event("content_block_stop", ",'index':%}\n\n", blocks - 1);
        if (open != null && !events) out.put(open.wholeEnd, signature);
        open = null;
    }

    /** The message's end. {@code stopSequence} and {@code refusal} may be empty. */
    void finish(String stopReason, String stopSequence, String refusal, Usage usage) {
        start();
        if (!events) {
            rest(stopReason, stopSequence, refusal, usage);
            return;
        }
        event("message_delta", ",'context_management':null,'delta':{'container':null,");
        stop(stopReason, stopSequence, refusal);
        out.raw('}');
        usage(usage);
        out.put("}}\n\n");
        event("message_stop", "}\n\n");
    }

    private Json.Writer event(String type, String pattern, Object... values) {
        return out.put("event: ").utf8(type).put("\ndata: {'type':%", type).put(pattern, values);
    }
}
