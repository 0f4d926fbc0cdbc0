package config;

import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import json.Json;

/**
 * A backend: its address, what the options say about it, and the HTTP proxy on the way. It connects to
 * nothing.
 *
 * @param base   what the paths of the APIs are appended to: {@code http://h/v1}
 * @param pinned the API that --upstream names; then no other is spoken
 * @param query  what stands behind the question mark in each URL, as Azure's {@code api-version=…}
 */
public record Target(URI base, Optional<Api> pinned, Optional<String> query, OwnOptions own,
                     Optional<InetSocketAddress> proxy) {
    private static final String MODELS = "/models";
    private static final String COUNT = "/count_tokens"; // behind the path of messages
    static final String DEMO = "demo";
    private static final URI DEMO_BASE = URI.create("demo:in-process"); // its port is known when it listens
    private static final List<String> OPENAI_HOSTS = List.of(".api.openai.com", ".openai.azure.com",
            ".cognitiveservices.azure.com", ".services.ai.azure.com");

    /** {@return the built-in backend} */
    static Target demo(OwnOptions own) {
        return new Target(DEMO_BASE, Optional.empty(), Optional.empty(), own, Optional.empty());
    }

    public Optional<String> name() { return own.name(); }
    boolean isNamed(String wanted) { return name().filter(wanted::equals).isPresent(); }
    /** {@return the backend for people: its name, or else its address} */
    public String label() { return name().orElse(address()); }

    /** {@return qwen3 for local/qwen3, if this is local; else the model as it is} */
    String withoutName(String model) {
        String prefix = name().map(name -> name + "/").orElse("");
        boolean isModelNamed = model.startsWith(prefix) && model.length() > prefix.length();
        return isModelNamed ? model.substring(prefix.length()) : model;
    }

    /** {@return the name by which clients can ask for this backend's model and for no other's} */
    public Optional<String> nameOf(String model) { return name().map(name -> name + "/" + model); }

    public Optional<String> key() { return own.key(); }
    public List<Header> headers() { return own.headers(); }
    public Json extraBody() { return own.extraBody(); }
    /** {@return the window of its models in tokens, if --context gives it} */
    public OptionalLong context() { return own.context(); }
    /** {@return the service that A2o asks when a model of its searches the web} */
    public Optional<SearchSite> search() { return own.search(); }

    /** {@return the port of a URL, also where it is not written} */
    public static int port(URI url) {
        if (url.getPort() >= 0) return url.getPort();
        return "https".equalsIgnoreCase(url.getScheme()) ? 443 : 80;
    }

    /** {@return the URL of an API} */
    public URI url(Api api) { return append(api.path()); }

    /** {@return the URL where a backend of Anthropic's API counts tokens} */
    public URI countUrl() { return append(Api.MESSAGES.path() + COUNT); }

    /** {@return the URL of the list of models} */
    public URI modelsUrl() { return append(MODELS); }

    private URI append(String path) {
        String whole = base + path;
        return URI.create(query.map(text -> whole + "?" + text).orElse(whole));
    }

    /** {@return --upstream as everybody may see it: dots stand for a query that may hold a key} */
    public String shown() {
        if (isDemo()) return DEMO;
        String shown = base + pinned.map(Api::path).orElse("");
        boolean mayBeSeen = parameters().stream().allMatch(Parameter::isHarmless);
        return shown + query.map(text -> mayBeSeen ? "?" + text : "?...").orElse("");
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

    /** {@return true if a 401 of this backend is about a key of the operator's, not of the client's} */
    public boolean isKeyOurs() { return own.hasSecretHeader() || key().isPresent() || hasSecretQuery(); }

    /** {@return true if requests spend something of the operator's, whoever sends them} */
    boolean isPaid() {
        boolean isSearchPaid = search().filter(SearchSite::isPaid).isPresent();
        return own.hasSecretHeader() || key().isPresent() || query.isPresent() || isSearchPaid;
    }

    /** {@return the parameters of the query} */
    public List<Parameter> parameters() { return query.map(Parameter::all).orElse(List.of()); }

    /** {@return the same, with these parameters alone} */
    public Target with(List<Parameter> parameters) {
        String joined = parameters.stream().map(Parameter::text).collect(Collectors.joining("&"));
        return new Target(base, pinned, Optional.of(joined).filter(text -> !text.isEmpty()), own, proxy);
    }

    /** {@return the same, with one more parameter, unless it has one of that name} */
    public Target with(Parameter more) {
        List<Parameter> own = parameters();
        boolean isGiven = own.stream().anyMatch(parameter -> parameter.name().equals(more.name()));
        return isGiven ? this : with(Stream.concat(own.stream(), Stream.of(more)).toList());
    }

    /** {@return the same, at another base: the demo, where it has begun to listen} */
    public Target at(URI otherBase) { return new Target(otherBase, pinned, query, own, proxy); }

    /** {@return the same, with all that the options say} */
    Target with(OwnOptions all, Optional<InetSocketAddress> way) {
        return new Target(base, pinned, query, all, way);
    }
}
