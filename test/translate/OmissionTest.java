package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.Tree;
import testing.Wire;

/** What stands in the place of what a backend does not take at all: schemas, images, documents ({@link Refusals}). */
class OmissionTest {
    private static final String NO_IMAGE = "[image omitted: this model cannot see images]";
    private static final String NO_DOCUMENT = "[document omitted: this model cannot read documents]";
    private static final String IMAGE =
            Strict.json("{'type':'image','source':{'type':'base64','media_type':'image/png','data':'aGk='}}");
    private static final String PDF =
            Strict.json("{'type':'document','source':{'type':'base64','media_type':'application/pdf','data':'aGk='}}");
    private static final String TOOL_RESULT = Strict.json("'content':'sunny'");
    private static final String LAST = Strict.json("'content':'two'");

    @TestFactory
    Stream<DynamicTest> aSchemaThatIsRefusedStandsInTheSystemPrompt() {
        String schema = Strict.json("{'type':'object','properties':{'city':{'type':'string'}},'required':['city']}");
        String config = Strict.json("{'output_config':{'format':{'type':'json_schema','schema':%s}},")
                .formatted(schema);
        return Refusals.FORMATS.stream().map(row -> DynamicTest.dynamicTest(row.vendor(), () -> {
            for (String system : List.of("", Strict.json("'system':'Be brief.',"))) {
                String request = Strict.SMALL.replaceFirst("\\{", config + system);
                try (var strict = new Strict()) {
                    strict.refuses(Backend.saying("{\\\"city\\\":\\\"Rome\\\"}"), row);
                    assertEquals(200, strict.post(request).status());
                    Object asked = Tree.of(strict.backend().take().text());
                    Object mended = Tree.of(strict.backend().take().text());
                    assertEquals("json_schema", Tree.at(asked, "response_format.type"));
                    assertNull(Tree.at(mended, "response_format"));
                    assertEquals("system", Tree.at(mended, "messages.0.role"));
                    String prompt = String.valueOf(Tree.at(mended, "messages.0.content"));
                    assertTrue(prompt.contains(schema), prompt);
                    assertTrue(prompt.startsWith(system.isEmpty() ? "" : "Be brief."), prompt);
                    assertEquals("hi", Tree.at(mended, "messages.1.content"));
                    assertEquals(200, strict.post(request).status());
                    assertEquals(mended, Tree.of(strict.backend().take().text()));
                    assertEquals(3, strict.backend().requests());
                }
            }
        }));
    }

    /** One image is the user's, one a tool's; the conversation goes on without them. */
    @TestFactory
    Stream<DynamicTest> anImageThatIsRefusedBecomesALineOfText() {
        return Refusals.IMAGES.stream().map(row -> DynamicTest.dynamicTest(row.vendor(), () -> {
            String request = Strict.REQUEST.replace(TOOL_RESULT, Strict.json("'content':[") + IMAGE + "]")
                    .replace(LAST, Strict.json("'content':[{'type':'text','text':'two'},") + IMAGE + "]");
            try (var strict = new Strict(row)) {
                List<Object> bodies = strict.bodies(request);
                assertEquals(2, bodies.size());
                assertEquals(2, count(bodies.getFirst(), "image_url="));
                assertEquals(List.of(0, 2), List.of(count(bodies.get(1), "image_url"), count(bodies.get(1), NO_IMAGE)));
                assertEquals(List.of(bodies.get(1)), strict.bodies(request));
                assertEquals(2, strict.bodies(request.replace("m1", "m2")).size());
            }
        }));
    }

    /** An image beside it stays, whatever other parts the refusal lists. */
    @TestFactory
    Stream<DynamicTest> aDocumentThatIsRefusedBecomesALineOfText() {
        return Refusals.DOCUMENTS.stream().map(row -> DynamicTest.dynamicTest(row.vendor(), () -> {
            String request = Strict.REQUEST.replace(LAST, Strict.json("'content':[") + PDF + "," + IMAGE + "]");
            try (var strict = new Strict(row)) {
                List<Object> bodies = strict.bodies(request);
                assertEquals(2, bodies.size());
                assertEquals(List.of(0, 1, 1), Stream.of("file_data", "image_url=", NO_DOCUMENT)
                        .map(text -> count(bodies.get(1), text)).toList());
                assertEquals(List.of(bodies.get(1)), strict.bodies(request));
            }
        }));
    }

    private static final String[] BAD_IMAGES = {
            "You uploaded an unsupported image. Please make sure your image has one of the following formats.",
            "Invalid image data", "image exceeds 5 MB maximum: not allowed", "Could not process image",
            "image media type not supported: image/webp"};

    /** That one image is bad says nothing of others. */
    @TestFactory
    Stream<DynamicTest> aBadImageIsNotTakenForAModelThatCannotSee() {
        return Stream.of(BAD_IMAGES).map(words -> DynamicTest.dynamicTest(words, () -> {
            String request = Strict.REQUEST.replace(LAST, "\"content\":[" + IMAGE + "]");
            try (var strict = new Strict()) {
                String body = "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\"}}".formatted(words);
                strict.refusesAll(new Refusals.Row("some", 400, body, ""));
                Wire.Reply reply = strict.post(request);
                assertEquals(400, reply.status(), reply.body());
                assertTrue(reply.text("error.message").contains(words), reply.body());
                assertEquals(1, strict.backend().requests());
            }
        }));
    }

    private static int count(Object body, String text) {
        return body.toString().split(Pattern.quote(text), -1).length - 1;
    }
}
