package upstream;

import config.Target;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpConnectTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.time.Duration;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import json.Text;
import translate.UpstreamError;

/**
 * Says why {@code --upstream} does not lead to a backend, and what to do about it: a sentence for each mistake
 * that is easily made with the address. The sentences are meant to stand after the backend's host and a colon.
 */
public final class ConnectionHelp {
    private static final int MAX_CAUSES = 20; // of an exception that are looked at
    /** As the JDK says that a certificate is for another host: No name matching localhost found. */
    private static final Pattern OTHER_HOST = Pattern.compile("No (subject alternative|name matching)");
    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2); // to connect, and for the answer
    /** As the JDK says it; the latter where it has not begun the handshake yet. */
    private static final Pattern CLOSED_IN_HANDSHAKE =
            Pattern.compile("Remote host (terminated the handshake|closed the channel)");
    private static final byte TLS_ALERT = 21; // types of records
    private static final byte TLS_HANDSHAKE = 22;
    private static final int CLIENT_HELLO = 1;
    private static final short TLS_1_0 = 0x0301;
    private static final short TLS_1_2 = 0x0303;
    private static final short ECDHE_RSA_AES_128_GCM = (short) 0xc02f;
    private static final short ECDHE_ECDSA_AES_128_GCM = (short) 0xc02b;

    /** There was no connection; or there was one, and another try will not help, or may help. */
    enum Kind { UNCONNECTED, LASTING, PASSING }

    /** Why a request failed. */
    record Diagnosis(String reason, Kind kind) { }

    private ConnectionHelp() { }

    /**
     * Tells why no reply came.
     *
     * @param hasAnswered whether the backend has ever answered; if so its address is right
     */
    static Diagnosis diagnose(Throwable failure, Target target, URI url, boolean hasAnswered,
                              Clock clock) {
        return switch (failure) {
            case ConnectException e when target.proxy().isPresent() -> unconnected(
                    "cannot connect to the HTTP proxy %s; is HTTP_PROXY or HTTPS_PROXY right?".formatted(proxy(target)));
            case ConnectException e when hasCause(e, UnresolvedAddressException.class) ->
                    unconnected("the host is not known");
            case ConnectException e -> unconnected("cannot connect; is the backend running?");
            case NoRouteToHostException e -> unconnected("cannot connect; there is no route to the host");
            case HttpConnectTimeoutException e -> unconnected("cannot connect; nothing answered for %d seconds"
                    .formatted(Transport.CONNECT_TIMEOUT.toSeconds()));
            case SSLException e -> lasting("TLS failed: " + tls(e));
            default -> broken(failure, target, url, hasAnswered, clock);
        };
    }

    private static Diagnosis unconnected(String reason) { return new Diagnosis(reason, Kind.UNCONNECTED); }
    private static Diagnosis lasting(String reason) { return new Diagnosis(reason, Kind.LASTING); }
    private static Diagnosis passing(String reason) { return new Diagnosis(reason, Kind.PASSING); }

    private static String proxy(Target target) {
        return target.proxy().map(at -> at.getHostString() + ":" + at.getPort()).orElse("");
    }

    /** The connection was there, but no reply that is one came over it. */
    private static Diagnosis broken(Throwable failure, Target target, URI url, boolean hasAnswered,
                                    Clock clock) {
        String message = String.valueOf(failure.getMessage());
        if (message.startsWith(Transport.NO_TUNNEL)) {
            String status = message.substring(Transport.NO_TUNNEL.length());
            return lasting("the HTTP proxy %s does not let it through: status %s".formatted(proxy(target), status));
        }
        boolean isDirectHttp = target.proxy().isEmpty() && "http".equalsIgnoreCase(url.getScheme());
        boolean mayBeTls = !hasAnswered && isDirectHttp;
        if (mayBeTls && speaksTls(url, clock.outside(PROBE_TIMEOUT))) return lasting(UpstreamError.NO_HTTP_THERE);
        boolean isNoHttp = failure instanceof ProtocolException && message.startsWith("Invalid status line");
        if (isNoHttp && !hasAnswered) return lasting("what answers there does not speak HTTP");
        if (failure instanceof ProtocolException) return passing("the reply is not HTTP");
        return passing("the connection broke before a reply came");
    }

    private static String tls(SSLException failure) {
        String message = String.valueOf(failure.getMessage());
        if (message.contains("ecognized SSL message")) {
            return "no TLS is spoken there; use http:// in --upstream";
        }
        if (CLOSED_IN_HANDSHAKE.matcher(message).lookingAt()) {
            return "the connection was closed in the handshake; "
                    + "if no TLS is spoken there, use http:// in --upstream";
        }
        if (hasCause(failure, CertificateExpiredException.class)) return "the certificate has expired";
        if (hasCause(failure, CertificateNotYetValidException.class)) {
            return "the certificate is not valid yet; is the clock of this machine right?";
        }
        boolean isUntrusted = hasCause(failure, CertPathBuilderException.class)
                || hasCause(failure, CertPathValidatorException.class);
        if (isUntrusted) {
            return "the certificate is not trusted; "
                    + "if it is your own, or your company's, give it as --ca-cert FILE";
        }
        boolean isOtherHost = hasCause(failure, CertificateException.class) && OTHER_HOST.matcher(message).find();
        return isOtherHost ? "the certificate is for another host; use its name in --upstream" : message;
    }

    private static boolean hasCause(Throwable failure, Class<? extends Throwable> kind) {
        return Stream.iterate(failure, cause -> cause != null, Throwable::getCause).limit(MAX_CAUSES)
                .anyMatch(kind::isInstance);
    }

    /**
     * {@return whether the server answers the first message of a TLS handshake in kind} Servers of TLS mostly hang
     * up on plain HTTP without a word, so that nothing else tells what they are.
     */
    private static boolean speaksTls(URI url, Duration timeout) {
        int port = url.getPort() < 0 ? 80 : url.getPort();
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(url.getHost(), port), (int) timeout.toMillis());
            socket.setSoTimeout((int) timeout.toMillis());
            socket.getOutputStream().write(clientHello());
            socket.shutdownOutput(); // or a server of HTTP would wait for the end of the line
            int type = socket.getInputStream().read();
            return type == TLS_ALERT || type == TLS_HANDSHAKE;
        } catch (IOException | IllegalArgumentException e) {
            return false; // nothing was learned
        }
    }

    /**
     * {@return a ClientHello that each server of TLS answers, if only with an alert}
     *
     * <p>Source: RFC 5246, "Client Hello".
     */
    private static byte[] clientHello() {
        var random = new byte[32]; // not in need to be random: the handshake goes no further
        return ByteBuffer.allocate(52)
                .put(TLS_HANDSHAKE).putShort(TLS_1_0).putShort((short) 47) // the record, and its length
                .putInt(CLIENT_HELLO << 24 | 43).putShort(TLS_1_2).put(random) // the message, and its length
                .put((byte) 0) // no session
                .putShort((short) 4).putShort(ECDHE_RSA_AES_128_GCM).putShort(ECDHE_ECDSA_AES_128_GCM)
                .put((byte) 1).put((byte) 0) // one compression method: none
                .array();
    }

    /** {@return what a redirect means} It is not followed: the key must not go where nobody has sent it. */
    public static String redirect(String location) {
        String address = location.replaceFirst("[?#].*", "").replaceFirst("//[^/@]*@", "//"); // no secrets
        return "it redirects to %.150s; if that is the backend's, use it in --upstream"
                .formatted(Text.printable(address));
    }
}
