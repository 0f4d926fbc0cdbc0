package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import config.CommandLine;
import config.Options;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import json.JsonParser;
import json.JsonWriter;
import org.junit.jupiter.api.Test;

/** The estimate against counts that real tokenizers made of the same texts, and what it makes of a body's parts. */
class TokensTest {
    /** A text and how many tokens it is to GPT-4o (o200k_base), Qwen3, DeepSeek V3, Llama 3.1 and Gemma 3. */
    private record Sample(String kind, int o200k, int qwen3, int deepseek, int llama3, int gemma3, String text) { }

    private static final List<Sample> SAMPLES = List.of(
            new Sample("english", 89, 89, 89, 89, 89,
                    "A proxy that stands between a client and a server has to decide what it does whe"
                    + "n the server stops answering in the middle of a reply. It may wait, it may try a"
                    + "nother server, or it may tell the client that the reply is broken. The last of t"
                    + "hese is often the most honest, because a client that believes it has seen the wh"
                    + "ole answer will act on half of it. We therefore send an error event and close th"
                    + "e connection."),
            new Sample("code", 94, 90, 92, 90, 113,
                    "public static List<String> readLines(Path path, int limit) throws IOException {\n"
                    + "    List<String> lines = new ArrayList<>();\n    try (BufferedReader reader = Fil"
                    + "es.newBufferedReader(path)) {\n        String line = reader.readLine();\n        w"
                    + "hile (line != null && lines.size() < limit) {\n            if (!line.isBlank()) {"
                    + "\n                lines.add(line.strip());\n            }\n            line = reade"
                    + "r.readLine();\n        }\n    }\n    return lines;\n}\n"),
            new Sample("json", 106, 102, 111, 100, 111,
                    "{\"name\":\"example-server\",\"version\":\"1.4.2\",\"private\":true,\"scripts\":{\"build\":\"ts"
                    + "c -p tsconfig.json\",\"test\":\"node --test\"},\"dependencies\":{\"express\":\"^4.19.2\",\"p"
                    + "ino\":\"^9.0.0\"},\"engines\":{\"node\":\">=20\"},\"repository\":{\"type\":\"git\","
                    + "\"url\":\"git+s"
                    + "sh://git@example.test/team/server.git\"},\"keywords\":[\"http\",\"proxy\",\"stream\"],\"fi"
                    + "les\":[\"dist\",\"README.md\"]}"),
            new Sample("Chinese", 91, 77, 73, 97, 76,
                    "代理服务器位于客户端和后端之间。当后端在回答过程中停止响应时,代理必须决定如何处"
                    + "理:它可以继续等待,可以尝试另一台服务器,也可以告诉客户端回答已经中断。最后一种"
                    + "做法往往最为诚实,因为如果客户端以为自己已经看到了完整的答案,就会根据一半的内容"
                    + "采取行动。因此我们会发送一个错误事件,然后关闭连接。"),
            new Sample("Russian", 97, 114, 112, 109, 96,
                    "Прокси-сервер находится между клиентом и основным сервером. Если сервер перестаё"
                    + "т отвечать посреди ответа, прокси должен решить, что делать дальше: подождать, п"
                    + "опробовать другой сервер или сообщить клиенту, что ответ оборван. Последнее част"
                    + "о честнее всего, потому что клиент, который считает, что видел ответ целиком, бу"
                    + "дет действовать по его половине. Поэтому мы отправляем событие об ошибке и закры"
                    + "ваем соединение."),
            new Sample("German", 78, 94, 91, 94, 79,
                    "Ein Proxy, der zwischen einem Client und einem Server steht, muss entscheiden, w"
                    + "as er tut, wenn der Server mitten in der Antwort verstummt. Er kann warten, eine"
                    + "n anderen Server versuchen oder dem Client mitteilen, dass die Antwort unvollstä"
                    + "ndig ist. Letzteres ist oft am ehrlichsten, denn wer glaubt, die ganze Antwort g"
                    + "esehen zu haben, handelt nach der Hälfte davon."),
            new Sample("Japanese", 104, 86, 87, 90, 66,
                    "プロキシはクライアントとサーバーの間に立ちます。サーバーが応答の途中で止まった場"
                    + "合、プロキシはどうするかを決めなければなりません。待つこともできますし、別のサー"
                    + "バーを試すことも、応答が壊れたとクライアントに伝えることもできます。最後の方法が"
                    + "最も誠実であることが多いです。"),
            new Sample("log", 141, 189, 143, 141, 192,
                    "2026-03-14 09:26:53.589 INFO  [http-7] Server - GET /v1/models 200 in 12 ms\n2026"
                    + "-03-14 09:26:54.102 WARN  [http-9] Server - upstream closed the connection after"
                    + " 48213 bytes\n2026-03-14 09:26:54.105 ERROR [http-9] Server - POST /v1/messages 5"
                    + "02 in 1507 ms\n2026-03-14 09:26:55.330 INFO  [http-2] Server - retrying in 2000 m"
                    + "s, attempt 2 of 5\n"));

