package serve;

import anthropic.ListedModel;
import config.CommandLine;
import config.Option;
import config.Options;
import config.ShownOptions;
import config.Target;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Pattern;
import json.Json;
import json.JsonParser;
import json.Text;
import translate.Dialect;
import upstream.Credentials;

/**
 * {@code --check}: asks a backend, through a proxy as clients will, for what Claude Code uses, and prints a
 * row for each. It changes nothing, and writes no log.
 */
public final class Check {
    private static final Duration MAX_PATIENCE = Duration.ofSeconds(60); // for a reply
    private static final Pattern RED = Pattern.compile("(?i)\\bred\\b"); // as in "The square is Red."

    private final Options options;
    private final Proxy proxy;
    private final Map<String, Proxy> nextOnes = new LinkedHashMap<>(); // of the other backends, by name
    private final String clientKey; // that a client here would send
    private final CheckClient client;
    private final CheckTable table;
    private final CommandLine given;
    private String model;

    /**
     * Checks the backend that is asked first for Claude Code's main model, through a proxy that knows no
     * --model, so that an unknown one can be asked for; and whether the others answer at all.
     */
    public Check(CommandLine given) throws IOException {
        this.given = given;
        CommandLine local = given.with(Option.HOST, List.of("127.0.0.1")).with(Option.PORT, List.of("0"));
        Options all = Options.of(local);
        List<Target> targets = all.upstreams();
        int number = targets.indexOf(all.routes().main().targets().getFirst());
        for (int i = 0; i < targets.size(); i++) {
            if (i == number) continue;
            nextOnes.put(targets.get(i).label(), new Proxy(Options.of(Options.ofBackend(i, local))));
        }
        CommandLine first = Options.ofBackend(number, local);
        model = Options.of(first).routes().of("").model();
        options = Options.of(first.without(Option.MODEL).without(Option.MAP));
        clientKey = ClientVariables.token(options, System.getenv());
        client = new CheckClient(clientKey, patience());
        table = new CheckTable(options.secrets().with(clientKey));
        proxy = new Proxy(options);
        proxy.start();
        nextOnes.values().forEach(Proxy::start);
    }

    /**
     * Prints the rows, what follows from them, and the command to use.
     *
     * @return true if Claude Code will work
     */
    public boolean works() {
        Target target = options.upstreams().getFirst();
        String url = target.shown();
        var credentials = new Credentials(options, target, Dialect.of(target));
        table.print("a2o %s tries %s, which %s%n", Options.VERSION, url, credentials.description());
        boolean getsNoKey = credentials.holdsBack(clientKey);
        if (getsNoKey) table.print("the key here begins with sk-ant-, so it gets no key%n");
        table.print("%n");
        if (answers()) {
            tryAbilities();
            tellApi(target);
        }
        nextOnes.forEach(this::tryNext);
        table.print("%nClaude Code %s%n", table.conclusion());
        if (table.works()) table.print("  %s%n", command(target));
        return table.works();
    }

    /** {@return the command for a shell that runs Claude Code on the same backends} */
    private String command(Target target) {
        List<String> keys = ShownOptions.keys(given);
        boolean isInFile = given.has(Option.FILE);
        boolean isOneKey = keys.size() == 1 || keys.isEmpty() && target.key().isPresent() && !isInFile;
        var command = new StringJoiner(" ", "", " -- claude");
        if (isOneKey) command.add("A2O_UPSTREAM_KEY=" + keys.stream().findFirst().orElse("..."));
        command.add("a2o");
        if (!isOneKey) keys.forEach(key -> command.add("--upstream-key " + quoted(key)));
        for (String word : ShownOptions.words(given, model)) {
            command.add(word.startsWith("--") ? word : quoted(word));
        }
        return command.toString();
    }

    /** {@return a word for a shell} */
    private static String quoted(String text) {
        return "'" + Text.printable(text).replace("'", "'\\''") + "'";
    }

    private Duration patience() {
        return options.timeout().compareTo(MAX_PATIENCE) < 0 ? options.timeout() : MAX_PATIENCE;
    }

    /** Tries whether the backend answers at all; if not, the last row says what to do. */
    private boolean answers() {
        List<String> models = proxy.listed(clientKey, patience()).stream().map(ListedModel::id).toList();
        if (model.isEmpty()) model = models.stream().findFirst().orElse("any");
        CheckReply reply = ask(CheckRequest.PLAIN);
        if (reply.isError()) tellLastError(proxy);
        int status = reply.status();
        String seen = reply.summary();
        boolean isReached = status != 502 && status != 504;
        boolean isKeyGood = status != 401 && status != 403 && !proxy.isKeyRefused();
        return require(Ability.CONNECTION, isReached, "it answers",
                        seen + "; does it run? is --upstream right?")
                && require(Ability.KEY, isKeyGood, "accepted, or not needed",
                        seen + "; give the right one as A2O_UPSTREAM_KEY")
                && require(Ability.MODEL, status != 404, "%d listed; %s".formatted(models.size(), model),
                        seen + "; is --upstream right? --model can be one of: " + String.join(", ", models))
                && require(Ability.PLAIN_REPLY, reply.isGood(), seen, seen);
    }

    /**
     * Prints a row for what Claude Code cannot do without, with advice if it is not there. {@return whether
     * it is}
     */
    private boolean require(Ability ability, boolean isThere, String seen, String advice) {
        if (isThere) {
            table.add(ability, CheckTable.Verdict.OK, seen);
        } else {
            table.add(ability, CheckTable.Verdict.NO, advice);
        }
        return isThere;
    }

