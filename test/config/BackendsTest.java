package config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the options say about each backend, by its name or for all. */
class BackendsTest {
    private static final String[] TWO = {"--upstream", "local=http://one.test", "or=https://two.test/api/v1"};

    private static Options options(String... args) {
        return Options.of(CommandLine.read(args, Map.of()));
    }

    /** {@return what two named backends get by further options} */
    private static <T> List<T> of(Function<Target, T> what, String... args) {
        String[] all = Stream.concat(Stream.of(TWO), Stream.of(args)).toArray(String[]::new);
        return options(all).upstreams().stream().map(what).toList();
    }

    private static List<String> keys(String... args) {
        return of(target -> target.key().orElse("-"), args);
    }

    private static List<List<String>> headers(String... args) {
        return of(target -> target.headers().stream().map(each -> each.name() + "=" + each.value()).toList(), args);
    }

    private static List<String> bodies(String... args) {
        return of(target -> target.extraBody().raw(), args);
    }

    private static String message(String... args) {
        return assertThrows(UsageError.class, () -> options(args)).getMessage();
    }

    @Test
    void aBackendMayHaveAName() {
        assertEquals(List.of("local", "or"), of(Target::label));
        assertEquals(List.of(URI.create("http://one.test/v1"), URI.create("https://two.test/api/v1")), of(Target::base));
        Target demo = options("--upstream", "d=demo").upstreams().getFirst();
        assertTrue(demo.isDemo());
        assertEquals("d", demo.label());
        assertEquals(Optional.empty(), options("http://h.test/v1?a=b").upstreams().getFirst().name());
        assertTrue(message("--upstream", "a=http://x.test", "--upstream", "a=http://y.test")
                .startsWith("a2o: --upstream: each name can be given to one backend only"));
        assertTrue(message("--upstream", "anthropic=http://x.test").contains("take another, as claude"));
        assertTrue(message("--upstream", "a=localhost:80").contains("http:// or https:// is missing"));
    }

    @Test
    void aKeyIsForThoseThatItNames() {
        assertEquals(List.of("-", "K"), keys("--upstream-key", "K@or"));
        assertEquals(List.of("L", "K"), keys("--upstream-key", "K@or", "--upstream-key", "L@local"));
        assertEquals(List.of("A", "K"), keys("--upstream-key", "A", "--upstream-key", "K@or"));
        assertEquals(List.of("K", "K"), keys("--upstream-key", "K@local,or"));
        assertEquals(List.of("A", "B"), keys("--upstream-key", "A", "--upstream-key", "B"), "one for each, as ever");
        assertEquals(List.of("A", "A"), keys("--upstream-key", "A"));
        assertEquals(List.of("-", "A"), keys("--upstream-key", "A", "--upstream-key", "@local"), "local gets the client's");
        assertEquals(List.of("p@ss.word", "p@ss.word"), keys("--upstream-key", "p@ss.word"), "no name");
        assertEquals(List.of("p@ss", "p@ss"), keys("--upstream-key", "p@ss@local,or"));
    }

    /** It would go to every backend otherwise. */
    @Test
    void aKeyForABackendThatThereIsNotIsRefusedAndNotShown() {
        String message = message(Stream.concat(Stream.of(TWO), Stream.of("--upstream-key", "SECRET@typo"))
                .toArray(String[]::new));
        assertTrue(message.contains("no --upstream has the name behind the last @; there are: local, or"), message);
        assertFalse(message.contains("SECRET") || message.contains("typo"), message);
    }

    @Test
    void headersAndBodiesAreForThoseThatTheyName() {
        assertEquals(List.of(List.of("A=1", "B=2"), List.of("A=1", "C=3")),
                headers("--header", "A: 1", "--header", "B: 2@local", "--header", "C: 3@or"));
        assertEquals(List.of(List.of("From=me@x.org"), List.of("From=me@x.org")), headers("--header", "From: me@x.org"));
        assertEquals(List.of("{\"a\":1}", "{\"b\":2}"), bodies("--extra-body", "{\"a\":1}", "--extra-body", "{\"b\":2}@or"));
        assertEquals(List.of("{\"b\":2}", "{\"b\":2}"), bodies("--extra-body", "{\"a\":1}", "--extra-body", "{\"b\":2}"),
                "the last one counts");
        assertEquals(List.of("{\"a\":\"x@or\"}", "{}"), bodies("--extra-body", "{\"a\":\"x@or\"}@local"));
    }

