package serve;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import upstream.Clock;

/**
 * Stops the server so that no request is lost. At first {@code /ready} says 503, and every answer closes its
 * connection. When balancers have had time to notice, it stops listening, and waits for the requests that are
 * being answered.
 */
final class Drain {
    private static final long RECENT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long POLLED_NOTICE_NANOS = TimeUnit.SECONDS.toNanos(5); // for a few polls
    private static final long NOTICE_NANOS = TimeUnit.MILLISECONDS.toNanos(500); // without polls
    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(20); // from one look to the next
    private static final long LAST_WORDS_NANOS = TimeUnit.SECONDS.toNanos(1); // for errors to be sent
    private static final int LATE_MILLIS = 1000; // for requests on connections that have just been accepted
    private static final String UNFINISHED_REQUEST =
            "POST /ready HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";

    private final HttpServer server;
    private final ClientThreads threads;
    private final Clock clock;
    private volatile long lastRequest; // by the clock, as the next
    private volatile long lastPoll; // of /ready

    Drain(HttpServer server, ClientThreads threads, Clock clock) {
        this.clock = clock;
        this.lastRequest = clock.nanos() - RECENT_NANOS;
        this.lastPoll = lastRequest;
        this.server = server;
        this.threads = threads;
    }

    void noteRequest() { lastRequest = clock.nanos(); }

    /** Notes that somebody asks whether the proxy is ready. */
    void notePoll() { lastPoll = clock.nanos(); }

    /** Takes so many seconds at most; {@code stopExchanges} is run in the last of them. */
    void run(int seconds, Runnable stopExchanges) {
        long end = clock.nanos() + TimeUnit.SECONDS.toNanos(seconds);
        threads.drain();
        long notice = noticeNanos();
        pause(notice);
        stopListening(seconds, notice > 0);
        awaitExchanges(end - LAST_WORDS_NANOS);
        stopExchanges.run();
        awaitExchanges(end);
    }

    /** {@return how long requests may go on to come}: 0 if there have been none for a while. */
    private long noticeNanos() {
        long now = clock.nanos();
        if (now - lastPoll < RECENT_NANOS) return POLLED_NOTICE_NANOS;
        boolean isUsed = now - lastRequest < RECENT_NANOS || threads.areServed();
        return isUsed ? NOTICE_NANOS : 0;
    }

    /** Closes the listener at once, and the connections not before those just accepted have had some time. */
    private void stopListening(int seconds, boolean isUsed) {
        try (Socket unfinished = new Socket()) {
            if (isUsed) beginRequest(unfinished);
            Thread.ofPlatform().daemon().start(() -> server.stop(seconds));
            if (unfinished.isConnected()) pause(TimeUnit.MILLISECONDS.toNanos(LATE_MILLIS));
        } catch (IOException e) {
            // closed by the server
        }
    }

    /**
     * Begins a request to the server, and does not finish it. In JDK 25 {@code HttpServer.stop} closes all
     * connections as soon as no request is in progress, also those on which one is just about to arrive.
     * This request makes it wait.
     */
    private void beginRequest(Socket socket) {
        InetSocketAddress bound = server.getAddress();
        boolean isAny = bound.getAddress().isAnyLocalAddress();
        InetAddress address = isAny ? InetAddress.getLoopbackAddress() : bound.getAddress();
        try {
            socket.connect(new InetSocketAddress(address, bound.getPort()), LATE_MILLIS);
            socket.setSoTimeout(LATE_MILLIS);
            socket.getOutputStream().write(UNFINISHED_REQUEST.getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().read(); // 100 Continue: the server has read the head
        } catch (IOException e) {
            // then the server stops a moment earlier
        }
    }

    private void pause(long nanos) {
        try {
            clock.sleep(nanos);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // then it stops a moment earlier
        }
    }

    private void awaitExchanges(long until) {
        while (threads.areServed() && clock.nanos() - until < 0) pause(STEP_NANOS);
    }
}
