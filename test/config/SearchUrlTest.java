package config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The values of --search and --search-header. */
class SearchUrlTest {
    private static Options options(String... args) {
        String[] all = Stream.concat(Stream.of("--upstream", "one=http://one.test", "--upstream", "two=http://two.test"),
                Stream.of(args)).toArray(String[]::new);
        return Options.of(CommandLine.read(all, Map.of()));
    }

    private static SearchSite site(String... args) {
        return options(args).upstreams().getFirst().search().orElseThrow();
    }

    private static String asked(String url) { return site("--search", url).url("a b&c=é").toString(); }

    @Test
    void theWordsStandWhereTheUrlSays() {
        String words = "a%20b%26c%3D%C3%A9";
        assertEquals("http://s.test/search?format=json&q=" + words, asked("http://s.test/search?format=json"));
        assertEquals("http://s.test/search?format=json&q=" + words, asked("http://s.test"));
        assertEquals("http://s.test:8888/search?format=json&q=" + words, asked("http://s.test:8888/"));
        assertEquals("https://s.test/web/search?q=" + words, asked("https://s.test/web/search"));
        assertEquals("https://s.test/find/" + words + "?n=3", asked("https://s.test/find/{query}?n=3"));
        assertEquals("https://s.test/?p=" + words + "&n=3", asked("https://s.test/?p={query}&n=3"));
    }

    @Test
    void userAndPasswordBecomeAHeader() {
        SearchSite site = site("--search", "https://me:secret@s.test/search?format=json");
        assertEquals("https://s.test/search?format=json&q=x", site.url("x").toString());
        assertEquals(List.of(new Header("Authorization", "Basic bWU6c2VjcmV0")), site.headers());
        assertEquals("s.test", site.label());
    }

    @Test
    void whatIsNoUrlIsRefusedWithoutBeingShown() {
        for (String wrong : List.of("s.test", "localhost:8888", "ftp://s.test/", "http://", "http://s.test/a b", "http://s.test/#{query}",
                "http://{query}/", "https://{query}.s.test/search?u=q.s.test", "http://{query}@s.test/")) {
            String message = assertThrows(UsageError.class, () -> options("--search", wrong)).getMessage();
            assertTrue(message.startsWith("a2o: --search: a URL like http://localhost:8888/search?format=json expected"), message);
        }
        String key = "sk-ant-api03-0123456789";
        for (String[] args : new String[][] {{"--search", "http://s.test/?key=" + key},
            {"--search", "http://s.test", "--search-header", "X-Key: " + key}}) {
            String message = assertThrows(UsageError.class, () -> options(args)).getMessage();
            assertTrue(message.contains("Anthropic's hosts alone"), message);
            assertFalse(message.contains(key), message);
        }
        assertTrue(assertThrows(UsageError.class, () -> options("--search", "http://s.test", "--search-header", "no colon"))
                .getMessage().startsWith("a2o: --search-header: 'Name: value' expected"));
    }

    @Test
    void aBackendMayHaveItsOwn() {
        Options options = options("--search", "http://all.test", "--search", "http://mine.test@two",
                "--search-header", "A: 1", "--search-header", "B: 2@two");
        SearchSite one = options.upstreams().get(0).search().orElseThrow();
        SearchSite two = options.upstreams().get(1).search().orElseThrow();
        assertEquals("all.test", one.label());
        assertFalse(one.isForOne());
        assertEquals(List.of(new Header("A", "1")), one.headers());
        assertEquals("mine.test", two.label());
        assertTrue(two.isForOne());
        assertEquals(List.of(new Header("A", "1"), new Header("B", "2")), two.headers());
        assertEquals(Optional.empty(), options("--search", "http://mine.test@two").upstreams().getFirst().search());
        assertEquals(Optional.empty(), options("--search", " ").upstreams().getFirst().search());
    }

    @Test
    void keysOfTheServiceAreSecretsAndCost() {
        Options options = options("--search", "https://s.test/search?api_key=0123456789abcdef",
                "--search-header", "X-Subscription-Token: fedcba9876543210");
        assertEquals("(key) and (key)", options.secrets().mask("0123456789abcdef and fedcba9876543210"));
        String open = "0.0.0.0";
        for (String[] args : new String[][] {{"--search", "https://s.test/search?api_key=x1y2z3", "--host", open},
            {"--search", "https://s.test/", "--search-header", "Authorization: Bearer x", "--host", open}}) {
            assertTrue(assertThrows(UsageError.class, () -> options(args)).getMessage().contains("needs --auth-key"));
        }
        assertEquals(open, options("--search", "http://s.test", "--host", open).host());
    }
}
