import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.AnthropicException;
import com.anthropic.errors.AnthropicServiceException;
import com.anthropic.errors.BadRequestException;
import com.anthropic.errors.InternalServerException;
import com.anthropic.errors.NotFoundException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.beta.messages.BetaMessage;
import com.anthropic.models.beta.messages.ToolRunnerCreateParams;
import com.anthropic.models.messages.ContentBlock;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.StopReason;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolResultBlockParam;
import com.anthropic.models.models.ModelInfo;
import com.anthropic.models.models.ModelListParams;
import com.fasterxml.jackson.annotation.JsonClassDescription;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** A2o with Anthropic's Java SDK, whose accumulator is the strictest. Run by run.mjs. */
final class JavaSdk {
    private static final AnthropicClient CLIENT = AnthropicOkHttpClient.builder().apiKey("a-key").baseUrl(Check.A2O)
            .maxRetries(0).timeout(Duration.ofSeconds(30)).build();
    private static final Map<String, Function<MessageCreateParams, Message>> WAYS =
            Map.of("create", params -> CLIENT.messages().create(params), "stream", JavaSdk::streamed);
    private static final List<String> ASKED = new ArrayList<>();

    /** The class of a structured output. */
    static final class City {
        public String city;
        public int people;
    }

    /** The tool that the SDK's runner runs. */
    @JsonClassDescription("weather of a city")
    static final class Weather implements Supplier<String> {
        public String city;

        @Override
        public String get() {
            ASKED.add(city);
            return "rain in " + city;
        }
    }

    public static void main(String[] args) throws Exception {
        Check.check("create", JavaSdk::creates);
        for (String way : List.of("create", "stream")) {
            Function<MessageCreateParams, Message> send = WAYS.get(way);
            Check.check(way + ": reasoning and text", () -> reasons(send));
            Check.check(way + ": calls, one without arguments", () -> calls(send));
            Check.check(way + ": thinking goes back in the next turn", () -> repliesToCall(send));
        }
        Check.check("structured output", JavaSdk::parses);
        Check.check("tool runner, by default", () -> runsTools(true));
        Check.check("tool runner, without thread", () -> runsTools(false));
        Check.check("countTokens", JavaSdk::counts);
        Check.check("models: pages, one, unknown", JavaSdk::lists);
        errors();
        Check.check("stream that breaks off throws", JavaSdk::breaksOff);
        Check.check("reply that breaks off throws", () ->
                Check.failure(InternalServerException.class, () -> CLIENT.messages().create(ask("cut").build())));
        System.exit(0);
    }

    private static MessageCreateParams.Builder ask(String model) {
        return MessageCreateParams.builder().model(model).maxTokens(1000).addUserMessage("Do it.");
    }

    private static Tool tool(String name) {
        return Tool.builder().name(name).inputSchema(Tool.InputSchema.builder().build()).build();
    }

    private static Message streamed(MessageCreateParams params) {
        var accumulator = MessageAccumulator.create();
        try (StreamResponse<RawMessageStreamEvent> events = CLIENT.messages().createStreaming(params)) {
            events.stream().forEach(accumulator::accumulate);
        }
        return accumulator.message().validate();
    }

    private static String texts(Message message) {
        return message.content().stream().filter(ContentBlock::isText).map(block -> block.asText().text())
                .collect(Collectors.joining());
    }

    private static void creates() throws Exception {
        Message message = CLIENT.messages().create(ask("text").system("Be short.").build()).validate();
        Check.equal(texts(message), Check.TEXT);
        Check.equal(message.stopReason().orElseThrow(), StopReason.END_TURN);
        Check.equal(message.usage().inputTokens(), 20L);
        Check.equal(message.usage().cacheReadInputTokens().orElseThrow(), 80L);
        Check.holds(Check.seen().contains("\"authorization\":\"Bearer a-key\""), "no key");
        Message half = CLIENT.messages().create(ask("length").build());
        Check.equal(half.stopReason().orElseThrow(), StopReason.MAX_TOKENS);
    }

    private static void reasons(Function<MessageCreateParams, Message> send) {
        Message message = send.apply(ask("reasoning").build());
        Check.equal(message.content().getFirst().asThinking().thinking(), "Let me think, ünd more. ");
        Check.equal(texts(message), Check.TEXT);
        Check.equal(message.stopReason().orElseThrow(), StopReason.END_TURN);
        Check.equal(message.usage().outputTokens(), 10L);
    }

    private static void calls(Function<MessageCreateParams, Message> send) {
        var expected = Map.of("noargs", List.of(Map.of()), "tool", List.of(Map.of("city", "Köln \"am\" Rhein\n")),
                "parallel", List.of(Map.of("city", "Oslo"), Map.of("city", "Rome")));
        expected.forEach((model, inputs) -> {
            Message message = send.apply(ask(model).addTool(tool("weather")).addTool(tool("now")).build());
            Check.equal(message.stopReason().orElseThrow(), StopReason.TOOL_USE);
            Check.equal(message.content().stream().filter(ContentBlock::isToolUse)
                    .map(block -> block.asToolUse()._input()).toList(), inputs.stream().map(JsonValue::from).toList());
        });
    }

