package serve;

import anthropic.ApiError;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Finds requests that a balancer may read differently from the server (RFC 9112, sections 6 and 11.2), as far
 * as the headers show it. The server itself refuses two lengths, a length with an encoding, encodings other
 * than chunked, and malformed header names. It does not show trailers, nor lines that end with a bare CR or
 * LF.
 */
final class Framing {
    private static final Set<String> USUAL_METHODS = Set.of("POST", "GET");
    /** A method: {@code PROPFIND}. */
    private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}");
    private static final int MAX_DIGITS = 18; // of a length
    private static final String NOT_IN_HOST = " ,/\\@?#"; // which may have a port: localhost:3578
    private static final char DELETE = 0x7F;

    private Framing() { }

    /** {@return what is wrong with the request, if anything is} */
    static Optional<ApiError> flaw(HttpExchange http) {
        Headers headers = http.getRequestHeaders();
        boolean isOld = http.getProtocol().equals("HTTP/1.0");
        boolean isKnown = isOld || http.getProtocol().equals("HTTP/1.1");
        if (!isKnown) return Optional.of(new ApiError(505, "HTTP/1.1 or HTTP/1.0 expected").asFinal());
        String method = http.getRequestMethod();
        boolean isToken = USUAL_METHODS.contains(method) || TOKEN.matcher(method).matches();
        if (!isToken) return flaw("the method is not a token");
        return controlFlaw(headers).or(() -> hostFlaw(headers, isOld)).or(() -> lengthFlaw(headers, isOld));
    }

    private static Optional<ApiError> flaw(String message) {
        return Optional.of(new ApiError(400, message).asFinal());
    }

    private static Optional<ApiError> controlFlaw(Headers headers) {
        for (Map.Entry<String, List<String>> header : headers.entrySet()) {
            for (String value : header.getValue()) {
                if (hasControl(value)) return flaw("control character in the header %.60s".formatted(header.getKey()));
            }
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
        return isHost(hosts.getFirst()) ? Optional.empty() : flaw("the Host header is malformed");
    }

    private static boolean isHost(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (NOT_IN_HOST.indexOf(value.charAt(i)) >= 0) return false;
        }
        return !value.isEmpty();
    }

    private static Optional<ApiError> lengthFlaw(Headers headers, boolean isOld) {
        List<String> lengths = headers.getOrDefault("Content-Length", List.of());
        boolean hasEncoding = headers.containsKey("Transfer-Encoding");
        if (hasEncoding && isOld) return flaw("HTTP/1.0 has no Transfer-Encoding");
        if (hasEncoding && !lengths.isEmpty()) return flaw("Content-Length beside Transfer-Encoding");
        boolean isOneNumber = lengths.size() == 1 && isNumber(lengths.getFirst());
        if (!lengths.isEmpty() && !isOneNumber) return flaw("Content-Length: one number of digits expected");
        return Optional.empty();
    }

    /** {@return whether it has digits alone, and not too many}: {@code 1024}, not {@code +1024}. */
    private static boolean isNumber(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) < '0' || value.charAt(i) > '9') return false;
        }
        return !value.isEmpty() && value.length() <= MAX_DIGITS;
    }
}
