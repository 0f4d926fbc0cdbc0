package translate;

import config.Api;
import java.util.List;

/**
 * What refusals teach about the Responses API: that a model wants it, that a backend has none, and what
 * differs in it (Lessons).
 *
 * <p>Above each lesson stand refusals as vendors say them; a test reads them from here.
 */
final class ResponsesLessons {
    private static final String NO_ROUTE = "the backend has no such path"; // A2o's

    static final List<Lesson> LESSONS = List.of(
            // OpenAI: Function tools with reasoning_effort are not supported. Please use /v1/responses instead.
            // OpenAI: This model is only supported in v1/responses and not in v1/chat/completions.
            // OpenAI: This is not a chat model and thus not supported in the v1/chat/completions endpoint.
            // Copilot: model "gpt-5.3-codex" is not accessible via the /chat/completions endpoint
            // Copilot: {"error":{"message":"not supported","code":"unsupported_api_for_model"}}
            new Lesson("the model wants the Responses API", Wording.of("v1/responses", "not a chat model",
                    "unsupported_api_for_model", "not accessible via the /chat/", "not accessible via the chat/"),
                    new Trait.Spoken(Api.RESPONSES)),

            // A2o: the backend has no such path: {"message":"Invalid URL (POST /v1/responses)"}
            new Lesson("there is no Responses API", Wording.of(NO_ROUTE),
                    new Trait.Spoken(Api.CHAT)),

            // OpenAI: The encrypted content gAAA...xxx= could not be verified. Reason: not decrypted.
            // OpenAI: {"error":{"message":"not valid","code":"invalid_encrypted_content"}}
            // Some: {"error":{"message":"not valid","code":"thinking_signature_invalid"}}
            // Some: reasoning `encrypted_content` was not issued to this caller
            Lesson.once("reasoning of earlier turns cannot be opened", Wording.of("invalid_encrypted_content",
                    "thinking_signature_invalid", "encrypted_content' was not issued", "could not be verified"),
                    Trait.Habit.REASONING_UNOPENED),

            // OpenAI: Item 'rs_1' of type 'reasoning' was provided without its required following item.
            // OpenAI: Item 'fc_1' was provided without its required 'reasoning' item: 'rs_1'.
            // OpenAI: Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.
            Lesson.once("reasoning of earlier turns does not fit in",
                    Wording.of("provided without its required", "item with id"),
                    Trait.Habit.REASONING_LEFT_OUT),

            // OpenAI: Encrypted content is not supported with this model.
            // vLLM: Encrypted content is not supported.
            new Lesson("reasoning is not encrypted there",
                    Wording.of("encrypted content is not supported"),
                    new Trait.Omitted("encrypted_content")),

            // Some: Invalid value: 'reasoning.encrypted_content'. Supported values are: 'file_search_call.results'.
            new Lesson("reasoning cannot be had encrypted there",
                    Wording.of("value: 'reasoning.encrypted_content'", "value 'reasoning.encrypted_content'"),
                    new Trait.Omitted("encrypted_content")),

            // OpenAI: Your organization must be verified to generate reasoning summaries.
            new Lesson("reasoning is not shown to this organization",
                    Wording.of("organization must be verified"),
                    Trait.Habit.SUMMARIES_REFUSED),

            // OpenAI: Unsupported parameter: 'reasoning.effort' is not supported with this model.
            // OpenAI: Unsupported parameter: 'reasoning.summary' is not supported with this model.
            // Some: Unknown parameter: 'reasoning.summary'.
            new Lesson("the model does not reason, in the Responses API",
                    Wording.of("'reasoning.effort' is not supported", "'reasoning.summary' is not supported",
                            "unknown parameter: 'reasoning.effort'", "unknown parameter: 'reasoning.summary'"),
                    new Trait.Omitted("reasoning")),

            // OpenAI: Unsupported value: 'none'. Supported values are: 'low' and 'max'., param reasoning.effort
            new Lesson("the effort has other values there", Wording.of("reasoning.effort"), said ->
                    Lesson.each(Trait.Efforts.in(said.text()), Trait.Efforts::new)),

            // OpenAI: The following tools cannot be used with reasoning.effort 'minimal': web_search.
            Lesson.once("so little effort excludes a tool", Wording.of("cannot be used with reasoning.effort"),
                    new Trait.Efforts(List.of("low"))),

            // OpenAI: Invalid parameter: 'text.format' of type 'json_schema' is not supported with model version `gpt-4`.
            // OpenAI: Unsupported parameter: 'text.format' is not supported with this model.
            new Lesson("replies of a given format are not to be had there",
                    Wording.of("parameter: 'text.format'"),
                    new Trait.Omitted("text")),

            // OpenRouter: Invalid Responses API request: expected include without web_search_call
            // Some: Invalid value: 'web_search_call.action.sources'.
            new Lesson("the sources of a search are not told",
                    Wording.of("invalid", "support").and("web_search_call"),
                    new Trait.Omitted(Searches.SOURCES)),

            // Some: Invalid value: 'web_search'. Supported values are: 'function'.
            // Some: tools[0].type: web_search is not supported
            new Lesson("nobody searches the web there",
                    Wording.of("'web_search'", "'openrouter:web_search'",
                    "web_search is not", "web_search tool"),
                    Trait.Habit.WEB_SEARCH_REFUSED),

            // llama.cpp: Output of tool call should be 'Input text'
            // Some: input[3].output[0]: unsupported
            new Lesson("results hold text alone",
                    Wording.of("output of tool call should be", "].output["),
                    Trait.Habit.FILES_IN_NEXT_MESSAGE),

            // Some: System messages are not allowed
            new Lesson("system messages have another name",
                    Wording.of("system messages are not allowed"),
                    Trait.Habit.SYSTEM_AS_DEVELOPER));

    private ResponsesLessons() { }

    /** {@return a refusal that teaches to ask by the other API, for the path of this one does not exist} */
    static String noRoute(String refusal) { return NO_ROUTE + ": " + refusal; }
}
