package testing;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A JSON reader for tests that shares nothing with the one under test: maps, lists, strings, booleans, null, and numbers
 * as {@link Num} with their text.
 */
public final class Tree {
    public record Num(String text) { }

    private final String text;
    private int at;

    private Tree(String text) {
        this.text = text;
    }

    public static Object of(String json) {
        var tree = new Tree(json);
        Object value = tree.value();
        tree.space();
        if (tree.at != json.length()) throw tree.wrong("end expected");
        return value;
    }

    /** {@return what stands at {@code path}, names and indexes parted by dots, or null} */
    public static Object at(Object tree, String path) {
        for (String step : path.split("\\.")) {
            if (tree instanceof Map<?, ?> map) {
                tree = map.get(step);
            } else if (tree instanceof List<?> list) {
                tree = list.get(Integer.parseInt(step));
            } else {
                return null;
            }
        }
        return tree;
    }

    /** {@return where the trees differ, or null; in {@code expected} "*" matches any non-empty value, "x*" any text that begins with x} */
    public static String difference(Object expected, Object actual, String path) {
        if (expected instanceof String pattern && pattern.endsWith("*")) {
            boolean matches = pattern.equals("*") ? actual != null && !actual.equals("")
                    : actual instanceof String string && string.startsWith(pattern.substring(0, pattern.length() - 1));
            return matches ? null : "%s: expected %s but was %s".formatted(path, expected, actual);
        }
        if (expected instanceof Map<?, ?> left && actual instanceof Map<?, ?> right) {
            if (!left.keySet().equals(right.keySet())) return "%s: members %s but was %s".formatted(path, left.keySet(), right.keySet());
            for (Object name : left.keySet()) {
                String difference = difference(left.get(name), right.get(name), path + "." + name);
                if (difference != null) return difference;
            }
            return null;
        }
        if (expected instanceof List<?> left && actual instanceof List<?> right && left.size() == right.size()) {
            for (int i = 0; i < left.size(); i++) {
                String difference = difference(left.get(i), right.get(i), path + "[" + i + "]");
                if (difference != null) return difference;
            }
            return null;
        }
        return java.util.Objects.equals(expected, actual) ? null : "%s: expected <%s> but was <%s>".formatted(path, expected, actual);
    }

    private IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException("%s at %d of: %s".formatted(what, at, text));
    }

    private void space() {
        while (at < text.length() && " \n\r\t".indexOf(text.charAt(at)) >= 0) at++;
    }

    private char next() {
        if (at == text.length()) throw wrong("more expected");
        return text.charAt(at++);
    }

    private Object value() {
        space();
        char c = next();
        if (c == '{') return object();
        if (c == '[') return array();
        if (c == '"') return string();
        int from = --at;
        while (at < text.length() && ",]} \n\r\t".indexOf(text.charAt(at)) < 0) at++;
        String word = text.substring(from, at);
        if (word.equals("null")) return null;
        if (word.equals("true") || word.equals("false")) return Boolean.valueOf(word);
        if (!word.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?")) throw wrong("no value: " + word);
        return new Num(word);
    }

    private Map<String, Object> object() {
        Map<String, Object> members = new LinkedHashMap<>();
        space();
        if (text.startsWith("}", at)) {
            at++;
            return members;
        }
        do {
            space();
            if (next() != '"') throw wrong("name expected");
            String name = string();
            space();
            if (next() != ':') throw wrong("colon expected");
            if (members.containsKey(name)) throw wrong("name given twice: " + name);
            members.put(name, value());
        } while (another('}'));
        return members;
    }

    private List<Object> array() {
        List<Object> items = new ArrayList<>();
        space();
        if (text.startsWith("]", at)) {
            at++;
            return items;
        }
        do {
            items.add(value());
        } while (another(']'));
        return items;
    }

    private boolean another(char closing) {
        space();
        char c = next();
        if (c != ',' && c != closing) throw wrong("comma or end expected");
        return c == ',';
    }

    private String string() {
        var out = new StringBuilder();
        while (true) {
            char c = next();
            if (c == '"') return out.toString();
            if (c < ' ') throw wrong("raw control character");
            if (c != '\\') {
                out.append(c);
                continue;
            }
            c = next();
            int known = "\"\\/bfnrt".indexOf(c);
            if (known >= 0) {
                out.append("\"\\/\b\f\n\r\t".charAt(known));
            } else if (c == 'u') {
                out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                at += 4;
            } else {
                throw wrong("bad escape");
            }
        }
    }
}
