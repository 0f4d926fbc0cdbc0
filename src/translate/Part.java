package translate;

import json.Json;

/**
 * A part of what a user's message or a tool's result says, before it has the shape that a backend's API gives it: some
 * text, an image or a document.
 */
sealed interface Part {
    /** Text; {@code cacheControl} is the client's mark for caches where the backend knows such marks, else NULL. */
    record Text(Json.Str text, Json cacheControl) implements Part {
        Text(Json.Str text) { this(text, Json.NULL); }

        /** {@return whether nothing but the text counts, so that it may be joined with other text} */
        boolean isPlain() { return cacheControl.isNull(); }
    }

    /** An image at an address, which may be a {@code data:} URL that holds it. */
    record Image(Json.Str url) implements Part { }

    /** A PDF at an address, which may be a {@code data:} URL that holds it. */
    record Document(Json.Str name, Json.Str url) implements Part { }
}
