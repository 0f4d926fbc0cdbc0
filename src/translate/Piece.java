package translate;

import json.Json;
import json.JsonWriter;

/**
 * What a backend's words come to, whatever its API: a reader of that API makes pieces of what arrives, and
 * {@link Reply} makes blocks of the pieces. A piece may be of any length; what a backend has not sent is
 * NULL.
 */
sealed interface Piece {
    /** A piece of which a stream brings many, one like the other but for a string. */
    sealed interface Delta extends Piece {
        /** {@return that string; something else if this piece has none} */
        Json delta();

        /** {@return the piece with another string} */
        Delta with(Json.Str delta);
    }

    /** The next characters of the answer; at least one. */
    record Answer(Json.Str text) implements Delta {
        @Override public Json delta() { return text; }
        @Override public Answer with(Json.Str delta) { return new Answer(delta); }
    }

    /**
     * The next characters of the reasoning; at least one.
     *
     * @param field the key that they came under, and are to go back under
     */
    record Reasoning(Json.Str text, String field) implements Delta {
        @Override public Json delta() { return text; }
        @Override public Reasoning with(Json.Str delta) { return new Reasoning(delta, field); }
    }

    /** The next characters, at least one, of the model's words for why it does not answer. */
    record Refusal(Json.Str text) implements Piece { }

    /** The answer's text is over; what comes after it has a block of its own. */
    record AnswerEnd() implements Piece { }

    /**
     * A piece of reasoning is over, or there is one that does not show its text; what comes after it has a
     * block of its own.
     *
     * @param signature of the block, in which the client keeps what the backend wants back
     * @param isNeeded  whether the signature holds something, so that there must be a block
     */
    record ReasoningEnd(String signature, boolean isNeeded) implements Piece { }

    /**
     * An object about the reasoning that the backend wants back as it is.
     *
     * @param list the key of the list that it came in
     */
    record Detail(Json detail, String list) implements Piece { }

    /**
     * A tool call, or the next of it.
     *
     * @param index     its place among the calls, a number
     * @param name      of the tool, or the next characters of it
     * @param arguments a string of JSON text, or the next characters of it; or the value itself
     * @param input     of a tool that takes plain text, or the next characters of it
     * @param extra     what the backend wants back with the call
     * @param isWhole   whether no more of the call comes
     */
    record Call(Json index, Json id, Json name, Json arguments, Json input, Json extra, boolean isWhole)
            implements Delta {
        @Override public Json delta() { return arguments; }

        @Override
        public Call with(Json.Str delta) { return new Call(index, id, name, delta, input, extra, isWhole); }
    }

    /** The arguments of a call are over. */
    record CallEnd(Json index) implements Piece { }

    /**
     * A search in the web that the backend has run.
     *
     * @param query   a string
     * @param results the content of the client's {@code web_search_tool_result}
     */
    record Search(Json query, JsonWriter results) implements Piece { }
}
