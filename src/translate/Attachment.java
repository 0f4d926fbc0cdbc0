package translate;

import anthropic.Request;
import json.Json;

/**
 * An image or document in a request.
 *
 * @param block of the client's: {@code {"type":"image","source":S}} or {@code {"type":"document","source":S}}
 * @param turn number of the turn that it is in: all messages of one side up to the next one of the other side
 */
record Attachment(Json block, int turn) {
    boolean isImage() { return block.get("type").is("image"); }
    /** {@return the name of this kind of part, as {@link Trait.Omitted} has it} */
    String part() { return isImage() ? "image_url" : "file"; }
    /** {@return what tells it from others, wherever it stands} */
    String hash() { return Request.hash(block.get("source").raw()); }
}