    private static long tokens(String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        return Tokens.of(bytes, bytes.length);
    }

    private static String body(String messages) {
        return "{\"model\":\"m\",\"messages\":[" + messages + "],\"max_tokens\":9}";
    }

    private static String user(String inside) {
        return body("{\"role\":\"user\",\"content\":\"" + inside + "\"}");
    }

    private static String part(String part) {
        return body("{\"role\":\"user\",\"content\":[" + part + "]}");
    }

    private static String escaped(String text) {
        return new JsonWriter().piece(text).toString();
    }

    /** {@return the estimate for a text alone, without what the body around it costs} */
    private static long text(String inside) {
        return tokens(user(inside)) - tokens(user(""));
    }

    // texts as short as these scatter; over many, each of these kinds is within -5 and +15 %
    // short texts scatter: over many, of English, code, JSON, Chinese or Russian, it is within -5 and +15 %
    @Test void estimatesAreNearTheMeanOfTheTokenizersAndRatherHigh() {
        for (Sample sample : SAMPLES) {
            double mean = (sample.o200k + sample.qwen3 + sample.deepseek + sample.llama3 + sample.gemma3) / 5.0;
            double error = text(escaped(sample.text)) / mean - 1;
            assertTrue(error > -0.10 && error < 0.25, "%s: %+.3f".formatted(sample.kind, error));
        }
    }

    @Test void allTogetherIsFiveToTenPercentHigh() {
        double estimate = SAMPLES.stream().mapToLong(sample -> text(escaped(sample.text))).sum();
        double mean = SAMPLES.stream().mapToInt(sample -> sample.o200k + sample.qwen3).sum() / 2.0;
        assertTrue(estimate > mean * 1.03 && estimate < mean * 1.12, estimate + " for " + mean);
    }

    @Test void aLongerTextNeverCountsLess() {
        for (Sample sample : SAMPLES) {
            long before = 0;
            for (int end = 1; end <= sample.text.length(); end++) {
                long now = text(escaped(sample.text.substring(0, end)));
                assertTrue(now >= before, "%s at %d".formatted(sample.kind, end));
                before = now;
            }
        }
    }

    @Test void escapesCountAsWhatTheyStandFor() {
        for (Sample sample : SAMPLES) {
            var units = new StringBuilder();
            sample.text.chars().forEach(c -> units.append("\\u%04x".formatted(c)));
            assertEquals(text(escaped(sample.text)), text(units.toString()), 1, sample.kind);
        }
        assertEquals(text("a/b"), text("a\\/b"));
        assertEquals(text("\\u000a\\u0009"), text("\\n\\t"));
        assertEquals(text("\\u0022\\u005c"), text("\\\"\\\\"));
        assertEquals(text("\\\\u4e00"), text("!u4e00"));
    }

    @Test void stringsWithinStringsCountOnce() {
        String call = "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"%s\",\"type\":\"function\","
                + "\"function\":{\"name\":\"f\",\"arguments\":\"%s\"}}]}";
        String arguments = "{\\\"path\\\":\\\"C:\\\\\\\\a.txt\\\",\\\"text\\\":\\\"one\\\\ntwo\\\"}";
        long without = tokens(body(call.formatted("1", "")));
        assertEquals(text(arguments), tokens(body(call.formatted("1", arguments))) - without, 1);
        assertEquals(without, tokens(body(call.formatted("toolu_01A09q90qw90lq917835lq9", ""))), "ids do not count");
    }

