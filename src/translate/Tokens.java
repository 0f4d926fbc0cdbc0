package translate;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * An estimate of a request's tokens, 5 to 10 % high by intention, fitted to GPT-4o's and Qwen3's; not a
 * tokenizer.
 */
final class Tokens {
    /**
     * A kind's first bytes, from and to (later rows win); hundredths of a token for the first in a row, for
     * more.
     */
    private static final int[][] KINDS = {
        {0x00, 0x7F, 175, 16}, {' ', ' ', 8, 1}, {'!', '~', 57, 38}, {'0', '9', 173, 61}, {'A', 'Z', 76, 21},
        {'a', 'z', 64, 11}, {0x80, 0xBF, 0, 0}, {0xC0, 0xCC, 200, 50}, // the rest of a character; Latin with accents
        {0xCD, 0xDF, 30, 53}, {0xD0, 0xD3, 53, 27}, {0xE0, 0xE1, 60, 60}, // Greek, Arabic; Cyrillic; Indic, Georgian
        {0xE2, 0xEF, 99, 99}, {0xE3, 0xE9, 115, 66}, {0xEA, 0xED, 165, 31}, {0xF0, 0xFF, 250, 250}, {'"', '"', 57, 38}};
    private static final int UPPER = 4, LOWER = 5, REST = 6, PUNCTUATION = 2, STOP = 15; // rows; STOP: " and \
    private static final int OBJECT = 400, QUOTES = 180, IMAGE = 120_000, PAGE = 200_000, PAGE_BASE64 = 27_000;
    private static final int SEALED = 19; // a character of base64: 3/4 of a byte, and some four are a token
    private static final int MIN_SAMPLED = 16 * 1024, SAMPLE = 128, MAX_SAMPLES = 64; // bytes, bytes, samples
    private static final byte[] KIND = new byte[256];
    private static final int[] COST = new int[256]; // by the kind before, times 16, and the kind
    static {
        for (int pair = 0; pair < 256; pair++) {
            int before = pair & 15, kind = pair >> 4;
            boolean runs = before == kind || before == UPPER && kind == LOWER || before >= REST && kind >= LOWER;
            COST[before << 4 | kind] = KINDS[kind][runs ? 3 : 2];
            Arrays.fill(KIND, KINDS[kind][0], KINDS[kind][1] + 1, (byte) kind);
        }
        KIND['\\'] = STOP;
    }

    /** Members of messages that do not simply hold text; {@link Translator} and {@link Opaque} write them. */
    private enum Member {
        ID("id"), TOOL_CALL_ID("tool_call_id"), IMAGE_URL("image_url"), URL("url"), FILE("file"),
        FILE_DATA("file_data"), REASONING_DETAILS("reasoning_details"), TEXT("text"), SUMMARY("summary"),
        DATA("data"), EXTRA_CONTENT("extra_content"), CACHE_CONTROL("cache_control"), OTHER("");

        private final byte[] name;

        Member(String name) { this.name = name.getBytes(StandardCharsets.US_ASCII); }

        private static final Member[] ALL = values();

        private static Member of(byte[] json, int from, int to) {
            for (Member member : ALL) {
                boolean isIt = to - from == member.name.length
                        && Arrays.equals(json, from, to, member.name, 0, member.name.length);
                if (isIt) return member;
            }
            return OTHER;
        }

        /** {@return whether the backend wants it, but shows little or nothing of it to the model} */
        private boolean isHidden() {
            return this == REASONING_DETAILS || this == EXTRA_CONTENT || this == CACHE_CONTROL;
        }
    }

    /** One pass over a request. In the messages an object costs, and each value but no name. */
    private static final class Scan {
        private final byte[] json;
        private int at;
        private int depth;
        private boolean inMessages = true; // the first list
        private Member name = Member.OTHER; // the last one read
        private Member holder = Member.OTHER; // the name of the object that began last, as long as it is open
        private Member hidden = Member.OTHER; // what is hidden and open
        private int hiddenDepth; // of its inside
        private long cost = OBJECT;

        private Scan(byte[] json) { this.json = json; }

        private long cost(int length) {
            for (; at < length; at++) {
                switch (json[at]) {
                    case '{', '[' -> open();
                    case '}', ']' -> close();
                    case '"' -> string();
                    default -> { } // numbers and words cost nothing
                }
            }
            return cost;
        }

