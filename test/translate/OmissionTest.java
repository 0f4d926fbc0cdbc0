package translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import testing.Backend;
import testing.Tree;
import testing.Wire;

/** What stands in the place of what a backend does not take at all: schemas, images, documents ({@link Refusals}). */
class OmissionTest {
    private static final String NO_IMAGE = "[image omitted: this model cannot see images]";
    private static final String REFUSED_IMAGE = "[image omitted: the backend refused it";
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

    // One image or document that is bad

    private static final String[] BAD_IMAGES = {
            "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg']",
            "The image data you provided does not represent a valid image.", "Error while downloading https://h.test/y.png: no image",
            "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes",
            "messages.0.content.1.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels",
            "At least one of the image dimensions exceed max allowed size for many-image requests: 2000 pixels",
            "Could not process image", "messages.5.content.0: Image does not match the provided media type image/png",
            "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png' or 'image/webp'",
            "Unable to process input image. Please retry or report in the forum", "Provided image is not valid.",
            "Unsupported MIME type: image/gif", "cannot identify image file <_io.BytesIO object at 0x7f>",
            "Failed to load image or audio file", "image too large: max 33177600 pixels", "The image could not be processed",
            "The image length and width do not meet the model restrictions. absolute aspect ratio must be smaller than 200",
            "图片输入格式/解析错误", "图片大小超过限制，最大 10MB", "Image is too small: width and height must be at least 8 pixels",
            "Invalid image url", "Could not load image", "Unrecognized image type", "Unsupported image", "This picture is not allowed", "image media type not supported: image/webp"};

    /** The newest image is the bad one. Only it is left out, also from then on; another one goes up again. */
    @TestFactory
    Stream<DynamicTest> aBadImageIsLeftOutAndNoOther() {
        return Stream.of(BAD_IMAGES).map(words -> DynamicTest.dynamicTest(words, () -> {
            String good = image("Z29vZA==");
            String request = Strict.REQUEST.replace(TOOL_RESULT, "\"content\":[" + good + "]")
                    .replace(LAST, "\"content\":[" + good + "," + image("YmFk") + "]");
            try (var strict = new Strict()) {
                refuseWith(strict, words, "YmFk");
                List<Object> bodies = strict.bodies(request);
                assertEquals(2, bodies.size());
                assertEquals(List.of(2, 0, 1), counts(bodies.getLast(), "Z29vZA==", "YmFk", REFUSED_IMAGE));
                assertEquals(List.of(bodies.getLast()), strict.bodies(request), "it is remembered");
                String next = request.replace("YmFk", "b3RoZXI=");
                List<Object> others = strict.bodies(next);
                assertEquals(1, others.size());
                assertEquals(List.of(2, 1), counts(others.getFirst(), "Z29vZA==", "b3RoZXI="));
            }
        }));
    }

    /** Nobody says which image it is: each of the new ones alone, then all new ones, then all. */
    @TestFactory
    Stream<DynamicTest> theBadImageIsFound() {
        return Stream.of("1", "2", "3", "1 2", "0").map(bad -> DynamicTest.dynamicTest(bad, () -> {
            String request = Strict.REQUEST.replace(TOOL_RESULT, "\"content\":[" + image("aW1nMA==") + "]")
                    .replace(LAST, "\"content\":[%s,%s,%s]".formatted(image("aW1nMQ=="), image("aW1nMg=="), image("aW1nMw==")));
            List<String> data = List.of("aW1nMA==", "aW1nMQ==", "aW1nMg==", "aW1nMw==");
            try (var strict = new Strict()) {
                refuseWith(strict, "Could not process image", Stream.of(bad.split(" ")).map(i -> data.get(Integer.parseInt(i)))
                        .toArray(String[]::new));
                Object sent = strict.bodies(request).getLast();
                List<String> kept = data.stream().filter(each -> count(sent, each) > 0).toList();
                List<String> expected = switch (bad) {
                    case "0" -> List.of();
                    case "1 2" -> data.subList(0, 1);
                    default -> data.stream().filter(each -> !each.equals(data.get(Integer.parseInt(bad)))).toList();
                };
                assertEquals(expected, kept);
                assertEquals(List.of(sent), strict.bodies(request));
            }
        }));
    }

    private static final String[] BAD_DOCUMENTS = {"The PDF specified was not valid.", "The PDF specified is password protected.",
            "A maximum of 100 PDF pages may be provided.", "The document has no pages.", "Invalid PDF: could not parse the document",
            "file too large: the document exceeds 32 MB"};

    @TestFactory
    Stream<DynamicTest> aBadDocumentIsLeftOutAndNoOther() {
        return Stream.of(BAD_DOCUMENTS).map(words -> DynamicTest.dynamicTest(words, () -> {
            String request = Strict.REQUEST.replace(LAST, "\"content\":[%s,%s]".formatted(image("Z29vZA=="), PDF));
            try (var strict = new Strict()) {
                refuseWith(strict, words, "aGk=");
                List<Object> bodies = strict.bodies(request);
                assertEquals(2, bodies.size());
                assertEquals(List.of(1, 1), counts(bodies.getLast(), "Z29vZA==", "[document omitted: the backend refused it"));
                List<Object> others = strict.bodies(request.replace("aGk=", "b3RoZXI="));
                assertEquals(List.of(1), List.of(others.size()));
                assertEquals(1, count(others.getFirst(), "file_data"));
            }
        }));
    }

