package translate;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * An estimate of a request's tokens, 5 to 10 % high by intention; not a tokenizer. It reads the body once,
 * as it is sent, without parsing it: {@code {"model":…,"messages":[…],…,"tools":[…]}} or {@code
 * {"model":…,"instructions":…,"input":[…],…,"tools":[…]}}. In the messages, or the input, each object
 * costs, and each value but no name; in the tools all strings cost, names too.
 */
final class Tokens {
    // hundredths of a token
    private static final int OBJECT = 400;
    private static final int QUOTES = 180;
    private static final int IMAGE = 120_000;
    private static final int PAGE = 200_000; // of a PDF
    private static final int SEALED = 19; // a character of base64: 3/4 of a byte, and some four are a token

    private static final int PAGE_BASE64 = 27_000; // characters
    private static final byte[] DATA_URL = "data:".getBytes(StandardCharsets.US_ASCII); // how one begins
    private static final int MIN_SAMPLED = 16 * 1024; // bytes
    private static final int SAMPLE = 64; // bytes
    private static final int MAX_SAMPLES = 192;

    /** Members that do not simply hold text, and one outside the messages that does. */
    private enum Member {
        INSTRUCTIONS("instructions"), ID("id"), TOOL_CALL_ID("tool_call_id"), CALL_ID("call_id"),
        IMAGE_URL("image_url"), URL("url"), FILE("file"), FILE_DATA("file_data"),
        REASONING_DETAILS("reasoning_details"), TEXT("text"), SUMMARY("summary"), DATA("data"),
        ENCRYPTED_CONTENT("encrypted_content"), EXTRA_CONTENT("extra_content"),
        CACHE_CONTROL("cache_control"), OTHER("");

        private static final Member[] ALL = values();
        private final byte[] name;

        Member(String name) { this.name = name.getBytes(StandardCharsets.US_ASCII); }

        private static Member of(byte[] json, int from, int to) {
            for (Member member : ALL) {
                boolean isSame = to - from == member.name.length
                        && Arrays.equals(json, from, to, member.name, 0, member.name.length);
                if (isSame) return member;
            }
            return OTHER;
        }

        /** {@return whether the backend wants it, but shows little or nothing of it to the model} */
        private boolean isHidden() {
            return this == REASONING_DETAILS || this == EXTRA_CONTENT || this == CACHE_CONTROL;
        }
    }

    /** A member that is hidden from the model, as long as it is open. */
    private record Hidden(Member member, int depth) {
        private static final Hidden NOTHING = new Hidden(Member.OTHER, 0);
    }

    private final byte[] json;
    private int at;
    private int depth;
    private boolean inMessages = true; // the first list of the request
    private Member name = Member.OTHER; // the last one read
    private Member holder = Member.OTHER; // the name of the object that began last, as long as it is open
    private Hidden hidden = Hidden.NOTHING;

    private Tokens(byte[] json) { this.json = json; }

    /** {@return the estimate for the first {@code length} bytes of {@code json}} */
    static long of(byte[] json, int length) { return (OBJECT + new Tokens(json).cost(length)) / 100; }

    private long cost(int length) {
        long cost = 0;
        for (; at < length; at++) {
            switch (json[at]) {
                case '{', '[' -> cost += open();
                case '}', ']' -> close();
                case '"' -> cost += string();
                default -> { } // numbers and words cost nothing
            }
        }
        return cost;
    }

    /** {@return the cost of the object or list that begins here, without what it holds} */
    private int open() {
        boolean isInside = inMessages && depth > 1;
        depth++;
        holder = name;
        boolean isShown = isInside && hidden == Hidden.NOTHING;
        if (isShown && name.isHidden()) {
            hidden = new Hidden(name, depth);
            return 0;
        }
        return isShown && json[at] == '{' ? OBJECT : 0;
    }

    private void close() {
        depth--;
        inMessages &= depth > 1;
        holder = Member.OTHER;
        name = Member.OTHER;
        if (depth < hidden.depth) hidden = Hidden.NOTHING;
    }

    /** {@return the cost of the string that begins here} Goes to its end. */
    private long string() {
        int from = at + 1;
        long text = text();
        boolean isName = isName();
        if (isName) name = Member.of(json, from, at);
        boolean isInstructions = name == Member.INSTRUCTIONS && !isName;
        if (depth <= 1) return isInstructions ? text + OBJECT : 0;
        if (!inMessages) return text + QUOTES;
        return isName ? 0 : value(text, from);
    }

    private long text() {
        long text = 0;
        for (int before = 0, kind; ; before = kind) {
            kind = TokenCosts.kind(json[++at]);
            if (kind == TokenCosts.QUOTE_OR_BACKSLASH) {
                if (json[at] == '"') return text;
                kind = TokenCosts.kindOfEscape(json, ++at);
                if (json[at] == 'u') at += 4;
            }
            text += TokenCosts.cost(before, kind);
        }
    }

    private boolean isName() {
        int next = at + 1;
        while (next < json.length && json[next] <= ' ') next++;
        return next < json.length && json[next] == ':';
    }

    /** {@return the cost of a value in the messages, which begins there and as text would cost {@code text}} */
    private long value(long text, int from) {
        int length = at - from;
        if (hidden != Hidden.NOTHING) return hiddenValue(text, length);
        return switch (name) {
            case ID, TOOL_CALL_ID, CALL_ID -> 0; // models are not shown them
            case IMAGE_URL -> IMAGE; // of the Responses API; in chat completions it is an object
            case URL -> holder == Member.IMAGE_URL ? IMAGE : text;
            case ENCRYPTED_CONTENT -> (long) length * SEALED;
            case FILE_DATA -> holder == Member.FILE || isDataUrl(from) ? Math.max(1, length / PAGE_BASE64) * PAGE : text;
            default -> text;
        };
    }

    private boolean isDataUrl(int from) {
        return Arrays.equals(json, from, Math.min(at, from + DATA_URL.length), DATA_URL, 0, DATA_URL.length);
    }

    /** Reasoning may come back to the model, sealed or not; signatures and what else there is do not. */
    private long hiddenValue(long text, int length) {
        if (hidden.member != Member.REASONING_DETAILS) return 0;
        return switch (name) {
            case TEXT, SUMMARY -> text;
            case DATA -> (long) length * SEALED;
            default -> 0;
        };
    }

    /** {@return a quicker and coarser estimate, by samples of a long request; base64 counts nothing} */
    static long rough(byte[] json, int length) {
        if (length < MIN_SAMPLED) return of(json, length);
        long cost = 0;
        int step = Math.max(SAMPLE * 4, length / MAX_SAMPLES);
        for (int from = 0; from + SAMPLE < length; from += step) cost += sample(json, from);
        return cost * step / SAMPLE / 100 * 9 / 8; // an eighth more, for escapes count too little here
    }

    /** {@return the cost of {@link #SAMPLE} bytes; nothing if they have no space and no quotation mark} */
    private static long sample(byte[] json, int from) {
        long cost = 0;
        boolean isText = false;
        for (int i = from + 1, before = TokenCosts.kind(json[from]), kind; i < from + SAMPLE; i++, before = kind) {
            kind = TokenCosts.kind(json[i]);
            cost += TokenCosts.cost(before, kind);
            isText |= json[i] == ' ' || json[i] == '"';
        }
        return isText ? cost : 0;
    }
}
