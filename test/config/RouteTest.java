package config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which backends a request for a model goes to, by which name, and what window the model has. */
class RouteTest {
    private static Route.Table routes(String... args) {
        List<String> all = new ArrayList<>(List.of(args));
        all.addAll(List.of("--upstream", "http://one.test", "--upstream", "http://two.test"));
        return Options.of(CommandLine.read(all.toArray(String[]::new), Map.of())).routes();
    }

    /** {@return the model that the backend is asked for} */
    private static String model(String asked, String... args) { return routes(args).of(asked).model(); }

    @Test
    void theModelIsMapped() throws Exception {
        assertEquals("claude-x", model("claude-x"));
        assertEquals("m", model("claude-x", "--model", "m"));
        assertEquals("qwen3", model("anthropic/qwen3"), "as it is listed");
        assertEquals("anthropic/claude-3", model("anthropic/claude-3"), "OpenRouter's own name");
        assertEquals("small", model("claude-haiku-4-5", "--model", "m", "--map", "*haiku*=small"), "before --model");
        assertEquals("m", model("claude-opus", "--model", "m", "--map", "*haiku*=small"));
        assertEquals("first", model("a-b", "--map", "a*=first", "--map", "*=second"));
        assertEquals("second", model("b", "--map", "a*=first", "--map", "*=second"));
        assertEquals("M", model("x=y", "--map", "x=y=M"), "the last equals sign parts");
        assertEquals("M", model("anthropic/x", "--map", "anthropic/x=M"), "also with what the list adds");
    }

    @Test
    void patternsAreGlobs() throws Exception {
        String[][] matches = {{"claude-*", "claude-x"}, {"claude-*", "claude-"}, {"*", "any/thing:1.0"},
                {"claude-?", "claude-4"}, {"a?c*", "abc"}, {"a.b", "a.b"}, {"*[x]*", "a[x]b"}, {"a\\Eb", "a\\Eb"},
                {"a+(b)|c$", "a+(b)|c$"}, {"**", "x"}, {"\\Q*", "\\Qx"}};
        for (String[] each : matches) assertEquals("M", model(each[1], "--map", each[0] + "=M"), each[0]);
        String[][] others = {{"claude", "claude-x"}, {"laude-*", "claude-x"}, {"claude-?", "claude-45"},
                {"claude-?", "claude-"}, {"a.b", "axb"}, {"A", "a"}, {"[ab]", "a"}};
        for (String[] each : others) assertEquals(each[1], model(each[1], "--map", each[0] + "=M"), each[0]);
    }

    @Test
    void suffixesOfTheModelAreLeftOut() throws Exception {
        assertEquals("claude-x", model("claude-x[1m]"));
        assertEquals("M", model("claude-x[1m]", "--map", "claude-x=M"));
        assertEquals("m", model("claude-x[1m]", "--model", "m"));
        assertEquals("a[1m]b", model("a[1m]b"), "only at the end");
        assertEquals("M", model("x[1m]", "--map", "x[1m]=M"), "unless they are mapped");
        assertEquals("M", model("anthropic/x[1m]", "--map", "x[1m]=M"));
        assertEquals("M", model("claude-x[1m]", "--map", "*[1m]=M", "--map", "claude-x=N"), "the first counts");
        assertEquals("N", model("claude-x", "--map", "*[1m]=M", "--map", "claude-x=N"));
    }

    @Test
    void allBackendsAreAskedInTheOrderInWhichTheyAreGiven() {
        assertEquals(List.of("one.test", "two.test"),
                routes().of("m").targets().stream().map(Target::address).toList());
    }

    @Test
    void theOptionIsBeforeTheListOfTheBackend() {
        Route given = routes("--context", "64k").of("m");
        assertEquals(OptionalLong.of(64_000), given.context());
        Route unknown = routes().of("m");
        assertEquals(OptionalLong.empty(), unknown.context());
        assertEquals(OptionalLong.empty(), routes("--context", "0").of("m").context(), "0 is none");
    }

    // ---- named backends ----

    private static final String[] NAMED = {"--upstream", "local=http://one.test", "--upstream", "or=http://two.test"};

    private static Route.Table named(String... args) {
        String[] all = Stream.concat(Stream.of(NAMED), Stream.of(args)).toArray(String[]::new);
        return Options.of(CommandLine.read(all, Map.of())).routes();
    }

    /** {@return the model and the names of the backends, as "m at local or"} */
    private static String at(Route.Table routes, String asked) {
        Route route = routes.of(asked);
        List<String> names = route.targets().stream().map(Target::label).toList();
        return route.model() + " at " + String.join(" ", names);
    }

