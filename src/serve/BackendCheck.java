package serve;

import anthropic.ListedModel;
import config.Api;
import config.CommandLine;
import config.Option;
import config.Options;
import config.Spelling;
import config.Target;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import json.Json;
import json.JsonParser;
import translate.Dialect;
import upstream.Credentials;
import upstream.Health;
import upstream.SearchService;
import upstream.Upstream;

/**
 * The check of one backend, through a proxy that knows no other and no {@code --model}, so that an unknown
 * one can be asked for. It prints a row for each {@link Ability}, but none after the one for which the
 * backend cannot be used at all.
 */
final class BackendCheck implements AutoCloseable {
    private static final Duration MAX_PATIENCE = Duration.ofSeconds(60); // for a reply
    private static final int MAX_NAMED = 8; // models in a line
    private static final String ANY_MODEL = "any"; // where there is no list: many servers have but one
    private static final String STOP = "7"; // the stop sequence that is asked for
    private static final String UNKNOWN = "not known yet";
    private static final String WHY_UNKNOWN = "see 'plain reply'";
    /** Statuses by which a server may say that there is no API at that path. */
    private static final Set<Integer> NO_SUCH_PATH = Set.of(400, 404, 405, 501, 502);
    private static final Pattern RED = Pattern.compile("(?i)\\bred\\b"); // as in "The square is Red."

    private final CommandLine given; // for this backend alone
    private final Options options;
    private final Target target;
    private final String clientKey; // that a client here would send
    private final Proxy proxy;
    private final CheckClient client;
    private final CheckTable table;
    private List<ListedModel> listed = List.of();
    private String model = ANY_MODEL;

    BackendCheck(CommandLine one, Map<String, String> environment, PrintStream out) throws IOException {
        given = one.without(Option.MODEL).without(Option.MAP);
        options = Options.of(given);
        target = options.upstreams().getFirst();
        clientKey = ClientVariables.token(options, environment);
        boolean isShort = options.timeout().compareTo(MAX_PATIENCE) < 0;
        client = new CheckClient(clientKey, isShort ? options.timeout() : MAX_PATIENCE);
        boolean isColoured = Terminal.hasColours(environment);
        table = new CheckTable(options.secrets().with(clientKey), isColoured, out);
        proxy = new Proxy(options);
        proxy.start();
    }

    @Override
    public void close() { proxy.close(); }

    boolean works() { return table.works(); }
    String conclusion() { return table.conclusion(); }
    /** {@return the model that it was asked for} */
    String model() { return model; }

    /** Prints the rows. {@code chosen} is the model to ask for; else it is the first one listed. */
    void run(String name, Optional<String> chosen) {
        var credentials = new Credentials(options, target, Dialect.of(target));
        String where = name + target.shown();
        table.print("a2o %s tries %s, which %s%n", Options.VERSION, where, credentials.description());
        boolean getsNoKey = credentials.holdsBack(clientKey);
        if (getsNoKey) table.print("the key here begins with sk-ant-, so it gets no key%n");
        table.print("%n");
        listed = client.listed(proxy);
        model = chosen.or(() -> listed.stream().map(ListedModel::id).findFirst()).orElse(ANY_MODEL);
        if (answers()) {
            tryAbilities();
            tellApi();
        }
    }

    private Upstream backend() { return proxy.firstBackend(); }

    private CheckReply ask(CheckRequest request) { return client.ask(proxy, request.body(model)); }

    // Whether it answers at all

    private boolean answers() {
        CheckReply reply = ask(CheckRequest.PLAIN);
        if (mayBeElsewhere(reply)) {
            Optional<String> advice = new CheckPaths(given, client, model).advice();
            if (advice.isPresent()) return refuse(Ability.CONNECTION, reply, advice.get());
        }
        return addConnection(reply) && addKey(reply) && addModel(reply) && addPlainReply(reply);
    }

    /** {@return whether --upstream may lead to the right host, and past the API} */
    private boolean mayBeElsewhere(CheckReply reply) {
        boolean isUnreachable = backend().state() == Health.State.UNREACHABLE;
        boolean isFound = !listed.isEmpty() || target.isDemo();
        return NO_SUCH_PATH.contains(reply.status()) && !isFound && !isUnreachable;
    }

    /** Prints a row for what the backend lacks. {@return false: it cannot be used} */
    private boolean refuse(Ability ability, CheckReply reply, String advice) {
        table.add(ability, CheckTable.Verdict.NO, reply.summary(), advice);
        return false;
    }