    @Test void imagesAreFlatAndPdfsBySize() {
        String text = "{\"type\":\"text\",\"text\":\"\"},";
        long without = tokens(part(text.substring(0, text.length() - 1)));
        String image = "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,%s\"}}";
        for (int size : new int[] {0, 100, 1_000_000}) {
            long tokens = tokens(part(text + image.formatted("iVBO".repeat(size / 4)))) - without;
            assertTrue(tokens >= 1_200 && tokens < 1_220, size + ": " + tokens);
        }
        String pdf = "{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\","
                + "\"file_data\":\"data:application/pdf;base64,%s\"}}";
        for (int pages : new int[] {1, 10}) {
            long tokens = tokens(part(text + pdf.formatted("JVBE".repeat(27_000 * pages / 4)))) - without;
            assertEquals(2_000 * pages + 13, tokens, 13, pages + " pages");
        }
        assertTrue(tokens(part(text + pdf.formatted("JVBE"))) - without >= 2_000, "a small one is a page");
    }

    @Test void messagesAndToolsCostMoreThanTheirTexts() {
        String hi = "{\"role\":\"user\",\"content\":\"Say hi.\"}";
        assertEquals(12, tokens(body(hi)), 3);
        assertEquals(9, tokens(body(hi + "," + hi)) - tokens(body(hi)), 3);
        String tool = "{\"type\":\"function\",\"function\":{\"name\":\"get_weather\","
                + "\"description\":\"Weather of a city\","
                + "\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}}}";
        String tools = body(hi).replace("}],", "}],\"tools\":[" + tool + "],");
        assertEquals(35 + 8, tokens(tools) - tokens(body(hi)), 8, "35 by the tokenizers, and 8");
    }

    @Test void onlyTheGivenLengthIsRead() {
        byte[] bytes = (user("Say hi.") + "\"more and more").getBytes(StandardCharsets.UTF_8);
        assertEquals(tokens(user("Say hi.")), Tokens.of(bytes, user("Say hi.").length()));
    }

    /** A request costs about the same by both APIs: the system prompt, images, PDFs, calls and results. */
    @Test void bothApisCostAboutTheSame() throws Exception {
        String data = "iVBO".repeat(30_000);
        String turns = """
                {"model":"m","max_tokens":9,%s"messages":[{"role":"user","content":[{"type":"text","text":"Look at this."}%s]},
                {"role":"assistant","content":[{"type":"tool_use","id":"toolu_01A09q90qw90lq917835lq9","name":"get_weather",
                "input":{"city":"Berlin"}}]},{"role":"user","content":[{"type":"tool_result",
                "tool_use_id":"toolu_01A09q90qw90lq917835lq9","content":"It rains."}]}]}""";
        String part = ",{\"type\":\"%s\",\"source\":{\"type\":\"base64\",\"media_type\":\"%s\",\"data\":\"" + data + "\"}}";
        String system = "\"system\":\"" + "You are helpful. ".repeat(1000) + "\",";
        for (String request : List.of(turns.formatted("", ""), turns.formatted(system, ""),
                turns.formatted("", part.formatted("image", "image/png")),
                turns.formatted("", part.formatted("document", "application/pdf")))) {
            long chat = asked(request, "https://api.openai.com/v1/chat/completions");
            long responses = asked(request, "https://api.openai.com/v1/responses");
            assertEquals(chat, responses, 40, request.substring(0, 40));
        }
    }

    @Test void reasoningThatGoesBackInTheResponsesApiCountsByItsBytes() throws Exception {
        String target = "https://api.openai.com/v1/responses";
        String sealed = "gAAAAABo".repeat(500); // 4000 characters, 3000 bytes, some 750 tokens
        String[] words = {"--upstream", target};
        String place = Envelope.place(Options.of(CommandLine.read(words, Map.of())).upstreams().getFirst(), "m");
        String turn = """
                {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[
                {"type":"thinking","thinking":"","signature":"%s"},{"type":"text","text":"Fine."}]},
                {"role":"user","content":"Go on."}]}""";
        long without = asked(turn.formatted("none"), target);
        String signature = new Envelope("summary", sealed, place, false).signature();
        assertEquals(750, asked(turn.formatted(signature), target) - without, 50);
    }

