package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.Stream;
import json.JsonParser;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** allowed_domains and blocked_domains, as Anthropic's "Web search tool" has them. */
class DomainFilterTest {
    private static DomainFilter filter(String members) { return DomainFilter.of(JsonParser.parse("{" + members + "}")); }

    private static DomainFilter allowed(String domain) { return filter("\"allowed_domains\":[\"" + domain + "\"]"); }

    private static Stream<DynamicTest> cases(boolean isFor, String domain, String... urls) {
        return Stream.of(urls).map(url -> DynamicTest.dynamicTest(domain + " " + url, () -> {
            assertEquals(isFor, allowed(domain).allows(url));
            assertEquals(!isFor, filter("\"blocked_domains\":[\"" + domain + "\"]").allows(url));
        }));
    }

    @TestFactory
    Stream<DynamicTest> aDomainStandsForWhatIsBelowIt() {
        return Stream.of(
                cases(true, "example.com", "https://example.com", "http://example.com/a?b#c", "https://docs.example.com/",
                        "https://EXAMPLE.com:8443/", "https://example.com./", "https://a.b.example.com/x"),
                cases(false, "example.com", "https://notexample.com/", "https://example.com.evil.test/",
                        "https://evil.test/example.com", "https://example.org/"),
                cases(true, "docs.example.com", "https://docs.example.com/x"),
                cases(false, "docs.example.com", "https://example.com/", "https://api.example.com/"),
                cases(true, "example.com/blog", "https://example.com/blog", "https://example.com/blog/", "https://example.com/blog/one/two",
                        "https://www.example.com/blog/one"),
                cases(false, "example.com/blog", "https://example.com/", "https://example.com/blogger",
                        "https://example.com/other/blog"),
                cases(true, "example.com/*/articles", "https://example.com/en/articles", "https://example.com/en/articles/1"),
                cases(false, "example.com/*/articles", "https://example.com/articles", "https://example.com/en/news"),
                cases(true, "example.com/*", "https://example.com/x", "https://example.com/"),
                cases(true, "b\u00fccher.test", "https://xn--bcher-kva.test/", "https://a.xn--bcher-kva.test/b"),
                cases(true, "example.com.", "https://example.com/x"),
                cases(true, "https://Example.com/", "https://example.com/x")).flatMap(each -> each);
    }

    @Test
    void whereDomainsAreNamedAnAddressMustBeReadable() {
        assertEquals(true, filter("").allows("https://x.test/a b"));
        assertEquals(false, allowed("x.test").allows("https://x.test/a b"));
        assertEquals(false, filter("\"blocked_domains\":[\"x.test\"]").allows("https://x.test/a b"));
    }

    @Test
    void bothListsHold() {
        DomainFilter both = filter("\"allowed_domains\":[\"a.test\"],\"blocked_domains\":[\"b.a.test\"]");
        assertEquals(List.of(true, false, false), Stream.of("https://a.test/", "https://b.a.test/", "https://c.test/")
                .map(both::allows).toList());
    }

    @Test
    void theServiceIsToldOfTheAllowedOnes() {
        assertEquals("w", filter("").words("w"));
        assertEquals("w", filter("\"blocked_domains\":[\"x.test\"]").words("w"));
        assertEquals("w site:x.test/blog", allowed("x.test/blog/").words("w"));
        assertEquals("w (site:a.test OR site:b.test)", filter("\"allowed_domains\":[\"a.test\",\"b.test\"]").words("w"));
        String many = String.join(",", Stream.generate(() -> "\"x.test\"").limit(6).toList());
        assertEquals("w", filter("\"allowed_domains\":[" + many + "]").words("w"));
    }

    @Test
    void theModelIsToldOfBoth() {
        assertEquals("", filter("").description());
        assertEquals(" Only these sites are searched: a.test. These sites are left out: b.test/x.",
                filter("\"allowed_domains\":[\"a.test\"],\"blocked_domains\":[\"b.test/x\"]").description());
    }
}
