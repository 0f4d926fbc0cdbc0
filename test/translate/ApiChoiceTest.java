package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import config.Api;
import config.CommandLine;
import config.Options;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which API a backend is asked by, at first and after its refusals (RESPONSES R.5). */
class ApiChoiceTest {
    private static final String WANTS_RESPONSES = "Function tools with reasoning_effort are not supported for m in"
            + " /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.";
    private static final String NO_ROUTE = ResponsesLessons.noRoute("Invalid URL (POST /v1/responses)");

    private static Dialect dialect(String url) {
        String[] words = {"--upstream", url};
        return Dialect.of(Options.of(CommandLine.read(words, Map.of())).upstreams().getFirst());
    }

    private static List<Map<String, String>> lessons(Dialect dialect, String refusal) {
        return dialect.afterRefusal(refusal, List.of(), List.of()).map(Dialect::learnedWords).toList();
    }

    @ParameterizedTest
    @CsvSource({"https://api.openai.com, RESPONSES", "https://api.openai.com/v1, RESPONSES",
        "https://eu.api.openai.com/v1, RESPONSES", "https://api.openai.com/v1/chat/completions, CHAT",
        "https://acme.openai.azure.com/openai/v1, RESPONSES", "https://acme.openai.azure.com/openai/v1/responses, RESPONSES",
        "https://acme.openai.azure.com/openai/deployments/gpt-5, CHAT", "https://api.x.ai/v1, RESPONSES",
        "https://openrouter.ai/api/v1, CHAT", "https://openrouter.ai/api/v1/responses, RESPONSES",
        "http://localhost:8000, CHAT", "http://localhost:8000/v1/responses, RESPONSES", "demo, CHAT"})
    void theHostOrTheUrlSaysByWhichApiItIsAsked(String url, Api api) {
        assertEquals(api, dialect(url).api());
    }

    @Test
    void aRefusalOfChatTeachesResponsesBeforeAnythingElse() {
        assertEquals(List.of(Map.of("api", "responses"), Map.of("effort with tools", "none")),
                lessons(dialect("http://h.test"), WANTS_RESPONSES).subList(0, 2));
    }

    @Test
    void aPinnedApiIsKept() {
        List<Map<String, String>> chat = lessons(dialect("http://h.test/v1/chat/completions"), WANTS_RESPONSES);
        assertEquals(Map.of("effort with tools", "none"), chat.getFirst());
        assertEquals(List.of(), lessons(dialect("http://h.test/v1/responses"), NO_ROUTE));
    }

    @Test
    void aMissingRouteTeachesChatForAllModels() {
        Dialect chat = dialect("https://api.openai.com/v1").afterRefusal(NO_ROUTE, List.of(), List.of()).findFirst().orElseThrow();
        assertEquals(Map.of("api", "chat"), chat.learnedWords());
        assertEquals(Api.CHAT, chat.api());
        assertTrue(chat.takes("service_tier"), "by the row of OpenAI's chat completions");
        assertEquals(chat.learnedWords(), dialect("https://api.openai.com/v1").withLessonsForAllOf(chat).learnedWords());
    }

    @Test
    void itNeverGoesBackAndForth() {
        Dialect responses = dialect("http://h.test").afterRefusal(WANTS_RESPONSES, List.of(), List.of()).findFirst().orElseThrow();
        Dialect chat = responses.afterRefusal(NO_ROUTE, List.of(), List.of()).findFirst().orElseThrow();
        assertEquals(Map.of("api", "chat", "effort with tools", "none"), chat.learnedWords());
        assertTrue(chat.afterRefusal(WANTS_RESPONSES, List.of(), List.of()).noneMatch(next -> next.api() == Api.RESPONSES));
        assertEquals(List.of(), lessons(chat, "This is not a chat model and thus not supported"));
    }
}
