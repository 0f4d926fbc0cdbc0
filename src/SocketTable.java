import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The TCP connections of this machine at one moment, read from {@code /proc/net} on Linux; empty elsewhere.
 * The JDK's server does not read from a connection while it answers a request, so it does not notice that the
 * client has closed it. The kernel does.
 */
final class SocketTable {
    private static final List<Path> FILES = List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"));
    /** As {@code 12: 0100007F:0DFA 0100007F:C350 08}: number, local and remote address, state, in hex. */
    private static final Pattern LINE = Pattern.compile(
            "\\s*\\d+: ([0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]{2}) .*");
    private static final String IPV4_IN_IPV6 = "0000000000000000FFFF0000"; // the prefix of ::ffff:127.0.0.1
    private static final String ESTABLISHED = "01";

    /** Of a connection: neither side has closed it, one has, or it is not in the table. */
    enum State { OPEN, CLOSED, UNKNOWN }

    private final Map<String, String> states = new HashMap<>(); // by both addresses, as they are in the table

    private SocketTable() { }

    /** {@return the table as it is now} */
    static SocketTable read() {
        var table = new SocketTable();
        for (Path file : FILES) {
            try {
                Files.readAllLines(file, StandardCharsets.US_ASCII).forEach(table::add);
            } catch (IOException e) {
                // not Linux, or no IPv6
            }
        }
        return table;
    }

    private void add(String line) {
        Matcher matcher = LINE.matcher(line);
        if (matcher.matches()) states.put(matcher.group(1).replace(IPV4_IN_IPV6, ""), matcher.group(2));
    }

    State state(InetSocketAddress local, InetSocketAddress remote) {
        String state = states.get(hex(local) + ' ' + hex(remote));
        if (state == null) return State.UNKNOWN;
        return state.equals(ESTABLISHED) ? State.OPEN : State.CLOSED;
    }

    /** {@return the number of connections to that local port} */
    int connectionsTo(int port) {
        String local = ":%04X ".formatted(port);
        return (int) states.keySet().stream().filter(addresses -> addresses.contains(local)).count();
    }

    /** {@return an address as the kernel prints it}: 32-bit words, each as the processor has it in memory. */
    private static String hex(InetSocketAddress address) {
        var hex = new StringBuilder();
        ByteBuffer bytes = ByteBuffer.wrap(address.getAddress().getAddress()).order(ByteOrder.nativeOrder());
        while (bytes.hasRemaining()) hex.append("%08X".formatted(bytes.getInt()));
        return hex.append(":%04X".formatted(address.getPort())).toString();
    }
}
