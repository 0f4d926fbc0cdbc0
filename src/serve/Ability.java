package serve;

/** What Claude Code uses of a backend, in the order in which {@code --check} tries it. */
enum Ability {
    CONNECTION("connection", true),
    KEY("key", true),
    MODEL("model", true),
    PLAIN_REPLY("plain reply", true),
    STREAMED_REPLY("streamed reply", true),
    TOKEN_COUNTS("token counts", false),
    TOOL_CALL("tool call", true),
    PARALLEL_CALLS("parallel calls", false),
    TOOL_RESULT("tool result", true),
    REASONING("reasoning", false),
    IMAGE("image", false),
    JSON_SCHEMA("JSON schema", false),
    STOP_SEQUENCE("stop sequence", false),
    MODEL_ERRORS("model errors", false),
    WEB_SEARCH("web search", false),
    NEXT_BACKEND("next backend", false);

    private final String shown;
    private final boolean isRequired;

    Ability(String shown, boolean isRequired) {
        this.shown = shown;
        this.isRequired = isRequired;
    }

    /** {@return whether Claude Code does not work without it} */
    boolean isRequired() { return isRequired; }

    @Override public String toString() { return shown; }
}
