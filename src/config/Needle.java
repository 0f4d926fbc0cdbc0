package config;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;

/** What is looked for in a text: a secret, or its Base64; without escapes and in small letters. */
record Needle(String text, Match match) {
    /** Shorter words are too common; with letters and digits they are hidden where they stand alone. */
    private static final int MIN_LENGTH = 8;
    static final int MIN_LENGTH_ALONE = 5;
    private static final int MIN_PIECE = 12; // of a longer secret, which a backend may have cut
    private static final int BLOCK = MIN_PIECE / 2; // a piece holds at least one whole block of the secret

    /** Whether a piece of it is hidden as well, only all of it, or only where it stands as a word. */
    private enum Match { PIECES, WHOLE, ALONE }

    /** {@return what to look for, so that a secret is hidden; nothing if it is a placeholder, such as any} */
    static List<Needle> of(String secret) {
        if (secret.length() < MIN_LENGTH_ALONE) return List.of();
        String plain = new Unescaped(secret).text();
        if (secret.length() < MIN_LENGTH) {
            return hasLetterAndDigit(secret) ? List.of(new Needle(plain, Match.ALONE)) : List.of();
        }
        List<Needle> needles = new ArrayList<>(base64(secret));
        needles.add(new Needle(plain, secret.length() < MIN_PIECE ? Match.WHOLE : Match.PIECES));
        return needles;
    }

    static boolean hasLetterAndDigit(String text) {
        return text.chars().anyMatch(Character::isLetter) && text.chars().anyMatch(Character::isDigit);
    }

    /** {@return how a secret looks in Base64, by where in a group of three bytes it begins} */
    private static List<Needle> base64(String secret) {
        List<Needle> needles = new ArrayList<>();
        for (int before = 0; before < 3; before++) {
            byte[] bytes = (" ".repeat(before) + secret).getBytes(StandardCharsets.UTF_8);
            String base64 = Base64.getEncoder().withoutPadding().encodeToString(bytes);
            int first = before == 0 ? 0 : before + 1; // the first character that is made of the secret alone
            String inner = base64.substring(first, base64.length() - 1).toLowerCase(Locale.ROOT);
            needles.add(new Needle(inner, Match.WHOLE));
            needles.add(new Needle(inner.replace('+', '-').replace('/', '_'), Match.WHOLE)); // as in URLs
        }
        return needles;
    }

    /** Marks where it stands in the original of {@code in}. */
    void mark(Unescaped in, BitSet marked) {
        switch (match) {
            case PIECES -> markPieces(in, marked);
            case WHOLE -> markWhole(in, marked);
            case ALONE -> markAlone(in, marked);
        }
    }

    private void markWhole(Unescaped in, BitSet marked) {
        int at = in.text().indexOf(text);
        while (at >= 0) {
            in.mark(at, at + text.length(), marked);
            at = in.text().indexOf(text, at + 1);
        }
    }

    private void markAlone(Unescaped in, BitSet marked) {
        int at = in.text().indexOf(text);
        while (at >= 0) {
            int end = at + text.length();
            boolean isPartOfWord = in.isPartOfWord(at - 1) || in.isPartOfWord(end);
            if (!isPartOfWord) in.mark(at, end, marked);
            at = in.text().indexOf(text, at + 1);
        }
    }

    /** Looks for each block of the secret, since each piece that is long enough holds one. */
    private void markPieces(Unescaped in, BitSet marked) {
        for (int block = 0; block + BLOCK <= text.length(); block += BLOCK) {
            String wanted = text.substring(block, block + BLOCK);
            int at = in.text().indexOf(wanted);
            while (at >= 0) {
                markAround(block, at, in, marked);
                at = in.text().indexOf(wanted, at + 1);
            }
        }
    }

    /** Marks the piece around a block that stands at {@code at}, if the piece is long enough. */
    private void markAround(int block, int at, Unescaped in, BitSet marked) {
        int from = at;
        int first = block;
        while (isSame(first - 1, from - 1, in)) {
            first--;
            from--;
        }
        int to = at;
        int last = block;
        while (isSame(last, to, in)) {
            last++;
            to++;
        }
        if (to - from >= MIN_PIECE) in.mark(from, to, marked);
    }

    private boolean isSame(int mine, int theirs, Unescaped in) {
        boolean areWithin = isWithin(mine, text) && isWithin(theirs, in.text());
        return areWithin && text.charAt(mine) == in.text().charAt(theirs);
    }

    private static boolean isWithin(int at, String text) { return at >= 0 && at < text.length(); }
}
