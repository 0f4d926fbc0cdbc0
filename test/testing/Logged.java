package testing;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What is logged until it is closed, by whomever; nothing of it is printed. A test that has one holds "log". */
public final class Logged extends Handler implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger("a2o"); // held, or what is set would be lost

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Level levelBefore = LOG.getLevel();

    public Logged() {
        LOG.setLevel(Level.ALL);
        LOG.setUseParentHandlers(false);
        LOG.addHandler(this);
    }

    /** {@return all messages so far, each with the stack of what was thrown} */
    public List<String> lines() {
        return List.copyOf(lines);
    }

    public List<String> lines(String with) {
        return lines.stream().filter(line -> line.contains(with)).toList();
    }

    /** {@return the first line with that in it, waiting for it if need be} */
    public synchronized String line(String with) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(Tasks.WAIT_SECONDS);
        while (lines(with).isEmpty()) {
            if (System.nanoTime() > until) throw new AssertionError("no line with '%s' in %s".formatted(with, lines));
            TimeUnit.SECONDS.timedWait(this, 1);
        }
        return lines(with).getFirst();
    }

    /** {@return all lines so far, once there is one about the exchange of that reply} */
    public List<String> until(Wire.Reply reply) throws InterruptedException {
        line(reply.headers().get("request-id"));
        return lines();
    }

    public void clear() {
        lines.clear();
    }

    @Override
    public synchronized void publish(LogRecord entry) {
        var text = new StringWriter().append(entry.getMessage());
        if (entry.getThrown() != null) entry.getThrown().printStackTrace(new PrintWriter(text, true));
        lines.add(text.toString());
        notifyAll();
    }

    @Override
    public void flush() { }

    @Override
    public void close() {
        LOG.removeHandler(this);
        LOG.setUseParentHandlers(true);
        LOG.setLevel(levelBefore);
    }
}
