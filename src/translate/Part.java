package translate;

import json.Json;

/**
 * A part of a user's message or of a tool's result, in no API's shape yet: text, an image or a document.
 * Each has the client's mark for prompt caches ({@code cache_control}), if the backend is to get it; else
 * NULL.
 */
sealed interface Part {
    Json cacheControl();

    /** {@return this part, with a mark} */
    Part marked(Json mark);

    record Text(Json.Str text, Json cacheControl) implements Part {
        Text(Json.Str text) { this(text, Json.NULL); }

        @Override public Text marked(Json mark) { return new Text(text, mark); }

        /** {@return whether it has no mark, so that it may be joined with other text} */
        boolean isPlain() { return cacheControl.isNull(); }
    }

    /** An image at an address, which may be a {@code data:} URL that holds it. */
    record Image(Json.Str url, Json cacheControl) implements Part {
        Image(Json.Str url) { this(url, Json.NULL); }

        @Override public Image marked(Json mark) { return new Image(url, mark); }
    }

    /** A PDF at an address, which may be a {@code data:} URL that holds it. */
    record Document(Json.Str name, Json.Str url, Json cacheControl) implements Part {
        Document(Json.Str name, Json.Str url) { this(name, url, Json.NULL); }

        @Override public Document marked(Json mark) { return new Document(name, url, mark); }
    }
}