    @Test
    void aMappingChoosesTheBackends() {
        Route.Table routes = named("--map", "*haiku*=qwen3.8@local", "--map", "*=z-ai/glm-5.2@or,local");
        assertEquals("qwen3.8 at local", at(routes, "claude-haiku-4-5"));
        assertEquals("z-ai/glm-5.2 at or local", at(routes, "claude-opus-5-5"));
        assertEquals(Optional.of("z-ai/glm-5.2"), routes.mainModel());
        assertEquals("m at local or", at(named("--map", "a=x@or", "--model", "m"), "b"), "the others as before");
        assertEquals("x at local or", at(named("--map", "a=x"), "a"), "without a name: all in order");
        assertEquals("claude-3@20240620 at or", at(named("--map", "a=claude-3@20240620@or"), "a"));
        assertEquals("claude-3@20240620 at local or", at(named("--map", "a=claude-3@20240620"), "a"), "no name");
        assertEquals("@cf/meta/llama at local or", at(named("--map", "a=@cf/meta/llama"), "a"));
    }

    @Test
    void withoutNamedBackendsTheSignIsPartOfTheModel() {
        assertEquals("m@local", model("x", "--map", "x=m@local"));
    }

    @Test
    void aNameThatNoBackendHasIsSaid() {
        for (String name : List.of("locl", "or,locl", "LOCAL")) {
            UsageError e = assertThrows(UsageError.class, () -> named("--map", "a=x@" + name));
            assertTrue(e.getMessage().startsWith("a2o: --map: no --upstream has the name behind the last @; "
                    + "there are: local, or"), e.getMessage());
        }
        UsageError e = assertThrows(UsageError.class, () -> named("--map", "a=@or"));
        assertTrue(e.getMessage().contains("PATTERN=MODEL expected"), e.getMessage());
    }

    @Test
    void theNameOfABackendBeforeAModelIsARoute() {
        Route.Table routes = named("--map", "*haiku*=small@local", "--map", "*=big@or");
        assertEquals("qwen3 at local", at(routes, "local/qwen3"));
        assertEquals("z-ai/glm at or", at(routes, "or/z-ai/glm"));
        assertEquals("z-ai/glm at or", at(routes, "anthropic/or/z-ai/glm[1m]"), "as it is listed, with an addition");
        assertFalse(routes.of("or/z-ai/glm").isMapped());
        assertEquals("big at or", at(routes, "other/qwen3"), "no such backend");
        assertEquals("small at local", at(named("--map", "or/*=small@local"), "or/x"), "a pattern about that name");
        assertEquals("m at local or", at(named("--model", "m"), "or/x"), "whatever the client asks for");
    }

    @Test
    void theMainModelIsAskedForAtItsBackend() {
        assertEquals(Optional.of("or/big"), named("--map", "claude-*=big@or").mainModel(),
                "big alone would go to both");
        assertEquals(Optional.empty(), named("--map", "claude-*=big@or,local").mainModel());
    }

    @Test
    void theWindowIsThatOfTheBackend() {
        Route.Table routes = named("--context", "64k@local", "--context", "8k", "--context", "200k@or",
                "--map", "a=x@or", "--map", "b=x@local");
        assertEquals(OptionalLong.of(200_000), routes.of("a").context());
        assertEquals(OptionalLong.of(64_000), routes.of("b").context());
        assertEquals(OptionalLong.of(8_000), named("--context", "64k@local", "--context", "8k", "--map", "a=x@or")
                .of("a").context(), "for those that have none of their own");
    }

    @Test
    void namesThatTheOptionsServeAreKnown() {
        assertEquals(List.of("small", "m"), routes("--map", "small=x", "--map", "*-y=z", "--map", "a?=b", "--model",
                "m").names());
        assertTrue(routes("--map", "a*=x").of("ab").isMapped());
        assertFalse(routes("--map", "a*=x").of("b").isMapped());
        assertTrue(routes("--model", "m").of("b").isMapped());
        assertTrue(routes("--model", "m").hasModelForAll());
        assertFalse(routes("--map", "*=x").hasModelForAll(), "it could be had by another --map");
    }

    @Test
    void theMainModelIsTheOneOfClaudeCodesDefault() {
        assertEquals(Optional.of("big"), routes("--map", "*haiku*=small", "--map", "*=big").mainModel());
        assertEquals(Optional.empty(), routes().mainModel(), "it is not mapped");
        assertEquals(Optional.empty(), routes("--map", "claude-*=big", "--map", "big=small").mainModel(),
                "who asks for big gets small");
    }

    /** There would be no model left. */
    @Test
    void aNameOfABackendWithNothingBehindItIsAModel() {
        Route route = Options.of(CommandLine.read(new String[] {"local=http://one.test"}, Map.of())).routes().of("local/");
        assertEquals("local/", route.model());
    }
}
