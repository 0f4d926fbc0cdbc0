import java.util.List;

/**
 * What a backend accepts, where it differs from plain chat completions. This is data, chosen by the upstream's host;
 * everything that is not in the table is {@link #GENERIC}.
 *
 * @param hosts how the names of the hosts end that speak it
 * @param maxTokensField the member that limits the reply: {@code max_tokens} or {@code max_completion_tokens}
 * @param systemAnywhere whether a system message may stand in mid-conversation; if not, the user's turn takes its text
 * @param replaysReasoning whether reasoning of earlier turns may be sent back
 * @param thinkingSwitch whether it takes {@code thinking:{type}}; if not, thinking is switched off by the effort "none"
 * @param effortField the member that says how much to think, and {@code effortPattern} the effort's shape in it
 * @param openai whether it takes what OpenAI alone knows: {@code service_tier}, {@code store}
 */
record Dialect(String hosts, String maxTokensField, boolean systemAnywhere, boolean replaysReasoning,
               boolean thinkingSwitch, String effortField, String effortPattern, boolean openai) {
    private static final Dialect GENERIC = new Dialect("", "max_tokens", false, true, true, "reasoning_effort", "%", false);

    /** Source: the vendors' API references, November 2026. */
    private static final List<Dialect> KNOWN = List.of(
            new Dialect("api.openai.com", "max_completion_tokens", true, false, false, "reasoning_effort", "%", true),
            new Dialect(".openai.azure.com", "max_completion_tokens", true, false, false, "reasoning_effort", "%", false),
            new Dialect("openrouter.ai", "max_tokens", true, true, false, "reasoning", "{'effort':%}", false));

    static Dialect of(String host) {
        return KNOWN.stream().filter(dialect -> host.endsWith(dialect.hosts)).findFirst().orElse(GENERIC);
    }
}
