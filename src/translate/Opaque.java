package translate;

import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * What a backend wants back as it gave it: OpenRouter's {@code reasoning_details}, and the {@code extra_content} of
 * tool calls in which Gemini signs its thoughts. The client keeps it in the signature of a thinking block or, where
 * there is none, in the data of a redacted_thinking block: {@code a2o1.FIELD}, with the key that the reasoning came
 * under, and if there is more to keep {@code .} and, in base64url,
 * {@code {"reasoning_details":[…],"extra_content":{CALL_ID:{…}}}}.
 */
public final class Opaque {
    /** The keys that backends send reasoning under; the first where no other is known. */
    static final List<String> FIELDS = List.of("reasoning_content", "reasoning", "thinking");
    static final String PREFIX = "a2o1.";
    private static final Set<String> PIECES = Set.of("text", "summary", "data"); // members that come in pieces
    static final int MAX_BYTES = 256 * 1024;

    private final List<Json> details = new ArrayList<>();
    private String callId = "";
    private Json extra = Json.NULL;

    void add(Json detail) { details.add(detail); }

    void add(String callId, Json extra) {
        this.callId = callId;
        this.extra = extra;
    }

    /** {@return whether there is nothing to keep: details of plain text are not, for the reasoning has it} */
    boolean isEmpty() {
        return extra.isNull() && details.stream()
                .noneMatch(each -> each.get("signature").hasText() || each.get("data").hasText());
    }

    /** {@return the signature of reasoning that came under {@code field}, with what was gathered since the last} */
    String take(String field) {
        var json = new JsonWriter().raw('{');
        if (!details.isEmpty()) list(json);
        if (!extra.isNull()) json.put("'extra_content':{%:%}", callId, extra);
        byte[] bytes = json.closeWith('}').toBytes();
        boolean isKept = !isEmpty() && bytes.length <= MAX_BYTES;
        details.clear();
        extra = Json.NULL;
        return PREFIX + field + (isKept ? "." + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes) : "");
    }

    /** Writes the details, the pieces of each joined: those that follow each other with the same index and type. */
    private void list(JsonWriter json) {
        json.put("'reasoning_details':[");
        for (int from = 0, to; from < details.size(); from = to) {
            Map<String, List<Json>> whole = new LinkedHashMap<>();
            Object kind = kind(details.get(from));
            for (to = from; to < details.size() && (to == from || kind(details.get(to)).equals(kind)); to++) {
                Json[] members = details.get(to).parts();
                for (int i = 0; i < members.length; i += 2) {
                    List<Json> values = whole.computeIfAbsent(members[i].text(), none -> new ArrayList<>());
                    if (!members[i + 1].isNull()) values.add(members[i + 1]);
                }
            }
            json.raw('{');
            whole.forEach((name, values) -> {
                boolean isJoined = PIECES.contains(name) && values.stream().allMatch(Json.Str.class::isInstance);
                Json last = values.isEmpty() ? Json.NULL : values.getLast();
                json.put("%:%,", name, isJoined && !values.isEmpty() ? JsonWriter.text(values.toArray()) : last);
            });
            json.closeWith('}').raw(',');
        }
        json.closeWith(']').raw(',');
    }

    /** {@return what pieces of one have in common; for what has no index, what no other has} */
    private static Object kind(Json detail) {
        return detail.get("index").isNull() ? detail : detail.get("index").raw() + detail.get("type").raw();
    }

    /** {@return the key that reasoning came under, by its signature; "" if that is none of ours} */
    public static String field(String signature) {
        return signature.startsWith(PREFIX) ? signature.substring(PREFIX.length()).split("\\.", 2)[0] : "";
    }

    /** {@return what a signature keeps; NULL if nothing, or it is none of ours} */
    static Json of(String signature) {
        String[] parts = signature.startsWith(PREFIX) ? signature.split("\\.") : new String[0];
        try {
            return parts.length == 3 ? JsonParser.parse(Base64.getUrlDecoder().decode(parts[2])) : Json.NULL;
        } catch (IllegalArgumentException | Json.Malformed e) { // somebody changed it: as good as none
            return Json.NULL;
        }
    }
}
