package config;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import json.Json;

/**
 * Knows all secrets and masks them. Everything that goes to a log, a page or a client's error passes {@link
 * #mask}; the text of a model does not. Immutable, safe for use by many threads.
 *
 * <p>A secret is found however it is escaped: in JSON, in a URL, in HTML, or in Base64. So is a longer piece
 * of it, since a backend may have truncated it. A placeholder such as {@code any} is not a secret.
 */
public final class Secrets {
    private static final String MASK = "(key)";
    /** Shorter words are too common; with letters and digits they are hidden where they stand alone. */
    private static final int MIN_LENGTH = 8;
    private static final int MIN_LENGTH_ALONE = 5;
    private static final int MIN_PIECE = 12; // of a longer secret
    private static final int BLOCK = MIN_PIECE / 2; // a piece holds at least one whole block of the secret's
    private static final int MIN_RANDOM_LENGTH = 16;
    private static final int MAX_ESCAPES = 3; // of what is escaped already
    private static final int MAX_ENTITY_LENGTH = 8; // up to the semicolon

    /** Names that say what the value is for, such as {@code Ocp-Apim-Subscription-Key} or {@code sig}. */
    private static final Pattern SECRET_NAME = Pattern.compile(
            ".*(auth|key|token(?!s)|secret|passw|cookie|credential|signature|session).*|sig|code|pwd",
            Pattern.CASE_INSENSITIVE);
    /** Names of headers and of URL parameters whose values everybody may see, such as {@code api-version}. */
    private static final Pattern HARMLESS_NAME = Pattern.compile(
            "accept.*|content-.*|user-agent|(http-)?referer|origin|.*version|.*-title|.*-beta|v|alt|model"
                    + "|deployment",
            Pattern.CASE_INSENSITIVE);
    /** A key of Anthropic's API, or a subscription's token, such as {@code Bearer sk-ant-oat01-…}. */
    private static final Pattern ANTHROPIC_KEY = Pattern.compile("(?i)(?<![a-z0-9])sk-ant-");
    /** A scheme before credentials, such as {@code Bearer abc}. */
    private static final Pattern SCHEME =
            Pattern.compile("(?i)(bearer|basic|token|digest|apikey|negotiate) +");
    private static final Pattern ESCAPE = Pattern.compile("[\\\\%&]"); // the beginning of one
    private static final Map<String, Character> ENTITIES =
            Map.of("amp", '&', "lt", '<', "gt", '>', "quot", '"', "apos", '\'');

    /** What is looked for: a secret, or its Base64, without escapes and in lower case. */
    private record Needle(String text, Match match) { }

    /** Whether a piece of the secret is hidden as well, only all of it, or only where it stands as a word. */
    private enum Match { PIECES, WHOLE, ALONE }

    private final List<Needle> needles;

    private Secrets(Collection<Needle> needles) { this.needles = List.copyOf(needles); }

    /** {@return whether a header, a parameter or a member of that name holds credentials} */
    public static boolean isSecretName(String name) { return SECRET_NAME.matcher(name).matches(); }

    /** {@return whether there is a key of Anthropic's in the value of a header, also in user and password} */
    public static boolean isAnthropicKey(String value) {
        String pair = userAndPassword(value).orElse("");
        return ANTHROPIC_KEY.matcher(value).find() || ANTHROPIC_KEY.matcher(pair).find();
    }

    /** {@return the secrets of the operator's} {@code query} is the raw one of a backend's URL, or "". */
    static Secrets of(List<String> keys, List<Header> headers, List<String> queries, Json extraBody) {
        Set<Needle> found = new LinkedHashSet<>();
        for (String key : keys) addValue(key, found);
        for (Header header : headers) {
            if (!HARMLESS_NAME.matcher(header.name()).matches()) addValue(header.value(), found);
        }
        for (String query : queries) addQuery(query, found);
        addMembers(extraBody, found);
        return new Secrets(found);
    }

    /** {@return these, and the keys of a client's request} */
    public Secrets with(String... clientKeys) {
        List<Needle> found = new ArrayList<>(needles);
        for (String key : clientKeys) addValue(key, found);
        return found.size() == needles.size() ? this : new Secrets(found);
    }

    /**
     * Adds the value of a header without its scheme, user and password of Basic, and the values of cookies.
     */
    private static void addValue(String value, Collection<Needle> found) {
        String credentials = SCHEME.matcher(value.strip()).replaceFirst("");
        if (!credentials.contains(";")) add(credentials, found);
        userAndPassword(value).ifPresent(pair -> {
            add(pair, found);
            add(pair.substring(pair.indexOf(':') + 1), found);
        });
        for (String cookie : credentials.split("; *")) add(cookie.replaceFirst("^[^=]*=(?=.)", ""), found);
    }

