package upstream;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import translate.FoundPage;

/** The answers of search services, in the shapes of their documents. */
class SearchReplyTest {
    private static Optional<List<FoundPage>> pages(String json) {
        return SearchReply.pages(json.getBytes(StandardCharsets.UTF_8));
    }

    private static FoundPage page(String url, String title, String age, String excerpt) {
        return new FoundPage(url, title, Optional.of(age).filter(text -> !text.isEmpty()), excerpt);
    }

    /** As SearXNG of November 2026 answers, run from its source. */
    @Test
    void searXng() {
        assertEquals(Optional.of(List.of(page("https://docs.example.org/0", "Page 0 about weather", "", "Excerpt 0"),
                page("https://docs.example.org/1", "Page 1", "2026-11-02T10:00:00", ""))), pages("""
                {"query": "weather", "results": [{"url": "https://docs.example.org/0", "title": "Page 0 about weather",
                "content": "Excerpt 0", "engine": "local pages", "template": "default.html",
                "parsed_url": ["https", "docs.example.org", "/0", "", "", ""], "img_src": "", "thumbnail": "",
                "priority": "", "engines": ["local pages"], "positions": [1], "score": 1.0, "category": "general",
                "publishedDate": null}, {"url": "https://docs.example.org/1", "title": "Page 1", "content": "",
                "publishedDate": "2026-11-02T10:00:00"}], "answers": [], "corrections": [], "infoboxes": [],
                "suggestions": [], "unresponsive_engines": []}"""));
    }

    @Test
    void brave() {
        assertEquals(Optional.of(List.of(page("https://b.test/1", "Tom & Jerry", "2 days ago", "The cat's \"mouse\" <here>"))),
                pages("""
                {"type":"search","query":{"original":"cat"},"mixed":{"type":"mixed","main":[{"type":"web","index":0}]},
                "videos":{"type":"videos","results":[{"type":"video_result","url":"https://v.test/","title":"V"}]},
                "web":{"type":"search","results":[{"title":"<strong>Tom</strong> &amp; Jerry","url":"https://b.test/1",
                "is_source_local":false,"description":"The <strong>cat</strong>&#x27;s \\n&quot;mouse&quot; &lt;here&gt;",
                "age":"2 days ago","language":"en","meta_url":{"scheme":"https"}}]}}"""));
    }

    @Test
    void anyOtherListOfPages() {
        List<FoundPage> one = List.of(page("https://x.test/", "X", "", "Some text"));
        for (String json : List.of("[{\"link\":\"https://x.test/\",\"title\":\"X\",\"snippet\":\"Some text\"}]",
                "{\"items\":[{\"link\":\"https://x.test/\",\"name\":\"X\",\"snippet\":\"Some text\"}]}",
                "{\"a\":{\"list\":[1,2]},\"organic\":[{\"href\":\"https://x.test/\",\"title\":\"X\",\"body\":\"Some text\"}]}",
                "{\"data\":{\"webPages\":{\"value\":[{\"name\":\"X\",\"url\":\"https://x.test/\",\"summary\":\"Some text\"}]}}}")) {
            assertEquals(Optional.of(one), pages(json), json);
        }
        assertEquals(Optional.of(List.of(page("https://x.test/", "X", "Nov 1", ""))),
                pages("{\"hits\":[{\"url\":\"https://x.test/\",\"title\":\"X\",\"date\":\"Nov 1\"}]}"));
    }

    @Test
    void whatIsNoPageIsLeftOut() {
        assertEquals(Optional.of(List.of(page("http://x.test/", "X", "", ""))), pages("""
                {"results":[{"url":"javascript:alert(1)","title":"J"},{"url":"/relative","title":"R"},{"title":"no address"},
                {"url":"https://t.test/","title":" "},{"url":"https://l.test/%s","title":"L"},"text",null,
                {"url":"http://x.test/","title":"X","content":null}]}""".formatted("x".repeat(2000))));
        assertEquals(Optional.of(List.of()), pages("{\"results\":[]}"));
        assertEquals(Optional.of(List.of()), pages("{\"web\":{\"results\":[]}}"));
    }

    @Test
    void controlCharactersAreInNoTitleAndNoAddress() {
        assertEquals(Optional.of(List.of(page("https://x.test/", "A B", "", "C Page 9 https://y.test/ D"))), pages("""
                {"results":[{"url":"https://x.test/\\n\\nPage 9","title":"N"},{"url":"https://x.test/\\u0000","title":"N"},
                {"url":"https://x.test/\\u202egpj","title":"N"},{"url":"https://x.test/\\u001b[31m","title":"N"},
                {"url":"https://x.test/","title":"A\\u0000\\u001b\\u202eB",
                "content":"C\\r\\n\\r\\nPage 9\\u0085https://y.test/ \\u2066D"}]}"""));
    }

    @Test
    void aPageIsThereOnce() {
        assertEquals(Optional.of(List.of(page("https://x.test/", "X", "", ""), page("https://y.test/", "X", "", ""))), pages("""
                [{"url":"https://x.test/","title":"X"},{"url":"https://y.test/","title":"X"},{"url":"https://x.test/","title":"Z"}]"""));
    }

    @Test
    void theSchemeMayBeInCapitals() {
        assertEquals(Optional.of(List.of(page("HTTPS://x.test/", "X", "", ""))),
                pages("[{\"url\":\"HTTPS://x.test/\",\"title\":\"X\"}]"));
    }

    @Test
    void whatIsNoAnswerIsNone() {
        for (String body : List.of("", "<html></html>", "{}", "[]", "null", "{\"error\":\"no\"}", "{\"results\":{}}",
                "{\"results\":[{\"url\":\"https://x.test/\"", "ok")) {
            assertEquals(Optional.empty(), pages(body), body);
        }
    }

    @Test
    void textsAreBounded() {
        String emoji = "\\ud83d\\ude00";
        FoundPage found = pages("{\"results\":[{\"url\":\"https://x.test/\",\"title\":\"%s\",\"content\":\"%s\"}]}"
                .formatted("t".repeat(500), "x" + emoji.repeat(500))).orElseThrow().getFirst();
        assertEquals(300, found.title().length());
        assertEquals(599, found.excerpt().length(), "half a character is none");
        String many = IntStream.range(0, 1000).mapToObj("{\"url\":\"https://x.test/%d\",\"title\":\"X\"},"::formatted)
                .collect(Collectors.joining());
        assertEquals(50, pages("[" + many + "1]").orElseThrow().size());
    }
}
