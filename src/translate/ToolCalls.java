package translate;

import anthropic.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.function.Predicate;
import java.util.function.Supplier;
import json.Json;

/**
 * The tool calls of one reply, as their pieces come: in any order, with or without an index and an id,
 * interleaved. They are written one after the other, each as far as its arguments are ready (SPEC C.5).
 */
final class ToolCalls {
    /** Where calls are written to, one block each. */
    interface Output {
        /** Begins a block. {@code extra} is what the backend wants back with the call; NULL for nothing. */
        void openCall(String id, String name, Json extra);

        /** Adds JSON text to the input of the call. */
        void addInput(String json);

        void closeCall();
    }

    private final Request request;
    private final Optional<String> function;
    private final Supplier<String> newIds;
    private final Output output;
    private final CallFinder finder = new CallFinder();
    private final List<ToolCall> all = new ArrayList<>(); // but those that are dropped
    private final PriorityQueue<ToolCall> waiting = new PriorityQueue<>(ToolCall.IN_ORDER); // not begun
    private Optional<ToolCall> open = Optional.empty(); // the call that is being written
    private Optional<ToolNames> names = Optional.empty(); // none until the first call, as the ids
    private Optional<CallIds> ids = Optional.empty();
    private int count;
    private long highestPlace; // so far; calls without an index come after those before them

    /** @param function that is sent for a tool that has another name, if there is one */
    ToolCalls(Request request, Optional<String> function, Supplier<String> newIds, Output output) {
        this.request = request;
        this.function = function;
        this.newIds = newIds;
        this.output = output;
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    /** {@return whether a call has come that is not written to its end} */
    boolean hasUnfinished() {
        return open.isPresent() || !waiting.isEmpty();
    }

    boolean areWhole() {
        return !isAny(call -> !call.isWhole());
    }

    /** {@return whether the arguments of a call were cut, whatever the backend says; known at the end} */
    boolean isCut() {
        return isAny(ToolCall::isCut);
    }

    /** {@return whether arguments were beyond mending from some place on; known at the end} */
    boolean isBroken() {
        return isAny(ToolCall::isBroken);
    }

    private boolean isAny(Predicate<ToolCall> condition) {
        for (ToolCall call : all) {
            if (condition.test(call)) return true;
        }
        return false;
    }

    /** Takes a call, or a piece of one. */
    void take(Piece.Call piece) {
        Optional<ToolCall> known = finder.find(piece);
        ToolCall call = known.orElseGet(() -> newCall(piece.index()));
        finder.remember(call, piece, known.isEmpty());
        if (!piece.extra().isNull()) call.setExtra(piece.extra());
        boolean isBegun = open.isPresent() && open.get() == call;
        if (!isBegun) call.addName(piece.name().text());
        if (!piece.input().isNull()) {
            call.addText(piece.input());
        } else if (!piece.arguments().isNull()) {
            call.addArguments(piece.arguments());
        }
        if (call.isDropped()) call.removeReady(); // so that its arguments take no room
    }

    private ToolCall newCall(Json index) {
        boolean isDropped = request.isOneCallWanted() && !all.isEmpty(); // the client wants one call only
        long place = index.toLong(highestPlace);
        highestPlace = Math.max(highestPlace, place);
        var call = new ToolCall(place, count++, isDropped);
        if (!isDropped) {
            all.add(call);
            waiting.add(call);
        }
        return call;
    }

    /** Writes what is ready of the first unfinished call, and begins the next when that one is whole. */
    void write() {
        while (hasUnfinished()) {
            if (open.isEmpty() && !canBegin(waiting.peek())) return;
            ToolCall call = open.orElseGet(this::begin);
            addInput(call.removeReady());
            if (!call.isClosed()) return;
            close();
        }
    }

    /** {@return whether the call has a name, and that is whole} */
    private boolean canBegin(ToolCall call) {
        boolean isNamePast = call.hasArguments() || !call.id().isEmpty() || waiting.size() > 1;
        return isNamePast && !call.name().isEmpty();
    }

    private ToolCall begin() {
        ToolCall call = waiting.remove();
        if (names.isEmpty()) names = Optional.of(new ToolNames(request.get("tools").items(), function));
        if (ids.isEmpty()) ids = Optional.of(new CallIds(request, newIds));
        output.openCall(ids.get().unique(call.id()), names.get().declared(call.name()), call.extra());
        open = Optional.of(call);
        return call;
    }

    private void addInput(String json) {
        if (!json.isEmpty()) output.addInput(json);
    }

    private void close() {
        output.closeCall();
        open = Optional.empty();
    }

    /** Nothing more comes for that call. */
    void end(Json index) {
        var nothing = new Piece.Call(index, Json.NULL, Json.NULL, Json.NULL, Json.NULL, Json.NULL, false);
        finder.find(nothing).ifPresent(call -> call.end(Arguments.Ending.WHOLE));
    }

    /** Writes the first calls as far as they are over, each as a whole. */
    void writeEnded() {
        while (!waiting.isEmpty() && waiting.peek().isEnded()) {
            if (waiting.peek().name().isEmpty()) return;
            end(begin(), Arguments.Ending.WHOLE);
        }
    }

    /** Writes all calls to their end; nothing more comes. Calls without a name are dropped. */
    void end(Arguments.Ending ending) {
        while (hasUnfinished()) {
            boolean isNameless = open.isEmpty() && waiting.peek().name().isEmpty();
            if (isNameless) {
                waiting.remove();
            } else {
                end(open.orElseGet(this::begin), ending);
            }
        }
    }

    /**
     * A cut call stays cut in a stream, which has shown its beginning; in a whole reply its input is empty.
     */
    private void end(ToolCall call, Arguments.Ending ending) {
        call.end(ending);
        String rest = call.removeReady();
        if (request.isStream()) {
            addInput(rest);
        } else {
            boolean isNothing = rest.isEmpty() || call.isCut();
            addInput(isNothing ? "{}" : rest);
        }
        close();
    }
}
