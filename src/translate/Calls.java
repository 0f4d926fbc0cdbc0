package translate;

import anthropic.MessageWriter;
import anthropic.Request;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Supplier;
import json.Json;
import json.JsonWriter;

/**
 * The tool calls of one reply, as their pieces come: in any order, with or without an index and an id,
 * interleaved. They are written one after the other, each as far as its arguments are ready (SPEC C.5).
 */
final class Calls {
    private static final int MAX_NAME = 1000; // characters after which no more of a name is taken
    private static final Comparator<Call> IN_ORDER =
            Comparator.<Call>comparingLong(call -> call.place).thenComparingInt(call -> call.number);

    /**
     * One tool call of the reply; its arguments are mended and wait in {@code arguments} until its turn
     * comes.
     */
    private static final class Call {
        private final Arguments arguments = new Arguments();
        private final long place; // among the calls: the backend's index
        private final int number; // among calls of the same place
        private final boolean isDropped;
        private String id = "";
        private String name = "";
        private boolean isFed; // whether arguments have come
        private boolean isEmpty; // whether they were just {}, which some send first in place of those to come
        private boolean isText; // whether it is the input of a custom tool, text that has no end of its own
        private Json extra = Json.NULL; // to be sent back with it

        private Call(long place, int number, boolean isDropped) {
            this.place = place;
            this.number = number;
            this.isDropped = isDropped;
        }

        /** Takes a name, or more of it; some backends repeat it, or all that has come of it so far. */
        private void addName(String more) {
            boolean isNothing = more.isEmpty() || more.equals(name) || name.length() > MAX_NAME;
            if (isNothing) return;
            name = more.startsWith(name) ? more : name + more;
        }

        /** Takes JSON text, or a piece of it. */
        private void feed(String text) {
            if (text.isEmpty()) return;
            isEmpty = !isFed && text.strip().equals("{}");
            isFed = true;
            if (!isEmpty) arguments.feed(text);
        }

        /** Takes the input of a custom tool, or a piece of it: {@code {"input":"text"}}. */
        private void feedInput(Json input) {
            boolean isString = input instanceof Json.Str;
            if (!isString && !isText) {
                feed("{\"input\":%s}".formatted(input.raw()));
                return;
            }
            if (!isText) feed("{\"input\":\"");
            isText = true;
            feed(new JsonWriter().inner(isString ? input : input.raw()).toString());
        }

        private void end(Arguments.Ending ending) {
            if (isEmpty) arguments.feed("{}");
            boolean isTextWhole = isText && ending == Arguments.Ending.WHOLE;
            if (isTextWhole) arguments.feed("\"}");
            arguments.end(ending);
        }
    }

    private final Request request;
    private final Supplier<String> newIds;
    private final List<Call> all = new ArrayList<>(); // but those that are dropped
    private final Map<String, Call> byIndex = new HashMap<>(); // the last one of each
    private final Map<String, Call> byId = new HashMap<>();
    private final PriorityQueue<Call> waiting = new PriorityQueue<>(IN_ORDER); // not begun
    private final Set<String> usedIds = new HashSet<>(); // ever; empty until the first call
    private ToolNames names; // null until the first call
    private Call last; // that a piece came for; null if none has
    private Call lastWithoutId; // null if there is none
    private Call open; // the call that is being written; null if none is
    private int count;
    private long highest; // place so far; calls without an index come after those before them
    private boolean isCut;
    private boolean isBroken;

    Calls(Request request, Supplier<String> newIds) {
        this.request = request;
        this.newIds = newIds;
    }

    boolean isEmpty() { return all.isEmpty(); }
    /** {@return whether a call has begun that is not finished} */
    boolean isOpen() { return open != null || !waiting.isEmpty(); }
    boolean isWhole() { return all.stream().allMatch(call -> call.isEmpty || call.arguments.isComplete()); }
    /** {@return whether the arguments of a call were cut, whatever the backend says; known at the end} */
    boolean isCut() { return isCut; }
    /** {@return whether arguments were beyond mending from some place on; known at the end} */
    boolean isBroken() { return isBroken; }

    /**
     * {@code {"index":I,"id":…,"function":{"name":N,"arguments":A}}}, whole or a piece of it, any of it
     * missing.
     */
    void take(Json delta, Json function, boolean whole) {
        Call call = call(delta, function, whole);
        last = call;
        String name = function.get("name").text();
        if (!delta.get("extra_content").isNull()) call.extra = delta.get("extra_content");
        if (call.id.isEmpty()) identify(call, delta.get("id").text());
        if (call != open) call.addName(name);
        Json arguments = function.get("arguments");
        Json input = function.get("input"); // of a custom tool
        if (!input.isNull()) {
            call.feedInput(input);
        } else if (!arguments.isNull()) {
            call.feed(arguments instanceof Json.Str ? arguments.text() : arguments.raw());
        }
        if (call.isDropped) call.arguments.take();
    }

