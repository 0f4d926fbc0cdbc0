package serve;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import testing.Backend;
import testing.RandomJson;
import testing.Tasks;

/**
 * What is to happen in one exchange of {@link SoakTest}: made of a seed and a number alone, so that it can be had
 * again. The backend gives the bad answer some times, then the good one. All that is said has the exchange's marker.
 */
final class SoakPlan {
    enum Fault {
        NONE, CUT, UNFINISHED, EMPTY, FIRST_ERROR, LATER_ERROR, STATUS, ERROR_AS_REPLY, BAD_HEAD, STAYS_OPEN
    }
    /** When the client closes its connection. RUNNING: at the first bytes of a stream without end. */
    enum Leave { NEVER, AT_ONCE, AT_FIRST_BYTES, RUNNING }
    /** What becomes of the backend's connection after the last byte. RUN: there is none. */
    private enum End { KEEP, CLOSE, RESET, STAY, RUN }
    private enum Framing { LENGTH, CHUNKED, UNBOUNDED }

    /**
     * What may come of an answer: a whole message, or an error of that status, which comes as an event if something was
     * {@code shown}. Its words have the marker if they are {@code told}; {@code retryAfter} is in seconds, 0 is none.
     */
    record Outcome(boolean whole, boolean failed, boolean shown, int status, long retryAfter, boolean told) {
        boolean mayBeRetried() {
            boolean soon = retryAfter > 0 && retryAfter <= 5;
            return failed && (Set.of(502, 504, 529).contains(status) || status == 429 && soon);
        }
    }

    /**
     * The first {@code length} bytes are sent, {@code packet} at most in one write, with a pause at one of them. If it
     * has no end, {@code more} follows again and again.
     */
    record Answer(byte[] bytes, int length, End end, String more, int packet, int pauseAt, Outcome outcome) {
        void send(Backend.Call call) throws Exception {
            var random = new Random(length);
            for (int from = 0, to; from < length; from = to) {
                to = Math.min(length, from + 1 + random.nextInt(packet));
                call.raw(bytes, from, to);
                if (from <= pauseAt && pauseAt < to) Thread.sleep(1 + random.nextInt(30));
            }
            switch (end) {
                case KEEP -> call.keep();
                case CLOSE -> { } // by returning
                case RESET -> call.reset();
                case STAY -> call.awaitLeft();
                case RUN -> {
                    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(Tasks.WAIT_SECONDS);
                    while (System.nanoTime() < until) call.data(more);
                    throw new AssertionError("kept reading although the client has left");
                }
            }
        }
    }

    /** Bytes on the wire; {@code at[n]} is where the body's byte n stands, the last one where the body has ended. */
    private record Sent(byte[] bytes, int[] at, Framing framing) {
        int at(int mark) {
            return mark < at.length ? at[mark] : Integer.MAX_VALUE;
        }
    }

    /** A body under construction, a character a byte; the marks are where something has been said, or never. */
    private static final class Body {
        private final StringBuilder text = new StringBuilder();
        private int shown = Integer.MAX_VALUE; // the first content
        private int called = Integer.MAX_VALUE; // with the end, enough for a whole reply: a whole call, or usage
        private int finished = Integer.MAX_VALUE;
        private int done = Integer.MAX_VALUE; // [DONE]
        private int sure = Integer.MAX_VALUE; // finished, and the event is ended
    }

    static final Outcome UNASKED = new Outcome(false, true, false, 502, 0, false);
    private static final int FIRST_TO_STAY = 300; // it costs five seconds, so there is none in a quick run
    /** Whether half an event after finish_reason, and then a good end, may be taken for a broken stream. */
    private static final boolean HALF_AN_EVENT_SPOILS_ALL = false;
    private static final String CREATED = "{\"type\":\"response.created\",\"response\":{\"status\":\"in_progress\"}}";
    private static final String COMPLETED = "{\"type\":\"response.completed\",\"response\":{\"status\":\"completed\","
            + "\"output\":[],\"usage\":{\"input_tokens\":7,\"output_tokens\":3}}}";
    private static final String[] NOISE = {": keep-alive", "event: message", "data:", "id: 7", "retry: 3000", ""};
    private static final Integer[] STATUSES = {400, 401, 404, 413, 422, 429, 429, 429, 500, 502, 503, 503, 504, 529};
    private static final String[] BAD_HEADS = {"220 ready\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx-a: b\u0001c\r\n\r\n", "HTTP/1.1 200 OK\r\nx a: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: abc\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n".repeat(20),
            "HTTP/1.1 200 OK\r\n" + "x-a: b\r\n".repeat(3000)};
    private static final Long[] RETRY_AFTER = {0L, 1L, 1L, 7L, 86_400L};

