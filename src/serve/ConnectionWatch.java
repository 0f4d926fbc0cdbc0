package serve;

import com.sun.net.httpserver.HttpExchange;
import java.net.InetSocketAddress;

/**
 * Finds out, from one table of sockets to the next, whether a client has closed its connection. For the
 * ticker.
 */
final class ConnectionWatch {
    private final InetSocketAddress local;
    private final InetSocketAddress remote;
    private boolean wasSeen; // in a table
    private int misses; // tables in a row without the connection

    ConnectionWatch(HttpExchange http) {
        this.local = http.getLocalAddress();
        this.remote = http.getRemoteAddress();
    }

    /** {@return whether the client has closed the connection, going by the newest table} */
    boolean isClosed(SocketTable newest) {
        SocketTable.State state = newest.state(local, remote);
        if (state == SocketTable.State.OPEN) wasSeen = true;
        misses = state == SocketTable.State.UNKNOWN ? misses + 1 : 0;
        boolean isGone = wasSeen && misses > 1; // a single table may lack it, if it changed while it was read
        return isGone || state == SocketTable.State.CLOSED;
    }
}
