package serve;

/** What Claude Code uses of a backend, in the order in which {@code --check} tries it. */
enum Ability {
    CONNECTION("connection", true, "start the backend, or mend --upstream"),
    KEY("key", true, "give the right one as A2O_UPSTREAM_KEY"),
    MODEL("model", true, "mend --upstream, whose path often ends in /v1, or give the model's name as "
            + "--model"),
    PLAIN_REPLY("plain reply", true, "the backend's own log says why"),
    STREAMED_REPLY("streamed reply", true, "the backend's own log says why; nothing before it may "
            + "hold streams up"),
    TOKEN_COUNTS("token counts", false, "nothing to do: A2o estimates them"),
    TOOL_CALL("tool call", true, "start the server with its tool flags (llama.cpp: --jinja; vLLM: "
            + "--enable-auto-tool-choice --tool-call-parser NAME; SGLang: --tool-call-parser NAME), "
            + "or take a model that calls tools"),
    PARALLEL_CALLS("parallel calls", false, "nothing to do: it will call one tool after the other"),
    TOOL_RESULT("tool result", true, "take a model whose chat template knows tools"),
    REASONING("reasoning", false, "to see thoughts, take a model that reasons, or start the server with its "
            + "reasoning parser"),
    IMAGE("image", false, "for screenshots, take a model that sees (llama.cpp: with --mmproj FILE)"),
    JSON_SCHEMA("JSON schema", false, "nothing to do; titles of sessions may be missing"),
    STOP_SEQUENCE("stop sequence", false, "run --check again: the model may count otherwise then"),
    MODEL_ERRORS("model errors", false, "look at the name twice: with a wrong one it answers too"),
    WEB_SEARCH("web search", false, "mend --search, or look whether the service runs");

    private final String shown;
    private final boolean isRequired;
    private final String advice;

    Ability(String shown, boolean isRequired, String advice) {
        this.shown = shown;
        this.isRequired = isRequired;
        this.advice = advice;
    }

    /** {@return whether Claude Code does not work without it} */
    boolean isRequired() { return isRequired; }

    /** {@return what to do where it is missing} */
    String advice() { return advice; }

    @Override public String toString() { return shown; }
}
