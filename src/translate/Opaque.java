package translate;

import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * What a backend wants back as it gave it: OpenRouter's {@code reasoning_details}, the {@code
 * thinking_blocks} of LiteLLM before Claude, and the {@code extra_content} of tool calls in which Gemini
 * signs its thoughts. The client keeps it in the signature of a thinking block or, where there is none, in
 * the data of a redacted_thinking block: {@code a2o1.FIELD}, with the key that the reasoning came under,
 * and if there is more to keep {@code .} and, in base64url, {@code
 * {"reasoning_details":[…],"thinking_blocks":[…],"extra_content":{CALL_ID:{…}}}}.
 */
public final class Opaque {
    /** The keys that backends send reasoning under; the first where no other is known. */
    static final List<String> FIELDS = List.of("reasoning_content", "reasoning", "thinking");
    /** The keys of lists of objects about reasoning. */
    static final List<String> LISTS = List.of("reasoning_details", "thinking_blocks");
    static final String PREFIX = "a2o1.";
    /** The members of a detail that come in pieces. */
    private static final Set<String> PIECES = Set.of("text", "summary", "data", "thinking");
    static final int MAX_BYTES = 256 * 1024; // of what is kept; beyond it nothing is

    /** A signature, taken apart: {@code a2o1.reasoning.eyJ…}. */
    private record Signature(String field, Optional<String> kept) {
        /** {@return its parts; none if it is none of ours} */
        private static Optional<Signature> of(Json text) {
            if (!text.begins(PREFIX)) return Optional.empty();
            String parts = text.text().substring(PREFIX.length());
            int dot = parts.indexOf('.');
            if (dot < 0) return Optional.of(new Signature(parts, Optional.empty()));
            return Optional.of(new Signature(parts.substring(0, dot), Optional.of(parts.substring(dot + 1))));
        }
    }

    private final Map<String, List<Json>> details = new LinkedHashMap<>(); // by the key of their list
    private String callId = "";
    private Json extra = Json.NULL;

    void addDetail(String list, Json detail) {
        details.computeIfAbsent(list, none -> new ArrayList<>()).add(detail);
    }

    void add(String callId, Json extra) {
        this.callId = callId;
        this.extra = extra;
    }

    /** {@return whether there is nothing to keep: details of plain text are not, for the reasoning has it} */
    boolean isEmpty() {
        return extra.isNull() && details.values().stream().flatMap(List::stream)
                .noneMatch(each -> each.get("signature").hasText() || each.get("data").hasText());
    }

    /**
     * {@return the signature of reasoning that came under {@code field}, with what was gathered since the
     * last}
     */
    String take(String field) {
        byte[] kept = toJson();
        boolean isKept = !isEmpty() && kept.length <= MAX_BYTES;
        details.clear();
        extra = Json.NULL;
        return isKept ? signature(field, kept) : PREFIX + field;
    }

    /** {@return a signature that keeps some JSON} */
    static String signature(String field, byte[] json) {
        return PREFIX + field + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(json);
    }

    private byte[] toJson() {
        var json = new JsonWriter().object();
        details.forEach((list, all) -> writeDetails(list, all, json));
        if (!extra.isNull()) json.name("extra_content").object().field(callId, extra).endObject();
        return json.endObject().toBytes();
    }

    /** Writes the details, the pieces of each joined. */
    private static void writeDetails(String list, List<Json> all, JsonWriter json) {
        json.name(list).array();
        int from = 0;
        while (from < all.size()) {
            int to = from + 1;
            while (to < all.size() && isPieceOfSame(all.get(to - 1), all.get(to))) to++;
            writeJoined(all.subList(from, to), json);
            from = to;
        }
        json.endArray();
    }

    /**
     * {@return whether two details in a row are pieces of one: they have the same index and type, or are
     * pieces of thinking, which end with a signature}
     */
    private static boolean isPieceOfSame(Json one, Json next) {
        boolean isThinking = one.get("type").is("thinking") && next.get("type").is("thinking");
        if (isThinking) return !one.get("signature").hasText();
        Json index = one.get("index");
        if (index.isNull() || !index.raw().equals(next.get("index").raw())) return false;
        return one.get("type").raw().equals(next.get("type").raw());
    }

    /** Writes one object for its pieces: texts one after the other, of other members the last. */
    private static void writeJoined(List<Json> pieces, JsonWriter json) {
        Map<String, List<Json>> members = new LinkedHashMap<>();
        for (Json piece : pieces) {
            Json[] parts = piece.parts();
            for (int i = 0; i < parts.length; i += 2) {
                List<Json> values = members.computeIfAbsent(parts[i].text(), none -> new ArrayList<>());
                if (!parts[i + 1].isNull()) values.add(parts[i + 1]);
            }
        }
        json.object();
        members.forEach((name, values) -> json.field(name, joined(name, values)));
        json.endObject();
    }

    private static Json joined(String name, List<Json> values) {
        if (values.isEmpty()) return Json.NULL;
        boolean isText = PIECES.contains(name) && values.stream().allMatch(Json.Str.class::isInstance);
        if (!isText) return values.getLast();
        Json.Str before = JsonWriter.text(values.subList(0, values.size() - 1).toArray());
        boolean isRepeated = before.hasText() && before.text().equals(values.getLast().text());
        return isRepeated ? before : JsonWriter.text(values.toArray()); // some say all of it once more
    }

    /** {@return the key that reasoning came under, by its signature; "" if that is none of ours} */
    public static String field(Json signature) {
        return Signature.of(signature).map(Signature::field).orElse("");
    }

    /** {@return what a signature keeps; NULL if nothing, or it is none of ours} */
    static Json of(Json signature) {
        Optional<String> kept = Signature.of(signature).flatMap(Signature::kept);
        if (kept.isEmpty()) return Json.NULL;
        try {
            return JsonParser.parse(Base64.getUrlDecoder().decode(kept.get()));
        } catch (IllegalArgumentException | Json.Malformed e) { // the client has changed it
            return Json.NULL;
        }
    }
}
