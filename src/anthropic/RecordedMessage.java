package anthropic;

import java.util.List;
import java.util.function.LongSupplier;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/** A reply to the client whose blocks are kept as well: as JSON, for a request in which they are history. */
public final class RecordedMessage extends MessageWriter {
    private final MessageWriter kept;

    public RecordedMessage(boolean isStream, String id, Json model, LongSupplier inputTokens) {
        super(isStream, id, model, inputTokens);
        this.kept = new MessageWriter(false, id, model, inputTokens);
    }

    /** {@return the blocks that were written here, without those from before {@link #goOn}} Called once. */
    public List<Json> recorded() {
        kept.finish(StopReason.END_TURN, Usage.NONE);
        return JsonParser.parse(kept.out().toBytes()).get("content").items();
    }

    @Override
    public void openText() {
        super.openText();
        kept.openText();
    }

    @Override
    public void openThinking() {
        super.openThinking();
        kept.openThinking();
    }

    @Override
    public void openToolUse(String callId, String tool) {
        super.openToolUse(callId, tool);
        kept.openToolUse(callId, tool);
    }

    @Override
    public void redactedThinking(String data) {
        super.redactedThinking(data);
        kept.redactedThinking(data);
    }

    @Override
    public void webSearchCall(String callId, JsonWriter input) {
        super.webSearchCall(callId, input);
        kept.webSearchCall(callId, input);
    }

    @Override
    public void webSearchResult(String callId, JsonWriter results) {
        super.webSearchResult(callId, results);
        kept.webSearchResult(callId, results);
    }

    @Override
    public void text(Json.Str text) {
        super.text(text);
        kept.text(text);
    }

    @Override
    public void input(String json) {
        super.input(json);
        kept.input(json);
    }

    @Override
    public void close() {
        super.close();
        kept.close();
    }

    @Override
    public void closeThinking(String signature) {
        super.closeThinking(signature);
        kept.closeThinking(signature);
    }
}
