package json;

/** A line or an event of a stream that is longer than any well-meant one. */
public final class Endless extends RuntimeException {
    Endless(String what) { super(what, null, false, false); }
}
