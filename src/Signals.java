import java.util.List;
import java.util.stream.Stream;

/** The signals that have come to end this process, as TERM. Of them the JVM shows only their threads. */
final class Signals {
    private Signals() { }

    /** {@return how many have come} */
    static long waiting() {
        return threads().filter(name -> name.startsWith("SIG") && name.endsWith(" handler")).count();
    }

    /** {@return how many of those names have come} */
    static long waiting(List<String> names) {
        List<String> handlers = names.stream().map("SIG%s handler"::formatted).toList();
        return threads().filter(handlers::contains).count();
    }

    private static Stream<String> threads() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName);
    }
}
