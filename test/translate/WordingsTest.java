package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import json.Json;
import json.JsonParser;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import serve.Proxy;
import testing.Backend;
import testing.PatientClock;
import testing.Proxies;
import testing.Tree;
import testing.Wire;

/**
 * What backends say, from end to end: of a prompt that is too long, of a reply for which there is no room beside the
 * prompt, and of what they do not take. Each row of {@code test/wordings} has a vendor's words; each row a model of its
 * own, so that nothing is known of it.
 */
@Execution(ExecutionMode.SAME_THREAD)
class WordingsTest {
    private static final Path ROWS = Path.of("test/wordings");
    private static final long MOST_REQUESTS = 4; // beside the first, for one thing that is refused
    private static final Pattern TOO_LONG = Pattern.compile("prompt is too long: (\\d+) tokens > (\\d+) maximum");
    private static final String TOOL = "[{\"name\":\"Bash\",\"description\":\"Runs a command\",\"input_schema\":{\"type\":\"object\","
            + "\"properties\":{\"command\":{\"type\":\"string\"}},\"required\":[\"command\"]}}]";

    /** What is not sent to a backend of which nothing is known. */
    private static final List<String> NOT_SENT = List.of("system", "stop");

    private static Backend backend;
    private static Proxy proxy;

    private record Row(String name, String model, Json json) {
        private String request() {
            Map<String, String> members = new LinkedHashMap<>();
            members.put("model", '"' + model + '"');
            members.put("max_tokens", "32000");
            members.put("stream", "true");
            members.put("tools", TOOL);
            members.put("messages", "[{\"role\":\"user\",\"content\":\"Hi\"}]");
            Json[] own = json.get("request").parts();
            for (int i = 0; i < own.length; i += 2) members.put(own[i].text(), own[i + 1].raw());
            members.remove("tools", "false");
            List<String> written = new ArrayList<>();
            members.forEach((name, value) -> written.add("\"%s\":%s".formatted(name, value)));
            return "{" + String.join(",", written) + "}";
        }

        private void refuse(Backend.Call call) throws IOException {
            Json body = json.get("body");
            boolean isText = body instanceof Json.Str;
            List<String> headers = new ArrayList<>();
            Json[] own = json.get("headers").parts();
            for (int i = 0; i < own.length; i += 2) headers.add(own[i].text() + ": " + own[i + 1].text());
            call.reply((int) json.get("status").toLong(400), isText ? "text/plain" : "application/json",
                    isText ? body.text() : body.raw(), headers.toArray(new String[0]));
        }
    }

    @BeforeAll
    static void start() throws Exception {
        backend = new Backend();
        proxy = Proxies.before(PatientClock.withoutPauses(), backend);
    }

    @AfterAll
    static void stop() throws Exception {
        proxy.close();
        backend.close();
    }

    /** {@return the rows of a file, of which there must be some} */
    private static Stream<Row> rows(String file) throws IOException {
        List<String> lines = Files.readAllLines(ROWS.resolve(file + ".jsonl"));
        assertTrue(lines.size() > 5, file);
        return IntStream.range(0, lines.size()).mapToObj(i -> {
            Json json = JsonParser.parse(lines.get(i).getBytes(StandardCharsets.UTF_8));
            String name = "%s %d %s".formatted(file, i, json.get("vendor").text());
            return new Row(name, file + "-" + i, json);
        });
    }

    private interface Check {
        void run(Row row) throws Exception;
    }

    private static Stream<DynamicTest> each(Check check, String... files) throws IOException {
        List<Row> all = new ArrayList<>();
        for (String file : files) rows(file).forEach(all::add);
        return all.stream().map(row -> DynamicTest.dynamicTest(row.name, () -> check.run(row)));
    }

    // The window

    @TestFactory
    Stream<DynamicTest> aPromptThatIsTooLongIsSaidInTheClientsWords() throws IOException {
        return each(WordingsTest::checkOverflow, "overflows", "variants-overflows");
    }

    private static void checkOverflow(Row row) throws Exception {
        backend.answers(row::refuse);
        Wire.Reply reply = Wire.post(proxy.port(), row.request());
        String message = reply.text("error.message");
        assertEquals(400, reply.status(), reply.body());
        Json prompt = row.json.get("prompt");
        Json window = row.json.get("window");
        Matcher numbers = TOO_LONG.matcher(message);
        if (window.isNull()) {
            assertTrue(message.startsWith("prompt is too long: "), message);
            if (!numbers.matches()) return; // then there are none, neither of the backend's nor of others
        } else {
            assertTrue(numbers.matches(), message);
            assertEquals(window.raw(), numbers.group(2), message);
        }
        assertTrue(Long.parseLong(numbers.group(1)) > Long.parseLong(numbers.group(2)), message);
        if (!prompt.isNull()) assertEquals(prompt.raw(), numbers.group(1), message);
    }

    @TestFactory
    Stream<DynamicTest> aReplyForWhichThereIsNoRoomIsAskedForOnceMoreAndShorter() throws IOException {
        return each(WordingsTest::checkRoom, "room", "variants-room");
    }

    private static void checkRoom(Row row) throws Exception {
        long room = row.json.get("window").toLong(0) - row.json.get("prompt").toLong(0);
        List<Long> asked = new ArrayList<>();
        backend.answers(call -> {
            asked.add(limit(Tree.of(call.text())));
            if (asked.getLast() > room) row.refuse(call); else Backend.saying("fine").answer(call);
        });
        Wire.Reply reply = Wire.post(proxy.port(), row.request().replace("\"max_tokens\":32000", "\"max_tokens\":150000"));
        assertEquals(200, reply.status(), reply.body());
        assertEquals(2, asked.size(), asked.toString());
        assertTrue(asked.getLast() > room / 3, asked.toString());
    }