    private boolean addConnection(CheckReply reply) {
        boolean isReached = reply.status() != 502 && reply.status() != 504;
        if (!isReached) return refuse(Ability.CONNECTION, reply, advice(Ability.CONNECTION, reply));
        table.add(Ability.CONNECTION, "it answers, after %.1f s".formatted(reply.secondsToHead()));
        return true;
    }

    private boolean addKey(CheckReply reply) {
        boolean isOurs = backend().errors().keySet().stream().anyMatch(BackendCheck::isAboutKeys);
        if (isOurs || isAboutKeys(reply.status())) return refuse(Ability.KEY, reply, Ability.KEY.advice());
        OptionalInt refusal = backend().models().refusal();
        boolean isListRefused = refusal.isPresent() && isAboutKeys(refusal.getAsInt());
        boolean isProven = reply.isGood() || !listed.isEmpty();
        if (isListRefused) {
            addUnsure(Ability.KEY, "the list of models answers %d".formatted(refusal.getAsInt()),
                    "look whether the key may list models");
        } else if (isProven) {
            table.add(Ability.KEY, "accepted, or not needed");
        } else {
            addUnsure(Ability.KEY, UNKNOWN, WHY_UNKNOWN);
        }
        return true;
    }

    private static boolean isAboutKeys(int status) { return status == 401 || status == 403; }

    private void addUnsure(Ability ability, String seen, String advice) {
        table.add(ability, CheckTable.Verdict.UNSURE, seen, advice);
    }

    private boolean addModel(CheckReply reply) {
        if (reply.status() == 404) return refuse(Ability.MODEL, reply, otherModel());
        OptionalInt refusal = backend().models().refusal();
        boolean isListed = ListedModel.find(listed, model).isPresent();
        if (listed.isEmpty() && !reply.isGood()) {
            addUnsure(Ability.MODEL, UNKNOWN, WHY_UNKNOWN);
        } else if (refusal.isPresent()) {
            addUnsure(Ability.MODEL, "%s; the list of models answers %d".formatted(model, refusal.getAsInt()),
                    "give the model's name as --model, and look at it twice: it cannot be compared");
        } else if (isListed || listed.isEmpty()) {
            table.add(Ability.MODEL, "%d listed; %s".formatted(listed.size(), model));
        } else {
            String seen = "%s is not among the %d listed".formatted(model, listed.size());
            addUnsure(Ability.MODEL, seen, otherModel());
        }
        return true;
    }

    /** {@return the advice to ask for a model that is listed, the likeliest first} */
    private String otherModel() {
        if (listed.isEmpty()) return Ability.MODEL.advice();
        List<String> names = listed.stream().map(ListedModel::id).toList();
        Optional<String> meant = Spelling.nearest(model, names);
        if (meant.isPresent()) return "is --model %s meant?".formatted(meant.get());
        int more = names.size() - MAX_NAMED;
        String end = more > 0 ? ", and %d more".formatted(more) : "";
        String some = names.stream().limit(MAX_NAMED).collect(Collectors.joining(", "));
        return "--model can be one of: " + some + end;
    }

    private boolean addPlainReply(CheckReply reply) {
        if (reply.isGood()) {
            table.add(Ability.PLAIN_REPLY, reply.summary());
        } else {
            addMissing(Ability.PLAIN_REPLY, reply);
        }
        return reply.isGood();
    }

    // What it can do

    private void tryAbilities() {
        tryStream();
        tryCalls();
        CheckReply result = ask(CheckRequest.RESULT);
        show(Ability.TOOL_RESULT, result, result.text().contains("17"));
        CheckReply reasoning = ask(CheckRequest.REASONING);
        show(Ability.REASONING, reasoning, reasoning.hasThinking());
        CheckReply image = ask(CheckRequest.IMAGE);
        show(Ability.IMAGE, image, RED.matcher(image.text()).find());
        CheckReply schema = ask(CheckRequest.SCHEMA);
        show(Ability.JSON_SCHEMA, schema, isCity(schema.text()));
        CheckReply stopped = ask(CheckRequest.STOP);
        show(Ability.STOP_SEQUENCE, stopped, stopped.stopSequence().equals(STOP));
        CheckReply unknown = ask(CheckRequest.UNKNOWN_MODEL); // else a wrong --model goes unnoticed
        boolean isRefused = unknown.status() == 400 || unknown.status() == 404;
        if (isRefused) {
            table.add(Ability.MODEL_ERRORS, unknown.summary());
        } else {
            addMissing(Ability.MODEL_ERRORS, unknown);
        }
        backend().search().ifPresent(this::trySearch);
        String names = String.join(", ", client.leftOut());
        if (!names.isEmpty()) table.addNote("left out", names);
    }

