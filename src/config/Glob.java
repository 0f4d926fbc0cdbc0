package config;

/** A pattern for names: {@code *} stands for any characters, {@code ?} for one, all else for itself. */
public record Glob(String text) {
    /** {@return true if it fits no name but its own} */
    boolean isName() { return text.indexOf('*') < 0 && text.indexOf('?') < 0; }

    /**
     * {@return true if the whole name fits} Where the rest does not, the last star takes one more character;
     * the stars before it never need to. So the steps are at most both lengths multiplied.
     */
    public boolean fits(String name) {
        int at = 0; // in text
        int from = 0; // in name
        int star = -1; // in text, the last one passed; -1 before the first
        int afterStar = 0; // in name, behind what that star takes
        while (from < name.length()) {
            if (at < text.length() && text.charAt(at) == '*') {
                star = at++;
                afterStar = from;
            } else if (at < text.length() && isFor(text.charAt(at), name.charAt(from))) {
                at++;
                from++;
            } else if (star >= 0) {
                at = star + 1;
                from = ++afterStar;
            } else {
                return false;
            }
        }
        while (at < text.length() && text.charAt(at) == '*') at++;
        return at == text.length();
    }

    private static boolean isFor(char wanted, char found) { return wanted == '?' || wanted == found; }
}