    // What is no overflow

    @TestFactory
    Stream<DynamicTest> whatIsNoOverflowKeepsItsMeaning() throws IOException {
        return each(WordingsTest::checkOther, "others");
    }

    /** A limit of rates, a bill that was not paid and a key that is wrong are told as such, also inside a reply of 200. */
    private static void checkOther(Row row) throws Exception {
        List<String> bodies = new ArrayList<>();
        backend.answers(call -> {
            bodies.add(call.text());
            row.refuse(call);
        });
        Wire.Reply reply = Wire.post(proxy.port(), row.request());
        assertFalse(reply.body().contains("prompt is too long"), reply.body());
        assertEquals(row.json.get("becomes").toLong(0), reply.status(), reply.body());
        Json seconds = row.json.get("retry-after");
        if (!seconds.isNull()) assertEquals(seconds.raw(), reply.headers().get("retry-after"), reply.body());
        assertEquals(1, Set.copyOf(bodies).size(), "nothing is mended: " + bodies);
    }

    // What is refused

    @TestFactory
    Stream<DynamicTest> whatIsRefusedIsMended() throws IOException {
        return each(WordingsTest::checkRefusal, "refusals", "variants-refusals");
    }

    private static void checkRefusal(Row row) throws Exception {
        String disliked = row.json.get("dislikes").text();
        List<String> bodies = new ArrayList<>();
        backend.answers(call -> {
            bodies.add(call.text());
            Object body = Tree.of(call.text());
            if (isAgainst(disliked, body)) row.refuse(call); else answer(call, body);
        });
        Wire.Reply reply = Wire.post(proxy.port(), row.request());
        assertEquals(200, reply.status(), reply.body() + bodies);
        assertEquals("fine", reply.said());
        assertTrue(isAgainst(disliked, Tree.of(bodies.getFirst())) || NOT_SENT.contains(disliked.split(" ")[0]),
                "nothing was refused: " + bodies.getFirst());
        assertTrue(bodies.size() <= 1 + MOST_REQUESTS, bodies.size() + " requests");
    }

    private static void answer(Backend.Call call, Object body) throws Exception {
        boolean isStream = Boolean.TRUE.equals(Tree.at(body, "stream"));
        if (isStream) {
            Backend.saying("fine").answer(call);
        } else {
            call.reply(200, "application/json", "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                    + "\"fine\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1}}");
        }
    }

    /** {@return whether a backend that dislikes something refuses a body} */
    private static boolean isAgainst(String disliked, Object body) {
        String[] words = disliked.split(" ");
        if (disliked.contains(" and ")) return has(body, words[0]) && has(body, words[2]);
        if (disliked.contains(" > ")) return isMore(body, words[0], Long.parseLong(words[2]));
        return switch (disliked) {
            case "streams" -> Boolean.TRUE.equals(Tree.at(body, "stream"));
            case "images" -> body.toString().contains("type=image_url");
            case "files" -> body.toString().contains("type=file");
            case "content lists" -> messages(body).anyMatch(message -> Tree.at(message, "content") instanceof List<?>);
            case "null content" -> messages(body).anyMatch(message -> Tree.at(message, "content") == null);
            case "empty content" -> messages(body).anyMatch(message -> "".equals(Tree.at(message, "content")));
            case "message reasoning_content" -> messages(body).anyMatch(message -> has(message, "reasoning_content"));
            case "no message reasoning_content" -> messages(body).anyMatch(message ->
                    "assistant".equals(Tree.at(message, "role")) && !has(message, "reasoning_content"));
            case "role system" -> messages(body).anyMatch(message -> "system".equals(Tree.at(message, "role")));
            case "system in place" -> messages(body).skip(1).anyMatch(message -> "system".equals(Tree.at(message, "role")));
            case "thinking off" -> "disabled".equals(Tree.at(body, "thinking.type"))
                    || "none".equals(Tree.at(body, "reasoning_effort"));
            case "tool_choice object" -> Tree.at(body, "tool_choice") instanceof Map<?, ?>;
            case "no stream" -> !Boolean.TRUE.equals(Tree.at(body, "stream"));
            case "no stream above 4096" -> !Boolean.TRUE.equals(Tree.at(body, "stream")) && limit(body) > 4096;
            default -> words.length == 1 ? has(body, disliked) : words[1].equals(Tree.at(body, words[0]));
        };
    }

    private static boolean isMore(Object body, String name, long most) {
        return switch (name) {
            case "max_tokens" -> limit(body) > most;
            case "images" -> body.toString().split("type=image_url", -1).length - 1 > most;
            default -> Tree.at(body, name) instanceof List<?> list && list.size() > most;
        };
    }

    private static boolean has(Object object, String name) { return Tree.at(object, name) != null; }

    private static Stream<?> messages(Object body) { return ((List<?>) Tree.at(body, "messages")).stream(); }

    private static long limit(Object body) {
        Object limit = Tree.at(body, "max_tokens") == null ? Tree.at(body, "max_completion_tokens") : Tree.at(body, "max_tokens");
        return limit instanceof Tree.Num number ? Long.parseLong(number.text()) : 0;
    }
}