    private void tryCalls() {
        CheckReply call = ask(CheckRequest.ONE_CALL);
        boolean areThere = call.calls() > 0;
        show(Ability.TOOL_CALL, call, areThere);
        if (!areThere) return;
        CheckReply calls = ask(CheckRequest.TWO_CALLS);
        show(Ability.PARALLEL_CALLS, calls, calls.calls() > 1);
    }

    /** Prints whether there is a stream, and whether the backend has counted its tokens. */
    private void tryStream() {
        long countedBefore = countedReplies();
        CheckReply reply = ask(CheckRequest.STREAMED);
        show(Ability.STREAMED_REPLY, reply, reply.isGood());
        boolean isNative = api() == Api.MESSAGES; // whose replies A2o does not add counts to
        boolean isCounted = isNative ? reply.outputTokens() > 0 : countedReplies() > countedBefore;
        String tokens = isCounted ? Long.toString(reply.outputTokens()) : "not in the stream";
        String times = "the first after %.1f s, then %.0f/s";
        String seen = tokens + "; " + times.formatted(reply.secondsToHead(), reply.tokensPerSecond());
        if (isCounted) {
            table.add(Ability.TOKEN_COUNTS, seen);
        } else {
            addUnsure(Ability.TOKEN_COUNTS, seen, Ability.TOKEN_COUNTS.advice());
        }
    }

    private long countedReplies() { return backend().calibration(model).sums().replies(); }

    private Api api() { return backend().dialect(model).api(); }

    /** Prints a row for an ability that a reply shows, or shows to be missing. */
    private void show(Ability ability, CheckReply reply, boolean isThere) {
        if (isThere && !reply.isError()) {
            table.add(ability, reply.summary());
        } else {
            addMissing(ability, reply);
        }
    }

    /** An error that may pass is nobody's lack; what a model merely did not do, it may do another time. */
    private void addMissing(Ability ability, CheckReply reply) {
        boolean isCertain = ability.isRequired() || reply.status() != 200;
        boolean mayPass = reply.remedy().isPresent();
        boolean isLack = isCertain && !mayPass;
        CheckTable.Verdict verdict = isLack ? CheckTable.Verdict.NO : CheckTable.Verdict.UNSURE;
        table.add(ability, verdict, reply.summary(), advice(ability, reply));
    }

    private static String advice(Ability ability, CheckReply reply) {
        return reply.remedy().orElse(ability.advice());
    }

    /**
     * Has the model search; the log says why a service has failed. A reply without a search is answered as if
     * the service had failed; only the service knows whether it was asked.
     */
    private void trySearch(SearchService service) {
        long askedBefore = service.asked();
        CheckReply reply = ask(CheckRequest.SEARCH);
        boolean isAsked = service.asked() > askedBefore;
        boolean isFound = reply.pages() > 0 && !reply.isError();
        String found = "%d pages; %s".formatted(reply.pages(), reply.summary());
        if (isFound) {
            table.add(Ability.WEB_SEARCH, found);
        } else if (isAsked) {
            String seen = reply.isError() ? reply.summary() : found;
            table.add(Ability.WEB_SEARCH, CheckTable.Verdict.NO, seen, Ability.WEB_SEARCH.advice());
        } else if (reply.status() == 200) {
            addUnsure(Ability.WEB_SEARCH, "the model did not call it, so nothing was searched for",
                    "run --check again, or take a model that calls tools more readily");
        } else {
            String advice = advice(Ability.PLAIN_REPLY, reply);
            table.add(Ability.WEB_SEARCH, CheckTable.Verdict.NO, reply.summary(), advice);
        }
    }

    private static boolean isCity(String text) {
        try {
            return JsonParser.parse(text).get("city").hasText();
        } catch (Json.Malformed e) {
            return false;
        }
    }

    /** Prints by which API it is asked, as refusals may have taught, and whether it speaks the client's. */
    private void tellApi() {
        Api api = api();
        boolean isLearned = api != Dialect.of(target).api();
        table.addNote("api", api.word() + (isLearned ? ", for it refuses requests by the other one" : ""));
        if (target.isDemo()) return;
        var paths = new CheckPaths(given, client, model);
        Optional<String> anthropics = api == Api.MESSAGES ? Optional.of(target.shown()) : paths.anthropics();
        anthropics.ifPresent(url -> table.addNote("Anthropic API", CheckPaths.withoutProxy(url)));
    }
}