    private static void repliesToCall(Function<MessageCreateParams, Message> send) throws Exception {
        MessageCreateParams.Builder first = ask("tool").addTool(tool("weather")).enabledThinking(2000).maxTokens(4000);
        Message reply = send.apply(first.build());
        String id = reply.content().getLast().asToolUse().id();
        var result = ToolResultBlockParam.builder().toolUseId(id).content("sunny").build();
        Message last = send.apply(first.addMessage(reply)
                .addUserMessageOfContentBlockParams(List.of(ContentBlockParam.ofToolResult(result))).build());
        Check.equal(texts(last), "The tools said: sunny");
        Check.holds(Check.seen().contains("\"reasoning_content\":\"A tool will know. \""), Check.seen());
    }

    private static void parses() throws Exception {
        City city = CLIENT.messages().create(ask("json").outputConfig(City.class).build()).content().getFirst().asText().text();
        Check.equal(city.city + city.people, "Oslo700000");
        Check.holds(Check.seen().contains("\"type\":\"json_schema\""), Check.seen());
    }

    private static void runsTools(boolean byDefault) throws Exception {
        ASKED.clear();
        var params = com.anthropic.models.beta.messages.MessageCreateParams.builder().model("steps").maxTokens(1000)
                .system("Be short.").addUserMessage("Do it.").addTool(Weather.class).build();
        var settings = ToolRunnerCreateParams.builder().initialMessageParams(params);
        BetaMessage last = null;
        var runner = CLIENT.beta().messages().toolRunner(byDefault ? settings.build() : settings.thread(false).build());
        for (BetaMessage message : runner) last = message;
        Check.equal(ASKED, List.of("Oslo", "Rome"));
        Check.equal(last.content().getFirst().asText().text(), "The tools said: rain in Oslo | rain in Rome");
        Check.equal(Check.requests(), 3);
        Check.equal(Check.seen().split("\"Be short.\"", -1).length - 1, 3);
    }

    private static void counts() throws Exception {
        var params = MessageCountTokensParams.builder().model("text").addUserMessage("Do it.");
        long few = CLIENT.messages().countTokens(params.build()).inputTokens();
        long more = CLIENT.messages().countTokens(params.addTool(tool("weather")).build()).inputTokens();
        Check.holds(0 < few && few < more, few + ", " + more);
        Check.equal(Check.requests(), 0);
    }

    private static void lists() {
        var ids = CLIENT.models().list(ModelListParams.builder().limit(2).build()).autoPager().stream().map(ModelInfo::id).toList();
        Check.equal(ids, List.of("claude-mock", "anthropic/text", "anthropic/org/model:tag", "anthropic/ünï code", "anthropic/last"));
        ids.forEach(id -> Check.equal(CLIENT.models().retrieve(id).id(), id));
        Check.failure(NotFoundException.class, () -> CLIENT.models().retrieve("nobody/knows"));
    }

    private static void errors() throws Exception {
        Object[][] table = {{"error-400", "BadRequestException", 400, 1}, {"error-401", "UnauthorizedException", 401, 1},
            {"quota", "PaymentRequiredException", 402, 1}, {"error-403", "PermissionDeniedException", 403, 1},
            {"error-404", "NotFoundException", 404, 1}, {"error-413", "ContentTooLargeException", 413, 1},
            {"error-429", "RateLimitException", 429, 1}, {"error-500", "InternalServerException", 500, 1},
            {"error-503", "OverloadedException", 529, 3}, {"early", "RateLimitException", 429, 1}};
        for (Object[] row : table) {
            Check.check(row[0] + " is " + row[1], () -> {
                for (var way : WAYS.entrySet()) {
                    int before = Check.requests();
                    var e = Check.failure(AnthropicServiceException.class, () -> way.getValue().apply(ask((String) row[0]).build()));
                    Check.equal(e.getClass().getSimpleName(), row[1]);
                    Check.equal(e.statusCode(), row[2]);
                    Check.holds(e.requestId().orElse("").startsWith("req_"), way.getKey() + " " + e.requestId());
                    Check.equal(Check.requests() - before, row[3]);
                }
            });
        }
        Check.check("overflow", () -> Check.equal(Check.failure(BadRequestException.class,
                () -> CLIENT.messages().create(ask("overflow").build())).apiMessage().orElse(""),
                "prompt is too long: 140000 tokens > 128000 maximum"));
    }

    private static void breaksOff() throws Exception {
        for (String model : List.of("cut", "cut-call", "unfinished", "late")) {
            Exception e = Check.failure(AnthropicException.class, () -> streamed(ask(model).addTool(tool("weather")).build()));
            Check.holds(e.getMessage().contains("api_error"), e);
        }
        Check.equal(Check.requests(), 4);
    }
}
