package upstream;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * Finds out whether a server speaks TLS, by the first message of a handshake. TLS servers mostly close the
 * connection on plain HTTP without an answer, so nothing else tells. It makes no TLS connection.
 */
final class TlsProbe {
    private static final int HTTP_PORT = 80;
    private static final byte ALERT = 21; // types of records
    private static final byte HANDSHAKE = 22;
    private static final int CLIENT_HELLO = 1;
    private static final short TLS_1_0 = 0x0301;
    private static final short TLS_1_2 = 0x0303;
    private static final short ECDHE_RSA_AES_128_GCM = (short) 0xc02f;
    private static final short ECDHE_ECDSA_AES_128_GCM = (short) 0xc02b;
    private static final int MESSAGE_BYTES = 43; // what follows the message's type and length

    private TlsProbe() { }

    /** {@return true if the server at a URL with http:// answers a ClientHello with TLS within that time} */
    static boolean speaksTls(URI url, Duration timeout) {
        int port = url.getPort() < 0 ? HTTP_PORT : url.getPort();
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(url.getHost(), port), (int) timeout.toMillis());
            socket.setSoTimeout((int) timeout.toMillis());
            socket.getOutputStream().write(clientHello());
            socket.shutdownOutput(); // else an HTTP server would wait for the end of the line
            int type = socket.getInputStream().read();
            return type == ALERT || type == HANDSHAKE;
        } catch (IOException | IllegalArgumentException e) {
            return false; // no answer, so it is not known
        }
    }

    /**
     * {@return a ClientHello that each TLS server answers, if only with an alert}
     *
     * <p>Source: RFC 5246, "Client Hello".
     */
    private static byte[] clientHello() {
        var random = new byte[32]; // need not be random: the handshake goes no further
        int header = 4; // bytes of the message's type and length
        return ByteBuffer.allocate(5 + header + MESSAGE_BYTES)
                .put(HANDSHAKE).putShort(TLS_1_0).putShort((short) (header + MESSAGE_BYTES)) // the record
                .putInt(CLIENT_HELLO << 24 | MESSAGE_BYTES).putShort(TLS_1_2).put(random) // the message
                .put((byte) 0) // no session
                .putShort((short) 4).putShort(ECDHE_RSA_AES_128_GCM).putShort(ECDHE_ECDSA_AES_128_GCM)
                .put((byte) 1).put((byte) 0) // one compression method: none
                .array();
    }
}
