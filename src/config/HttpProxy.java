package config;

import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Chooses the HTTP proxy on the way to a backend by HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as curl does. */
final class HttpProxy {
    private static final int DEFAULT_PORT = 80;
    private static final int MAX_PORT = 65_535;
    /** http://proxy.test:3128, proxy.test, [::1]:8080/. */
    private static final Pattern ADDRESS =
            Pattern.compile("(?i)(?:http://)?(\\[.*]|[^:/@ ]+)(?::(\\d{1,5}))?/?");

    /** Between entries of NO_PROXY: localhost, .test. */
    private static final Pattern BETWEEN = Pattern.compile("[\\s,]+");

    private HttpProxy() { }

    /** {@return the proxy for {@code url}, whose name is not looked up; none if it is reached directly} */
    static Optional<InetSocketAddress> of(URI url, CommandLine given) {
        if (url.getHost() == null) return Optional.empty();
        boolean isSecure = "https".equalsIgnoreCase(url.getScheme());
        Optional<String> proxy = given.variable(isSecure ? "HTTPS_PROXY" : "HTTP_PROXY");
        String direct = given.variable("NO_PROXY").orElse("").toLowerCase(Locale.ROOT);
        if (BETWEEN.splitAsStream(direct).anyMatch(entry -> isNamed(url, entry))) return Optional.empty();
        return proxy.map(HttpProxy::address);
    }

    /** {@return true if an entry of NO_PROXY names the host: *, h.test, .test or h.test:8080} */
    private static boolean isNamed(URI url, String entry) {
        if (entry.equals("*")) return true;
        if (entry.isEmpty() || entry.equals(".")) return false;
        String end = entry.startsWith(".") ? entry : "." + entry;
        String host = "." + url.getHost().toLowerCase(Locale.ROOT);
        String withPort = host + ":" + Target.port(url);
        return host.endsWith(end) || withPort.endsWith(end);
    }

    private static InetSocketAddress address(String text) {
        Matcher address = ADDRESS.matcher(text);
        UsageError wrong = UsageError.cannotStart(
                "HTTP_PROXY or HTTPS_PROXY: http://host:port expected, without a password");
        if (!address.matches()) throw wrong;
        int port = Optional.ofNullable(address.group(2)).map(Integer::parseInt).orElse(DEFAULT_PORT);
        if (port > MAX_PORT) throw wrong;
        return InetSocketAddress.createUnresolved(address.group(1), port);
    }
}
