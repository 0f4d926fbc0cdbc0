package config;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import json.Json;

/**
 * Knows all secrets and masks them. Everything that goes to a log, a page or a client's error passes {@link
 * #mask}; the text of a model does not. Safe for use by many threads.
 *
 * <p>A secret is found however it is escaped: in JSON, in a URL, in HTML, or in Base64. So is a longer piece
 * of it, since a backend may have truncated it. A placeholder such as {@code any} is not a secret.
 */
public final class Secrets {
    private static final String MASK = "(key)";
    private static final int MIN_RANDOM_LENGTH = 16; // of a string that looks like a key, whatever its name

    /** A key of Anthropic's API, or a subscription's token, such as {@code Bearer sk-ant-oat01-…}. */
    private static final Pattern ANTHROPIC_KEY = Pattern.compile("(?i)(?<![a-z0-9])sk-ant-");

    private static final int MAX_KNOWN = 100; // keys of clients
    private static final int MAX_KNOWN_LENGTH = 500;

    private final List<Needle> needles;
    private final Map<String, Secrets> withKeys = new ConcurrentHashMap<>(); // those of the last clients

    private Secrets(Collection<Needle> needles) { this.needles = List.copyOf(needles); }

    /** {@return the secrets of the operator's} The parameters are those of the backends' URLs. */
    static Secrets of(List<String> keys, List<Header> headers, List<Parameter> parameters,
                      List<Json> extraBodies) {
        Set<Needle> found = new LinkedHashSet<>();
        for (String key : keys) addValue(key, found);
        for (Header header : headers) {
            if (!SecretNames.isHarmless(header.name())) addValue(header.value(), found);
        }
        for (Parameter parameter : parameters) {
            if (!parameter.hasValue()) {
                add(parameter.decoded(), found);
            } else if (!SecretNames.isHarmless(parameter.name())) {
                add(parameter.value(), found);
            }
        }
        for (Json body : extraBodies) addMembers(body, found);
        return new Secrets(found);
    }

    /** {@return these, and the key of a client's request} */
    public Secrets withKey(String clientKey) {
        if (clientKey.length() > MAX_KNOWN_LENGTH) return with(clientKey);
        if (withKeys.size() > MAX_KNOWN) withKeys.clear();
        return withKeys.computeIfAbsent(clientKey, this::with);
    }

    /** {@return these, and the keys of a client's request} */
    public Secrets with(String... clientKeys) {
        List<Needle> found = new ArrayList<>(needles);
        for (String key : clientKeys) addValue(key, found);
        return found.size() == needles.size() ? this : new Secrets(found);
    }

    /** {@return these and the others} */
    public Secrets and(Secrets others) {
        Set<Needle> all = new LinkedHashSet<>(needles);
        all.addAll(others.needles);
        return new Secrets(all);
    }

    /** {@return true if there is a key of Anthropic's in the value of a header, also in user and password} */
    public static boolean isAnthropicKey(String value) {
        String pair = new HeaderValue(value).userAndPassword().orElse("");
        return ANTHROPIC_KEY.matcher(value).find() || ANTHROPIC_KEY.matcher(pair).find();
    }

    /** Adds the value of a header without its scheme, user and password of Basic, values of cookies. */
    private static void addValue(String text, Collection<Needle> found) {
        var value = new HeaderValue(text);
        if (!value.isList()) add(value.credentials(), found);
        value.values().forEach(each -> add(each, found));
        value.userAndPassword().ifPresent(pair -> {
            add(pair, found);
            add(pair.substring(pair.indexOf(':') + 1), found);
        });
    }

    /** Adds the strings in {@code json} that have the name of a secret, or look random. */
    private static void addMembers(Json json, Collection<Needle> found) {
        Json[] parts = json.parts();
        for (int i = 0; i + 1 < parts.length; i += 2) {
            String value = parts[i + 1].text();
            if (SecretNames.isSecret(parts[i].text()) || looksRandom(value)) addValue(value, found);
            addMembers(parts[i + 1], found);
        }
        for (Json item : json.items()) {
            if (looksRandom(item.text())) addValue(item.text(), found);
            addMembers(item, found);
        }
    }

    private static boolean looksRandom(String text) {
        boolean isWord = text.chars().noneMatch(Character::isWhitespace);
        return isWord && text.length() >= MIN_RANDOM_LENGTH && Needle.hasLetterAndDigit(text);
    }

    private static void add(String secret, Collection<Needle> found) {
        found.addAll(Needle.of(secret.strip()));
    }

    /** {@return the text with {@code (key)} in the place of each secret} */
    public String mask(String text) {
        if (needles.isEmpty() || text.length() < Needle.MIN_LENGTH_ALONE) return text;
        var unescaped = new Unescaped(text);
        var hidden = new BitSet(); // characters of text
        for (Needle needle : needles) needle.mark(unescaped, hidden);
        if (hidden.isEmpty()) return text;
        var masked = new StringBuilder();
        int shown = 0;
        for (int from = hidden.nextSetBit(0); from >= 0; from = hidden.nextSetBit(shown)) {
            masked.append(text, shown, from).append(MASK);
            shown = hidden.nextClearBit(from);
        }
        return masked.append(text, shown, text.length()).toString();
    }
}
