package serve;

import anthropic.ApiError;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Finds requests that a balancer may read differently from the server (RFC 9112, sections 6 and 11.2), as far
 * as the headers show it. The server itself refuses two lengths, a length with an encoding, encodings other
 * than chunked, and malformed header names. It does not show trailers, nor lines that end with a bare CR or
 * LF.
 */
final class Framing {
    /** A method: {@code GET}. */
    private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}");
    /** A Content-Length: {@code 1024}; not {@code +1024}, nor two of them. */
    private static final Pattern LENGTH = Pattern.compile("[0-9]{1,18}");
    /** A host, perhaps with a port: {@code localhost:3578}. */
    private static final Pattern HOST = Pattern.compile("[^\\s,/\\\\@?#]+");
    private static final char DELETE = 0x7F;

    private Framing() { }

    /** {@return what is wrong with the request, if anything is} */
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
            boolean hasControl = header.getValue().stream().anyMatch(Framing::hasControl);
            if (hasControl) return flaw("control character in the header %.60s".formatted(header.getKey()));
        }
        return Optional.empty();
    }

    private static boolean hasControl(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < ' ' || c == DELETE) return true; // the server has replaced tabs by spaces
        }
        return false;
    }

    private static Optional<ApiError> hostFlaw(Headers headers, boolean isOld) {
        List<String> hosts = headers.getOrDefault("Host", List.of());
        if (hosts.isEmpty() && isOld) return Optional.empty();
        if (hosts.size() != 1) return flaw("one Host header expected");
        boolean isHost = HOST.matcher(hosts.getFirst()).matches();
        return isHost ? Optional.empty() : flaw("the Host header is malformed");
    }

    private static Optional<ApiError> lengthFlaw(Headers headers, boolean isOld) {
        List<String> lengths = headers.getOrDefault("Content-Length", List.of());
        boolean hasEncoding = headers.containsKey("Transfer-Encoding");
        if (hasEncoding && isOld) return flaw("HTTP/1.0 has no Transfer-Encoding");
        if (hasEncoding && !lengths.isEmpty()) return flaw("Content-Length beside Transfer-Encoding");
        boolean isOneNumber = lengths.size() == 1 && LENGTH.matcher(lengths.getFirst()).matches();
        if (!lengths.isEmpty() && !isOneNumber) return flaw("Content-Length: one number of digits expected");
        return Optional.empty();
    }
}
