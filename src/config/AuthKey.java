package config;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A key that lets clients in, with the name of whose it is: {@code anna=KEY}, or {@code KEY} alone.
 *
 * @param text as it is given; a client may present it as a whole too, for a key may look like name and key
 */
public record AuthKey(String text) {
    /** anna=KEY. What has nothing but = behind the first one is padded Base64, and no name. */
    private static final Pattern NAMED = Pattern.compile("(" + Addressed.NAME + ")=(.*[^=].*)");

    public Optional<String> name() { return part(1); }

    /** {@return the key without the name} */
    public String key() { return part(2).orElse(text); }

    private Optional<String> part(int group) {
        Matcher named = NAMED.matcher(text);
        return named.matches() ? Optional.of(named.group(group)) : Optional.empty();
    }

    /** {@return true if a client has presented this key} It takes as long whatever is wrong. */
    public boolean isSame(String presented) {
        byte[] bytes = presented.getBytes(StandardCharsets.UTF_8);
        boolean isKey = MessageDigest.isEqual(bytes, key().getBytes(StandardCharsets.UTF_8));
        boolean isWhole = MessageDigest.isEqual(bytes, text.getBytes(StandardCharsets.UTF_8));
        return isKey || isWhole;
    }
}
