/** An estimate of a request's tokens, 5 to 10 % high by intention, fitted to GPT-4o's and Qwen3's; not a tokenizer. */
final class Tokens {
    /** A kind's first bytes, from and to (later rows win); hundredths of a token for the first in a row, for more. */
    private static final int[][] KINDS = {
        {0x00, 0x7F, 175, 16}, {' ', ' ', 8, 1}, {'!', '~', 57, 38}, {'0', '9', 173, 61}, {'A', 'Z', 76, 21},
        {'a', 'z', 64, 11}, {0x80, 0xBF, 0, 0}, {0xC0, 0xCC, 200, 50}, // the rest of a character; Latin with accents
        {0xCD, 0xDF, 30, 53}, {0xD0, 0xD3, 53, 27}, {0xE0, 0xE1, 60, 60}, // Greek, Arabic; Cyrillic; Indic, Georgian
        {0xE2, 0xEF, 99, 99}, {0xE3, 0xE9, 115, 66}, {0xEA, 0xED, 165, 31}, {0xF0, 0xFF, 250, 250}, {'"', '"', 57, 38}};
    private static final int UPPER = 4, LOWER = 5, REST = 6, PUNCTUATION = 2, STOP = 15; // rows; STOP: " and \
    private static final int OBJECT = 400, QUOTES = 180, IMAGE = 120_000, PAGE = 200_000, PAGE_BASE64 = 27_000;
    private static final int MIN_SAMPLED = 16 * 1024, SAMPLE = 128, MAX_SAMPLES = 64; // bytes, bytes, samples
    private static final byte[] KIND = new byte[256];
    private static final int[] COST = new int[256]; // by the kind before, times 16, and the kind
    static {
        for (int pair = 0; pair < 256; pair++) {
            int before = pair & 15, kind = pair >> 4;
            boolean runs = before == kind || before == UPPER && kind == LOWER || before >= REST && kind >= LOWER;
            COST[before << 4 | kind] = KINDS[kind][runs ? 3 : 2];
            java.util.Arrays.fill(KIND, KINDS[kind][0], KINDS[kind][1] + 1, (byte) kind);
        }
        KIND['\\'] = STOP;
    }

    /** {@return the estimate for {@code {"model":…,"messages":[…],…,"tools":[…]}} as {@link Translator} writes it} */
    static long of(byte[] json, int length) {
        long cost = OBJECT;
        boolean inMessages = true; // the first list; there an object costs, and each value but no name
        for (int i = 0, depth = 0, name = 0; i < length; i++) { // name: the last byte of the last one
            byte b = json[i];
            if (b == '{' && inMessages && depth > 1) cost += OBJECT;
            if (b == '{' || b == '[') depth++;
            if (b == '}' || b == ']') inMessages &= --depth > 1;
            if (b != '"') continue;
            long text = 0, from = i;
            for (int before = 0, kind; ; before = kind) {
                kind = KIND[json[++i] & 0xFF];
                if (kind == STOP) {
                    if (json[i] == '"') break;
                    kind = escaped(json, ++i);
                    if (json[i] == 'u') i += 4;
                }
                text += COST[(before << 4 | kind) & 0xFF]; // the mask spares a check
            }
            if (json[i + 1] == ':') name = json[i - 1];
            if (inMessages && name == 'd') text = 0; // id, tool_call_id: models are not shown them
            if (inMessages && name == 'l') text = IMAGE; // url
            if (inMessages && name == 'a') text = Math.max(1, (i - from) / PAGE_BASE64) * PAGE; // of a PDF's 20 kB
            if (depth > 1 && !(inMessages && json[i + 1] == ':')) cost += inMessages ? text : text + QUOTES;
        }
        return cost / 100;
    }

    /** {@return a quicker and coarser estimate of the same, by samples of a long request; base64 counts nothing} */
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
