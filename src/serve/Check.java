package serve;

import anthropic.ListedModel;
import config.CommandLine;
import config.Option;
import config.Options;
import config.Secrets;
import config.Target;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import json.JsonWriter;
import json.Text;
import translate.Dialect;
import translate.Opaque;
import upstream.Credentials;

/** {@code --check}: asks a backend, through a proxy as clients will, for what they need, and prints a row for each. */
public final class Check {
    private static final long MAX_SECONDS = 60; // for a reply
    private static final String DISPENSABLE = 
            "token counts|parallel calls|reasoning|image|JSON.*|stop.*|model errors|next backend";
    private static final String SAY = "'messages':[{'role':'user','content':%}]";
    private static final String CITY = "{'type':'object','properties':{'city':{'type':'string'}},'required':['city']}";
    private static final String TOOL = "'tools':[{'name':'get_weather','input_schema':" + CITY + "}],";
    private static final String RESULT = TOOL + "'messages':[{'role':'user','content':%},{'role':'assistant','content':"
            + "[{'type':'tool_use','id':'call_1','name':'get_weather','input':{'city':'Paris'}}]},{'role':'user',"
            + "'content':[{'type':'tool_result','tool_use_id':'call_1','content':'17 degrees'}]}]";
    private static final String SCHEMA = "'output_config':{'format':{'type':'json_schema','schema':" + CITY + "}},";
    private static final String RED = "'messages':[{'role':'user','content':[{'type':'text','text':%},{'type':'image',"
            + "'source':{'type':'base64','media_type':'image/png','data':'iVBORw0KGgoAAAANSUhEUgAAAEAAAABAAQMAAACQp+Od"
            + "AAAAA1BMVEX/AAAZ4gk3AAAAD0lEQVR42mNgGAWjgHwAAAJAAAHgTR1EAAAAAElFTkSuQmCC'}}]}]";

    /** What came, JSON or events as the proxy writes them, and seconds: until it began, and from then on. */
    private record Reply(int status, String body, double begun, double rest) {
        /** {@return the values of all members of that name, put together, as they are in JSON} */
        String all(String name) {
            var values = Pattern.compile("\"%s\":\"((?:[^\"\\\\]|\\\\.)*+)\"".formatted(name)).matcher(body).results();
            return values.map(found -> found.group(1)).collect(Collectors.joining());
        }

        /** {@return what a person would look at, in a line: 404: words, calls 2: input, reasoning: words, or words} */
        String summary() {
            int calls = body.split("\"type\":\"tool_use\"", -1).length - 1;
            String about = status != 200 ? "" + status : calls > 0 ? "calls " + calls : Opaque.field(all("signature"));
            String json = '"' + all("thinking") + all("partial_json") + all("text") + all("message") + '"';
            String words = JsonParser.parse(json).text().replaceAll("\\s+", " ").strip();
            return Text.printable(about.isEmpty() ? words : about + ": " + words);
        }
    }

    private final Options options;
    private final Secrets secrets;
    private final Proxy proxy;
    private final Map<String, Proxy> nextOnes = new LinkedHashMap<>(); // before the other backends, by their names
    private final HttpClient client = HttpClient.newHttpClient();
    private final List<String> omitted = new ArrayList<>();
    private final List<String> lacking = new ArrayList<>();
    private final String others; // the options, beside backend and model, for the command
    private String model;

    /**
     * Checks the first backend, through a proxy that knows no --model, so that an unknown one can be asked for; and
     * whether the others answer at all.
     */
    public Check(CommandLine given) throws IOException {
        CommandLine local = given.with(Option.HOST, List.of("127.0.0.1")).with(Option.PORT, List.of("0"));
        List<Target> targets = Options.of(local).upstreams();
        for (int i = 1; i < targets.size(); i++) {
            nextOnes.put(targets.get(i).address(), new Proxy(Options.of(withBackend(i, local))));
        }
        CommandLine first = withBackend(0, local);
        model = Options.of(first).model("");
        others = Stream.of(Option.CONTEXT, Option.TIMEOUT, Option.CA_CERT, Option.HEADER, Option.EXTRA_BODY)
                .flatMap(option -> first.all(option).stream().map(value -> " %s %s".formatted(option.flag(),
                        quoted(option == Option.HEADER ? value.replaceFirst(":.*", ": ...") : value))))
                .collect(Collectors.joining());
        options = Options.of(first.without(Option.MODEL).without(Option.MAP));
        secrets = options.secrets().with(clientKey());
        proxy = new Proxy(options);
        proxy.start();
        nextOnes.values().forEach(Proxy::start);
    }

