package translate;

import anthropic.Request;
import java.util.List;
import json.Json;
import json.JsonParser;
import json.JsonWriter;

/**
 * The client's request once more, for what comes after searches: the reply so far stands at the end of its
 * history, as if the client had sent it back.
 */
final class ContinuedRequest {
    private ContinuedRequest() { }

    /**
     * @param blocks of the last round
     * @param output tokens that the model has written in it
     * @param isLast whether no round of searches may follow
     */
    static Json of(Request request, List<Json> blocks, long output, boolean isLast) {
        var out = new JsonWriter().object();
        Json[] members = request.json().parts();
        for (int i = 0; i < members.length; i += 2) {
            Json value = members[i + 1];
            switch (members[i].text()) {
                case "messages" -> writeMessages(value, blocks, out.name(members[i]));
                case "max_tokens" -> out.name(members[i]).number(Math.max(1, value.toLong(1) - output));
                case "tool_choice" -> { } // written last
                default -> out.name(members[i]).value(value); // as it came
            }
        }
        writeChoice(request, isLast, out);
        return JsonParser.parse(out.endObject().toBytes());
    }

    private static void writeMessages(Json messages, List<Json> blocks, JsonWriter out) {
        out.array();
        messages.items().forEach(out::value);
        out.object().field("role", "assistant").name("content").array();
        blocks.forEach(out::value);
        out.endArray().endObject().endArray();
    }

    /** Writes what the model may do now: the call that it had to make is made. In the end it must answer. */
    private static void writeChoice(Request request, boolean isLast, JsonWriter out) {
        Json choice = request.get("tool_choice");
        boolean isAlone = request.get("tools").items().stream().allMatch(ToolKind::isServer);
        boolean mustAnswer = choice.get("type").is("none") || isLast && isAlone;
        out.name("tool_choice").object().field("type", mustAnswer ? "none" : "auto");
        Json isOneCall = choice.get("disable_parallel_tool_use");
        if (!isOneCall.isNull()) out.field("disable_parallel_tool_use", isOneCall);
        out.endObject();
    }
}
