package testing;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import json.Json;
import json.JsonParser;

/** JSON text for tests: any that RFC 8259 allows, with white space, escapes, odd numbers; and trees written as text. */
public final class RandomJson {
    private static final String[] CHARS = {"a", "Z", " ", "/", "'", "{", "}", "[", "]", ",", ":", "\u007F", "é", "ß",
        "€", "漢", "\uFFFF", "😀", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\u001f",
        "\\u00E9", "\\u0022", "\\ud83d\\ude00", "\\uD800", "\\udfff", "\\\\u", "plain text "};
    private static final String[] NUMBERS = {"0", "-0", "1", "-1", "1.0", "1e3", "1E+3", "1e-3", "0.10", "-0.0e-0",
        "12345678901234567890", "1e999999999", "0.30000000000000004", "3.141592653589793238462643383279"};
    private static final String[] WORDS = {"true", "false", "null"};

    private RandomJson() { }

    public static <T> T any(Random random, T[] of) {
        return of[random.nextInt(of.length)];
    }

    public static String value(Random random, int depth) {
        return switch (random.nextInt(depth > 0 ? 7 : 4)) {
            case 0 -> any(random, WORDS);
            case 1 -> any(random, NUMBERS);
            case 2 -> String.valueOf(random.nextLong());
            case 3 -> string(random, "");
            case 4 -> list(random, '[', ']', () -> value(random, depth - 1));
            default -> object(random, depth);
        };
    }

    public static String object(Random random, int depth) {
        int[] names = {0};
        return list(random, '{', '}', () -> string(random, "" + names[0]++) + space(random) + ":" + space(random)
                + value(random, depth - 1));
    }

    private static String list(Random random, char opening, char closing, Supplier<String> item) {
        List<String> items = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) items.add(space(random) + item.get() + space(random));
        return opening + (items.isEmpty() ? space(random) : String.join(",", items)) + closing;
    }

    /** {@return a string that begins with {@code start}, by which the names of one object differ} */
    private static String string(Random random, String start) {
        var text = new StringBuilder("\"").append(start).append(start.isEmpty() ? "" : " ");
        for (int i = random.nextInt(random.nextInt(20) == 0 ? 60 : 6); i > 0; i--) text.append(any(random, CHARS));
        return text.append('"').toString();
    }

    private static String space(Random random) {
        return random.nextInt(4) > 0 ? "" : any(random, new String[] {" ", "\n", "\t", "\r\n", "   "});
    }

    /** {@return {@code tree}, of the kind that {@link Tree} reads, as JSON text} */
    public static String write(Object tree) {
        var out = new StringBuilder();
        write(tree, out);
        return out.toString();
    }

    private static void write(Object tree, StringBuilder out) {
        switch (tree) {
            case null -> out.append("null");
            case Tree.Num number -> out.append(number.text());
            case String text -> quote(text, out);
            case List<?> list -> {
                char before = '[';
                for (Object item : list) {
                    write(item, out.append(before));
                    before = ',';
                }
                out.append(list.isEmpty() ? "[]" : "]");
            }
            case Map<?, ?> map -> {
                char before = '{';
                for (var member : map.entrySet()) {
                    quote((String) member.getKey(), out.append(before));
                    write(member.getValue(), out.append(':'));
                    before = ',';
                }
                out.append(map.isEmpty() ? "{}" : "}");
            }
            default -> out.append(tree);
        }
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                out.append("\\u%04x".formatted((int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    /** {@return whether two readers take {@code json} for an object; a name given twice is let pass} */
    public static boolean isObject(String json) {
        try {
            if (!(Tree.of(json) instanceof Map<?, ?>)) return false;
        } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
            if (!isDuplicate(e)) return false;
        }
        try {
            return JsonParser.parse(json.getBytes(StandardCharsets.UTF_8)) instanceof Json.Obj;
        } catch (Json.Malformed e) {
            return false;
        }
    }

    /** {@return whether Tree refused a name given twice, which RFC 8259 does not} */
    public static boolean isDuplicate(Exception e) {
        return String.valueOf(e.getMessage()).startsWith("name given twice");
    }

    public static String nested(int depth) {
        return String.join("", Collections.nCopies(depth, "[")) + String.join("", Collections.nCopies(depth, "]"));
    }
}
