package config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Cpu;

/** What is hidden of a text, wherever the secret comes from and however it is written there. */
class SecretsTest {
    private static final String KEY = "sk-Up/0123+456=789&abc\"DEF";

    private static Secrets secrets(String... args) {
        List<String> all = new ArrayList<>(List.of(args));
        if (!all.contains("--upstream")) all.addAll(List.of("--upstream", "http://backend.test/v1"));
        return Options.of(CommandLine.read(all.toArray(String[]::new), Map.of())).secrets();
    }

    private static Secrets ofKey(String key) { return secrets("--upstream-key", key); }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String hexEscaped(String pattern, String text) {
        var escaped = new StringBuilder();
        text.chars().forEach(c -> escaped.append(pattern.formatted(c)));
        return escaped.toString();
    }

    /** The key as others write it; all of it must go. */
    @TestFactory
    Stream<DynamicTest> itIsFoundHoweverItIsWritten() {
        String json = KEY.replace("\"", "\\\"");
        String html = KEY.replace("&", "&amp;").replace("\"", "&quot;");
        Map<String, String> ways = Map.ofEntries(Map.entry("as it is", KEY), Map.entry("in JSON", json),
                Map.entry("in JSON with escaped slashes", json.replace("/", "\\/")),
                Map.entry("in JSON in JSON", json.replace("\\", "\\\\").replace("\"", "\\\"")),
                Map.entry("as escapes of JSON", hexEscaped("\\u%04x", KEY)),
                Map.entry("as escapes of JSON in JSON", hexEscaped("\\\\u%04X", KEY)),
                Map.entry("in a URL", URLEncoder.encode(KEY, StandardCharsets.UTF_8)),
                Map.entry("in a URL within a URL", URLEncoder.encode(
                        URLEncoder.encode(KEY, StandardCharsets.UTF_8), StandardCharsets.UTF_8)),
                Map.entry("in a URL, in small letters", hexEscaped("%%%02x", KEY)),
                Map.entry("in HTML", html), Map.entry("as numbers of HTML", hexEscaped("&#%d;", KEY)),
                Map.entry("as hexadecimal numbers of HTML", hexEscaped("&#x%x;", KEY)),
                Map.entry("in capitals", KEY.toUpperCase()), Map.entry("in small letters", KEY.toLowerCase()));
        return ways.entrySet().stream().map(way -> DynamicTest.dynamicTest(way.getKey(), () ->
                assertEquals("no <(key)> is known, " + way.getKey(),
                        ofKey(KEY).mask("no <" + way.getValue() + "> is known, " + way.getKey()))));
    }

    @Test
    void itIsFoundInBase64WhereverItBeginsThere() {
        for (String before : List.of("", "x", "xy", "user:", "a-user:", "some-user:")) {
            for (String after : List.of("", "z", "zz", ":and more")) {
                String masked = ofKey(KEY).mask("<" + base64(before + KEY + after) + ">");
                assertTrue(masked.contains("(key)"), masked);
                for (int at = 0; at + 12 <= base64(KEY).length(); at++) {
                    assertFalse(masked.contains(base64(KEY).substring(at, at + 12)), masked);
                }
            }
        }
    }

    /** A piece that somebody has cut out of it, or the halves of one that was split. */
    @Test
    void aPieceOfItIsFound() {
        Secrets secrets = ofKey("sk-upstream-0123456789abcdef");
        assertEquals("no such key: (key)", secrets.mask("no such key: sk-upstream-0123"));
        assertEquals("...(key)", secrets.mask("...am-0123456789abcdef"));
        assertEquals("{\"c\":\"(key)\"},{\"c\":\"(key)\"}",
                secrets.mask("{\"c\":\"sk-upstream-01\"},{\"c\":\"23456789abcdef\"}"));
        assertEquals("sk-upstream is short, 0123456789 too", secrets.mask("sk-upstream is short, 0123456789 too"));
    }

    @Test
    void aWordThatStandsForAKeyIsNone() {
        for (String word : List.of("any", "none", "x", "ollama", "dummy", "EMPTY", "1234")) {
            String text = "anything, none, x, ollama, dummy, EMPTY, 1234";
            assertEquals(text, ofKey(word).mask(text));
        }
    }

    @Test
    void aShortKeyIsFoundWhereItStandsAlone() {
        assertEquals("key (key), s3crets", ofKey("s3cret").mask("key s3cret, s3crets"));
    }

