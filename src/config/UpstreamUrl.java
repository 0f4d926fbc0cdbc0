package config;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the value of {@code --upstream}: a root, a base, or the URL of one API. {@code http://h},
 * {@code http://h/v1}, {@code http://h/v1/chat/completions}, {@code http://h/v1/responses} and {@code
 * http://h/v1/messages} have the same base; the last three pin the API. The query is kept; user and password
 * become a header, as with curl. A name may stand before all that: {@code local=http://h}.
 */
final class UpstreamUrl {
    private static final String BASE_OF_ROOT = "/v1";
    private static final int MAX_PORT = 65_535;
    /** A host with its port, or this machine's name, without http:// before it: localhost:8080/v1. */
    private static final Pattern ADDRESS =
            Pattern.compile("(?i)(localhost|[a-z\\d.-]+:\\d{1,5}|\\[[\\da-f:.]+](?::\\d{1,5})?)(?:/.*)?");
    /** A name of the Internet without https:// before it: api.deepseek.com, openrouter.ai/api/v1. */
    private static final Pattern PUBLIC_NAME =
            Pattern.compile("(?i)((?:[a-z\\d-]+\\.)+[a-z]{2,10})(?:/.*)?");

    /** A name of the user's choice, and the address: local=http://h. */
    private static final Pattern NAMED = Pattern.compile("(?:(" + Addressed.NAME + ")=)?(.*)", Pattern.DOTALL);
    /** A name that cannot be one, and the address: gpu.1=http://h, a/b=demo. */
    private static final Pattern MISNAMED = Pattern.compile("[^=:?&]*=(?:(?i)https?:.*|demo)", Pattern.DOTALL);
    /** What A2o's list of models puts before names that Claude Code would not show. */
    private static final String RESERVED_NAME = "anthropic";

    private UpstreamUrl() { }

    /** {@return the backend that is meant, with its name and its password, if they are given there} */
    static Target target(String value) {
        Matcher parts = NAMED.matcher(value);
        if (!parts.matches()) throw new IllegalStateException();
        Optional<String> name = Optional.ofNullable(parts.group(1));
        if (name.filter(RESERVED_NAME::equalsIgnoreCase).isPresent()) {
            throw wrong("the name anthropic stands before names in the list of models; take another, as claude");
        }
        return target(name, parts.group(2));
    }

    private static Target target(Optional<String> backend, String text) {
        if (text.equals(Target.DEMO)) return Target.demo(OwnOptions.of(backend, List.of()));
        Matcher address = ADDRESS.matcher(text);
        if (address.matches()) throw schemeMissing(address.group(1), "http");
        Matcher name = PUBLIC_NAME.matcher(text);
        if (name.matches()) throw schemeMissing(name.group(1), "https");
        if (MISNAMED.matcher(text).matches()) {
            throw wrong("a name has letters, digits, - and _, 31 at most, and begins with a letter, as in "
                    + "gpu-1=http://h");
        }
        if (!hasScheme(text)) {
            throw wrong("http:// or https:// expected at its beginning, as in http://localhost:11434/v1");
        }
        try {
            var url = URI.create(text);
            if (url.getPort() > MAX_PORT) throw wrong("a port is %d at most".formatted(MAX_PORT));
            if (url.getHost() == null) throw new IllegalArgumentException();
            String authority = url.getRawAuthority().substring(url.getRawAuthority().lastIndexOf('@') + 1);
            String path = withoutSlashAtTheEnd(url.getRawPath());
            Optional<Api> pinned = Api.atTheEndOf(path);
            var base = URI.create(url.getScheme() + "://" + authority + basePath(path, pinned));
            var own = OwnOptions.of(backend, basicAuthorization(url));
            return new Target(base, pinned, Optional.ofNullable(url.getRawQuery()), own, Optional.empty());
        } catch (IllegalArgumentException e) {
            throw wrong("a URL like http://localhost:11434/v1 expected, without spaces, or _ in the host");
        }
    }

    /** {@return the header for user:password, which may lack the password; none if there is neither} */
    static List<Header> basicAuthorization(URI url) {
        return Optional.ofNullable(url.getUserInfo()).filter(text -> !text.isEmpty()).stream()
                .map(text -> text.contains(":") ? text : text + ":")
                .map(pair -> Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8)))
                .map(base64 -> new Header("Authorization", "Basic " + base64)).toList();
    }

    private static UsageError schemeMissing(String address, String likely) {
        return wrong("http:// or https:// is missing before %s, as in %s://%1$s".formatted(address, likely));
    }

    /** {@return the error about the value of --upstream, which it does not show: that may hold a key} */
    private static UsageError wrong(String why) { return UsageError.cannotStart(Option.UPSTREAM, ": " + why); }

    private static String withoutSlashAtTheEnd(String path) {
        int end = path.length();
        while (end > 0 && path.charAt(end - 1) == '/') end--;
        return path.substring(0, end);
    }

    private static String basePath(String path, Optional<Api> pinned) {
        if (path.isEmpty()) return BASE_OF_ROOT;
        int end = path.length() - pinned.map(api -> api.path().length()).orElse(0);
        return path.substring(0, end);
    }

    /** {@return true if the word can only be meant for --upstream, also if http:// is missing} */
    static boolean isAddress(String value) {
        Matcher parts = NAMED.matcher(value);
        String word = parts.matches() ? parts.group(2) : value;
        if (hasScheme(word) || ADDRESS.matcher(word).matches()) return true;
        Matcher name = PUBLIC_NAME.matcher(word);
        return name.matches() && !mayBeFile(word, name.group(1));
    }

    /** {@return true for run.sh and its like, where neither a second dot nor a path makes it an address} */
    private static boolean mayBeFile(String word, String name) {
        boolean hasOneDot = name.indexOf('.') == name.lastIndexOf('.');
        return hasOneDot && !word.contains("/");
    }

    private static boolean hasScheme(String text) {
        String start = text.toLowerCase(Locale.ROOT);
        return start.startsWith("http:") || start.startsWith("https:");
    }
}
