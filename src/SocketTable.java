import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The TCP connections of this machine at one moment, as Linux shows them in {@code /proc/net}; elsewhere none. The
 * JDK's server does not look at a connection while it waits for the answer: only here is a client seen to close it.
 */
final class SocketTable {
    private static final List<Path> FILES = List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"));
    /** As {@code   12: 0100007F:0DFA 0100007F:C350 08 …}: number, own address, the other's, state, all in hex. */
    private static final Pattern LINE = Pattern.compile("\\s*\\d+: ([0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]{2}) .*");
    private static final String MAPPED = "0000000000000000FFFF0000"; // before an IPv4 address among those of IPv6
    private static final String ESTABLISHED = "01";

    /** Of a connection: both sides may send, or one has closed it, at least for its own sending, or it is not known. */
    enum State { OPEN, CLOSED, UNKNOWN }

    private final Map<String, String> states = new HashMap<>(); // by the addresses of both ends, as in the table

    private SocketTable() { }

    /** {@return the table as it is now; with no connections where it cannot be read} */
    static SocketTable read() {
        var table = new SocketTable();
        for (Path file : FILES) {
            try {
                Files.readAllLines(file, StandardCharsets.US_ASCII).forEach(table::add);
            } catch (IOException e) {
                // another system, or one without IPv6
            }
        }
        return table;
    }

    private void add(String line) {
        Matcher found = LINE.matcher(line);
        if (found.matches()) states.put(found.group(1).replace(MAPPED, ""), found.group(2));
    }

    /** {@return the state of the connection between these} */
    State state(InetSocketAddress own, InetSocketAddress other) {
        String state = states.get(ends(own, other));
        if (state == null) return State.UNKNOWN;
        return state.equals(ESTABLISHED) ? State.OPEN : State.CLOSED;
    }

    /** {@return how many connections have been made to that port of ours} */
    int connectionsOf(int port) {
        String own = ":%04X ".formatted(port);
        return (int) states.keySet().stream().filter(ends -> ends.contains(own)).count();
    }

    private static String ends(InetSocketAddress own, InetSocketAddress other) { return hex(own) + ' ' + hex(other); }

    /** {@return an address as the kernel prints it: words of 32 bits, each as the processor has it in memory} */
    private static String hex(InetSocketAddress end) {
        var hex = new StringBuilder();
        ByteBuffer address = ByteBuffer.wrap(end.getAddress().getAddress()).order(ByteOrder.nativeOrder());
        while (address.hasRemaining()) hex.append("%08X".formatted(address.getInt()));
        return hex.append(":%04X".formatted(end.getPort())).toString().toUpperCase(Locale.ROOT);
    }
}
