import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The tool calls of one reply, as their pieces come: in any order, with or without an index and an id, interleaved.
 * They are written one after the other, each as far as its arguments are ready (SPEC C.5).
 */
final class Calls {
    /** One tool call of the reply; its arguments are mended and wait in {@code arguments} until its turn comes. */
    private static final class Call {
        private final Arguments arguments = new Arguments();
        private final Json index; // the upstream's, NULL if it sends none
        private String id = "";
        private String name = "";
        private boolean fed; // whether arguments have come
        private boolean empty; // whether they were just {}, which some send first in place of those to come
        private boolean open;
        private Json extra = Json.NULL; // to be sent back with it

        private Call(Json index) { this.index = index; }

        private void feed(String text) {
            if (text.isEmpty()) return;
            empty = !fed && text.strip().equals("{}");
            fed = true;
            if (!empty) arguments.feed(text);
        }
    }

    private final Request request;
    private final Supplier<String> newIds;
    private final Set<String> ids = new HashSet<>();
    private final List<Call> calls = new ArrayList<>();
    private int current; // the first of the calls that is not finished

    Calls(Request request, Supplier<String> newIds) {
        this.request = request;
        this.newIds = newIds;
    }

    boolean isEmpty() { return calls.isEmpty(); }
    /** {@return whether a call has begun that is not finished} */
    boolean isOpen() { return current < calls.size(); }
    boolean isWhole() { return calls.stream().allMatch(call -> call.empty || call.arguments.isComplete()); }

    /** {@code {"index":I,"id":…,"function":{"name":N,"arguments":A}}}, whole or a piece of it, any of it missing. */
    void take(Json delta, Json function, boolean whole) {
        Call call = call(delta, function, whole);
        String name = function.get("name").text();
        if (!delta.get("extra_content").isNull()) call.extra = delta.get("extra_content");
        if (call.id.isEmpty()) call.id = delta.get("id").text();
        if (!call.open && !name.equals(call.name)) call.name = name.startsWith(call.name) ? name : call.name + name;
        Json arguments = function.get("arguments");
        Json input = function.get("input"); // of a custom tool
        boolean isText = arguments instanceof Json.Str || arguments.isNull();
        String text = isText ? arguments.text() : arguments.raw();
        call.feed(input.isNull() ? text : "{\"input\":%s}".formatted(input.raw()));
    }

    /** {@return the call that a delta goes on with, by its index, else by its id, else the last; or a new one} */
    private Call call(Json delta, Json function, boolean whole) {
        String id = delta.get("id").text();
        Json index = delta.get("index") instanceof Json.Num number ? number : Json.NULL;
        boolean named = function.get("name").hasText();
        Call found = null;
        for (Call call : whole ? List.<Call>of() : calls) {
            boolean same = id.isEmpty() ? !named : call.id.equals(id) || call.id.isEmpty() && !named;
            if (index.isNull() ? same : call.index.raw().equals(index.raw())) found = call;
        }
        boolean isOther = found == null || named && (!id.isEmpty() && !found.id.isEmpty() && !found.id.equals(id)
                || id.isEmpty() && found.arguments.isComplete() && !function.get("arguments").text().isBlank());
        if (!isOther) return found;
        Call call = new Call(index);
        if (request.isOneCallWanted() && !calls.isEmpty()) return call; // dropped: the client wants one call only
        int at = calls.size(); // in the order of their indexes, as far as they have not begun
        long place = index.toLong(Long.MAX_VALUE);
        while (at > current && !calls.get(at - 1).open && calls.get(at - 1).index.toLong(0) > place) at--;
        calls.add(at, call);
        return call;
    }

    /**
     * Writes what is ready of the first unfinished call, and begins the next when that one is whole. {@code last}:
     * nothing more comes, and if {@code cut} because the length limit was reached. {@return whether no call is open}
     */
    boolean write(Translator to, MessageWriter message, boolean isStream, boolean last, boolean cut) {
        for (; isOpen(); current++) {
            Call call = calls.get(current);
            boolean isKnown = !call.name.isEmpty() && (call.fed || !call.id.isEmpty() || current + 1 < calls.size());
            if (!isKnown && !last) return false;
            if (call.name.isEmpty()) continue; // dropped: a call of nothing
            if (!call.open) {
                String id = callId(call.id);
                to.openCall(id, toolName(call.name), call.extra);
                if (isStream) message.input("");
                call.open = true;
            }
            if (last && call.empty) call.arguments.feed("{}");
            if (last) call.arguments.end(cut, !isStream);
            message.input(call.arguments.take());
            if (!call.arguments.isComplete()) return false;
            message.close("");
        }
        return true;
    }

    /** {@return the upstream's id, or a new one if that is empty or stands in this reply or the conversation} */
    private String callId(String id) {
        boolean used = !ids.add(id) || request.get("messages").items().stream()
                .flatMap(message -> message.get("content").items().stream())
                .anyMatch(block -> block.get("type").is("tool_use") && block.get("id").text().equals(id));
        return id.isEmpty() || used ? "toolu_" + newIds.get() : id;
    }

    /** {@return the client's name for a function that the model called: exactly, or as models misspell it} */
    private String toolName(String called) {
        String bare = called.replaceFirst("^(functions\\.|default_api:)", "");
        List<Json> names = request.get("tools").items().stream().map(tool -> tool.get("name")).toList();
        Stream<Predicate<String>> matches =
                Stream.of(called::equals, bare::equals, called::equalsIgnoreCase, bare::equalsIgnoreCase);
        return matches.flatMap(match -> names.stream().filter(name -> match.test(Tools.shortName(name).text())))
                .findFirst().map(Json::text).filter(name -> !name.isEmpty()).orElse(called);
    }
}
