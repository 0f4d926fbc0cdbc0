package config;

import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A backend: its address, the key for it, and the HTTP proxy on the way. It connects to nothing.
 *
 * <p>{@code --upstream} is a root, a base, or the URL of one API: {@code http://h}, {@code http://h/v1},
 * {@code http://h/v1/chat/completions} and {@code http://h/v1/responses} have the same base,
 * {@code http://h/v1}. A2o appends the path to it, and keeps the query, as Azure's {@code ?api-version=…}.
 * User and password are dropped.
 *
 * @param pinned the API that the URL names; then no other is spoken
 */
public record Target(URI base, Optional<Api> pinned, Optional<String> query, Optional<String> key,
                     Optional<InetSocketAddress> proxy) {
    private static final String MODELS = "/models";
    private static final String BASE_OF_ROOT = "/v1";
    private static final int MAX_PORT = 65_535;
    private static final String DEMO = "demo";
    private static final URI DEMO_BASE = URI.create("demo:in-process"); // its port is known when it listens
    /** A host with its port, or this machine's name, without http:// before it: localhost:8080/v1. */
    private static final Pattern ADDRESS =
            Pattern.compile("(?i)(localhost|[a-z\\d.-]+:\\d{1,5}|\\[[\\da-f:.]+](?::\\d{1,5})?)(?:/.*)?");
    /** A name of the Internet without https:// before it: api.deepseek.com, openrouter.ai/api/v1. */
    private static final Pattern PUBLIC_NAME =
            Pattern.compile("(?i)((?:[a-z\\d-]+\\.)+[a-z]{2,10})(?:/.*)?");
    /** The same, as a word that cannot be the name of a file: run.sh may be one. */
    private static final Pattern SURELY_PUBLIC_NAME =
            Pattern.compile("(?i)(?:[a-z\\d-]+\\.){2,}[a-z]{2,10}|(?:[a-z\\d-]+\\.)+[a-z]{2,10}/.*");
    private static final List<String> OPENAI_HOSTS = List.of(".api.openai.com", ".openai.azure.com",
            ".cognitiveservices.azure.com", ".services.ai.azure.com");

    private Target(URI base, Optional<Api> pinned, Optional<String> query) {
        this(base, pinned, query, Optional.empty(), Optional.empty());
    }

    /** {@return the backend that a value of --upstream means, as yet without key and proxy} */
    static Target of(String text) {
        if (text.equals(DEMO)) return new Target(DEMO_BASE, Optional.empty(), Optional.empty());
        Matcher address = ADDRESS.matcher(text);
        if (address.matches()) throw schemeMissing(address.group(1), "http");
        Matcher name = PUBLIC_NAME.matcher(text);
        if (name.matches()) throw schemeMissing(name.group(1), "https");
        try {
            var url = URI.create(text);
            boolean isUrl = hasScheme(text) && url.getHost() != null && url.getPort() <= MAX_PORT;
            if (!isUrl) throw new IllegalArgumentException();
            String authority = url.getRawAuthority().substring(url.getRawAuthority().lastIndexOf('@') + 1);
            String path = withoutSlashAtTheEnd(url.getRawPath());
            Optional<Api> pinned = Api.atTheEndOf(path);
            var base = URI.create(url.getScheme() + "://" + authority + basePath(path, pinned));
            return new Target(base, pinned, Optional.ofNullable(url.getRawQuery()));
        } catch (IllegalArgumentException e) { // the text is not quoted: it may hold a key
            throw UsageError.cannotStart(
                    "--upstream: a URL like http://localhost:11434/v1 expected, without _ in the host");
        }
    }

    private static UsageError schemeMissing(String address, String likely) {
        String missing = "--upstream: http:// or https:// is missing before %s, as in %s://%1$s";
        return UsageError.cannotStart(missing.formatted(address, likely));
    }

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
    static boolean isAddress(String word) {
        return hasScheme(word) || ADDRESS.matcher(word).matches() || SURELY_PUBLIC_NAME.matcher(word).matches();
    }

    private static boolean hasScheme(String text) {
        String start = text.toLowerCase(Locale.ROOT);
        return start.startsWith("http:") || start.startsWith("https:");
    }

    /** {@return the port of a URL, also where it is not written} */
    public static int port(URI url) {
        if (url.getPort() >= 0) return url.getPort();
        return "https".equalsIgnoreCase(url.getScheme()) ? 443 : 80;
    }

    /** {@return the URL of an API} */
    public URI url(Api api) { return append(api.path()); }

    /** {@return the URL of the list of models} */
    public URI modelsUrl() { return append(MODELS); }

    private URI append(String path) {
        String whole = base + path;
        return URI.create(query.map(text -> whole + "?" + text).orElse(whole));
    }

    /** {@return --upstream as everybody may see it, without the query, which may hold a key} */
    public String shown() {
        if (isDemo()) return DEMO;
        return query.isPresent() ? base + "?..." : base.toString();
    }

    public boolean isDemo() { return base.equals(DEMO_BASE); }

    /** {@return the backend's name for messages and the log} */
    public String host() { return Optional.ofNullable(base.getHost()).orElse(DEMO); }

    /** {@return the host, and the port if it is written in --upstream} */
    public String address() { return base.getPort() < 0 ? host() : host() + ":" + base.getPort(); }

    /** {@return true if it is Anthropic's own, as api.anthropic.com} */
    public boolean isAnthropics() {
        String name = host().toLowerCase(Locale.ROOT);
        return name.endsWith(".anthropic.com") || name.endsWith(".anthropic.com.");
    }

    /** {@return true if it is OpenAI's or Azure's, so that it gets the key in OPENAI_API_KEY} */
    boolean isOpenAis() {
        String name = "." + host().toLowerCase(Locale.ROOT);
        return OPENAI_HOSTS.stream().anyMatch(name::endsWith);
    }

    /** {@return true if there is a key of Anthropic's in {@code value}, and the backend is another's} */
    public boolean mustNotGet(String value) { return !isAnthropics() && Secrets.isAnthropicKey(value); }

    /** {@return true if the name of a parameter in the query says that it is a key} */
    public boolean hasSecretQuery() {
        return parameters().stream().anyMatch(parameter -> SecretNames.isSecret(parameter.name()));
    }

    /** {@return the parameters of the query} */
    public List<Parameter> parameters() { return query.map(Parameter::all).orElse(List.of()); }

    /** {@return the same, with these parameters alone} */
    public Target with(List<Parameter> parameters) {
        String joined = parameters.stream().map(Parameter::text).collect(Collectors.joining("&"));
        return new Target(base, pinned, Optional.of(joined).filter(text -> !text.isEmpty()), key, proxy);
    }

    /** {@return the same, at another base: the demo, where it has begun to listen} */
    public Target at(URI otherBase) { return new Target(otherBase, pinned, query, key, proxy); }
}