    /** {@return the options with one of the backends alone, and its key} */
    private static CommandLine withBackend(int number, CommandLine given) {
        CommandLine one = given;
        for (Option option : List.of(Option.UPSTREAM, Option.UPSTREAM_KEY)) {
            List<String> values = given.all(option);
            if (!values.isEmpty()) one = one.with(option, List.of(values.get(Math.min(number, values.size() - 1))));
        }
        return one;
    }

    /** Prints the rows, what follows from them, and the command to use. {@return whether Claude Code will work} */
    public boolean works() {
        Target target = options.upstreams().getFirst();
        String url = target.shown();
        var credentials = new Credentials(options, target, Dialect.of(target));
        print("a2o %s tries %s, which %s%n", Options.VERSION, url, credentials.told());
        if (credentials.holdsBack(clientKey())) print("the key here begins with sk-ant-, so it gets no key%n");
        print("%n");
        if (begins()) goesOn();
        nextOnes.forEach(this::checkNext);
        boolean works = lacking.stream().allMatch(row -> row.matches(DISPENSABLE));
        lacking.removeIf(row -> !works && row.matches(DISPENSABLE));
        String verdict = lacking.isEmpty() ? "works" : works ? "works without " : "will not work: no ";
        print("%nClaude Code %s%s%n", verdict, String.join(", ", lacking));
        String key = target.key().isEmpty() ? "" : "A2O_UPSTREAM_KEY=... ";
        String command = "  %sa2o --upstream %s --model %s%s -- claude%n";
        if (works) print(command, key, quoted(url), quoted(model), others);
        return works;
    }

    private void print(String format, Object... values) {
        System.out.print(secrets.mask(format.formatted(values)));
    }

    /** {@return a word for a shell} */
    private static String quoted(String text) { return "'" + Text.printable(text).replace("'", "'\\''") + "'"; }

    /** {@return whether the backend answers at all; if not, the last row says what to do} */
    private boolean begins() {
        List<String> models = proxy.listed(clientKey(), patience()).stream()
                .map(ListedModel::id).toList();
        if (model.isEmpty()) model = models.stream().findFirst().orElse("any");
        String said = ask("'stream':false," + SAY, "Say OK.").summary();
        if (said.matches("\\d{3}: .*")) tellLastError(proxy);
        return row("connection", !said.matches("50[24]: .*"), "it answers",
                said + "; does it run? is --upstream right?")
                && row("key", !said.matches("40[13]: .*|.* the proxy's credentials"), "accepted, or not needed",
                        said + "; give the right one as A2O_UPSTREAM_KEY")
                && row("model", !said.startsWith("404: "), "%d listed; %s".formatted(models.size(), model),
                        said + "; is --upstream right? --model can be one of: " + String.join(", ", models))
                && row("plain reply", !said.matches("|\\d{3}: .*"), said, said);
    }

    private void goesOn() {
        Reply count = test("streamed reply", SAY, "Count from 1 to 30.", ".+");
        long tokens = Long.parseLong(count.body.replaceFirst("(?s).*\"output_tokens\":(\\d+).*|.*", "0$1"));
        long guess = ((count.all("thinking") + count.all("text")).length() + 3) / 4; // what a2o says where none is told
        String speed = "the first after %.1f s, then %.0f/s".formatted(count.begun, tokens / count.rest);
        row("token counts", tokens != guess, tokens + "; " + speed, "not in the stream; " + speed);
        test("tool call", TOOL + SAY, "Call get_weather for Paris.", "calls .*");
        test("parallel calls", TOOL + SAY, "Call get_weather for Paris and for Rome, both at once.", "calls [2-9].*");
        test("tool result", RESULT, "How warm is it in Paris?", ".*17.*");
        test("reasoning", "'thinking':{'type':'enabled','budget_tokens':1024}," + SAY, "17 times 23?", "\\w+: .*");
        test("image", RED, "Which colour is this? One word.", "(?i).*\\bred\\b.*");
        test("JSON schema", SCHEMA + SAY, "What is the capital of France?", "\\{ *\"city\".*}");
        test("stop sequence", "'stop_sequences':['7']," + SAY, "Count from 1 to 9.", "[^7]*5[^7]*");
        tellLastError(proxy);
        test("model errors", "'model':'unknown'," + SAY, "Say OK.", "40[04]: .*");
        String names = omitted.stream().distinct().collect(Collectors.joining(", ")).replace("dropped_", "");
        if (!names.isEmpty()) print("%-19s %s%n", "left out", names);
    }

