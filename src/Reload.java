import config.CommandLine;
import config.Option;
import config.Options;
import config.UsageError;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import serve.Proxy;

/**
 * Looks at the files of options ({@code @FILE}) every second, and has the proxy serve by what they say when
 * they have changed. It compares what they hold, not their times: a mounted ConfigMap swaps links. A file
 * with a mistake changes nothing.
 */
final class Reload {
    private static final long POLL_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final Logger LOG = Logger.getLogger("a2o");

    private final Proxy proxy;
    private final List<String> files;
    private CommandLine given; // by which the proxy serves
    private String taken; // what the files held when they were read last
    private String seen; // what they held at the last look

    Reload(CommandLine given, Proxy proxy) {
        this.given = given;
        this.proxy = proxy;
        this.files = given.all(Option.FILE);
        this.taken = contents();
        this.seen = taken;
    }

    /** Begins to look, if there are files. */
    void start() {
        if (files.isEmpty()) return;
        Thread.ofPlatform().daemon().name("a2o-reload").start(() -> {
            while (true) {
                LockSupport.parkNanos(POLL_NANOS);
                look();
            }
        });
    }

    /** Takes over what has changed, once two looks in a row have seen the same: a file may be half written. */
    void look() {
        String now = contents();
        boolean isSettled = now.equals(seen);
        seen = now;
        if (!isSettled || now.equals(taken)) return;
        taken = now;
        try {
            takeOver(given.readAgain());
        } catch (UsageError e) {
            tellMistake(e.shortMessage());
        } catch (IOException | RuntimeException e) {
            tellMistake(e.toString());
        }
    }

    private void tellMistake(String mistake) {
        LOG.warning(() -> "%s: changed, but not taken over: %s".formatted(names(), mistake));
    }

    /** Has the proxy serve by other options, but for those that cannot change. */
    private void takeOver(CommandLine others) throws IOException {
        CommandLine possible = others;
        List<Option> fixed = given.fixedThatDiffer(others);
        for (Option option : fixed) possible = possible.with(option, given.all(option));
        proxy.use(Options.of(possible));
        given = possible;
        LOG.info(() -> names() + ": changed, and taken over");
        for (Option option : fixed) {
            LOG.warning(() -> "%s: %s cannot change while a2o runs; start it anew".formatted(names(), option.flag()));
        }
    }

    private String names() { return String.join(", ", files); }

    /** {@return the text of all files; of one that cannot be read, that it cannot} */
    private String contents() { return files.stream().map(Reload::content).collect(Collectors.joining("\n")); }

    private static String content(String file) {
        try {
            return new String(Files.readAllBytes(Path.of(file)), StandardCharsets.ISO_8859_1);
        } catch (IOException e) { // told when it is read for its options
            return "cannot be read";
        }
    }
}