    /** {@return what stands in the value of a header {@code authorization: Basic …}} */
    static Optional<String> userAndPassword(String value) {
        boolean isBasic = value.strip().regionMatches(true, 0, "basic ", 0, 6);
        if (!isBasic) return Optional.empty();
        try {
            byte[] pair = Base64.getDecoder().decode(value.strip().substring(6).strip());
            return Optional.of(new String(pair, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) { // not Base64
            return Optional.empty();
        }
    }

    private static void addQuery(String query, Collection<Needle> found) {
        for (String parameter : query.split("&")) {
            String[] pair = parameter.split("=", 2);
            boolean isHarmless = pair.length == 2 && HARMLESS_NAME.matcher(pair[0]).matches();
            if (!isHarmless) add(decoded(pair[pair.length - 1]), found);
        }
    }

    public static String decoded(String parameter) {
        try {
            return URLDecoder.decode(parameter, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) { // a % that begins no escape
            return parameter;
        }
    }

    /** Adds the strings in {@code json} that have the name of a secret, or look random. */
    private static void addMembers(Json json, Collection<Needle> found) {
        Json[] parts = json.parts();
        for (int i = 0; i + 1 < parts.length; i += 2) {
            String value = parts[i + 1].text();
            if (isSecretName(parts[i].text()) || looksRandom(value)) addValue(value, found);
            addMembers(parts[i + 1], found);
        }
        for (Json item : json.items()) {
            if (looksRandom(item.text())) addValue(item.text(), found);
            addMembers(item, found);
        }
    }

    private static boolean looksRandom(String text) {
        return text.length() >= MIN_RANDOM_LENGTH && text.chars().noneMatch(Character::isWhitespace)
                && hasLetterAndDigit(text);
    }

    private static boolean hasLetterAndDigit(String text) {
        return text.chars().anyMatch(Character::isLetter) && text.chars().anyMatch(Character::isDigit);
    }

    private static void add(String given, Collection<Needle> found) {
        String secret = given.strip();
        if (secret.length() >= MIN_LENGTH) {
            Match match = secret.length() < MIN_PIECE ? Match.WHOLE : Match.PIECES;
            found.add(new Needle(new Plain(secret).text, match));
            addBase64(secret, found);
        } else if (secret.length() >= MIN_LENGTH_ALONE && hasLetterAndDigit(secret)) {
            found.add(new Needle(new Plain(secret).text, Match.ALONE));
        }
    }

    /** Adds how {@code secret} looks in Base64, wherever in the encoded bytes it begins. */
    private static void addBase64(String secret, Collection<Needle> found) {
        for (int before = 0; before < 3; before++) {
            byte[] bytes = (" ".repeat(before) + secret).getBytes(StandardCharsets.UTF_8);
            String base64 = Base64.getEncoder().withoutPadding().encodeToString(bytes);
            int first = before == 0 ? 0 : before + 1; // the first that is of the secret alone
            String inner = base64.substring(first, base64.length() - 1).toLowerCase(Locale.ROOT);
            found.add(new Needle(inner, Match.WHOLE));
            found.add(new Needle(inner.replace('+', '-').replace('/', '_'), Match.WHOLE));
        }
    }

    /** {@return the text with {@code (key)} in the place of each secret} */
    public String mask(String text) {
        if (needles.isEmpty() || text.length() < MIN_LENGTH_ALONE) return text;
        var plain = new Plain(text);
        var hidden = new BitSet(); // characters of text
        for (Needle needle : needles) {
            switch (needle.match) {
                case PIECES -> hidePieces(needle.text, plain, hidden);
                case WHOLE -> hideWhole(needle.text, false, plain, hidden);
                case ALONE -> hideWhole(needle.text, true, plain, hidden);
            }
        }
        if (hidden.isEmpty()) return text;
        var masked = new StringBuilder();
        int shown = 0;
        for (int from = hidden.nextSetBit(0); from >= 0; from = hidden.nextSetBit(shown)) {
            masked.append(text, shown, from).append(MASK);
            shown = hidden.nextClearBit(from);
        }
        return masked.append(text, shown, text.length()).toString();
    }

    private static void hidePieces(String needle, Plain plain, BitSet hidden) {
        for (int block = 0; block + BLOCK <= needle.length(); block += BLOCK) {
            String wanted = needle.substring(block, block + BLOCK);
            for (int at = plain.text.indexOf(wanted); at >= 0; at = plain.text.indexOf(wanted, at + 1)) {
                hideAround(needle, block, plain, at, hidden);
            }
        }
    }

    /** Extends the match of a block in both directions, and hides it if it is long enough. */
    private static void hideAround(String needle, int block, Plain plain, int at, BitSet hidden) {
        int before = 0;
        while (before < Math.min(block, at)
                && needle.charAt(block - before - 1) == plain.text.charAt(at - before - 1)) before++;
        int after = 0;
        int most = Math.min(needle.length() - block, plain.text.length() - at);
        while (after < most && needle.charAt(block + after) == plain.text.charAt(at + after)) after++;
        if (before + after >= MIN_PIECE) plain.hide(at - before, at + after, hidden);
    }

    private static void hideWhole(String needle, boolean isAlone, Plain plain, BitSet hidden) {
        for (int at = plain.text.indexOf(needle); at >= 0; at = plain.text.indexOf(needle, at + 1)) {
            int end = at + needle.length();
            boolean isWithinAWord = isAlone && (plain.isPartOfAWord(at - 1) || plain.isPartOfAWord(end));
            if (!isWithinAWord) plain.hide(at, end, hidden);
        }
    }

    /** A text without its escapes, in lower case, with the position of each character in the original. */
    private static final class Plain {
        private final String text;
        private final int[] starts;
        private final int[] ends;

        Plain(String original) {
            int[] from = range(0, original.length());
            int[] to = range(1, original.length());
            String decoded = original;
            boolean mayBeMore = ESCAPE.matcher(original).find();
            for (int i = 0; i < MAX_ESCAPES && mayBeMore; i++) {
                var decoding = new Decoding(decoded, from, to);
                mayBeMore = decoding.text.length() < decoded.length();
                decoded = decoding.text.toString();
                from = decoding.starts;
                to = decoding.ends;
            }
            this.text = inLowerCase(decoded);
            this.starts = from;
            this.ends = to;
        }

        private static int[] range(int first, int length) {
            int[] range = new int[length];
            for (int i = 0; i < length; i++) range[i] = first + i;
            return range;
        }

        /** {@return the text with small letters for those of ASCII; others might not keep their number} */
        private static String inLowerCase(String text) {
            char[] letters = text.toCharArray();
            for (int i = 0; i < letters.length; i++) {
                if (letters[i] >= 'A' && letters[i] <= 'Z') letters[i] += 'a' - 'A';
            }
            return new String(letters);
        }

        boolean isPartOfAWord(int at) {
            return at >= 0 && at < text.length() && Character.isLetterOrDigit(text.charAt(at));
        }

        void hide(int from, int to, BitSet hidden) { hidden.set(starts[from], ends[to - 1]); }
    }

    /** One pass that takes a layer of escapes off. */
    private static final class Decoding {
        private final String from;
        private final StringBuilder text;
        private final int[] starts;
        private final int[] ends;

        Decoding(String from, int[] fromStarts, int[] fromEnds) {
            this.from = from;
            this.text = new StringBuilder(from.length());
            this.starts = new int[from.length()];
            this.ends = new int[from.length()];
            for (int at = 0, end; at < from.length(); at = end) {
                int taken = text.length();
                end = take(at);
                starts[taken] = fromStarts[at];
                ends[taken] = fromEnds[end - 1];
            }
        }

        /** Takes the character that is written at {@code at}. {@return where the next one begins} */
        private int take(int at) {
            return switch (from.charAt(at)) {
                case '\\' -> takeEscape(at);
                case '%' -> takeHex(at, at + 1, 2, at + 3);
                case '&' -> takeEntity(at);
                default -> takeChar(from.charAt(at), at + 1);
            };
        }

        /** {@code \/} and {@code \}{@code u002f}, with any number of backslashes. */
        private int takeEscape(int at) {
            int next = at;
            while (next < from.length() && from.charAt(next) == '\\') next++;
            if (next == from.length()) return takeChar('\\', next);
            if (from.charAt(next) == 'u') return takeHex(next, next + 1, 4, next + 5);
            return takeChar(from.charAt(next), next + 1);
        }

        /** {@code &amp;}, {@code &#47;} and {@code &#x2f;}. */
        private int takeEntity(int at) {
            int end = at + 1;
            int last = Math.min(from.length() - 1, at + MAX_ENTITY_LENGTH);
            while (end < last && from.charAt(end) != ';') end++;
            boolean isEntity = end < from.length() && from.charAt(end) == ';' && end > at + 1;
            if (!isEntity) return takeChar('&', at + 1);
            String name = from.substring(at + 1, end).toLowerCase(Locale.ROOT);
            if (name.startsWith("#x")) return takeHex(at, at + 3, end - at - 3, end + 1);
            boolean isNumber = name.matches("#\\d{1,4}");
            if (isNumber) return takeChar((char) Integer.parseInt(name.substring(1)), end + 1);
            if (ENTITIES.containsKey(name)) return takeChar(ENTITIES.get(name), end + 1);
            return takeChar('&', at + 1);
        }

        /**
         * Takes {@code digits} hexadecimal digits at {@code first}; if they are none, the character at {@code
         * at}.
         */
        private int takeHex(int at, int first, int digits, int end) {
            boolean isHex = digits > 0 && digits <= 4 && end <= from.length();
            for (int i = first; isHex && i < first + digits; i++) {
                isHex = Character.digit(from.charAt(i), 16) >= 0;
            }
            if (!isHex) return takeChar(from.charAt(at), at + 1);
            return takeChar((char) Integer.parseInt(from, first, first + digits, 16), end);
        }

        private int takeChar(char meant, int end) {
            text.append(meant);
            return end;
        }
    }
}
