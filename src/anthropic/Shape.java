package anthropic;

import json.Json;

/** The kinds of JSON value that a member of the request may have, as {@link Request} checks them. */
public enum Shape {
    OBJECT("an object"),
    ARRAY("an array"),
    STRING("a string"),
    STRING_OR_ARRAY("a string or an array"),
    NUMBER("a number"),
    BOOLEAN("true or false");

    private final String words; // for error messages

    Shape(String words) {
        this.words = words;
    }

    /** {@return whether the value is of this kind; null is of none} */
    boolean fits(Json value) {
        return switch (this) {
            case OBJECT -> value instanceof Json.Obj;
            case ARRAY -> value instanceof Json.Arr;
            case STRING -> value instanceof Json.Str;
            case STRING_OR_ARRAY -> value instanceof Json.Str || value instanceof Json.Arr;
            case NUMBER -> value instanceof Json.Num;
            case BOOLEAN -> value == Json.TRUE || value == Json.FALSE;
        };
    }

    @Override
    public String toString() {
        return words;
    }
}