    private void identify(Call call, String id) {
        call.id = id;
        if (id.isEmpty()) {
            lastWithoutId = call;
            return;
        }
        byId.put(id, call);
        if (lastWithoutId == call) lastWithoutId = null;
    }

    /** {@return the call that a delta goes on with, or a new one} */
    private Call call(Json delta, Json function, boolean whole) {
        Json index = delta.get("index") instanceof Json.Num number ? number : Json.NULL;
        Call found = whole ? null : found(index, delta.get("id").text(), function.get("name").hasText());
        return found == null || isOther(found, delta, function) ? add(index) : found;
    }

    /**
     * {@return the call with that index, else with that id, else, without either, the last; null for none}
     */
    private Call found(Json index, String id, boolean isNamed) {
        if (!index.isNull()) return byIndex.get(index.raw());
        if (id.isEmpty()) return isNamed ? null : last;
        Call same = byId.get(id);
        return same == null && !isNamed ? lastWithoutId : same;
    }

    /** {@return whether a delta begins a call, though its index is that of {@code found}} */
    private static boolean isOther(Call found, Json delta, Json function) {
        if (!function.get("name").hasText()) return false;
        String id = delta.get("id").text();
        if (!id.isEmpty()) return !found.id.isEmpty() && !found.id.equals(id);
        return found.arguments.isComplete() && !function.get("arguments").text().isBlank();
    }

    private Call add(Json index) {
        boolean isDropped = request.isOneCallWanted() && !all.isEmpty(); // the client wants one call only
        long place = index.toLong(highest);
        highest = Math.max(highest, place);
        var call = new Call(place, count++, isDropped);
        if (!index.isNull()) byIndex.put(index.raw(), call);
        if (isDropped) return call;
        all.add(call);
        waiting.add(call);
        return call;
    }

    /**
     * Writes what is ready of the first unfinished call, and begins the next when that one is whole.
     * {@return whether no call is open}
     */
    boolean write(Translator to, MessageWriter message) {
        while (isOpen()) {
            if (open == null && !isKnown(waiting.peek())) return false;
            if (open == null) begin(to, message);
            String ready = open.arguments.take();
            if (!ready.isEmpty()) message.input(ready);
            if (!open.arguments.isComplete()) return false;
            finish(message);
        }
        return true;
    }

    /** {@return whether a call can begin: it has a name, and that is whole} */
    private boolean isKnown(Call call) {
        return !call.name.isEmpty() && (call.isFed || !call.id.isEmpty() || waiting.size() > 1);
    }

    private void begin(Translator to, MessageWriter message) {
        open = waiting.remove();
        if (names == null) names = new ToolNames(request.get("tools").items());
        to.openCall(callId(open.id), names.declared(open.name), open.extra);
        message.beginInput();
    }

    private void finish(MessageWriter message) {
        message.close("");
        open = null;
    }

    /** Writes all calls to their end; nothing more comes. Calls without a name are dropped. */
    void end(Translator to, MessageWriter message, boolean isStream, Arguments.Ending ending) {
        while (isOpen()) {
            boolean isNameless = open == null && waiting.peek().name.isEmpty();
            if (isNameless) waiting.remove();
            if (isNameless) continue;
            if (open == null) begin(to, message);
            open.end(ending);
            isCut |= open.arguments.isCut();
            isBroken |= open.arguments.isBroken();
            String rest = open.arguments.take();
            boolean isNothing = rest.isEmpty() || open.arguments.isCut();
            if (!isStream) message.input(isNothing ? "{}" : rest);
            if (isStream && !rest.isEmpty()) message.input(rest);
            finish(message);
        }
    }

    /**
     * {@return the upstream's id, or a new one if that is empty or stands in this reply or the conversation}
     */
    private String callId(String id) {
        if (usedIds.isEmpty()) readIds();
        boolean isNew = usedIds.add(id) && !id.isEmpty();
        return isNew ? id : "toolu_" + newIds.get();
    }

    private void readIds() {
        usedIds.add("");
        for (Json message : request.get("messages").items()) {
            for (Json block : message.get("content").items()) {
                if (block.get("type").is("tool_use")) usedIds.add(block.get("id").text());
            }
        }
    }
}