    private static long asked(String json) throws Exception { return asked(json, "https://openrouter.ai/api/v1"); }

    private static long asked(String json, String upstream) throws Exception {
        String[] words = {"--upstream", upstream};
        Options options = Options.of(CommandLine.read(words, Map.of()));
        return new Translator(JsonParser.parse(json), options, Dialect.of(options.upstreams().getFirst()), () -> "1")
                .inputTokens();
    }

    /** What is an image or a PDF is told by the whole name of a member and by the object that it stands in. */
    @Test void marksOfCachesAreNoImages() throws Exception {
        String request = """
                {"model":"anthropic/claude-x","max_tokens":9,"system":[{"type":"text","text":"Be brief."%1$s},
                {"type":"text","text":"Be polite."%1$s}],"messages":[{"role":"user","content":[{"type":"text",
                "text":"hi"%1$s}]}]}""";
        long without = asked(request.formatted(""));
        for (String ttl : List.of("", ",\"ttl\":\"5m\"", ",\"ttl\":\"1h\"")) {
            long with = asked(request.formatted(",\"cache_control\":{\"type\":\"ephemeral\"%s}".formatted(ttl)));
            assertTrue(with >= without && with < without + 20, "%s: %d, without %d".formatted(ttl, with, without));
        }
    }

    @Test void reasoningThatComesBackIsNoPdf() throws Exception {
        String sealed = "gAAAAABo".repeat(50); // 400 characters
        String details = """
                {"reasoning_details":[{"type":"reasoning.text","text":"%s","signature":"%s","format":"x","index":0},
                {"type":"reasoning.encrypted","data":"%s","id":"rs_1","format":"x","index":1}]}""";
        long plain = asked(turns("", 20));
        long thought = asked(turns(details.formatted("I think so.", "", ""), 20)) - plain;
        assertTrue(thought >= 20 * 2 && thought <= 20 * 12, "three words a turn: " + thought);
        long signed = asked(turns(details.formatted("I think so.", sealed, ""), 20)) - plain;
        assertEquals(thought, signed, "a signature is not shown to the model");
        long hidden = asked(turns(details.formatted("I think so.", "", sealed), 20)) - plain - thought;
        assertTrue(hidden >= 20 * 50 && hidden <= 20 * 150, "300 bytes of thoughts a turn: " + hidden);
    }

    /** {@return a conversation in which each reply comes back with what {@code opaque} holds} */
    private static String turns(String opaque, int turns) {
        String kept = Base64.getUrlEncoder().withoutPadding().encodeToString(opaque.getBytes(StandardCharsets.UTF_8));
        String thought = """
                {"type":"redacted_thinking","data":"a2o1.reasoning.%s"},""".formatted(kept);
        String turn = """
                {"role":"user","content":"Go on."},{"role":"assistant","content":[%s{"type":"text","text":"Fine."}]},"""
                .formatted(opaque.isEmpty() ? "" : thought);
        return "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[%s{\"role\":\"user\",\"content\":\"hi\"}]}"
                .formatted(turn.repeat(turns));
    }

    @Test void onlyTheUrlOfAnImageAndTheDataOfAFileAreCountedFlat() {
        String call = "{\"role\":\"assistant\",\"content\":\"x\",\"extra_content\":{\"url\":\"%s\","
                + "\"file_data\":\"%s\",\"google\":{\"thought_signature\":\"%s\",\"data\":\"%s\"}}}";
        String sealed = "QUJD".repeat(1000);
        long empty = tokens(body(call.formatted("", "", "", "")));
        assertEquals(empty, tokens(body(call.formatted(sealed, sealed, sealed, sealed))));
        String text = "{\"role\":\"user\",\"content\":\"x\",\"%s\":\"some words\"}";
        for (String name : List.of("ttl", "data", "kind", "url", "file_data", "email", "schema")) {
            assertEquals(tokens(body(text.formatted("other"))), tokens(body(text.formatted(name))), name);
        }
    }
}
