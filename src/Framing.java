import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Refuses requests whose framing others may read differently (RFC 9112, "Message Body", "Request Smuggling"), as far
 * as the server lets it be seen. What the server itself refuses: two lengths, a length and an encoding, any encoding
 * but chunked, names of headers that are no tokens. What it hides: where lines end in a bare CR or LF, and trailers.
 */
final class Framing {
    private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"); // RFC 9110, "Tokens"
    private static final Pattern LENGTH = Pattern.compile("[0-9]{1,18}");
    private static final Pattern HOST = Pattern.compile("[^\\s,/\\\\@?#]+");

    private Framing() { }

    /** {@return what is wrong, if this is not a request that all must read in the same way} */
    static Optional<ApiError> flaw(HttpExchange http) {
        Headers headers = http.getRequestHeaders();
        boolean isOld = http.getProtocol().equals("HTTP/1.0");
        boolean isKnown = isOld || http.getProtocol().equals("HTTP/1.1");
        if (!isKnown) return Optional.of(new ApiError(505, "HTTP/1.1 or HTTP/1.0 expected").asFinal());
        if (!TOKEN.matcher(http.getRequestMethod()).matches()) return flaw("the method is not a token");
        return controlFlaw(headers).or(() -> hostFlaw(headers, isOld)).or(() -> lengthFlaw(headers, isOld));
    }

    private static Optional<ApiError> flaw(String message) {
        return Optional.of(new ApiError(400, message).asFinal());
    }

    private static Optional<ApiError> controlFlaw(Headers headers) {
        for (Map.Entry<String, List<String>> header : headers.entrySet()) {
            for (String value : header.getValue()) {
                if (hasControl(value)) return flaw("the header %.60s has a control character".formatted(header.getKey()));
            }
        }
        return Optional.empty();
    }

    private static boolean hasControl(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < ' ' || c == 0x7F) return true; // a tab has become a space
        }
        return false;
    }

    private static Optional<ApiError> hostFlaw(Headers headers, boolean isOld) {
        List<String> hosts = headers.getOrDefault("Host", List.of());
        if (hosts.isEmpty() && isOld) return Optional.empty();
        if (hosts.size() != 1) return flaw("one Host header expected");
        return HOST.matcher(hosts.getFirst()).matches() ? Optional.empty() : flaw("the Host header is no host");
    }

    private static Optional<ApiError> lengthFlaw(Headers headers, boolean isOld) {
        List<String> lengths = headers.getOrDefault("Content-Length", List.of());
        List<String> encodings = headers.getOrDefault("Transfer-Encoding", List.of());
        if (!lengths.isEmpty() && !encodings.isEmpty()) return flaw("Content-Length or Transfer-Encoding expected, not both");
        if (isOld && !encodings.isEmpty()) return flaw("HTTP/1.0 has no Transfer-Encoding");
        boolean isOneNumber = lengths.size() == 1 && LENGTH.matcher(lengths.getFirst()).matches();
        if (!lengths.isEmpty() && !isOneNumber) return flaw("Content-Length: one number of digits expected");
        return Optional.empty();
    }
}