    final int number;
    final boolean isResponses; // the API by which the backend is asked; else by chat completions
    final boolean stream;
    final Leave leave;
    final Fault fault;
    final int times;
    final AtomicInteger asked = new AtomicInteger();
    final String said; // what a client must read: thinking, text, input of the call
    private final Random random;
    private final boolean hasCall;
    private final String call; // its input
    private final List<String> deltas = new ArrayList<>();
    private final String thinking;
    private final String text;
    private final Answer good;
    private final Answer bad;

    SoakPlan(long seed, int number) {
        this.number = number;
        this.random = new Random(seed * 0x9E3779B97F4A7C15L + number * 0x2545F4914F6CDD1DL);
        this.isResponses = number % 3 == 0;
        this.stream = random.nextInt(4) > 0;
        this.leave = random.nextInt(7) > 0 ? Leave.NEVER : Leave.values()[1 + random.nextInt(stream ? 3 : 2)];
        this.times = 1 + random.nextInt(4);
        this.thinking = words(true, random.nextInt(4) == 0 ? 3 : 0);
        this.text = words(false, 1 + random.nextInt(random.nextInt(20) == 0 ? 1000 : 15));
        this.hasCall = random.nextInt(3) == 0;
        this.call = "{\"marker\":\"%s\",\"list\":[1,{\"a\":null},\"é\"],\"path\":\"/tmp/x\"}".formatted(marker());
        this.said = thinking + text + (hasCall ? call : "");
        if (hasCall) pieces();
        boolean stays = number >= FIRST_TO_STAY && random.nextInt(300) == 0;
        Fault any = Fault.values()[random.nextInt(Fault.STAYS_OPEN.ordinal())];
        this.fault = leave == Leave.RUNNING ? Fault.NONE : stays ? Fault.STAYS_OPEN
                : random.nextInt(4) == 0 ? Fault.CUT : any;
        this.good = reply(Fault.NONE);
        this.bad = switch (fault) {
            case NONE, CUT, UNFINISHED, STAYS_OPEN -> reply(fault);
            case EMPTY -> answer(200, "text/event-stream", body(List.of()).text, failed(502, 0, false, false));
            case FIRST_ERROR, LATER_ERROR -> errorEvent();
            case STATUS, ERROR_AS_REPLY -> error();
            case BAD_HEAD -> badHead();
        };
    }

    String marker() {
        return "(%d)".formatted(number);
    }

    /** {@return the answer to the {@code nth} request of this exchange} */
    Answer answer(int nth) {
        return nth <= times ? bad : good;
    }

    String request() {
        return json("{'model':'claude-x','max_tokens':100,'stream':%s,'messages':[{'role':'user','content':'I am %s'}],"
                + "'tools':[{'name':'echo','input_schema':{'type':'object'}}]}").formatted(stream, marker());
    }

    @Override
    public String toString() {
        Answer last = answer(asked.get());
        String sent = new String(last.bytes, 0, Math.min(last.length, 5000), UTF_8);
        String what = "exchange %d, %s: %s, leaves %s, %s %d times, asked %d times, ".formatted(number,
                isResponses ? "responses" : "chat", stream ? "stream" : "plain", leave, fault, times, asked.get());
        return what + "the last answer with %s: %s after %d of %d bytes:%n%s".formatted(last.outcome, last.end,
                last.length, last.bytes.length, sent);
    }

    // ---- what is said ----

    private static String json(String quoted) {
        return quoted.replace('\'', '"');
    }

    private void delta(String delta) {
        deltas.add("{\"choices\":[{\"index\":0,\"delta\":{%s},\"finish_reason\":null}]}".formatted(delta));
    }

