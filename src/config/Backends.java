package config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;

/** Makes the backends of the options: each --upstream, with what other options say for it or for all. */
final class Backends {
    private static final Map<String, Integer> TOKENS = Map.of("k", 1000, "m", 1_000_000);
    private static final int MAX_TOKENS = 999_999_999;

    private final CommandLine given;
    private final List<Target> addresses; // as --upstream gives them
    private final List<String> names;

    private Backends(CommandLine given) {
        this.given = given;
        this.addresses = given.all(Option.UPSTREAM).stream().map(UpstreamUrl::target).toList();
        this.names = addresses.stream().flatMap(target -> target.name().stream()).toList();
    }

    static List<Target> of(CommandLine given) {
        if (!given.has(Option.UPSTREAM)) {
            throw new UsageError(Option.UPSTREAM, " is required, as http://localhost:11434/v1 for Ollama");
        }
        return new Backends(given).targets();
    }

    private List<Target> targets() {
        refuseSameNames();
        List<Addressed> headers = values(Option.HEADER);
        List<Addressed> bodies = values(Option.EXTRA_BODY);
        List<Addressed> windows = values(Option.CONTEXT);
        List<Optional<String>> keys = keys();
        List<Target> targets = new ArrayList<>();
        for (int i = 0; i < addresses.size(); i++) {
            Target address = addresses.get(i);
            Optional<String> name = address.name();
            Stream<Header> added = headers.stream().filter(header -> header.reaches(name))
                    .map(header -> Header.of(Option.HEADER, header.value()));
            var own = new OwnOptions(name, key(address, keys.get(i)),
                    Stream.concat(address.headers().stream(), added).toList(),
                    body(Addressed.last(bodies, name)), window(Addressed.last(windows, name)), search(name));
            targets.add(address.with(own, HttpProxy.of(address.base(), given)));
        }
        return targets;
    }

    /** {@return the service to search with for the backend of that name: its own, else the one for all} */
    private Optional<SearchSite> search(Optional<String> name) {
        List<Addressed> sites = values(Option.SEARCH);
        boolean isForOne = Addressed.own(sites, name).isPresent();
        List<Header> headers = values(Option.SEARCH_HEADER).stream().filter(header -> header.reaches(name))
                .map(header -> Header.of(Option.SEARCH_HEADER, header.value())).toList();
        return Addressed.last(sites, name).map(String::strip).filter(url -> !url.isEmpty())
                .map(url -> SearchUrl.site(url, headers, isForOne, given));
    }

    /** {@return what was given, for the backend of that number alone, as if there were no names} */
    static CommandLine only(int number, CommandLine given) {
        var backends = new Backends(given);
        Optional<String> name = backends.addresses.get(number).name();
        String address = given.all(Option.UPSTREAM).get(number);
        String url = name.map(text -> address.substring(text.length() + 1)).orElse(address);
        CommandLine one = given.with(Option.UPSTREAM, List.of(url))
                .with(Option.UPSTREAM_KEY, backends.keys().get(number).stream().toList())
                .with(Option.HEADER, backends.reaching(Option.HEADER, name))
                .with(Option.SEARCH_HEADER, backends.reaching(Option.SEARCH_HEADER, name))
                .with(Option.MAP, backends.reaching(Option.MAP, name));
        for (Option option : List.of(Option.EXTRA_BODY, Option.CONTEXT, Option.SEARCH)) {
            one = one.with(option, Addressed.last(backends.values(option), name).stream().toList());
        }
        return one;
    }

    private List<String> reaching(Option option, Optional<String> name) {
        return values(option).stream().filter(value -> value.reaches(name)).map(Addressed::value).toList();
    }

    private void refuseSameNames() {
        boolean areUnique = names.stream().distinct().count() == names.size();
        if (!areUnique) throw new UsageError(Option.UPSTREAM, ": each name can be given to one backend only");
    }

    private List<Addressed> values(Option option) {
        return given.all(option).stream().map(text -> Addressed.of(option, text, names)).toList();
    }

    /** {@return the key of each backend, if it has one: its own by name, else one for all, or one for each} */
    private List<Optional<String>> keys() {
        List<Addressed> values = given.all(Option.UPSTREAM_KEY).stream()
                .map(text -> Addressed.of(Option.UPSTREAM_KEY, text.strip(), names)).toList();
        boolean isPrintable = values.stream().map(Addressed::value).flatMapToInt(String::chars)
                .allMatch(c -> c >= ' ' && c <= '~');
        if (!isPrintable) throw new UsageError(Option.UPSTREAM_KEY, ": printable ASCII characters expected");
        List<String> shared = values.stream().filter(Addressed::isForAll).map(Addressed::value).toList();
        long others = addresses.stream().filter(each -> Addressed.own(values, each.name()).isEmpty()).count();
        boolean isOneForEach = shared.size() == others;
        if (shared.size() > 1 && !isOneForEach) {
            throw new UsageError(Option.UPSTREAM_KEY, ": one for all, or one for each --upstream expected");
        }
        List<Optional<String>> keys = new ArrayList<>();
        int next = 0; // in shared
        for (Target address : addresses) {
            Optional<String> own = Addressed.own(values, address.name());
            boolean isShared = own.isEmpty() && !shared.isEmpty();
            String key = isShared ? shared.get(next) : own.orElse("");
            keys.add(Optional.of(key.strip()).filter(text -> !text.isEmpty()));
            if (isShared && isOneForEach) next++;
        }
        return keys;
    }

    private Optional<String> key(Target address, Optional<String> own) {
        boolean getsOpenAiKey = own.isEmpty() && address.isOpenAis();
        return getsOpenAiKey ? given.variable("OPENAI_API_KEY") : own;
    }

    private static Json body(Optional<String> text) {
        try {
            String json = text.map(String::strip).filter(given -> !given.isEmpty()).orElse("{}");
            if (JsonParser.parse(json) instanceof Json.Obj body) return body;
            throw new UsageError(Option.EXTRA_BODY, ": a JSON object expected");
        } catch (Json.Malformed e) {
            throw new UsageError(Option.EXTRA_BODY, ": " + e.getMessage());
        }
    }

    /** {@return the window in tokens; 0 says that it is not known} */
    private static OptionalLong window(Optional<String> text) {
        int tokens = text.map(given -> CommandLine.number(Option.CONTEXT, given, 0, MAX_TOKENS, TOKENS)).orElse(0);
        return tokens > 0 ? OptionalLong.of(tokens) : OptionalLong.empty();
    }
}
