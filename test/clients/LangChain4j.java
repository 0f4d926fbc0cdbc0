import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.HttpException;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.anthropic.AnthropicChatModel;
import dev.langchain4j.model.anthropic.AnthropicStreamingChatModel;
import dev.langchain4j.model.anthropic.AnthropicTokenCountEstimator;
import dev.langchain4j.model.anthropic.internal.api.AnthropicStreamingException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A2o with LangChain4j's models for Anthropic, which have a client of their own. Run by run.mjs. */
final class LangChain4j {
    private static final String BASE = Check.A2O + "/v1/";
    private static final ToolSpecification WEATHER = ToolSpecification.builder().name("weather").description("of a city")
            .parameters(JsonObjectSchema.builder().addStringProperty("city").required("city").build()).build();
    private static final ToolSpecification NOW = ToolSpecification.builder().name("now").description("the time").build();

    /** A way to send a request: whole or streamed. */
    interface Way {
        ChatResponse send(String model, List<ChatMessage> messages) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        check("chat", LangChain4j::whole);
        check("stream", LangChain4j::streamed);
        Check.check("token count", () -> {
            var estimator = AnthropicTokenCountEstimator.builder().baseUrl(BASE).apiKey("a-key").modelName("text").build();
            Check.holds(estimator.estimateTokenCountInText("Some words to count.") > 0, "no tokens");
            Check.equal(Check.requests(), 0);
        });
        System.exit(0);
    }

    private static void check(String name, Way way) throws Exception {
        List<ChatMessage> ask = List.of(SystemMessage.from("Be short."), UserMessage.from("Do it."));
        Check.check(name + ": text, reasoning, usage", () -> {
            ChatResponse response = way.send("reasoning", ask);
            Check.equal(response.aiMessage().text(), Check.TEXT);
            Check.equal(response.aiMessage().thinking(), "Let me think, ünd more. ");
            Check.equal(response.finishReason(), FinishReason.STOP);
            Check.equal(response.tokenUsage().inputTokenCount(), 20);
            Check.equal(response.tokenUsage().outputTokenCount(), 10);
            Check.equal(way.send("length", ask).finishReason(), FinishReason.LENGTH);
        });
        Check.check(name + ": calls, one without arguments", () -> {
            Check.equal(arguments(way.send("noargs", ask)), List.of("{}"));
            Check.equal(arguments(way.send("tool", ask)), List.of("{\"city\":\"Köln\\\"am\\\"Rhein\\n\"}"));
            Check.equal(arguments(way.send("parallel", ask)), List.of("{\"city\":\"Oslo\"}", "{\"city\":\"Rome\"}"));
        });
        Check.check(name + ": tools over several steps, thinking goes back", () -> {
            for (String model : List.of("tool", "steps")) {
                Check.holds(loop(way, model, ask).startsWith("The tools said: sunny"), model);
            }
            Check.holds(Check.seen().contains("\"reasoning_content\":\"A tool will know. \""), Check.seen());
            Check.equal(Check.requests(), 5);
        });
        Check.check(name + ": errors", () -> {
            error(InvalidRequestException.class, 400, way, "error-400", ask);
            error(AuthenticationException.class, 401, way, "error-401", ask);
            error(InvalidRequestException.class, 402, way, "quota", ask);
            error(AuthenticationException.class, 403, way, "error-403", ask);
            error(ModelNotFoundException.class, 404, way, "error-404", ask);
            error(RateLimitException.class, 429, way, "error-429", ask);
            error(InternalServerException.class, 500, way, "error-500", ask);
            error(InternalServerException.class, 529, way, "error-503", ask);
            error(InvalidRequestException.class, 400, way, "overflow", ask);
        });
        Check.check(name + ": what breaks off is an error", () -> {
            for (String model : List.of("cut", "cut-call", "unfinished", "late")) {
                Exception e = Check.failure(LangChain4jException.class, () -> way.send(model, ask));
                Check.holds(e instanceof InternalServerException || e instanceof AnthropicStreamingException, model + ": " + e);
            }
        });
    }

    private static void error(Class<? extends Exception> type, int status, Way way, String model, List<ChatMessage> ask) {
        Exception e = Check.failure(type, () -> way.send(model, ask));
        Check.holds(e.getCause() instanceof HttpException http && http.statusCode() == status, model + ": " + e.getCause());
    }

    private static List<String> arguments(ChatResponse response) {
        Check.equal(response.finishReason(), FinishReason.TOOL_EXECUTION);
        return response.aiMessage().toolExecutionRequests().stream().map(ToolExecutionRequest::arguments)
                .map(json -> json.replaceAll("\\s", "")).toList();
    }

    /** {@return the model's last words, after all its calls were answered} */
    private static String loop(Way way, String model, List<ChatMessage> ask) throws Exception {
        List<ChatMessage> messages = new ArrayList<>(ask);
        AiMessage reply = way.send(model, messages).aiMessage();
        while (reply.hasToolExecutionRequests()) {
            messages.add(reply);
            reply.toolExecutionRequests().forEach(call -> messages.add(ToolExecutionResultMessage.from(call, "sunny")));
            reply = way.send(model, messages).aiMessage();
        }
        return reply.text();
    }

    private static ChatRequest request(List<ChatMessage> messages) {
        return ChatRequest.builder().messages(messages).toolSpecifications(WEATHER, NOW).build();
    }

    private static ChatResponse whole(String model, List<ChatMessage> messages) {
        return AnthropicChatModel.builder().baseUrl(BASE).apiKey("a-key").modelName(model).maxTokens(1000).maxRetries(0)
                .returnThinking(true).sendThinking(true).build().chat(request(messages));
    }

    private static ChatResponse streamed(String model, List<ChatMessage> messages) throws Exception {
        var done = new CompletableFuture<ChatResponse>();
        var heard = new StringBuilder();
        AnthropicStreamingChatModel.builder().baseUrl(BASE).apiKey("a-key").modelName(model).maxTokens(1000)
                .returnThinking(true).sendThinking(true).build().chat(request(messages), new StreamingChatResponseHandler() {
                    @Override
                    public void onPartialResponse(String text) {
                        heard.append(text);
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        done.complete(response);
                    }

                    @Override
                    public void onError(Throwable e) {
                        done.completeExceptionally(e);
                    }
                });
        ChatResponse response;
        try {
            response = done.get(20, TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
        Check.holds(response.aiMessage().text() == null || heard.toString().equals(response.aiMessage().text()), heard);
        return response;
    }
}
