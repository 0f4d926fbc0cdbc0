package config;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What is made of the address of a backend. */
class TargetTest {
    private static Target target(String upstream) {
        String[] args = {"--upstream", upstream};
        return Options.of(CommandLine.read(args, Map.of())).upstreams().getFirst();
    }

    @Test
    void theBackendMayBeGivenAsRootBaseOrWhole() throws Exception {
        String[][] forms = {
            {"http://h.test", "http://h.test/v1/chat/completions"},
            {"http://h.test/", "http://h.test/v1/chat/completions"},
            {"http://h.test:8080", "http://h.test:8080/v1/chat/completions"},
            {"https://h.test/v1", "https://h.test/v1/chat/completions"},
            {"https://h.test/v1/", "https://h.test/v1/chat/completions"},
            {"https://h.test/v1//", "https://h.test/v1/chat/completions"},
            {"https://h.test/api/paas/v4", "https://h.test/api/paas/v4/chat/completions"},
            {"http://localhost:11434/v1", "http://localhost:11434/v1/chat/completions"},
            {"https://h.test/v1/chat/completions", "https://h.test/v1/chat/completions"},
            {"https://h.test/v1/chat/completions/", "https://h.test/v1/chat/completions"},
            {"https://h.test/chat/completions?api-version=1&a=b", "https://h.test/chat/completions?api-version=1&a=b"},
            {"https://h.test/v1?k=v", "https://h.test/v1/chat/completions?k=v"},
            {"https://h.test?k=v", "https://h.test/v1/chat/completions?k=v"},
            {"https://h.test/a%20b/v1?q=%2F", "https://h.test/a%20b/v1/chat/completions?q=%2F"},
            {"http://[::1]:8080/v1", "http://[::1]:8080/v1/chat/completions"},
            {"http://127.0.0.1:1", "http://127.0.0.1:1/v1/chat/completions"},
            {"https://user:secret@h.test/v1", "https://h.test/v1/chat/completions"},
            {"https://h.test/v1#part", "https://h.test/v1/chat/completions"},
            {"HTTPS://h.test/v1", "HTTPS://h.test/v1/chat/completions"},
        };
        for (String[] form : forms) {
            URI url = target(form[0]).url(Api.CHAT);
            assertEquals(form[1].toLowerCase(Locale.ROOT), url.toString().toLowerCase(Locale.ROOT), form[0]);
        }
        assertTrue(target("demo").isDemo());
    }

    @Test
    void aUrlOfOneApiPinsIt() {
        assertEquals(Optional.empty(), target("https://h.test/v1").pinned());
        assertEquals(Optional.empty(), target("https://h.test").pinned());
        assertEquals(Optional.of(Api.CHAT), target("https://h.test/v1/chat/completions").pinned());
        assertEquals(Optional.of(Api.RESPONSES), target("https://h.test/openai/v1/responses/?api-version=v1").pinned());
        assertEquals(Optional.of(Api.MESSAGES), target("https://h.test/v1/messages").pinned());
        assertEquals(URI.create("https://h.test/v1/messages/count_tokens?a=b"),
                target("https://h.test/v1/messages?a=b").countUrl());
        assertEquals(URI.create("https://h.test/openai/v1/responses?api-version=v1"),
                target("https://h.test/openai/v1/responses/?api-version=v1").url(Api.RESPONSES));
    }

    private static Executable refused(String why, String url) {
        return () -> {
            UsageError e = assertThrows(UsageError.class, () -> target(url), url);
            assertEquals("a2o: --upstream: " + why, e.getMessage().strip(), url);
            assertEquals(1, e.exitStatus(), url);
        };
    }

    @Test
    void aUrlThatCannotBeIsRefusedWithoutQuotingIt() {
        List<Executable> all = new ArrayList<>();
        for (String url : List.of("ftp://h.test/v1", "h", "/v1", "", "file:///etc/passwd", "Demo", "htp://h.test",
                "ws://sk-secret@h.test", "ftp://sk-secret@h.test/v1", "'http://h.test'")) {
            all.add(refused("http:// or https:// expected at its beginning, as in http://localhost:11434/v1", url));
        }
        for (String url : List.of("http:h.test", "http:///v1", "https://", "http://a_b.test", "http://h:x/v1",
                "http://sk secret@h.test", "http://h.test/%zz", "http://h.test/v1 ")) {
            all.add(refused("a URL like http://localhost:11434/v1 expected, without spaces, or _ in the host", url));
        }
        all.add(refused("a port is 65535 at most", "http://h.test:65536/v1"));
        assertAll(all);
    }

    @Test
    void theListOfModelsIsBesideTheChat() {
        String[][] rows = {{"http://h.test", "http://h.test/v1/models"},
            {"https://h.test/v1/chat/completions", "https://h.test/v1/models"},
            {"https://h.test/v1/responses?a=b", "https://h.test/v1/models?a=b"},
            {"https://h.test/openai/v1?api-version=1&a=%2F", "https://h.test/openai/v1/models?api-version=1&a=%2F"}};
        for (String[] row : rows) assertEquals(URI.create(row[1]), target(row[0]).modelsUrl(), row[0]);
    }

    @Test
    void itIsShownWithoutWhatMayBeAKey() {
        String[][] rows = {{"http://h.test", "http://h.test/v1", "h.test"}, {"demo", "demo", "demo"},
            {"https://me:pass@h.test:8/v1?key=k", "https://h.test:8/v1?...", "h.test:8"},
            {"http://[::1]:8080/v1/chat/completions", "http://[::1]:8080/v1/chat/completions", "[::1]:8080"},
            {"http://h.test/v1/responses?key=k", "http://h.test/v1/responses?...", "h.test"},
            {"http://h.test/v1?api-version=1&x=k", "http://h.test/v1?...", "h.test"},
            {"http://h.test/v1?api-version=1", "http://h.test/v1?api-version=1", "h.test"}};
        for (String[] row : rows) {
            assertEquals(row[1], target(row[0]).shown());
            assertEquals(row[2], target(row[0]).address());
        }
    }

    @Test
    void parametersAreTakenOneByOne() {
        Target target = target("http://h.test/v1?a=1&key&b=x%20y=z");
        assertEquals(List.of("a=1", "key", "b=x y=z"), target.parameters().stream().map(Parameter::decoded).toList());
        assertEquals(List.of("a", "key", "b"), target.parameters().stream().map(Parameter::name).toList());
        assertEquals("x y=z", target.parameters().getLast().value());
        assertTrue(target.hasSecretQuery());
        Target without = target.with(List.of(target.parameters().getLast()));
        assertEquals(URI.create("http://h.test/v1/chat/completions?b=x%20y=z"), without.url(Api.CHAT));
        assertFalse(without.hasSecretQuery());
        assertEquals(URI.create("http://h.test/v1/chat/completions"), target.with(List.of()).url(Api.CHAT));
    }

    @Test
    void onlyNamesOfThisMachineAreLoopback() {
        for (String host : List.of("localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]")) {
            assertTrue(Loopback.is(host), host);
            assertTrue(Loopback.reaches(host), host);
        }
        for (String host : List.of("0.0.0.0", "::", "127.0.0.1.evil.test", "127.evil.test", "localhost.test",
                "128.0.0.1", "::2", "")) {
            assertFalse(Loopback.is(host), host);
        }
        assertTrue(Loopback.reaches("0.0.0.0"));
        assertFalse(Loopback.reaches("192.168.1.5"));
    }
}