    /** {@return reasoning, or text of the answer} */
    private String words(boolean isReasoning, int words) {
        var all = new StringBuilder();
        for (int i = 0; i < words; i++) {
            String word = "%s%d é€😀 ".formatted(marker(), i);
            if (isResponses) {
                String type = isReasoning ? "reasoning_summary_text" : "output_text";
                event(type + ".delta", isReasoning ? 0 : 1, "\"delta\":\"%s\",\"sequence_number\":%d".formatted(word, i));
            } else {
                delta("\"%s\":\"%s\"".formatted(isReasoning ? "reasoning_content" : "content", word));
            }
            all.append(word);
        }
        return all.toString();
    }

    private void event(String type, int index, String members) {
        deltas.add("{\"type\":\"response.%s\",\"output_index\":%d,%s}".formatted(type, index, members));
    }

    /** A call as an item of the output. */
    private String item(String arguments) {
        return json("{'type':'function_call','call_id':'call_%d','name':'echo','arguments':%s}").formatted(number,
                RandomJson.write(arguments));
    }

    /** The call in the events of the Responses API; its arguments come in pieces, or only at its end. */
    private void callEvents() {
        event("output_item.added", 2, "\"item\":" + item(""));
        int most = random.nextBoolean() ? 0 : 12;
        for (int from = 0, to; most > 0 && from < call.length(); from = to) {
            to = Math.min(call.length(), from + 1 + random.nextInt(most));
            event("function_call_arguments.delta", 2, "\"delta\":" + RandomJson.write(call.substring(from, to)));
        }
        event("output_item.done", 2, "\"item\":" + item(call));
    }

    private String toolCalls(String arguments) {
        String call = "{'index':0,'id':'call_%d','type':'function','function':{'name':'echo','arguments':%s}}";
        return json("'tool_calls':[" + call + "]").formatted(number, RandomJson.write(arguments));
    }

    /** The call, whole or in pieces. */
    private void pieces() {
        if (isResponses) {
            callEvents();
            return;
        }
        int most = random.nextBoolean() ? call.length() : 12;
        int to = most < call.length() ? 0 : most;
        delta(toolCalls(call.substring(0, to)));
        for (int from = to; from < call.length(); from = to) {
            to = Math.min(call.length(), from + 1 + random.nextInt(most));
            String piece = RandomJson.write(call.substring(from, to));
            delta(json("'tool_calls':[{'index':0,'function':{'arguments':%s}}]").formatted(piece));
        }
    }

    private String whole() {
        return isResponses ? wholeResponse() : wholeCompletion();
    }

    private String wholeResponse() {
        String reasoning = json("{'type':'reasoning','summary':[{'type':'summary_text','text':'%s'}]},").formatted(thinking);
        String message = json("{'type':'message','content':[{'type':'output_text','text':'%s'}]}").formatted(text);
        String output = (thinking.isEmpty() ? "" : reasoning) + message + (hasCall ? "," + item(call) : "");
        return json("{'object':'response','status':'completed','output':[%s],'usage':{'input_tokens':7,'output_tokens':3}}")
                .formatted(output);
    }

    private String wholeCompletion() {
        String message = "'role':'assistant','reasoning_content':'%s','content':'%s'".formatted(thinking, text);
        String choice = json("{'index':0,'finish_reason':'stop','message':{%s%s}}").formatted(json(message),
                hasCall ? "," + toolCalls(call) : "");
        return json("{'choices':[%s],'usage':{'prompt_tokens':7,'completion_tokens':3}}").formatted(choice);
    }

    private static String latin(String text) {
        return new String(text.getBytes(UTF_8), ISO_8859_1);
    }

    /** An event stream of {@code datas}, and what backends put between them; [DONE] may be missing. */
    private Body body(List<String> datas) {
        List<String> all = new ArrayList<>(datas);
        if (random.nextBoolean()) all.addFirst(isResponses ? CREATED : Backend.ROLE);
        if (random.nextInt(3) > 0) all.add("[DONE]");
        String eol = random.nextInt(4) > 0 ? "\n" : "\r\n";
        String field = random.nextInt(4) > 0 ? "data: " : "data:";
        var body = new Body();
        for (String data : all) {
            String noise = RandomJson.any(random, NOISE) + eol + (random.nextBoolean() ? eol : "");
            if (random.nextInt(8) == 0) body.text.append(noise);
            boolean named = data.startsWith("event:") || data.startsWith("error:");
            body.text.append(named ? "" : field).append(latin(data.replace("\n", eol)));
            int end = body.text.length();
            if (data.equals("[DONE]")) body.done = end;
            if (deltas.contains(data)) body.shown = Math.min(body.shown, end);
            boolean seemsWhole = hasCall && data.equals(deltas.getLast()) || data.equals(Backend.USAGE);
            if (seemsWhole && !isResponses) body.called = Math.min(body.called, end);
            body.text.append(eol).append(eol);
            if (!data.equals(finish())) continue;
            body.finished = end;
            body.sure = body.text.length();
        }
        return body;
    }