    @Test
    void aPasswordInTheUrlIsSentAsCurlSendsIt() {
        Object[][] rows = {
            {"https://me:pass@h.test/v1", "Basic bWU6cGFzcw=="}, {"https://me@h.test", "Basic bWU6"},
            {"https://me:p%40ss%3A@h.test", "Basic bWU6cEBzczo="}, {"a=https://me:pass@h.test/v1", "Basic bWU6cGFzcw=="}};
        for (Object[] row : rows) {
            Target target = options("--upstream", (String) row[0]).upstreams().getFirst();
            assertEquals(List.of(new Header("Authorization", (String) row[1])), target.headers(), (String) row[0]);
            assertEquals("h.test", target.address());
            assertTrue(target.isKeyOurs());
        }
        assertEquals(List.of(), options("https://@h.test").upstreams().getFirst().headers());
        assertTrue(message("https://me:pass@h.test", "--host", "0.0.0.0").contains("needs --auth-key"));
        Target target = options("https://me:sk-ant-1234@h.test").upstreams().getFirst();
        assertTrue(target.mustNotGet(target.headers().getFirst().value()), "it is held back as any other header");
    }

    @Test
    void thePasswordOfAUrlIsASecret() {
        Secrets secrets = options("https://me:correct-horse@h.test", "https://aVeryLongToken1@i.test").secrets();
        assertEquals("x (key) y", secrets.mask("x correct-horse y"));
        assertEquals("x (key) y", secrets.mask("x bWU6Y29ycmVjdC1ob3JzZQ== y"));
        assertEquals("x (key) y", secrets.mask("x aVeryLongToken1 y"), "a name alone may be the key");
    }

    @Test
    void aNameThatIsNoneIsSaid() {
        for (String name : List.of("gpu.1", "4090", "a/b", "a@b", "my gpu", "", "a".repeat(32))) {
            for (String address : List.of("http://x.test", "demo", "HTTPS://x.test/v1?a=b")) {
                String message = message("--upstream", name + "=" + address);
                assertTrue(message.startsWith("a2o: --upstream: a name has letters, digits, - and _, 31 at most"), message);
            }
        }
    }

    /** A slip in one of several names is not to become a part of the value. */
    @Test
    void namesMayStandApartAndEachMustBeKnown() {
        assertEquals(List.of("k", "k"), keys("--upstream-key", "k@local, or"));
        assertEquals(List.of("k", "-"), keys("--upstream-key", "k@local,local"));
        for (String names : List.of("local,,or", "or,", "local,4", "or, lo cal")) {
            String message = message("http://x.test", "local=http://one.test", "or=http://two.test", "--upstream-key", "k@" + names);
            assertTrue(message.contains("no --upstream has the name behind the last @"), message);
        }
        assertEquals(List.of("{\"a\":\"x@or\",\"b\":\"local\"}", "{\"a\":\"x@or\",\"b\":\"local\"}"),
                bodies("--extra-body", "{\"a\":\"x@or\",\"b\":\"local\"}"));
    }

    @Test
    void theNearestNameIsNamed() {
        String near = message("local=http://one.test", "or=http://two.test", "--context", "64k@locla");
        assertTrue(near.contains("there are: local, or; did you mean local? Where"), near);
        String far = message("local=http://one.test", "or=http://two.test", "--context", "64k@xyz");
        assertTrue(far.contains("there are: local, or. Where"), far);
    }

    @Test
    void theModelForAllIsForNoneAlone() {
        String message = message("local=http://one.test", "--model", "big@local");
        assertTrue(message.startsWith("a2o: --model: it is for all backends; for one, --map '*=big@local'"), message);
        assertEquals(Optional.of("big@2025"), options("local=http://one.test", "--model", "big@2025").routes().mainModel());
        assertEquals(Optional.of("big@local"), options("http://one.test", "--model", "big@local").routes().mainModel());
    }
}