    private void checkNext(String host, Proxy next) {
        String question = "{'model':%,'max_tokens':1024,'thinking':{'type':'disabled'}," + SAY + "}";
        String request = new JsonWriter().put(question, model, "Say OK.").toString();
        String said = send(next, "POST", "/v1/messages", request).summary();
        boolean isGood = !said.matches("|\\d{3}: .*");
        if (!isGood) tellLastError(next);
        row("next backend", isGood, host + ": " + said, host + ": " + said);
    }

    /** Prints what went wrong last at the backend of {@code asked}, and when. */
    private void tellLastError(Proxy asked) {
        Json backend = JsonParser.parse(send(asked, "GET", "/status.json", "").body).get("upstreams").items().getFirst();
        Json last = backend.get("last_error");
        if (last.isNull()) return;
        LocalTime time = LocalTime.ofInstant(Instant.ofEpochMilli(last.get("time").toLong(0)), ZoneId.systemDefault());
        printRow("last error", "", "%s at %tT: %s".formatted(last.get("status").raw(), time, last.get("message").text()));
    }

    private Reply test(String row, String request, String prompt, String good) {
        Reply reply = ask(request, prompt);
        boolean isError = reply.body.contains("\"type\":\"error\"");
        row(row, reply.summary().matches(good) && isError == good.startsWith("40"), reply.summary(), reply.summary());
        return reply;
    }

    /** Prints a row. {@return whether it is a good one} */
    private boolean row(String name, boolean isGood, String seen, String otherwise) {
        if (!isGood) lacking.add(name);
        boolean isUnsure = name.matches(DISPENSABLE) && !otherwise.matches("\\d{3}: .*"); // another time it may go well
        if (isGood) {
            printRow(name, "ok", "%.58s".formatted(secrets.mask(seen)));
        } else {
            printRow(name, isUnsure ? "?" : "no", (isUnsure ? "%.58s" : "%.290s").formatted(secrets.mask(otherwise)));
        }
        return isGood;
    }

    private void printRow(String name, String verdict, String text) {
        String lines = text.replaceAll("(.{1,58})(?: |$)", "$1\n" + " ".repeat(20)).strip();
        print("%-15s %-3s %s%n", name, verdict, lines);
    }

    private Reply ask(String request, String prompt) {
        String usual = "{'model':%,'max_tokens':1024,'stream':true,'thinking':{'type':'disabled'},"; // the last counts
        String json = new JsonWriter().put(usual + request + "}", model, prompt).toString();
        return send(proxy, "POST", "/v1/messages", json);
    }

    private Duration patience() {
        return Duration.ofSeconds(Math.min(MAX_SECONDS, options.timeout().toSeconds()));
    }

    /** {@return the key that a client here would send} */
    private String clientKey() {
        return ClientVariables.token(options, System.getenv());
    }

    private Reply send(Proxy asked, String method, String path, String json) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + asked.port() + path))
                .header("x-api-key", clientKey()).method(method, HttpRequest.BodyPublishers.ofString(json)).build();
        long[] times = {System.nanoTime(), 0};
        return client.sendAsync(request, head -> {
            times[1] = System.nanoTime();
            head.headers().allValues("x-proxy-warnings").forEach(all -> omitted.addAll(List.of(all.split(","))));
            return HttpResponse.BodySubscribers.ofString(StandardCharsets.UTF_8);
        }).orTimeout(patience().toSeconds(), TimeUnit.SECONDS)
                .handle((reply, e) -> reply == null ? new Reply(504, "{\"message\":\"no reply in time\"}", 0, 1)
                        : new Reply(reply.statusCode(), reply.body(), (times[1] - times[0]) / 1e9,
                        (System.nanoTime() - times[1]) / 1e9)).join();
    }
}