    /** {@return the event that says that the reply is whole} */
    private String finish() {
        return isResponses ? COMPLETED : Backend.FINISH;
    }

    // ---- how it is answered ----

    private Answer reply(Fault fault) {
        boolean runs = leave == Leave.RUNNING;
        boolean stays = fault == Fault.STAYS_OPEN;
        boolean asEvents = runs || stays || fault == Fault.UNFINISHED || stream != (random.nextInt(6) == 0);
        List<String> datas = new ArrayList<>(deltas);
        if (!runs && fault != Fault.UNFINISHED) datas.add(finish());
        if (!runs && !isResponses && random.nextInt(3) > 0) datas.add(Backend.USAGE);
        Body body = asEvents ? body(datas) : new Body();
        if (!asEvents) body.finished = body.sure = body.text.append(latin(whole())).length();
        Framing framing = runs ? Framing.UNBOUNDED : stays ? Framing.CHUNKED : RandomJson.any(random, Framing.values());
        Sent sent = sent(200, asEvents ? "text/event-stream" : "application/json", body.text, framing);
        int whole = sent.bytes.length;
        int length = fault == Fault.CUT ? cut(sent, body) : stays ? sent.at(body.sure) : whole;
        End end = runs ? End.RUN : stays ? End.STAY : fault != Fault.CUT ? end(sent, 12)
                : random.nextBoolean() ? End.RESET : End.CLOSE;
        boolean seemsEnded = length >= sent.at(body.done)
                || (framing == Framing.UNBOUNDED ? end != End.RESET : length == whole);
        boolean mayBeWhole = length >= (seemsEnded ? Math.min(sent.at(body.called), sent.at(body.finished))
                : sent.at(body.finished));
        // the JDK's client forgets what has not been read of it when a reply breaks off, even if that has finished
        boolean isKept = end == End.STAY || framing == Framing.UNBOUNDED && asEvents && !HALF_AN_EVENT_SPOILS_ALL;
        boolean mayFail = end == End.RESET || length < Math.max(sent.at(body.sure), isKept ? 0 : whole);
        boolean shown = stream && asEvents && length >= sent.at(body.shown);
        return answer(sent, length, end, new Outcome(mayBeWhole, mayFail, shown, 502, 0, false));
    }

    /** {@return a place to break off: before the reply, within its headers, in its body, or after it has finished} */
    private int cut(Sent sent, Body body) {
        int finished = Math.min(sent.at(body.finished), sent.bytes.length - 1);
        return switch (random.nextInt(5)) {
            case 0 -> 0;
            case 1 -> 1 + random.nextInt(sent.at[0] - 1);
            case 2 -> finished + random.nextInt(sent.bytes.length - finished);
            default -> sent.at[0] + random.nextInt(finished - sent.at[0]);
        };
    }

    /** {@return the outcome of an error that the backend has {@code told}, or of an answer that says nothing} */
    private static Outcome failed(int status, long retryAfter, boolean shown, boolean told) {
        int seen = status == 422 ? 400 : status == 502 && told || status == 503 ? 529 : status;
        return new Outcome(false, true, shown, seen, Math.min(retryAfter, 60), told);
    }

    private Answer errorEvent() {
        int status = RandomJson.any(random, STATUSES);
        boolean later = fault == Fault.LATER_ERROR;
        List<String> datas = new ArrayList<>(deltas.subList(0, later ? 1 + random.nextInt(deltas.size()) : 0));
        String error = RandomJson.any(random, new String[] {"", "event: error\ndata: ", "error: "});
        datas.add(error + errorJson(status));
        return answer(200, "text/event-stream", body(datas).text, failed(status, 0, later && stream, true));
    }

