package upstream;

import config.Target;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.ProtocolException;
import java.net.URI;
import java.net.http.HttpConnectTimeoutException;
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
 * Explains why {@code --upstream} does not lead to a backend and what to do about it, with a message for each
 * mistake that is easily made with the address. The messages follow the backend's host and a colon.
 */
public final class ConnectionHelp {
    private static final int MAX_CAUSES = 20; // of an exception
    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2); // to connect, and for the answer
    /**
     * What a URL may hold that is secret: {@code user:password@} after {@code //}, {@code ?key=…} at the end.
     */
    private static final Pattern SECRETS = Pattern.compile("(?<=//)[^/@?#]*@|[?#].*");

    static final int WANTS_PASSWORD = 407; // the status of a proxy (RFC 9110, "Proxy Authentication Required")

    enum Kind {
        /** There was no connection. */
        UNCONNECTED,
        /** There was a connection, but another try will not help. */
        LASTING,
        /** There was a connection, and another try may help. */
        PASSING
    }

    /** Why a request failed. */
    record Diagnosis(String reason, Kind kind) { }

    private ConnectionHelp() { }

    /**
     * {@return why no reply came}
     *
     * @param hasAnswered true if the backend has ever answered: then its address is right
     */
    static Diagnosis diagnose(Throwable failure, Target target, URI url, boolean hasAnswered,
                              Clock clock) {
        return switch (failure) {
            case ConnectException e when target.proxy().isPresent() ->
                    unconnected("cannot connect to the HTTP proxy %s; is HTTP_PROXY or HTTPS_PROXY right?"
                            .formatted(proxy(target)));
            case ConnectException e when hasCause(e, UnresolvedAddressException.class) ->
                    unconnected("the host is not known");
            case ConnectException e -> unconnected("cannot connect; is the backend running?");
            case NoRouteToHostException e -> unconnected("cannot connect; there is no route to the host");
            case HttpConnectTimeoutException e ->
                    unconnected("cannot connect; nothing answered for %d seconds"
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

    /** {@return why there was a connection, but no HTTP reply on it} */
    private static Diagnosis broken(Throwable failure, Target target, URI url, boolean hasAnswered,
                                    Clock clock) {
        String message = String.valueOf(failure.getMessage());
        if (message.startsWith(Transport.NO_TUNNEL)) {
            String status = message.substring(Transport.NO_TUNNEL.length());
            return lasting(refusalByProxy(target, status));
        }
        boolean isDirectHttp = target.proxy().isEmpty() && "http".equalsIgnoreCase(url.getScheme());
        boolean mayBeTls = !hasAnswered && isDirectHttp;
        boolean isTls = mayBeTls && TlsProbe.speaksTls(url, clock.outside(PROBE_TIMEOUT));
        if (isTls) return lasting(UpstreamError.NO_HTTP_THERE);
        boolean isNoHttp = failure instanceof ProtocolException && message.startsWith("Invalid status line");
        if (isNoHttp && !hasAnswered) return lasting("what answers there does not speak HTTP");
        if (failure instanceof ProtocolException) return passing("the reply is not HTTP");
        return passing("the connection broke before a reply came");
    }

    /** {@return what it means that the HTTP proxy answers with that status in the backend's place} */
    static String refusalByProxy(Target target, String status) {
        String refusal = "the HTTP proxy %s does not let it through: status %s".formatted(proxy(target), status);
        if (!status.equals("" + WANTS_PASSWORD)) return refusal;
        return refusal + "; A2o sends it no password: let it allow this machine, or name the backend's host in NO_PROXY";
    }

    /** {@return why the handshake failed, by the words and the causes that the JDK gives} */
    private static String tls(SSLException failure) {
        String message = String.valueOf(failure.getMessage());
        if (message.contains("ecognized SSL message")) {
            return "no TLS is spoken there; use http:// in --upstream";
        }
        if (isClosedInHandshake(message)) {
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
        boolean isForOtherHost = hasCause(failure, CertificateException.class) && namesOtherHost(message);
        return isForOtherHost ? "the certificate is for another host; use its name in --upstream" : message;
    }

    /** {@return true for the JDK's words where it has begun the handshake, and where it has not yet} */
    private static boolean isClosedInHandshake(String message) {
        return message.startsWith("Remote host terminated the handshake")
                || message.startsWith("Remote host closed the channel");
    }

    /** {@return true for the JDK's words, as "No name matching localhost found"} */
    private static boolean namesOtherHost(String message) {
        return message.contains("No subject alternative") || message.contains("No name matching");
    }

    private static boolean hasCause(Throwable failure, Class<? extends Throwable> kind) {
        return Stream.iterate(failure, cause -> cause != null, Throwable::getCause).limit(MAX_CAUSES)
                .anyMatch(kind::isInstance);
    }

    /**
     * {@return what a redirect means} It is not followed: the key must go to no other host than that of
     * --upstream.
     */
    public static String redirect(String location) {
        String address = SECRETS.matcher(location).replaceAll("");
        return "it redirects to %.150s; if that is the backend's, use it in --upstream"
                .formatted(Text.printable(address));
    }
}