        private void open() {
            boolean isMessages = inMessages && depth > 1;
            depth++;
            holder = name;
            boolean isHidden = isMessages && hidden == Member.OTHER && name.isHidden();
            if (isHidden) {
                hidden = name;
                hiddenDepth = depth;
            }
            if (isMessages && json[at] == '{' && hidden == Member.OTHER) cost += OBJECT;
        }

        private void close() {
            depth--;
            inMessages &= depth > 1;
            holder = Member.OTHER;
            name = Member.OTHER;
            if (depth < hiddenDepth) hidden = Member.OTHER;
            if (depth < hiddenDepth) hiddenDepth = 0;
        }

        private void string() {
            int from = at + 1;
            long text = text();
            boolean isName = isName();
            if (isName) name = Member.of(json, from, at);
            if (depth <= 1 || inMessages && isName) return;
            cost += inMessages ? value(text, at - from) : text + QUOTES;
        }

        /** {@return the cost of the string that begins here; goes to its end} */
        private long text() {
            long text = 0;
            for (int before = 0, kind; ; before = kind) {
                kind = KIND[json[++at] & 0xFF];
                if (kind == STOP) {
                    if (json[at] == '"') return text;
                    kind = escaped(json, ++at);
                    if (json[at] == 'u') at += 4;
                }
                text += COST[(before << 4 | kind) & 0xFF]; // the mask spares a check
            }
        }

        private boolean isName() {
            int next = at + 1;
            while (next < json.length && json[next] <= ' ') next++;
            return next < json.length && json[next] == ':';
        }

        /** {@return the cost of a string in the messages, whose text alone would cost {@code text}} */
        private long value(long text, int length) {
            if (hidden != Member.OTHER) return hiddenValue(text, length);
            return switch (name) {
                case ID, TOOL_CALL_ID -> 0; // models are not shown them
                case URL -> holder == Member.IMAGE_URL ? IMAGE : text;
                case FILE_DATA -> holder == Member.FILE ? Math.max(1, length / PAGE_BASE64) * PAGE : text;
                default -> text;
            };
        }

        /** Reasoning may come back to the model, sealed or not; signatures and what else there is do not. */
        private long hiddenValue(long text, int length) {
            if (hidden != Member.REASONING_DETAILS) return 0;
            return switch (name) {
                case TEXT, SUMMARY -> text;
                case DATA -> length * SEALED;
                default -> 0;
            };
        }
    }

    /** {@return the estimate for {@code {"model":…,"messages":[…],…,"tools":[…]}}, as it is sent} */
    static long of(byte[] json, int length) { return new Scan(json).cost(length) / 100; }

    /**
     * {@return a quicker and coarser estimate of the same, by samples of a long request; base64 counts
     * nothing}
     */
    static long rough(byte[] json, int length) {
        if (length < MIN_SAMPLED) return of(json, length);
        long cost = 0;
        int step = Math.max(SAMPLE * 8, length / MAX_SAMPLES);
        for (int from = 0; from + SAMPLE < length; from += step) {
            long text = 0;
            boolean isText = false;
            for (int i = from + 1; i < from + SAMPLE; i++) {
                text += COST[KIND[json[i - 1] & 0xFF] << 4 & 0xF0 | KIND[json[i] & 0xFF]];
                isText |= json[i] == ' ' || json[i] == '"';
            }
            cost += isText ? text : 0;
        }
        return cost * step / SAMPLE / 100 * 9 / 8; // an eighth more: escapes are worth more than they count here
    }

    /** {@return the kind of what stands escaped at {@code i}; half of a pair is as Hangul} */
    private static int escaped(byte[] json, int i) {
        if (json[i] != 'u') return KIND[json[i]] == LOWER ? 0 : PUNCTUATION; // white space, or itself
        int c = 0;
        for (int k = i + 1; k <= i + 4; k++) c = c << 4 | Character.digit(json[k], 16);
        int lead = c < 0x800 ? 0xC0 | c >> 6 : 0xE0 | c >> 12; // in UTF-8
        return KIND[c < 0x80 ? c : lead];
    }
}