    private String errorJson(int status) {
        String code = random.nextBoolean() ? "%d" : "'%d'";
        String error = "{'error':{'message':'no luck for %s','type':'server_error','code':" + code + "}}";
        return json(error).formatted(marker(), status);
    }

    private Answer error() {
        int status = RandomJson.any(random, STATUSES);
        boolean asReply = fault == Fault.ERROR_AS_REPLY;
        long retryAfter = !asReply && (status == 429 || status == 503) ? RandomJson.any(random, RETRY_AFTER) : 0;
        String[] headers = retryAfter > 0 ? new String[] {"retry-after: " + retryAfter} : new String[0];
        String html = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>No luck for %s</h1></html>";
        int kind = asReply ? 0 : random.nextInt(4);
        String type = kind < 2 ? "application/json" : kind == 2 ? "text/plain" : "text/html; charset=utf-8";
        String body = switch (kind) {
            case 0 -> errorJson(status);
            case 1 -> json("{'detail':'no luck for %s'}").formatted(marker());
            case 2 -> "no luck for %s\n".formatted(marker());
            default -> html.formatted(marker());
        };
        Outcome outcome = failed(status, retryAfter, false, true);
        if (kind == 3 && status >= 500) outcome = new Outcome(false, true, false, 502, outcome.retryAfter, true);
        return answer(asReply ? 200 : status, type, body, outcome, headers);
    }

    /** After which the connection is left open. */
    private Answer badHead() {
        byte[] head = RandomJson.any(random, BAD_HEADS).getBytes(ISO_8859_1);
        return answer(new Sent(head, new int[0], Framing.LENGTH), head.length, End.STAY, failed(502, 0, false, false));
    }

    // ---- how that goes over the wire ----

    private Answer answer(int status, String type, CharSequence body, Outcome outcome, String... headers) {
        Sent sent = sent(status, type, body, RandomJson.any(random, Framing.values()), headers);
        return answer(sent, sent.bytes.length, end(sent, 0), outcome);
    }

    private Answer answer(Sent sent, int length, End end, Outcome outcome) {
        int[] packets = {length < 4000 ? 1 : 100, 100, 1_000_000, 1_000_000};
        int pauseAt = length > 0 && random.nextInt(3) == 0 ? random.nextInt(length) : -1;
        String more = isResponses ? json("{'type':'response.output_text.delta','output_index':1,'delta':'more '}")
                : Backend.chunk("more ");
        return new Answer(sent.bytes, length, end, more, packets[random.nextInt(packets.length)], pauseAt, outcome);
    }

    /** {@return what follows on a whole answer; a reset, which may destroy it, in one of {@code resets} cases} */
    private End end(Sent sent, int resets) {
        if (resets > 0 && random.nextInt(resets) == 0) return End.RESET;
        return sent.framing == Framing.UNBOUNDED || random.nextInt(6) == 0 ? End.CLOSE : End.KEEP;
    }

    private Sent sent(int status, String type, CharSequence body, Framing framing, String... headers) {
        var wire = new StringBuilder("HTTP/1.1 %d As told\r\ncontent-type: %s\r\n".formatted(status, type));
        for (String header : headers) wire.append(header).append("\r\n");
        wire.append(switch (framing) {
            case LENGTH -> "content-length: " + body.length();
            case CHUNKED -> "transfer-encoding: chunked";
            case UNBOUNDED -> "connection: close";
        }).append("\r\n\r\n");
        int[] at = new int[body.length() + 1];
        at[0] = wire.length();
        int most = random.nextBoolean() ? 60 : 2000;
        for (int from = 0, to; from < body.length(); from = to) {
            to = Math.min(body.length(), from + 1 + random.nextInt(most));
            if (framing == Framing.CHUNKED) wire.append("%x\r\n".formatted(to - from));
            for (int i = from; i < to; i++) at[i + 1] = wire.append(body.charAt(i)).length();
            if (framing == Framing.CHUNKED) wire.append("\r\n");
        }
        if (framing == Framing.CHUNKED) wire.append("0\r\n\r\n");
        return new Sent(wire.toString().getBytes(ISO_8859_1), at, framing);
    }
}