    /** {@code expected} is what becomes of the text. */
    private static void assertMasks(String expected, String text, String... args) {
        assertEquals(expected, secrets(args).mask(text), String.join(" ", args));
    }

    @Test
    void allWaysToGiveOneAreKnown() {
        assertMasks("no (key)", "no upstream-0123", "--upstream-key", "upstream-0123");
        assertMasks("no (key)", "no auth-key-0123", "--auth-key", "auth-key-0123");
        assertMasks("no (key)", "no header-0123", "--header", "x-anything: header-0123");
        assertMasks("no Bearer (key), (key)", "no Bearer header-0123, header-0123",
                "--header", "authorization: Bearer header-0123");
        assertMasks("no (key)", "no top-secret", "--header", "authorization: top-secret");
        assertMasks("no (key), (key); (key)", "no " + base64("me:pass-word-1") + ", me:pass-word-1; pass-word-1",
                "--header", "Authorization: Basic " + base64("me:pass-word-1"));
        assertMasks("b=(key) and (key)", "b=cookie-0123 and other-cookie", "--header",
                "cookie: a=cookie-0123; b=other-cookie");
        assertMasks("no (key) at 2024-10-21", "no query+/0123 at 2024-10-21", "--upstream",
                "http://backend.test/v1?api-version=2024-10-21&api-key=query%2B%2F0123");
        assertMasks("no (key) or (key)", "no query-0123 or other-0123", "--upstream", "http://a.test/v1?key=query-0123",
                "--upstream", "http://b.test/v1?other-0123");
        assertMasks("no (key), (key)", "no extra-0123, 0a1b2c3d4e5f6a7b", "--extra-body",
                "{\"api_key\":\"extra-0123\",\"a\":[{\"b\":\"0a1b2c3d4e5f6a7b\"}]}");
    }

    @Test
    void namesSayWhetherAValueIsASecret() {
        for (String name : List.of("Authorization", "api-key", "X-API-Key", "Ocp-Apim-Subscription-Key", "Cookie",
                "access_token", "tokenSession", "token-signature", "cf-access-client-secret", "sig", "code", "PWD",
                "password", "credentials")) {
            assertTrue(SecretNames.isSecret(name), name);
            assertFalse(SecretNames.isHarmless(name), name);
        }
        for (String name : List.of("max_tokens", "max_completion_tokens", "model", "signal", "encode", "x-title",
                "api-version", "temperature")) {
            assertFalse(SecretNames.isSecret(name), name);
        }
        for (String name : List.of("accept", "Accept-Language", "content-type", "User-Agent", "HTTP-Referer", "v",
                "api-version", "anthropic-beta", "X-Title")) {
            assertTrue(SecretNames.isHarmless(name), name);
        }
    }

    @Test
    void whatEverybodyMaySeeIsNoSecret() {
        String text = "application/json, https://example.org/app, A2o at home, 2024-10-21, temperature, z-ai/glm-5.2";
        assertEquals(text, secrets("--header", "accept: application/json", "--header",
                "HTTP-Referer: https://example.org/app", "--header", "X-Title: A2o at home",
                "--header", "anthropic-version: 2024-10-21", "--upstream", "http://a.test/v1?api-version=2024-10-21",
                "--extra-body", "{\"name\":\"temperature\",\"only\":[\"z-ai/glm-5.2\"],\"max_tokens\":123456789}")
                .mask(text));
    }

    @Test
    void theKeysOfAClientAreAddedForARequest() {
        Secrets ours = ofKey("upstream-0123");
        assertEquals("(key) (key) client-0123", ours.with("another-0123").mask("upstream-0123 another-0123 client-0123"));
        assertEquals("another-0123", ours.mask("another-0123"));
        assertEquals("any \"any\"", ours.with("any", "").mask("any \"any\""));
    }

    @Test
    void textsWithoutEndAreTakenAtOnce() throws Exception {
        for (String piece : List.of("&", "%", "\\", "\\u", "&#", "&#x", ";", "sk-up/", "a", "\u0130", "\\\\u0061")) {
            String text = piece.repeat(300_000);
            Cpu.assertLittle(() -> ofKey(KEY).mask(text));
        }
    }

    @Test
    void whatStandsAroundItStaysAsItIs() {
        String around = "\u0130 \\u00e9 %41 &amp; \\\\ \"\n";
        assertEquals(around + "(key)" + around, ofKey(KEY).mask(around + KEY + around));
        assertEquals(around, ofKey(KEY).mask(around));
    }
}
