package translate;

import json.Json;

/** A part of a user's message or of a tool's result, in no API's shape yet: text, an image or a document. */
sealed interface Part {
    /** @param cacheControl the client's mark for prompt caches, if the backend is to get it; else NULL */
    record Text(Json.Str text, Json cacheControl) implements Part {
        Text(Json.Str text) {
            this(text, Json.NULL);
        }

        /** {@return whether it has no mark, so that it may be joined with other text} */
        boolean isPlain() {
            return cacheControl.isNull();
        }
    }

    /** An image at an address, which may be a {@code data:} URL that holds it. */
    record Image(Json.Str url) implements Part { }

    /** A PDF at an address, which may be a {@code data:} URL that holds it. */
    record Document(Json.Str name, Json.Str url) implements Part { }
}
