package translate;

/**
 * Why a search in the web has no results: the {@code error_code} of a {@code web_search_tool_result_error}.
 *
 * <p>Source: Anthropic, "Web search tool", "Errors"; the types of its SDKs.
 */
public enum SearchFailure {
    UNAVAILABLE("unavailable", "the search service does not answer; say so, and make up no results"),
    TOO_MANY_REQUESTS("too_many_requests", "the search service wants fewer requests; go on without it"),
    MAX_USES_EXCEEDED("max_uses_exceeded", "no more searches are allowed; answer by what was found"),
    QUERY_TOO_LONG("query_too_long", "the query is too long; use fewer words"),
    INVALID_INPUT("invalid_tool_input", "a query is missing");

    private final String code;
    private final String advice;

    SearchFailure(String code, String advice) {
        this.code = code;
        this.advice = advice;
    }

    String code() { return code; }

    /** {@return what the model is told about an error of that code} */
    static String words(String code) {
        for (SearchFailure failure : values()) {
            if (failure.code.equals(code)) return "The search has failed: %s.".formatted(failure.advice);
        }
        return "The search has failed.";
    }
}