    /** If it is refused in any case, the words of the backend are told, and nothing is learned. */
    @Test
    void whereNothingHelpsTheClientIsTold() throws Exception {
        try (var strict = new Strict()) {
            strict.refusesAll(new Refusals.Row("some", 400, error("Could not process image"), ""));
            Wire.Reply reply = strict.post(Strict.REQUEST.replace(LAST, "\"content\":[" + IMAGE + "]"));
            assertEquals(400, reply.status(), reply.body());
            assertTrue(reply.text("error.message").contains("Could not process image"), reply.body());
            strict.refuses(Backend.saying("fine"));
            List<Object> bodies = strict.bodies(Strict.REQUEST.replace(LAST, "\"content\":[" + IMAGE + "]"));
            assertEquals(List.of(1), counts(bodies.getLast(), "image_url="));
        }
    }

    private static void refuseWith(Strict strict, String words, String... data) {
        strict.backend().answers(call -> {
            boolean isBad = Stream.of(data).anyMatch(call.text()::contains);
            if (isBad) call.reply(400, "application/json", error(words)); else Backend.saying("fine").answer(call);
        });
    }

    private static String error(String words) {
        return "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\"}}".formatted(words);
    }

    private static String image(String data) { return IMAGE.replace("aGk=", data); }

    // Limits

    /** What a backend says that takes so many images, of which the newest are sent. */
    private static final Map<String, Integer> LIMITS = Map.of(
            "At most 2 image(s) may be provided in one prompt.", 2,
            "You set image=1 (or defaulted to 1) in `--limit-mm-per-prompt`, but found 5 items in the same prompt.", 1,
            "Too many images provided. This model supports up to 3 images", 3,
            "Too many images in request (5), max is 4", 4, "messages: too many images: 5 > 2", 2,
            "Too many images in request. Maximum is 4", 4, "图片数量超过上限，最多 2 张", 2,
            "number of images must be less than 4", 3);

    /** One is a tool's, one stands in a document; the newest come last. */
    private static final String FIVE_IMAGES = Strict.REQUEST
            .replace("\"content\":\"one\"", "\"content\":[" + image("aW1nMA==") + "]")
            .replace(TOOL_RESULT, Strict.json("'content':[{'type':'document','source':{'type':'content','content':[") + image("aW1nMQ==") + "]}},"
                    + image("aW1nMg==") + "]")
            .replace(LAST, "\"content\":[%s,%s]".formatted(image("aW1nMw=="), image("aW1nNA==")));

    @TestFactory
    Stream<DynamicTest> ofTooManyImagesTheNewestAreSent() {
        return LIMITS.entrySet().stream().map(limit -> DynamicTest.dynamicTest(limit.getKey(), () -> {
            try (var strict = new Strict()) {
                strict.backend().answers(call -> {
                    boolean isFine = count(Tree.of(call.text()), "image_url=") <= limit.getValue();
                    if (isFine) Backend.saying("fine").answer(call); else call.reply(400, "application/json", error(limit.getKey()));
                });
                Object sent = strict.bodies(FIVE_IMAGES).getLast();
                List<String> data = List.of("aW1nMA==", "aW1nMQ==", "aW1nMg==", "aW1nMw==", "aW1nNA==");
                assertEquals(data.subList(5 - limit.getValue(), 5), data.stream().filter(each -> count(sent, each) > 0).toList());
                assertEquals(5 - limit.getValue(), count(sent, "[image omitted: this model sees only so many images"));
                assertEquals(List.of(sent), strict.bodies(FIVE_IMAGES), "learned");
                assertEquals(2, strict.bodies(FIVE_IMAGES.replace("m1", "m2")).size(), "for one model");
            }
        }));
    }

    /** The two images of the tool and of the document go up in one message, the others in messages of their own. */
    @Test
    void aLimitForEachMessageKeepsTheNewestOfEach() throws Exception {
        try (var strict = new Strict()) {
            strict.backend().answers(call -> {
                List<?> messages = (List<?>) Tree.at(Tree.of(call.text()), "messages");
                boolean isFine = messages.stream().allMatch(message -> count(message, "image_url=") <= 1);
                if (isFine) Backend.saying("fine").answer(call); else call.reply(400, "application/json",
                        error("At most 1 image is allowed per message"));
            });
            Object sent = strict.bodies(FIVE_IMAGES).getLast();
            assertEquals(List.of(1, 0, 1, 0, 1), counts(sent, "aW1nMA==", "aW1nMQ==", "aW1nMg==", "aW1nMw==", "aW1nNA=="));
        }
    }

    private static final String[] TEXT_ALONE = {"Invalid content type. Only 'text' content is supported by this model",
            "This model only accepts text input; image_url and file parts are not supported",
            "messages[1].content must be a string", "json: cannot unmarshal array into Go struct field Message.messages.content of type string"};

    @TestFactory
    Stream<DynamicTest> imagesAndDocumentsAreLeftOutTogetherWhereNeitherIsTaken() {
        return Stream.of(TEXT_ALONE).map(words -> DynamicTest.dynamicTest(words, () -> {
            String request = Strict.REQUEST.replace(LAST, "\"content\":[" + PDF + "," + IMAGE + "]");
            try (var strict = new Strict()) {
                refuseWith(strict, words, "image_url", "file_data");
                List<Object> bodies = strict.bodies(request);
                assertEquals(List.of(1, 1), counts(bodies.getLast(), NO_IMAGE, NO_DOCUMENT));
                assertEquals(List.of(bodies.getLast()), strict.bodies(request), "learned");
            }
        }));
    }

    private static List<Integer> counts(Object body, String... texts) {
        return Stream.of(texts).map(text -> count(body, text)).toList();
    }

    private static int count(Object body, String text) {
        return body.toString().split(Pattern.quote(text), -1).length - 1;
    }
}
