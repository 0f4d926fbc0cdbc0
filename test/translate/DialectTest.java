package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import config.CommandLine;
import config.Options;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is known of a backend by its address, and what its refusals add to that. */
class DialectTest {
    private static Dialect of(String url) throws Exception {
        return Dialect.of(Options.of(CommandLine.read(new String[] {"--upstream", url}, Map.of())).upstreams().getFirst());
    }

    private static Dialect after(Dialect dialect, String... refusals) {
        Dialect known = dialect;
        for (String refusal : refusals) known = known.afterRefusal(refusal, List.of(), List.of()).findFirst().orElseThrow();
        return known;
    }

    @Test
    void aHostIsKnownByTheEndOfItsNameOrByItsPort() throws Exception {
        assertEquals("max_completion_tokens", of("https://api.openai.com/v1/chat/completions").name("max_tokens"));
        assertEquals("max_completion_tokens", of("https://x.openai.azure.com/v1").name("max_tokens"));
        assertTrue(of("https://x.openai.azure.com/v1").takesApiKeyHeader());
        assertEquals("max_tokens", of("http://backend.test/v1").name("max_tokens"));
        assertEquals(Trait.Thinking.TEMPLATE, of("http://127.0.0.1:8000/v1").thinking());
        assertEquals(Trait.Thinking.OBJECT, of("http://127.0.0.1:8001/v1").thinking());
        assertEquals(Trait.EffortForm.OBJECT, of("https://openrouter.ai/api/v1").effortForm());
        assertTrue(of("http://127.0.0.1:11434/v1").forcesToolAlone());
    }

    @Test
    void whatFewKnowIsSentOnlyWhereItIsKnown() throws Exception {
        for (String member : List.of("store", "service_tier", "prompt_cache_key", "top_k", "tool_stream", "cache_control",
                "stop")) {
            assertFalse(of("http://backend.test/v1").takes(member), member);
        }
        assertTrue(of("https://api.openai.com/v1/chat/completions").takes("store"));
        assertTrue(of("https://openrouter.ai/api/v1").takes("cache_control"));
        assertTrue(of("http://backend.test/v1").takes("temperature"));
    }

    @Test
    void stopSequencesGoToThoseWhoNameTheOneThatTheyMet() throws Exception {
        Dialect unknown = of("http://127.0.0.1:8000/v1"); // vLLM listens there, and others who do not name it
        assertFalse(unknown.takes("stop"));
        Dialect vllm = unknown.withStopsNamed(false);
        assertTrue(vllm.takes("stop"));
        assertFalse(after(vllm, "Unsupported parameter: 'stop'.").takes("stop"));
        assertFalse(vllm.withStopsNamed(true).withStopsNamed(false).takes("stop"));
    }

    @Test
    void aMemberMayBeRefusedByEitherOfItsNames() throws Exception {
        Dialect router = of("https://openrouter.ai/api/v1");
        assertTrue(router.takes("reasoning_effort"));
        assertFalse(after(router, "Unknown parameter: 'reasoning'.").takes("reasoning_effort"));
        assertFalse(after(router, "Unknown parameter: 'reasoning_effort'.").takes("reasoning_effort"));
        Dialect template = of("http://127.0.0.1:8000/v1");
        assertFalse(after(template, "Unknown parameter: 'chat_template_kwargs'.").takes("thinking"));
    }

    @Test
    void aReplysLengthIsBroughtWithinWhatTheBackendTakes() throws Exception {
        Dialect known = after(of("http://backend.test"), "max_tokens must be at most 8192", "max_tokens must be at least 16");
        assertEquals(List.of(16L, 16L, 100L, 8192L, 8192L), List.of(known.replyTokens(1), known.replyTokens(16),
                known.replyTokens(100), known.replyTokens(8192), known.replyTokens(100_000)));
        assertEquals(7, of("http://backend.test").replyTokens(7));
    }

    @Test
    void anEffortIsReplacedOrBroughtToTheNearest() throws Exception {
        assertEquals(Optional.of("high"), of("https://api.deepseek.com").effort(Optional.of("medium")));
        assertEquals(Optional.of("none"), of("https://api.mistral.ai/v1").effort(Optional.of("none")));
        assertEquals(Optional.of("high"), of("https://api.mistral.ai/v1").effort(Optional.of("low")));
        assertEquals(Optional.empty(), of("https://api.mistral.ai/v1").effort(Optional.empty()));
        assertEquals(Optional.of("odd"), of("https://api.mistral.ai/v1").effort(Optional.of("odd")));
        Dialect never = after(of("http://backend.test"), "Function tools with reasoning_effort are not supported");
        assertFalse(never.takesEffortWithTools());
        Dialect all = of("http://backend.test");
        assertEquals(Optional.of("xhigh"), all.effort(Optional.of("xhigh")));
    }

    @Test
    void lessonsOfTwoRequestsAddUp() throws Exception {
        Dialect base = of("http://backend.test");
        Dialect one = after(base, "Unknown parameter: 'temperature'.");
        Dialect other = after(base, "Unknown parameter: 'top_p'.");
        assertEquals(Map.of("temperature", "", "top_p", ""), one.withLessonsOf(other).learnedWords());
        assertEquals(one.withLessonsOf(other), other.withLessonsOf(one));
        assertEquals(Map.of(), base.learnedWords());
    }

    @Test
    void aLaterLessonAboutTheSameCounts() throws Exception {
        Dialect known = after(of("https://api.openai.com/v1/chat/completions"), "unknown field max_completion_tokens");
        assertEquals("max_tokens", known.name("max_tokens"));
        known = after(known, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.");
        assertEquals("max_completion_tokens", known.name("max_tokens"));
    }

    @Test
    void whatIsKnownAlreadyTeachesNothing() throws Exception {
        Dialect llama = of("http://backend.test").servedBy("llama.cpp");
        assertTrue(llama.forcesToolAlone() && llama.repeatsBegunReply());
        assertSame(llama, llama.servedBy("llama.cpp"));
        Dialect base = of("http://backend.test");
        assertSame(base, base.servedBy("uvicorn"));
        Dialect wise = after(base, "Unknown parameter: 'user'.");
        assertSame(wise, wise.afterRefusal("Unknown parameter: 'user'.", List.of(), List.of()).findFirst().orElseThrow());
    }

    @Test
    void aWrongValueIsNoPropertyOfTheBackend() throws Exception {
        Dialect once = after(of("http://backend.test"), "Invalid 'temperature': must be at most 1");
        assertFalse(once.takes("temperature"));
        assertFalse(once.hasLearned());
        assertTrue(after(of("http://backend.test"), "Unknown parameter: 'temperature'.").hasLearned());
    }
}