    private void tryAbilities() {
        CheckReply count = ask(CheckRequest.STREAMED);
        show(Ability.STREAMED_REPLY, count, count.isGood());
        addTokenCounts(count);
        CheckReply call = ask(CheckRequest.ONE_CALL);
        show(Ability.TOOL_CALL, call, call.calls() > 0);
        CheckReply calls = ask(CheckRequest.TWO_CALLS);
        show(Ability.PARALLEL_CALLS, calls, calls.calls() > 1);
        CheckReply result = ask(CheckRequest.RESULT);
        show(Ability.TOOL_RESULT, result, result.text().contains("17"));
        CheckReply reasoning = ask(CheckRequest.REASONING);
        show(Ability.REASONING, reasoning, reasoning.hasThinking());
        CheckReply image = ask(CheckRequest.IMAGE);
        show(Ability.IMAGE, image, RED.matcher(image.text()).find());
        CheckReply schema = ask(CheckRequest.SCHEMA);
        show(Ability.JSON_SCHEMA, schema, isCity(schema.text()));
        CheckReply stopped = ask(CheckRequest.STOP);
        show(Ability.STOP_SEQUENCE, stopped, stopped.text().contains("5") && !stopped.text().contains("7"));
        tellLastError(proxy);
        addModelErrors();
        if (options.upstreams().getFirst().search().isPresent()) addSearch();
        String names = String.join(", ", client.leftOut());
        if (!names.isEmpty()) table.print("%-19s %s%n", "left out", names);
    }

    /** Prints a row for an ability that a reply shows, or shows to be missing. */
    private void show(Ability ability, CheckReply reply, boolean isThere) {
        table.add(ability, verdict(ability, reply, isThere && !reply.isError()), reply.summary());
    }

    private static CheckTable.Verdict verdict(Ability ability, CheckReply reply, boolean isThere) {
        if (isThere) return CheckTable.Verdict.OK;
        boolean isCertain = ability.isRequired() || reply.status() != 200;
        return isCertain ? CheckTable.Verdict.NO : CheckTable.Verdict.UNSURE;
    }

    /** Where a backend counts no tokens, A2o guesses; a count that is just the guess is taken for it. */
    private void addTokenCounts(CheckReply reply) {
        boolean isCounted = reply.outputTokens() != reply.guessedTokens();
        String tokens = isCounted ? Long.toString(reply.outputTokens()) : "not in the stream";
        table.add(Ability.TOKEN_COUNTS, isCounted ? CheckTable.Verdict.OK : CheckTable.Verdict.UNSURE,
                "%s; the first after %.1f s, then %.0f/s".formatted(tokens, reply.secondsToHead(),
                        reply.tokensPerSecond()));
    }

    private static boolean isCity(String text) {
        try {
            return JsonParser.parse(text).get("city").hasText();
        } catch (Json.Malformed e) {
            return false;
        }
    }

    /** A model that does not exist should be refused as such; else a wrong --model goes unnoticed. */
    private void addModelErrors() {
        CheckReply reply = ask(CheckRequest.UNKNOWN_MODEL);
        boolean isRefused = reply.status() == 400 || reply.status() == 404;
        CheckTable.Verdict otherwise = verdict(Ability.MODEL_ERRORS, reply, false);
        table.add(Ability.MODEL_ERRORS, isRefused ? CheckTable.Verdict.OK : otherwise, reply.summary());
    }

    /** Has the model search; the log says why a service has failed. */
    private void addSearch() {
        CheckReply reply = ask(CheckRequest.SEARCH);
        boolean isFound = reply.pages() > 0 && !reply.isError();
        String seen = isFound ? "%d pages; %s".formatted(reply.pages(), reply.summary()) : reply.summary();
        table.add(Ability.WEB_SEARCH, isFound ? CheckTable.Verdict.OK : CheckTable.Verdict.NO, seen);
    }

    /** Tries one of the backends after the first: whether it answers. */
    private void tryNext(String host, Proxy next) {
        CheckReply reply = client.ask(next, CheckRequest.PLAIN.body(next.sampleModel().orElse(model)));
        if (!reply.isGood()) tellLastError(next);
        table.add(Ability.NEXT_BACKEND, reply.isGood() ? CheckTable.Verdict.OK : CheckTable.Verdict.UNSURE,
                host + ": " + reply.summary());
    }

    /** Prints by which API the backend is asked; its refusals may have taught another one than it was asked by first. */
    private void tellApi(Target target) {
        String learned = "";
        for (Json known : client.status(proxy).get("upstreams").items().getFirst().get("learned").items()) {
            Json api = known.get("rules").get("api");
            if (api.hasText()) learned = api.text();
        }
        String first = Dialect.of(target).api().word();
        table.addNote("api", learned.isEmpty() ? first : learned + ", for it refuses requests by the other one");
    }

    /** Prints what went wrong last at the backend of {@code asked}, and when. */
    private void tellLastError(Proxy asked) {
        Json last = client.status(asked).get("upstreams").items().getFirst().get("last_error");
        if (last.isNull()) return;
        Instant instant = Instant.ofEpochMilli(last.get("time").toLong(0));
        LocalTime time = LocalTime.ofInstant(instant, ZoneId.systemDefault());
        String error = "%s at %tT: %s".formatted(last.get("status").raw(), time, last.get("message").text());
        table.addNote("last error", error);
    }

    private CheckReply ask(CheckRequest request) { return client.ask(proxy, request.body(model)); }
}
